"""How commands of one folder agree on the embedded AWS: who has it, and when the next one can."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from faceblur_cli import local, project
from faceblur_cli.failures import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future
    from pathlib import Path

ENDPOINT = "http://127.0.0.1:4566"
OUTPUTS = {"ApiUrl": f"{ENDPOINT}/api"}
KILLED_PID = 2**30


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an embedded AWS that is neither built nor started: only who has it is looked at."""

    @contextmanager
    def emulator(*_: Any) -> Iterator[str]:
        yield ENDPOINT

    monkeypatch.setattr(project, "STATE", tmp_path)
    monkeypatch.setattr(local, "build", lambda _: None)
    monkeypatch.setattr(local, "emulator", emulator)
    monkeypatch.setattr(local, "deploy", lambda _: local.Stack(ENDPOINT, OUTPUTS))
    return tmp_path


@pytest.fixture
def killed(state: Path) -> Path:
    """What a stack that was killed wrote about itself."""
    file = state / "running.json"
    file.write_text(json.dumps({"pid": KILLED_PID, "endpoint": ENDPOINT, "outputs": OUTPUTS}))
    return file


def served(port: int = 4566) -> AbstractContextManager[local.Stack]:
    return local.running_stack(port, lambda _: None)


def test_a_served_stack_is_found_until_it_ends(state: Path) -> None:
    with served() as stack:
        assert local.running() == stack
    assert local.running() is None


def test_a_second_stack_is_refused(state: Path) -> None:
    with served(), pytest.raises(Failure, match="is running already"), served():
        pass


def test_a_killed_stack_is_not_taken_for_a_served_one(killed: Path) -> None:
    assert local.running() is None
    assert local.stop() is False


def test_a_killed_stack_is_forgotten_when_another_starts(killed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "build", lambda _: found.append(local.running()))
    found: list[local.Stack | None] = []
    with served():
        assert found == [None]


def test_a_killed_stack_is_forgotten_when_somebody_looks_at_what_it_kept(killed: Path) -> None:
    with served() as stack:
        pass
    killed.write_text(json.dumps({"pid": KILLED_PID, "endpoint": "", "outputs": {}}))
    with local.kept_stack() as kept:
        assert kept == stack
        assert local.running() is None


def test_two_who_look_do_not_take_each_other_for_a_stack(killed: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda _: local.running(), range(400))) == [None] * 400


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Event:
    """Set when this process is told to end, in the place of its end."""

    def tell(pid: int, number: int) -> None:
        assert (pid, number) == (os.getpid(), signal.SIGTERM)
        event.set()

    event = Event()
    monkeypatch.setattr(os, "kill", tell)
    return event


@contextmanager
def elsewhere(serve: Callable[[], None], begun: Event, told: Event) -> Iterator[Future[None]]:
    """What another thread serves until it is told to end; the block begins when it has begun."""
    with ThreadPoolExecutor(1) as thread:
        serving = thread.submit(serve)
        try:
            assert begun.wait(30)
            yield serving
        finally:
            told.set()


# A `stop` that does not wait comes back while an emulator takes this long to end.
HALF_A_SECOND = 0.5


def test_stop_waits_until_the_next_one_can_start(state: Path, told: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def slow_to_end(*_: Any) -> Iterator[str]:
        yield ENDPOINT
        if not came_back.wait(HALF_A_SECOND):
            ended.set()

    def serve() -> None:
        with served():
            begun.set()
            assert told.wait(30)

    begun, came_back, ended = Event(), Event(), Event()
    monkeypatch.setattr(local, "emulator", slow_to_end)
    with elsewhere(serve, begun, told) as serving:
        assert local.stop() is True
        came_back.set()
        assert ended.is_set()
        with served(4567):
            pass
    serving.result()


def test_one_that_starts_is_stopped(state: Path, told: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: Any) -> None:
        begun.set()
        assert told.wait(30)
        raise KeyboardInterrupt

    def serve() -> None:
        with served():
            pytest.fail("it was built")

    begun = Event()
    monkeypatch.setattr(local, "build", interrupted)
    with elsewhere(serve, begun, told) as serving:
        assert local.running() is None
        assert local.stop() is True
        assert local.stop() is False
    with pytest.raises(KeyboardInterrupt):
        serving.result()


def test_what_starts_in_the_place_of_one_that_was_stopped_is_left_alone(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def succeeded(*_: int) -> None:
        first.__exit__(None, None, None)
        with monkeypatch.context() as another:
            another.setattr(os, "getpid", lambda: KILLED_PID)
            second.__enter__()

    first, second = served(), served(4567)
    first.__enter__()
    monkeypatch.setattr(os, "kill", succeeded)
    assert local.stop() is True
    assert local.running() is not None
    second.__exit__(None, None, None)


def test_any_port_is_chosen_when_the_one_before_has_ended(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[str] = []
    monkeypatch.setattr(local, "build", lambda _: chosen.append("built"))
    monkeypatch.setattr(local, "any_port", lambda: chosen.append("port") or 4568)
    with served(0):
        assert chosen == ["built", "port"]
    assert (state / "aws-4568").is_dir()


def test_what_ended_meanwhile_counts_as_stopped(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: int) -> None:
        serving.__exit__(None, None, None)
        raise ProcessLookupError

    serving = served()
    serving.__enter__()
    monkeypatch.setattr(os, "kill", gone)
    assert local.stop() is True


def test_a_holder_that_has_not_said_who_it_is_gets_no_signal(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("a signal was sent"))
    with served():
        (state / "lock").write_text("")
        with pytest.raises(Failure, match="has not said so yet"):
            local.stop()


def test_an_interrupted_build_leaves_nothing_of_it_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
            local.deploy(ENDPOINT)
        # The end of what it writes is its own end.
        assert readable()
        assert child.read() == b""
