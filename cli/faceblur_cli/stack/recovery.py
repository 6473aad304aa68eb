"""Does what AWS does but the emulator does not: ends interrupted jobs, and deletes what is a day old."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from faceblur_cli.stack.aws import Stack
from faceblur_cli.trace import first_execution

LIFETIME = timedelta(days=1)
# The folders of objects that a job needs until it is completed, or for a redo.
FOR_REDOS = ("uploads/", "boxes/", "previews/")


def recover(stack: Stack) -> None:
    """Abort the jobs whose executions ended with the last stack, and delete expired rows and photos.

    Of a completed job that can no longer be done again, the photo, the boxes and the preview are deleted.

    A job that waited for a person ends too, because nobody can answer an execution that has ended.

    The emulator keeps rows and objects. It does not keep running executions, and applies neither lifecycle rules nor
    time to live. If an execution ended just before the emulator stopped, the event about its end may be lost.
    """
    bucket, table = stack.outputs["PhotoBucketName"], stack.outputs["JobsTableName"]
    objects = list(_listed(stack.client("s3"), "list_objects_v2", "Contents", Bucket=bucket))
    jobs_with_photos = {_job_of(entry["Key"]) for entry in objects}
    not_redoable = set[str]()
    for row in _listed(stack.client("dynamodb"), "scan", "Items", TableName=table):
        # The rows of the budget have no status.
        job_id, status = row["job_id"]["S"], row.get("status", {"S": ""})["S"]
        if int(row["expires_at"]["N"]) < time.time():
            stack.client("dynamodb").delete_item(TableName=table, Key={"job_id": {"S": job_id}})
            continue
        if status == "COMPLETED" and int(row.get("redo_until", {"N": "0"})["N"]) <= time.time():
            not_redoable.add(job_id)
        execution = row.get("execution_arn", {"S": first_execution(stack.outputs["StateMachineArn"], job_id)})["S"]
        if (status == "FAILED" and job_id in jobs_with_photos) or _was_interrupted(stack, execution, status):
            _send_aborted(stack, execution)
    for entry in objects:
        is_old = entry["LastModified"] < datetime.now(UTC) - LIFETIME
        if is_old or (_job_of(entry["Key"]) in not_redoable and entry["Key"].startswith(FOR_REDOS)):
            stack.client("s3").delete_object(Bucket=bucket, Key=entry["Key"])


def _job_of(key: str) -> str:
    """The id of the job to which an object belongs."""
    return key.partition("/")[2].partition(".")[0]


def _was_interrupted(stack: Stack, execution: str, status: str) -> bool:
    """Whether this execution has begun to work on its job, and has stopped without ending the job."""
    if status not in {"AWAITING_UPLOAD", "PROCESSING", "AWAITING_REVIEW"}:
        return False
    now = _execution_status(stack, execution)
    return now != "RUNNING" and (status != "AWAITING_UPLOAD" or now is not None)


def _execution_status(stack: Stack, execution: str) -> str | None:
    client = stack.client("stepfunctions")
    try:
        return str(client.describe_execution(executionArn=execution)["status"])
    except client.exceptions.ExecutionDoesNotExist:
        return None


def _listed(client: Any, operation: str, entries: str, **arguments: str) -> Iterator[dict[str, Any]]:
    """The entries of all pages of a paginated operation."""
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page.get(entries, [])


def _send_aborted(stack: Stack, execution: str) -> None:
    """Send the event that EventBridge sends for an aborted execution. Its queue delivers it until it is recorded."""
    detail = {"executionArn": execution, "name": execution.rpartition(":")[2], "status": "ABORTED"}
    event = {"source": "aws.states", "detail": detail}
    stack.client("sqs").send_message(QueueUrl=stack.outputs["FailedExecutionsQueueUrl"], MessageBody=json.dumps(event))
