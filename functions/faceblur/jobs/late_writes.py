"""What a task stores for a job that was deleted or has ended in the meantime is withdrawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from faceblur.errors import JobNotFound

if TYPE_CHECKING:
    from faceblur.jobs.storage import Photos
    from faceblur.jobs.table import Jobs


def withdraw_if_late(key: str, job_id: str, jobs: Jobs, photos: Photos) -> None:
    """Delete what was just stored under this key, and raise JobNotFound, if the job is not in work any more.

    Whoever ends or deletes a job changes its row before erasing its objects. So if the job is still in work after
    something was stored, its end will erase that too.
    """
    if not jobs.is_in_work(job_id):
        photos.withdraw(key)
        raise JobNotFound
