"""The jobs table: jobs, their states, and the conditional transitions between them.

    AWAITING_UPLOAD ──claim (state machine)──▶ PROCESSING ──▶ COMPLETED | FAILED
           │                                     │  ▲  ▲          │
           │                     ask (state machine) │  └──redo────┘
           │                                     ▼  answer
           │                               AWAITING_REVIEW ──▶ FAILED
           └─────────────────────────────────────────────────▶ FAILED

Every transition is a conditional write, so a late or repeated write never changes a finished job. `execution_arn` names
the execution that works on the job now. What another execution of the job reports changes nothing.

A job that is being done again keeps its last outcome. If the redo fails, the job is COMPLETED with that outcome.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from boto3.dynamodb.conditions import Attr, ConditionBase
from botocore.config import Config

from faceblur import config
from faceblur.aws import storage_errors
from faceblur.errors import (
    FaceblurError,
    InternalError,
    JobNotFinished,
    JobNotFound,
    ReviewExpired,
    StorageUnavailable,
    TimedOut,
    UploadExpired,
)
from faceblur.jobs.rows import change_row, read_row, remove_row
from faceblur.observability import logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb.service_resource import Table

    from faceblur.contracts import StoredBoxes, StoredPreview
    from faceblur.errors import BudgetSpent


class Status(StrEnum):
    """The state of a job."""

    AWAITING_UPLOAD = "AWAITING_UPLOAD"
    PROCESSING = "PROCESSING"
    AWAITING_REVIEW = "AWAITING_REVIEW"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


_JOB_ID = re.compile(r"[0-9a-f]{32}")
UNFINISHED = (Status.AWAITING_UPLOAD, Status.PROCESSING, Status.AWAITING_REVIEW)
# The stages of a job, as the state machine names them to its tasks. The last two are repeated while checks find
# something, at most five times.
STAGES = ("detect", "hide", "check", "hide_missed")
# A job that is not paid yet. It waits for its photo, or the photo has just arrived.
_UNPAID = Attr("status").eq(Status.AWAITING_UPLOAD) & Attr("paid").not_exists()


@dataclass(frozen=True)
class Review:
    """The review for which a job in AWAITING_REVIEW waits. The `token` answers its execution; no client gets it."""

    token: str
    boxes: StoredBoxes
    preview: StoredPreview
    expires_at: int


@dataclass(frozen=True)
class Job:
    """A row of the jobs table. Times are seconds since the epoch.

    Only `owner` may see and delete the job; it is empty in a deployment without sign-in. The budget of `client` pays
    for the job; it is empty where no client has a limit. `execution` is the ARN of the execution that works on the job,
    or worked on it last; empty before the first one. `progress` holds the times at which each stage first began and the
    job finished, as ISO 8601 with milliseconds. `outcome` is that of the last execution that succeeded. `error` tells
    why the last execution failed. `redos` counts the redos, and `calls` the calls of the paid detector since the last
    redo. With `is_delivered`, the photo belongs to a batch or came from the customer's bucket: hide_photo delivers its
    result and reports how the photo ended.
    """

    job_id: str
    status: Status
    options: dict[str, Any]
    created_at: int
    upload_expires_at: int
    expires_at: int
    owner: str = ""
    client: str = ""
    is_delivered: bool = False
    paid: bool = False
    execution: str = ""
    working_since: int | None = None
    redo_until: int | None = None
    redos: int = 0
    calls: int = 0
    review: Review | None = None
    progress: dict[str, str] = field(default_factory=dict)
    outcome: dict[str, Any] = field(default_factory=dict)
    error: dict[str, str] | None = None

    @property
    def keeps_original(self) -> bool:
        """Whether the upload is kept now that the job has finished."""
        return self.status is Status.COMPLETED and self.redo_until is not None and time.time() < self.redo_until

    def was_completed_by(self, execution: str) -> bool:
        """Whether this is the job's last execution and it has completed the job."""
        return self.status is Status.COMPLETED and self.execution == execution and self.error is None

    @property
    def work_seconds(self) -> float | None:
        """How long the work took since it began, or since a person answered; None if the job has not finished."""
        if self.working_since is None or "finished" not in self.progress:
            return None
        return datetime.fromisoformat(self.progress["finished"]).timestamp() - self.working_since

    @property
    def is_upload_overdue(self) -> bool:
        """Whether the job still waits, although its upload should have reached an execution by now."""
        latest = self.upload_expires_at + config.DELIVERY_SECONDS
        return self.status is Status.AWAITING_UPLOAD and time.time() > latest


