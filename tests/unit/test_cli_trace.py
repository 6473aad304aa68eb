"""`faceblur trace`: the states of an execution, read from its history."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from faceblur import observability
from faceblur_cli.trace import digest_of_id, first_execution, last_execution, visits

START = datetime(2026, 1, 1, tzinfo=UTC)


def event(kind: str, after: float, **details: Any) -> dict[str, Any]:
    return {"type": kind, "timestamp": START + timedelta(seconds=after), **details}


def entered(kind: str, name: str, after: float) -> dict[str, Any]:
    return event(f"{kind}StateEntered", after, stateEnteredEventDetails={"name": name})


def test_a_task_that_succeeds_on_its_second_attempt() -> None:
    failure = event("TaskFailed", 2, taskFailedEventDetails={"error": "Lambda.ServiceException", "cause": "…"})
    (visit,) = visits(
        [
            event("ExecutionStarted", 0),
            entered("Task", "Detect what to hide", 1),
            event("TaskScheduled", 1),
            failure,
            event("TaskScheduled", 3),
            event("TaskSucceeded", 4),
            event("TaskStateExited", 4.5),
        ]
    )
    assert (visit.state, visit.kind, visit.seconds) == ("Detect what to hide", "Task", 3.5)
    assert (visit.retries, visit.errors) == (1, ["Lambda.ServiceException"])


def test_the_end_of_the_execution_ends_the_last_visit() -> None:
    *_, last = visits([entered("Fail", "Job failed", 1), event("ExecutionFailed", 2)])
    assert last.seconds == 1


def test_a_visit_that_has_not_ended_has_no_duration() -> None:
    assert visits([entered("Task", "Hide what was found", 1)])[0].seconds is None


def test_a_timeout_without_details_is_named_after_its_event() -> None:
    (visit,) = visits([entered("Task", "Hide what was found", 1), event("TaskScheduled", 1), event("TaskTimedOut", 3)])
    assert visit.errors == ["TaskTimedOut"]


def test_the_execution_is_named_after_the_job() -> None:
    arn = first_execution("arn:aws:states:eu-west-1:123456789012:stateMachine:blur", "0a")
    assert arn == "arn:aws:states:eu-west-1:123456789012:execution:blur:0a"


def test_the_command_names_a_job_as_the_logs_do() -> None:
    job_id = "0f8fad5bd9cb469fa16570867728950e"
    assert digest_of_id(job_id) == observability.digest_of_id(job_id)


def test_the_last_execution_is_the_redo_with_the_highest_number(states: Any) -> None:
    machine = "arn:aws:states:eu-central-1:123456789012:stateMachine:blur-image"
    with pytest.raises(states.exceptions.ExecutionDoesNotExist):
        last_execution(states, machine, "0a")
    for name in ("0a", "0a-1", "0a-2"):
        states.start_execution(stateMachineArn=machine, name=name)
        assert last_execution(states, machine, "0a")["name"] == name
