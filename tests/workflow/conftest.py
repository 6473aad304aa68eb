from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from faceblur_cli.stack.aws import Stack
from faceblur_cli.stack.emulator import emulator, free_port
from tests.support.mocked_results import MockedMachine
from tests.support.sources import state_machine

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def blur_image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockedMachine]:
    """The state machine of the template over mocked task results, in an embedded AWS of its own."""
    with emulator(free_port(), tmp_path_factory.mktemp("mocked"), SFN_WAIT_SCALE="0") as endpoint:
        variables = ("boxes", "draft", "options", "round", "stages", "warnings")
        yield MockedMachine(Stack(endpoint, {}), state_machine(), variables)