class Jobs:
    """The jobs table."""

    def __init__(self, table: Table) -> None:
        """Use this table, whose partition key is `job_id`."""
        self._table = table

    def create(
        self,
        job_id: str,
        options: dict[str, Any],
        upload_seconds: int,
        owner: str = "",
        client: str = "",
        decision: str = "",
        *,
        is_delivered: bool = False,
    ) -> Job:
        """Add a job with this new id, which waits for its upload.

        The budget of `client` pays for it. `decision` is the key of the decision that came with it; empty if there is
        none.
        """
        now = int(time.time())
        row: dict[str, Any] = {
            "job_id": job_id,
            "status": Status.AWAITING_UPLOAD,
            "options": json.dumps(options),
            "created_at": now,
            "upload_expires_at": now + upload_seconds,
            "expires_at": now + config.JOB_LIFETIME_SECONDS,
        }
        row |= {name: value for name, value in (("owner", owner), ("client", client), ("decision", decision)) if value}
        row |= {"delivered": True} if is_delivered else {}
        with storage_errors():
            self._table.put_item(Item=row, ConditionExpression=Attr("job_id").not_exists())
        return _from_row(row)

    def find(self, job_id: str) -> Job | None:
        """Read a job; None if it does not exist or has expired."""
        row = read_row(self._table, job_id)
        return _from_row(row) if row else None

    def get(self, job_id: str) -> Job:
        """Read a job. Raises JobNotFound if it does not exist or has expired."""
        job = self.find(job_id)
        if job is None:
            raise JobNotFound
        return job

    def is_in_progress(self, job_id: str) -> bool:
        """Whether the job is being processed or waits for a review: it has neither ended nor been deleted."""
        job = self.find(job_id)
        return job is not None and job.status in {Status.PROCESSING, Status.AWAITING_REVIEW}

    def client_of(self, job_id: str) -> str:
        """The client whose budget pays for the job; empty if there is none, or no such job."""
        job = self.find(job_id)
        return job.client if job else ""

    def get_owned(self, job_id: str, owner: str) -> Job:
        """Read a job of this owner. Raises JobNotFound if it does not exist or has another owner."""
        job = self.get(job_id)
        if job.owner != owner:
            raise JobNotFound
        return job

    def fail_if_overdue(self, job: Job, has_upload: Callable[[], bool]) -> Job:
        """Fail the job if its time is over, so that no client waits for ever. Returns its current state."""
        now = time.time()
        if job.status is Status.AWAITING_UPLOAD and now > job.upload_expires_at and not has_upload():
            self.fail(job.job_id, UploadExpired(), only_from=(Status.AWAITING_UPLOAD,))
        elif job.is_upload_overdue:
            self.fail(job.job_id, InternalError(), only_from=(Status.AWAITING_UPLOAD,))
        elif job.status is Status.PROCESSING and job.working_since is not None and now > _deadline(job.working_since):
            self.fail(job.job_id, TimedOut(), job.execution, only_from=(Status.PROCESSING,))
        elif job.review is not None and now > job.review.expires_at + config.EXECUTION_MARGIN_SECONDS:
            self.fail(job.job_id, ReviewExpired(), job.execution, only_from=(Status.AWAITING_REVIEW,))
        else:
            return job
        return self.get(job.job_id)

    def pay(self, job_id: str) -> bool:
        """Record that the budget has paid for the job's first execution. Returns False if that was recorded before."""
        return self._update(job_id, "SET paid = :yes", {":yes": True}, _UNPAID)

    def refuse(self, job_id: str, error: BudgetSpent) -> bool:
        """Fail a job that the budget does not pay. Returns False if the job was paid before, or has ended."""
        return self._fail(job_id, error, _UNPAID)

    def begin(self, job_id: str, stage: str) -> str:
        """Record when one of the STAGES first began, if the job is in progress.

        Returns the client whose budget pays for the job; empty if there is none, if the job is not in progress, or if
        the table does not answer. Work must not fail because its progress cannot be recorded.
        """
        update, in_progress = "SET #at = if_not_exists(#at, :now)", Attr("status").eq(Status.PROCESSING)
        try:
            row = change_row(self._table, job_id, update, {":now": _now()}, in_progress, {"#at": f"{stage}_at"})
        except StorageUnavailable:
            logger.warning("progress was not recorded")
            return ""
        return str(row.get("client", "")) if row else ""

    def count_calls(self, job_id: str, number: int, most: int) -> bool:
        """Add this number, which may be negative, to the job's calls.

        Returns whether the job exists and the sum is at most `most`. Otherwise nothing is counted.
        """
        if number > most:
            return False
        fits = Attr("paid_calls").not_exists() | Attr("paid_calls").lte(most - number)
        return self._update(job_id, "ADD paid_calls :number", {":number": number}, Attr("job_id").exists() & fits)

    def answer(self, job_id: str, token: str) -> None:
        """Turn the job from AWAITING_REVIEW to PROCESSING if it waits with this token. Otherwise change nothing."""
        self._update(
            job_id,
            "SET #status = :status, working_since = :now REMOVE review_token",
            {":status": Status.PROCESSING, ":now": int(time.time())},
            Attr("status").eq(Status.AWAITING_REVIEW) & Attr("review_token").eq(token),
        )

    def redo(self, job: Job, options: dict[str, Any], execution: str, decision: str = "") -> None:
        """Hand a completed job to another execution, which claims it. `decision` is a key, as in `create`.

        Raises JobNotFinished if the job is not completed, or has changed since `job` was read.
        """
        of_the_last_run = [*(f"{name}_at" for name in (*STAGES, "finished")), "failure_counted", "paid_calls"]
        handed = self._update(
            job.job_id,
            "SET #status = :status, fallback_status = :completed, options = :options, execution_arn = :execution, "
            "working_since = :now, redos = :redos, decision = :decision "
            f"REMOVE #error, {', '.join(of_the_last_run)}",
            {
                ":status": Status.PROCESSING,
                ":completed": Status.COMPLETED,
                ":options": json.dumps(options),
                ":execution": execution,
                ":now": int(time.time()),
                ":redos": job.redos + 1,
                ":decision": decision,
            },
            Attr("status").eq(Status.COMPLETED) & Attr("execution_arn").eq(job.execution),
        )
        if not handed:
            raise JobNotFinished

    def complete(self, job_id: str, execution: str, outcome: dict[str, Any], hours_kept: int) -> bool:
        """Record the result of this execution. Calls may be repeated. The job can be done again for `hours_kept` hours.

        Returns whether this completed the job; False if an earlier call did. Raises JobNotFound if the job was deleted
        or has failed, or if another execution works on it.
        """
        redo_until = int(time.time()) + hours_kept * 60 * 60
        completed = self._update(
            job_id,
            "SET #status = :status, outcome = :outcome, finished_at = :now, redo_until = :redo_until",
            {":status": Status.COMPLETED, ":outcome": json.dumps(outcome), ":now": _now(), ":redo_until": redo_until},
            Attr("status").eq(Status.PROCESSING) & Attr("execution_arn").eq(execution) & Attr("error").not_exists(),
        )
        if not completed and not self.get(job_id).was_completed_by(execution):
            raise JobNotFound
        return completed

    def fail(
        self,
        job_id: str,
        error: FaceblurError,
        execution: str = "",
        only_from: tuple[Status, ...] = UNFINISHED,
    ) -> bool:
        """Record the failure of this execution if the job is in one of these states. Returns whether it was recorded.

        The job becomes FAILED, or COMPLETED as before if it was being done again. Without `execution`, the job fails
        only if it has no execution.
        """
        current = Attr("execution_arn").not_exists() | Attr("execution_arn").eq(execution)
        return self._fail(job_id, error, Attr("status").is_in(list(only_from)) & current)

    def count_failure(self, job_id: str, execution: str = "") -> str | None:
        """Mark the failure of this execution as counted. Returns the code of its error.

        Returns None if the failure was counted before, if the job has not failed, or if another execution works on it.
        Without `execution`, the failure is counted only if the job has no execution.
        """
        before = change_row(
            self._table,
            job_id,
            "SET failure_counted = :true",
            {":true": True},
            Attr("error").exists()
            & Attr("failure_counted").not_exists()
            & (Attr("execution_arn").not_exists() | Attr("execution_arn").eq(execution)),
        )
        return str(before["error"]["code"]) if before else None

    def mark_told(self, job_id: str) -> bool:
        """Record that an event reports the job's end. Returns False if that was recorded before, or there is no job."""
        return self._update(
            job_id, "SET told = :true", {":true": True}, Attr("job_id").exists() & Attr("told").not_exists()
        )

    def delete(self, job_id: str, owner: str) -> Job | None:
        """Remove the job's row. Returns the job, if there was one; raises JobNotFound if it has another owner."""
        row = remove_row(self._table, job_id, owner, JobNotFound)
        return _from_row(row) if row else None

    def _fail(self, job_id: str, error: FaceblurError, condition: ConditionBase) -> bool:
        return self._update(
            job_id,
            "SET #status = if_not_exists(fallback_status, :status), #error = :error, "
            "finished_at = if_not_exists(finished_at, :now) REMOVE review_token",
            {":status": Status.FAILED, ":error": error.to_dict(), ":now": _now()},
            condition,
        )

    def _update(self, job_id: str, update: str, values: dict[str, Any], condition: ConditionBase) -> bool:
        """Change a row under a condition. Returns whether the condition held."""
        return change_row(self._table, job_id, update, values, condition) is not None


