"""How a job ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from faceblur import errors
from faceblur.errors import Aborted, FaceblurError, InternalError, JobNotFound, TimedOut
from faceblur.jobs.boxes import load_boxes
from faceblur.jobs.receipts import receipt
from faceblur.jobs.table import UNFINISHED, Status

if TYPE_CHECKING:
    from faceblur.jobs.boxes import FoundBoxes
    from faceblur.jobs.storage import Photos
    from faceblur.jobs.table import Jobs


def complete_job(done: dict[str, Any], jobs: Jobs, photos: Photos) -> None:
    """Complete the job with its receipt, and erase what it needs no more.

    `done` is what the state machine hands to its last task. Raises JobNotFound, and leaves no receipt, if the job was
    deleted meanwhile.
    """
    job_id = done["job_id"]
    try:
        found = load_boxes(done["boxes"], photos)
    except JobNotFound:
        # An earlier try may have completed the job and erased them, and then could not tell.
        if jobs.get(job_id).status is not Status.COMPLETED:
            raise
    else:
        _complete(done, found, jobs, photos)
    # A photo that was posted twice may have come after the original was deleted.
    photos.erase_all_but(job_id, done["draft"]["key"], keep_upload=done["options"]["keep_original"])


def _complete(done: dict[str, Any], found: FoundBoxes, jobs: Jobs, photos: Photos) -> None:
    """Write the receipt and record the result. A photo without a face is said plainly to be one."""
    draft, boxes = done["draft"], found.boxes
    done = {**done, "warnings": sorted({*done["warnings"], *(() if boxes else ("NoFacesFound",))})}
    told = receipt(done, found, photos.digest_of_result(draft["key"]))
    outcome = {
        "faces": len(boxes),
        "missed_at_first": sum(box.round > 0 for box in boxes),
        "check_rounds": done["check_rounds"],
        "warnings": done["warnings"],
        "result": draft,
        "receipt": photos.write_receipt(done["job_id"], told),
    }
    try:
        jobs.complete(done["job_id"], outcome)
    except JobNotFound:
        photos.withdraw(outcome["receipt"])
        raise


def ended_execution(message: str) -> dict[str, Any] | None:
    """The event of EventBridge's that a message carries; None if it carries something else."""
    try:
        event: Any = json.loads(message)
    except ValueError:
        return None
    return event if isinstance(event, dict) and event.get("source") == "aws.states" else None


def error_of(status: str, name: str | None, cause: str | None) -> FaceblurError:
    """The error of an execution that ended with this status, error name and cause."""
    if status == "TIMED_OUT":
        return TimedOut()
    if status == "ABORTED":
        return Aborted()
    known = getattr(errors, name or "", None)
    if isinstance(known, type) and issubclass(known, FaceblurError):
        return known(cause)
    return InternalError()


def fail_job(
    job_id: str, error: FaceblurError, jobs: Jobs, photos: Photos, only_from: tuple[Status, ...] = UNFINISHED
) -> bool:
    """Record the failure of a job that is in one of these states, and erase what must not stay.

    A job that goes on is left alone; of a failed one nothing stays but the original it was told to keep; of a job
    that does not exist (deleted, or never created) nothing at all. A completed one stays so: its last task may have
    died before it erased what the job needs no more. Tells whether the job is a failed one.
    """
    jobs.fail(job_id, error, only_from)
    try:
        job = jobs.get(job_id)
    except JobNotFound:
        photos.erase(job_id)
        return False
    if job.status is Status.COMPLETED:
        photos.erase_all_but(job_id, job.outcome["result"]["key"], keep_upload=job.keeps_original)
    if job.status is not Status.FAILED:
        return False
    photos.erase(job_id, keep_upload=job.keeps_original)
    return True
