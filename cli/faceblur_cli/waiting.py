"""Waits for a condition."""

import time
from collections.abc import Callable
from typing import TypeVar

from faceblur_cli.failures import Failure

Found = TypeVar("Found")


def wait_until(find: Callable[[], Found | None], seconds: float, complaint: str, poll_seconds: float = 0.05) -> Found:
    """Call `find` until its answer is true. Returns the answer. Raises Failure with the complaint after this time."""
    deadline = time.monotonic() + seconds
    while not (found := find()):
        if time.monotonic() > deadline:
            raise Failure(complaint)
        time.sleep(poll_seconds)
    return found
