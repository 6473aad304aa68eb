from __future__ import annotations

import pytest

from faceblur.detectors.base import Detection, DetectionPass, StoredPhoto
from faceblur.detectors.check import Check
from faceblur.errors import DetectorUnavailable, UnsupportedFormat
from faceblur.geometry import Box
from faceblur.photo.styles import Region, Style
from tests.support.pictures.photos import blank

DRAFT = StoredPhoto(blank(200, 100), "bucket", "results/x.png")
HIDDEN = Box(0.1, 0.1, 0.2, 0.4, 90, "stand-in")
MISSED = Box(0.6, 0.5, 0.2, 0.4, 70, "stand-in")


class Detector:
    """Finds the same boxes in whatever it is shown, or fails, and remembers what it was asked."""

    def __init__(self, *finds: Box | Exception) -> None:
        self.finds, self.asked = finds, []

    def detect(self, photo: StoredPhoto, min_confidence: float, detection_pass: DetectionPass) -> Detection:
        self.asked.append((photo, min_confidence, detection_pass))
        for error in self.finds:
            if isinstance(error, Exception):
                raise error
        return Detection(list(self.finds), "stand-in", "1", calls=3, warnings=["Warning"])


def test_a_check_finds_what_shows():
    detector = Detector(HIDDEN, MISSED)
    found = Check(detector, [Region(HIDDEN, Style())]).detect(DRAFT, 60, DetectionPass.CHECK)
    assert found == Detection([MISSED], "stand-in", "1", 3, ["Warning"])
    assert detector.asked == [(DRAFT, 60, DetectionPass.CHECK)]


def test_where_nothing_is_hidden_everything_shows():
    assert Check(Detector(HIDDEN, MISSED), []).detect(DRAFT, 60, DetectionPass.CHECK).boxes == [HIDDEN, MISSED]


def test_errors_of_the_detector_are_raised():
    with pytest.raises(DetectorUnavailable):
        Check(Detector(DetectorUnavailable()), []).detect(DRAFT, 60, DetectionPass.CHECK)


def test_a_draft_that_is_no_picture_is_an_error_and_no_empty_list():
    with pytest.raises(UnsupportedFormat):
        Check(Detector(), []).detect(
            StoredPhoto(b"no picture at all", "bucket", "results/x.png"), 60, DetectionPass.CHECK
        )
