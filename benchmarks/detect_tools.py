"""The tools that detect.py compares: `detect_tools.py TOOL FOLDER` finds the faces in all photos of a folder.

A tool may have a number, as in `faceblur@25`, which is its `min_confidence`.

The result is the file `TOOL.json` in the folder. It has, for each photo, the boxes (left, top, right, bottom in pixels
of the upright photo) and the processor seconds, and the peak memory of the process in MB.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageOps

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.pictures.scenes import Corners

    Finder = Callable[[Path], tuple[list[Corners], float]]

EXHAUSTIVE_SCORE = 0.35  # the score at which CenterFace finds most without a false alarm on pictures without people


def faceblur(min_confidence: float = 50) -> Finder:
    """This project's embedded detector, from the file to the boxes."""
    from faceblur.detectors.base import DetectionPass, StoredPhoto
    from faceblur.detectors.embedded.detector import EmbeddedDetector

    def find(path: Path) -> tuple[list[Corners], float]:
        started = time.process_time()
        found = EmbeddedDetector().detect(StoredPhoto(path.read_bytes(), "", ""), min_confidence, DetectionPass.FIRST)
        seconds = time.process_time() - started
        width, height = ImageOps.exif_transpose(Image.open(path)).size
        return [
            (box.left * width, box.top * height, box.right * width, box.bottom * height) for box in found.boxes
        ], seconds

    return find


def deface() -> Finder:
    """The installed deface with its defaults, under onnxruntime; its inference alone, not the reading of the file."""
    import imageio.v2 as iio
    from deface.centerface import CenterFace

    centerface = CenterFace()

    def find(path: Path) -> tuple[list[Corners], float]:
        picture = iio.imread(path)
        started = time.process_time()
        found, _ = centerface(picture, threshold=0.2)
        return [tuple(map(float, box[:4])) for box in found], time.process_time() - started

    return find


def cascade() -> Finder:
    """OpenCV's cascade of Haar features with its defaults; its detection alone, not the reading of the file."""
    import cv2

    classifier = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")

    def find(path: Path) -> tuple[list[Corners], float]:
        picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        started = time.process_time()
        found = classifier.detectMultiScale(picture)
        seconds = time.process_time() - started
        return [(float(x), float(y), float(x + w), float(y + h)) for x, y, w, h in found], seconds

    return find


def exhaustive() -> Finder:
    """CenterFace on tiles of the photo at twice its size, and once on the reduced photo."""
    from faceblur.detectors.embedded.candidates import joined, suppress
    from faceblur.detectors.embedded.centerface import centerface
    from faceblur.detectors.embedded.tiling import OVERLAP, scan, tile_of, tiles_of
    from faceblur.geometry import Rectangle
    from faceblur.photo import decode

    def find(path: Path) -> tuple[list[Corners], float]:
        started = time.process_time()
        picture = decode.load_for_detection(path.read_bytes(), None)
        network = centerface()
        whole = tile_of(Rectangle(0, 0, *picture.size), min(1.0, 1280 / max(picture.size)), picture.size)
        views = tiles_of(picture.size, 2.0, network.largest_block), [whole]
        found = [scan(network, picture, tiles, EXHAUSTIVE_SCORE) for tiles in views]
        boxes = suppress(joined(found), OVERLAP)[:, :4]
        return [tuple(box) for box in boxes.tolist()], time.process_time() - started

    return find


FINDERS = {finder.__name__: finder for finder in (faceblur, deface, cascade, exhaustive)}


def main(tool: str, folder: Path) -> None:
    """Find the faces in all photos, after an empty one, so that no network is loaded in the measured time."""
    name, *confidence = tool.split("@")
    find = FINDERS[name](*map(float, confidence))
    photos = sorted(folder.glob("*.jpg"))
    nothing = folder / "nothing.png"
    Image.new("RGB", (256, 256)).save(nothing)
    find(nothing)
    found = {photo.name: find(photo) for photo in photos}
    # The peak that getrusage gives includes the parent process from before this one was started.
    status = Path("/proc/self/status").read_text()
    megabytes = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1000
    (folder / f"{tool}.json").write_text(json.dumps({"found": found, "megabytes": megabytes}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
