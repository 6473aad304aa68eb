"""The methods of hiding that blur.py compares; `hiding_methods.py METHOD FOLDER TIMES` runs one and prints its cost.

The folder has `photo` and `boxes.json`. The result is written to the file METHOD. A method is a function of the photo's
file and the faces' boxes, [left, top, width, height] in fractions of the photo, and gives the result's file.
"""

from __future__ import annotations

import json
import sys
import time
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageFilter

if TYPE_CHECKING:
    from collections.abc import Callable

    Boxes = list[list[float]]

Image.MAX_IMAGE_PIXELS = None


def faceblur(photo: bytes, boxes: Boxes) -> bytes:
    """This project's hiding. It is imported here because it configures Pillow, which the others must not see."""
    from faceblur.geometry import Box
    from faceblur.photo.hide import hide_regions
    from faceblur.photo.styles import Region, Style

    return hide_regions(photo, [Region(Box(*box, 99.0), Style()) for box in boxes]).data


def plain(photo: bytes, _: Boxes) -> bytes:
    """Decode and encode with the same tables and subsampling: the least work of any tool that changes pixels."""
    image = Image.open(BytesIO(photo))
    image.load()  # Pillow would save a copy of a picture that is not loaded
    file = BytesIO()
    image.save(file, "JPEG", quality="keep")
    return file.getvalue()


def recipe(photo: bytes, boxes: Boxes) -> bytes:
    """What most projects do, but saved with the photo's own tables and subsampling."""
    image = Image.open(BytesIO(photo))
    for box in in_pixels(boxes, image.size):
        image.paste(image.crop(box).filter(ImageFilter.GaussianBlur(50)), box)
    file = BytesIO()
    image.save(file, "JPEG", quality="keep")
    return file.getvalue()


def opencv(photo: bytes, boxes: Boxes) -> bytes:
    """The recipe with OpenCV, as its tutorials do."""
    import cv2
    import numpy as np

    image = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR)
    for left, top, right, bottom in in_pixels(boxes, image.shape[1::-1]):
        image[top:bottom, left:right] = cv2.GaussianBlur(image[top:bottom, left:right], (99, 99), 30)
    return bytes(cv2.imencode(".jpg", image)[1])


def deface(photo: bytes, boxes: Boxes) -> bytes:
    """How the program deface reads, draws and writes, at its defaults."""
    import imageio.v2 as imageio
    import numpy as np
    from deface.deface import anonymize_frame

    frame = imageio.imread(BytesIO(photo))
    found = np.array([[*box, 1.0] for box in in_pixels(boxes, frame.shape[1::-1])])
    anonymize_frame(found, frame, 1.3, "blur", ellipse=True, draw_scores=False, replaceimg=None, mosaicsize=20)
    file = BytesIO()
    imageio.imsave(file, frame, format="jpg")
    return file.getvalue()


def in_pixels(boxes: Boxes, size: tuple[int, int]) -> list[tuple[int, int, int, int]]:
    """The boxes as left, top, right, bottom in pixels."""
    width, height = size
    return [
        (int(left * width), int(top * height), int((left + across) * width), int((top + down) * height))
        for left, top, across, down in boxes
    ]


def megabytes(of: str) -> float:
    """This process's memory now (VmRSS), or its peak since the last reset (VmHWM)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(of)) / 1024


METHODS: dict[str, Callable[[bytes, Boxes], bytes]] = {
    method.__name__: method for method in (plain, faceblur, recipe, opencv, deface)
}


def main(method: str, folder: Path, times: int) -> None:
    """Hide the faces once, then several times more, as a long-lived process does, and print what it took.

    `added` is the memory in MB that the first time adds to the process with everything imported. `runs` are the
    processor and clock seconds of the later times.
    """
    photo, boxes = (folder / "photo").read_bytes(), json.loads((folder / "boxes.json").read_text())
    small = BytesIO()
    Image.new("RGB", (64, 64)).save(small, "JPEG")
    METHODS[method](small.getvalue(), [[0.3, 0.3, 0.3, 0.3]])

    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before = megabytes("VmRSS")
    (folder / method).write_bytes(METHODS[method](photo, boxes))
    peak = megabytes("VmHWM")
    runs = []
    for _ in range(times):
        cpu, wall = time.process_time(), time.perf_counter()
        METHODS[method](photo, boxes)
        runs.append({"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall})
    json.dump({"added": peak - before, "runs": runs}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
