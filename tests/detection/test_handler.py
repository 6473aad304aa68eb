"""The function that detects, with the real networks."""

from __future__ import annotations

import pytest

from detect.app import handler
from faceblur.errors import CorruptImage, PhotoTooExpensive
from faceblur.limits import KINDS
from tests.support.counts import faces
from tests.support.pictures.photos import astronaut, without_its_end
from tests.support.pictures.plates import street_with_plate
from tests.unit.conftest import BUCKET, JOB_ID


@pytest.fixture
def look(event, context, s3, add_job, networks):
    """Look for these kinds in a photo, with the real detector."""
    add_job("PROCESSING")

    def call(photo, **options):
        s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=photo)
        asked = event("detect")
        return handler(asked | {"options": asked["options"] | options}, context)

    return call


@pytest.mark.parametrize("kinds", [["face"], ["plate"], ["text"], list(KINDS)])
def test_missing_pixels_are_told_whatever_the_job_hides(look, kinds):
    photo, _ = street_with_plate(0)
    cut = without_its_end(photo)
    with pytest.raises(CorruptImage):
        look(cut, kinds=kinds)
    assert "TruncatedPhoto" in look(cut, kinds=kinds, on_truncated="complete")["warnings"]
    assert "TruncatedPhoto" not in look(photo, kinds=kinds)["warnings"]


@pytest.fixture
def ask_again(event, context, s3, add_job):
    """Look for faces in the photo of a job that has made all its calls, with the real detectors."""
    add_job("PROCESSING", paid_calls=60)
    s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=astronaut())

    def call(**options):
        asked = event("detect")
        return handler(asked | {"options": asked["options"] | options}, context)

    return call


@pytest.mark.parametrize("detector_name", ["rekognition", "both"])
def test_a_job_over_its_share_of_calls_fails(ask_again, detector_name, monkeypatch, networks):
    monkeypatch.setenv("FACE_DETECTOR", detector_name)
    with pytest.raises(PhotoTooExpensive):
        ask_again()


def test_with_both_detectors_it_goes_on_with_the_free_one_if_it_may(ask_again, monkeypatch, networks):
    monkeypatch.setenv("FACE_DETECTOR", "both")
    found = ask_again(require_all_detectors=False)
    assert found["warnings"] == ["OneDetectorOnly"]
    assert (found["stage"]["detector"], found["stage"]["found"], found["stage"]["calls"]) == ("embedded", faces(1), 0)
