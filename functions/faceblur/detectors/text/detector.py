"""The embedded detector of text and number plates: a network that finds lines of text, and one that reads them."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from faceblur.detectors.base import Detection, DetectionPass
from faceblur.detectors.embedded.detector import opened
from faceblur.detectors.text.characters import is_no_plate
from faceblur.detectors.text.lines import boxes_of
from faceblur.detectors.text.network import text_network
from faceblur.detectors.text.plates import wanted_among
from faceblur.detectors.text.reading import reading_network
from faceblur.detectors.text.regions import holds_a_side, lines_in
from faceblur.detectors.warnings import WarningCode
from faceblur.geometry import Rectangle, merge_lines
from faceblur.photo.decode import inspect

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from faceblur.detectors.base import StoredPhoto
    from faceblur.detectors.text.lines import Line
    from faceblur.limits import Kind

# The longer side, in pixels, at which the whole photo is seen. A check sees it at another scale, which gives it other
# blind spots.
LONG_SIDE = {DetectionPass.FIRST: 960, DetectionPass.CHECK: 736}
TILED = 1920  # pixels; a photo with a longer side than this is also seen in tiles, at its own size
OVERLAP = 128  # pixels; smaller lines are shown uncropped by one tile
# Lines that are higher than this share of a tile's side are found only in the whole photo, which shows more of them. In
# a tile, such a high region is often a part of the sky.
HIGHEST_IN_TILE = 1 / 3
MARGIN = 32  # pixels; this is enough to tell a line that was cropped tightly from a plain surface
MOST_ENLARGED = 1.5  # times
# The scores (0…1) that stand for the default confidence of 50. The network is surer of the letters of a plate than of
# texture.
LIKELY, CLEAR_PLATE = 0.6, 0.75
LEAST = 0.3  # a score below this is noise
# The mean probability of its characters from which a line counts as surely read. Drawn plates in alphabets that the
# network does not know were read as words of small letters, with at most 0.91.
SURE = 0.92
MOST_READ = 60  # lines, which take about a second of a processor; the others count as plates
NEAR_LIMIT = 20  # pixels, as the network sees them; the letters of such a line are about 6 pixels high


class EmbeddedTextDetector:
    """PP-OCRv6's networks under onnxruntime, on the processors of this machine."""

    def __init__(self, kinds: Collection[Kind]) -> None:
        """Find these kinds: plates, text or both. With `text`, a plate is still called a plate if both are wanted."""
        self.kinds = kinds

    def detect(self, photo: StoredPhoto, min_confidence: float, detection_pass: DetectionPass) -> Detection:
        """The plates and texts of at least this confidence (0…100). Raises the errors of `decode.inspect`."""
        picture, warnings = opened(photo, detection_pass)
        long_side = LONG_SIDE[detection_pass]
        lines = lines_of(picture, long_side)
        versions = [text_network().version]

        def may_be_plates(candidates: Sequence[Line]) -> list[bool]:
            if not candidates:  # the second network is loaded only if there is something to read
                return []
            versions.append(reading_network().version)
            return plates_by_characters(picture, candidates)

        boxes = wanted_among(lines, picture.size, self.kinds, min_confidence, CONFIDENCES, may_be_plates)
        least = NEAR_LIMIT / best_scale(picture, long_side)
        if is_reduced(picture, photo) or any(box.height * picture.height < least for box in boxes):
            warnings.append(WarningCode.NEAR_SIZE_LIMIT)
        return Detection(boxes, "embedded", " ".join(versions), calls=0, warnings=sorted(warnings))


def lines_of(picture: Image.Image, long_side: int) -> list[Line]:
    """The lines of text of a picture, in its pixels: those of the whole, and of the tiles of a large picture."""
    whole = Rectangle(0, 0, *picture.size)
    found = seen(picture, whole, scale_of_picture(picture, long_side))
    if max(picture.size) > TILED:
        columns, rows = (ceil(side / long_side) for side in picture.size)
        tiles = [tile.clip(picture.size) for tile in whole.tiles(columns, rows, OVERLAP)]
        found += [
            line for tile in tiles for line in seen(picture, tile, 1) if line.short <= HIGHEST_IN_TILE * long_side
        ]
    return each_once(found, picture.size)


def plates_by_characters(picture: Image.Image, lines: Sequence[Line]) -> list[bool]:
    """Whether the characters of each of these lines, the surest first, may be a plate's."""
    read = [not is_no_plate(reading_network().read(picture, line), SURE) for line in lines[:MOST_READ]]
    return read + [True] * len(lines[MOST_READ:])


def scale_of_picture(picture: Image.Image, long_side: int) -> float:
    """The scale at which the whole picture is seen."""
    return min(long_side / max(picture.size), MOST_ENLARGED)


def best_scale(picture: Image.Image, long_side: int) -> float:
    """The largest scale at which a part of the picture is seen."""
    return 1.0 if max(picture.size) > TILED else scale_of_picture(picture, long_side)


def is_reduced(picture: Image.Image, photo: StoredPhoto) -> bool:
    """Whether the picture that is searched is smaller than the photo."""
    header = inspect(photo.data)
    return max(picture.size) < max(header.width, header.height)


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
        for line in lines_shown(shown)
    ]


def lines_shown(shown: Image.Image) -> list[Line]:
    """The lines in what the network is shown.

    A line that holds a whole side is a plain surface, or a text that was cropped tightly. With a margin that repeats
    the pixels of the edge, a surface reaches to the margin's sides, and a text does not.
    """
    lines = lines_in(text_network().probability(shown), LEAST)
    inside = [line for line in lines if not holds_a_side(line, shown.size)]
    if len(inside) == len(lines):
        return lines
    wider = Image.fromarray(np.pad(np.asarray(shown), ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)), "edge"))
    again = lines_in(text_network().probability(wider), LEAST)
    within = [line for line in again if not holds_a_side(line, wider.size)]
    return inside + [replace(line, x=line.x - MARGIN, y=line.y - MARGIN) for line in within]


def each_once(lines: list[Line], size: tuple[int, int]) -> list[Line]:
    """The lines, without those that a tile found again."""
    by_box = {box: line for line in lines for box in boxes_of([line], size, "text", confidence_of)}
    return [by_box[box] for box in merge_lines(by_box)]


def confidence_of(score: float, likely: float = LIKELY) -> float:
    """The confidence (0…100) of a score (0…1); that of the score `likely` is 50."""
    return 50 * score / likely if score < likely else 50 + 50 * (score - likely) / (1 - likely)


CONFIDENCES: dict[Kind, Callable[[float], float]] = {
    "text": confidence_of,
    "plate": lambda score: confidence_of(score, CLEAR_PLATE),
}
