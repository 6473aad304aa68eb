"""Rekognition's detector of plates and text against a stand-in that speaks its protocol."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from io import BytesIO
from math import cos, radians, sin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from faceblur.detectors.base import Detection, DetectionPass, StoredPhoto
from faceblur.detectors.registry import detector_named
from faceblur.detectors.text.rekognition import RekognitionTextDetector, line_in
from faceblur.detectors.union import UnionOfText
from faceblur.detectors.warnings import WarningCode
from faceblur.errors import CorruptImage, DetectorThrottled, DetectorUnavailable, TransientError
from faceblur.geometry import Box
from tests.support.pictures.photos import encoded, jpeg
from tests.support.standins.paid import Paid
from tests.support.standins.rekognition import BROKEN, THROTTLED, face, line

pytestmark = pytest.mark.enable_socket

SIZE = (640, 480)
FIRST, CHECK = DetectionPass.FIRST, DetectionPass.CHECK


@cache
def photo(size=SIZE):
    """A photo of noise, the same each time."""
    noise = Image.effect_noise((size[0] // 10, size[1] // 10), 60).resize(size).convert("RGB")
    return StoredPhoto(jpeg(noise), "photos", "uploads/1")


def search(*kinds, size=SIZE, detection_pass=FIRST, paid=None, min_confidence=50):
    detector = RekognitionTextDetector(kinds or ("text",), paid or Paid(), {})
    return detector.detect(photo(size), min_confidence, detection_pass)


def corners(x, y, long, short, roll=0.0, size=SIZE):
    """The corners, in fractions, of a line about (x, y) in pixels."""
    c, s = cos(radians(roll)), sin(radians(roll))
    around = [(-long, -short), (long, -short), (long, short), (-long, short)]
    return [((x + a / 2 * c - b / 2 * s) / size[0], (y + a / 2 * s + b / 2 * c) / size[1]) for a, b in around]


def in_pixels(box, size=SIZE):
    return (
        (box.left + box.width / 2) * size[0],
        (box.top + box.height / 2) * size[1],
        box.width * size[0],
        box.height * size[1],
    )


@pytest.mark.parametrize("roll", [0, 12, -40, 80])
def test_a_line_is_a_box_that_lies_as_it_does(service, roll):
    service.text_default = line(corners(300, 200, 160, 20, roll), words=3, confidence=87)
    found = search("text")
    (box,) = found.boxes
    assert in_pixels(box) == pytest.approx((300, 200, 160, 20), abs=0.01)
    assert (box.roll, box.turned, box.kind) == (pytest.approx(roll), True, "text")
    assert (box.confidence, box.found_by) == (pytest.approx(87), "rekognition")
    assert (found.calls, found.version, found.warnings) == (1, "DetectText-2016-06-27", [])
    assert (service.asked, [*service.images[0]]) == (["DetectText"], ["S3Object"])


@given(
    x=st.floats(-50, 700),
    y=st.floats(-50, 500),
    long=st.floats(1, 400),
    short=st.floats(1, 400),
    roll=st.floats(-180, 180),
)
def test_the_line_holds_its_corners(x, y, long, short, roll):
    points = [(a * SIZE[0], b * SIZE[1]) for a, b in corners(x, y, long, short, roll)]
    found = line_in(points, 90)
    assert (found.x, found.y) == pytest.approx((x, y), abs=0.01)
    assert (found.long, found.short) == pytest.approx((max(long, short), min(long, short)), abs=0.01)
    assert -90 <= found.roll < 90


def test_the_shape_of_a_line_tells_a_plate_from_text(service):
    plate, text = corners(200, 100, 100, 25, 5), corners(300, 300, 400, 25)
    service.text_default = line(plate) + line(text)
    (only,) = search("plate").boxes
    assert (only.kind, only.roll) == ("plate", pytest.approx(5))
    x, y, long, short = in_pixels(only)
    assert (x, y) == pytest.approx((200, 100))
    assert long > 100
    assert short > 25
    assert [box.kind for box in search("plate", "text").boxes] == ["plate", "text"]
    assert [box.kind for box in search("text").boxes] == ["text", "text"]


def test_the_characters_of_a_line_tell_a_plate_from_a_word(service):
    plate, word = corners(200, 100, 100, 25), corners(200, 300, 100, 25)
    service.text_default = line(plate, text="LM 298 AJ") + line(word, text="Bakery")
    assert [round(in_pixels(box)[1]) for box in search("plate").boxes] == [100]
    assert [round(in_pixels(box)[1]) for box in search("plate", detection_pass=CHECK).boxes] == [100]
    # What is hidden in any case is told apart by its shape alone.
    assert [box.kind for box in search("plate", "text").boxes] == ["plate", "plate"]
    assert [box.kind for box in search("text").boxes] == ["text", "text"]


def test_digits_of_any_script_may_be_a_plates(service):
    service.text_default = line(corners(200, 100, 100, 25), text="٣٤٥١")
    assert [box.kind for box in search("plate").boxes] == ["plate"]


@pytest.mark.parametrize(("kind", "found"), [("plate", ["plate"]), ("text", ["text"])])
def test_a_line_that_was_read_twice_may_be_a_plate_and_is_one_text(service, kind, found):
    """As in two tiles that overlap."""
    place = corners(200, 100, 100, 25)
    service.text_default = line(place, text="Bakery") + line(place, text="8AKERY", confidence=95)
    assert [box.kind for box in search(kind).boxes] == found


def test_what_was_read_is_not_remembered(service):
    service.text_default = line(corners(200, 100, 100, 25), text="LM 298 AJ")
    answers = {}
    assert RekognitionTextDetector(["plate"], Paid(), answers).detect(photo(), 50, FIRST).boxes != []
    assert len(answers) == 1
    assert "298" not in repr(answers)


def test_a_plate_that_can_hardly_be_read_is_a_plate(service):
    service.text_default = line(corners(200, 100, 100, 25), confidence=52, text="Bakery")
    assert [box.kind for box in search("plate").boxes] == ["plate"]
    assert search("plate", min_confidence=60).boxes == []


def test_what_can_hardly_be_read_is_found_if_a_job_asks_for_it(service):
    """By default, the service leaves out words below 80."""
    service.text_default = line(corners(200, 100, 100, 25), confidence=3)
    assert [round(box.confidence) for box in search("text", min_confidence=0).boxes] == [3]


def test_words_are_hidden_by_their_line_alone(service):
    service.text_default = line(corners(200, 100, 100, 25), words=5)
    assert len(search("text").boxes) == 1


def test_the_hundredth_word_is_not_the_last(service):
    service.text_replies += [line(corners(200, 100, 100, 25), words=100)]
    service.text_default = line([(0.4, 0.4), (0.6, 0.4), (0.6, 0.5), (0.4, 0.5)])
    found = search("text")
    assert found.calls == 5
    assert len(found.boxes) == 5
    assert all(0 < box.left < box.right < 1 and 0 < box.top < box.bottom < 1 for box in found.boxes)


def test_a_full_answer_about_the_smallest_part_is_a_warning(service):
    service.text_default = line([(0.4, 0.4), (0.6, 0.4), (0.6, 0.5), (0.4, 0.5)], words=100)
    found = search("text", size=(200, 100))
    assert found.calls < 30
    assert WarningCode.ANSWER_CAPPED in found.warnings


def test_a_large_photo_is_searched_in_tiles_and_a_line_is_placed_in_the_photo(service):
    size = (4000, 3000)
    service.text_replies += [[]]
    service.text_replies += [line(corners(400, 300, 100, 25, 10, (1000, 1000)))] + [[]] * 3
    found = search("text", size=size)
    assert found.calls == 5
    assert all(max(Image.open(BytesIO(each["Bytes"])).size) <= 1920 for each in service.images[1:])
    (box,) = found.boxes
    shown = max(box.width * size[0], box.height * size[1])
    assert shown > 100  # at the scale of the photo


def test_small_text_alone_is_not_worth_further_calls(service):
    service.text_default = line(corners(200, 100, 20, 6))
    found = search("text")
    assert (found.calls, found.warnings) == (1, [])


def test_a_check_sees_the_draft_larger_and_not_in_a_mirror(service):
    service.text_default = line(corners(100, 100, 100, 25))
    size = (1600, 900)
    (box,) = search("text", size=size, detection_pass=CHECK).boxes
    (image,) = service.images
    assert Image.open(BytesIO(image["Bytes"])).size == (2400, 1350)
    assert in_pixels(box, SIZE)[0] == pytest.approx(100)


@pytest.mark.parametrize(("reply", "error"), [(THROTTLED, DetectorThrottled), (BROKEN, DetectorUnavailable)])
def test_what_is_worth_another_try(service, reply, error):
    service.text_default = reply
    with pytest.raises(error):
        search()
    assert len(service.images) == 3


def test_a_damaged_photo_is_an_error_and_never_one_without_text(service):
    with pytest.raises(CorruptImage):
        RekognitionTextDetector(["text"], Paid(), {}).detect(StoredPhoto(b"\xff\xd8\xff\xe0 and", "", ""), 50, FIRST)
    assert service.images == []


def test_what_was_paid_for_faces_is_kept_if_the_search_for_text_fails(service):
    service.default = [face(0.2, 0.3, 0.2, 0.2)]
    service.text_default = THROTTLED
    paid = Paid(60)
    with pytest.raises(DetectorThrottled):
        detector_named("rekognition", paid, (), ["face", "text"]).detect(photo(), 50, FIRST)
    assert paid.made == 1
    service.reset()
    service.text_default = line(corners(200, 100, 100, 25))
    found = detector_named("rekognition", paid, (), ["face", "text"]).detect(photo(), 50, FIRST)
    assert service.asked == ["DetectText"]
    assert (sorted(box.kind for box in found.boxes), found.calls, paid.made) == (["face", "text"], 2, 2)


def test_text_takes_its_share_of_a_jobs_calls(service):
    service.text_default = line([(0.4, 0.4), (0.6, 0.4), (0.6, 0.5), (0.4, 0.5)], words=100)
    paid = Paid(30, reserved=21)
    found = search("text", size=(2400, 1600), paid=paid)
    assert (found.calls, paid.made) == (9, 9)
    assert WarningCode.ANSWER_CAPPED in found.warnings


# ------------------------------------------------------------------------------ with the embedded detector


class Finds:
    """A detector that finds these boxes, or fails so."""

    def __init__(self, name, *boxes, error=None):
        self.name, self.boxes, self.error = name, boxes, error

    def detect(self, *_):
        if self.error:
            raise self.error
        return Detection([*self.boxes], self.name, "1", 1, [])


PLATE = Box(0.4, 0.4, 0.2, 0.1, 80, turned=True, kind="plate")


def both(free, paid, *goes_on_after):
    return UnionOfText(free, paid, goes_on_after).detect(StoredPhoto(b"", "", ""), 50, FIRST)


def test_what_either_detector_finds_counts():
    other = replace(PLATE, left=0.1)
    found = both(Finds("embedded", PLATE), Finds("rekognition", other, replace(PLATE, width=0.19, confidence=90)))
    assert [(box.left, box.confidence, box.found_by) for box in found.boxes] == [
        (0.4, 90, "rekognition"),
        (0.1, 80, "rekognition"),
    ]
    assert (found.detector, found.calls) == ("rekognition+embedded", 2)


def test_a_surer_box_replaces_none_that_shows_more_of_the_text_and_none_of_another_kind():
    part = replace(PLATE, width=0.1, confidence=99)
    text = replace(PLATE, kind="text", confidence=99)
    assert len(both(Finds("embedded", PLATE), Finds("rekognition", part, text)).boxes) == 3


def test_without_the_paid_detector_too_a_surer_box_replaces_none_that_shows_more_of_the_text():
    most = replace(PLATE, width=0.12, confidence=99)
    found = both(Finds("embedded", PLATE, most), Finds("rekognition", error=TransientError()), TransientError)
    assert len(found.boxes) == 2


def test_without_the_paid_detector_a_round_fails_or_goes_on_with_a_warning():
    broken = Finds("rekognition", error=DetectorUnavailable())
    with pytest.raises(DetectorUnavailable):
        both(Finds("embedded", PLATE), broken)
    found = both(Finds("embedded", PLATE), broken, TransientError)
    assert (len(found.boxes), found.warnings) == (1, [WarningCode.ONE_DETECTOR_ONLY])


def test_the_embedded_detector_must_not_fail():
    with pytest.raises(CorruptImage):
        both(Finds("embedded", error=CorruptImage()), Finds("rekognition", PLATE), TransientError)


def test_a_png_with_transparency_is_converted(service):
    data = encoded(Image.new("RGBA", SIZE, "#8080807f"), "PNG")
    RekognitionTextDetector(["text"], Paid(), {}).detect(StoredPhoto(data, "photos", "uploads/1"), 50, FIRST)
    assert [*service.images[0]] == ["Bytes"]
