"""The Rekognition detector against a stand-in that speaks its protocol and knows its limits."""

from __future__ import annotations

import struct
from io import BytesIO

import numpy as np
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageOps

from faceblur.detectors import rekognition
from faceblur.detectors.base import DetectionPass, StoredPhoto
from faceblur.detectors.rekognition import RekognitionDetector
from faceblur.detectors.warnings import WarningCode
from faceblur.errors import CorruptImage, DetectorThrottled, DetectorUnavailable
from faceblur.geometry import Box
from tests.support.bad_files.png import chunk, png_with
from tests.support.pictures.photos import astronaut, encoded, flower, jpeg
from tests.support.standins.rekognition import BROKEN, OVER_PROVISION, SILENCE, THROTTLED, Refusal, Rekognition, face

pytestmark = pytest.mark.enable_socket

IN_S3 = {"S3Object": {"Bucket": "photos", "Name": "uploads/1"}}
BYTES_LIMIT = 5 * 1024 * 1024
UPRIGHT = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.fixture(scope="module")
def server():
    with Rekognition() as server:
        yield server


@pytest.fixture
def service(server, monkeypatch):
    server.reset()
    monkeypatch.setenv("AWS_ENDPOINT_URL_REKOGNITION", server.url)
    rekognition.client.cache_clear()
    yield server
    rekognition.client().close()
    rekognition.client.cache_clear()


def detect(data: bytes, min_confidence: float = 50, detection_pass: DetectionPass = DetectionPass.FIRST):
    photo = StoredPhoto(data, IN_S3["S3Object"]["Bucket"], IN_S3["S3Object"]["Name"])
    return RekognitionDetector().detect(photo, min_confidence, detection_pass)


