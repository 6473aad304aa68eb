"""Single calls of Rekognition's detector, to a stand-in that speaks the service's protocol."""

from __future__ import annotations

import itertools
import struct
from io import BytesIO
from types import SimpleNamespace

import numpy as np
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    IncompleteReadError,
    ReadTimeoutError,
)
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from faceblur.detectors import rekognition
from faceblur.detectors.base import Answer, DetectionPass, StoredPhoto
from faceblur.detectors.warnings import WarningCode
from faceblur.errors import (
    CorruptImage,
    DetectorThrottled,
    DetectorUnavailable,
    PhotoTooExpensive,
)
from faceblur.geometry import Box
from tests.support.bad_files.png import chunk, png_with
from tests.support.pictures.photos import ORIENTATIONS, astronaut, encoded, flower
from tests.support.standins.paid import Paid
from tests.support.standins.rekognition import BROKEN, OVER_PROVISION, SILENCE, THROTTLED, Refusal, Rekognition, face
from tests.support.standins.squares import (
    BYTES_LIMIT,
    CROWDED,
    IN_S3,
    Service,
    close,
    detect,
    found_squares,
    grey,
    laid,
    marked,
    noise,
    search,
    squares,
)

pytestmark = pytest.mark.enable_socket


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
    paid = Paid()
    found = detect(astronaut(), paid=paid)
    assert (len(found.boxes), found.calls, paid.made) == (1, 1, 1)
    assert [list(image) for image in service.images] == [["S3Object"], ["Bytes"]]


def test_a_conversion_that_the_service_refuses_fails(service):
    service.default = Refusal("InvalidImageFormatException")
    with pytest.raises(ClientError, match="InvalidImageFormatException"):
        detect(astronaut())


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("detection_pass", DetectionPass)
def test_boxes_are_those_of_the_upright_photo(service, orientation, format_, detection_pass):
    size, markers = (600, 400), ((90, 60, 80),)
    data = laid(orientation, markers, size, format_)
    service.default = Service(data)
    assert close(found_squares(detect(data, detection_pass=detection_pass), size), markers, tolerance=3)


def test_a_damaged_photo_is_an_error_and_never_one_without_faces(service):
    with pytest.raises(CorruptImage):
        detect(b"\xff\xd8\xff\xe0 and no more")
    assert service.images == []


# ------------------------------------------------------------------------------ the limits


def test_a_full_answer_about_the_smallest_part_is_a_warning(service):
    service.default = CROWDED
    searched = rekognition.Search(
        StoredPhoto(grey(200, 100), "photos", "uploads/1"), DetectionPass.FIRST, Paid(), {}, rekognition.FACES
    )
    searched.survey()
    assert searched.calls < 30
    assert searched.warnings == {WarningCode.ANSWER_CAPPED}


def test_faces_as_small_as_can_be_are_a_warning(service):
    service.default = [face(0.5, 0.5, 0.03, 0.04)]
    found = detect(grey(500, 400))
    assert WarningCode.NEAR_SIZE_LIMIT in found.warnings


def test_a_check_sees_the_photo_in_a_mirror(service):
    markers = [(100, 100, 90)]
    found, _ = search(service, marked((640, 480), markers), detection_pass=DetectionPass.CHECK)
    assert close(found_squares(found, (640, 480)), markers, tolerance=4)
    (image,) = service.images
    shown = Image.open(BytesIO(image["Bytes"]))
    (square,) = squares(shown)
    assert square[2] / shown.width == pytest.approx(1 - 100 / 640, abs=0.01)


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
    assert len(service.images) == 3


def test_a_passing_fault_is_overcome(service):
    service.replies += [THROTTLED, BROKEN]
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
        detect(noise(3000, 2250))


def test_a_check_decodes_the_draft_once(service, monkeypatch):
    decoded, decode_ = [], rekognition.decode.load_for_detection
    monkeypatch.setattr(rekognition.decode, "load_for_detection", lambda *given: decoded.append(1) or decode_(*given))
    detect(astronaut(), detection_pass=DetectionPass.CHECK)
    assert len(decoded) == 1


# ------------------------------------------------------------------------------ a job's share of calls


