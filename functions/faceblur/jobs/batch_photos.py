"""The steps of one photo of a batch: prepare its job, deliver its result, and write a line about how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_plus

from faceblur import errors, prices
from faceblur.contracts import PhotoOfABatch
from faceblur.errors import Aborted, BatchNotFound, BudgetSpent, JobNotFinished, TimedOut
from faceblur.geometry import count_kinds
from faceblur.jobs.batch_erasure import forget_job
from faceblur.jobs.batch_files import PENDING, result_name
from faceblur.jobs.batches import photo_id, source_bucket_settings
from faceblur.jobs.completion import error_of
from faceblur.jobs.events import tell_delivery
from faceblur.jobs.execution_names import execution_name
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

# How long a job may wait for its execution, in seconds. The execution starts as soon as the job is prepared.
UPLOAD_SECONDS = 300
# The error names of a task that timed out.
_TIMEOUTS = {"States.Timeout", "Sandbox.Timedout"}


class Recorded(NamedTuple):
    """How a photo ended after an error: its code, empty if the photo had been delivered before.

    `counts` says that no job counts this failure already.
    """

    code: str
    counts: bool


def photo_of(given: dict[str, Any]) -> PhotoOfABatch:
    """The photo in the input of a hide_photo execution. The input is an event of S3, or hide_batch's copy of its form.

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
    """Create the photo's job, pay for it, and copy the photo to the job's upload key. Calls may be repeated.

    Returns the job's id; empty if there is nothing to do. Raises SourceNotAllowed, UploadReplaced, ImageTooLarge and
    BudgetSpent; if the job exists by then, it fails. Raises BatchNotFound if the batch was deleted, and Aborted if the
    batch was started again, before or during this call; both erase the job. Raises StorageUnavailable if S3 or DynamoDB
    does not answer, or if another call works on the photo.
    """
    line, etag = files.read_line(photo.batch_id, photo.key) if photo.batch_id else (None, "")
    # Read the line before the batch. If no later start shows in the batch, the line is not from a later start either.
    batch = _batch(photo, batches)
    if _needs_no_job(photo, batch, line, budget):
        return ""
    job_id = photo_id(photo.run, photo.key)
    if photo.batch_id and (not line or line["job_id"] != job_id):
        if line:
            # The line names the job of an earlier start. That start did not finish this photo, or it hid another photo
            # under the same name, whose upload was then deleted. The new line replaces this one, so its job goes first.
            forget_job(line["job_id"], jobs, photos)
        # If a later start has written its line meanwhile, that line must stay.
        files.write_line(photo.batch_id, _resultless_line(photo, job_id, PENDING), over=etag)
    _pay_and_take(_create(job_id, batch, jobs), photo, batch, jobs, photos, files, budget)
    try:
        _batch(photo, batches)
    except (BatchNotFound, Aborted):
        # The deletion or the later start may have read the line before this job existed, so erase the job here. If the
        # line came after they looked, the sweep or the next start finds it.
        forget_job(job_id, jobs, photos)
        raise
    return job_id


def _needs_no_job(photo: PhotoOfABatch, batch: Batch, line: dict[str, Any] | None, budget: Budget) -> bool:
    """Whether the key in the customer's bucket is a folder, or a photo that is already hidden.

    Raises SourceNotAllowed if the key lies outside the source. The map spends transitions on a folder and on a key
    outside the source, so both are paid from the budget.
    """
    if line and line["status"] == Status.COMPLETED and not batch.takes_uploads:
        return True
    is_folder = photo.key.endswith("/") and not batch.takes_uploads
    is_outside = not photo.key.startswith(batch.source.prefix)
    if is_folder or is_outside:
        budget.take(batch.client, prices.BATCHED)
    if is_outside and not is_folder:
        raise errors.SourceNotAllowed
    return is_folder


def _pay_and_take(
    job: Job, photo: PhotoOfABatch, batch: Batch, jobs: Jobs, photos: Photos, files: BatchFiles, budget: Budget
) -> None:
    """Pay for the job, and copy its photo. Raises BudgetSpent, UploadReplaced and ImageTooLarge; the job fails then."""
    try:
        if not (job.paid or not budget.is_limited or pay(job, jobs, photos, budget, prices.JOB + prices.BATCHED)):
            raise BudgetSpent
        if job.status is Status.AWAITING_UPLOAD:
            files.take(batch.source, photo.key, job.job_id)
            # If a repeated event came after the job's end, nothing else would delete this copy.
            discard_unless_awaited(job.job_id, jobs, photos)
    except (errors.PhotoError, BudgetSpent) as error:
        jobs.fail(job.job_id, error, only_from=(Status.AWAITING_UPLOAD,))
        raise


