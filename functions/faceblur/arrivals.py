"""Photos that arrive: what S3 says about them, and what becomes of one that nobody waits for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from faceblur.errors import JobNotFound
from faceblur.jobs import UNFINISHED, is_job_id
from faceblur.storage import job_id_of

if TYPE_CHECKING:
    from faceblur.jobs import Jobs
    from faceblur.storage import Photos


@dataclass(frozen=True)
class Arrival:
    """An uploaded photo: the job it belongs to, and the entity tag of its bytes."""

    job_id: str
    etag: str


def arrivals(message: str) -> list[Arrival]:
    """The photos that a message of S3's speaks of; none in the `s3:TestEvent` of a new notification.

    Keys in S3's events are URL-encoded. A key that is no job's cannot come from a form and is passed over.
    Raises ValueError or KeyError for what is no message of S3's.
    """
    objects = [record["s3"]["object"] for record in json.loads(message).get("Records", [])]
    photos = [Arrival(job_id_of(unquote_plus(photo["key"])), photo["eTag"]) for photo in objects]
    return [photo for photo in photos if is_job_id(photo.job_id)]


def discard_unless_awaited(job_id: str, jobs: Jobs, photos: Photos, *, another: bool = False) -> None:
    """Delete a photo that nobody will process, unless its job keeps its original.

    That is one whose job has ended or is gone, or `another` than that which the job's execution took.
    """
    try:
        job = jobs.get(job_id)
    except JobNotFound:
        photos.erase_upload(job_id)
        return
    if (another or job.status not in UNFINISHED) and not job.keeps_original:
        photos.erase_upload(job_id)
