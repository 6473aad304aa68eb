"""Both detectors at once: each face that either of them finds counts.

The embedded one looks first, because it costs nothing and tells the paid one where to look closely.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from faceblur.detectors.base import Detection
from faceblur.detectors.warnings import WarningCode
from faceblur.geometry import merge

if TYPE_CHECKING:
    from faceblur.detectors.base import DetectionPass, GuidedDetector, HintingDetector, StoredPhoto
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
            return _joined([found], WarningCode.ONE_DETECTOR_ONLY)
        return _joined([closer, found])


def _joined(found: list[Detection], *warnings: WarningCode) -> Detection:
    return Detection(
        boxes=merge((box for each in found for box in each.boxes), overlap=0.4, inside=0.8),
        detector="+".join(each.detector for each in found),
        version=" ".join(each.version for each in found),
        calls=sum(each.calls for each in found),
        warnings=sorted({*warnings, *(warning for each in found for warning in each.warnings)}),
    )
