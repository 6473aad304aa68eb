"""Every branch of the state machine that hides one photo of a batch or a bucket, over mocked task results."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.mocked_results import MockedMachine, returns, throws
from tests.support.sources import state_machine

PREPARE, IS_NEW, HIDE = "Prepare the photo", "Is there something to do?", "Find and hide"
DELIVER, WRITE, WAS = "Deliver the result", "Write down the failure", "Was the photo delivered?"
DELIVERED, FAILED = "Photo delivered", "Photo failed"
INPUT = {"id": "event", "detail": {"object": {"key": "in/a.jpg"}}}
PREPARED, WELL = returns({"Payload": {"job_id": "0f8f"}}), returns({"Payload": {"code": ""}})


def wrote(code: str) -> dict[str, Any]:
    """The failure of this code was written down."""
    return returns({"Payload": {"code": code}})


@pytest.fixture(scope="module")
def hide_photo(mocked):
    return MockedMachine(mocked, state_machine("hide_photo"))


@pytest.mark.parametrize(
    ("results", "path"),
    [
        ({PREPARE: [returns({"Payload": {"job_id": ""}})]}, [PREPARE, IS_NEW, "Nothing to do"]),
        (
            {PREPARE: [PREPARED], HIDE: [returns({})], DELIVER: [WELL]},
            [PREPARE, IS_NEW, HIDE, DELIVER, DELIVERED],
        ),
        # The job's row tells how it ended, not its execution.
        (
            {PREPARE: [PREPARED], HIDE: [throws("States.TaskFailed")], DELIVER: [WELL]},
            [PREPARE, IS_NEW, HIDE, DELIVER, DELIVERED],
        ),
        # The function ended after it had written the photo's line.
        (
            {PREPARE: [PREPARED], HIDE: [returns({})], DELIVER: [throws("Sandbox.Timedout")], WRITE: [wrote("")]},
            [PREPARE, IS_NEW, HIDE, DELIVER, WRITE, WAS, DELIVERED],
        ),
    ],
    ids=["nothing to do", "delivered", "the execution failed", "delivered before the error"],
)
def test_a_photo_ends_well(hide_photo, results, path):
    execution = hide_photo.run(INPUT, results)
    assert (execution.status, execution.path) == ("SUCCEEDED", path)


@pytest.mark.parametrize(
    ("results", "error", "path"),
    [
        (
            {PREPARE: [throws("UploadReplaced")], WRITE: [wrote("UploadReplaced")]},
            "UploadReplaced",
            [PREPARE, WRITE, WAS, FAILED],
        ),
        (
            {
                PREPARE: [PREPARED],
                HIDE: [returns({})],
                DELIVER: [throws("CorruptImage")],
                WRITE: [wrote("CorruptImage")],
            },
            "CorruptImage",
            [PREPARE, IS_NEW, HIDE, DELIVER, WRITE, WAS, FAILED],
        ),
        (
            {PREPARE: [throws("BudgetSpent")], WRITE: [throws("AccessDenied")]},
            "BudgetSpent",
            [PREPARE, WRITE, FAILED],
        ),
    ],
    ids=["not prepared", "a failed job", "not written down"],
)
def test_a_photo_fails_with_its_own_error(hide_photo, results, error, path):
    execution = hide_photo.run(INPUT, results)
    assert (execution.status, execution.error, execution.path) == ("FAILED", error, path)
