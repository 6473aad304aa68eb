"""Reviews: a person decides about the boxes of a job that waits for it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from faceblur.errors import InvalidDecision, JobNotFound, ReviewClosed
from faceblur.jobs.boxes import load_boxes, store_boxes
from faceblur.jobs.decisions import decided
from faceblur.jobs.storage import withdraw_if_late
from faceblur.limits import MAX_BOXES

if TYPE_CHECKING:
    from faceblur.jobs.boxes import FoundBoxes
    from faceblur.jobs.decisions import Decision
    from faceblur.jobs.executions import Workflow
    from faceblur.jobs.storage import Photos
    from faceblur.jobs.table import Job, Jobs


def answer_review(job: Job, decision: Decision, jobs: Jobs, photos: Photos, workflow: Workflow) -> None:
    """Give the execution that waits the decision about the job's boxes. The first answer counts.

    Raises InvalidDecision, and changes nothing. Raises ReviewClosed if the job does not wait, or no longer.
    """
    if job.review is None:
        raise ReviewClosed
    try:
        found = apply(decision, load_boxes(job.review.boxes, photos))
        stored = store_boxes(job.job_id, found, jobs, photos)
    except JobNotFound:
        raise ReviewClosed from None
    try:
        workflow.answer(job.review.token, {"boxes": stored})
    except ReviewClosed:
        # The answer may have counted although its reply was lost. Then the execution needs these boxes.
        with suppress(JobNotFound):
            withdraw_if_late(stored["key"], job.job_id, jobs, photos)
        raise
    # The state machine does the same a moment later. A client must not see that the job still waits.
    jobs.answer(job.job_id, job.review.token)


def apply(decision: Decision, found: FoundBoxes) -> FoundBoxes:
    """The boxes after a decision. Raises InvalidDecision if it names an unknown box, or adds too many."""
    after = decided(found, decision)
    if len(after.boxes) > MAX_BOXES:
        raise InvalidDecision(f"A job can hide at most {MAX_BOXES:,} boxes and places.")
    return after
