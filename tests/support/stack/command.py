"""The `faceblur` command, as the tests run it."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faceblur_cli import project
from tests.support.stack.deployed import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

FACEBLUR = project.ROOT / ".venv/bin/faceblur"
# The time for building everything and deploying on a busy machine, in seconds.
UP_SECONDS = 280


def faceblur(environment: dict[str, str], *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [FACEBLUR, *arguments], env=environment, capture_output=True, text=True, timeout=240, check=False
    )


@contextmanager
def served(
    environment: dict[str, str], page_port: int = 0, port: int = 0
) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """`faceblur up`, and the description that it writes of its stack. It chooses the ports that are 0."""
    running = Path(environment["FACEBLUR_STATE"]) / "running.json"
    arguments = [FACEBLUR, "up", "--port", str(port), "--page-port", str(page_port)]
    with subprocess.Popen(arguments, env=environment, stderr=subprocess.PIPE, text=True) as process:

        def running_stack() -> dict[str, Any] | None:
            assert process.poll() is None, process.communicate()
            about: dict[str, Any] = json.loads(running.read_text()) if running.exists() else {}
            return about if about.get("pid") == process.pid else None

        try:
            yield process, eventually(running_stack, "faceblur up", UP_SECONDS)
        finally:
            process.terminate()
