"""Thousands of jobs through the embedded AWS while an injector with a fixed seed makes everything fail.

PYTHONPATH=functions .venv/bin/python -m benchmarks.chaos [JOBS [SEED]]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.figure import Panel, drawn
from benchmarks.report import Figure, at_least, at_most, publish
from faceblur_cli.stack.sam import build
from tests.support.storm.batch import BatchInAStorm
from tests.support.storm.storm import storm
from tests.support.storm.verdict import judged

JOBS = 2000
SEED = 20261123
PHOTOS = 200  # of the batch among them
CLIENTS = 12
RESTARTS = 2


def main(jobs: int = JOBS, seed: int = SEED) -> int:
    """Run the storm, judge every job, and publish the counts."""
    build(print)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="faceblur-storm-") as folder, storm(Path(folder), seed) as raging:
        batch = BatchInAStorm(raging, PHOTOS)
        raging.rage(jobs, clients=CLIENTS, restarts=RESTARTS, hangs=True)
        complaints = batch.complaints()
        verdict = judged(raging)
        verdict.complaints += complaints
    seconds = time.monotonic() - began
    for complaint in verdict.complaints:
        print(f"{complaint.kind}: {complaint.job_id}: {complaint.what}")  # noqa: T201
    counts = verdict.counts()
    goals = [
        at_least("jobs", sum(verdict.endings.values()), jobs),
        *(at_most(kind, count, 0) for kind, count in counts.items()),
        at_least("of the jobs completed", verdict.endings["COMPLETED"] / jobs, 0.5),
        at_least("restarts of the stack", len(raging.cloud.restarts), RESTARTS),
        at_least("kinds of faults", len(verdict.faults), 40),
    ]
    counts_of_faults = Counter[str]()
    for (what, _), count in verdict.faults.items():
        counts_of_faults[what] += count
    measured: list[dict[str, Any]] = [
        {"jobs": jobs, "seed": seed, "seconds": round(seconds), "endings": verdict.endings, **raging.counts()},
        *({"fault": what, "of": function, "count": count} for (what, function), count in verdict.faults.items()),
    ]
    counted = {
        "jobs that ended as": dict(verdict.endings.most_common()),
        "what happened": raging.counts() | {"photos of a batch": PHOTOS, "starts of it": batch.starts},
        "fault": dict(counts_of_faults.most_common()),
    }
    tables = [[{what: name, "count": count} for name, count in of.items()] for what, of in counted.items()]
    return publish("chaos", measured, goals, *tables, figure=figure(counted))


def figure(counted: dict[str, dict[str, int]]) -> Figure:
    """All counts, a line each."""
    rows = {
        name if what == "what happened" else f"{what.removesuffix(' as')}: {name}": count
        for what, of in counted.items()
        for name, count in of.items()
    }
    panel = Panel("count", {"count": list(rows.values())}, logarithmic=True)
    return Figure(drawn(list(rows), [panel]), "How many jobs ended how, and how often each fault happened")


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
