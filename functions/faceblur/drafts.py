"""Drafts of results: stored by the blur task, published only when the job is completed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from faceblur.errors import JobNotFound

if TYPE_CHECKING:
    from faceblur.anonymise import HiddenPhoto
    from faceblur.jobs import Jobs
    from faceblur.storage import Photos


def store_draft(job_id: str, hidden: HiddenPhoto, jobs: Jobs, photos: Photos) -> dict[str, Any]:
    """Store a draft and describe it; raises JobNotFound, and leaves nothing, if the job is not in work any more.

    Who ends or deletes a job changes its row before erasing its objects: whoever stores a draft and then still sees the
    job in work can leave the draft to that.
    """
    key = photos.write_result(job_id, hidden.extension, hidden.data, hidden.content_type)
    if not jobs.is_in_work(job_id):
        photos.withdraw(key)
        raise JobNotFound
    return {
        "key": key,
        "content_type": hidden.content_type,
        "bytes": len(hidden.data),
        "width": hidden.width,
        "height": hidden.height,
        "stripped": list(hidden.stripped),
    }
