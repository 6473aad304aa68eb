"""Finds and ends what works for a state folder: the emulator, its functions and SAM, even if their command was killed.

Each carries the folder in its environment, and its children inherit that. A process id alone could belong to somebody
else's process by now; the environment cannot.
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
    """End what works for this folder or one in it: after so many seconds of patience, it is killed.

    Gives whether there was anything. Raises Failure if something does not end even so.
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
    """Kill what works for this folder; gives what there still was."""
    found = _working_for(folder)
    for pid in found:
        with suppress(ProcessLookupError):
            # The descriptor stays with the process that is looked at, also if its id is used again meanwhile.
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
    """Whether this process has the mark. One that has ended has no environment any more."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:  # It has ended meanwhile, or another user owns it.
        return False
    prefix = f"{_VARIABLE}=".encode()
    return any(
        entry.startswith(prefix) and Path(os.fsdecode(entry.removeprefix(prefix))).is_relative_to(folder)
        for entry in environment
    )
