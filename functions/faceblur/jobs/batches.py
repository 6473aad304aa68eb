"""Batches: many photos with the same options. Each batch has one row in the jobs table, of constant size.

    AWAITING_PHOTOS ──start──▶ RUNNING ──▶ COMPLETED | FAILED | STOPPED
                                  ▲                     │
                                  └────────start────────┘

A batch that is started again works on the photos that failed and on those that were not begun. Each start is an
execution of the state machine hide_batch, named `{batch_id}-{number}`.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr, ConditionBase

from faceblur import config
from faceblur.aws import storage_errors
from faceblur.errors import BatchNotFound, BatchNotReady, FaceblurError, InternalError
from faceblur.jobs.events import events
from faceblur.jobs.rows import change_row, read_row, remove_row
from faceblur.jobs.table import jobs_table
from faceblur.options import JobOptions

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

# The owner of jobs that no user may see. The owners of users' jobs are hexadecimal, so none equals this.
NOBODY = "nobody"
# The longest time from the end of a batch's execution to its report: the timeout of write_report, and a margin.
REPORT_SECONDS = 960


class BatchStatus(StrEnum):
    """The state of a batch."""

    AWAITING_PHOTOS = "AWAITING_PHOTOS"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    STOPPED = "STOPPED"


@dataclass(frozen=True)
class Source:
    """Where the photos of a batch are: below `prefix`.

    If `kind` is `prefix`, the batch has all photos there. Otherwise the object `list` in the same bucket names the
    photos: it is a `csv` with the column `key`, or the `manifest` of an S3 Inventory.
    """

    bucket: str
    prefix: str
    kind: str = "prefix"
    list: str = ""


@dataclass(frozen=True)
class Target:
    """Where the results of a batch go: below `prefix`."""

    bucket: str
    prefix: str


@dataclass(frozen=True)
class Batch:
    """A row of the jobs table that describes a batch. Times are seconds since the epoch.

    Without a `target`, results stay in the bucket of photos. `tolerated` is the percentage of photos that may fail; if
    more fail, the batch ends. `execution` is the ARN of the last execution, and `starts` the number of executions.
    `outcome` has the counts in the report of the last execution that ended. A photo that landed in the customer's
    bucket belongs to no batch. A Batch without an id holds the settings for such photos.
    """

    batch_id: str
    status: BatchStatus
    options: dict[str, Any]
    source: Source
    target: Target | None
    receipts: bool
    tolerated: float = 100.0
    created_at: int = 0
    expires_at: int = 0
    owner: str = ""
    client: str = ""
    starts: int = 0
    execution: str = ""
    started_at: int | None = None
    finished_at: int | None = None
    outcome: dict[str, Any] = field(default_factory=dict)
    error: dict[str, str] | None = None

    @property
    def takes_uploads(self) -> bool:
        """Whether the photos are uploaded with the batch's form."""
        return self.source == uploads_of(self.batch_id)

    @property
    def owner_of_jobs(self) -> str:
        """The owner of each photo's job. Nobody may see the jobs of the customer's own photos."""
        return self.owner if self.takes_uploads else NOBODY


