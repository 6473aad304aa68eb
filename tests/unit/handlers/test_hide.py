from __future__ import annotations

import base64
import json
from io import BytesIO
from types import SimpleNamespace

import pytest
from PIL import Image, ImageChops

from faceblur import observability, prices
from faceblur.errors import BudgetSpent, CorruptImage, JobNotFound, UploadReplaced
from faceblur.geometry import Box
from faceblur.jobs.boxes import FoundBox, FoundBoxes
from faceblur.jobs.storage import digest, photos
from faceblur.observability import digest_of_id
from hide.app import handler
from tests.support.counts import faces
from tests.support.pictures.photos import encoded

JOB_ID = "0f8fad5bd9cb469fa16570867728950e"
BUCKET = "faceblur-photos-123456789012-eu-central-1"
FACE = Box(0.25, 0.25, 0.25, 0.25, 99.0, "embedded")
OTHER = Box(0.7, 0.7, 0.2, 0.2, 60.0, "rekognition")


def picture() -> Image.Image:
    """Noise of 160 × 120 pixels, none of them black: whatever hides a part of it changes nearly every pixel."""
    return Image.effect_noise((160, 120), 30).convert("RGB")


def png(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


PHOTO = png(picture())


@pytest.fixture
def blur(event, context, s3, add_job, store):
    """Hide faces of the uploaded photo of a job in work: FACE, unless boxes and their rounds are given."""
    add_job("PROCESSING")
    s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=PHOTO)

    def call(options=None, found=((FACE, 0),), photo=PHOTO, **changes):
        asked = event("hide") | {"boxes": store(*found, photo=photo)} | changes
        return handler(asked | {"options": asked["options"] | (options or {})}, context)

    return call


@pytest.fixture
def stored(s3):
    """The stored picture."""

    def read(draft):
        return Image.open(s3.get_object(Bucket=BUCKET, Key=draft["draft"]["key"])["Body"])

    return read


def made(keys) -> set[str]:
    """The keys of what was made of the photo."""
    return {key for key in keys() if key.startswith("results/")}


def changed(image: Image.Image, face: Box) -> float:
    """Which share of a face's pixels differs from the photo."""
    box = round(face.left * 160), round(face.top * 120), round(face.right * 160), round(face.bottom * 120)
    difference = ImageChops.difference(image.convert("RGB"), Image.open(BytesIO(PHOTO))).convert("L").crop(box)
    pixels = difference.tobytes()
    return sum(value > 0 for value in pixels) / len(pixels)


def test_the_draft_and_how_it_is_described(blur, stored, s3, keys):
    draft = blur()
    written = s3.get_object(Bucket=BUCKET, Key=draft["draft"]["key"])["Body"].read()
    key = draft["draft"]["key"]
    assert draft["stage"].pop("milliseconds") > 0
    assert draft == {
        "draft": {
            "key": key,
            "content_type": "image/png",
            "bytes": len(written),
            "width": 160,
            "height": 120,
            "stripped": [],
            "kept_metadata": [],
        },
        "stage": {"name": "hide", "round": 0, "memory_mb": 512},
    }
    assert json.loads(json.dumps(draft)) == draft
    assert made(keys) == {key}


def test_metadata_that_the_job_asks_for_is_kept(blur, stored, s3):
    exif = Image.Exif()
    exif[315], exif[271] = b"Jane Doe", b"Maker"
    photo = encoded(Image.open(BytesIO(PHOTO)), "PNG", exif=exif.tobytes())
    s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=photo)
    boxes = {"key": photos().write_boxes(JOB_ID, FoundBoxes(digest(photo), []).to_dict()), "count": 0}
    draft = blur(boxes=boxes, options={"keep_metadata": ["credit", "time"]})
    assert (draft["draft"]["kept_metadata"], draft["draft"]["stripped"]) == (["credit"], ["EXIF"])
    assert stored(draft).getexif()[315] == "Jane Doe"


def test_the_face_is_hidden_and_the_rest_is_not(blur, stored):
    image = stored(blur())
    assert changed(image, FACE) > 0.95
    assert changed(image, OTHER) == 0


def test_no_face_leaves_the_picture_as_it_is(blur, stored):
    assert changed(stored(blur(found=())), FACE) == 0


def test_a_face_that_only_a_check_found_is_hidden_in_the_same_style(blur, stored):
    found = ((FACE, 0), (OTHER, 2))
    draft = blur(found=found, stage="hide_missed", round=2, options={"style": "solid", "colour": "#12aB9f"})
    image = stored(draft).convert("RGB")
    assert image.getpixel((60, 45)) == image.getpixel((128, 96)) == (0x12, 0xAB, 0x9F)
    assert (draft["stage"]["name"], draft["stage"]["round"]) == ("hide_missed", 2)