def exif(orientation: int, *, greedy: bool = False, beneath: bool = False) -> bytes:
    """EXIF that says this, whose tags claim many times its size, in its first directory or `beneath` it."""
    claims = b"".join(struct.pack(">HHII", 0x9000 + tag, 7, 1_000, 8) for tag in range(20))
    first = struct.pack(">HHIHxx", 0x0112, 3, 1, orientation)
    if greedy:
        first += claims
    if beneath:
        first += struct.pack(">HHII", 0x8769, 4, 1, 8 + 2 + 24 + 4)
    directories = struct.pack(">H", len(first) // 12) + first + bytes(4) + struct.pack(">H", 20) + claims
    return b"Exif\0\0MM\0*\0\0\0\x08" + directories.ljust(1_100, b"\0")


def jpeg_with_segments(*blocks: bytes) -> bytes:
    """A grey JPEG with these blocks of EXIF."""
    photo = grey(640, 480)
    segments = b"".join(b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block for block in blocks)
    return photo[:2] + segments + photo[2:]


def grey(width: int, height: int, format_: str = "JPEG", **options) -> bytes:
    return encoded(Image.new("RGB", (width, height), "grey"), format_, **options)


def marked(size, markers) -> Image.Image:
    """A grey picture with magenta squares for faces: left, top, side."""
    picture = Image.new("RGB", size, "grey")
    draw = ImageDraw.Draw(picture)
    for left, top, side in markers:
        draw.rectangle((left, top, left + side - 1, top + side - 1), fill="magenta")
    return picture


class Service:
    """Sees the magenta squares in what it is sent, within the limits of the real service."""

    def __init__(self, stored: bytes) -> None:
        self.stored = stored
        self.sizes = []

    def __call__(self, image):
        data = image.get("Bytes", self.stored)
        assert len(image.get("Bytes", b"")) <= BYTES_LIMIT
        picture = ImageOps.exif_transpose(Image.open(BytesIO(data)))
        assert picture.format is None or picture.format in ("JPEG", "PNG")
        assert min(picture.size) >= 80
        self.sizes.append(picture.size)
        limit = 40 * max(1, max(picture.size) / 1920, min(picture.size) / 1080)
        faces = [box for box in squares(picture) if min(box[2] - box[0], box[3] - box[1]) >= limit - 1]
        faces.sort(key=lambda box: -(box[2] - box[0]))
        width, height = picture.size
        return [
            face(left / width, top / height, (right - left) / width, (bottom - top) / height)
            for left, top, right, bottom in faces[:100]
        ]


def squares(picture):
    """Bounding boxes of the connected magenta regions, by runs of rows and then of columns."""
    pixels = np.asarray(picture.convert("RGB")).astype(int)
    seen = (pixels[..., 0] > 190) & (pixels[..., 2] > 190) & (pixels[..., 1] < 65)
    found = []
    for top, bottom in runs(seen.any(axis=1)):
        for left, right in runs(seen[top:bottom].any(axis=0)):
            rows = runs(seen[top:bottom, left:right].any(axis=1))
            found += [(left, top + first, right, top + last) for first, last in rows]
    return found


def runs(flags):
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def search(service, picture, **options):
    """Detect the squares of a picture that is stored as a JPEG; gives the detection and what was asked."""
    stored = jpeg(picture, quality=95, subsampling=0)
    service.default = Service(stored)
    return detect(stored, **options), service.default


def found_squares(detection, size):
    return sorted(
        (round(box.left * size[0]), round(box.top * size[1]), round(box.width * size[0])) for box in detection.boxes
    )


def close(found, expected, tolerance):
    return len(found) == len(expected) and all(
        max(abs(one - other) for one, other in zip(*pair, strict=True)) <= tolerance
        for pair in zip(found, sorted(expected), strict=True)
    )


# ------------------------------------------------------------------------------ one call


def test_a_jpeg_is_read_where_it_lies(service):
    service.default = [face(0.2, 0.3, 0.15, 0.2, 99.5), face(0.5, 0.5, 0.2, 0.2, 99.9)]
    found = detect(astronaut())
    assert service.images == [IN_S3]
    assert [box.to_dict() for box in found.boxes] == [
        Box(0.5, 0.5, 0.2, 0.2, 99.9, "rekognition").to_dict(),
        Box(0.2, 0.3, 0.15, 0.2, 99.5, "rekognition").to_dict(),
    ]
    assert (found.detector, found.version, found.calls, found.warnings) == (
        "rekognition",
        "DetectFaces-2016-06-27",
        1,
        [],
    )


def test_so_is_an_upright_png(service):
    detect(grey(640, 480, "PNG"))
    assert service.images == [IN_S3]


def test_a_jpeg_that_lies_on_its_side_is_turned_by_the_service(service):
    service.default = [face(0.25, 0.5, 0.5, 0.25)]
    assert detect(grey(640, 480, exif=exif(6))).boxes[0].left == 0.25
    assert service.images == [IN_S3]


def test_no_face(service):
    found = detect(flower())
    assert (found.boxes, found.calls) == ([], 1)


def test_boxes_that_reach_outside_the_photo_are_clamped(service):
    service.default = [face(-0.1, 0.9, 0.3, 0.3)]
    (box,) = detect(astronaut()).boxes
    assert (box.left, box.bottom) == (0, 1)
    assert box.width == pytest.approx(0.2)


def test_faces_below_the_confidence_are_left_out(service):
    service.default = [face(0.2, 0.3, 0.2, 0.2, 79), face(0.5, 0.5, 0.2, 0.2, 81)]
    assert [box.confidence for box in detect(astronaut(), min_confidence=80).boxes] == [81]


# ------------------------------------------------------------------------------ what has to be converted


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (grey(640, 480, "WEBP"), "not a format it takes"),
        (grey(640, 480, "TIFF"), "not a format it takes"),
        (grey(60, 200), "too narrow"),
        (
            grey(
                640,
                480,
                "PNG",
                exif=b"MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00",
            ),
            "lies on its side",
        ),
        (png_with(chunk(b"cICP", b"\x09\x10\0\1"), photo=grey(640, 480, "PNG")), "high dynamic range"),
        (encoded(Image.new("RGBA", (640, 480), "#8080807f"), "PNG"), "transparent"),
        (grey(640, 480, exif=exif(7, greedy=True)), "EXIF that is not trusted"),
        (grey(640, 480, exif=exif(6, beneath=True)), "EXIF that is not trusted beneath its first directory"),
        (grey(640, 480, exif=exif(9)), "an orientation that does not exist"),
        (grey(640, 480, exif=b"Exif\0\0 no tags"), "EXIF that cannot be read"),
        (jpeg_with_segments(exif(1), exif(6)), "two blocks of EXIF"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_photos_are_converted(service, data, why):
    service.default = Service(data)
    assert detect(data).calls == 1
    (image,) = service.images
    assert Image.open(BytesIO(image["Bytes"])).format == "JPEG"


def test_a_file_too_large_for_the_service_is_converted(service, monkeypatch):
    noise = np.random.default_rng(0).integers(0, 256, (2200, 2400, 3), np.uint8)
    data = encoded(Image.fromarray(noise), "PNG", compress_level=0)
    assert len(data) > rekognition.MAX_OBJECT_BYTES
    service.default = Service(data)
    detect(data)
    assert all(len(image["Bytes"]) <= BYTES_LIMIT for image in service.images)


@pytest.mark.parametrize("code", ["InvalidImageFormatException", "ImageTooLargeException"])
def test_a_file_that_the_service_refuses_is_converted(service, code):
    service.replies.append(Refusal(code))
    service.default = [face(0.2, 0.3, 0.2, 0.2)]
    found = detect(astronaut())
    assert (len(found.boxes), found.calls) == (1, 2)
    assert [list(image) for image in service.images] == [["S3Object"], ["Bytes"]]


def test_a_conversion_that_the_service_refuses_fails(service):
    service.default = Refusal("InvalidImageFormatException")
    with pytest.raises(ClientError, match="InvalidImageFormatException"):
        detect(astronaut())


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("detection_pass", DetectionPass)
def test_boxes_are_those_of_the_upright_photo(service, orientation, format_, detection_pass):
    upright = marked((600, 400), [(90, 60, 80)])
    laid = upright if orientation == 1 else upright.transpose(UPRIGHT[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(laid, format_, quality=95, exif=exif)
    service.default = Service(data)
    assert close(found_squares(detect(data, detection_pass=detection_pass), upright.size), [(90, 60, 80)], tolerance=3)


def test_a_damaged_photo_is_an_error_and_never_one_without_faces(service):
    with pytest.raises(CorruptImage):
        detect(b"\xff\xd8\xff\xe0 and no more")
    assert service.images == []


# ------------------------------------------------------------------------------ the limits


def test_a_large_photo_is_searched_in_quarters(service):
    size = (4000, 3000)
    markers = [(100, 100, 95), (1970, 1470, 95), (3800, 2000, 98), (500, 1900, 900)]
    found, asked = search(service, marked(size, markers))
    assert close(found_squares(found, size), markers, tolerance=6)
    assert found.calls == 5
    assert max(max(each) for each in asked.sizes[1:]) <= 1920


def test_a_photo_with_large_faces_alone_takes_one_call(service):
    found, _ = search(service, marked((1920, 1080), [(300, 300, 200), (900, 500, 120)]))
    assert (len(found.boxes), found.calls, found.warnings) == (2, 1, [])


def test_smaller_faces_are_searched_where_small_ones_are(service):
    size = (1920, 1080)
    markers = [(100, 100, 45), (200, 110, 28), (300, 120, 22), (1500, 800, 200)]
    found, _ = search(service, marked(size, markers))
    assert close(found_squares(found, size), markers, tolerance=4)
    assert 5 <= found.calls <= 17


def test_the_hundredth_face_is_not_the_last(service):
    size = (1600, 1000)
    markers = [(60 + 75 * column, 50 + 75 * row, 62) for row in range(12) for column in range(20)]
    found, _ = search(service, marked(size, markers))
    assert close(found_squares(found, size), markers, tolerance=4)
    assert found.warnings == []


def test_a_full_answer_about_the_smallest_part_is_a_warning(service):
    service.default = [face(0.1 * column, 0.1 * row, 0.05, 0.05) for row in range(10) for column in range(10)]
    searched = rekognition.Search(StoredPhoto(grey(200, 100), "photos", "uploads/1"), DetectionPass.FIRST)
    searched.boxes()
    assert searched.calls < 30
    assert searched.warnings == {WarningCode.ANSWER_CAPPED}


def test_calls_have_a_limit(service):
    service.default = [face(0.1 * column, 0.1 * row, 0.05, 0.05) for row in range(10) for column in range(10)]
    searched = rekognition.Search(StoredPhoto(grey(8000, 6000), "photos", "uploads/1"), DetectionPass.FIRST)
    searched.boxes()
    assert 90 < searched.calls <= rekognition.MAX_CALLS
    assert WarningCode.ANSWER_CAPPED in searched.warnings


def test_faces_as_small_as_can_be_are_a_warning(service):
    service.default = [face(0.5, 0.5, 0.03, 0.04)]
    found = detect(grey(500, 400))
    assert WarningCode.FACES_NEAR_SIZE_LIMIT in found.warnings


def test_a_check_sees_the_photo_in_a_mirror(service):
    markers = [(100, 100, 90)]
    found, _ = search(service, marked((640, 480), markers), detection_pass=DetectionPass.CHECK)
    assert close(found_squares(found, (640, 480)), markers, tolerance=4)
    (image,) = service.images
    shown = Image.open(BytesIO(image["Bytes"]))
    (square,) = squares(shown)
    assert square[2] / shown.width == pytest.approx(1 - 100 / 640, abs=0.01)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    boxes=st.lists(st.tuples(*[st.floats(-0.2, 1.0)] * 2, *[st.floats(0.01, 0.6)] * 2), max_size=5),
    size=st.tuples(st.integers(20, 4000), st.integers(20, 3000)),  # no strip: of at most MAX_RATIO
    detection_pass=st.sampled_from(list(DetectionPass)),
    orientation=st.sampled_from(list(UPRIGHT)),
)
def test_boxes_lie_within_the_upright_frame(service, boxes, size, detection_pass, orientation):
    service.reset()
    service.default = [face(*box) for box in boxes if box[0] + box[2] > 0.01 and box[1] + box[3] > 0.01]
    exif = Image.Exif()
    exif[0x0112] = orientation
    for box in detect(encoded(Image.new("L", size), "PNG", exif=exif), detection_pass=detection_pass).boxes:
        assert 0 <= box.left <= box.right <= 1 + 1e-9
        assert 0 <= box.top <= box.bottom <= 1 + 1e-9


# ------------------------------------------------------------------------------ when the service does not answer


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (THROTTLED, DetectorThrottled),
        (OVER_PROVISION, DetectorThrottled),
        (BROKEN, DetectorUnavailable),
        (Refusal("ServiceUnavailable", 503), DetectorUnavailable),
        (SILENCE, DetectorUnavailable),
    ],
    ids=str,
)
def test_what_is_worth_another_try(service, reply, error):
    service.default = reply
    with pytest.raises(error):
        detect(astronaut())
    assert len(service.images) == 2


def test_a_passing_fault_is_overcome(service):
    service.replies.append(THROTTLED)
    service.default = [face(0.2, 0.3, 0.2, 0.2)]
    assert len(detect(astronaut()).boxes) == 1


def test_nobody_listens(service, monkeypatch):
    with Rekognition() as gone:
        monkeypatch.setenv("AWS_ENDPOINT_URL_REKOGNITION", gone.url)
    with pytest.raises(DetectorUnavailable):
        detect(astronaut())


@pytest.mark.parametrize("code", ["AccessDeniedException", "InvalidS3ObjectException", "InvalidParameterException"])
def test_any_other_refusal_is_raised_as_it_is(service, code):
    service.default = Refusal(code)
    with pytest.raises(ClientError, match=code):
        detect(astronaut())


def test_a_fault_in_the_middle_is_no_answer(service):
    service.replies += [[], [face(0.2, 0.3, 0.2, 0.2)]]
    service.default = BROKEN
    with pytest.raises(DetectorUnavailable):
        detect(grey(4000, 3000))


def test_a_check_decodes_the_draft_once(service, monkeypatch):
    decoded, decode_ = [], rekognition.decode.load_for_detection
    monkeypatch.setattr(rekognition.decode, "load_for_detection", lambda *given: decoded.append(1) or decode_(*given))
    detect(astronaut(), detection_pass=DetectionPass.CHECK)
    assert len(decoded) == 1
