"""What the embedded AWS does not do by itself: end what an interrupted stack left, and delete what is a day old."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faceblur_cli.local import Stack

LIFETIME = timedelta(days=1)


def recover(stack: Stack) -> None:
    """Abort the jobs whose executions ended with the last stack, and apply the lifecycle of the template's bucket.

    The embedded AWS keeps rows and objects, but no running execution, no lifecycle rule and no time to live.
    """
    for row in _rows(stack):
        job_id = row["job_id"]["S"]
        if int(row["expires_at"]["N"]) < time.time():
            key = {"job_id": {"S": job_id}}
            stack.client("dynamodb").delete_item(TableName=stack.outputs["JobsTableName"], Key=key)
        elif row.get("status") == {"S": "PROCESSING"}:
            _tell_of_abortion(stack, job_id)
    s3, bucket = stack.client("s3"), stack.outputs["PhotoBucketName"]
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for stored in page.get("Contents", []):
            if stored["LastModified"] < datetime.now(UTC) - LIFETIME:
                s3.delete_object(Bucket=bucket, Key=stored["Key"])


def _rows(stack: Stack) -> Iterator[dict[str, Any]]:
    scan = stack.client("dynamodb").get_paginator("scan")
    for page in scan.paginate(TableName=stack.outputs["JobsTableName"]):
        yield from page["Items"]


def _tell_of_abortion(stack: Stack, job_id: str) -> None:
    """Call update_job as EventBridge does when an execution is aborted."""
    event = {"source": "aws.states", "detail": {"name": job_id, "status": "ABORTED"}}
    stack.client("lambda").invoke(FunctionName=stack.outputs["UpdateJobFunctionName"], Payload=json.dumps(event))
