"""What the embedded AWS does not do by itself: end what an interrupted stack left, and delete what is a day old."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from faceblur_cli.trace import execution_arn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faceblur_cli.local import Stack

LIFETIME = timedelta(days=1)


def recover(stack: Stack) -> None:
    """Abort the jobs whose executions ended with the last stack, and apply the lifecycle of the template's bucket.

    The embedded AWS keeps rows and objects, but no running execution, no lifecycle rule and no time to live; and of an
    execution that ended in its last moments, it may keep the end and not the event that tells of it.
    """
    stored = list(_stored(stack))
    owners = {entry["Key"].partition("/")[2].partition(".")[0] for entry in stored}
    for row in _rows(stack):
        # The row that counts the day's jobs is none, and has no status.
        job_id, status = row["job_id"]["S"], row.get("status", {"S": ""})["S"]
        if int(row["expires_at"]["N"]) < time.time():
            key = {"job_id": {"S": job_id}}
            stack.client("dynamodb").delete_item(TableName=stack.outputs["JobsTableName"], Key=key)
        elif (status == "FAILED" and job_id in owners) or _was_interrupted(stack, job_id, status):
            _tell_of_abortion(stack, job_id)
    for entry in stored:
        if entry["LastModified"] < datetime.now(UTC) - LIFETIME:
            stack.client("s3").delete_object(Bucket=stack.outputs["PhotoBucketName"], Key=entry["Key"])


def _was_interrupted(stack: Stack, job_id: str, status: str) -> bool:
    """Whether nobody works on a job that somebody has begun to work on."""
    execution = _execution(stack, job_id) if status in {"AWAITING_UPLOAD", "PROCESSING"} else "RUNNING"
    return execution != "RUNNING" and (status == "PROCESSING" or execution is not None)


def _execution(stack: Stack, job_id: str) -> str | None:
    client, arn = stack.client("stepfunctions"), execution_arn(stack.outputs["StateMachineArn"], job_id)
    try:
        return str(client.describe_execution(executionArn=arn)["status"])
    except client.exceptions.ExecutionDoesNotExist:
        return None


def _stored(stack: Stack) -> Iterator[dict[str, Any]]:
    listing = stack.client("s3").get_paginator("list_objects_v2")
    for page in listing.paginate(Bucket=stack.outputs["PhotoBucketName"]):
        yield from page.get("Contents", [])


def _rows(stack: Stack) -> Iterator[dict[str, Any]]:
    scan = stack.client("dynamodb").get_paginator("scan")
    for page in scan.paginate(TableName=stack.outputs["JobsTableName"]):
        yield from page["Items"]


def _tell_of_abortion(stack: Stack, job_id: str) -> None:
    """Tell of it as EventBridge does, by a message that is delivered until it is recorded."""
    event = {"source": "aws.states", "detail": {"name": job_id, "status": "ABORTED"}}
    stack.client("sqs").send_message(QueueUrl=stack.outputs["FailedExecutionsQueueUrl"], MessageBody=json.dumps(event))
