"""The step of the deployment that looks at the stack before, run with a stand-in for AWS's command."""

from __future__ import annotations

import os
import subprocess

import pytest
import yaml

from tests.support.sources import ROOT

STEPS = yaml.safe_load((ROOT / ".github/workflows/stage.yml").read_text())["jobs"]["deploy"]["steps"]
(LOOK,) = (step["run"] for step in STEPS if step.get("id") == "before")
# Logs each call, and answers for a stack in the state of $STATUS, or with the error $ERROR.
AWS = """#!/bin/sh
echo "$1 $2" >>"$RUNNER_TEMP/calls"
if [ -n "$ERROR" ]; then echo "$ERROR" >&2; exit 254; fi
case "$*" in
  *StackStatus*) echo "$STATUS" ;;
  *release*) echo abc123 ;;
esac
"""


@pytest.fixture
def look(tmp_path):
    """Run the step; gives its exit code, its outputs and the calls after the first."""
    (tmp_path / "aws").write_text(AWS)
    (tmp_path / "aws").chmod(0o755)

    def run(status: str = "", error: str = "") -> tuple[int, str, list[str]]:
        environment = {
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "RUNNER_TEMP": str(tmp_path),
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            "STACK": "faceblur",
            "STATUS": status,
            "ERROR": error,
        }
        (tmp_path / "output").touch()
        # As GitHub runs a step.
        ended = subprocess.run(["bash", "-e", "-c", LOOK], env=environment, capture_output=True, check=False)
        calls = (tmp_path / "calls").read_text().splitlines()
        return ended.returncode, (tmp_path / "output").read_text(), calls[1:]

    return run


def test_the_release_before_is_that_of_the_stack(look):
    described = "cloudformation describe-stacks"
    assert look("UPDATE_COMPLETE") == (0, "release=abc123\n", [described])


def test_without_a_stack_there_is_no_release(look):
    error = "An error occurred (ValidationError) when calling DescribeStacks: Stack with id faceblur does not exist"
    assert look(error=error) == (0, "", [])


@pytest.mark.parametrize("error", ["An error occurred (AccessDenied)", "Could not connect to the endpoint URL"])
def test_any_other_error_stops_the_deployment(look, error):
    assert look(error=error) == (1, "", [])


def test_what_a_failed_first_deployment_left_is_deleted(look):
    deleted = ["cloudformation delete-stack", "cloudformation wait"]
    assert look("ROLLBACK_COMPLETE") == (0, "", deleted)
