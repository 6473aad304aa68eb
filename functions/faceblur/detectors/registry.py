"""The detectors by the values of the template's parameter FaceDetector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from faceblur.detectors.kinds import DetectorOfKinds

if TYPE_CHECKING:
    from collections.abc import Collection

    from faceblur.detectors.base import Detector, PaidCalls
    from faceblur.errors import FaceblurError
    from faceblur.limits import Kind

FACES: tuple[Kind, ...] = ("face",)


def detector_named(
    name: str,
    paid: PaidCalls,
    goes_on_after: tuple[type[FaceblurError], ...],
    kinds: Collection[Kind] = FACES,
) -> Detector:
    """The detector of this name that finds these kinds. Only what they need is loaded.

    Raises ValueError for a name other than embedded, rekognition or both, and for plates and text with `rekognition`.
    """
    of_text = [kind for kind in kinds if kind != "face"]
    detectors = [face_detector_named(name, paid, goes_on_after)] if "face" in kinds else []
    if of_text and name == "rekognition":
        raise ValueError("plates and text are found by the embedded detector: FaceDetector must be embedded or both")
    if of_text:
        from faceblur.detectors.text.detector import EmbeddedTextDetector

        detectors.append(EmbeddedTextDetector(of_text))
    return detectors[0] if len(detectors) == 1 else DetectorOfKinds(detectors)


def face_detector_named(name: str, paid: PaidCalls, goes_on_after: tuple[type[FaceblurError], ...]) -> Detector:
    """The detector of faces of this name: embedded, rekognition or both; raises ValueError for any other name.

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
