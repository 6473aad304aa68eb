"""Drafts of results: stored by the blur task, published only when the job is completed."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from faceblur.errors import JobNotFound
from faceblur.jobs import Status

if TYPE_CHECKING:
    from faceblur.anonymise import HiddenPhoto
    from faceblur.jobs import Jobs
    from faceblur.storage import Photos


def digest(data: bytes) -> dict[str, Any]:
    """How a receipt names a file: its SHA-256, and its bytes."""
    return {"sha256": sha256(data).hexdigest(), "bytes": len(data)}


def store_draft(job_id: str, hidden: HiddenPhoto, jobs: Jobs, photos: Photos) -> dict[str, Any]:
    """Store a draft and describe it; raises JobNotFound, and leaves nothing, if the job was deleted meanwhile.

    Deleting a job removes its row before its photos: whoever stores a draft and then still sees the row can
    leave the photo to the deletion.
    """
    key, etag = photos.write_result(job_id, hidden.extension, hidden.data, hidden.content_type)
    if not _is_being_processed(job_id, jobs):
        photos.withdraw(key)
        raise JobNotFound
    described = {
        "key": key,
        "content_type": hidden.content_type,
        "bytes": len(hidden.data),
        "width": hidden.width,
        "height": hidden.height,
        "stripped": list(hidden.stripped),
    }
    return {"result": described, "etag": etag}


def _is_being_processed(job_id: str, jobs: Jobs) -> bool:
    try:
        return jobs.get(job_id).status is Status.PROCESSING
    except JobNotFound:
        return False
