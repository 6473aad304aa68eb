"""Steps that are carried out one after the other: one that fails is written down, and the others go on."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

OK, FAILED, NOT_HERE = "ok", "**failed**", "not available here"


class Wrong(Exception):
    """What a step saw is not what it must see; the message says what it saw."""


class NotHere(Exception):
    """A step needs something that this AWS does not have; the message says what."""


@dataclass
class Seen:
    """What a step saw, in a sentence, and tables with the details by their titles."""

    sentence: str
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


class Step(NamedTuple):
    """Something to try, under a name that says what must be true."""

    name: str
    act: Callable[[], Seen | str]


@dataclass
class Outcome:
    """What came of a step; `result` is OK, FAILED or NOT_HERE."""

    step: str
    result: str
    seen: Seen
    seconds: float

    @property
    def row(self) -> dict[str, Any]:
        """A row of the report."""
        return {"step": self.step, "": self.result, "seen": self.seen.sentence, "seconds": f"{self.seconds:.1f}"}


def carry_out(steps: Iterable[Step], outcomes: list[Outcome], say: Callable[[str], None]) -> None:
    """Try each step and add what came of it to the outcomes. An interruption is written down, too, and raised."""
    for step in steps:
        say(step.name)
        began = time.monotonic()
        result, seen = FAILED, Seen("interrupted")
        try:
            result, seen = _tried(step)
        finally:
            outcomes.append(Outcome(step.name, result, seen, time.monotonic() - began))
            say(f"  {result.strip('*')}: {seen.sentence}")


def must(holds: object, seen: str) -> None:
    """Raise Wrong with what was seen, unless it holds."""
    if not holds:
        raise Wrong(seen)


def _tried(step: Step) -> tuple[str, Seen]:
    try:
        seen = step.act()
    except NotHere as missing:
        return NOT_HERE, Seen(str(missing))
    except Exception as error:  # noqa: BLE001 - whatever goes wrong in a step is its outcome
        return FAILED, Seen(_in_a_line(error))
    return OK, seen if isinstance(seen, Seen) else Seen(seen)


def _in_a_line(error: Exception) -> str:
    """The error for a row of the report, without the signatures of links."""
    text = str(error) if isinstance(error, Wrong) else f"{type(error).__name__}: {error}"
    without_signatures = re.sub(r"(https?://[^\s?]+\?)[^\s'\"]+", r"\1…", " ".join(text.split()))
    return without_signatures[:300].replace("|", "\\|")
