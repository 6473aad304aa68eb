"""The steps of one photo of a batch: its job is prepared, its result delivered, and a line says how it ended."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_plus

from faceblur import errors, prices
from faceblur.contracts import PhotoOfABatch
from faceblur.errors import Aborted, BatchNotFound, BudgetSpent, JobNotFinished, JobNotFound, TimedOut
from faceblur.geometry import count_kinds
from faceblur.jobs.batch_erasure import forget_job
from faceblur.jobs.batch_files import PENDING, result_name
from faceblur.jobs.batches import arrivals, photo_id
from faceblur.jobs.completion import error_of
from faceblur.jobs.events import tell_delivery
from faceblur.jobs.names import execution_name
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


class Recorded(NamedTuple):
    """How a photo ended after an error: its code, empty if the photo had been delivered before.

    `counts` says that no job counts this failure already.
    """

    code: str
    counts: bool


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

    Returns the job's id; empty if there is nothing to do. Raises SourceNotAllowed, UploadReplaced, ImageTooLarge and
    BudgetSpent; if there was a job, it has failed then. Raises BatchNotFound if the batch was deleted, and Aborted if
    it was started again, also meanwhile; then nothing of the job stays. Raises StorageUnavailable also if another call
    works on the photo.
    """
    line, etag = files.read_line(photo.batch_id, photo.key) if photo.batch_id else (None, "")
    # It comes after the line, which is then not that of a later start.
    batch = _batch(photo, batches)
    if _needs_no_job(photo, batch, line, budget):
        return ""
    job_id = photo_id(photo.run, photo.key)
    if photo.batch_id and (not line or line["job_id"] != job_id):
        if line:
            # An earlier start began this photo, or did another one under the same name: an upload is deleted when its
            # result is there. That job must not stay without a line.
            forget_job(line["job_id"], jobs, photos)
        # A later start may have come meanwhile. Its line must stay.
        files.write_line(photo.batch_id, _resultless_line(photo, job_id, PENDING), over=etag)
    _pay_and_take(_create(job_id, batch, jobs), photo, batch, jobs, photos, files, budget)
    try:
        _batch(photo, batches)
    except (BatchNotFound, Aborted):
        # Whoever deleted the batch or prepared the photo again may have found the line before there was a job. If the
        # line came later, the sweep or the next start finds it.
        forget_job(job_id, jobs, photos)
        raise
    return job_id


def _needs_no_job(photo: PhotoOfABatch, batch: Batch, line: dict[str, Any] | None, budget: Budget) -> bool:
    """Whether a key of the customer's is a photo that is done, or a folder. What the map did for that is paid.

    Raises SourceNotAllowed, after the same payment, for a key outside the source.
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
            # A repeated event may come when the job has ended.
            discard_unless_awaited(job.job_id, jobs, photos)
    except (errors.PhotoError, BudgetSpent) as error:
        jobs.fail(job.job_id, error, only_from=(Status.AWAITING_UPLOAD,))
        raise


def deliver_photo(photo: PhotoOfABatch, batches: Batches, jobs: Jobs, photos: Photos, files: BatchFiles) -> None:
    """Copy the result to the target, if there is one, write the photo's line, and tell the bus. It may be repeated.

    Raises the error of a job that failed, JobNotFinished while another execution works on the job, JobNotFound, Aborted
    if the batch was started again, and BatchNotFound if it was deleted; then nothing of the job stays.
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
    """Write the line of a photo that failed with the error of this name. If no other photo can go well, stop its batch.

    That is so if no money is left, and if the batch is deleted or has expired. What the map does for each photo that
    waits would be spent beyond the budget. Of a photo of a deleted batch nothing stays. If its line says that the photo
    was delivered, it has not failed: then only what comes after the line is done. A start after which there was another
    one writes nothing.
    """
    error = TimedOut() if name in _TIMEOUTS else error_of(Status.FAILED, name, None)
    job_id = photo_id(photo.run, photo.key)
    job = None
    with suppress(JobNotFound):
        job = jobs.get(job_id)
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
    """The photo's batch. Raises BatchNotFound, and Aborted for a start after which there was another one.

    What was in the middle when a start was stopped must not come in between: the photo belongs to the later start.
    """
    if not photo.batch_id:
        return arrivals()
    batch = batches.get(photo.batch_id)
    if execution_name(batch.execution) != photo.run:
        raise Aborted
    return batch


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


def _withdraw_if_deleted(photo: PhotoOfABatch, batches: Batches, jobs: Jobs, photos: Photos, files: BatchFiles) -> None:
    """Erase the photo's job and the line just written, if the batch was deleted meanwhile. Raises BatchNotFound then.

    The line goes last: by it the sweep finds a job that could not be erased.
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
    """Discard the upload of a photo that was delivered, and tell the bus. Nobody is told of a job that was deleted."""
    if batch.takes_uploads:
        files.discard(photo.key)
    if job:
        tell_delivery(job.job_id, job, None, _where(photo, batch, delivered), jobs)


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
        "hidden": job.outcome["hidden"],
        "warnings": job.outcome["warnings"],
        "result": delivered,
        "usd": photos.read_receipt(job.outcome["receipt"])["cost_estimate"]["usd"],
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
