"""Uploads: the messages of S3 about them, starting their jobs, and deleting those that no job will process."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from faceblur import prices
from faceblur.errors import BudgetSpent, JobNotFound
from faceblur.jobs.events import tell_end
from faceblur.jobs.storage import job_id_of, upload_key
from faceblur.jobs.table import UNFINISHED, Status, is_job_id

if TYPE_CHECKING:
    from faceblur.jobs.budget import Budget
    from faceblur.jobs.executions import Workflow
    from faceblur.jobs.storage import Photos
    from faceblur.jobs.table import Job, Jobs


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


def start_job(job_id: str, jobs: Jobs, photos: Photos, workflow: Workflow, budget: Budget) -> None:
    """Start the job whose upload has arrived. Delete an upload that no job needs. Calls may be repeated.

    Raises BudgetSpent if the day's money does not pay for the job and its work. Then the job has failed, and its upload
    is deleted.
    """
    with suppress(JobNotFound):
        job = jobs.get(job_id)
        awaited = job.status is Status.AWAITING_UPLOAD
        if awaited and (job.paid or not budget.is_limited or pay(job, jobs, photos, budget, prices.JOB)):
            workflow.start(job_id)
    discard_unless_awaited(job_id, jobs, photos)


def pay(job: Job, jobs: Jobs, photos: Photos, budget: Budget, price: int) -> bool:
    """Take the money for a job that begins, in microdollars.

    Returns whether the job is paid, by this call or by a simultaneous one for the same photo. If the money does not
    suffice, fails the job, deletes its upload and raises BudgetSpent.
    """
    try:
        day = budget.take(job.client, price, leaving=prices.WORK)
    except BudgetSpent as error:
        if jobs.refuse(job.job_id, error):
            tell_end(job.job_id, jobs)
            discard_unless_awaited(job.job_id, jobs, photos)
            raise
    else:
        if jobs.pay(job.job_id):
            return True
        budget.refund(job.client, price, day)
    return jobs.get(job.job_id).paid


def discard_unless_awaited(job_id: str, jobs: Jobs, photos: Photos) -> None:
    """Delete an upload if its job does not exist, or has ended and does not keep its original.

    An upload that arrives while its job is in progress is erased when the job ends.
    """
    job = jobs.find(job_id)
    if job is None or (job.status not in UNFINISHED and not job.keeps_original):
        photos.delete([upload_key(job_id)])
