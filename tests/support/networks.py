"""The networks for tests without the layer. The layer's Makefile makes them once for all tests."""

from __future__ import annotations

import fcntl
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "layers" / "onnx"
MADE = ROOT / ".tools" / "networks"
PUBLISHED = MADE / "published"


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
