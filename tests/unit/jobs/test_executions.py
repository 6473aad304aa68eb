from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from faceblur.jobs.executions import Workflow

STATE_MACHINE_ARN = "arn:aws:states:eu-central-1:123456789012:stateMachine:blur-image"
EXECUTION_ARN = "arn:aws:states:eu-central-1:123456789012:execution:blur-image:a"
STARTING = {"stateMachineArn": STATE_MACHINE_ARN, "name": "a", "input": '{"job_id": "a"}'}


@pytest.fixture
def stubbed(environment):
    """The workflow, whose Step Functions answers as it is told."""
    client = boto3.client("stepfunctions")
    with Stubber(client) as stub:
        yield Workflow(client, STATE_MACHINE_ARN), stub
        stub.assert_no_pending_responses()


def test_an_execution_is_named_after_its_job(stubbed):
    workflow, stub = stubbed
    stub.add_response("start_execution", {"executionArn": EXECUTION_ARN, "startDate": 0}, STARTING)
    workflow.start("a")


def test_a_job_has_one_execution(stubbed):
    workflow, stub = stubbed
    stub.add_client_error("start_execution", "ExecutionAlreadyExists")
    workflow.start("a")


def test_any_other_refusal_to_start_is_raised_as_it_is(stubbed):
    workflow, stub = stubbed
    stub.add_client_error("start_execution", "ExecutionLimitExceeded")
    with pytest.raises(ClientError, match="ExecutionLimitExceeded"):
        workflow.start("a")


def test_stopping_says_why(stubbed):
    workflow, stub = stubbed
    stub.add_response("stop_execution", {"stopDate": 0}, {"executionArn": EXECUTION_ARN, "error": "Deleted"})
    workflow.stop("a")


@pytest.mark.parametrize("code", ["ExecutionDoesNotExist", "ValidationException"])
def test_stopping_what_does_not_run(stubbed, code):
    workflow, stub = stubbed
    stub.add_client_error("stop_execution", code)
    workflow.stop("a")


def test_any_other_refusal_to_stop_is_raised_as_it_is(stubbed):
    workflow, stub = stubbed
    stub.add_client_error("stop_execution", "AccessDeniedException", http_status_code=403)
    with pytest.raises(ClientError, match="AccessDenied"):
        workflow.stop("a")
