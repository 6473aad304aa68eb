from __future__ import annotations

import json

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from faceblur.errors import ReviewClosed
from faceblur.jobs.execution_names import execution_name, id_in
from faceblur.jobs.executions import Workflow

STATE_MACHINE_ARN = "arn:aws:states:eu-central-1:123456789012:stateMachine:blur-image"
EXECUTION_ARN = "arn:aws:states:eu-central-1:123456789012:execution:blur-image:a"
FIRST = '{"job_id": "a", "boxes": {"key": "", "count": 0}, "unsure": 0, "reviewed": false, "warnings": []}'
STARTING = {"stateMachineArn": STATE_MACHINE_ARN, "name": "a", "input": FIRST}


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
    assert workflow.stop(EXECUTION_ARN)


@pytest.mark.parametrize(("code", "exists"), [("ExecutionDoesNotExist", False), ("ValidationException", True)])
def test_stopping_what_does_not_run(stubbed, code, exists):
    workflow, stub = stubbed
    stub.add_client_error("stop_execution", code)
    assert workflow.stop(EXECUTION_ARN) is exists


def test_all_executions_of_a_job_are_stopped_also_behind_one_that_has_ended(stubbed):
    workflow, stub = stubbed
    stub.add_client_error("stop_execution", "ValidationException", expected_params=stopping(""))
    stub.add_response("stop_execution", {"stopDate": 0}, stopping("-1"))
    stub.add_client_error("stop_execution", "ExecutionDoesNotExist", expected_params=stopping("-2"))
    workflow.stop_all("a")


def stopping(number):
    return {"executionArn": f"{EXECUTION_ARN}{number}", "error": "Deleted"}


def test_any_other_refusal_to_stop_is_raised_as_it_is(stubbed):
    workflow, stub = stubbed
    stub.add_client_error("stop_execution", "AccessDeniedException", http_status_code=403)
    with pytest.raises(ClientError, match="AccessDenied"):
        workflow.stop(EXECUTION_ARN)


def test_a_redo_has_its_number_behind_the_name_of_the_job(stubbed):
    workflow, stub = stubbed
    again = workflow.execution("a", 2)
    assert (workflow.execution("a"), again) == (EXECUTION_ARN, f"{EXECUTION_ARN}-2")
    given = {"job_id": "a", "boxes": {"key": "boxes/a.json", "count": 1}, "unsure": 2, "reviewed": True, "warnings": []}
    expected = {"stateMachineArn": STATE_MACHINE_ARN, "name": "a-2", "input": json.dumps(given)}
    stub.add_response("start_execution", {"executionArn": again, "startDate": 0}, expected)
    workflow.redo(again, given)


ANSWER = {"boxes": {"key": "boxes/a.json", "count": 1}}


def test_an_answer_goes_to_the_execution_that_waits_with_the_token(stubbed):
    workflow, stub = stubbed
    stub.add_response("send_task_success", {}, {"taskToken": "token", "output": json.dumps(ANSWER)})
    workflow.answer("token", ANSWER)


@pytest.mark.parametrize("code", ["TaskDoesNotExist", "TaskTimedOut", "InvalidToken"])
def test_an_answer_that_comes_too_late(stubbed, code):
    workflow, stub = stubbed
    stub.add_client_error("send_task_success", code)
    with pytest.raises(ReviewClosed):
        workflow.answer("token", ANSWER)


def test_any_other_refusal_of_an_answer_is_raised_as_it_is(stubbed):
    workflow, stub = stubbed
    stub.add_client_error("send_task_success", "AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDenied"):
        workflow.answer("token", ANSWER)


def test_the_names_of_executions_tell_their_job():
    assert [id_in(execution_name(arn)) for arn in (EXECUTION_ARN, f"{EXECUTION_ARN}-12")] == ["a", "a"]
