"""The detectors by the values of the template's parameter FaceDetector."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faceblur.detectors.base import Detector


def detector_named(name: str, *, leave_out_unavailable: bool = False) -> Detector:
    """The detector of this name: embedded, rekognition or both; raises ValueError for any other name.

    With `leave_out_unavailable`, `both` goes on with one detector if the other is away. Each detector is imported only
    on use, because the embedded one cannot be imported without the layer.
    """
    match name:
        case "embedded":
            from faceblur.detectors.embedded.detector import EmbeddedDetector

            return EmbeddedDetector()
        case "rekognition":
            from faceblur.detectors.rekognition import RekognitionDetector

            return RekognitionDetector()
        case "both":
            from faceblur.detectors.union import UnionDetector

            # The service comes first: if it is unavailable, no time is spent on the networks.
            return UnionDetector([detector_named("rekognition"), detector_named("embedded")], leave_out_unavailable)
        case _:
            raise ValueError(f"{name!r} is not one of the detectors: embedded, rekognition, both")
