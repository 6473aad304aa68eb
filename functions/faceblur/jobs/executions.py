"""Executions of the blur_image state machine. Each job has one, named after the job."""

from __future__ import annotations

import json
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import ClientError

from faceblur import config
from faceblur.aws import code_of

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class Workflow:
    """The state machine."""

    def __init__(self, client: SFNClient, state_machine_arn: str) -> None:
        """Use the state machine with this ARN."""
        self._client = client
        self._state_machine_arn = state_machine_arn

    def start(self, job_id: str) -> None:
        """Start the job's execution, unless there was one already. So a repeated message is harmless."""
        with suppress(self._client.exceptions.ExecutionAlreadyExists):
            self._client.start_execution(
                stateMachineArn=self._state_machine_arn,
                name=job_id,
                input=json.dumps({"job_id": job_id}),
            )

    def stop(self, job_id: str) -> None:
        """Stop the job's execution, if there is one."""
        try:
            self._client.stop_execution(executionArn=self._execution_arn(job_id), error="Deleted")
        except ClientError as error:
            # If the execution has ended, some endpoints raise a validation error.
            if code_of(error) not in {"ExecutionDoesNotExist", "ValidationException"}:
                raise

    def _execution_arn(self, job_id: str) -> str:
        return f"{self._state_machine_arn.replace(':stateMachine:', ':execution:')}:{job_id}"


@cache
def workflow() -> Workflow:
    """The state machine of this deployment."""
    return Workflow(boto3.client("stepfunctions"), config.state_machine_arn())