@cache
def jobs_table() -> Table:
    """The jobs table of this deployment, as boto3 has it."""
    # boto3's default of ten attempts would take nearly as long as the timeout of a function or a request.
    settings = Config(retries={"mode": "standard", "total_max_attempts": 3})
    return boto3.resource("dynamodb", config=settings).Table(config.jobs_table())


@cache
def jobs() -> Jobs:
    """The jobs of this deployment."""
    return Jobs(jobs_table())


def new_job_id() -> str:
    """An id for a new job, which nobody can guess: 128 random bits."""
    return secrets.token_hex(16)


def is_job_id(text: str) -> bool:
    """Whether this text has the form of a job's id."""
    return _JOB_ID.fullmatch(text) is not None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _deadline(working_since: int) -> int:
    return working_since + config.WORK_SECONDS + config.EXECUTION_MARGIN_SECONDS


def _from_row(row: dict[str, Any]) -> Job:
    status, outcome = Status(row["status"]), json.loads(row.get("outcome", "{}"))
    options = json.loads(row["options"])
    return Job(
        job_id=row["job_id"],
        status=status,
        # If a redo has failed, the row still has the options of that redo.
        options=outcome.get("options", options) if status is Status.COMPLETED else options,
        created_at=int(row["created_at"]),
        upload_expires_at=int(row["upload_expires_at"]),
        expires_at=int(row["expires_at"]),
        owner=row.get("owner", ""),
        client=row.get("client", ""),
        is_delivered="delivered" in row,
        paid="paid" in row,
        execution=row.get("execution_arn", ""),
        working_since=int(row["working_since"]) if "working_since" in row else None,
        redo_until=min(int(row["redo_until"]), int(row["expires_at"])) if "redo_until" in row else None,
        redos=int(row.get("redos", 0)),
        calls=int(row.get("paid_calls", 0)),
        review=_review(row),
        progress={name: row[f"{name}_at"] for name in (*STAGES, "finished") if f"{name}_at" in row},
        outcome=outcome,
        error=row.get("error"),
    )


def _review(row: dict[str, Any]) -> Review | None:
    if row["status"] != Status.AWAITING_REVIEW:
        return None
    return Review(
        token=row["review_token"],
        boxes=json.loads(row["review_boxes"]),
        preview=json.loads(row["preview"]),
        expires_at=int(row["review_expires_at"]),
    )
