"""Moves the messages of the dead-letter queue back to the queue that they came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from faceblur_cli.failures import Failure
from faceblur_cli.waiting import wait_until

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import ListMessageMoveTasksResultEntryTypeDef as MoveTask

_TIMEOUT_SECONDS = 15 * 60


def redrive(sqs: SQSClient, dlq_arn: str) -> int:
    """Have SQS move all messages of a dead-letter queue back, and wait for that. Returns the number of messages.

    Raises Failure if SQS does not move all of them, or has not finished after 15 minutes.
    """

    def latest() -> MoveTask | None:
        return next(iter(sqs.list_message_move_tasks(SourceArn=dlq_arn, MaxResults=1).get("Results", [])), None)

    def ended() -> MoveTask | None:
        task = latest()
        return task if task and task != before and task["Status"] != "RUNNING" else None

    before = latest()
    handle = sqs.start_message_move_task(SourceArn=dlq_arn)["TaskHandle"]
    complaint = f"SQS is still moving the messages. `aws sqs cancel-message-move-task --task-handle {handle}` stops it."
    task = wait_until(ended, _TIMEOUT_SECONDS, complaint, poll_seconds=1)
    if task["Status"] != "COMPLETED":
        raise Failure(f"SQS did not move all messages: {task.get('FailureReason', task['Status'])}.")
    return task["ApproximateNumberOfMessagesMoved"]
