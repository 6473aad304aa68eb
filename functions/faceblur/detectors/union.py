"""Both detectors at once: what either of them finds counts.

The embedded one searches first, because it costs nothing. Its possible faces are hints for the paid one, which searches
these places closely. For text, each of them searches the whole photo as it does alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from faceblur.detectors.base import one_detection
from faceblur.detectors.warnings import WarningCode
from faceblur.geometry import merge_faces, merge_lines

if TYPE_CHECKING:
    from faceblur.detectors.base import (
        Detection,
        DetectionPass,
        Detector,
        GuidedDetector,
        HintingDetector,
        StoredPhoto,
    )
    from faceblur.errors import FaceblurError


class UnionDetector:
    """The union of two detectors' faces; faces that overlap are merged."""

    def __init__(
        self, hinting: HintingDetector, guided: GuidedDetector, goes_on_after: tuple[type[FaceblurError], ...]
    ) -> None:
        """Ask `guided` at the hints of the other one. After these errors of it, go on without it."""
        self.hinting = hinting
        self.guided = guided
        self.goes_on_after = goes_on_after

    def detect(self, photo: StoredPhoto, min_confidence: float, detection_pass: DetectionPass) -> Detection:
        """The faces of at least this confidence (0…100) that either detector finds.

        Raises the errors of the detectors. Without the guided one there is a warning.
        """
        found, hints = self.hinting.detect_with_hints(photo, min_confidence, detection_pass)
        try:
            closer = self.guided.detect_at(photo, min_confidence, detection_pass, hints)
        except self.goes_on_after:
            return one_detection([found], merge_faces(found.boxes), WarningCode.ONE_DETECTOR_ONLY)
        return one_detection([closer, found], merge_faces([*closer.boxes, *found.boxes]))


class UnionOfText:
    """The union of two detectors' plates and texts.

    Boxes are merged only if they are nearly the same, because two boxes of one text may show different parts of it.
    """

    def __init__(self, free: Detector, paid: Detector, goes_on_after: tuple[type[FaceblurError], ...]) -> None:
        """Ask both. After these errors of the paid one, go on without it."""
        self.free = free
        self.paid = paid
        self.goes_on_after = goes_on_after

    def detect(self, photo: StoredPhoto, min_confidence: float, detection_pass: DetectionPass) -> Detection:
        """The plates and texts of at least this confidence (0…100) that either detector finds.

        Raises the errors of the detectors. Without the paid one there is a warning.
        """
        found = self.free.detect(photo, min_confidence, detection_pass)
        try:
            further = self.paid.detect(photo, min_confidence, detection_pass)
        except self.goes_on_after:
            return one_detection([found], merge_lines(found.boxes), WarningCode.ONE_DETECTOR_ONLY)
        return one_detection([further, found], merge_lines([*further.boxes, *found.boxes]))
