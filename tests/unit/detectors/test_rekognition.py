"""The Rekognition detector against a stand-in that speaks its protocol and knows its limits."""

from __future__ import annotations

import itertools
import struct
import threading
from functools import cache, lru_cache
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
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageOps

from faceblur.detectors import rekognition
from faceblur.detectors.base import Answer, DetectionPass, StoredPhoto
from faceblur.detectors.rekognition import RekognitionDetector
from faceblur.detectors.warnings import WarningCode
from faceblur.detectors.wrapped import WrappedDetector
from faceblur.errors import (
    CorruptImage,
    DetectorThrottled,
    DetectorUnavailable,
    PhotoTooExpensive,
    StorageUnavailable,
    UploadReplaced,
)
from faceblur.geometry import Box, BoxIndex
from faceblur.jobs.calls import reserved_calls
from tests.support.bad_files.png import chunk, png_with
from tests.support.pictures.photos import astronaut, encoded, flower, jpeg
from tests.support.standins.paid import Paid
from tests.support.standins.rekognition import BROKEN, OVER_PROVISION, SILENCE, THROTTLED, Refusal, Rekognition, face

pytestmark = pytest.mark.enable_socket

IN_S3 = {"S3Object": {"Bucket": "photos", "Name": "uploads/1"}}
BYTES_LIMIT = 5 * 1024 * 1024
FIRST = DetectionPass.FIRST
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


def detect(
    data: bytes, min_confidence: float = 50, detection_pass: DetectionPass = DetectionPass.FIRST, paid=None, hints=None
):
    """What the detector finds: in a survey, or with hints at those."""
    photo = StoredPhoto(data, IN_S3["S3Object"]["Bucket"], IN_S3["S3Object"]["Name"])
    detector = RekognitionDetector(paid or Paid())
    if hints is None:
        return detector.detect(photo, min_confidence, detection_pass)
    return detector.detect_at(photo, min_confidence, detection_pass, hints)


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


