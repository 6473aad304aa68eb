"""The hourly sweep: it deletes what no job needs any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from faceblur import config
from faceblur.errors import BatchNotFound, FaceblurError
from faceblur.jobs.batch_erasure import erase_batch
from faceblur.jobs.completion import erase_unneeded
from faceblur.jobs.table import UNFINISHED

if TYPE_CHECKING:
    from faceblur.jobs.batch_files import BatchFiles
    from faceblur.jobs.batches import Batches
    from faceblur.jobs.storage import Photos
    from faceblur.jobs.table import Jobs

_FAILURES = (FaceblurError, ClientError)


def sweep(jobs: Jobs, photos: Photos, batches: Batches, files: BatchFiles) -> int:
    """Delete objects older than a job's lifetime, and what jobs no longer need. Returns the number of old objects.

    After an error the sweep goes on. It raises the first error at the end.
    """
    swept, errors = 0, list[Exception]()
    try:
        swept = photos.sweep(config.JOB_LIFETIME_SECONDS)
    except _FAILURES as error:
        errors.append(error)
    # The old objects are deleted first, so the objects listed here belong to jobs of the last day.
    for job_id in photos.jobs_with_photos():
        try:
            _sweep_job(job_id, jobs, photos)
        except _FAILURES as error:
            errors.append(error)
    for batch_id in files.has_batches():
        try:
            _sweep_batch(batch_id, batches, jobs, photos, files)
        except _FAILURES as error:
            errors.append(error)
    if errors:
        raise errors[0]
    return swept


def _sweep_job(job_id: str, jobs: Jobs, photos: Photos) -> None:
    """Delete what the job no longer needs. Most jobs need everything; one read of the row shows that."""
    job = jobs.find(job_id)
    if job is None or not (job.status in UNFINISHED or job.keeps_original):
        erase_unneeded(job_id, jobs, photos)
    elif job.is_upload_overdue and not photos.has_upload(job_id):
        # A request for the job would fail it with UploadExpired. Without one, its decision must be deleted here.
        photos.erase(job_id)


def _sweep_batch(batch_id: str, batches: Batches, jobs: Jobs, photos: Photos, files: BatchFiles) -> None:
    """Erase what is left of a batch that was deleted or has expired."""
    try:
        batches.get(batch_id)
    except BatchNotFound:
        erase_batch(batch_id, jobs, photos, files)
