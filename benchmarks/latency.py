"""The time from the upload to the result, as the command sees it, beside the sum of the stages.

A photo of 12 megapixels with one large face goes through the deployed stack several times. The first time, the
functions have to start; the goal is about the other times. The sum of the stages is the receipt's. The rest of the
time is spent by the queue, the state machine, the storage, the start of the functions, and the command's requests for
the job's status.

PYTHONPATH=functions .venv/bin/python -m benchmarks.latency
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks.report import at_most, publish
from faceblur_cli.ports import free_port
from faceblur_cli.stack.emulator import emulator
from faceblur_cli.stack.sam import build, deploy
from faceblur_client import Client
from tests.support.pictures.photos import jpeg
from tests.support.pictures.scenes import scattered

SIZE, FACE_WIDTH = (4000, 3000), 1600  # pixels
PHOTOS = 9
MOST = 1.3  # the bound of the command's time ÷ the sum of the stages


class Seen(NamedTuple):
    """The seconds of a job from the upload to the result, and the sum of those of its stages."""

    seconds: float
    stages: float

    @property
    def ratio(self) -> float:
        """The time from the upload to the result ÷ the sum of the stages."""
        return self.seconds / self.stages


def blurred(api: Client, photo: Path) -> Seen:
    """Have the faces in a photo hidden as the command does."""
    created = api.create_job()
    began = time.monotonic()
    api.upload(created["upload"], photo)
    job = api.wait_for(created["job_id"])
    api.download(job["result"]["url"])
    seconds = time.monotonic() - began
    receipt = json.loads(api.download(job["receipt"]["url"]))
    return Seen(seconds, sum(stage["milliseconds"] for stage in receipt["stages"]) / 1000)


def row(name: str, seen: list[Seen]) -> dict[str, Any]:
    """The medians of some jobs."""
    return {
        "photo of 12 megapixels": name,
        "upload to result, s": median(each.seconds for each in seen),
        "sum of the stages, s": median(each.stages for each in seen),
        "ratio": median(each.ratio for each in seen),
    }


def main() -> int:
    """Measure, and publish the times."""
    build(print)
    with tempfile.TemporaryDirectory(prefix="faceblur-latency-") as folder:
        photo = Path(folder, "photo.jpg")
        photo.write_bytes(jpeg(scattered(FACE_WIDTH, SIZE, 1, seed=3).picture))
        with emulator(free_port(), Path(folder, "aws")) as endpoint:
            api = Client(deploy(endpoint).api_url)
            first, *next_ones = [blurred(api, photo) for _ in range(1 + PHOTOS)]
    rows = [row("the first: functions start", [first]), row(f"the next {PHOTOS}, in the middle", next_ones)]
    goals = [at_most("upload to result, sum of the stages = 1", rows[1]["ratio"], MOST)]
    return publish("latency", [seen._asdict() for seen in (first, *next_ones)], goals, rows)


if __name__ == "__main__":
    sys.exit(main())
