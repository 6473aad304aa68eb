"""Uploads: the messages of S3 about them, and deleting those that no job will process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from faceblur.errors import JobNotFound
from faceblur.jobs.storage import job_id_of
from faceblur.jobs.table import UNFINISHED, is_job_id

if TYPE_CHECKING:
    from faceblur.jobs.storage import Photos
    from faceblur.jobs.table import Jobs


def job_ids_in(message: str) -> list[str]:
    """The ids of the jobs whose uploads an S3 message reports; none for the `s3:TestEvent` of a new notification.

    Keys in S3's events are URL-encoded. Other keys than those of jobs cannot come from an upload form and are skipped.
    Raises ValueError or KeyError if it is not an S3 message.
    """
    event = json.loads(message)
    if event.get("Event") == "s3:TestEvent":
        return []
    objects = [record["s3"]["object"] for record in event["Records"]]
    job_ids = [job_id_of(unquote_plus(photo["key"])) for photo in objects]
    return [job_id for job_id in job_ids if is_job_id(job_id)]


def discard_unless_awaited(job_id: str, jobs: Jobs, photos: Photos) -> None:
    """Delete an upload if its job does not exist, or has ended and does not keep its original.

    An upload that arrives while its job is in progress is erased when the job ends.
    """
    try:
        job = jobs.get(job_id)
    except JobNotFound:
        photos.erase_upload(job_id)
        return
    if job.status not in UNFINISHED and not job.keeps_original:
        photos.erase_upload(job_id)
