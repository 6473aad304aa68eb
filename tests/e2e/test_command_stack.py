"""The `faceblur` command when no stack runs yet: it starts one, and leaves nothing of it running."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.support.pictures.photos import grace_hopper
from tests.support.stack.command import faceblur, served
from tests.support.stack.deployed import eventually


def test_the_command_starts_a_stack_if_none_is_running(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "hopper.jpg").write_bytes(grace_hopper())
    finished = faceblur(environment, "blur", tmp_path / "hopper.jpg", "--json")
    report = json.loads(finished.stdout)
    assert (finished.returncode, report["status"]) == (0, "COMPLETED")
    trace = faceblur(environment, "trace", report["job_id"])
    assert (trace.returncode, "Job completed" in trace.stdout) == (0, True)
    assert "nothing was running" in faceblur(environment, "down").stderr


def test_ctrl_c_leaves_no_process(environment: dict[str, str]) -> None:
    state = Path(environment["FACEBLUR_STATE"])
    with served(environment) as (process, about):
        emulator = working_in(state)
        assert emulator
        # The emulator is slow to end. A second Ctrl-C does not stop the command from waiting for it.
        send(emulator, signal.SIGSTOP)
        try:
            process.send_signal(signal.SIGINT)
            eventually(lambda: not (state / "running.json").exists(), "the end of the stack")
            process.send_signal(signal.SIGINT)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(2)
        finally:
            send(emulator, signal.SIGCONT)
        assert process.wait(60) == 0
        assert working_in(state) == []
        with pytest.raises(httpx.ConnectError):
            httpx.get(about["endpoint"])


def working_in(folder: Path) -> list[int]:
    """The processes whose working directory is in this folder."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with suppress(OSError):  # It has ended meanwhile, or another user owns it.
            if link.readlink().is_relative_to(folder):
                found.append(int(link.parent.name))
    return found


def send(processes: list[int], number: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)
