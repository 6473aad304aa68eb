"""The scripts that install what the tests of the stacks need: they say so first, and a variable declines it."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.support.sources import ROOT

SCRIPTS = {"chromium": "package chromium-headless-shell as root", "example-tools": "need curl jq: installing"}


@pytest.fixture
def install(tmp_path):
    """Run a script as root on a Debian without the tools, whose apt-get only tells that it was called."""
    (tmp_path / "sh").symlink_to(str(shutil.which("sh")))
    for name, line in {"id": "echo 0", "apt-get": "echo apt-get $1"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / name).chmod(0o755)

    def run(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [ROOT / "tests/e2e" / script],
            env={"PATH": str(tmp_path)} | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.parametrize(("script", "said"), SCRIPTS.items())
def test_what_is_installed_is_said_first(script, said, install):
    lines = install(script).stderr.splitlines()
    assert said in lines[0]
    assert "NO_INSTALL=1 declines" in lines[0]
    assert lines[1:3] == ["apt-get update", "apt-get install"]


@pytest.mark.parametrize("script", SCRIPTS)
def test_declined_nothing_is_installed_and_one_line_says_what_is_missing(script, install):
    ended = install(script, NO_INSTALL="1")
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert "need" in line
    assert "install" in line
