"""A folder of photos through the command and the stack on this machine, beside detector and codec alone.

Alone, they run in one process, and each processor works on a photo of its own. The command runs between the two halves
of that, so what else the machine does affects both. It starts a stack that was deployed before, and ends it.

PYTHONPATH=functions .venv/bin/python -m benchmarks.folder [PHOTOS]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.load import FACE_WIDTH, FACES, SAMPLE_SECONDS, SIZE, children, process, read
from benchmarks.one_function.app import CHECKS
from benchmarks.report import at_least, at_most, publish
from faceblur.detectors.base import DetectionPass, StoredPhoto
from faceblur.detectors.check import Check
from faceblur.detectors.confidence import detect_at_confidence
from faceblur.detectors.embedded.detector import EmbeddedDetector
from faceblur.jobs.boxes import FoundBoxes
from faceblur.jobs.storage import digest
from faceblur.options import JobOptions
from faceblur.photo.hide import hide_regions
from faceblur_cli import project
from faceblur_cli.stack import sam
from tests.support.pictures.photos import jpeg
from tests.support.pictures.scenes import scattered

if TYPE_CHECKING:
    from collections.abc import Sequence

PHOTOS = 200
MOST = 1.25  # the bound of the command's time ÷ that of detector and codec alone
COMMAND = Path(sys.executable).with_name("faceblur")
LAYER = project.BUILD / "OnnxLayer/python"


@dataclass
class Taken:
    """Time that some work has taken, in seconds."""

    wall: float = 0.0
    cpu: float = 0.0


class Watch(threading.Thread):
    """Records the CPU seconds of a process and all its descendants, by what they do."""

    def __init__(self, pid: int) -> None:
        """Watch from now on until `stop` is called."""
        super().__init__(daemon=True)
        self._pid, self._ended = pid, threading.Event()
        self._seen: dict[int, tuple[str, float]] = {}
        self.start()

    def run(self) -> None:
        """Sample. What a process takes after its last sample is lost."""
        while not self._ended.wait(SAMPLE_SECONDS):
            for pid in descendants(self._pid):
                seen = process(pid)
                if seen.cpu:
                    # What has ended, and is not yet waited for, has a time and no name.
                    name = part(pid, seen.function) or self._seen.get(pid, ("command", 0.0))[0]
                    self._seen[pid] = (name, seen.cpu)

    def stop(self) -> dict[str, float]:
        """Stop sampling; gives the CPU seconds of each part."""
        self._ended.set()
        self.join()
        parts: dict[str, float] = {}
        for name, cpu in self._seen.values():
            parts[name] = parts.get(name, 0.0) + cpu
        return parts


def descendants(pid: int) -> list[int]:
    """A process and all that it has started, which run still."""
    try:
        return [pid, *(each for child in children(pid) for each in descendants(child))]
    except FileNotFoundError:
        return []


def part(pid: int, function: str) -> str:
    """What a process of the command does; nothing if it has ended."""
    if function:
        return function.split("-")[1]
    line = read(pid, "cmdline")
    if not line:
        return ""
    return "embedded AWS" if b"ministack" in line else "command"


def hide_alone(photo: bytes) -> None:
    """Find, hide and check the faces of a photo, as the functions do, without what is around."""
    options = JobOptions().model_dump()
    detector, least = EmbeddedDetector(), options["min_confidence"]
    found = detect_at_confidence(detector, StoredPhoto(photo, "", ""), least, DetectionPass.FIRST)
    findings = FoundBoxes(digest(photo), []).plus(found.boxes, 0)
    hidden = hide_regions(photo, findings.regions(options), options["output"])
    for number in range(1, CHECKS + 1):
        check = Check(detector, findings.regions(options), findings.keeper())
        missed = detect_at_confidence(check, StoredPhoto(hidden.data, "", ""), least, DetectionPass.CHECK).boxes
        if not missed:
            break
        findings = findings.plus(missed, number)
        hidden = hide_regions(photo, findings.regions(options), options["output"])


def take_alone(photos: Sequence[bytes]) -> Taken:
    """Hide the faces of photos on all processors."""
    began, cpu = time.monotonic(), time.process_time()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(hide_alone, photos))
    return Taken(time.monotonic() - began, time.process_time() - cpu)


def run_command(photos: Path, out: Path, state: Path) -> tuple[Taken, dict[str, float]]:
    """Hide the faces of a folder by the command; gives also the CPU seconds of its parts."""
    began = time.monotonic()
    environment = os.environ | {"FACEBLUR_STATE": str(state)}
    with subprocess.Popen([COMMAND, "blur", photos, "--out", out], env=environment) as command:
        watch = Watch(command.pid)
        code = command.wait()
    wall, parts = time.monotonic() - began, watch.stop()
    if code:
        raise RuntimeError(f"The command ended with {code}.")
    return Taken(wall, sum(parts.values())), parts


def stored(folder: Path, photos: Sequence[bytes]) -> Path:
    """A folder with these photos."""
    folder.mkdir()
    for number, photo in enumerate(photos):
        (folder / f"{number:04}.jpg").write_bytes(photo)
    return folder


def row(name: str, taken: Taken, photos: int) -> dict[str, Any]:
    """What the work on so many photos took."""
    return {
        "photos of 2 megapixels": name,
        "photos": photos,
        "s": taken.wall,
        "s a photo": taken.wall / photos,
        "CPU s a photo": taken.cpu / photos,
    }


def shares(parts: dict[str, float], photos: int) -> list[dict[str, Any]]:
    """The CPU time of the command's parts, the largest first."""
    largest = sorted(parts.items(), key=lambda each: -each[1])
    return [{"part of the command": name, "CPU ms a photo": 1000 * cpu / photos} for name, cpu in largest]


def main(count: int = PHOTOS) -> int:
    """Measure both, and publish how much longer the command takes."""
    sam.build(print)
    sys.path.append(str(LAYER))
    photos = [jpeg(scattered(FACE_WIDTH, SIZE, FACES, seed).picture) for seed in range(count)]
    with tempfile.TemporaryDirectory(prefix="faceblur-folder-") as temporary:
        folder = Path(temporary)
        # The stack is deployed, the modules are compiled, and the networks are loaded.
        run_command(stored(folder / "first", photos[:1]), folder / "first-out", folder / "state")
        hide_alone(photos[0])
        first = take_alone(photos[: count // 2])
        command, parts = run_command(stored(folder / "in", photos), folder / "out", folder / "state")
        second = take_alone(photos[count // 2 :])
        done = len(list((folder / "out").glob("*.jpg")))
    alone = Taken(first.wall + second.wall, first.cpu + second.cpu)
    goals = [
        at_least("photos", done, count),
        at_most("time of the command, detector and codec alone = 1", command.wall / alone.wall, MOST),
    ]
    rows = [row("detector and codec alone", alone, count), row("`faceblur blur`", command, count)]
    return publish("folder", [*rows, *shares(parts, count)], goals, rows, shares(parts, count))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
