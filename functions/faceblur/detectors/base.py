"""The interface of all detectors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from faceblur.geometry import Box


class DetectionPass(StrEnum):
    """Whether a detector searches the uploaded photo, or checks a draft.

    A check uses another method, to find what the first pass missed.
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


def one_detection(found: Sequence[Detection], boxes: list[Box], *warnings: str) -> Detection:
    """Several detections as one, which has these boxes, and further warnings if there are any."""
    return Detection(
        boxes=boxes,
        detector="+".join(dict.fromkeys(each.detector for each in found)),
        version=" ".join(each.version for each in found),
        calls=sum(each.calls for each in found),
        warnings=sorted({*warnings, *(warning for each in found for warning in each.warnings)}),
    )


class Detector(Protocol):
    """Finds what may be hidden in a photo."""

    def detect(self, photo: StoredPhoto, min_confidence: float, detection_pass: DetectionPass) -> Detection:
        """The boxes of at least this confidence (0…100). Raises a PhotoError or a TransientError."""


class HintingDetector(Protocol):
    """A detector that also tells where another one should look closely."""

    def detect_with_hints(
        self, photo: StoredPhoto, min_confidence: float, detection_pass: DetectionPass
    ) -> tuple[Detection, list[Box]]:
        """The same as `Detector.detect`, and the boxes of all possible faces, however unlikely."""


class GuidedDetector(Protocol):
    """A detector that looks closely only where it is told to."""

    def detect_at(
        self, photo: StoredPhoto, min_confidence: float, detection_pass: DetectionPass, hints: Sequence[Box]
    ) -> Detection:
        """The same as `Detector.detect`; the photo may have small faces only at these hints."""


class Answer(NamedTuple):
    """The boxes of one answer of a paid service, as fractions of its picture.

    `is_full`: it holds as much as an answer can, so more may be there.
    """

    boxes: list[Box]
    is_full: bool


class PaidCalls(Protocol):
    """The calls of a paid service that a round may make: the first detection of a photo, or a check.

    It also remembers the answers of an earlier attempt at the same round, so that they are not paid twice.
    """

    @property
    def left(self) -> int:
        """How many calls the job may still make. A remembered answer counts as a call once it is used."""

    @property
    def reserved(self) -> int:
        """How many of these calls the round should leave to others, so that each of them can see the whole picture."""

    def take(self, number: int) -> None:
        """Count calls before they are made. Raises PhotoTooExpensive if the job may not make that many."""

    def give_back(self, number: int) -> None:
        """Take back this number of the calls that were counted last, because they cost nothing."""

    def remembered(self, request: str) -> Answer | None:
        """The answer to a request with this digest; None if there is none."""

    def keep(self, answers: Mapping[str, Answer]) -> None:
        """Remember these answers by their requests' digests."""