@cache
def noise(width: int, height: int) -> bytes:
    """A JPEG of which no two parts are the same."""
    rough = np.random.default_rng(0).integers(100, 150, (height // 50, width // 50, 3), np.uint8)
    return jpeg(Image.fromarray(rough).resize((width, height)))


def marked(size, markers) -> Image.Image:
    """A grey picture with magenta squares for faces: left, top, side."""
    picture = Image.new("RGB", size, "grey")
    draw = ImageDraw.Draw(picture)
    for left, top, side in markers:
        draw.rectangle((left, top, left + side - 1, top + side - 1), fill="magenta")
    return picture


@cache
def laid(orientation, markers, size, format_="JPEG", **options) -> bytes:
    """A file of a picture with squares that its EXIF's orientation turns upright."""
    upright = marked(size, markers)
    picture = upright if orientation == 1 else upright.transpose(UPRIGHT[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(picture, format_, quality=95, exif=exif, **options)


class Service:
    """Sees the magenta squares in what it is sent, within the limits of the real service."""

    def __init__(self, stored: bytes) -> None:
        self.stored = stored
        self.sizes = []

    def __call__(self, image):
        data = image.get("Bytes", self.stored)
        assert len(image.get("Bytes", b"")) <= BYTES_LIMIT
        size, every = seen_in(data)
        assert min(size) >= 80
        self.sizes.append(size)
        limit = 40 * max(1, max(size) / 1920, min(size) / 1080)
        faces = [box for box in every if min(box[2] - box[0], box[3] - box[1]) >= limit - 1]
        faces.sort(key=lambda box: -(box[2] - box[0]))
        width, height = size
        return [
            face(left / width, top / height, (right - left) / width, (bottom - top) / height)
            for left, top, right, bottom in faces[:100]
        ]


@lru_cache(32)
def seen_in(data):
    """The size of the upright picture in a file, and its squares. Several attempts send the same file."""
    picture = ImageOps.exif_transpose(Image.open(BytesIO(data)))
    assert picture.format is None or picture.format in ("JPEG", "PNG")
    return picture.size, squares(picture)


def squares(picture):
    """Bounding boxes of the connected magenta regions, by runs of rows and then of columns."""
    # Each colour lies together: numpy takes six times as long for every third byte.
    red, green, blue = (np.asarray(colour) for colour in picture.convert("RGB").split())
    seen = (red > 190) & (blue > 190) & (green < 65)
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
    paid = Paid()
    found = detect(astronaut(), paid=paid)
    assert (len(found.boxes), found.calls, paid.made) == (1, 1, 1)
    assert [list(image) for image in service.images] == [["S3Object"], ["Bytes"]]


def test_a_conversion_that_the_service_refuses_fails(service):
    service.default = Refusal("InvalidImageFormatException")
    with pytest.raises(ClientError, match="InvalidImageFormatException"):
        detect(astronaut())


@pytest.mark.parametrize("orientation", UPRIGHT)
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


def test_a_large_photo_is_searched_in_tiles(service):
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
    searched = rekognition.Search(
        StoredPhoto(grey(200, 100), "photos", "uploads/1"), DetectionPass.FIRST, Paid(), {}, rekognition.FACES
    )
    searched.survey()
    assert searched.calls < 30
    assert searched.warnings == {WarningCode.ANSWER_CAPPED}


def test_a_look_has_a_limit_of_calls_whatever_the_job_may_make(service, monkeypatch):
    monkeypatch.setattr(rekognition, "MAX_CALLS", 20)
    service.default = [face(0.1 * column, 0.1 * row, 0.05, 0.05) for row in range(10) for column in range(10)]
    photo = StoredPhoto(noise(3000, 2250), "photos", "uploads/1")
    searched = rekognition.Search(photo, DetectionPass.FIRST, Paid(), {}, rekognition.FACES)
    searched.survey()
    assert 16 < searched.calls <= 20
    assert WarningCode.ANSWER_CAPPED in searched.warnings


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


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    boxes=st.lists(st.tuples(*[st.floats(-0.2, 1.0)] * 2, *[st.floats(0.01, 0.6)] * 2), max_size=5),
    size=st.tuples(st.integers(20, 2000), st.integers(20, 1600)),  # no strip: of at most MAX_RATIO
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


CROWDED = [face(0.1 * column, 0.1 * row, 0.05, 0.05) for row in range(10) for column in range(10)]
# A square, which shows no face below 148 pixels in one call, and one of 100 megapixels, which shows none below 370.
LARGE, HUGE = (4000, 4000), (10_000, 10_000)


@pytest.mark.parametrize("reply", [CROWDED, [], [face(0.5, 0.5, 0.03, 0.04)]], ids=["crowd", "nobody", "small"])
def test_a_look_leaves_the_check_as_many_calls_as_it_makes_itself(service, reply):
    """The first look may make a third of a job's calls, and a check half of those that are left."""
    service.default, data, paid = reply, noise(2400, 2400), Paid(24)
    looks = [detect(data, detection_pass=each, paid=paid).calls for each in (*DetectionPass, DetectionPass.CHECK)]
    assert paid.made == sum(looks) <= 24
    assert 1 <= looks[0] <= looks[1]
    assert min(looks) >= 1


@pytest.mark.parametrize("reply", [CROWDED, [], [face(0.5, 0.5, 0.03, 0.04)]], ids=["crowd", "nobody", "small"])
def test_each_look_leaves_a_call_to_each_picture_that_may_still_be_looked_at(service, reply):
    """The least share suffices for a panorama, two pictures, with five checks, a review and five more checks."""
    service.default, photo, paid = reply, StoredPhoto(noise(1600, 800), "", ""), Paid(22)
    detector, made = WrappedDetector(RekognitionDetector(paid)), []
    for number in [*range(6), *range(1, 6)]:
        paid.reserved = reserved_calls(number, 2, "when_unsure")
        made.append(detector.detect(photo, 50, DetectionPass.CHECK if number else FIRST).calls)
        detector.detector.answers.clear()
    assert sum(made) == paid.made <= 22
    assert min(made) >= 2


def test_a_large_photo_is_searched_for_faces_as_small_as_promised(service):
    markers = [(100, 100, 125), (1950, 1950, 125), (3870, 3870, 125)]
    found, _ = search(service, marked(LARGE, markers), paid=Paid(60))
    assert close(found_squares(found, LARGE), markers, tolerance=8)
    assert found.calls <= 7
    assert found.warnings == []


def test_a_photo_of_a_hundred_megapixels_fits_a_job():
    area = rekognition.Rectangle(0, 0, *HUGE)
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


def test_what_the_share_does_not_suffice_for_is_a_warning(service):
    paid = Paid(6)
    found, asked = search(service, marked(LARGE, [(100, 100, 900)]), paid=paid)
    assert found.calls == paid.made == len(asked.sizes) <= 2
    assert found.warnings == [WarningCode.NEAR_SIZE_LIMIT]
    assert len(found.boxes) == 1


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


# ------------------------------------------------------------------------------ several calls at once


def test_calls_of_one_look_are_made_at_the_same_time(service):
    """The service answers the tiles only when it has five of them."""
    together = threading.Barrier(rekognition.AT_ONCE)

    def reply(image):
        if "Bytes" in image:
            together.wait(timeout=30)
        return []

    service.default = reply
    found = detect(noise(6000, 2000), paid=Paid(60))
    assert found.calls == 1 + rekognition.AT_ONCE


def test_the_order_of_the_answers_changes_no_box(service):
    picture = marked((3000, 3000), [(100, 100, 95), (1480, 1470, 95), (1420, 300, 110), (2850, 2000, 98)])
    expected, _ = search(service, picture)
    held, others = threading.Event(), []
    seen = Service(jpeg(picture, quality=95, subsampling=0))

    def last_first(image):
        others.append(image)
        if len(others) == 2:
            held.wait(timeout=30)
        elif len(others) == 3:
            held.set()
        return seen(image)

    service.default = last_first
    assert detect(seen.stored).boxes == expected.boxes


# ------------------------------------------------------------------------------ a fault in the middle of a look


class FailsAfter:
    """Answers as `Service` does, but some requests get this refusal in place of an answer."""

    def __init__(self, stored: bytes, answers: int, refusal: Refusal) -> None:
        self.service, self.answers, self.refusal = Service(stored), answers, refusal
        self.answered, self.lock = [], threading.Lock()

    def __call__(self, image):
        with self.lock:
            if len(self.answered) >= self.answers:
                return self.refusal
            self.answered.append(image.get("Bytes"))
        return self.service(image)


@pytest.mark.parametrize("detection_pass", DetectionPass)
def test_the_next_attempt_repeats_no_paid_call(service, detection_pass):
    size = (3000, 3000)
    markers = [(100, 100, 95), (1480, 1470, 95), (1200, 300, 110), (2850, 2000, 98)]
    data = jpeg(marked(size, markers), quality=95, subsampling=0)
    service.default = whole = FailsAfter(data, 100, THROTTLED)
    expected = detect(data, detection_pass=detection_pass)
    for refusal in (THROTTLED, BROKEN):
        paid, answered = Paid(60), []
        for answers in (2, 1, 100):
            service.default = FailsAfter(data, answers, refusal)
            if answers < 100:
                with pytest.raises((DetectorThrottled, DetectorUnavailable)):
                    detect(data, detection_pass=detection_pass, paid=paid)
            else:
                found = detect(data, detection_pass=detection_pass, paid=paid)
            answered += service.default.answered
            assert paid.made == len(answered)
        assert sorted(map(hash, answered)) == sorted(map(hash, whole.answered))
        assert found == expected


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


@pytest.mark.parametrize("refused", [StorageUnavailable, UploadReplaced])
def test_paid_answers_are_kept_before_anything_is_given_back_and_it_is_given_back_in_any_case(
    service, monkeypatch, refused
):
    paid, done = Paid(60), []
    service.default = FailsAfter(data := noise(4000, 3000), 3, THROTTLED)

    def keep(answers):
        done.append(("kept", len(answers)))
        raise refused

    monkeypatch.setattr(paid, "keep", keep)
    monkeypatch.setattr(paid, "give_back", lambda number: done.append(("given back", number)))
    with pytest.raises(refused):
        detect(data, paid=paid)
    assert done == [("kept", 3), ("given back", paid.made - 3)]


def test_the_answers_about_a_photo_are_kept_if_the_search_of_its_seam_fails(service):
    service.default = FailsAfter(data := noise(1000, 500), 1, THROTTLED)
    paid = Paid(60)
    with pytest.raises(DetectorThrottled):
        WrappedDetector(RekognitionDetector(paid)).detect(StoredPhoto(data, "photos", "uploads/1"), 50, FIRST)
    assert (len(paid.answers), paid.made) == (1, 1)


def test_the_answers_for_another_photo_are_not_used(service):
    paid = Paid(60)
    service.default = FailsAfter(data := noise(3000, 2250), 2, THROTTLED)
    with pytest.raises(DetectorThrottled):
        detect(data, paid=paid)
    service.default = Service(other := jpeg(marked((640, 480), [(100, 100, 90)])))
    assert len(detect(other, paid=paid).boxes) == 1


# ------------------------------------------------------------------------------ with hints


def hint(marker, size, confidence=60.0, slack=0.0):
    """A box about a marker; `slack` is the share by which it is too large."""
    left, top, side = marker
    extra = slack * side
    return Box(
        (left - extra / 2) / size[0],
        (top - extra / 2) / size[1],
        (side + extra) / size[0],
        (side + extra) / size[1],
        confidence,
    )


def each_once(detection, markers, size):
    """Whether there is one box about each marker, and no other box."""
    boxes, found = [hint(marker, size) for marker in markers], BoxIndex(detection.boxes)
    return (
        len(detection.boxes)
        == len(boxes)
        == sum(any(one.overlap(box) > 0.7 for one in found.near(box)) for box in boxes)
    )


def guided(service, picture, hints, **options):
    stored = jpeg(picture, quality=95, subsampling=0)
    service.default = Service(stored)
    return detect(stored, hints=hints, **options), service.default


@pytest.mark.parametrize("detection_pass", DetectionPass)
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_small_faces_at_hints_are_found_with_one_more_call(service, detection_pass, orientation):
    size = (2000, 1340)
    # In the corners, at the edges, beside each other, and far from everything.
    markers = [
        (0, 0, 30),
        (1960, 1300, 40),
        (1000, 0, 25),
        (0, 670, 46),
        (540, 540, 20),
        (580, 545, 24),
        (1340, 600, 45),
    ]
    large = (800, 800, 200)
    data = laid(orientation, (*markers, large), size, subsampling=0)
    service.default = Service(data)
    hints = [hint(marker, size, slack=0.3) for marker in markers]
    found = detect(data, hints=hints, detection_pass=detection_pass)
    assert close(found_squares(found, size), [*markers, large], tolerance=4)
    assert (found.calls, found.warnings) == (2, [])


def test_without_hints_one_call_suffices(service):
    found, _ = guided(service, marked((4000, 3000), [(300, 300, 900)]), [])
    assert (len(found.boxes), found.calls, found.warnings) == (1, 1, [])


def test_hints_that_the_photo_shows_well_take_no_call(service):
    size = (1920, 1080)
    found, _ = guided(
        service, marked(size, [(300, 300, 200)]), [hint((300, 300, 200), size), hint((900, 500, 70), size)]
    )
    assert (len(found.boxes), found.calls) == (1, 1)


def test_a_hint_at_a_face_that_is_found_already_takes_no_call(service):
    size = (1920, 1080)
    found, _ = guided(service, marked(size, [(300, 300, 50)]), [hint((300, 300, 50), size)])
    assert (len(found.boxes), found.calls) == (1, 1)


def test_a_hint_that_no_enlargement_makes_large_enough_takes_no_call(service):
    size = (1920, 1080)
    found, _ = guided(service, marked(size, [(300, 300, 9)]), [hint((300, 300, 9), size)])
    assert (found.boxes, found.calls) == ([], 1)


def test_a_crowd_of_which_one_answer_names_a_hundred_is_found_completely(service):
    size = (4000, 3000)
    markers = [(40 + 130 * column, 40 + 120 * row, 50) for row in range(20) for column in range(30)]
    found, asked = guided(service, marked(size, markers), [hint(marker, size, slack=0.2) for marker in markers])
    assert each_once(found, markers, size)
    assert found.calls == len(asked.sizes) <= 20
    assert found.warnings == []


def test_large_faces_beyond_the_hundredth_are_asked_for_too(service):
    size = (1900, 1080)
    markers = [(20 + 90 * column, 20 + 90 * row, 70) for row in range(11) for column in range(20)]
    found, _ = guided(service, marked(size, markers), [hint(marker, size) for marker in markers])
    assert each_once(found, markers, size)
    assert found.calls <= 5


def test_hints_for_which_the_share_does_not_suffice_are_a_warning_and_the_likeliest_come_first(service):
    size = (4000, 3000)
    markers = [(75 + 195 * column, 50 + 195 * row, 25) for row in range(15) for column in range(20)]
    hints = [hint(marker, size, 90 if number < 60 else 30) for number, marker in enumerate(markers)]
    found, _ = guided(service, marked(size, markers), hints, paid=Paid(6))
    assert found.calls == 2
    assert WarningCode.NEAR_SIZE_LIMIT in found.warnings
    assert set(markers[:40]) <= {
        marker for marker in markers for box in found.boxes if box.overlap(hint(marker, size)) > 0.5
    }


def test_a_mosaic_cell_that_is_always_full_is_a_warning(service):
    service.default = CROWDED
    searched = rekognition.Search(
        StoredPhoto(grey(3000, 2000), "", ""), DetectionPass.FIRST, Paid(60), {}, rekognition.FACES
    )
    searched.look_at([hint((1000, 1000, 30), (3000, 2000)), hint((2000, 500, 30), (3000, 2000))])
    assert searched.calls <= 4
    assert WarningCode.ANSWER_CAPPED in searched.warnings