def deliver_photo(photo: PhotoOfABatch, batches: Batches, jobs: Jobs, photos: Photos, files: BatchFiles) -> None:
    """Copy the result to the target, if there is one, write the photo's line, and tell the bus. Calls may be repeated.

    If the job failed, raises the job's error. Raises JobNotFinished while another execution works on the job,
    JobNotFound if it was deleted, and Aborted if the batch was started again. Raises BatchNotFound if the batch was
    deleted, and erases the job.
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
        if batch.batch_id:
            files.write_line(batch.batch_id, _line(photo, job, delivered, photos))
            _withdraw_if_deleted(photo, batches, jobs, photos, files)
    except BatchNotFound:
        forget_job(job_id, jobs, photos)
        raise
    _conclude(photo, batch, job, delivered, jobs, files)


def record_failure(
    photo: PhotoOfABatch,
    name: str,
    batches: Batches,
    jobs: Jobs,
    photos: Photos,
    files: BatchFiles,
    machine: BatchMachine,
) -> Recorded:
    """Write the line of a photo that failed with the error of this name. Stop its batch if all other photos would fail.

    All others would fail if no money is left, or if the batch was deleted or has expired. The map would still spend
    transitions on each of them, beyond the budget. The job of a deleted batch is erased. If the line says that the
    photo was delivered, the photo has not failed, and this call only repeats the steps after the line. If the batch was
    started again, this call writes nothing.
    """
    error = TimedOut() if name in _TIMEOUTS else error_of(Status.FAILED, name, None)
    job_id = photo_id(photo.run, photo.key)
    job = jobs.find(job_id)
    before, etag = files.read_line(photo.batch_id, photo.key) if photo.batch_id else (None, "")
    try:
        batch = _batch(photo, batches)
        if before and before["status"] == Status.COMPLETED and before["job_id"] == job_id:
            _conclude(photo, batch, job, before["result"], jobs, files)
            return Recorded("", counts=False)
        if batch.batch_id:
            line = _resultless_line(photo, job_id, Status.FAILED, error.code)
            files.write_line(batch.batch_id, line, over=etag)
            _withdraw_if_deleted(photo, batches, jobs, photos, files)
        tell_delivery(job_id, job, error, _where(photo, batch, ""), jobs)
    except BatchNotFound:
        forget_job(job_id, jobs, photos)
    except Aborted:
        return Recorded(Aborted().code, counts=False)
    if photo.batch_id and isinstance(error, (BudgetSpent, BatchNotFound)):
        machine.stop(machine.execution(photo.run), error.code)
    return Recorded(error.code, counts=not (job and job.status is Status.FAILED))


def _batch(photo: PhotoOfABatch, batches: Batches) -> Batch:
    """The photo's batch. Raises BatchNotFound if it was deleted, and Aborted if it was started again.

    After another start, the photo belongs to that start. Tasks that were still running for the earlier start must not
    change anything.
    """
    if not photo.batch_id:
        return source_bucket_settings()
    batch = batches.get(photo.batch_id)
    if execution_name(batch.execution) != photo.run:
        raise Aborted
    return batch


def _create(job_id: str, batch: Batch, jobs: Jobs) -> Job:
    """The job of an earlier attempt, or a new one. If the job has failed, raises its error."""
    job = jobs.find(job_id)
    if job is None:
        return jobs.create(job_id, batch.options, UPLOAD_SECONDS, batch.owner_of_jobs, batch.client, is_delivered=True)
    if job.error:
        raise error_of(Status.FAILED, job.error["code"], job.error["message"])
    return job


def _deliver(job: Job, photo: PhotoOfABatch, batch: Batch, files: BatchFiles) -> str:
    """Copy the result and, if the batch asks for it, the receipt. Returns the copy's key; empty without a target."""
    if batch.target is None:
        return ""
    result = job.outcome["result"]["key"]
    name = result_name(photo.key.removeprefix(batch.source.prefix), result.rpartition(".")[2])
    files.deliver(result, batch.target, name)
    if batch.receipts:
        files.deliver(job.outcome["receipt"], batch.target, f"{name}.receipt.json")
    return f"{batch.target.prefix}{name}"


def _withdraw_if_deleted(photo: PhotoOfABatch, batches: Batches, jobs: Jobs, photos: Photos, files: BatchFiles) -> None:
    """If the batch was deleted meanwhile, erase the photo's job and the line just written, and raise BatchNotFound.

    The line is erased last, because the sweep finds a job that could not be erased by its line.
    """
    try:
        batches.get(photo.batch_id)
    except BatchNotFound:
        forget_job(photo_id(photo.run, photo.key), jobs, photos)
        files.withdraw_line(photo.batch_id, photo.key)
        raise


def _conclude(
    photo: PhotoOfABatch, batch: Batch, job: Job | None, delivered: str, jobs: Jobs, files: BatchFiles
) -> None:
    """Discard the upload of a photo that was delivered, and send its event. A deleted job has no event."""
    if batch.takes_uploads:
        files.discard(photo.key)
    if job:
        tell_delivery(job.job_id, job, None, _where(photo, batch, delivered), jobs)


def _where(photo: PhotoOfABatch, batch: Batch, delivered: str) -> dict[str, Any]:
    """The fields of a photo's event that say where it is: its batch, and its keys if it is in the customer's bucket.

    Names of uploaded photos are private, so no event contains them.
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
        "hidden": job.outcome["hidden"],
        "warnings": job.outcome["warnings"],
        "result": delivered,
        "usd": photos.read_json(job.outcome["receipt"])["cost_estimate"]["usd"],
    }


def _resultless_line(photo: PhotoOfABatch, job_id: str, status: str, code: str = "") -> dict[str, Any]:
    return {
        "key": photo.key,
        "job_id": job_id,
        "status": status,
        "code": code,
        "hidden": count_kinds([]),
        "warnings": [],
        "result": "",
        "usd": 0.0,
    }
