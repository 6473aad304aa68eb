from __future__ import annotations

import boto3
import pytest
from botocore.stub import Stubber
from click.testing import CliRunner

from faceblur_cli import main, redrive
from faceblur_cli.failures import Failure

DLQ = "arn:aws:sqs:eu-central-1:123456789012:faceblur-FailuresDlq-1EXAMPLE"


EARLIER = {"Status": "COMPLETED", "StartedTimestamp": 1, "ApproximateNumberOfMessagesMoved": 9}


@pytest.fixture
def sqs():
    """SQS, which gives the answers that a test queues up, and no others."""
    client = boto3.client("sqs")
    with Stubber(client) as stub:
        client.says = stub
        yield client
        stub.assert_no_pending_responses()


def moving(sqs, *tasks):
    """Have a move started after an earlier one, and then told how it stands, one look after the other."""
    asked = {"SourceArn": DLQ, "MaxResults": 1}
    sqs.says.add_response("list_message_move_tasks", {"Results": [EARLIER]}, asked)
    sqs.says.add_response("start_message_move_task", {"TaskHandle": "a-task"}, {"SourceArn": DLQ})
    for task in tasks:
        sqs.says.add_response("list_message_move_tasks", {"Results": [{"StartedTimestamp": 2} | task]}, asked)


@pytest.fixture
def waits(monkeypatch):
    """The waits between two looks, none of which takes time."""
    waited = []
    monkeypatch.setattr(redrive.time, "sleep", waited.append)
    return waited


def test_it_waits_until_all_messages_are_moved(sqs, waits):
    moving(sqs, EARLIER, {"Status": "RUNNING"}, {"Status": "RUNNING"}, {"Status": "COMPLETED", **count(3)})
    assert redrive.redrive(sqs, DLQ) == 3
    assert len(waits) == 3


def count(moved):
    return {"ApproximateNumberOfMessagesMoved": moved}


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        ({"Status": "FAILED", "FailureReason": "AccessDenied", **count(1)}, "AccessDenied"),
        ({"Status": "CANCELLED"}, "CAN"),
    ],
)
def test_a_move_that_fails_is_told(sqs, waits, task, reason):
    moving(sqs, task)
    with pytest.raises(Failure, match=reason):
        redrive.redrive(sqs, DLQ)


def test_it_does_not_wait_for_ever(sqs, waits, monkeypatch):
    moving(sqs, {"Status": "RUNNING"})
    monkeypatch.setattr(redrive, "_PATIENCE_SECONDS", -1)
    with pytest.raises(Failure, match="a-task"):
        redrive.redrive(sqs, DLQ)


@pytest.mark.parametrize(("moved", "said"), [(0, "0 messages were"), (1, "1 message was"), (7, "7 messages were")])
def test_the_command_asks_the_stack_for_its_queue(sqs, waits, monkeypatch, moved, said):
    moving(sqs, {"Status": "COMPLETED", **count(moved)})
    monkeypatch.setattr(main, "_outputs", {"photos": {"FailuresDlqArn": DLQ}}.__getitem__)
    monkeypatch.setattr(main.boto3, "client", {"sqs": sqs}.__getitem__)
    result = CliRunner().invoke(main.cli, ["redrive", "--stack-name", "photos"])
    assert (result.exit_code, result.exception) == (0, None)
    assert f"{said} handed back" in result.output
