"""The check of a draft: it finds what looks like a face and is not covered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from faceblur import images
from faceblur.coverage import uncovered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from faceblur.detectors import Detection, Detector, Look, StoredPhoto
    from faceblur.styles import Region


class Check:
    """A detector for drafts. What lies under paint is no finding: a painted head may well look like one."""

    def __init__(self, detector: Detector, hidden: Sequence[Region]) -> None:
        """Look by this detector at a draft in which these regions are hidden."""
        self.detector = detector
        self.hidden = hidden

    def detect(self, photo: StoredPhoto, min_confidence: float, look: Look) -> Detection:
        """The faces that show, of at least this confidence (0…100); raises what the detector raises."""
        found = self.detector.detect(photo, min_confidence, look)
        header = images.inspect(photo.data)
        return replace(found, boxes=uncovered((header.width, header.height), self.hidden, found.boxes))
