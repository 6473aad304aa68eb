"""The detectors by the values of the template's parameter FaceDetector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from faceblur.detectors.by_kind import DetectorOfKinds

if TYPE_CHECKING:
    from collections.abc import Collection

    from faceblur.detectors.base import Answer, Detector, PaidCalls
    from faceblur.errors import FaceblurError
    from faceblur.limits import Kind

FACES: tuple[Kind, ...] = ("face",)


def detector_named(
    name: str,
    paid: PaidCalls,
    goes_on_after: tuple[type[FaceblurError], ...],
    kinds: Collection[Kind] = FACES,
) -> Detector:
    """The detector of this name, embedded, rekognition or both, that finds these kinds.

    Rekognition makes these `paid` calls. After these errors of it, `both` goes on with the embedded detector. Each
    detector is imported only when it is used: the embedded ones cannot be imported without the layer, and no network is
    loaded needlessly. Raises ValueError for any other name.
    """
    answers: dict[str, Answer] = {}
    of_text = [kind for kind in kinds if kind != "face"]
    detectors = [_of_faces(name, paid, answers, goes_on_after)] if "face" in kinds else []
    if of_text:
        detectors.append(_of_text(name, of_text, paid, answers, goes_on_after))
    return detectors[0] if len(detectors) == 1 else DetectorOfKinds(detectors)


def _of_faces(
    name: str, paid: PaidCalls, answers: dict[str, Answer], goes_on_after: tuple[type[FaceblurError], ...]
) -> Detector:
    match name:
        case "embedded":
            from faceblur.detectors.embedded.detector import EmbeddedDetector

            return EmbeddedDetector()
        case "rekognition":
            from faceblur.detectors.rekognition import RekognitionDetector

            return RekognitionDetector(paid, answers)
        case "both":
            from faceblur.detectors.embedded.detector import EmbeddedDetector
            from faceblur.detectors.rekognition import RekognitionDetector
            from faceblur.detectors.union import UnionDetector

            return UnionDetector(EmbeddedDetector(), RekognitionDetector(paid, answers), goes_on_after)
        case _:
            raise _unknown(name)


def _of_text(
    name: str,
    kinds: Collection[Kind],
    paid: PaidCalls,
    answers: dict[str, Answer],
    goes_on_after: tuple[type[FaceblurError], ...],
) -> Detector:
    match name:
        case "embedded":
            from faceblur.detectors.text.detector import EmbeddedTextDetector

            return EmbeddedTextDetector(kinds)
        case "rekognition":
            from faceblur.detectors.text.rekognition import RekognitionTextDetector

            return RekognitionTextDetector(kinds, paid, answers)
        case "both":
            from faceblur.detectors.text.detector import EmbeddedTextDetector
            from faceblur.detectors.text.rekognition import RekognitionTextDetector
            from faceblur.detectors.union import UnionOfText

            paid_one = RekognitionTextDetector(kinds, paid, answers)
            return UnionOfText(EmbeddedTextDetector(kinds), paid_one, goes_on_after)
        case _:
            raise _unknown(name)


def _unknown(name: str) -> ValueError:
    return ValueError(f"{name!r} is not one of the detectors: embedded, rekognition, both")