class Batches:
    """The batches in the jobs table."""

    def __init__(self, table: Table) -> None:
        """Use this table, whose partition key is `job_id`."""
        self._table = table

    def create(self, batch: Batch) -> None:
        """Add a new batch."""
        row: dict[str, Any] = {
            "job_id": _key(batch.batch_id),
            "status": batch.status,
            "request": json.dumps(
                {
                    "options": batch.options,
                    "source": vars(batch.source),
                    "target": vars(batch.target) if batch.target else None,
                    "receipts": batch.receipts,
                    "tolerated": batch.tolerated,
                }
            ),
            "created_at": batch.created_at,
            "expires_at": batch.expires_at,
        }
        row |= {name: value for name, value in (("owner", batch.owner), ("client", batch.client)) if value}
        with storage_errors():
            self._table.put_item(Item=row, ConditionExpression=Attr("job_id").not_exists())

    def get(self, batch_id: str) -> Batch:
        """Read a batch. Raises BatchNotFound if it does not exist or has expired."""
        row = read_row(self._table, _key(batch_id))
        if row is None:
            raise BatchNotFound
        return _from_row(batch_id, row)

    def get_owned(self, batch_id: str, owner: str) -> Batch:
        """Read a batch of this owner. Raises BatchNotFound if it does not exist or has another owner."""
        batch = self.get(batch_id)
        if batch.owner != owner:
            raise BatchNotFound
        return batch

    def begin(self, batch: Batch, execution: str) -> None:
        """Hand the batch to its next execution. Raises BatchNotReady if it runs, or changed since `batch` was read."""
        # The condition keeps the write from creating a new row if the batch was deleted meanwhile.
        not_running = Attr("job_id").exists() & Attr("status").ne(BatchStatus.RUNNING)
        last = Attr("starts").eq(batch.starts) if batch.starts else Attr("starts").not_exists()
        begun = change_row(
            self._table,
            _key(batch.batch_id),
            "SET #status = :status, execution_arn = :execution, starts = :starts, started_at = :now "
            "REMOVE finished_at, #error",
            {
                ":status": BatchStatus.RUNNING,
                ":execution": execution,
                ":starts": batch.starts + 1,
                ":now": int(time.time()),
            },
            not_running & last,
        )
        if begun is None:
            raise BatchNotReady

    def finish(
        self,
        batch_id: str,
        execution: str,
        status: BatchStatus,
        outcome: dict[str, Any] | None = None,
        error: FaceblurError | None = None,
    ) -> bool:
        """Record how this execution ended. Calls may be repeated. `outcome` has the report's counts, if there is one.

        The first call for an execution also sends the batch's event. Returns False if the batch was deleted, or if
        another execution works on it.
        """
        update = "SET #status = :status, finished_at = if_not_exists(finished_at, :now)"
        values: dict[str, Any] = {":status": status, ":now": int(time.time())}
        if outcome is not None:
            update, values = f"{update}, outcome = :outcome", values | {":outcome": json.dumps(outcome)}
        if error:
            update, values = f"{update}, #error = :error", values | {":error": error.to_dict()}
        condition: ConditionBase = Attr("execution_arn").eq(execution)
        if outcome is None:
            # The report may have been written since the batch was read.
            condition &= Attr("status").eq(BatchStatus.RUNNING)
        before = change_row(self._table, _key(batch_id), update, values, condition)
        if before is not None and "finished_at" not in before:
            events().batch_finished(batch_id, status, outcome, error)
        return before is not None

    def fail_if_abandoned(self, batch: Batch, ended_at: float) -> Batch:
        """Fail a batch whose execution ended at this time without a report, so that no client waits for ever."""
        if time.time() < ended_at + REPORT_SECONDS:
            return batch
        self.finish(batch.batch_id, batch.execution, BatchStatus.FAILED, error=InternalError())
        return self.get(batch.batch_id)

    def delete(self, batch_id: str, owner: str) -> Batch | None:
        """Remove the row. Returns the batch, if there was one; raises BatchNotFound if it has another owner."""
        row = remove_row(self._table, _key(batch_id), owner, BatchNotFound)
        return _from_row(batch_id, row) if row else None


@cache
def batches() -> Batches:
    """The batches of this deployment."""
    return Batches(jobs_table())


def source_bucket_settings() -> Batch:
    """The settings for photos that land in the customer's bucket: all options have their defaults."""
    return Batch(
        batch_id="",
        status=BatchStatus.RUNNING,
        options=JobOptions().model_dump(),
        source=Source(config.source_bucket(), config.source_prefix()),
        target=Target(config.target_bucket(), config.target_prefix()),
        receipts=config.target_receipts(),
    )


def uploads_of(batch_id: str) -> Source:
    """The place of the photos that are uploaded with the form of this batch."""
    return Source(config.photo_bucket(), f"{folder_of(batch_id)}in/")


def folder_of(batch_id: str) -> str:
    """The prefix of all objects of a batch in the bucket of photos."""
    return f"batches/{batch_id}/"


def photo_id(run: str, key: str) -> str:
    """The id of the photo with this key in this run: a digest of both, of 128 bits.

    The run is an execution of hide_batch, or an event about a photo that landed. The run's name is random, so nobody
    who knows the key can guess the id.
    """
    return sha256(f"{run}\n{key}".encode()).hexdigest()[:32]


def _key(batch_id: str) -> str:
    # No job has this id, since ids are hexadecimal.
    return f"batch {batch_id}"


def _from_row(batch_id: str, row: dict[str, Any]) -> Batch:
    request = json.loads(row["request"])
    return Batch(
        batch_id=batch_id,
        status=BatchStatus(row["status"]),
        options=request["options"],
        source=Source(**request["source"]),
        target=Target(**request["target"]) if request["target"] else None,
        receipts=request["receipts"],
        tolerated=request["tolerated"],
        created_at=int(row["created_at"]),
        expires_at=int(row["expires_at"]),
        owner=row.get("owner", ""),
        client=row.get("client", ""),
        starts=int(row.get("starts", 0)),
        execution=row.get("execution_arn", ""),
        started_at=int(row["started_at"]) if "started_at" in row else None,
        finished_at=int(row["finished_at"]) if "finished_at" in row else None,
        outcome=json.loads(row.get("outcome", "{}")),
        error=row.get("error"),
    )
