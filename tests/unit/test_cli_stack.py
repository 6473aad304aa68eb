"""Commands that share a state folder: only one at a time runs the embedded AWS, and the others find its stack."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from threading import Event
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from faceblur_cli import ports, project, waiting
from faceblur_cli.failures import Failure
from faceblur_cli.stack import holder, serve
from faceblur_cli.stack.aws import Stack
from faceblur_cli.stack.sam import deploy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future
    from pathlib import Path

ENDPOINT = "http://127.0.0.1:4566"
OUTPUTS = {"ApiUrl": f"{ENDPOINT}/api"}
KILLED_PID = 2**30


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder whose embedded AWS is neither built nor started: only its lock and its files are used."""

    @contextmanager
    def emulator(*_: Any) -> Iterator[str]:
        yield ENDPOINT

    monkeypatch.setattr(project, "STATE", tmp_path)
    monkeypatch.setattr(ports, "check", lambda *_: None)
    monkeypatch.setattr(serve, "build", lambda _: None)
    monkeypatch.setattr(serve, "emulator", emulator)
    monkeypatch.setattr(serve, "deploy", lambda _: Stack(ENDPOINT, OUTPUTS))
    return tmp_path


@pytest.fixture
def killed(state: Path) -> Path:
    """The description that a killed process left of its stack."""
    file = state / "running.json"
    file.write_text(json.dumps({"pid": KILLED_PID, "endpoint": ENDPOINT, "outputs": OUTPUTS}))
    return file


def served(port: int = 4566) -> AbstractContextManager[Stack]:
    return serve.serve_stack(port, lambda _: None)


def test_a_served_stack_is_found_until_it_ends(state: Path) -> None:
    with served() as stack:
        assert holder.running_stack() == stack
    assert holder.running_stack() is None


def test_a_second_stack_is_refused(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holder, "_LOCK_SECONDS", 0)
    with served(), pytest.raises(Failure, match="is running already"), served():
        pass


def test_the_stack_of_a_killed_process_is_not_running(killed: Path) -> None:
    assert holder.running_stack() is None
    assert holder.stop() is holder.Stopped.NOTHING


def test_a_new_stack_removes_the_description_of_a_killed_one(killed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "build", lambda _: found.append(holder.running_stack()))
    found: list[Stack | None] = []
    with served():
        assert found == [None]


def test_reopening_a_stack_removes_the_description_of_a_killed_one(killed: Path) -> None:
    with served() as stack:
        pass
    killed.write_text(json.dumps({"pid": KILLED_PID, "endpoint": "", "outputs": {}}))
    with serve.reopen_stack() as kept:
        assert kept == stack
        assert holder.running_stack() is None


def test_processes_that_ask_at_once_do_not_take_each_other_for_the_holder(killed: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda _: holder.running_stack(), range(400))) == [None] * 400


@pytest.fixture
def terminated(monkeypatch: pytest.MonkeyPatch) -> Event:
    """An event that is set when this process gets SIGTERM, in place of the signal."""

    def kill(pid: int, number: int) -> None:
        assert (pid, number) == (os.getpid(), signal.SIGTERM)
        event.set()

    event = Event()
    monkeypatch.setattr(os, "kill", kill)
    return event


@contextmanager
def in_another_thread(work: Callable[[], None], begun: Event, terminated: Event) -> Iterator[Future[None]]:
    """Do the work in a thread until it is terminated; the block begins once the work has begun."""
    with ThreadPoolExecutor(1) as thread:
        serving = thread.submit(work)
        try:
            assert begun.wait(30)
            yield serving
        finally:
            terminated.set()


def test_stop_waits_until_the_next_stack_can_start(
    state: Path, terminated: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def slow_emulator(*_: Any) -> Iterator[str]:
        yield ENDPOINT
        assert polled.wait(30)
        ended.set()

    def work() -> None:
        with served():
            begun.set()
            assert terminated.wait(30)

    begun, polled, ended = Event(), Event(), Event()
    monkeypatch.setattr(serve, "emulator", slow_emulator)
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: polled.set())
    monkeypatch.setattr(waiting, "time", clock)
    with in_another_thread(work, begun, terminated) as serving:
        assert holder.stop() is holder.Stopped.STACK
        assert ended.is_set()
        with served(4567):
            pass
    serving.result()


