from __future__ import annotations

import base64
import json
from hashlib import sha256
from io import BytesIO

import pytest
from PIL import Image, ImageChops

from blur_faces.app import handler
from faceblur.errors import CorruptImage, JobNotFound, UploadReplaced

JOB_ID = "0f8fad5bd9cb469fa16570867728950e"
BUCKET = "faceblur-photos-123456789012-eu-central-1"
FACE = {"left": 0.25, "top": 0.25, "width": 0.25, "height": 0.25, "confidence": 99.0, "found_by": "embedded"}
OTHER = {"left": 0.7, "top": 0.7, "width": 0.2, "height": 0.2, "confidence": 60.0, "found_by": "rekognition"}


def picture() -> Image.Image:
    """Noise of 160 × 120 pixels, none of them black: whatever hides a part of it changes nearly every pixel."""
    return Image.effect_noise((160, 120), 30).convert("RGB")


def png(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


PHOTO = png(picture())


@pytest.fixture
def blur(event, context, s3, add_job):
    """Hide faces of the uploaded photo of a job in work."""
    add_job("PROCESSING")
    etag = s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=PHOTO)["ETag"]

    def call(options=None, **changes):
        asked = event("blur_faces") | {"etag": etag.strip('"'), "faces": [FACE]} | changes
        return handler(asked | {"options": asked["options"] | (options or {})}, context)

    return call


@pytest.fixture
def stored(s3):
    """The stored picture."""

    def read(draft):
        return Image.open(s3.get_object(Bucket=BUCKET, Key=draft["result"]["key"], IfMatch=draft["etag"])["Body"])

    return read


def changed(image: Image.Image, face: dict[str, float]) -> float:
    """Which share of a face's pixels differs from the photo."""
    box = tuple(
        round(fraction * size)
        for fraction, size in (
            (face["left"], 160),
            (face["top"], 120),
            (face["left"] + face["width"], 160),
            (face["top"] + face["height"], 120),
        )
    )
    difference = ImageChops.difference(image.convert("RGB"), Image.open(BytesIO(PHOTO))).convert("L").crop(box)
    pixels = difference.tobytes()
    return sum(value > 0 for value in pixels) / len(pixels)


def test_the_draft_and_how_it_is_described(blur, stored, s3, keys):
    draft = blur()
    written = s3.get_object(Bucket=BUCKET, Key=draft["result"]["key"])["Body"].read()
    key = f"results/{JOB_ID}.{sha256(written).hexdigest()[:16]}.png"
    assert draft["stage"].pop("milliseconds") > 0
    assert draft == {
        "faces": 1,
        "input": {"sha256": sha256(PHOTO).hexdigest(), "bytes": len(PHOTO)},
        "output": {"sha256": sha256(written).hexdigest(), "bytes": len(written)},
        "result": {
            "key": key,
            "content_type": "image/png",
            "bytes": len(written),
            "width": 160,
            "height": 120,
            "stripped": [],
        },
        "etag": draft["etag"],
        "stage": {"name": "blur", "memory_mb": 512},
    }
    assert json.loads(json.dumps(draft)) == draft
    assert keys() == {f"uploads/{JOB_ID}", key}


def test_the_face_is_hidden_and_the_rest_is_not(blur, stored):
    image = stored(blur())
    assert changed(image, FACE) > 0.95
    assert changed(image, OTHER) == 0


def test_no_face_leaves_the_picture_as_it_is(blur, stored):
    draft = blur(faces=[])
    assert draft["faces"] == 0
    assert changed(stored(draft), FACE) == 0


def test_a_missed_face_is_hidden_too_and_counted(blur, stored):
    draft = blur(missed=[OTHER])
    assert draft["faces"] == 2
    assert changed(stored(draft), OTHER) > 0.95


def test_a_face_that_still_showed_is_covered_in_solid_black(blur, stored):
    draft = blur(missed=[FACE])
    assert draft["faces"] == 1
    assert stored(draft).convert("RGB").getpixel((60, 45)) == (0, 0, 0)


def test_the_solid_style_has_the_colour_that_was_asked_for(blur, stored):
    image = stored(blur(options={"style": "solid", "colour": "#12aB9f"})).convert("RGB")
    assert image.getpixel((60, 45)) == (0x12, 0xAB, 0x9F)


def test_a_face_that_still_showed_is_covered_in_the_colour_too(blur, stored):
    image = stored(blur(missed=[FACE], options={"colour": "#12aB9f"})).convert("RGB")
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
    assert draft["result"]["key"] == f"results/{JOB_ID}.{draft['output']['sha256'][:16]}.{extension}"
    assert draft["result"]["content_type"] == content_type
    assert stored(draft).get_format_mimetype() == content_type


def test_a_photo_that_cannot_be_read_gets_no_draft(blur, s3, keys):
    etag = s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=PHOTO[: len(PHOTO) // 2])["ETag"]
    with pytest.raises(CorruptImage):
        blur(etag=etag)
    assert keys() == {f"uploads/{JOB_ID}"}


def test_a_replaced_photo_gets_no_draft(blur, s3, keys):
    s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=png(picture()))
    with pytest.raises(UploadReplaced):
        blur()
    assert keys() == {f"uploads/{JOB_ID}"}


def test_a_deleted_job_gets_no_draft(blur, table, keys):
    table.delete_item(Key={"job_id": JOB_ID})
    with pytest.raises(JobNotFound):
        blur()
    assert keys() == {f"uploads/{JOB_ID}"}


def test_time_and_bytes_are_measured(blur, output):
    draft = blur()
    values = {name: line[name] for line in output.metrics for name in line if name.startswith("Stage")}
    assert values.pop("StageMilliseconds") == draft["stage"]["milliseconds"] > 0
    assert values == {"StageBytes": len(PHOTO)}
    assert {line["stage"] for line in output.metrics} == {"blur"}


def test_the_log_is_about_the_job_and_holds_nothing_of_the_photo(blur, output):
    draft = blur()
    (line,) = output.logs
    assert line["correlation_id"] == JOB_ID
    assert (line["message"], line["faces"], line["bytes"]) == ("hid faces", 1, draft["result"]["bytes"])
    assert base64.b64encode(PHOTO).decode()[:200] not in output.text
    assert "PNG" not in output.text
