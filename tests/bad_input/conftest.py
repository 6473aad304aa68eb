"""Schemathesis is a plugin of pytest that takes seconds to import; only the one test file that needs it loads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> None:
    """Load the plugin, which addopts keeps from being loaded in every run, before it has tests to collect."""
    if module_path.name == "test_api.py":
        parent.config.pluginmanager.import_plugin("schemathesis.pytest.plugin")
