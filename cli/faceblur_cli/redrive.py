"""Handing back what lies in the dead-letter queue."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from faceblur_cli.failures import Failure

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import ListMessageMoveTasksResultEntryTypeDef

_LOOK_SECONDS = 1.0
_PATIENCE_SECONDS = 15 * 60


def redrive(sqs: SQSClient, dlq_arn: str) -> int:
    """Move all messages of a dead-letter queue back to the queue they come from; gives how many they were.

    SQS does it by itself, this waits for it. Raises Failure if SQS gives up, or is not done in a quarter of an hour.
    """
    before = _latest(sqs, dlq_arn)
    handle = sqs.start_message_move_task(SourceArn=dlq_arn)["TaskHandle"]
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (task := _latest(sqs, dlq_arn)) is None or task == before or task["Status"] == "RUNNING":
        if time.monotonic() > deadline:
            raise Failure(f"The messages are still being moved; `aws sqs cancel-message-move-task` stops {handle}.")
        time.sleep(_LOOK_SECONDS)
    if task["Status"] != "COMPLETED":
        raise Failure(f"SQS did not move all messages: {task.get('FailureReason', task['Status'])}.")
    return task["ApproximateNumberOfMessagesMoved"]


def _latest(sqs: SQSClient, dlq_arn: str) -> ListMessageMoveTasksResultEntryTypeDef | None:
    """How the task stands that was started last, if one ever was; a queue has but one at a time."""
    return next(iter(sqs.list_message_move_tasks(SourceArn=dlq_arn, MaxResults=1).get("Results", [])), None)
