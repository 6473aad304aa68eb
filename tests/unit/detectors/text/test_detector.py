"""The embedded detector of plates and text, on drawn ones; and how they are covered and checked."""

from __future__ import annotations

import pytest
from PIL import Image

from faceblur.detectors.base import Detection, DetectionPass, StoredPhoto
from faceblur.detectors.check import Check
from faceblur.detectors.kinds import DetectorOfKinds
from faceblur.detectors.text.detector import EmbeddedTextDetector
from faceblur.geometry import Box
from faceblur.photo.coverage import opaque_paint
from faceblur.photo.hide import hide_faces
from faceblur.photo.styles import Region, Style
from tests.support.pictures.plates import street_with_plate

pytestmark = pytest.mark.usefixtures("networks")


def look(photo: bytes, *kinds: str) -> Detection:
    return EmbeddedTextDetector(kinds).detect(StoredPhoto(photo, "", ""), 50, DetectionPass.FIRST)


@pytest.mark.parametrize("roll", [0, 12])
@pytest.mark.parametrize("enlarged", [1, 5])
def test_a_plate_is_covered_as_it_lies(roll, enlarged):
    photo, mask = street_with_plate(roll, enlarged)

    boxes = [box for box in look(photo, "plate").boxes if box.kind == "plate"]

    paint = opaque_paint(mask.size, [Region(box, Style()) for box in boxes])
    covered = Image.composite(paint, Image.new("L", mask.size), mask)
    assert covered.histogram()[255] >= 0.95 * mask.histogram()[255]


def test_the_check_does_not_take_its_paint_for_a_plate_and_finds_a_bare_one():
    photo, _ = street_with_plate(0)
    detector = EmbeddedTextDetector(["plate"])
    regions = [Region(box, Style()) for box in look(photo, "plate").boxes]
    draft = StoredPhoto(hide_faces(photo, regions).data, "", "")

    assert Check(detector, regions).detect(draft, 50, DetectionPass.CHECK).boxes == []
    assert Check(detector, []).detect(StoredPhoto(photo, "", ""), 50, DetectionPass.CHECK).boxes != []


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
