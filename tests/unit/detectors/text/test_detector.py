"""The embedded detector of plates and text, on drawn ones; and how they are covered and checked."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image, ImageStat

from faceblur.detectors.base import Detection, DetectionPass, StoredPhoto
from faceblur.detectors.check import Check
from faceblur.detectors.kinds import DetectorOfKinds
from faceblur.detectors.text.detector import EmbeddedTextDetector
from faceblur.detectors.warnings import WarningCode
from faceblur.geometry import Box
from faceblur.limits import MIN_PADDING
from faceblur.photo.coverage import opaque_paint
from faceblur.photo.hide import hide_regions
from faceblur.photo.styles import Region, Style
from tests.support.pictures.photos import encoded, without_its_end
from tests.support.pictures.plates import street_with_plate

pytestmark = pytest.mark.usefixtures("networks")


def look(photo: bytes, *kinds: str, detection_pass: DetectionPass = DetectionPass.FIRST) -> Detection:
    return EmbeddedTextDetector(kinds).detect(StoredPhoto(photo, "", ""), 50, detection_pass)


def covered(mask: Image.Image, regions: list[Region]) -> float:
    """The share (0…1) of the mask that is under opaque paint."""
    paint = Image.composite(opaque_paint(mask.size, regions), Image.new("L", mask.size), mask)
    return paint.histogram()[255] / mask.histogram()[255]


@pytest.mark.parametrize("roll", [0, 12])
@pytest.mark.parametrize("enlarged", [1, 5])
def test_a_plate_is_covered_as_it_lies(roll, enlarged):
    photo, mask = street_with_plate(roll, enlarged)

    boxes = [box for box in look(photo, "plate").boxes if box.kind == "plate"]

    assert covered(mask, [Region(box, Style()) for box in boxes]) >= 0.95


def test_the_check_does_not_take_its_paint_for_a_plate_and_finds_a_bare_one():
    photo, _ = street_with_plate(0)
    detector = EmbeddedTextDetector(["plate"])
    regions = [Region(box, Style()) for box in look(photo, "plate").boxes]
    draft = StoredPhoto(hide_regions(photo, regions).data, "", "")

    assert Check(detector, regions).detect(draft, 50, DetectionPass.CHECK).boxes == []
    assert Check(detector, []).detect(StoredPhoto(photo, "", ""), 50, DetectionPass.CHECK).boxes != []


@pytest.mark.parametrize("roll", [0, 12])
@pytest.mark.parametrize("half", ["left", "right"])
def test_a_plate_that_is_covered_by_half_is_found_by_the_check_and_hidden(roll, half):
    """As when a person draws a box that is too small."""
    photo, mask = street_with_plate(roll)
    left, top, right, bottom = mask.getbbox()
    middle = (left + right) / 2
    left, right = (left, middle) if half == "left" else (middle, right)
    width, height = mask.size
    drawn = Box(left / width, top / height, (right - left) / width, (bottom - top) / height, 100, "person", turned=True)
    # With the smallest margin, the paint of the drawn box leaves the other half as it is.
    regions = [Region(replace(drawn, kind="plate"), Style("solid", "box", MIN_PADDING))]
    assert 0.4 < covered(mask, regions) < 0.7

    draft = StoredPhoto(hide_regions(photo, regions).data, "", "")
    missed = Check(EmbeddedTextDetector(["plate"]), regions).detect(draft, 50, DetectionPass.CHECK).boxes
    regions += [Region(box, Style("solid", "box")) for box in missed]

    assert {box.kind for box in missed} == {"plate"}
    assert covered(mask, regions) >= 0.95
    hidden = Image.open(BytesIO(hide_regions(photo, regions, "png").data)).convert("L")
    assert ImageStat.Stat(hidden, mask).mean[0] < 0.05 * 255  # black, where the plate was white


@pytest.mark.parametrize("kinds", [["plate"], ["text"]])
@pytest.mark.parametrize("detection_pass", DetectionPass)
def test_a_photo_in_which_pixels_are_missing_is_told_from_a_whole_one(kinds, detection_pass):
    whole, _ = street_with_plate(0)
    warnings = [
        look(photo, *kinds, detection_pass=detection_pass).warnings for photo in (without_its_end(whole), whole)
    ]
    assert [WarningCode.TRUNCATED_PHOTO in each for each in warnings] == [True, False]


def test_a_photo_too_dark_for_a_reliable_search_is_told():
    assert WarningCode.DARK_PHOTO in look(encoded(Image.new("RGB", (640, 480)), "PNG"), "text").warnings


def test_text_has_its_own_kind_and_a_plate_is_told_once():
    photo, _ = street_with_plate(0)

    assert {box.kind for box in look(photo, "text").boxes} == {"text"}
    assert [box.kind for box in look(photo, "plate", "text").boxes].count("plate") == len(look(photo, "plate").boxes)


def test_detectors_of_several_kinds_answer_as_one():
    class Finds:
        def __init__(self, box: Box, calls: int) -> None:
            self.box, self.calls = box, calls

        def detect(self, *_: object) -> Detection:
            return Detection([self.box], "embedded", f"v{self.calls}", self.calls, [f"W{self.calls}", "W"])

    face, text = Box(0.1, 0.1, 0.2, 0.2, 60), Box(0.1, 0.1, 0.2, 0.2, 90, kind="text")

    found = DetectorOfKinds([Finds(face, 1), Finds(text, 2)]).detect(StoredPhoto(b"", "", ""), 50, DetectionPass.FIRST)

    assert [box.kind for box in found.boxes] == ["text", "face"]
    assert (found.detector, found.version, found.calls) == ("embedded", "v1 v2", 3)
    assert found.warnings == ["W", "W1", "W2"]
