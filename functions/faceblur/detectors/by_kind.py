"""Several detectors, each of its own kinds, as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from faceblur.detectors.base import one_detection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from faceblur.detectors.base import Detection, DetectionPass, Detector, StoredPhoto


class DetectorOfKinds:
    """Asks each of its detectors. Their kinds differ, so nothing is merged."""

    def __init__(self, detectors: Sequence[Detector]) -> None:
        """Ask these detectors, one after the other."""
        self.detectors = detectors

    def detect(self, photo: StoredPhoto, min_confidence: float, detection_pass: DetectionPass) -> Detection:
        """What any of them finds with at least this confidence (0…100). Raises the errors of the detectors."""
        found = [each.detect(photo, min_confidence, detection_pass) for each in self.detectors]
        return one_detection(
            found, sorted((box for each in found for box in each.boxes), key=lambda box: -box.confidence)
        )
