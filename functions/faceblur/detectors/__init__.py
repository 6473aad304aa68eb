"""Finding faces: what every detector takes and gives, and how one is chosen by its name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from faceblur.faces import Box


# The middle of the scale on which all detectors' confidences lie, chosen for recall.
DEFAULT_CONFIDENCE = 50.0


class Look(StrEnum):
    """Which look this is: the first one, at the photo, or a check of a draft.

    A check looks in a way of its own, to find what the first look missed.
    """

    FIRST = "first"
    CHECK = "check"


@dataclass(frozen=True, slots=True)
class StoredPhoto:
    """A photo's file, and where it lies in S3 for a detector that reads it there itself."""

    data: bytes
    bucket: str
    key: str


@dataclass(frozen=True, slots=True)
class Detection:
    """What a detector found: the boxes, most confident first, and how.

    `version` names the model or service, `calls` counts the billable requests, `warnings` are the codes of
    `doubts.Doubt`.
    """

    boxes: list[Box]
    detector: str
    version: str
    calls: int
    warnings: list[str]

    def __post_init__(self) -> None:
        """Say of each box who found it."""
        self.boxes[:] = [box if box.found_by else replace(box, found_by=self.detector) for box in self.boxes]


class Detector(Protocol):
    """Anything that finds faces in a photo."""

    def detect(self, photo: StoredPhoto, min_confidence: float, look: Look) -> Detection:
        """The faces of at least this confidence (0…100); a PhotoError or TransientError if it cannot tell."""


def confidence_for(look: Look, asked: float) -> float:
    """The confidence to ask a detector for: the first look may go lower than a check.

    Below the default a detector sees faces in what is no face. Whoever asks for that has it once, not in each check.
    """
    return asked if look is Look.FIRST else max(asked, DEFAULT_CONFIDENCE)


def look_for_faces(detector: Detector, photo: StoredPhoto, asked: float, look: Look) -> Detection:
    """The faces of at least the confidence that was asked for, as far as the look allows it.

    A job may ask for more than the default: then the likely faces that it leaves visible are worth a warning.
    """
    from faceblur.detectors.doubts import Doubt

    least = confidence_for(look, asked)
    found = detector.detect(photo, min(least, DEFAULT_CONFIDENCE), look)
    boxes = [box for box in found.boxes if box.confidence >= least]
    if len(boxes) == len(found.boxes):
        return found
    return replace(found, boxes=boxes, warnings=[*found.warnings, Doubt.FACES_BELOW_CONFIDENCE])


def detector_named(name: str, *, last_resort: bool = False) -> Detector:
    """The detector of this name: embedded, rekognition or both.

    As a last resort, `both` goes on with one of the two if the other is unavailable. What a detector needs is
    imported with it alone, so that functions without the layer can import this module.
    """
    match name:
        case "embedded":
            from faceblur.detectors.embedded import EmbeddedDetector

            return EmbeddedDetector()
        case "rekognition":
            from faceblur.detectors.rekognition import RekognitionDetector

            return RekognitionDetector()
        case "both":
            from faceblur.detectors.union import UnionDetector

            # The service first: if it is unavailable, no time was spent in vain.
            return UnionDetector([detector_named("rekognition"), detector_named("embedded")], last_resort)
        case _:
            raise ValueError(f"{name!r} is not one of the detectors: embedded, rekognition, both")