def test_a_stack_that_is_starting_can_be_stopped(
    state: Path, terminated: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: Any) -> None:
        begun.set()
        assert terminated.wait(30)
        raise KeyboardInterrupt

    def work() -> None:
        with served():
            pytest.fail("the interrupted build went on")

    begun = Event()
    monkeypatch.setattr(serve, "build", interrupted)
    with in_another_thread(work, begun, terminated) as serving:
        assert holder.running_stack() is None
        assert holder.stop() is holder.Stopped.STACK
        assert holder.stop() is holder.Stopped.NOTHING
    with pytest.raises(KeyboardInterrupt):
        serving.result()


def test_stop_leaves_the_next_stack_alone(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def next_stack_starts(*_: int) -> None:
        first.__exit__(None, None, None)
        with monkeypatch.context() as another:
            another.setattr(os, "getpid", lambda: KILLED_PID)
            second.__enter__()

    first, second = served(), served(4567)
    first.__enter__()
    monkeypatch.setattr(os, "kill", next_stack_starts)
    assert holder.stop() is holder.Stopped.STACK
    assert holder.running_stack() is not None
    second.__exit__(None, None, None)


def test_a_free_port_is_chosen_after_the_last_stack_has_ended(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[str] = []
    monkeypatch.setattr(serve, "build", lambda _: chosen.append("built"))
    monkeypatch.setattr(ports, "any_port", lambda _: chosen.append("port") or 4568)
    with served(0):
        assert chosen == ["built", "port"]
    assert (state / "aws-4568").is_dir()


def test_the_port_of_the_last_stack_is_preferred(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    preferred: list[int] = []
    monkeypatch.setattr(ports, "any_port", lambda port: preferred.append(port) or port)
    monkeypatch.setattr(serve, "_exists", lambda _: False)
    for port in (0, 4570, 0):
        with served(port):
            pass
    assert preferred == [4566, 4570]


def test_the_states_of_other_ports_go_after_a_day(state: Path) -> None:
    ages = {4566: 30, 4570: 30, 4571: 30, 4572: 20}
    for port, hours in ages.items():
        folder = state / f"aws-{port}"
        folder.mkdir()
        for path in (folder / "log.txt", folder):
            path.touch()
            os.utime(path, (time.time() - hours * 3600,) * 2)
    (state / "aws-4571/log.txt").touch()  # Its emulator ran until now.
    with served(4566):
        assert sorted(folder.name for folder in state.glob("aws-*")) == ["aws-4566", "aws-4571", "aws-4572"]


def test_a_stack_that_ends_by_itself_counts_as_stopped(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: int) -> None:
        serving.__exit__(None, None, None)
        raise ProcessLookupError

    serving = served()
    serving.__enter__()
    monkeypatch.setattr(os, "kill", gone)
    assert holder.stop() is holder.Stopped.STACK


def test_a_holder_that_has_not_written_its_process_id_gets_no_signal(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("a signal was sent"))
    with served():
        (state / "lock").write_text("")
        with pytest.raises(Failure, match="is just starting"):
            holder.stop()


def test_an_interrupted_build_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sam, pipe = tmp_path / "sam", tmp_path / "pipe"
    sam.write_text(f"#!/bin/sh\nsh -c 'echo begun; exec sleep 600' >{pipe} &\nwait\n")
    sam.chmod(0o755)
    os.mkfifo(pipe)
    monkeypatch.setattr(project, "SAM", sam)
    monkeypatch.setattr(project, "STATE", tmp_path)
    with os.fdopen(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0) as child:

        def interrupted(_: Any) -> None:
            assert readable()
            assert child.readline() == b"begun\n"
            raise KeyboardInterrupt

        def readable() -> bool:
            return select.select([child], [], [], 30)[0] == [child]

        monkeypatch.setattr(subprocess.Popen, "communicate", interrupted)
        with pytest.raises(KeyboardInterrupt):
            deploy(ENDPOINT)
        # The pipe ends when the child ends.
        assert readable()
        assert child.read() == b""
