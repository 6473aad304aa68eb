"""Finishes jobs, with a result or with a failure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from faceblur import errors
from faceblur.errors import Aborted, FaceblurError, InternalError, JobNotFound, TimedOut
from faceblur.jobs.boxes import load_boxes
from faceblur.jobs.events import tell_end
from faceblur.jobs.execution_names import execution_name
from faceblur.jobs.receipts import receipt
from faceblur.jobs.storage import upload_key
from faceblur.jobs.table import UNFINISHED, Status

if TYPE_CHECKING:
    from faceblur.contracts import CompleteRequest
    from faceblur.jobs.boxes import FoundBoxes
    from faceblur.jobs.storage import Photos
    from faceblur.jobs.table import Job, Jobs


def complete_job(request: CompleteRequest, jobs: Jobs, photos: Photos) -> Job | None:
    """Turn the job to COMPLETED, write its receipt, send its event, and delete what the job no longer needs.

    Returns the job; None if an earlier attempt had completed it, or if it was deleted right after its completion.

    Raises JobNotFound, and leaves no receipt, if the job was deleted before its completion.
    """
    try:
        found = load_boxes(request.boxes, photos)
    except JobNotFound:
        # An earlier attempt may have completed the job and deleted the boxes, but its answer was lost.
        if not jobs.get(request.job_id).was_completed_by(request.execution):
            raise
        completed = False
    else:
        completed = _complete(request, found, jobs, photos)
        if completed:
            tell_end(request.job_id, jobs)
    # If a photo was posted twice, the second post may have arrived after the original was deleted.
    job = erase_unneeded(request.job_id, jobs, photos)
    return job if completed else None


def _complete(request: CompleteRequest, found: FoundBoxes, jobs: Jobs, photos: Photos) -> bool:
    """Write the receipt and publish the draft as the result. Returns whether this completed the job."""
    if not found.boxes:
        # The code of WarningCode.NOTHING_FOUND, whose module would load Pillow.
        request = replace(request, warnings=[*request.warnings, "NothingFound"])
    request = replace(request, warnings=sorted(set(request.warnings)))
    receipt_key = photos.write_receipt(
        execution_name(request.execution), receipt(request, found, photos.digest_of_draft(request.draft["key"]))
    )
    outcome = {
        "hidden": found.hidden,
        "missed_at_first": sum(each.hidden and each.round > 0 for each in found.boxes),
        "kept": found.kept,
        "check_rounds": request.check_rounds,
        "reviewed": request.reviewed,
        "warnings": request.warnings,
        "options": request.options,
        "boxes": request.boxes,
        "result": request.draft,
        "receipt": receipt_key,
    }
    try:
        return jobs.complete(request.job_id, request.execution, outcome, request.options["keep_original"])
    except JobNotFound:
        # A late task of an execution that has completed the job must not delete the receipt.
        job = jobs.find(request.job_id)
        if job is None or job.outcome.get("receipt") != receipt_key:
            photos.withdraw(receipt_key)
        raise


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


def fail_job(job_id: str, execution: str, error: FaceblurError, jobs: Jobs, photos: Photos) -> None:
    """Record that an execution failed, unless it has recorded that itself, and delete what the job no longer needs.

    If another execution works on the job, nothing changes.
    """
    jobs.fail(job_id, error, execution)
    erase_unneeded(job_id, jobs, photos)


def erase_unneeded(job_id: str, jobs: Jobs, photos: Photos) -> Job | None:
    """Delete what a finished job no longer needs. Returns the job; None if it does not exist.

    A completed job keeps its result and its receipt. As long as it can be done again, it also keeps its photo and its
    last boxes. A job that failed or does not exist keeps nothing.
    """
    # The keys are listed before the job is read, so none belongs to a redo that starts afterwards.
    keys = photos.keys_of(job_id)
    job = jobs.find(job_id)
    if job is None:
        photos.delete(keys)
    elif job.status not in UNFINISHED:
        kept = _needed(job)
        photos.delete(key for key in keys if key not in kept)
    return job


def _needed(job: Job) -> set[str]:
    """The keys of the objects that a finished job keeps."""
    if job.status is Status.FAILED:
        return set()
    kept = {job.outcome["result"]["key"], job.outcome["receipt"]}
    if job.keeps_original:
        kept |= {upload_key(job.job_id), job.outcome["boxes"]["key"]}
    return kept
