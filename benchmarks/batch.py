"""A batch of small photos through the stack, which is restarted in the middle: every photo is accounted for.

PYTHONPATH=functions .venv/bin/python -m benchmarks.batch [PHOTOS]
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

from benchmarks.load import Watch, children, cpu_of, process
from benchmarks.report import at_least, at_most, publish
from faceblur_cli.ports import free_port
from faceblur_cli.stack import emulator, sam
from faceblur_cli.stack.aws import Stack
from faceblur_cli.stack.recovery import recover
from tests.support.pictures.photos import astronaut_pixels, jpeg

PHOTOS = 5000
AT_ONCE = 8  # so many executions keep two processors busy
SIZE = 256  # pixels a side
NO_PHOTO = b"This is no photo."
UPLOADERS = 4
RENEW_AFTER = 500  # uploads with one form
POLL_SECONDS = 1.0
FINAL = {"COMPLETED", "FAILED", "STOPPED"}


class Cloud:
    """The embedded AWS with the stack in it."""

    def __init__(self, folder: Path, exits: ExitStack) -> None:
        """Start and deploy; everything is stopped with `exits`."""
        self._folder, self._port = folder, free_port()
        self._running = exits.enter_context(ExitStack())
        self._http = exits.enter_context(httpx.Client(timeout=60, trust_env=False))
        self.stack = sam.deploy(self._start(), parameters=[f"PhotosAtOnce={AT_ONCE}"])

    def _start(self) -> str:
        endpoint = self._running.enter_context(emulator.emulator(self._port, self._folder))
        (self.pid,) = (pid for pid in children(os.getpid()) if str(self._folder).encode() in _environment(pid))
        return endpoint

    def restart(self) -> None:
        """Stop the stack while it works, and start it as `faceblur up` does."""
        self._running.close()
        self.stack = Stack(self._start(), self.stack.outputs)
        recover(self.stack)

    def ask(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        """Ask the API."""
        answer = self._http.request(method, self.stack.api_url + path, **content)
        answer.raise_for_status()
        answered: dict[str, Any] = answer.json()
        return answered

    def megabytes(self) -> float:
        """The memory of the emulator."""
        fields = Path(f"/proc/{self.pid}/statm").read_text().split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _environment(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


def photo(number: int) -> bytes:
    """A photo with one face; each is another one. Every hundredth is none."""
    if number % 100 == 99:
        return NO_PHOTO
    noise = np.random.default_rng(number).integers(0, 256, (SIZE // 8, SIZE // 8, 3), np.uint8)
    picture = astronaut_pixels().convert("RGB").resize((SIZE, SIZE))
    return jpeg(Image.blend(picture, Image.fromarray(noise).resize((SIZE, SIZE)), 0.1))


def name(number: int) -> str:
    """The name of a photo."""
    return f"{number // 1000:03}/{number:06}.jpg"


def upload(cloud: Cloud, batch_id: str, numbers: range) -> None:
    """Upload these photos, with one form."""
    form = cloud.ask("POST", f"/batches/{batch_id}/form")
    folder = form["fields"]["key"].removesuffix("${filename}")

    def send(number: int) -> None:
        fields = {**form["fields"], "key": folder + name(number)}
        answer = httpx.post(form["url"], data=fields, files={"file": photo(number)}, timeout=60, trust_env=False)
        answer.raise_for_status()

    with ThreadPoolExecutor(UPLOADERS) as pool:
        list(pool.map(send, numbers))


class Run:
    """A start of the batch, and what was seen of it."""

    def __init__(self, cloud: Cloud, batch_id: str) -> None:
        """Start the batch."""
        self._cloud, self._batch_id = cloud, batch_id
        self._began = time.monotonic()
        self._watch = Watch(cloud.pid, sam.STACK_NAME)
        self._watch.start()
        self.megabytes = 0.0
        self.shown = cloud.ask("POST", f"/batches/{batch_id}/start")

    def wait(self, before: int, enough: float = float("inf")) -> dict[str, Any]:
        """Wait until the batch ends, or so many photos are done; `before` this start were. Gives a row of the table."""
        while True:
            self.shown = self._cloud.ask("GET", f"/batches/{self._batch_id}")
            self.megabytes = max(self.megabytes, self._cloud.megabytes())
            counts = self.shown.get("counts", {"hidden": 0, "failed": 0})
            done = counts["hidden"] + counts["failed"]
            functions = cpu_of(self._cloud.pid, sam.STACK_NAME)
            emulator_cpu = process(self._cloud.pid).cpu
            if self.shown["status"] in FINAL or done >= enough:
                break
            time.sleep(POLL_SECONDS)
        self._watch.stop()
        minutes, new = (time.monotonic() - self._began) / 60, max(1, done - before)
        return {
            "photos done": done,
            "minutes": round(minutes, 1),
            "photos a minute": round(new / minutes),
            "CPU ms a photo, functions": round(1000 * functions / new),
            "embedded AWS": round(1000 * emulator_cpu / new),
            "MB, embedded AWS": round(self.megabytes),
            "functions": round(self._watch.megabytes),
        }


def main(photos: int = PHOTOS) -> int:
    """Upload, start, restart the stack after a third, start again, and compare the report with what was uploaded."""
    sam.build(print)
    with tempfile.TemporaryDirectory(prefix="faceblur-batch-") as folder, ExitStack() as exits:
        cloud = Cloud(Path(folder), exits)
        batch_id = cloud.ask("POST", "/batches", json={"tolerated_failures": 100})["batch_id"]
        for start in range(0, photos, RENEW_AFTER):
            upload(cloud, batch_id, range(start, min(photos, start + RENEW_AFTER)))
        rows = [{"run": "until the restart"} | Run(cloud, batch_id).wait(0, photos / 3)]
        cloud.restart()
        interrupted = cloud.ask("GET", f"/batches/{batch_id}")["status"]
        last = Run(cloud, batch_id)
        rows.append({"run": "after it"} | last.wait(rows[0]["photos done"]))
        lines = [json.loads(line) for line in httpx.get(last.shown["report"]["jsonl"]["url"]).text.splitlines()]
    told = Counter(line["key"].partition("/in/")[2] for line in lines)
    expected = {name(number): "UnsupportedFormat" if number % 100 == 99 else "" for number in range(photos)}
    wrong = sum(line["code"] != expected[line["key"].partition("/in/")[2]] for line in lines)
    goals = [
        at_least("photos in the report", len(told), photos),
        at_most("photos that the report has twice", sum(told.values()) - len(told), 0),
        at_most("photos that ended otherwise than they should", wrong, 0),
        at_most("batches that the restart left pending", int(interrupted not in FINAL), 0),
        at_most("batches that did not complete", int(last.shown["status"] != "COMPLETED"), 0),
    ]
    return publish("batch", [{"photos": photos, "runs": rows}], goals, rows)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
