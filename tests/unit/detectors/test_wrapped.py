"""Faces across the seam of a panorama."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PIL import Image

from faceblur.detectors.base import Detection, DetectionPass, StoredPhoto
from faceblur.detectors.wrapped import WrappedDetector, parts_at_seam, seam_of
from faceblur.geometry import Box
from tests.support.pictures.photos import encoded, opened


class Detector:
    """Finds these boxes in the photo, and those in the strip."""

    def __init__(self, boxes: list[Box], at_seam: list[Box]) -> None:
        self.answers = [boxes, at_seam]
        self.asked: list[StoredPhoto] = []

    def detect(self, photo: StoredPhoto, min_confidence: float, detection_pass: DetectionPass) -> Detection:  # noqa: ARG002
        self.asked.append(photo)
        boxes = self.answers[len(self.asked) - 1]
        return Detection(
            list(boxes), "test", "1", len(self.asked), [["BlurredPhoto"], ["DarkPhoto"]][len(self.asked) - 1]
        )


def box(left: float, right: float, confidence: float = 90.0) -> Box:
    return Box(left, 0.4, right - left, 0.1, confidence, "test")


def edges(boxes: list[Box]) -> list[tuple[float, float]]:
    return [(round(each.left, 4), round(each.right, 4)) for each in boxes]


@pytest.mark.parametrize(
    ("in_strip", "in_photo"),
    [
        (box(0.48, 0.52), [(0.99, 1.0), (0.0, 0.01)]),
        (box(0.46, 0.5), [(0.98, 1.0)]),
        (box(0.5, 0.54), [(0.0, 0.02)]),
        (box(0.44, 0.48), [(0.97, 0.99)]),
        (box(0.52, 0.56), [(0.01, 0.03)]),
        (box(0.3, 0.34), []),
        (box(0.7, 0.74), []),
    ],
)
def test_a_box_is_split_at_the_seam(in_strip: Box, in_photo: list[tuple[float, float]]) -> None:
    assert edges(list(parts_at_seam(in_strip))) == in_photo


def test_the_strip_has_the_seam_in_its_middle() -> None:
    picture = Image.new("RGB", (128, 64), "red")
    picture.paste("blue", (64, 0, 128, 64))
    strip = opened(seam_of(encoded(picture, "PNG")))
    assert strip.size == (64, 64)
    red, _, blue = strip.split()
    assert blue.crop((0, 0, 28, 64)).getextrema()[0] > 200
    assert red.crop((36, 0, 64, 64)).getextrema()[0] > 200


def test_parts_replace_what_was_found_of_the_same_face() -> None:
    detector = Detector([box(0.991, 1.0, 95), box(0.3, 0.4, 70)], [box(0.48, 0.52, 80)])
    photo = StoredPhoto(encoded(Image.new("RGB", (128, 64)), "PNG"), "bucket", "key")
    found = WrappedDetector(detector).detect(photo, 50, DetectionPass.FIRST)
    assert edges(found.boxes) == [(0.99, 1.0), (0.0, 0.01), (0.3, 0.4)]
    assert (found.calls, found.warnings) == (3, ["BlurredPhoto", "DarkPhoto"])
    assert detector.asked[1].key == ""  # a service must not read the photo in place of the strip


def test_parts_replace_nothing_of_another_kind() -> None:
    """A text at the seam does not make a face at the same place disappear."""
    face, text = box(0.99, 1.0, 60), replace(box(0.48, 0.52, 80), kind="text")
    detector = Detector([face], [text])
    photo = StoredPhoto(encoded(Image.new("RGB", (128, 64)), "PNG"), "bucket", "key")
    found = WrappedDetector(detector).detect(photo, 50, DetectionPass.FIRST).boxes
    assert [each.kind for each in found] == ["text", "text", "face"]


def test_parts_are_as_sure_as_what_they_replace() -> None:
    detector = Detector([box(0.991, 1.0, 95)], [box(0.48, 0.52, 70)])
    photo = StoredPhoto(encoded(Image.new("RGB", (128, 64)), "PNG"), "bucket", "key")
    found = WrappedDetector(detector).detect(photo, 50, DetectionPass.FIRST)
    assert [each.confidence for each in found.boxes] == [95, 95]


def test_a_small_face_in_the_corner_of_a_large_one_at_the_seam_is_a_face_of_its_own() -> None:
    large = Box(0.4, 0.2, 0.2, 0.4, 90, "test")
    child = Box(0.902, 0.205, 0.01, 0.02, 80, "test")
    detector = Detector([child], [large])
    photo = StoredPhoto(encoded(Image.new("RGB", (128, 64)), "PNG"), "bucket", "key")
    assert child in WrappedDetector(detector).detect(photo, 50, DetectionPass.FIRST).boxes


def text(x: float, width: float, roll: float, confidence: float = 90.0, ratio: float = 2.0) -> Box:
    """A line of text about this x, halfway down a picture of this ratio."""
    return Box(x - width / 2, 0.48, width, 0.04, confidence, "test", roll, turned=True, kind="text", ratio=ratio)


def found_in(boxes: list[Box], at_seam: list[Box]) -> list[Box]:
    photo = StoredPhoto(encoded(Image.new("RGB", (128, 64)), "PNG"), "bucket", "key")
    return WrappedDetector(Detector(boxes, at_seam)).detect(photo, 50, DetectionPass.FIRST).boxes


@pytest.mark.parametrize("roll", [0, 45, 90])
@pytest.mark.parametrize(("in_strip", "in_photo"), [(0.5, 0.0), (0.52, 0.01), (0.48, 0.99)])
def test_a_turned_box_at_the_seam_stays_whole(roll: float, in_strip: float, in_photo: float) -> None:
    (part,) = parts_at_seam(text(in_strip, 0.3, roll, ratio=1.0))
    assert (part.left + part.width / 2 - in_photo + 0.5) % 1 == pytest.approx(0.5)
    assert (part.width, part.height, part.roll, part.ratio) == (pytest.approx(0.15), 0.04, roll, 2.0)


def test_of_a_text_across_the_seam_no_piece_is_left_over() -> None:
    left, right, below = text(0.965, 0.07, 0, 95), text(0.035, 0.07, 0, 80), replace(text(0.035, 0.07, 0), top=0.54)
    whole = text(0.5, 0.3, 0, 85, ratio=1.0)
    assert found_in([right, left, below], [whole]) == [replace(*parts_at_seam(whole), confidence=95), below]


def test_a_sideways_line_beside_the_seam_is_replaced_by_itself_alone() -> None:
    line, neighbour = text(0.02, 0.2, 90, 90), text(0.05, 0.2, 90, 80)
    again = text(0.54, 0.4, 90, 70, ratio=1.0)
    found = found_in([line, neighbour], [again])
    assert [each.left + each.width / 2 for each in found] == pytest.approx([0.02, 0.05])


def test_what_the_strip_crops_does_not_replace_what_the_photo_shows() -> None:
    line = text(0.2, 0.38, 0, 90)  # from 0.01 to 0.39
    assert found_in([line], [text(0.76, 0.48, 0, 95, ratio=1.0)]) == [line]  # from 0.01 to 0.25
    across = text(0.7, 0.6, 0, 95, ratio=1.0)  # from -0.05 to 0.25
    assert found_in([line], [across]) == [*parts_at_seam(across), line]
