"""The peak memory of each function's work, for the largest photos of every format, with and without transparency.

Each measurement has a process of its own, in which a large JPEG was worked on before.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pillow_heif
from PIL import Image

from benchmarks.report import at_most, publish
from faceblur.limits import MAX_PIXELS, MAX_PIXELS_LOSSLESS_WEBP, MAX_PIXELS_WRITTEN
from tests.support.bad_files.trial import MEMORY_MB
from tests.support.pictures import photos

if TYPE_CHECKING:
    from collections.abc import Sequence

RUNTIME_MB = 150  # of a function's memory, for Lambda's runtime and what a handler imports beside the image code
# The work of `one_task.py` by the function that does it.
WORK = {
    "detect, embedded": "detect_embedded",
    "detect, Rekognition": "detect_rekognition",
    "draw_preview": "preview",
    "hide": "hide",
}
# How transparency is used: not at all, over a picture with colours, or to draw the picture on one colour.
OPAQUE, TRANSPARENT, DRAWN = "", ", transparent", ", drawn by transparency"


class Case(NamedTuple):
    """A photo: its format, its number of pixels, how it uses transparency, and how it is encoded."""

    name: str
    pixels: int
    alpha: str
    options: dict[str, Any]

    @property
    def format(self) -> str:
        """Pillow's name of the format."""
        return self.name.split()[0]


LOSSLESS = {"lossless": True, "quality": 0, "method": 0}
CASES = [
    Case("JPEG 4:4:4", MAX_PIXELS, OPAQUE, {"quality": 80, "subsampling": 0}),
    Case("PNG", MAX_PIXELS, OPAQUE, {"compress_level": 1}),
    Case("PNG", MAX_PIXELS, DRAWN, {"compress_level": 1}),
    Case("WEBP", MAX_PIXELS, OPAQUE, {"quality": 60, "method": 0}),
    Case("WEBP", MAX_PIXELS_WRITTEN["WEBP", True], TRANSPARENT, {"quality": 60, "method": 0}),
    Case("WEBP without loss", MAX_PIXELS_LOSSLESS_WEBP, OPAQUE, LOSSLESS),
    Case("WEBP without loss", MAX_PIXELS_LOSSLESS_WEBP, TRANSPARENT, LOSSLESS),
    Case("AVIF", MAX_PIXELS_WRITTEN["AVIF", False], OPAQUE, {"speed": 10}),
    Case("AVIF", MAX_PIXELS_WRITTEN["AVIF", True], TRANSPARENT, {"speed": 10}),
    Case("HEIF", MAX_PIXELS, OPAQUE, {"quality": 40, "enc_params": {}}),
    Case("HEIF", MAX_PIXELS, TRANSPARENT, {"quality": 40, "enc_params": {}}),
    Case("TIFF", MAX_PIXELS, TRANSPARENT, {"compression": "tiff_adobe_deflate"}),
]
# Photos that can be read but not written in their own format.
ONLY_READ = [
    Case("WEBP", MAX_PIXELS, TRANSPARENT, {"quality": 60, "method": 0}),
    Case("AVIF", MAX_PIXELS, TRANSPARENT, {"speed": 10}),
]


def street(megapixels: float, ratio: float, alpha: str) -> Image.Image:
    """A picture of this width ÷ height, of repeated pixels, so that its file is small enough to be accepted."""
    height = int((megapixels * 1e6 / ratio) ** 0.5)  # not above the limit
    picture = photos.street_pixels().copy()  # the original is shared
    light = picture.convert("L")
    if alpha == DRAWN:
        picture = Image.new("RGB", picture.size)
    if alpha:
        picture.putalpha(light if alpha == DRAWN else light.point([200] * 128 + [255] * 128))
    return picture.resize((round(height * ratio), height), Image.Resampling.NEAREST)


def peak(work: str, photo: Path, earlier: Path) -> float | None:
    """The peak in MB of a process that does this work; None if the photo is refused as too large."""
    command = [sys.executable, "-m", "benchmarks.one_task", work, str(photo), "same", str(earlier)]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.decode()
    return None if printed == "-" else float(printed)


def measured(cases: Sequence[Case]) -> list[dict[str, Any]]:
    """A row for each photo, with the peak of each function."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        photo, earlier = Path(folder) / "photo", Path(folder) / "earlier"
        earlier.write_bytes(photos.encoded(street(100, 1, OPAQUE), "JPEG", quality=80, subsampling=0))
        for case in cases:
            sys.stderr.write(f"memory, {case.name}{case.alpha}\n")
            megapixels = case.pixels // 1_000_000
            photo.write_bytes(photos.encoded(street(megapixels, 1, case.alpha), case.format, **case.options))
            peaks = {f"{name}, MB": peak(work, photo, earlier) for name, work in WORK.items()}
            rows.append({"photo": case.name + case.alpha, "megapixels": megapixels} | peaks)
    return rows


def main() -> int:
    """Measure and publish; gives the exit code, 1 if a peak exceeds a function's memory."""
    pillow_heif.register_heif_opener()
    written = measured(CASES)
    rows = written + measured(ONLY_READ)
    goals = [
        at_most(
            f"peak MB of {name}, any format", max(row[f"{name}, MB"] or 0 for row in rows), MEMORY_MB[name] - RUNTIME_MB
        )
        for name in WORK
    ]
    return publish("memory", rows, goals, written)


if __name__ == "__main__":
    sys.exit(main())
