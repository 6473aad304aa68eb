"""A folder of small photos through the command, which is killed in the middle and run again: each is done once.

Both ways of the command are measured in one stack: one job a photo, and one batch.

PYTHONPATH=functions .venv/bin/python -m benchmarks.resume [PHOTOS]
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.batch import Cloud, photo
from benchmarks.folder import COMMAND
from benchmarks.load import SAMPLE_SECONDS, read
from benchmarks.report import Goal, at_least, at_most, publish
from faceblur_cli.folder.journal import NAME as JOURNAL
from faceblur_cli.stack import sam

if TYPE_CHECKING:
    from collections.abc import Sequence

PHOTOS = 5000
MOST_MEGABYTES = 150


class Way(NamedTuple):
    """A way of the command to hide a folder: its options, and how many lines of the journal a photo has.

    `at_once` photos are on their way when the command is killed, and may be hidden again.
    """

    name: str
    options: Sequence[str]
    at_once: int
    lines_a_photo: int


# One by one, a photo has a line when its job begins and one when it ends; in a batch, one when it is uploaded.
WAYS = [Way("one by one", ("--at-once", "4"), 4, 2), Way("as one batch", (), 8, 1)]


class Outcome(NamedTuple):
    """What a way has done with the folder: the photos in its report, those that it has twice, and the results.

    `wrong` photos ended otherwise than they should. `executions` are those of the state machine that hides a photo.
    """

    minutes: float
    told: int
    twice: int
    results: int
    wrong: int
    executions: int
    megabytes: float


def damaged(number: int) -> bool:
    """Whether a photo breaks off in the middle: every hundredth."""
    return number % 100 == 99


def write_folder(folder: Path, photos: int) -> Path:
    """A folder with so many photos, a thousand in each of its folders."""
    for number in range(photos):
        path = folder / f"{number // 1000:03}/{number:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        data = photo(number - 1 if damaged(number) else number)
        path.write_bytes(data[: len(data) // 2] if damaged(number) else data)
    return folder


def megabytes(pid: int) -> float:
    """The largest memory that a process has had so far; 0 if it has ended."""
    high = [line.split()[1] for line in read(pid, "status").splitlines() if line.startswith(b"VmHWM")]
    return int(high[0]) * 1024 / 1e6 if high else 0.0


def run(command: Sequence[str], kill_when: int | None = None) -> float:
    """Run the command, and give its largest memory in megabytes. Its last argument is the folder of the results.

    With `kill_when`, the command is killed as soon as the journal there has so many lines.
    """
    journal, most = Path(command[-1]) / JOURNAL, 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as running:
        while running.poll() is None:
            most = max(most, megabytes(running.pid))
            if kill_when is not None and journal.exists() and journal.read_bytes().count(b"\n") >= kill_when:
                running.kill()
            time.sleep(SAMPLE_SECONDS)
    if kill_when is not None and running.returncode >= 0:
        raise RuntimeError("The command had ended before it could be killed.")
    return most


def executions(cloud: Cloud) -> int:
    """How many executions the state machine that hides a photo has had."""
    arn = cloud.stack.outputs["StateMachineArn"]
    pages = cloud.stack.client("stepfunctions").get_paginator("list_executions").paginate(stateMachineArn=arn)
    return sum(len(page["executions"]) for page in pages)


def hide(cloud: Cloud, way: Way, source: Path, out: Path) -> Outcome:
    """Run the command until it is killed after a third of the photos, and once more to the end."""
    photos, before, report = len(list(source.glob("*/*.jpg"))), executions(cloud), out.with_suffix(".jsonl")
    options = ["--api", cloud.stack.api_url, *way.options, "--report", str(report), "--out", str(out)]
    command = [str(COMMAND), "blur", str(source), *options]
    began = time.monotonic()
    most = max(run(command, photos * way.lines_a_photo // 3), run(command))
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    told = Counter(line["photo"] for line in lines)
    return Outcome(
        minutes=(time.monotonic() - began) / 60,
        told=len(told),
        twice=sum(told.values()) - len(told),
        results=len(list(out.glob("*/*.jpg"))),
        wrong=sum(not ended_well(line) for line in lines),
        executions=executions(cloud) - before,
        megabytes=most,
    )


def ended_well(line: dict[str, Any]) -> bool:
    """Whether a line of the report tells the end that its photo should have."""
    if damaged(int(Path(line["photo"]).stem)):
        return bool(line["error"]) and line["error"]["code"] == "CorruptImage"
    return line["status"] == "COMPLETED" and Path(line["output"]).exists()


def goals_of(way: Way, outcome: Outcome, photos: int) -> list[Goal]:
    """What must hold of a way. A photo that failed is tried again by the next run, or on its own after its batch."""
    failing = sum(map(damaged, range(photos)))
    return [
        at_least(f"{way.name}: photos in the report", outcome.told, photos),
        at_most(f"{way.name}: photos that the report has twice", outcome.twice, 0),
        at_most(f"{way.name}: photos that ended otherwise than they should", outcome.wrong, 0),
        at_least(f"{way.name}: results", outcome.results, photos - failing),
        at_most(f"{way.name}: executions", outcome.executions, photos + failing + way.at_once),
        at_most(f"{way.name}: MB of the command", outcome.megabytes, MOST_MEGABYTES),
    ]


def main(photos: int = PHOTOS) -> int:
    """Hide a folder in both ways, and publish whether every photo was done once."""
    sam.build(print)
    with tempfile.TemporaryDirectory(prefix="faceblur-resume-") as temporary, ExitStack() as exits:
        folder = Path(temporary)
        source = write_folder(folder / "in", photos)
        cloud = Cloud(folder / "state", exits)
        outcomes = [hide(cloud, way, source, folder / f"out-{number}") for number, way in enumerate(WAYS)]
    goals = [goal for way, outcome in zip(WAYS, outcomes, strict=True) for goal in goals_of(way, outcome, photos)]
    rows = [
        {
            "how photos are sent": way.name,
            "photos": photos,
            "minutes": outcome.minutes,
            "results": outcome.results,
            "executions": outcome.executions,
            "MB of the command": outcome.megabytes,
        }
        for way, outcome in zip(WAYS, outcomes, strict=True)
    ]
    return publish("resume", rows, goals, rows)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
