"""`make verify-cloud`'s command against the embedded AWS: every step works, or says that it is not available there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from faceblur_cli import project
from faceblur_cli.stack.aws import Stack, credentials

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 500  # deploying on a busy machine may take half of it
# The embedded AWS has no web page and no alarms, and its TestState ignores variables: test_verify_branches.py tries
# these cases in another way.
NOT_HERE = {
    "the page answers",
    "the branches of the state machine lead where they must",
    "no alarm is on",
}


def test_a_stack_is_deployed_tried_and_deleted(built: Path, endpoint: str, tmp_path: Path):
    environment = credentials() | {
        "AWS_ENDPOINT_URL": endpoint,
        "CONFIRM": "yes",
        "PYTHONPATH": "functions",
    }
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks.verify_cloud", tmp_path],
        cwd=project.ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert re.search(r"It costs at most 0\.\d\d USD", finished.stdout)
    (report,) = tmp_path.iterdir()
    text = report.read_text()
    results = dict(re.findall(r"^\| ([^|]+) \| (ok|\*\*failed\*\*|not available here) \|", text, re.MULTILINE))
    assert len(results) == 17
    assert {step for step, result in results.items() if result != "ok"} == NOT_HERE
    assert "## Stages, by the receipts" in text
    assert "## Bill" in text
    # Only the stack that `sam deploy` made for its uploads is left.
    names = [stack["StackName"] for stack in Stack(endpoint, {}).client("cloudformation").describe_stacks()["Stacks"]]
    assert not any(name.startswith("faceblur-verify-") for name in names)
