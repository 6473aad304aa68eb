"""Thousands of jobs through the embedded AWS while a seeded injector makes everything fail: what became of them.

PYTHONPATH=functions:tests .venv/bin/python benchmarks/chaos.py [JOBS [SEED]]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from report import at_least, at_most, publish
from storm.storm import storm
from storm.verdict import judged

from faceblur_cli import local

JOBS = 2000
SEED = 20261123
RESTARTS = 2


def main(jobs: int = JOBS, seed: int = SEED) -> int:
    """Let the storm rage, and say whether every job came to what it must."""
    local.build(print)
    with tempfile.TemporaryDirectory(prefix="faceblur-storm-") as folder, storm(Path(folder), seed) as raging:
        raging.rage(jobs, RESTARTS, hangs=True)
        verdict = judged(raging)
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
    rows = [
        *({"what": f"jobs that ended {ending}", "count": count} for ending, count in verdict.endings.most_common()),
        *({"what": f"fault: {fault}", "count": count} for fault, count in verdict.faults.most_common()),
        *({"what": what, "count": count} for what, count in raging.counts().items()),
    ]
    return publish("chaos", [{"jobs": jobs, "seed": seed} | {row["what"]: row["count"] for row in rows}], goals, rows)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
