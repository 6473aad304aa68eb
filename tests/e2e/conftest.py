"""Fixtures of the tests of the command and of the page."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def environment(built: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A state folder for these tests. They share it, so each finds what an earlier one deployed."""
    return os.environ | {"FACEBLUR_STATE": str(tmp_path_factory.mktemp("state"))}
