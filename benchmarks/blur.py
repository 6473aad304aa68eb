"""Time and memory of hiding faces, and what it does to the rest of the photo, beside other methods.

Each method runs in processes of its own, and the methods take turns, so other load on the machine affects them all
alike. The lowest time of a round counts. Two methods are compared round by round, and the median of these ratios
counts. Memory is the least that the work adds to a process that has imported everything.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from benchmarks.figure import Panel, drawn
from benchmarks.hiding_methods import METHODS
from benchmarks.report import Figure, at_least, at_most, publish
from faceblur.geometry import Box
from faceblur.photo import painting
from faceblur.photo.styles import Region, Style
from tests.support.pictures import photos

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Case = dict[str, dict[str, Any]]  # one photo, by method

MEGAPIXELS = (2, 12, 24, 48)
FACES = {1: 10, 5: 14, 20: 24}  # the number of faces, and the photo's width as a multiple of a face's
SAMPLINGS = {"4:2:0": 2, "4:4:4": 0}
QUALITY = 90
GRAIN = 4  # standard deviation, of 255 levels
ROUNDS = 7  # of the methods that the goals are about; the others have one
PIXELS_A_ROUND = 24  # megapixels that a process hides faces in for each round, with at least two runs


def photo_of(megapixels: int, faces: int, subsampling: int) -> tuple[bytes, list[list[float]]]:
    """A photo of a street with a camera's grain and this number of faces, and the boxes of the faces."""
    height = round((megapixels * 1e6 * 3 / 4) ** 0.5) // 16 * 16
    width = round(height * 4 / 3) // 16 * 16
    street = photos.street_pixels().resize((width, height), Image.Resampling.LANCZOS)
    boxes = []
    for number in range(faces):
        pixels, face = photos.PORTRAITS[number % len(photos.PORTRAITS)]
        scale = width / FACES[faces] / (face.width * pixels.width)
        portrait = pixels.resize((round(pixels.width * scale), round(pixels.height * scale)), Image.Resampling.BICUBIC)
        left = width * (number % 5 + 1) / (min(faces, 5) + 1) - (face.left + face.width / 2) * portrait.width
        top = height * (number // 5 + 1) / (-(-faces // 5) + 1) - (face.top + face.height / 2) * portrait.height
        street.paste(portrait, (round(left), round(top)))
        boxes.append(
            [
                (round(left) + face.left * portrait.width) / width,
                (round(top) + face.top * portrait.height) / height,
                face.width * portrait.width / width,
                face.height * portrait.height / height,
            ]
        )
    grain = np.random.default_rng(0).normal(0, GRAIN, (height, width, 1)).astype(np.float32)
    grainy = Image.fromarray((np.asarray(street, np.float32) + grain).clip(0, 255).astype(np.uint8))
    return photos.encoded(grainy, "JPEG", quality=QUALITY, subsampling=subsampling), boxes


def outside(before: bytes, after: bytes, boxes: list[list[float]]) -> float:
    """The likeness of two photos outside the regions that faceblur hides, in decibels (PSNR), at most 99."""
    one, other = (photos.opened(file).convert("RGB") for file in (before, after))
    mask = Image.new("1", one.size, 1)
    for box in boxes:
        mask.paste(0, painting.outline(one.size, Region(Box(*box, 99.0), Style())).visible)
    total, count = 0.0, 0
    for top in range(0, one.height, 256):
        strip = (0, top, one.width, min(top + 256, one.height))
        first, second, where = (np.asarray(image.crop(strip), np.float32) for image in (one, other, mask))
        error = (first - second)[where > 0]
        total, count = total + float((error.astype(np.float64) ** 2).sum()), count + error.size
    return min(99.0, 10 * np.log10(255**2 * count / total)) if total else 99.0


def run(method: str, photo: bytes, boxes: list[list[float]], times: int) -> tuple[dict[str, Any], bytes]:
    """What a method takes in a process of its own, and its result."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "photo").write_bytes(photo)
        (Path(folder) / "boxes.json").write_text(json.dumps(boxes))
        command = [sys.executable, str(Path(__file__).with_name("hiding_methods.py")), method, folder, str(times)]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
        return json.loads(printed), (Path(folder) / method).read_bytes()


def measured(megapixels: int, faces: int, sampling: str) -> Case:
    """What every method takes for one photo, and how it changes the rest of the photo."""
    sys.stderr.write(f"{megapixels} megapixels, {faces} faces, {sampling}\n")
    photo, boxes = photo_of(megapixels, faces, SAMPLINGS[sampling])
    taken: dict[str, list[dict[str, Any]]] = {method: [] for method in METHODS}
    results = {}
    times = max(2, PIXELS_A_ROUND // megapixels)
    for number in range(ROUNDS):
        for method in METHODS if number == 0 else ("plain", "faceblur", "recipe"):
            of_this, results[method] = run(method, photo, boxes, times)
            taken[method].append(of_this)
    return {
        method: {"megapixels": megapixels, "faces": faces, "sampling": sampling, "method": method}
        | {unit: [round(min(run[unit] for run in of["runs"]), 4) for of in rounds] for unit in ("cpu", "wall")}
        | {"megabytes": round(min(of["added"] for of in rounds), 1)}
        | {"psnr": round(outside(photo, results[method], boxes), 1)}
        for method, rounds in taken.items()
    }


def ratio(case: Case, unit: str, method: str, to: str) -> float:
    """What a method takes as a multiple of another, the median of the rounds that both had."""
    return median(one / other for one, other in zip(case[method][unit], case[to][unit], strict=False))


def main() -> int:
    """Measure everything but the largest photos, which `memory.py` measures, and publish it."""
    cases = [
        measured(megapixels, faces, sampling) for megapixels in MEGAPIXELS for faces in FACES for sampling in SAMPLINGS
    ]
    large = [case for case in cases if case["plain"]["megapixels"] >= 12]

    goals = [
        at_most(
            "CPU ÷ decode and encode, ≥ 12 megapixels",
            max(ratio(case, "cpu", "faceblur", "plain") for case in large),
            1.1,
        ),
        at_most(
            "CPU ÷ the simple recipe, ≥ 12 megapixels",
            max(ratio(case, "cpu", "faceblur", "recipe") for case in large),
            1.05,
        ),
        at_least("PSNR outside the faces, dB", min(case["faceblur"]["psnr"] for case in cases), 50),
        at_most(
            "memory ÷ decode and encode",
            max(memory_ratio(case, "faceblur") for case in cases),
            1.2,
        ),
    ]
    rows = [row for case in cases for row in case.values()]
    return publish("blur", rows, goals, *tables(cases), figure=figure(cases))


def tables(cases: list[Case]) -> list[list[dict[str, Any]]]:
    """A table each for processor time, time on the clock, memory, and likeness outside the hidden regions."""

    def name(case: Case) -> dict[str, Any]:
        return {"photo": photo_name(case), "faces": case["plain"]["faces"]}

    def compared(case: Case, measure: Callable[[Case, str], float]) -> dict[str, float]:
        return {f"{method} ÷ plain": measure(case, method) for method in METHODS if method != "plain"}

    timed = [
        [
            name(case)
            | {f"plain, {title}": median(case["plain"][unit])}
            | compared(case, lambda case, method, unit=unit: ratio(case, unit, method, "plain"))
            for case in cases
        ]
        for unit, title in (("cpu", "CPU s"), ("wall", "wall s"))
    ]
    memory = [name(case) | {"plain, MB": case["plain"]["megabytes"]} | compared(case, memory_ratio) for case in cases]
    likeness = [name(case) | {f"{method}, dB": case[method]["psnr"] for method in METHODS} for case in cases]
    return [*timed, memory, likeness]


def figure(cases: list[Case]) -> Figure:
    """The same but the time on the clock, a line for each photo."""

    def panel(title: str, measure: Callable[[Case, str], float], methods: Sequence[str], **axis: bool) -> Panel:
        return Panel(title, {method: [measure(case, method) for case in cases] for method in methods}, **axis)

    compared = [method for method in METHODS if method != "plain"]
    panels = [
        panel("CPU time ÷ plain", lambda case, method: ratio(case, "cpu", method, "plain"), compared, logarithmic=True),
        panel("memory ÷ plain", memory_ratio, compared),
        panel("likeness elsewhere, dB", lambda case, method: case[method]["psnr"], [*compared, "plain"]),
    ]
    rows = [f"{photo_name(case)}, faces: {case['plain']['faces']}" for case in cases]
    return Figure(drawn(rows, panels), "Time, memory and likeness of each method of hiding, for 24 photos")


def photo_name(case: Case) -> str:
    """The size of a photo and how its colours are sampled."""
    return f"{case['plain']['megapixels']} MP {case['plain']['sampling']}"


def memory_ratio(case: Case, method: str) -> float:
    """The memory that a method takes, as a multiple of plain's."""
    megabytes: float = case[method]["megabytes"] / case["plain"]["megabytes"]
    return megabytes


if __name__ == "__main__":
    sys.exit(main())
