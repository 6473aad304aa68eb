"""Executions of the hide_batch state machine, the reports about them, and the end of a batch."""

from __future__ import annotations

import csv
import json
import time
from collections import Counter
from functools import cache
from io import TextIOWrapper
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from faceblur import config, errors, prices
from faceblur.aws import code_of
from faceblur.errors import Aborted, BatchNotFound, BatchNotReady, InternalError, TimedOut
from faceblur.jobs.batches import BatchStatus, folder_of, photo_id
from faceblur.jobs.execution_names import execution_name, id_in
from faceblur.jobs.table import Status
from faceblur.limits import KINDS

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

    from faceblur.errors import FaceblurError
    from faceblur.jobs.batch_files import BatchFiles
    from faceblur.jobs.batches import Batch, Batches
    from faceblur.jobs.budget import Budget

# The fields of a photo in a report. In the CSV, `hidden` is one column for each kind.
FIELDS = ("key", "status", "code", "hidden", "warnings", "result", "job_id", "usd")
# The cost of a running batch is estimated from this many of its photos.
SAMPLE = 10
# For some moments after a start, Step Functions may not know the execution yet.
START_SECONDS = 60
_STATUSES = {"SUCCEEDED": BatchStatus.COMPLETED, "ABORTED": BatchStatus.STOPPED}
_ENDINGS: dict[str, type[FaceblurError]] = {"TIMED_OUT": TimedOut, "ABORTED": Aborted}
# The errors of a batch, by the error name or the stop reason of its execution.
_REASONS: dict[str, type[FaceblurError]] = {
    "States.ExceedToleratedFailureThreshold": errors.TooManyFailed,
    "States.ItemReaderFailed": errors.SourceUnreadable,
    "BudgetSpent": errors.BudgetSpent,
}


class BatchMachine:
    """The state machine."""

    def __init__(self, client: SFNClient, arn: str) -> None:
        """Use the state machine with this ARN."""
        self._client, self._arn = client, arn

    def execution(self, name: str) -> str:
        """The ARN of the execution with this name."""
        return f"{self._arn.replace(':stateMachine:', ':execution:')}:{name}"

    def start(self, batch: Batch, execution: str, at_once: int) -> None:
        """Start the execution with this ARN. It works on `at_once` photos at a time."""
        given = {
            "batch_id": batch.batch_id,
            "source": vars(batch.source),
            "results": f"{folder_of(batch.batch_id)}map",
            "at_once": at_once,
            "tolerated": batch.tolerated,
        }
        self._client.start_execution(stateMachineArn=self._arn, name=execution_name(execution), input=json.dumps(given))

    def stop(self, execution: str, reason: str) -> None:
        """Stop an execution for this reason, the name of an error, if it is running."""
        try:
            self._client.stop_execution(executionArn=execution, error=reason)
        except ClientError as error:
            # If the execution has ended, some endpoints raise a validation error.
            if code_of(error) not in {"ExecutionDoesNotExist", "ValidationException"}:
                raise

    def reason(self, execution: str) -> str:
        """Why an execution was stopped, as `stop` was told."""
        return str(self._client.describe_execution(executionArn=execution).get("error", ""))

    def ended_at(self, execution: str) -> float | None:
        """When an execution was stopped or timed out, in seconds since the epoch; None if it runs.

        Zero if it is unknown or ended otherwise: only those that are stopped or time out get their report afterwards.
        """
        try:
            told = self._client.describe_execution(executionArn=execution)
        except self._client.exceptions.ExecutionDoesNotExist:
            return 0.0
        if told["status"] == "RUNNING":
            return None
        return told["stopDate"].timestamp() if told["status"] in _ENDINGS else 0.0

    def counts(self, execution: str) -> dict[str, int]:
        """The numbers of photos in an execution: all, waiting, running, hidden and failed.

        After the execution's end, the waiting ones are those that were not begun or were stopped.
        """
        runs = self._client.list_map_runs(executionArn=execution)["mapRuns"]
        if not runs:
            return {"photos": 0, "waiting": 0, "running": 0, "hidden": 0, "failed": 0}
        told = self._client.describe_map_run(mapRunArn=runs[0]["mapRunArn"])["itemCounts"]
        return {
            "photos": told["total"],
            "waiting": told["total"] - told["running"] - told["succeeded"] - told["failed"],
            "running": told["running"],
            "hidden": told["succeeded"],
            "failed": told["failed"],
        }


@cache
def batch_machine() -> BatchMachine:
    """The state machine of this deployment."""
    return BatchMachine(boto3.client("stepfunctions"), config.batch_machine_arn())


def start_batch(batch: Batch, at_once: int, batches: Batches, machine: BatchMachine, budget: Budget) -> None:
    """Start the batch, or start it again for the photos that are not hidden. It works on `at_once` photos at a time.

    Raises BatchNotReady if it is running, and BudgetSpent if there is no money for a start.
    """
    if batch.status is BatchStatus.RUNNING:
        raise BatchNotReady
    # The start pays for photos that pay nothing themselves: those already hidden, and up to `at_once` photos that are
    # refused when the budget is spent.
    budget.take(batch.client, prices.start_of_a_batch(at_once + _done_before(batch)))
    execution = machine.execution(f"{batch.batch_id}-{batch.starts + 1}")
    batches.begin(batch, execution)
    machine.start(batch, execution, at_once)


