from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from faceblur_cli.ports import free_port
from faceblur_cli.stack.aws import Stack
from faceblur_cli.stack.emulator import emulator
from tests.support.mocked_results import MockedMachine
from tests.support.sources import state_machine
from tests.support.stack.deployed import NEVER_RESTARTED

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def mocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An embedded AWS for state machines whose tasks are mocked."""
    with emulator(free_port(), tmp_path_factory.mktemp("mocked"), **NEVER_RESTARTED) as endpoint:
        yield Stack(endpoint, {})


@pytest.fixture(scope="module")
def blur_image(mocked: Stack) -> MockedMachine:
    """The state machine of the template over mocked task results."""
    variables = (
        "boxes", "decision", "draft", "leave_out_unavailable", "options", "review_seconds", "reviewed", "round",
        "stages", "warnings",
    )  # fmt: skip
    return MockedMachine(mocked, state_machine(), variables)


@pytest.fixture(scope="module")
def with_one_detector(mocked: Stack) -> MockedMachine:
    """The same state machine in a deployment that has one detector."""
    return MockedMachine(mocked, state_machine(), detector="embedded")


@pytest.fixture(scope="module")
def hasty(mocked: Stack) -> MockedMachine:
    """The same state machine, whose deadline is over at once."""
    definition = json.dumps(state_machine())
    assert "$millis() + 750000" in definition
    return MockedMachine(mocked, json.loads(definition.replace("$millis() + 750000", "$millis()")))
