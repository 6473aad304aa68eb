"""The detectors by the values of the template's parameter FaceDetector."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faceblur.detectors.base import Detector, PaidCalls
    from faceblur.errors import FaceblurError


def detector_named(name: str, paid: PaidCalls, goes_on_after: tuple[type[FaceblurError], ...]) -> Detector:
    """The detector of this name: embedded, rekognition or both; raises ValueError for any other name.

    Rekognition makes these `paid` calls. After these errors of it, `both` goes on with the embedded detector. Each
    detector is imported only on use, because the embedded one cannot be imported without the layer.
    """
    match name:
        case "embedded":
            from faceblur.detectors.embedded.detector import EmbeddedDetector

            return EmbeddedDetector()
        case "rekognition":
            from faceblur.detectors.rekognition import RekognitionDetector

            return RekognitionDetector(paid)
        case "both":
            from faceblur.detectors.embedded.detector import EmbeddedDetector
            from faceblur.detectors.rekognition import RekognitionDetector
            from faceblur.detectors.union import UnionDetector

            return UnionDetector(EmbeddedDetector(), RekognitionDetector(paid), goes_on_after)
        case _:
            raise ValueError(f"{name!r} is not one of the detectors: embedded, rekognition, both")
