"""Finds and ends the processes of a state folder: the emulator, its functions and SAM, even after a killed command.

Each process has the folder in its environment, and its children inherit that. A process id alone is not enough, because
the system may have given it to another process by now.
"""

import os
import signal
from contextlib import suppress
from pathlib import Path

from faceblur_cli.failures import Failure
from faceblur_cli.waiting import wait_until

_VARIABLE = "FACEBLUR_WORKS_FOR"
_KILL_SECONDS = 10


def mark(folder: Path) -> dict[str, str]:
    """The environment by which `end` finds a process and its children."""
    return {_VARIABLE: str(folder.resolve())}


def end(folder: Path, patience: float) -> bool:
    """Wait `patience` seconds until the processes of this folder, or of a folder in it, have ended. Then kill the rest.

    Returns whether there was any process. Raises Failure if one does not end even so.
    """
    folder = folder.resolve()
    if not _working_for(folder):
        return False
    with suppress(Failure):
        wait_until(lambda: not _working_for(folder), patience, "")
    wait_until(
        lambda: not _kill_all(folder),
        _KILL_SECONDS,
        f"Some processes of the embedded AWS do not end. They have {_VARIABLE}={folder} in their environment.",
    )
    return True


def _kill_all(folder: Path) -> list[int]:
    """Kill the processes of this folder. Returns their ids."""
    found = _working_for(folder)
    for pid in found:
        with suppress(ProcessLookupError):
            # The descriptor refers to this process even if its id is reused meanwhile.
            process = os.pidfd_open(pid)
            try:
                if _works_for(pid, folder):
                    signal.pidfd_send_signal(process, signal.SIGKILL)
            finally:
                os.close(process)
    return found


def _working_for(folder: Path) -> list[int]:
    return [pid for entry in Path("/proc").glob("[0-9]*") if _works_for(pid := int(entry.name), folder)]


def _works_for(pid: int, folder: Path) -> bool:
    """Whether this process has the mark. A process that has ended has no environment, so it does not."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:  # It has ended meanwhile, or another user owns it.
        return False
    prefix = f"{_VARIABLE}=".encode()
    return any(
        entry.startswith(prefix) and Path(os.fsdecode(entry.removeprefix(prefix))).is_relative_to(folder)
        for entry in environment
    )
