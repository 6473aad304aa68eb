"""Thousands of jobs through the embedded AWS while a seeded injector makes everything fail: what became of them.

PYTHONPATH=functions .venv/bin/python -m benchmarks.chaos [JOBS [SEED]]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.report import at_least, at_most, publish
from faceblur_cli.stack.sam import build
from tests.support.storm.storm import storm
from tests.support.storm.verdict import judged

JOBS = 2000
SEED = 20261123
CLIENTS = 12
RESTARTS = 2


def main(jobs: int = JOBS, seed: int = SEED) -> int:
    """Let the storm rage, and say whether every job came to what it must."""
    build(print)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="faceblur-storm-") as folder, storm(Path(folder), seed) as raging:
        raging.rage(jobs, clients=CLIENTS, restarts=RESTARTS, hangs=True)
        verdict = judged(raging)
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
    kinds = Counter[str]()
    for (what, _), count in verdict.faults.items():
        kinds[what] += count
    rows = [
        *({"": f"jobs that ended {ending}", "count": count} for ending, count in verdict.endings.most_common()),
        *({"": what, "count": count} for what, count in raging.counts().items()),
        *({"": f"fault: {what}", "count": count} for what, count in kinds.most_common()),
    ]
    measured: list[dict[str, Any]] = [
        {"jobs": jobs, "seed": seed, "seconds": round(seconds), "endings": verdict.endings, **raging.counts()},
        *({"fault": what, "of": function, "count": count} for (what, function), count in verdict.faults.items()),
    ]
    return publish("chaos", measured, goals, rows)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
