from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from draw_preview.app import handler
from faceblur.errors import BudgetSpent, CorruptImage, JobNotFound, UploadReplaced
from tests.support.pictures.photos import astronaut

JOB_ID = "0f8fad5bd9cb469fa16570867728950e"
BUCKET = "faceblur-photos-123456789012-eu-central-1"
UPLOAD = f"uploads/{JOB_ID}"


@pytest.fixture
def draw(event, context, s3, table):
    """Draw the preview of this photo."""

    def call(photo):
        s3.put_object(Bucket=BUCKET, Key=UPLOAD, Body=photo)
        return handler(event("draw_preview"), context)["preview"]

    return call


def test_a_preview_of_the_upload(draw, add_job, s3, keys):
    add_job("PROCESSING")
    preview = draw(astronaut())
    stored = s3.get_object(Bucket=BUCKET, Key=preview["key"])
    picture = Image.open(BytesIO(stored["Body"].read()))
    assert (picture.format, picture.size) == ("JPEG", (preview["width"], preview["height"]))
    assert stored["ContentType"] == "image/jpeg"
    assert preview["key"].startswith(f"previews/{JOB_ID}.")
    assert keys() == {UPLOAD, preview["key"]}


def test_each_preview_has_a_key_of_its_own(draw, add_job):
    add_job("PROCESSING")
    assert draw(astronaut())["key"] != draw(astronaut())["key"]


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED", "AWAITING_UPLOAD"])
def test_a_job_that_is_not_in_work_gets_no_preview(draw, add_job, keys, status):
    add_job(status)
    with pytest.raises(JobNotFound):
        draw(astronaut())
    assert keys() == {UPLOAD}


def test_a_photo_that_is_gone(event, context, s3, add_job):
    add_job("PROCESSING")
    with pytest.raises(UploadReplaced):
        handler(event("draw_preview"), context)


def test_a_damaged_photo(draw, add_job):
    add_job("PROCESSING")
    with pytest.raises(CorruptImage):
        draw(b"")


def test_no_preview_is_drawn_for_which_no_money_is_left(draw, add_job, keys, monkeypatch):
    monkeypatch.setenv("DOLLARS_A_DAY_PER_CLIENT", "0.0001")
    add_job("PROCESSING", client="alice")
    with pytest.raises(BudgetSpent):
        draw(astronaut())
    assert keys() == {UPLOAD}
