"""How long hiding faces takes, how much memory, and what it does to the rest of the photo, beside other ways.

Each way is run in processes of its own, in turns, so that whatever else the machine does hits all of them. Of the runs
of a round the least counts; two ways are compared round by round, and the median of these ratios counts. The memory is
the least that the work adds to a process that has everything imported.
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
import photos
import pillow_heif
from PIL import Image
from report import at_least, at_most, publish
from ways import WAYS

from faceblur.geometry import Box
from faceblur.photo import painting
from faceblur.photo.styles import Region, Style

if TYPE_CHECKING:
    from collections.abc import Sequence

MEGAPIXELS = (2, 12, 24, 48)
FACES = {1: 10, 5: 14, 20: 24}  # how many, and how many times as long the photo is as a face is wide
SAMPLINGS = {"4:2:0": 2, "4:4:4": 0}
QUALITY = 90
GRAIN = 4  # standard deviation, of 255 levels
ROUNDS = 7  # of the ways that the goals are about; the others have one
PIXELS_A_ROUND = 24  # megapixels that a process works on in each, at least twice

# The largest photos of each format that are taken, and how they are encoded.
FORMATS: list[tuple[str, int, dict[str, Any]]] = [
    ("JPEG 4:2:0", 100, {"quality": 90}),
    ("JPEG 4:4:4", 100, {"quality": 85, "subsampling": 0}),
    ("PNG", 100, {"compress_level": 3}),
    ("WEBP", 100, {"quality": 70, "method": 2}),
    ("AVIF", 64, {"speed": 10}),
    ("HEIF", 100, {"quality": 50}),
    ("TIFF", 100, {"compression": "tiff_adobe_deflate"}),
    ("BMP", 11, {}),
]
# Photos that a function may have had before, after which it holds most: megapixels, how many times as wide as high, and
# sampling.
EARLIER = [(12, 4 / 3, 2), (100, 1, 0), (97, 43, 0), (24, 3 / 2, 2), (98, 4, 0), (81, 1, 2)]
BLUR_FACES_MB = 3008  # the function's memory, of which Lambda's runtime and what it imports take some
RUNTIME_MB = 150


def photo_of(megapixels: int, faces: int, subsampling: int) -> tuple[bytes, list[list[float]]]:
    """A photo of a street with grain as a camera gives it, with so many faces, and their boxes."""
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


def run(
    way: str, photo: bytes, boxes: list[list[float]], times: int, earlier: Sequence[bytes] = ()
) -> tuple[dict[str, Any], bytes]:
    """What a way takes, in a process of its own that has done the earlier photos, and its result."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "photo").write_bytes(photo)
        for number, each in enumerate(earlier):
            (Path(folder) / f"earlier-{number}").write_bytes(each)
        (Path(folder) / "boxes.json").write_text(json.dumps(boxes))
        command = [sys.executable, str(Path(__file__).with_name("ways.py")), way, folder, str(times)]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
        return json.loads(printed), (Path(folder) / way).read_bytes()