def test_a_face_that_is_kept_is_unchanged_to_the_bit_and_a_drawn_box_has_its_own_style(blur, stored):
    drawn = FoundBox(Box(0.1, 0.7, 0.1, 0.1, 100, "person", turned=True), 0, style={"style": "solid", "shape": "box"})
    boxes = FoundBoxes(digest(PHOTO), [FoundBox(FACE, 0, hidden=False), drawn])
    image = stored(blur(boxes={"key": photos().write_boxes(JOB_ID, boxes.to_dict()), "count": 1}))
    assert changed(image, FACE) == 0
    assert image.getpixel((24, 90)) == (0, 0, 0)


def test_the_solid_style_has_the_colour_that_was_asked_for(blur, stored):
    image = stored(blur(options={"style": "solid", "colour": "#12aB9f"})).convert("RGB")
    assert image.getpixel((60, 45)) == (0x12, 0xAB, 0x9F)


@pytest.mark.parametrize("style", ["blur", "pixelate", "solid"])
@pytest.mark.parametrize("shape", ["ellipse", "box"])
def test_every_style_and_shape(blur, stored, style, shape):
    assert changed(stored(blur(options={"style": style, "shape": shape})), FACE) > 0.95


@pytest.mark.parametrize(
    ("output", "extension", "content_type"),
    [
        ("same", "png", "image/png"),
        ("png", "png", "image/png"),
        ("jpeg", "jpg", "image/jpeg"),
        ("webp", "webp", "image/webp"),
        ("avif", "avif", "image/avif"),
    ],
)
def test_the_format_that_was_asked_for(blur, stored, output, extension, content_type):
    draft = blur(options={"output": output})
    assert draft["draft"]["key"].endswith(f".{extension}")
    assert draft["draft"]["content_type"] == content_type
    assert stored(draft).get_format_mimetype() == content_type


def test_a_photo_that_cannot_be_read_gets_no_draft(blur, s3, keys):
    broken = PHOTO[:40]
    s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=broken)
    with pytest.raises(CorruptImage):
        blur(photo=broken)
    assert made(keys) == set()


def test_a_replaced_photo_gets_no_draft(blur, s3, keys):
    s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=png(picture()))
    with pytest.raises(UploadReplaced):
        blur()
    assert made(keys) == set()


def test_a_photo_that_is_gone_gets_no_draft(blur, s3, keys):
    s3.delete_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}")
    with pytest.raises(UploadReplaced):
        blur()
    assert made(keys) == set()


def test_a_deleted_job_gets_no_draft(blur, table, keys):
    table.delete_item(Key={"job_id": JOB_ID})
    with pytest.raises(JobNotFound):
        blur()
    assert made(keys) == set()


def test_a_job_that_has_ended_has_no_boxes_and_gets_no_draft(blur, keys):
    with pytest.raises(JobNotFound):
        blur(boxes={"key": f"boxes/{JOB_ID}.0123456789abcdef.json", "count": 1})
    assert made(keys) == set()


def test_time_and_bytes_are_measured(blur, output):
    draft = blur()
    values = {name: line[name] for line in output.metrics for name in line if name.startswith("Stage")}
    assert values.pop("StageMilliseconds") == draft["stage"]["milliseconds"] > 0
    assert values == {"StageBytes": len(PHOTO)}
    assert {line["stage"] for line in output.metrics} == {"hide"}


def test_a_stage_lasts_as_long_as_its_work(monkeypatch):
    """The receipt computes from it what the job cost, and the dashboard shows it."""
    seconds = iter([100.0, 101.25])
    monkeypatch.setattr(observability, "time", SimpleNamespace(perf_counter=lambda: next(seconds)))
    with observability.stage("hide", 1) as measured:
        assert measured.milliseconds == 0
    assert measured.milliseconds == 1250


def test_the_log_is_about_the_job_and_holds_nothing_of_the_photo(blur, output):
    draft = blur()
    (line,) = output.logs
    assert line["correlation_id"] == digest_of_id(JOB_ID)
    assert (line["message"], line["hidden"], line["bytes"]) == ("hid what was found", faces(1), draft["draft"]["bytes"])
    assert base64.b64encode(PHOTO).decode()[:200] not in output.text
    assert "PNG" not in output.text


# ---------------------------------------------------------------- who pays


def test_the_client_of_the_job_pays_for_the_work(blur, add_job, table, monkeypatch):
    monkeypatch.setenv("DOLLARS_A_DAY", "1")
    add_job("PROCESSING", client="alice")
    blur()
    spent = {row["job_id"].partition(" by ")[2]: int(row["spent"]) for row in table.scan()["Items"] if "spent" in row}
    # The test's clock stands still, so all that was taken for the time is given back, but not that for the start.
    start = prices.function_time(512, prices.START_MILLISECONDS)
    assert spent == {name: pytest.approx(prices.TASK + start, abs=2) for name in ("", "alice")}


def test_no_face_is_hidden_for_which_no_money_is_left(blur, keys, monkeypatch):
    monkeypatch.setenv("DOLLARS_A_DAY", "0.0001")
    with pytest.raises(BudgetSpent):
        blur()
    assert made(keys) == set()
