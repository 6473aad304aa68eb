"""Tells which process runs the embedded AWS of the state folder, and which stack it serves.

That process holds the file lock `lock` and has written its process id into it. Once its stack serves, `running.json`
describes the stack. A killed process leaves both files behind, but not the lock, and its emulator stops by itself. The
next process waits for that, and ends what does not stop.
"""

import fcntl
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

from faceblur_cli import project
from faceblur_cli.failures import Failure
from faceblur_cli.stack import processes
from faceblur_cli.stack.aws import Stack
from faceblur_cli.waiting import wait_until

# `faceblur blur` finishes its requests before it stops its emulator.
_STOP_SECONDS = 120
# A process that only looks up the holder also takes the lock, for a moment.
_LOCK_SECONDS = 3
# The emulator of a killed command saves its state before it ends.
_PATIENCE_SECONDS = 10


class Stopped(StrEnum):
    """What `stop` stopped."""

    NOTHING = "nothing was running"
    STACK = "stopped"
    REMAINS = "stopped what a killed command had left running"


@contextmanager
def hold() -> Iterator[bool]:
    """Hold the lock for the block. First end what a killed command left running. Returns whether it left anything.

    Raises Failure if another process holds the lock, or if a process does not end.
    """
    with _lock_file() as lock:
        wait_until(
            lambda: _take(lock, fcntl.LOCK_EX),
            _LOCK_SECONDS,
            "The embedded AWS of this folder is running already, or is starting or stopping. Stop it with "
            "`.venv/bin/faceblur down`.",
        )
        # First remove the description that a killed process wrote, because our process id may be the same as its id.
        _running_file().unlink(missing_ok=True)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield processes.end(project.STATE, _PATIENCE_SECONDS)


@contextmanager
def announce(stack: Stack) -> Iterator[None]:
    """Let other processes find the stack during the block."""
    try:
        _describe({"pid": os.getpid(), "endpoint": stack.endpoint, "outputs": dict(stack.outputs)})
        yield
    finally:
        _running_file().unlink(missing_ok=True)


def announce_page(address: str) -> None:
    """Let other processes find the page of the announced stack."""
    _describe(json.loads(_running_file().read_text()) | {"page": address})


def running_stack() -> Stack | None:
    """The stack that another process serves on this machine, if there is one."""
    running = _running()
    return Stack(running["endpoint"], running["outputs"]) if running else None


def check_none_runs() -> None:
    """Raise Failure if another process serves a stack. It says where, and how to stop it."""
    if running := _running():
        there = (
            f"Open {running['page']}, or stop it" if "page" in running else f"It is at {running['endpoint']}. Stop it"
        )
        raise Failure(f"faceblur is running already. {there} with `.venv/bin/faceblur down`.")


def stop() -> Stopped:
    """Stop the process that holds the lock, or what a killed process left running. Wait until all of it has ended.

    Raises Failure if a process does not end, or has not written its id yet.
    """
    holder = _holder()
    if holder is None:
        with hold() as remains:
            return Stopped.REMAINS if remains else Stopped.NOTHING
    if not holder:
        raise Failure("The embedded AWS is just starting. Try again, or stop it where it was started.")
    with suppress(ProcessLookupError):
        os.kill(holder, signal.SIGTERM)
    wait_until(
        lambda: _holder() != holder,
        _STOP_SECONDS,
        f"The embedded AWS did not stop within {_STOP_SECONDS} seconds. Its process is {holder}.",
    )
    return Stopped.STACK


def _running() -> dict[str, Any] | None:
    """The description of the stack that another process serves, if there is one."""
    try:
        running: dict[str, Any] = json.loads(_running_file().read_text())
    except FileNotFoundError:
        return None
    return running if running["pid"] == _holder() else None


def _describe(running: dict[str, Any]) -> None:
    """Write the description of the stack that this process serves. A rename at the end lets nobody read half of it."""
    draft = _running_file().with_suffix(".draft")
    draft.write_text(json.dumps(running))
    draft.replace(_running_file())


def _holder() -> int | None:
    """The id of the process that holds the lock; None if none does, 0 if it has not written its id yet."""
    with _lock_file() as lock:
        # The lock is shared, so that two processes that look up the holder at once do not take each other for it.
        if _take(lock, fcntl.LOCK_SH):
            return None
        lock.seek(0)
        return int(lock.read() or 0)


def _take(lock: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock_file() -> IO[str]:
    project.STATE.mkdir(parents=True, exist_ok=True)
    return (project.STATE / "lock").open("a+")


def _running_file() -> Path:
    return project.STATE / "running.json"
