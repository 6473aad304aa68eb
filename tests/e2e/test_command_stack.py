"""The `faceblur` command without a running stack: it starts one, and leaves no process of it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest

from faceblur_cli import ports
from tests.support.pictures.photos import grace_hopper
from tests.support.stack.command import FACEBLUR, faceblur, served
from tests.support.stack.deployed import eventually


def test_the_command_starts_a_stack_if_none_is_running(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "hopper.jpg").write_bytes(grace_hopper())
    finished = faceblur(environment, "blur", tmp_path / "hopper.jpg", "--json")
    report = json.loads(finished.stdout)
    assert (finished.returncode, report["status"]) == (0, "COMPLETED")
    trace = faceblur(environment, "trace", report["job_id"])
    assert (trace.returncode, "Job completed" in trace.stdout) == (0, True)
    assert working_in(Path(environment["FACEBLUR_STATE"])) == []
    assert "nothing was running" in faceblur(environment, "down").stderr


def test_the_commands_own_stack_is_reused_and_keeps_no_photo(environment: dict[str, str], tmp_path: Path) -> None:
    state = Path(environment["FACEBLUR_STATE"])
    (tmp_path / "hopper.jpg").write_bytes(grace_hopper())
    taken = {int(kept.name.removeprefix("aws-")) for kept in state.glob("aws-*")} | {ports.AWS}
    with ExitStack() as others:
        for port in taken:
            listener = others.enter_context(socket.socket())
            # Without this, connections of a stack that has just ended would prevent the bind.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):  # It is taken already.
                listener.bind(("127.0.0.1", port))
                listener.listen()
        first, second = (faceblur(environment, "blur", tmp_path / "hopper.jpg", "--json") for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0)
    assert "(sam deploy)" in first.stderr
    assert "(sam deploy)" not in second.stderr
    assert (
        len(list(state.glob("aws-*"))) == len({f"aws-{port}" for port in taken if (state / f"aws-{port}").exists()}) + 1
    )
    for finished in (first, second):
        assert list(state.rglob(f"*{json.loads(finished.stdout)['job_id']}*")) == []


def test_ctrl_c_leaves_no_process(environment: dict[str, str]) -> None:
    state = Path(environment["FACEBLUR_STATE"])
    with served(environment) as (process, about):
        emulator = working_in(state)
        assert emulator
        # The emulator ends slowly. The command waits for it even after a second Ctrl-C.
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


def test_an_interrupted_deployment_ends_in_one_line(tmp_path: Path, built: Path) -> None:
    arguments = [FACEBLUR, "up", "--port", str(ports.free_port()), "--page-port", "0"]
    environment = os.environ | {"FACEBLUR_STATE": str(tmp_path)}
    with subprocess.Popen(arguments, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        deploying = process.stderr.readline()
        assert "(sam deploy)" in deploying
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(60) == 0
    # If the interrupt comes in the middle of a print, rich prints that line twice.
    assert rest.replace(deploying, "") == "stopped\n"
    assert working_in(tmp_path) == []


def test_an_emulator_stops_with_its_killed_command(environment: dict[str, str]) -> None:
    state = Path(environment["FACEBLUR_STATE"])
    with served(environment) as (process, _):
        process.kill()
    eventually(lambda: working_in(state) == [], "the end of the emulator")
    with served(environment) as (process, _):
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        # The emulator has saved its stack.
        assert "(sam deploy)" not in process.stderr.read()


def test_processes_of_a_killed_command_are_ended(environment: dict[str, str]) -> None:
    state = Path(environment["FACEBLUR_STATE"])
    with served(environment) as (process, about):
        left = working_in(state)
        assert left
        # The emulator would end by itself. A stopped process cannot.
        send(left, signal.SIGSTOP)
        process.kill()
        assert process.wait(60) == -signal.SIGKILL
        assert working_in(state) == left
    assert faceblur(environment, "down").stderr == "stopped what a killed command had left running\n"
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
