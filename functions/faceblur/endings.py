"""How a job ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from faceblur import errors
from faceblur.errors import Aborted, FaceblurError, InternalError, JobNotFound, TimedOut
from faceblur.jobs import UNFINISHED, Status

if TYPE_CHECKING:
    from faceblur.jobs import Jobs
    from faceblur.storage import Photos


def with_warnings(outcome: dict[str, Any]) -> dict[str, Any]:
    """The outcome of a completed job, saying so plainly if no face was found."""
    nothing_found = [] if outcome["faces"] else ["NoFacesFound"]
    return {**outcome, "warnings": outcome["warnings"] + nothing_found}


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


def end_in_failure(
    job_id: str, error: FaceblurError, jobs: Jobs, photos: Photos, only_from: tuple[Status, ...] = UNFINISHED
) -> bool:
    """Record the failure of a job that is in one of these states, and erase what must not stay.

    A job that goes on or is completed is left alone; of a failed one nothing stays but the original it was told
    to keep; of a job that does not exist (deleted, or never created) nothing at all. Tells whether the job is
    a failed one.
    """
    jobs.fail(job_id, error, only_from)
    try:
        job = jobs.get(job_id)
    except JobNotFound:
        photos.erase(job_id)
        return False
    if job.status is not Status.FAILED:
        return False
    photos.erase(job_id, keep_upload=job.keeps_original)
    return True
