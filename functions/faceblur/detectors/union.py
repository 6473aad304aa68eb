"""Several detectors at once: each face that any of them finds counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from faceblur.detectors.base import Detection
from faceblur.detectors.warnings import WarningCode
from faceblur.errors import TransientError
from faceblur.geometry import merge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from faceblur.detectors.base import DetectionPass, Detector, StoredPhoto


class UnionDetector:
    """The union of several detectors' faces; faces that overlap are merged."""

    def __init__(self, detectors: Sequence[Detector], leave_out_unavailable: bool) -> None:
        """Ask these detectors in this order. If asked to, go on without those that are unavailable."""
        self.detectors = detectors
        self.leave_out_unavailable = leave_out_unavailable

    def detect(self, photo: StoredPhoto, min_confidence: float, detection_pass: DetectionPass) -> Detection:
        """The faces of at least this confidence (0…100) that any detector finds.

        A detector's TransientError is raised, so that the state machine tries again. With `leave_out_unavailable` it
        becomes a warning, unless all detectors are unavailable.
        """
        found: list[Detection] = []
        error: TransientError | None = None
        for detector in self.detectors:
            try:
                found.append(detector.detect(photo, min_confidence, detection_pass))
            except TransientError as unavailable:
                if not self.leave_out_unavailable:
                    raise
                error = unavailable
        if error and not found:
            raise error
        warnings = {warning for each in found for warning in each.warnings}
        return Detection(
            boxes=merge((box for each in found for box in each.boxes), overlap=0.4, inside=0.8),
            detector="+".join(each.detector for each in found),
            version=" ".join(each.version for each in found),
            calls=sum(each.calls for each in found),
            warnings=sorted(warnings | ({WarningCode.ONE_DETECTOR_ONLY} if error else set())),
        )
