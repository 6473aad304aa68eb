"""`faceblur redrive`: the messages of the dead-letter queue are moved back."""

from __future__ import annotations

import sys

import boto3
import pytest
from botocore.stub import Stubber
from click.testing import CliRunner

from faceblur_cli import main, redrive, waiting
from faceblur_cli.failures import Failure

DLQ = "arn:aws:sqs:eu-central-1:123456789012:faceblur-FailuresDlq-1EXAMPLE"


EARLIER = {"Status": "COMPLETED", "StartedTimestamp": 1, "ApproximateNumberOfMessagesMoved": 9}


@pytest.fixture
def sqs():
    """An SQS client that gives the answers that a test adds to its stub, and no others."""
    client = boto3.client("sqs")
    with Stubber(client) as stub:
        client.stub = stub
        yield client
        stub.assert_no_pending_responses()


def moving(sqs, *tasks):
    """Expect that a move is started after an earlier one, and then give its state, one task an answer."""
    request = {"SourceArn": DLQ, "MaxResults": 1}
    sqs.stub.add_response("list_message_move_tasks", {"Results": [EARLIER]}, request)
    sqs.stub.add_response("start_message_move_task", {"TaskHandle": "a-task"}, {"SourceArn": DLQ})
    for task in tasks:
        sqs.stub.add_response("list_message_move_tasks", {"Results": [{"StartedTimestamp": 2} | task]}, request)


@pytest.fixture
def waits(monkeypatch):
    """The seconds waited between two requests; no time passes."""
    waited = []
    monkeypatch.setattr(waiting.time, "sleep", waited.append)
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
def test_a_failed_move_gives_the_reason(sqs, waits, task, reason):
    moving(sqs, task)
    with pytest.raises(Failure, match=reason):
        redrive.redrive(sqs, DLQ)


def test_a_move_that_takes_too_long(sqs, waits, monkeypatch):
    moving(sqs, {"Status": "RUNNING"})
    monkeypatch.setattr(redrive, "_TIMEOUT_SECONDS", -1)
    with pytest.raises(Failure, match="a-task"):
        redrive.redrive(sqs, DLQ)


@pytest.mark.parametrize(("moved", "message"), [(0, "0 messages were"), (1, "1 message was"), (7, "7 messages were")])
def test_the_command_finds_the_queue_of_its_stack(sqs, waits, monkeypatch, moved, message):
    moving(sqs, {"Status": "COMPLETED", **count(moved)})
    monkeypatch.setattr(main, "_outputs", {"photos": {"FailuresDlqArn": DLQ}}.__getitem__)
    monkeypatch.setattr(main.boto3, "client", {"sqs": sqs}.__getitem__)
    result = CliRunner().invoke(main.cli, ["redrive", "--stack-name", "photos"])
    assert (result.exit_code, result.exception) == (0, None)
    assert f"{message} moved back" in result.output


@pytest.mark.parametrize("command", [["redrive"], ["trace", "0a", "--stack-name", "photos"], ["publish"]])
def test_a_region_that_is_not_set_is_told_in_one_line(command, monkeypatch, tmp_path, capsys):
    for name in ("REGION", "DEFAULT_REGION", "PROFILE"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setattr(main.boto3, "client", lambda service: boto3.session.Session().client(service))
    monkeypatch.setattr(main, "_interrupt_on_signals", lambda: None)
    monkeypatch.setattr(sys, "argv", ["faceblur", *command])
    with pytest.raises(SystemExit) as ended:
        main.main()
    told = "faceblur: No region is set. Set AWS_DEFAULT_REGION to the region of the stack.\n"
    assert (ended.value.code, capsys.readouterr().err) == (1, told)
