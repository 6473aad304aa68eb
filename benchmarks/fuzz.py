"""How bad files end, in the image code with the functions' limits and in a deployed stack.

The files are all that were made by hand, and thousands of mutations of good ones. A file must end with its face hidden
or with one of the errors for photos. Any other is printed with its name, from which `made` of the catalogue makes it
again.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.figure import Panel, drawn
from benchmarks.report import Figure, at_least, at_most, publish
from faceblur_cli.ports import any_port
from faceblur_cli.stack.emulator import emulator
from faceblur_cli.stack.sam import build, deploy
from tests.support.bad_files.catalogue import HAND_MADE, HEAVY, kind_of, made, mutated
from tests.support.bad_files.stack_trial import REFUSED, tried_in
from tests.support.bad_files.trial import HIDDEN, SECONDS, trials
from tests.support.stack.deployed import Deployed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.support.bad_files.trial import Trial

MUTATIONS = 4_400
# Files that are tried at the same time.
WORKERS = 2
# The stack gets one in ONE_IN of the files made by hand, and STACK_MUTATIONS mutations.
ONE_IN, STACK_MUTATIONS = 4, 120


def through_the_image_code(names: Iterable[str]) -> list[Trial]:
    """Try these files in worker processes."""
    waiting = iter(names)

    def work() -> list[Trial]:
        with trials() as attempt:
            return [told(attempt(name, made(name))) for name in waiting_in_turn()]

    def waiting_in_turn() -> Iterable[str]:
        while name := next(waiting, None):
            yield name

    with ThreadPoolExecutor(WORKERS) as pool:
        working = [pool.submit(work) for _ in range(WORKERS)]
        return [each for worker in working for each in worker.result()]


def through_the_stack(names: Iterable[str]) -> list[Trial]:
    """Try these files in a stack deployed into the embedded AWS."""
    build(said)
    with (
        tempfile.TemporaryDirectory() as folder,
        emulator(any_port(), Path(folder), SFN_WAIT_SCALE="0") as endpoint,
    ):
        return [told(each) for each in tried_in(Deployed(deploy(endpoint), Path(folder)), names)]


def told(trial: Trial) -> Trial:
    """Print a defect as soon as it is found."""
    if trial.defect:
        said(f"{trial.name}: {trial.ended}\n{trial.defect}")
    return trial


def said(text: str) -> None:
    """Print to standard error."""
    sys.stderr.write(f"{text}\n")


def row(where: str, kind: str, tried: list[Trial]) -> dict[str, Any]:
    """How the files of a kind ended, and what they took."""
    ended = Counter(each.ended for each in tried)
    codes = ", ".join(f"{code} {count}" for code, count in ended.most_common() if code != HIDDEN)
    seconds, megabytes = max(each.seconds for each in tried), max(each.megabytes for each in tried)
    return {
        "where": where,
        "what": kind,
        "files": len(tried),
        "a hidden face": ended[HIDDEN],
        "an error": codes,
        "defects": sum(bool(each.defect) for each in tried),
        "CPU s at most": f"{seconds:.1f}" if seconds else "",
        "MB at most": f"{megabytes:.0f}" if megabytes else "",
    }


def rows(where: str, tried: list[Trial]) -> list[dict[str, Any]]:
    """The rows of one place, one for each kind of file."""
    kinds: dict[str, list[Trial]] = {}
    for each in tried:
        made_by = f"made by hand, {kind_of(each.name)}" if each.name in HAND_MADE else kind_of(each.name)
        kinds.setdefault(made_by, []).append(each)
    return [row(where, kind, of_kind) for kind, of_kind in sorted(kinds.items())]


def main() -> int:
    """Try all files, and publish how they ended."""
    in_code = through_the_image_code([*HAND_MADE, *mutated(MUTATIONS)])
    light = [name for name in HAND_MADE if name not in HEAVY]
    in_stack = through_the_stack([*islice(light, 0, None, ONE_IN), *list(mutated(MUTATIONS))[-STACK_MUTATIONS:]])
    shown = rows("image code", in_code) + rows("stack", in_stack)
    worked_on = [each for each in in_stack if each.ended != REFUSED]
    goals = [
        at_least("files through the image code", len(in_code), 5_000),
        at_least("files through the deployed stack", len(worked_on), 300),
        at_most("defects in the image code", sum(bool(each.defect) for each in in_code), 0),
        at_most("defects in the stack", sum(bool(each.defect) for each in in_stack), 0),
        at_most("CPU s of the slowest", max(each.seconds for each in in_code), SECONDS),
        at_most("share of its function's memory, the largest", max(each.share for each in in_code), 1),
    ]
    return publish("fuzz", shown, goals, shown, figure=figure(shown))


def figure(shown: list[dict[str, Any]]) -> Figure:
    """How the files of each kind ended, and the time and memory of the most demanding one, a line for each kind."""

    def numbers(column: str) -> list[float | None]:
        return [float(row[column]) if row[column] != "" else None for row in shown]

    errors = [row["files"] - row["a hidden face"] for row in shown]
    panels = [
        Panel("files", {"faces hidden": numbers("a hidden face"), "an error": errors}),
        Panel("CPU seconds, the slowest", {"faces hidden": numbers("CPU s at most")}),
        Panel("MB, the largest", {"faces hidden": numbers("MB at most")}),
    ]
    rows = [f"{row['where']}: {row['what']}" for row in shown]
    return Figure(drawn(rows, panels), "How bad files of each kind ended, and what they took")


if __name__ == "__main__":
    sys.exit(main())
