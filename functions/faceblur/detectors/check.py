"""The check of a draft: it finds what looks like a face and is not covered."""

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
    """A detector for drafts. What lies under paint is no finding: a painted head may well look like one."""

    def __init__(self, detector: Detector, hidden: Sequence[Region]) -> None:
        """Check by this detector a draft in which these regions are hidden."""
        self.detector = detector
        self.hidden = hidden

    def detect(self, photo: StoredPhoto, min_confidence: float, detection_pass: DetectionPass) -> Detection:
        """The faces that show, of at least this confidence (0…100); raises what the detector raises."""
        found = self.detector.detect(photo, min_confidence, detection_pass)
        header = decode.inspect(photo.data)
        return replace(found, boxes=uncovered((header.width, header.height), self.hidden, found.boxes))
