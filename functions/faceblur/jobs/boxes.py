"""The boxes files in S3: `detect_faces` writes all boxes found so far in a job, and `hide_faces` reads them.

A file also holds the digest of the photo, so that boxes of one photo are never hidden in another. The workflow's state
carries only the key and the count of the boxes (`contracts`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from faceblur.detectors.base import DetectionPass
from faceblur.errors import TooManyFaces
from faceblur.geometry import Box
from faceblur.jobs.storage import withdraw_if_late
from faceblur.limits import MAX_FACES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from faceblur.contracts import StoredBoxes
    from faceblur.jobs.storage import Photos
    from faceblur.jobs.table import Jobs


@dataclass(frozen=True, slots=True)
class FoundBox:
    """A face's box and the round that found it: 0 is the first pass, 1…5 are the checks."""

    box: Box
    round: int

    def to_dict(self) -> dict[str, Any]:
        """This box as JSON carries it."""
        found_in = DetectionPass.CHECK if self.round else DetectionPass.FIRST
        return {**self.box.to_dict(), "found_in": found_in, "round": self.round}

    @classmethod
    def from_dict(cls, box: Mapping[str, Any]) -> FoundBox:
        """The box that `to_dict` wrote."""
        return cls(Box.from_dict(box), box["round"])


@dataclass(frozen=True, slots=True)
class FoundBoxes:
    """All boxes found so far, and the digest (`storage.digest`) of the upload."""

    photo: Mapping[str, Any]
    boxes: Sequence[FoundBox]

    def plus(self, boxes: Sequence[Box], round_: int) -> FoundBoxes:
        """All these boxes and the boxes of another round."""
        return FoundBoxes(self.photo, [*self.boxes, *(FoundBox(box, round_) for box in boxes)])


def store_boxes(job_id: str, found: FoundBoxes, jobs: Jobs, photos: Photos) -> StoredBoxes:
    """Store all boxes found so far.

    Raises TooManyFaces if a job cannot hide that many. Raises JobNotFound, and leaves nothing, if the job is no longer
    being processed.
    """
    if len(found.boxes) > MAX_FACES:
        raise TooManyFaces
    boxes = [box.to_dict() for box in found.boxes]
    key = photos.write_boxes(job_id, {"photo": found.photo, "boxes": boxes})
    withdraw_if_late(key, job_id, jobs, photos)
    return {"key": key, "count": len(boxes)}


def load_boxes(stored: StoredBoxes, photos: Photos) -> FoundBoxes:
    """Load the boxes that `store_boxes` stored. Raises JobNotFound if they were erased."""
    content = photos.read_boxes(stored["key"])
    return FoundBoxes(content["photo"], [FoundBox.from_dict(box) for box in content["boxes"]])
