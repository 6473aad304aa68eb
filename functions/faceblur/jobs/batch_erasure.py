"""Erases the jobs, uploads and reports of a batch that was deleted."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from faceblur.errors import JobNotFound
from faceblur.jobs.batches import folder_of

if TYPE_CHECKING:
    from faceblur.jobs.batch_files import BatchFiles
    from faceblur.jobs.storage import Photos
    from faceblur.jobs.table import Jobs


def erase_batch(batch_id: str, jobs: Jobs, photos: Photos, files: BatchFiles, until: float = float("inf")) -> bool:
    """Erase the jobs and all files of a batch whose row is gone. Stop at the time `until` (as in `time.time()`).

    Returns whether everything is erased. The jobs are found by their lines. Each line is erased after its job, so a
    later call can continue an interrupted one.
    """
    lines = f"{folder_of(batch_id)}lines/"
    for keys in files.pages(lines):
        for key in keys:
            if time.time() > until:
                return False
            forget_job(files.read(key)["job_id"], jobs, photos)
            files.delete([key])
    for keys in files.pages(folder_of(batch_id)):
        files.delete(keys)
    return True


def forget_job(job_id: str, jobs: Jobs, photos: Photos) -> None:
    """Erase a job that its batch no longer needs, if it exists."""
    with suppress(JobNotFound):
        jobs.delete(job_id, jobs.get(job_id).owner)
    photos.erase(job_id)
