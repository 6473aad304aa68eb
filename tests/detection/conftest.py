"""Tests of the detection: the real networks, most of them over complete photos, without the internet."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_itemcollected(item: pytest.Item) -> None:
    """Block sockets in this folder."""
    item.add_marker("disable_socket")