def measured(megapixels: int, faces: int, sampling: str) -> dict[str, dict[str, Any]]:
    """One photo in every way."""
    sys.stderr.write(f"{megapixels} megapixels, {faces} faces, {sampling}\n")
    photo, boxes = photo_of(megapixels, faces, SAMPLINGS[sampling])
    taken: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    results = {}
    times = max(2, PIXELS_A_ROUND // megapixels)
    for number in range(ROUNDS):
        for way in WAYS if number == 0 else ("plain", "faceblur", "recipe"):
            of_this, results[way] = run(way, photo, boxes, times)
            taken[way].append(of_this)
    return {
        way: {"megapixels": megapixels, "faces": faces, "sampling": sampling, "way": way}
        | {unit: [round(min(run[unit] for run in of["runs"]), 4) for of in rounds] for unit in ("cpu", "wall")}
        | {"megabytes": round(min(of["added"] for of in rounds), 1)}
        | {"psnr": round(outside(photo, results[way], boxes), 1)}
        for way, rounds in taken.items()
    }


def ratio(case: dict[str, dict[str, Any]], unit: str, way: str, to: str) -> float:
    """What a way takes of what another does, by the median of the rounds that both had."""
    return median(one / other for one, other in zip(case[way][unit], case[to][unit], strict=False))


def memory() -> int:
    """The memory that hiding faces takes by format, and whether it stays below what the function has."""
    pillow_heif.register_heif_opener()
    earlier = [enlarged_street(*size, "JPEG", subsampling=sampling) for *size, sampling in EARLIER]
    rows = []
    for name, megapixels, options in FORMATS:
        sys.stderr.write(f"memory, {name}\n")
        photo = enlarged_street(megapixels, 1, name.split()[0], **options)
        fresh, warm = (run("faceblur", photo, [[0.4, 0.4, 0.2, 0.2]], 0, done)[0] for done in ((), earlier))
        rows.append(
            {"photo": name, "megapixels": megapixels, "MB a megapixel": round(fresh["added"] / megapixels, 1)}
            | {"peak MB": round(fresh["peak"]), "after others, peak MB": round(warm["peak"])}
        )
    bound = BLUR_FACES_MB - RUNTIME_MB
    goals = [at_most("peak MB of any format, after others", max(row["after others, peak MB"] for row in rows), bound)]
    return publish("memory", rows, goals, rows)


def enlarged_street(megapixels: float, ratio: float, format_: str, **options: Any) -> bytes:
    """A photo so many times as wide as high, of repeated pixels, so that the file is as small as what is taken."""
    height = round((megapixels * 1e6 / ratio) ** 0.5)
    street = photos.street_pixels().resize((round(height * ratio), height), Image.Resampling.NEAREST)
    return photos.encoded(street, format_, **options)


def main() -> int:
    """Measure everything, and say whether the goals hold."""
    missed = memory()
    cases = [
        measured(megapixels, faces, sampling) for megapixels in MEGAPIXELS for faces in FACES for sampling in SAMPLINGS
    ]
    shown = [
        {"photo": f"{case['plain']['megapixels']} MP {case['plain']['sampling']}", "faces": case["plain"]["faces"]}
        | {"plain, CPU s": median(case["plain"]["cpu"])}
        | {f"{way}, CPU": ratio(case, "cpu", way, "plain") for way in WAYS if way != "plain"}
        | {"plain, wall s": median(case["plain"]["wall"])}
        | {f"{way}, wall": ratio(case, "wall", way, "plain") for way in WAYS if way != "plain"}
        | {"plain, MB": case["plain"]["megabytes"]}
        | {f"{way}, memory": case[way]["megabytes"] / case["plain"]["megabytes"] for way in WAYS if way != "plain"}
        | {f"{way}, dB": case[way]["psnr"] for way in WAYS}
        for case in cases
    ]
    large = [case for case in cases if case["plain"]["megapixels"] >= 12 and case["plain"]["faces"] <= 5]

    goals = [
        at_most(
            "CPU ÷ decode and encode, ≥ 12 megapixels and ≤ 5 faces",
            max(ratio(case, "cpu", "faceblur", "plain") for case in large),
            1.1,
        ),
        at_most("CPU ÷ the simple recipe", max(ratio(case, "cpu", "faceblur", "recipe") for case in cases), 1.0),
        at_least("PSNR outside the faces, dB", min(case["faceblur"]["psnr"] for case in cases), 55),
        at_most(
            "memory ÷ decode and encode",
            max(case["faceblur"]["megabytes"] / case["plain"]["megabytes"] for case in cases),
            1.2,
        ),
    ]
    return publish("blur", [row for case in cases for row in case.values()], goals, shown) or missed


if __name__ == "__main__":
    sys.exit(main())