def _done_before(batch: Batch) -> int:
    """How many photos of the next start are already hidden. Hidden uploads are deleted, so the next start has none."""
    return 0 if batch.takes_uploads else int(batch.outcome.get("hidden", 0))


def fail_if_abandoned(batch: Batch, batches: Batches, machine: BatchMachine) -> Batch:
    """The batch. If its row says RUNNING but its execution ended long ago or never began, the batch is failed first."""
    if batch.status is not BatchStatus.RUNNING or time.time() < (batch.started_at or 0) + START_SECONDS:
        return batch
    ended_at = machine.ended_at(batch.execution)
    return batch if ended_at is None else batches.fail_if_abandoned(batch, ended_at)


def progress(batch: Batch, machine: BatchMachine, files: BatchFiles) -> dict[str, Any]:
    """The counts of a running batch, and its cost so far in USD, estimated from ten of its photos."""
    counts = machine.counts(batch.execution)
    if batch.takes_uploads:
        # The uploads of photos that were hidden before are deleted, so this execution does not count those photos.
        before = int(batch.outcome.get("hidden", 0))
        counts["photos"], counts["hidden"] = counts["photos"] + before, counts["hidden"] + before
    known = [line["usd"] for line in files.lines(batch.batch_id, SAMPLE)]
    mean = sum(known) / len(known) if known else 0.0
    return counts | {"usd": _total_cost((counts["hidden"] + counts["failed"]) * mean, counts)}


def finish_batch(
    execution: str, status: str, reason: str, batches: Batches, machine: BatchMachine, files: BatchFiles
) -> Batch | None:
    """Write the reports of the batch of this execution, and record the batch's end. Calls may be repeated.

    `status` is the execution's status. `reason` is the name of the error that failed it; empty if none did. Returns the
    batch; None if it was deleted during this call, or if another execution works on it. Raises BatchNotFound if it was
    deleted before this call.
    """
    batch_id = id_in(execution_name(execution))
    if status == "ABORTED":
        reason = machine.reason(execution)
    if batches.get(batch_id).execution != execution:
        return None
    counts = machine.counts(execution)
    outcome = _write_reports(batch_id, execution_name(execution), files)
    outcome["waiting"] = counts["waiting"] + counts["running"]
    # A photo whose failure could not be written down has no line.
    outcome["failed"] = max(outcome["failed"], counts["failed"])
    outcome["photos"] = outcome["hidden"] + outcome["failed"] + outcome["waiting"]
    ended = _STATUSES.get(status, BatchStatus.FAILED)
    recorded = batches.finish(batch_id, execution, ended, outcome, _error(status, reason))
    try:
        batch = batches.get(batch_id)
    except BatchNotFound:
        # It was deleted meanwhile, so its reports must not stay.
        for keys in files.pages(folder_of(batch_id)):
            files.delete(keys)
        return None
    return batch if recorded else None


def give_up_batch(execution: str, batches: Batches) -> None:
    """Fail the batch of this failed execution, if there is no report. Calls may be repeated."""
    batches.finish(id_in(execution_name(execution)), execution, BatchStatus.FAILED, error=InternalError())


def _error(status: str, reason: str) -> FaceblurError | None:
    if status == "SUCCEEDED":
        return None
    return _REASONS.get(reason, _ENDINGS.get(status, InternalError))()


def _write_reports(batch_id: str, run: str, files: BatchFiles) -> dict[str, Any]:
    """Store all lines as CSV and as JSON, one object a line. Returns the counts. It holds one page of lines at a time.

    If this run has not rewritten the line of a photo that failed in an earlier run, the photo still waits. So it does
    not count as failed.
    """
    counts, usd = Counter[str](), 0.0
    with TemporaryFile() as rows, TemporaryFile() as objects:
        text = TextIOWrapper(rows, encoding="utf-8", newline="", write_through=True)
        table = csv.DictWriter(text, [name for field in FIELDS for name in _columns(field)])
        table.writeheader()
        for line in files.lines(batch_id):
            table.writerow(_row(line))
            objects.write(json.dumps({name: line[name] for name in FIELDS}).encode() + b"\n")
            if line["status"] == Status.COMPLETED or line["job_id"] == photo_id(run, line["key"]):
                counts[line["status"]] += 1
            counts["empty"] += line["status"] == Status.COMPLETED and not any(line["hidden"].values())
            usd += line["usd"]
        text.detach()  # or it would close the file
        for file, kind in ((rows, "csv"), (objects, "jsonl")):
            file.seek(0)
            files.store_report(batch_id, file, kind)
    told = {"hidden": counts[Status.COMPLETED], "failed": counts[Status.FAILED], "nothing_hidden": counts["empty"]}
    return told | {"usd": _total_cost(usd, told)}


def _columns(field: str) -> list[str]:
    return [f"hidden_{kind}" for kind in KINDS] if field == "hidden" else [field]


def _row(line: dict[str, Any]) -> dict[str, Any]:
    told = {name: line[name] for name in FIELDS if name != "hidden"} | {"warnings": " ".join(line["warnings"])}
    return told | {f"hidden_{kind}": count for kind, count in line["hidden"].items()}


def _total_cost(usd: float, counts: dict[str, int]) -> float:
    """The cost of the jobs, and of what a batch adds to each, in USD."""
    done = counts["hidden"] + counts["failed"]
    return round(usd + done * prices.BATCHED / prices.A_DOLLAR, 6)
