"""The embedded detector of text and number plates: one network that runs inside the function."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING

from PIL import Image

from faceblur.detectors.base import Detection, DetectionPass
from faceblur.detectors.embedded.detector import opened
from faceblur.detectors.text.lines import boxes_of
from faceblur.detectors.text.network import text_network
from faceblur.detectors.text.plates import wanted_among
from faceblur.detectors.text.regions import lines_in
from faceblur.geometry import Rectangle, merge_lines

if TYPE_CHECKING:
    from collections.abc import Collection

    from faceblur.detectors.base import StoredPhoto
    from faceblur.detectors.text.lines import Line
    from faceblur.limits import Kind

# The longer side, in pixels, at which the whole photo is seen. A check sees it at another scale, which gives it other
# blind spots.
LONG_SIDE = {DetectionPass.FIRST: 960, DetectionPass.CHECK: 736}
TILED = 1920  # pixels; a photo with a longer side than this is also seen in tiles, at its own size
OVERLAP = 128  # pixels; smaller lines are shown uncropped by one tile
MOST_ENLARGED = 1.5  # times
# The score (0…1) that stands for the default confidence of 50.
LIKELY = 0.6
LEAST = 0.3  # a score below this is noise
CLEAR_PLATE = 0.75  # the network is surer of the letters of a plate than of texture


class EmbeddedTextDetector:
    """PP-OCRv6 under onnxruntime, on the processors of this machine."""

    def __init__(self, kinds: Collection[Kind]) -> None:
        """Find these kinds: plates, text or both. With `text`, a plate is still called a plate if both are wanted."""
        self.kinds = kinds

    def detect(self, photo: StoredPhoto, min_confidence: float, detection_pass: DetectionPass) -> Detection:
        """The plates and texts of at least this confidence (0…100). Raises the errors of `decode.inspect`."""
        picture, warnings = opened(photo, detection_pass)
        lines = lines_of(picture, LONG_SIDE[detection_pass])
        found = wanted_among(lines, picture.size, self.kinds, confidence_of, CLEAR_PLATE)
        boxes = [box for box in found if box.confidence >= min_confidence]
        return Detection(boxes, "embedded", text_network().version, calls=0, warnings=sorted(warnings))


def lines_of(picture: Image.Image, long_side: int) -> list[Line]:
    """The lines of text of a picture, in its pixels: those of the whole, and of the tiles of a large picture."""
    whole = Rectangle(0, 0, *picture.size)
    scale = min(long_side / max(picture.size), MOST_ENLARGED)
    found = seen(picture, whole, scale)
    if max(picture.size) > TILED:
        columns, rows = (ceil(side / long_side) for side in picture.size)
        tiles = whole.tiles(columns, rows, OVERLAP)
        found += [line for tile in tiles for line in seen(picture, tile.clip(picture.size), 1)]
    return each_once(found, picture.size)


def seen(picture: Image.Image, area: Rectangle, scale: float) -> list[Line]:
    """The lines in an area that the network sees at this scale, in pixels of the picture."""
    size = max(1, round(area.size[0] * scale)), max(1, round(area.size[1] * scale))
    shown = picture.resize(size, Image.Resampling.BILINEAR, area, reducing_gap=2)
    return [
        replace(
            line,
            x=area.left + line.x / scale,
            y=area.top + line.y / scale,
            long=line.long / scale,
            short=line.short / scale,
        )
        for line in lines_in(text_network().probability(shown), LEAST)
    ]


def each_once(lines: list[Line], size: tuple[int, int]) -> list[Line]:
    """The lines, without those that a tile found again."""
    by_box = {box: line for line in lines for box in boxes_of([line], size, "text", confidence_of)}
    return [by_box[box] for box in merge_lines(by_box)]


def confidence_of(score: float) -> float:
    """The confidence (0…100) of a score (0…1); LIKELY is 50."""
    return 50 * score / LIKELY if score < LIKELY else 50 + 50 * (score - LIKELY) / (1 - LIKELY)
