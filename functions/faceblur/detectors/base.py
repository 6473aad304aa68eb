"""What every detector takes and gives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from faceblur.geometry import Box


class DetectionPass(StrEnum):
    """Whether a detector searches the photo for the first time, or checks a draft.

    A check searches in another way, to find the faces that the first pass missed.
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
    `warnings.WarningCode`.
    """

    boxes: list[Box]
    detector: str
    version: str
    calls: int
    warnings: list[str]

    def __post_init__(self) -> None:
        """Say of each box which detector found it."""
        self.boxes[:] = [box if box.found_by else replace(box, found_by=self.detector) for box in self.boxes]


class Detector(Protocol):
    """Anything that finds faces in a photo."""

    def detect(self, photo: StoredPhoto, min_confidence: float, detection_pass: DetectionPass) -> Detection:
        """The faces of at least this confidence (0…100); a PhotoError or TransientError if it cannot tell."""
