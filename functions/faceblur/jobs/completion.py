"""How a job finishes: with a result or with a failure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from faceblur import errors
from faceblur.errors import Aborted, FaceblurError, InternalError, JobNotFound, TimedOut
from faceblur.jobs.boxes import load_boxes
from faceblur.jobs.receipts import receipt
from faceblur.jobs.table import Status

if TYPE_CHECKING:
    from faceblur.contracts import CompleteRequest
    from faceblur.jobs.boxes import FoundBoxes
    from faceblur.jobs.storage import Photos
    from faceblur.jobs.table import Jobs


def complete_job(request: CompleteRequest, jobs: Jobs, photos: Photos) -> None:
    """Turn the job to COMPLETED, write its receipt, and delete what it needs no more.

    Raises JobNotFound, and leaves no receipt, if the job was deleted in the meantime.
    """
    try:
        found = load_boxes(request.boxes, photos)
    except JobNotFound:
        # An earlier attempt may have completed the job and deleted the boxes, but its answer was lost.
        if jobs.get(request.job_id).status is not Status.COMPLETED:
            raise
    else:
        _complete(request, found, jobs, photos)
    # If a photo was posted twice, the second may have arrived after the original was deleted.
    keep_original = request.options["keep_original"]
    photos.erase_all_but(request.job_id, request.draft["key"], keep_upload=keep_original)


def _complete(request: CompleteRequest, found: FoundBoxes, jobs: Jobs, photos: Photos) -> None:
    """Write the receipt and publish the draft as the result."""
    if not found.boxes:
        # The code of WarningCode.NO_FACES_FOUND, whose module would load Pillow.
        request = replace(request, warnings=[*request.warnings, "NoFacesFound"])
    request = replace(request, warnings=sorted(set(request.warnings)))
    receipt_key = photos.write_receipt(
        request.job_id, receipt(request, found, photos.digest_of_draft(request.draft["key"]))
    )
    outcome = {
        "faces": found.hidden,
        "missed_at_first": sum(each.hidden and each.round > 0 for each in found.boxes),
        "kept": found.kept,
        "check_rounds": request.check_rounds,
        "warnings": request.warnings,
        "result": request.draft,
        "receipt": receipt_key,
    }
    try:
        jobs.complete(request.job_id, outcome)
    except JobNotFound:
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


def fail_job(job_id: str, error: FaceblurError, jobs: Jobs, photos: Photos) -> bool:
    """Record the failure of a job that has not finished, and delete what must not stay; tells whether it is FAILED.

    A failed job keeps only the original, and only if it was asked to. A job that does not exist keeps nothing. A
    completed job keeps its result: its last task may have died before it deleted the rest.
    """
    jobs.fail(job_id, error)
    try:
        job = jobs.get(job_id)
    except JobNotFound:
        photos.erase(job_id)
        return False
    if job.status is Status.COMPLETED:
        photos.erase_all_but(job_id, job.outcome["result"]["key"], keep_upload=job.keeps_original)
        return False
    photos.erase(job_id, keep_upload=job.keeps_original)
    return True
