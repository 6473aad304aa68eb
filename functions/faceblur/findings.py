"""The faces found in a job so far. They lie in S3 beside its photo, written by who finds them, read by who hides them.

The digest of the photo lies with them: faces of one photo are never hidden in another. A workflow's state carries the
key and the count alone: it has room for 256 KiB, and stays readable for 90 days after the job and its photos are
deleted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from faceblur.errors import TooManyFaces
from faceblur.faces import MAX_FACES, Box
from faceblur.late_writes import withdraw_if_late

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from faceblur.jobs import Jobs
    from faceblur.storage import Photos


@dataclass(frozen=True, slots=True)
class Finding:
    """A face and the round in which it was found: 0 is the first look at the photo, 1…5 are the checks."""

    box: Box
    round: int

    def to_dict(self) -> dict[str, Any]:
        """This finding as JSON carries it."""
        return {**self.box.to_dict(), "look": "check" if self.round else "first", "round": self.round}

    @classmethod
    def from_dict(cls, finding: Mapping[str, Any]) -> Finding:
        """The finding that `to_dict` wrote."""
        return cls(Box.from_dict(finding), finding["round"])


@dataclass(frozen=True, slots=True)
class Findings:
    """All faces found so far, and the digest (`storage.digest`) of the photo in which the first look found them."""

    photo: Mapping[str, Any]
    faces: Sequence[Finding]

    def and_also(self, boxes: Sequence[Box], round_: int) -> Findings:
        """These findings and those of another look."""
        return Findings(self.photo, [*self.faces, *(Finding(box, round_) for box in boxes)])


def store_findings(job_id: str, findings: Findings, jobs: Jobs, photos: Photos) -> dict[str, Any]:
    """Store all findings of a job so far: `{"key", "count"}`.

    Raises TooManyFaces if they are more than a job can hide; JobNotFound, and leaves nothing, if the job is not in
    work any more.
    """
    if len(findings.faces) > MAX_FACES:
        raise TooManyFaces
    boxes = [finding.to_dict() for finding in findings.faces]
    key = photos.write_boxes(job_id, {"photo": findings.photo, "boxes": boxes})
    withdraw_if_late(key, job_id, jobs, photos)
    return {"key": key, "count": len(boxes)}


def load_findings(boxes: Mapping[str, Any], photos: Photos) -> Findings:
    """The findings that `store_findings` stored; raises JobNotFound if they are erased."""
    content = photos.read_boxes(boxes["key"])
    return Findings(content["photo"], [Finding.from_dict(box) for box in content["boxes"]])
