"""Faces across the seam of a panorama, as the networks see them."""

from __future__ import annotations

import pytest
from PIL import Image

from faceblur.detectors.base import DetectionPass, StoredPhoto
from faceblur.detectors.check import Check
from faceblur.detectors.embedded.detector import EmbeddedDetector
from faceblur.detectors.wrapped import WrappedDetector
from faceblur.jobs.boxes import FoundBox, FoundBoxes
from faceblur.options import JobOptions
from faceblur.photo.hide import hide_regions
from tests.support.pictures.photos import astronaut_pixels, encoded

WIDTH, HEIGHT = 1536, 768
NOSE = 224  # pixels from the left edge of the astronaut's picture


def panorama(nose: int) -> Image.Image:
    """A panorama with the astronaut's nose so many pixels to the right of the seam."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), (90, 110, 130))
    for left in (WIDTH - NOSE + nose, nose - NOSE):
        picture.paste(astronaut_pixels(), (left, 150))
    return picture


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
