"""The jobs table: jobs, their states, and the conditional transitions between them.

    AWAITING_UPLOAD ──claim (state machine)──▶ PROCESSING ──▶ COMPLETED | FAILED
           └───────────────────────────────────────────────────────────▶ FAILED

Every transition is a conditional write, so a late or repeated write never changes a finished job.
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
from faceblur.errors import FaceblurError, InternalError, JobNotFound, TimedOut, TooManyJobs, UploadExpired

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.exceptions import ClientError
    from mypy_boto3_dynamodb.service_resource import Table


class Status(StrEnum):
    """The state of a job."""

    AWAITING_UPLOAD = "AWAITING_UPLOAD"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


_JOB_ID = re.compile(r"[0-9a-f]{32}")
UNFINISHED = (Status.AWAITING_UPLOAD, Status.PROCESSING)
# The stages of a job, as the state machine names them to its tasks. The last two are repeated as long as a check finds
# faces, at most five times.
STAGES = ("detect", "hide", "check", "hide_missed")


@dataclass(frozen=True)
class Job:
    """A row of the jobs table. Times are seconds since the epoch.

    Only `owner` may see and delete the job; it is empty in a deployment without sign-in. `progress` holds the times at
    which each stage first began and the job finished, as ISO 8601 with milliseconds.
    """

    job_id: str
    status: Status
    options: dict[str, Any]
    created_at: int
    upload_expires_at: int
    expires_at: int
    owner: str = ""
    claimed_at: int | None = None
    progress: dict[str, str] = field(default_factory=dict)
    outcome: dict[str, Any] = field(default_factory=dict)
    error: dict[str, str] | None = None

    @property
    def keeps_original(self) -> bool:
        """Whether the upload is kept after the end of the job."""
        return bool(self.options["keep_original"])


class Jobs:
    """The jobs table."""

    def __init__(self, table: Table) -> None:
        """Use this table, whose partition key is `job_id`."""
        self._table = table

    def count(self, most: int) -> None:
        """Count a new job of today (UTC). Raises TooManyJobs if there were `most` of them already.

        Counting is one conditional write, so simultaneous requests cannot exceed the limit together.
        """
        now = datetime.now(UTC)
        fresh_or_below = Attr("jobs").not_exists() | Attr("jobs").lt(most)
        counted = self._update(
            f"jobs of {now:%Y-%m-%d}",  # no job has this id, since ids are hexadecimal
            "SET expires_at = :end ADD jobs :one",
            {":one": 1, ":end": int(now.timestamp()) + 2 * config.JOB_LIFETIME_SECONDS},
            fresh_or_below,
        )
        if not counted:
            raise TooManyJobs

    def create(self, options: dict[str, Any], upload_seconds: int, owner: str = "", *, decides: bool = False) -> Job:
        """Add a job that waits for its upload. Its id is unguessable (128 random bits).

        `decides` tells the state machine that the job comes with a decision about faces.
        """
        now = int(time.time())
        job = Job(
            job_id=secrets.token_hex(16),
            status=Status.AWAITING_UPLOAD,
            options=options,
            created_at=now,
            upload_expires_at=now + upload_seconds,
            expires_at=now + config.JOB_LIFETIME_SECONDS,
            owner=owner,
        )
        row: dict[str, Any] = {
            "job_id": job.job_id,
            "status": job.status,
            "options": json.dumps(job.options),
            "created_at": job.created_at,
            "upload_expires_at": job.upload_expires_at,
            "expires_at": job.expires_at,
        }
        if owner:
            row["owner"] = owner
        if decides:
            row["decides"] = True
        with storage_errors():
            self._table.put_item(Item=row, ConditionExpression=Attr("job_id").not_exists())
        return job

    def get(self, job_id: str) -> Job:
        """Read a job. Raises JobNotFound if it does not exist or has expired."""
        with storage_errors():
            answer = self._table.get_item(Key={"job_id": job_id}, ConsistentRead=True)
        row: dict[str, Any] | None = answer.get("Item")
        if row is None or row["expires_at"] <= time.time():
            raise JobNotFound
        return _from_row(row)

    def is_in_progress(self, job_id: str) -> bool:
        """Whether the job is being processed: it has neither ended nor been deleted."""
        try:
            return self.get(job_id).status is Status.PROCESSING
        except JobNotFound:
            return False

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
        elif job.status is Status.AWAITING_UPLOAD and now > job.upload_expires_at + config.DELIVERY_SECONDS:
            self.fail(job.job_id, InternalError(), only_from=(Status.AWAITING_UPLOAD,))
        elif job.claimed_at is not None and job.status is Status.PROCESSING and now > _deadline(job.claimed_at):
            self.fail(job.job_id, TimedOut())
        else:
            return job
        return self.get(job.job_id)

    def begin(self, job_id: str, stage: str) -> None:
        """Record when one of the STAGES first began, if the job is in progress."""
        in_progress = Attr("status").eq(Status.PROCESSING)
        self._update(job_id, "SET #at = if_not_exists(#at, :now)", {":now": _now()}, in_progress, at=f"{stage}_at")

    def complete(self, job_id: str, outcome: dict[str, Any]) -> None:
        """Record the result; it may be repeated. Raises JobNotFound if the job was deleted or has failed."""
        recorded = self._update(
            job_id,
            "SET #status = :status, outcome = :outcome, finished_at = if_not_exists(finished_at, :now)",
            {":status": Status.COMPLETED, ":outcome": json.dumps(outcome), ":now": _now()},
            Attr("status").is_in([Status.PROCESSING, Status.COMPLETED]),
        )
        if not recorded:
            raise JobNotFound

    def fail(self, job_id: str, error: FaceblurError, only_from: tuple[Status, ...] = UNFINISHED) -> bool:
        """Record a failure if the job is in one of these states. Returns whether it was recorded."""
        return self._update(
            job_id,
            "SET #status = :status, #error = :error, finished_at = if_not_exists(finished_at, :now)",
            {
                ":status": Status.FAILED,
                ":error": {"code": error.code, "message": error.message},
                ":now": _now(),
            },
            Attr("status").is_in(list(only_from)),
        )

    def delete(self, job_id: str, owner: str) -> bool:
        """Remove the job's row. Returns whether there was one; raises JobNotFound if the job has another owner."""
        owned = Attr("owner").eq(owner) if owner else Attr("owner").not_exists()
        try:
            with storage_errors():
                answer = self._table.delete_item(
                    Key={"job_id": job_id},
                    ConditionExpression=Attr("job_id").not_exists() | owned,
                    ReturnValues="ALL_OLD",
                )
        except self._condition_failed as error:
            raise JobNotFound from error
        return "Attributes" in answer

    def _update(self, job_id: str, update: str, values: dict[str, Any], condition: ConditionBase, at: str = "") -> bool:
        names = {"#status": "status", "#error": "error", "#at": at}
        try:
            with storage_errors():
                self._table.update_item(
                    Key={"job_id": job_id},
                    UpdateExpression=update,
                    ExpressionAttributeNames={name: attribute for name, attribute in names.items() if name in update},
                    ExpressionAttributeValues=values,
                    ConditionExpression=condition,
                )
        except self._condition_failed:
            return False
        return True

    @property
    def _condition_failed(self) -> type[ClientError]:
        return self._table.meta.client.exceptions.ConditionalCheckFailedException


@cache
def jobs() -> Jobs:
    """The jobs table of this deployment."""
    # boto3's default of ten attempts takes nearly as long as the timeout of a function or a request.
    settings = Config(retries={"mode": "standard", "total_max_attempts": 3})
    return Jobs(boto3.resource("dynamodb", config=settings).Table(config.jobs_table()))


def is_job_id(text: str) -> bool:
    """Whether this text has the form of a job's id."""
    return _JOB_ID.fullmatch(text) is not None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _deadline(claimed_at: int) -> int:
    return claimed_at + config.EXECUTION_SECONDS + config.EXECUTION_MARGIN_SECONDS


def _from_row(row: dict[str, Any]) -> Job:
    return Job(
        job_id=row["job_id"],
        status=Status(row["status"]),
        options=json.loads(row["options"]),
        created_at=int(row["created_at"]),
        upload_expires_at=int(row["upload_expires_at"]),
        expires_at=int(row["expires_at"]),
        owner=row.get("owner", ""),
        claimed_at=int(row["claimed_at"]) if "claimed_at" in row else None,
        progress={name: row[f"{name}_at"] for name in (*STAGES, "finished") if f"{name}_at" in row},
        outcome=json.loads(row.get("outcome", "{}")),
        error=row.get("error"),
    )
