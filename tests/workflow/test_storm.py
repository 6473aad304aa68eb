"""A short storm; `make chaos` has the long one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.storm.batch import BatchInAStorm
from tests.support.storm.storm import storm
from tests.support.storm.verdict import judged

if TYPE_CHECKING:
    from pathlib import Path

JOBS = 20
PHOTOS = 12  # of a batch
SEED = 7


@pytest.mark.timeout(900)  # on a busy machine: it deploys and starts the stack anew
def test_every_job_ends_as_it_must_whatever_fails(built: Path, tmp_path: Path) -> None:
    # Each photo of a batch has processes of its own. So few at once leave time to the other tests.
    with storm(tmp_path, SEED, "PhotosAtOnce=4") as raging:
        batch = BatchInAStorm(raging, PHOTOS)
        raging.rage(JOBS, clients=4, restarts=1, hangs=False)
        of_the_batch = batch.complaints()
        verdict = judged(raging)
    assert verdict.complaints + of_the_batch == []
    assert verdict.endings.total() == JOBS
    assert verdict.endings["COMPLETED"] >= JOBS // 3
    assert verdict.faults.total() >= JOBS // 2
    assert len(raging.cloud.restarts) == 1
