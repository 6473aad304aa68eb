"""Faces across the seam of a panorama."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PIL import Image

from faceblur.detectors.base import Detection, DetectionPass, StoredPhoto
from faceblur.detectors.check import Check
from faceblur.detectors.embedded.detector import EmbeddedDetector
from faceblur.detectors.wrapped import WrappedDetector, parts_at_seam, seam_of
from faceblur.geometry import Box
from faceblur.jobs.boxes import FoundBox, FoundBoxes
from faceblur.options import JobOptions
from faceblur.photo.hide import hide_regions
from tests.support.pictures.photos import astronaut_pixels, encoded, opened

WIDTH, HEIGHT = 1536, 768
NOSE = 224  # pixels from the left edge of the astronaut's picture


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


def panorama(nose: int) -> Image.Image:
    """A panorama with the astronaut's nose so many pixels to the right of the seam."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), (90, 110, 130))
    for left in (WIDTH - NOSE + nose, nose - NOSE):
        picture.paste(astronaut_pixels(), (left, 150))
    return picture


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


@pytest.mark.usefixtures("networks")
@pytest.mark.parametrize("nose", [-20, 0, 25])
def test_a_face_across_the_seam_is_hidden_on_both_sides(nose: int) -> None:
    photo = encoded(panorama(nose), "PNG")
    detector = WrappedDetector(EmbeddedDetector())
    found = detector.detect(StoredPhoto(photo, "", ""), 50, DetectionPass.FIRST).boxes
    left = [each for each in found if each.left == 0]
    right = [each for each in found if each.right == pytest.approx(1)]
    assert len(found) == len([*left, *right]) == 2
    regions = FoundBoxes({}, [FoundBox(each, 0) for each in found]).regions(JobOptions().model_dump())
    draft = StoredPhoto(hide_regions(photo, regions).data, "", "")
    assert Check(detector, regions).detect(draft, 50, DetectionPass.CHECK).boxes == []


@pytest.mark.usefixtures("networks")
def test_the_check_finds_a_face_across_the_seam() -> None:
    """Without it, half a face is too little to be found."""
    photo = StoredPhoto(encoded(panorama(30), "PNG"), "", "")
    plain = EmbeddedDetector()
    assert not [each for each in plain.detect(photo, 50, DetectionPass.CHECK).boxes if each.right > 0.98]
    found = Check(WrappedDetector(plain), []).detect(photo, 50, DetectionPass.CHECK).boxes
    assert [each for each in found if each.right > 0.98]
    assert [each for each in found if each.left < 0.02]
