"""The check of a draft: it finds what is not covered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from faceblur.photo import decode
from faceblur.photo.coverage import uncovered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from faceblur.detectors.base import Detection, DetectionPass, Detector, StoredPhoto
    from faceblur.geometry import Box
    from faceblur.photo.styles import Region


class Check:
    """A detector for drafts.

    It ignores what is under paint, because a painted head may still look like a face, and what a decision keeps
    visible. The detector decides what else looks like a face.
    """

    def __init__(
        self, detector: Detector, hidden: Sequence[Region], keeps: Callable[[Box], bool] = lambda _: False
    ) -> None:
        """Use this detector to check a draft in which these regions are hidden. `keeps` tells what to ignore."""
        self.detector = detector
        self.hidden = hidden
        self.keeps = keeps

    def detect(self, photo: StoredPhoto, min_confidence: float, detection_pass: DetectionPass) -> Detection:
        """The boxes of at least this confidence (0…100) that are neither covered nor kept visible by a decision.

        Raises the errors of the detector.
        """
        found = self.detector.detect(photo, min_confidence, detection_pass)
        header = decode.inspect(photo.data)
        visible = uncovered((header.width, header.height), self.hidden, found.boxes)
        return replace(found, boxes=[box for box in visible if not self.keeps(box)])
