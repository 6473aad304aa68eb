"""Requests to AWS, answered by a test."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def answered_by(answer: Callable[..., Any], client: Any) -> Iterator[None]:
    """Have this function answer the requests of a boto3 client, which is everybody's again after the block."""
    client.meta.events.register_first("before-send", answer)
    try:
        yield
    finally:
        client.meta.events.unregister("before-send", answer)