def test_a_photo_of_a_hundred_megapixels_fits_a_job():
    """In one call, it shows no face below 370 pixels."""
    area = rekognition.Rectangle(0, 0, 10_000, 10_000)
    tiles, limit = rekognition.tiling(area, 370, 555, 19)
    assert len(tiles) == 18
    assert limit == pytest.approx(rekognition.ALWAYS_FOUND)


@given(
    size=st.tuples(st.integers(100, 65_535), st.integers(100, 65_535)).filter(lambda size: size[0] * size[1] <= 10**8),
    allowed=st.integers(0, 99),
)
@example(size=(310, 15732), allowed=7)  # in fractions, the last tile ended a pixel beyond the photo
def test_tiles_show_all_of_an_area_and_each_place_with_what_is_around_it(size, allowed):
    area = rekognition.Rectangle(0, 0, *size)
    limit = rekognition.SMALLEST_FACE / min(1920 / max(size), 1080 / min(size))
    overlap = min(round(limit * 1.5), *size)
    tiles, reached = rekognition.tiling(area, limit, overlap, allowed)
    assert len(tiles) <= allowed
    if not tiles:
        assert reached == limit
        return
    assert rekognition.TILE_LIMIT <= reached < limit
    for tile in tiles:
        assert tile.clip(size) == tile
        assert rekognition.SMALLEST_FACE / min(1920 / max(tile.size), 1080 / min(tile.size)) <= reached * 1.01
    for side in (0, 1):
        edges = sorted({(tile[side], tile[side + 2]) for tile in tiles})
        assert (edges[0][0], edges[-1][1]) == (0, size[side])
        assert all(end - start >= overlap for (_, end), (start, _) in itertools.pairwise(edges))


def test_without_any_call_left_there_is_no_answer(service):
    with pytest.raises(PhotoTooExpensive):
        detect(astronaut(), paid=Paid(0))
    assert service.images == []


def test_full_answers_are_asked_about_first(service):
    """The third of nine calls suffices for one area's quarters: those of the one whose answer is full."""
    area = rekognition.Rectangle(0, 0, 1000, 1000)
    other = rekognition.Rectangle(1000, 0, 2000, 1000)
    photo = StoredPhoto(grey(2000, 1000), "", "")
    searched = rekognition.Search(photo, DetectionPass.FIRST, Paid(12), {}, rekognition.FACES)
    small = [Box(0.5, 0.5, 0.04, 0.04, 99)]
    full = [Box(0.1 * column, 0.1 * row, 0.05, 0.05, 99) for row in range(10) for column in range(10)]
    parts = searched.next_level([other, area], [Answer(small, is_full=False), Answer(full, is_full=True)])
    assert len(parts) == 4
    assert max(part.right for part in parts) <= 1000
    assert searched.warnings == {WarningCode.NEAR_SIZE_LIMIT}


# ------------------------------------------------------------------------------ what is billed


def test_a_call_that_the_service_refuses_costs_nothing(service):
    paid = Paid(60)
    service.default = Refusal("AccessDeniedException")
    with pytest.raises(ClientError):
        detect(astronaut(), paid=paid)
    assert (paid.made, paid.answers) == (0, {})


def test_a_call_to_which_the_answer_is_lost_may_have_been_billed(service):
    paid = Paid(60)
    service.default = SILENCE
    with pytest.raises(DetectorUnavailable):
        detect(astronaut(), paid=paid)
    assert paid.made == 1


@pytest.mark.parametrize(
    ("error", "billed"),
    [
        (ReadTimeoutError(endpoint_url=""), True),
        (ConnectionClosedError(endpoint_url=""), True),
        (IncompleteReadError(actual_bytes=1, expected_bytes=2), True),
        (ConnectTimeoutError(endpoint_url=""), False),
        (EndpointConnectionError(endpoint_url=""), False),
        (ClientError({"Error": {"Code": "x"}, "ResponseMetadata": {"HTTPStatusCode": 503}}, "DetectFaces"), False),
        (ClientError({"Error": {"Code": "x"}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "DetectFaces"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_call_is_billed_unless_the_service_refused_it_or_was_not_reached(monkeypatch, error, billed):
    def fails(**_):
        raise error

    monkeypatch.setattr(rekognition, "client", lambda: SimpleNamespace(detect_faces=fails))
    paid = Paid(60)
    with pytest.raises((DetectorUnavailable, ClientError)):
        detect(astronaut(), paid=paid)
    assert paid.made == billed
