"""The networks for tests without the layer. The layer's Makefile makes them once for all tests."""

from __future__ import annotations

import fcntl
import subprocess
import threading
from functools import cache, wraps
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "layers" / "onnx"
MADE = ROOT / ".tools" / "networks"
PUBLISHED = MADE / "published"
ANSWERS = 100  # the most that are kept: each takes up to some megabytes


@cache
def python_path() -> str:
    """The folder to import the networks from. PUBLISHED has the packages that they were made from."""
    # The environment that has pip.
    python = ROOT / ".tools" / "uv" / "bin" / "python3"
    with MADE.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other processes of the same test run wait
        subprocess.run(
            ["make", "--silent", f"--directory={LAYER}", "networks", f"ARTIFACTS_DIR={MADE}", f"PYTHON={python}"],
            check=True,
            capture_output=True,
        )
    return str(MADE / "python")


def keep_answers(patch: pytest.MonkeyPatch) -> None:
    """Have each network look at a picture once: many tests show it the same ones, and looking takes most of their time.

    The kept answers cannot be written to, so that no test changes what another one gets.
    """
    # Of the packages that only some tests need.
    import numpy as np
    import onnxruntime  # type: ignore[import-untyped]

    look = onnxruntime.InferenceSession.run
    kept: dict[Any, list[Any]] = {}
    lock = threading.Lock()  # several threads use a network at the same time

    @wraps(look)
    def run(session: Any, outputs: list[str] | None, inputs: dict[str, Any]) -> list[Any]:
        shown = [(name, value.shape, sha256(np.ascontiguousarray(value)).digest()) for name, value in inputs.items()]
        key = session, repr(outputs), repr(shown)
        with lock:
            if key in kept:
                kept[key] = kept.pop(key)  # what nobody has asked for the longest goes first
                return kept[key]
        answers = look(session, outputs, inputs)
        for answer in answers:
            answer.setflags(write=False)
        with lock:
            if len(kept) >= ANSWERS:
                del kept[next(iter(kept))]
            kept[key] = answers
        return answers

    patch.setattr(onnxruntime.InferenceSession, "run", run)
