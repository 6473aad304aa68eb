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
    """Store a draft and describe it; raises JobNotFound, and leaves nothing, if the job has no use for it any more.

    Deleting a job removes its row before its photos: whoever stores a draft and then still sees the row can
    leave the photo to the deletion.
    """
    key, etag = photos.write_result(job_id, hidden.extension, hidden.data, hidden.content_type)
    if not _is_wanted(key, job_id, jobs):
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


def _is_wanted(key: str, job_id: str, jobs: Jobs) -> bool:
    """Whether the job is being processed, or this very draft is its result: a straggler may have made it again."""
    try:
        job = jobs.get(job_id)
    except JobNotFound:
        return False
    return job.status is Status.PROCESSING or job.outcome.get("result", {}).get("key") == key
