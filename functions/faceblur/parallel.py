"""Work on all of the processors at a time."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MB_PER_VCPU = 1769  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html

Part = TypeVar("Part")
Done = TypeVar("Done")


def at_once(work: Callable[[Part], Done], parts: Iterable[Part]) -> list[Done]:
    """What the work makes of each of the parts, in their order, in as many threads as there are processors.

    Threads, since onnxruntime and Pillow's resampling leave the interpreter to others while they work.
    """
    with ThreadPoolExecutor(processors()) as pool:
        return list(pool.map(work, parts))


def processors() -> int:
    """How many processors this process has: Lambda gives a share of their time by memory, not a number."""
    available = len(os.sched_getaffinity(0))
    memory = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
    return min(available, max(1, round(int(memory) / MB_PER_VCPU))) if memory else available
