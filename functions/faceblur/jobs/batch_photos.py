"""The steps of one photo of a batch: its job is prepared, its result delivered, and a line says how it ended."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from faceblur import errors, prices
from faceblur.contracts import PhotoOfABatch
from faceblur.errors import BatchNotFound, BudgetSpent, FaceblurError, JobNotFinished, JobNotFound, TimedOut
from faceblur.jobs.batch_erasure import forget_job
from faceblur.jobs.batch_files import result_name
from faceblur.jobs.batches import arrivals, photo_id
from faceblur.jobs.completion import error_of
from faceblur.jobs.events import tell_delivery
from faceblur.jobs.table import UNFINISHED, Status
from faceblur.jobs.uploads import discard_unless_awaited, pay
from faceblur.observability import digest_of_id

if TYPE_CHECKING:
    from faceblur.jobs.batch_files import BatchFiles
    from faceblur.jobs.batch_runs import BatchMachine
    from faceblur.jobs.batches import Batch, Batches
    from faceblur.jobs.budget import Budget
    from faceblur.jobs.storage import Photos
    from faceblur.jobs.table import Job, Jobs

# The seconds for which a job may wait for its execution, which begins as soon as the job is prepared.
UPLOAD_SECONDS = 300
# What the machine calls a task that took too long.
_TIMEOUTS = {"States.Timeout", "Sandbox.Timedout"}


def photo_of(given: dict[str, Any]) -> PhotoOfABatch:
    """The photo that the input of an execution of hide_photo names: an event of S3, or what hide_batch made like it.

    EventBridge gives keys as they are. An inventory has them URL-encoded.
    """
    key = given["detail"]["object"]["key"]
    return PhotoOfABatch(
        run=given["id"],
        batch_id=given.get("batch_id", ""),
        key=unquote_plus(key) if given.get("encoded") else key,
    )


def prepare_photo(
    photo: PhotoOfABatch, batches: Batches, jobs: Jobs, photos: Photos, files: BatchFiles, budget: Budget
) -> str:
    """Create the photo's job, pay for it, and copy the photo to where the job expects it. It may be repeated.

    Returns the job's id; empty if there is nothing to do. Raises BatchNotFound, SourceNotAllowed, UploadReplaced,
    ImageTooLarge and BudgetSpent; if there was a job, it has failed then.
    """
    batch = _batch(photo, batches)
    job_id = photo_id(photo.run, photo.key)
    done = _done_before(photo, files)
    if done and not batch.takes_uploads:
        return ""
    if photo.key.endswith("/") and not batch.takes_uploads:
        budget.take(batch.client, prices.BATCHED)
        return ""
    if not photo.key.startswith(batch.source.prefix):
        budget.take(batch.client, prices.BATCHED)
        raise errors.SourceNotAllowed
    if done and done != job_id:
        # Uploads are deleted with their line, so this is another photo under the same name. It replaces the result.
        forget_job(done, jobs, photos)
    job = _create(job_id, batch, jobs)
    try:
        paid = job.paid or not budget.is_limited or pay(job, jobs, photos, budget, prices.JOB + prices.BATCHED)
        if not paid:
            raise BudgetSpent
        if job.status is Status.AWAITING_UPLOAD:
            files.take(batch.source, photo.key, job_id)
            # A repeated event may come when the job has ended.
            discard_unless_awaited(job_id, jobs, photos)
    except (errors.PhotoError, BudgetSpent) as error:
        jobs.fail(job_id, error, only_from=(Status.AWAITING_UPLOAD,))
        raise
    return job_id


def deliver_photo(photo: PhotoOfABatch, batches: Batches, jobs: Jobs, photos: Photos, files: BatchFiles) -> None:
    """Copy the result to the target, if there is one, and write the photo's line. It may be repeated.

    Raises the error of a job that failed, JobNotFinished while another execution works on the job, JobNotFound, and
    BatchNotFound if the batch was deleted; then nothing of the job stays.
    """
    job_id = photo_id(photo.run, photo.key)
    try:
        batch = _batch(photo, batches)
        job = jobs.get(job_id)
        if job.status in UNFINISHED:
            raise JobNotFinished
        if job.error:
            raise error_of(Status.FAILED, job.error["code"], job.error["message"])
        delivered = _deliver(job, photo, batch, files)
        _write_line(photo, batch, files, _line(photo, job, delivered, photos), batches)
        tell_delivery(job_id, job, None, _where(photo, batch, delivered), jobs)
    except BatchNotFound:
        forget_job(job_id, jobs, photos)
        raise
    if batch.takes_uploads:
        files.discard(photo.key)


def record_failure(
    photo: PhotoOfABatch, name: str, batches: Batches, jobs: Jobs, files: BatchFiles, machine: BatchMachine
) -> str:
    """Write the line of a photo that failed with the error of this name. If no other photo can go well, stop its batch.

    That is so if no money is left, and if the batch is deleted or has expired. What the map does for each photo that
    waits would be spent beyond the budget.
    Returns its code if the job's own failure, which is counted elsewhere, is not the reason; else nothing.
    """
    error = TimedOut() if name in _TIMEOUTS else error_of(Status.FAILED, name, None)
    job_id = photo_id(photo.run, photo.key)
    job = None
    with suppress(JobNotFound):
        job = jobs.get(job_id)
    with suppress(BatchNotFound):
        batch = _batch(photo, batches)
        _write_line(photo, batch, files, _failed_line(photo, job_id, error), batches)
        tell_delivery(job_id, job, error, _where(photo, batch, ""), jobs)
    if photo.batch_id and isinstance(error, (BudgetSpent, BatchNotFound)):
        machine.stop(machine.execution(photo.run), error.code)
    return "" if job and job.status is Status.FAILED else error.code


def _batch(photo: PhotoOfABatch, batches: Batches) -> Batch:
    return batches.get(photo.batch_id) if photo.batch_id else arrivals()


def _done_before(photo: PhotoOfABatch, files: BatchFiles) -> str:
    """The id of the job that has hidden the photo with this key; empty if none has."""
    line = files.read_line(photo.batch_id, photo.key) if photo.batch_id else None
    return str(line["job_id"]) if line and line["status"] == Status.COMPLETED else ""


def _create(job_id: str, batch: Batch, jobs: Jobs) -> Job:
    """Create the job, unless an earlier attempt has. Raises the error with which that failed."""
    try:
        job = jobs.get(job_id)
    except JobNotFound:
        return jobs.create(job_id, batch.options, UPLOAD_SECONDS, batch.owner_of_jobs, batch.client, is_delivered=True)
    if job.error:
        raise error_of(Status.FAILED, job.error["code"], job.error["message"])
    return job


def _deliver(job: Job, photo: PhotoOfABatch, batch: Batch, files: BatchFiles) -> str:
    """Copy the result and, if it is asked for, the receipt. Returns the key of the copy; empty without a target."""
    if batch.target is None:
        return ""
    result = job.outcome["result"]["key"]
    name = result_name(photo.key.removeprefix(batch.source.prefix), result.rpartition(".")[2])
    files.deliver(result, batch.target, name)
    if batch.receipts:
        files.deliver(job.outcome["receipt"], batch.target, f"{name}.receipt.json")
    return f"{batch.target.prefix}{name}"


def _write_line(photo: PhotoOfABatch, batch: Batch, files: BatchFiles, line: dict[str, Any], batches: Batches) -> None:
    """Store the line. If the batch was deleted meanwhile, the line goes too. Raises BatchNotFound then."""
    if not batch.batch_id:
        return
    files.write_line(batch.batch_id, line)
    try:
        batches.get(batch.batch_id)
    except BatchNotFound:
        files.withdraw_line(batch.batch_id, photo.key)
        raise


def _where(photo: PhotoOfABatch, batch: Batch, delivered: str) -> dict[str, Any]:
    """What an event says of a photo beside how it ended: its batch, and its keys if it is from the customer's bucket.

    The names of photos that were uploaded are nobody's business.
    """
    where: dict[str, Any] = {"batch": digest_of_id(batch.batch_id)} if batch.batch_id else {}
    if not batch.takes_uploads:
        where["source"] = {"bucket": batch.source.bucket, "key": photo.key}
    if batch.target and delivered and not batch.takes_uploads:
        where["target"] = {"bucket": batch.target.bucket, "key": delivered}
    return where


def _line(photo: PhotoOfABatch, job: Job, delivered: str, photos: Photos) -> dict[str, Any]:
    return {
        "key": photo.key,
        "job_id": job.job_id,
        "status": Status.COMPLETED,
        "code": "",
        "faces": job.outcome["faces"],
        "warnings": job.outcome["warnings"],
        "result": delivered,
        "usd": photos.read_receipt(job.outcome["receipt"])["cost_estimate"]["usd"],
    }


def _failed_line(photo: PhotoOfABatch, job_id: str, error: FaceblurError) -> dict[str, Any]:
    return {
        "key": photo.key,
        "job_id": job_id,
        "status": Status.FAILED,
        "code": error.code,
        "faces": 0,
        "warnings": [],
        "result": "",
        "usd": 0.0,
    }
