"""Executions of the blur_image state machine."""

from __future__ import annotations

import json
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import ClientError

from faceblur import config
from faceblur.aws import code_of
from faceblur.contracts import NO_BOXES
from faceblur.errors import ReviewClosed
from faceblur.jobs.execution_names import execution_name

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

    from faceblur.contracts import ExecutionInput, ReviewAnswer

# The error codes of Step Functions for the token of a task that has ended.
_ANSWERED = {"InvalidToken", "TaskDoesNotExist", "TaskTimedOut"}


class Workflow:
    """The state machine."""

    def __init__(self, client: SFNClient, state_machine_arn: str) -> None:
        """Use the state machine with this ARN."""
        self._client = client
        self._state_machine_arn = state_machine_arn

    def start(self, job_id: str) -> None:
        """Start the job's first execution, unless it was started before. So a repeated message is harmless."""
        given: ExecutionInput = {"job_id": job_id, "boxes": NO_BOXES, "unsure": 0, "reviewed": False, "warnings": []}
        with suppress(self._client.exceptions.ExecutionAlreadyExists):
            self._start(job_id, given)

    def redo(self, execution: str, given: ExecutionInput) -> None:
        """Start the execution with this ARN, which does a job again."""
        self._start(execution_name(execution), given)

    def answer(self, token: str, answer: ReviewAnswer) -> None:
        """Answer the execution that waits with this token. Raises ReviewClosed if no execution waits with it."""
        try:
            self._client.send_task_success(taskToken=token, output=json.dumps(answer))
        except ClientError as error:
            if code_of(error) in _ANSWERED:
                raise ReviewClosed from None
            raise

    def stop(self, execution: str) -> bool:
        """Stop the execution with this ARN. Returns whether there is one, running or ended."""
        try:
            self._client.stop_execution(executionArn=execution, error="Deleted")
        except ClientError as error:
            if code_of(error) == "ExecutionDoesNotExist":
                return False
            # If the execution has ended, some endpoints raise a validation error.
            if code_of(error) != "ValidationException":
                raise
        return True

    def stop_all(self, job_id: str) -> int:
        """Stop all executions of a job without a row. Only the row named the current one. Returns their number."""
        number = 0
        while self.stop(self.execution(job_id, number)):
            number += 1
        return number

    def execution(self, job_id: str, redos: int = 0) -> str:
        """The ARN of the job's first execution, or of the redo with this number."""
        name = f"{job_id}-{redos}" if redos else job_id
        return f"{self._state_machine_arn.replace(':stateMachine:', ':execution:')}:{name}"

    def _start(self, name: str, given: ExecutionInput) -> None:
        self._client.start_execution(stateMachineArn=self._state_machine_arn, name=name, input=json.dumps(given))


@cache
def workflow() -> Workflow:
    """The state machine of this deployment."""
    return Workflow(boto3.client("stepfunctions"), config.state_machine_arn())
