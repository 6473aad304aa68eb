"""Drafts: `hide` stores them, and the last one becomes the result when the job is completed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from faceblur.jobs.storage import withdraw_if_late

if TYPE_CHECKING:
    from faceblur.contracts import Draft
    from faceblur.jobs.storage import Photos
    from faceblur.jobs.table import Jobs
    from faceblur.photo.hide import HiddenPhoto


def store_draft(job_id: str, hidden: HiddenPhoto, jobs: Jobs, photos: Photos) -> Draft:
    """Store a draft. Raises JobNotFound, and leaves nothing, if the job is no longer being processed."""
    key = photos.write_draft(job_id, hidden.extension, hidden.data, hidden.content_type)
    withdraw_if_late(key, job_id, jobs, photos)
    return {
        "key": key,
        "content_type": hidden.content_type,
        "bytes": len(hidden.data),
        "width": hidden.width,
        "height": hidden.height,
        "stripped": list(hidden.stripped),
        "kept_metadata": list(hidden.kept_metadata),
    }
