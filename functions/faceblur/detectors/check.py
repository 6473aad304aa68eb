"""The check of a draft: it finds faces that are not covered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from faceblur.photo import decode
from faceblur.photo.coverage import uncovered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from faceblur.detectors.base import Detection, DetectionPass, Detector, StoredPhoto
    from faceblur.photo.styles import Region


class Check:
    """A detector for drafts. It ignores what is under paint, because a painted head may still look like a face."""

    def __init__(self, detector: Detector, hidden: Sequence[Region]) -> None:
        """Use this detector to check a draft in which these regions are hidden."""
        self.detector = detector
        self.hidden = hidden

    def detect(self, photo: StoredPhoto, min_confidence: float, detection_pass: DetectionPass) -> Detection:
        """The uncovered faces of at least this confidence (0…100). Raises the errors of the detector."""
        found = self.detector.detect(photo, min_confidence, detection_pass)
        header = decode.inspect(photo.data)
        return replace(found, boxes=uncovered((header.width, header.height), self.hidden, found.boxes))
