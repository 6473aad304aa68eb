"""A stand-in for a job's share of paid calls (`faceblur.detectors.base.PaidCalls`), without any AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from faceblur.errors import PhotoTooExpensive

if TYPE_CHECKING:
    from collections.abc import Mapping

    from faceblur.detectors.base import Answer


class Paid:
    """A share of this many calls. `made` counts those that were made, and `answers` holds those that were kept."""

    def __init__(self, most: int = 1000, answers: Mapping[str, Answer] | None = None, reserved: int = 0) -> None:
        """Begin a round with the answers of an earlier attempt. It should leave the `reserved` calls to others."""
        self.most = most
        self.reserved = reserved
        self.made = 0
        self.answers = dict(answers or {})

    @property
    def left(self) -> int:
        """How many calls may still be made."""
        return self.most - self.made

    def take(self, number: int) -> None:
        """Count these calls."""
        if number > self.left:
            raise PhotoTooExpensive
        self.made += number

    def give_back(self, number: int) -> None:
        """Count these calls no longer."""
        self.made -= number

    def remembered(self, request: str) -> Answer | None:
        """The answer to a request."""
        return self.answers.get(request)

    def keep(self, answers: Mapping[str, Answer]) -> None:
        """Remember these answers."""
        self.answers |= answers
