"""The interface of all detectors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from faceblur.geometry import Box


class DetectionPass(StrEnum):
    """Whether a detector searches the uploaded photo, or checks a draft.

    A check uses another method, to find faces that the first pass missed.
    """

    FIRST = "first"
    CHECK = "check"


@dataclass(frozen=True, slots=True)
class StoredPhoto:
    """A photo's file, and its bucket and key for a detector that reads it from S3; empty if it is not there."""

    data: bytes
    bucket: str
    key: str


@dataclass(frozen=True, slots=True)
class Detection:
    """The boxes that a detector found, most confident first.

    `version` names the model or service, `calls` counts the billable requests, and `warnings` holds codes of
    `warnings.WarningCode`.
    """

    boxes: list[Box]
    detector: str
    version: str
    calls: int
    warnings: list[str]

    def __post_init__(self) -> None:
        """Name this detector in each box that names none."""
        self.boxes[:] = [box if box.found_by else replace(box, found_by=self.detector) for box in self.boxes]


class Detector(Protocol):
    """Finds faces in a photo."""

    def detect(self, photo: StoredPhoto, min_confidence: float, detection_pass: DetectionPass) -> Detection:
        """The faces of at least this confidence (0…100). Raises a PhotoError or a TransientError."""
