"""The paths of the project, its tools and its state on this machine."""

import hashlib
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from faceblur_cli.failures import Failure

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".faceblur/build"
# SAM does not know for which Python and processor it built a layer, so each pair has its own cache.
CACHES = ROOT / ".faceblur/cache"
PAGE = ROOT / "frontend/dist"
# The state of the embedded AWS. Two stacks that run at once need different folders.
STATE = Path(os.environ.get("FACEBLUR_STATE", ROOT / ".faceblur"))

SAM = ROOT / ".tools/sam/bin/sam"
MINISTACK_PYTHON = ROOT / ".tools/ministack/bin/python"
RUNTIME_PYTHON = ROOT / ".tools/runtime/bin/python"

# sam.py writes the functions' start command into the build.
_SOURCES = (
    "template.yaml",
    "samconfig.toml",
    "functions",
    "layers",
    "statemachine",
    "cli/faceblur_cli/stack/sam.py",
)


def python_runtime() -> str:
    """Lambda's name for this interpreter, such as python3.11."""
    return f"python{sys.version_info.major}.{sys.version_info.minor}"


def architecture() -> str:
    """Lambda's name for this machine's processor."""
    return "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"


def check_tools() -> None:
    """Raise Failure if a tool that runs the stack is not set up."""
    for tool in (SAM, MINISTACK_PYTHON, RUNTIME_PYTHON):
        if not tool.exists():
            raise Failure(
                f"{tool.relative_to(ROOT)} is missing. `make run` and `make blur` set it up; --api needs no tool."
            )


def fingerprint() -> str:
    """A digest of everything that the build depends on."""
    digest = hashlib.sha256(f"{python_runtime()} {architecture()}".encode())
    for path in _source_files():
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _source_files() -> Iterator[Path]:
    for name in _SOURCES:
        path = ROOT / name
        files = [path] if path.is_file() else sorted(path.rglob("*"))
        yield from (file for file in files if file.is_file() and "__pycache__" not in file.parts)
