"""Finds faces that are not upright. Both networks know only upright faces, so they get the photo in other rotations.

YuNet gets the reduced photo in three rotations. It tells where a turned face may be, but often not its roll. CenterFace
gets a crop around each of these hints, rotated by the roll that YuNet estimated. If it finds no face, it gets the crop
in eight rotations at a small size, and then in the two best rotations at a larger size.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from faceblur.detectors.embedded.candidates import ROLL, SCORE, centres, have_centre_in, joined, suppress, widths
from faceblur.detectors.embedded.tiling import OVERLAP, find_in_batches, scan, tiles_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from faceblur.detectors.embedded.candidates import Floats
    from faceblur.detectors.embedded.network import Network

LONG_SIDE, SCALE = 800, 0.5  # the reduced photo has at most this longer side (pixels) and this scale
QUARTERS = {1: Image.Transpose.ROTATE_90, 2: Image.Transpose.ROTATE_180, 3: Image.Transpose.ROTATE_270}
HINT = 0.25  # YuNet's score from which a candidate is a hint
HINTS = 5  # the best hints that are followed, per megapixel of the photo
FEWEST = 2  # the hints that are followed in a small photo
LIKELY_TURNED = 0.35  # CenterFace's score of a large crop that corresponds to the default confidence
POSSIBLE = 0.08  # CenterFace's score of a small crop above which a large crop follows
NOISE = 0.02  # a candidate below this score is noise
BEST = 2  # rotations that are tried at the larger size


@dataclass(frozen=True, slots=True)
class Crop:
    """A square crop around a possible face: its side, and the width of the face in it, in pixels."""

    side: int
    face: int


SMALL, LARGE = Crop(32, 16), Crop(64, 28)
ROLLS = np.arange(0, 360, 45)  # degrees clockwise


def find_turned_faces(centerface: Network, yunet: Network, picture: Image.Image, upright: Floats) -> Floats:
    """The candidates for turned faces, with CenterFace's scores. Hints at the known upright faces are skipped."""
    hints = turned_hints(yunet, picture)
    most = max(FEWEST, ceil(HINTS * picture.width * picture.height / 1e6))
    hints = hints[~have_centre_in(hints, upright)][:most]
    estimated = hints[:, ROLL, None].round().astype(int)
    found = best_of(hints, estimated, scores_in_crops(centerface, picture, hints, LARGE, estimated))
    unsure = np.flatnonzero(found[:, SCORE] < LIKELY_TURNED)
    all_rolls = np.tile(ROLLS, (len(unsure), 1))
    rough = scores_in_crops(centerface, picture, found[unsure], SMALL, all_rolls)
    possible = rough.max(axis=1, initial=0) > POSSIBLE
    again = found[unsure[possible]]
    best_rolls = ROLLS[np.argsort(-rough[possible], axis=1)[:, :BEST]]
    found[unsure[possible]] = best_of(again, best_rolls, scores_in_crops(centerface, picture, again, LARGE, best_rolls))
    return found


def best_of(hints: Floats, rolls: NDArray[np.int_], scores: Floats) -> Floats:
    """The hints [n, 6] with the best of their scores [n, k], and with the roll [n, k] that gave it."""
    best = scores.argmax(axis=1)[:, None]
    found = hints.copy()
    found[:, SCORE] = np.take_along_axis(scores, best, axis=1)[:, 0]
    found[:, ROLL] = np.take_along_axis(rolls, best, axis=1)[:, 0]
    return found


def turned_hints(yunet: Network, picture: Image.Image) -> Floats:
    """YuNet's candidates in the rotated picture, best first, in pixels of the picture."""
    scale = min(SCALE, LONG_SIDE / max(picture.size))
    width, height = (max(1, round(side * scale)) for side in picture.size)
    reduced = picture.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2)
    hints = suppress(joined([find_rotated(yunet, reduced, quarters) for quarters in QUARTERS]), OVERLAP)
    hints[:, :4] *= np.tile(picture.size, 2) / np.tile(reduced.size, 2)
    return hints


def find_rotated(yunet: Network, picture: Image.Image, quarters: int) -> Floats:
    """YuNet's candidates in the picture rotated anticlockwise by 1…3 quarters, in pixels of the unrotated picture."""
    rotated = picture.transpose(QUARTERS[quarters])
    found = scan(yunet, rotated, tiles_of(rotated.size, 1.0, LONG_SIDE), HINT)  # one tile shows all of it
    width, height = picture.size
    left, top, right, bottom = found.T[:4].copy()
    corners = {
        1: (width - bottom, left, width - top, right),
        2: (width - right, height - bottom, width - left, height - top),
        3: (top, height - right, bottom, height - left),
    }
    found[:, :4] = np.stack(corners[quarters], axis=1)
    found[:, ROLL] += 90 * quarters
    return found


def scores_in_crops(
    network: Network, picture: Image.Image, hints: Floats, crop: Crop, rolls: NDArray[np.int_]
) -> Floats:
    """The network's scores [n, k] for the crops around the hints [n, 6], each rotated by its rolls [n, k]."""
    pictures = [turned for hint, each in zip(hints, rolls, strict=True) for turned in crops(picture, hint, crop, each)]
    scores = [score_in_the_middle(found, crop) for found in find_in_batches(network, pictures, NOISE)]
    return np.array(scores, np.float32).reshape(rolls.shape)


def score_in_the_middle(found: Floats, crop: Crop) -> float:
    """The highest score of the candidates that contain the middle of a crop; 0 if there is none."""
    middle = crop.side / 2
    contains = (found[:, :2] < middle).all(axis=1) & (found[:, 2:4] > middle).all(axis=1)
    return float(found[contains, SCORE].max(initial=0))


def crops(picture: Image.Image, hint: Floats, crop: Crop, rolls: NDArray[np.int_]) -> Iterator[Image.Image]:
    """The crops around a hint in which a face with each of these rolls is upright; black outside the picture."""
    x, y = centres(hint[None])[0].tolist()
    reach = float(widths(hint[None])[0]) * crop.side / crop.face / 2 * sqrt(2)
    side = round(crop.side * sqrt(2))
    shown = square_around(picture, x, y, reach, side)
    margin = (side - crop.side) // 2
    for roll in rolls.tolist():
        turned = shown.rotate(roll, Image.Resampling.BILINEAR)
        yield turned.crop((margin, margin, margin + crop.side, margin + crop.side))


def square_around(picture: Image.Image, x: float, y: float, reach: float, side: int) -> Image.Image:
    """The square around (x, y) that extends by `reach` pixels in each direction, resized to `side` pixels.

    Only the part inside the picture is resized, because the square may be many times larger.
    """
    left, top = max(x - reach, 0), max(y - reach, 0)
    right, bottom = min(x + reach, picture.width), min(y + reach, picture.height)
    scale = side / (2 * reach)
    size = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
    part = picture.resize(size, Image.Resampling.BILINEAR, (left, top, right, bottom), reducing_gap=2)
    square = Image.new(picture.mode, (side, side))
    square.paste(part, (round((left - x + reach) * scale), round((top - y + reach) * scale)))
    return square
