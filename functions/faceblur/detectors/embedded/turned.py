"""Faces that are not upright. Both networks know upright faces only, so they are shown the photo in other turns.

YuNet sees the whole photo, made smaller, from its three other sides. It says where a turned face may be, but often not
how it is turned. CenterFace sees each such place turned as YuNet told. If that shows no face, it sees the place turned
in eight ways, small, and then larger in the two best ways.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from faceblur.detectors.embedded.candidates import ROLL, SCORE, centres, have_centre_in, joined, suppress, widths
from faceblur.detectors.embedded.tiling import OVERLAP, blocks_of, find_in_batches, scan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from faceblur.detectors.embedded.candidates import Floats
    from faceblur.detectors.embedded.network import Network

LONG_SIDE, SCALE = 800, 0.5  # what the photo is reduced to: this long side in pixels, and this scale at most
QUARTERS = {1: Image.Transpose.ROTATE_90, 2: Image.Transpose.ROTATE_180, 3: Image.Transpose.ROTATE_270}
HINT = 0.15  # YuNet's score that makes a place worth to be turned,
HINTS = 5  # if it is among so many a megapixel, the best,
FEWEST = 2  # or among so many of a small photo
LIKELY_TURNED = 0.35  # CenterFace's score, large, that stands for the default confidence
POSSIBLE = 0.08  # its score, small, in the best turn, that makes a place worth to be seen larger again
NOISE = 0.02
BEST = 2  # turns that are seen larger


@dataclass(frozen=True, slots=True)
class View:
    """A square picture of one possible face: its side, and the width of the face in it, in pixels."""

    side: int
    face: int


SMALL, LARGE = View(32, 16), View(64, 28)
TURNS = np.arange(0, 360, 45)  # degrees clockwise


def find_turned_faces(centerface: Network, yunet: Network, picture: Image.Image, upright: Floats) -> Floats:
    """The candidates for turned faces, apart from the upright faces that are known, with CenterFace's scores."""
    hints = turned_hints(yunet, picture)
    most = max(FEWEST, ceil(HINTS * picture.width * picture.height / 1e6))
    hints = hints[~have_centre_in(hints, upright)][:most]
    as_told = hints[:, ROLL, None].round().astype(int)
    found = best_of(hints, as_told, scores_in_views(centerface, picture, hints, LARGE, as_told))
    unsure = np.flatnonzero(found[:, SCORE] < LIKELY_TURNED)
    all_turns = np.tile(TURNS, (len(unsure), 1))
    rough = scores_in_views(centerface, picture, found[unsure], SMALL, all_turns)
    possible = rough.max(axis=1, initial=0) > POSSIBLE
    again = found[unsure[possible]]
    best_turns = TURNS[np.argsort(-rough[possible], axis=1)[:, :BEST]]
    found[unsure[possible]] = best_of(again, best_turns, scores_in_views(centerface, picture, again, LARGE, best_turns))
    return found


def best_of(hints: Floats, turns: NDArray[np.int_], scores: Floats) -> Floats:
    """The hints [n] with the best of their scores [n, k], and with the turn in which they have it."""
    best = scores.argmax(axis=1)[:, None]
    found = hints.copy()
    found[:, SCORE] = np.take_along_axis(scores, best, axis=1)[:, 0]
    found[:, ROLL] = np.take_along_axis(turns, best, axis=1)[:, 0]
    return found


def turned_hints(yunet: Network, picture: Image.Image) -> Floats:
    """What YuNet takes for faces when it sees the picture from its other sides, best first."""
    scale = min(SCALE, LONG_SIDE / max(picture.size))
    width, height = (max(1, round(side * scale)) for side in picture.size)
    reduced = picture.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2)
    hints = suppress(joined([seen_from(side, yunet, reduced) for side in QUARTERS]), OVERLAP)
    hints[:, :4] *= np.tile(picture.size, 2) / np.tile(reduced.size, 2)
    return hints


def seen_from(side: int, yunet: Network, picture: Image.Image) -> Floats:
    """YuNet's candidates in a picture turned to the left by so many quarters, as they lie in the picture itself."""
    turned = picture.transpose(QUARTERS[side])
    found = scan(yunet, turned, 1.0, blocks_of(turned.size, 1.0, LONG_SIDE), HINT)  # all of it in one tile
    width, height = picture.size
    left, top, right, bottom = found.T[:4].copy()
    corners = {
        1: (width - bottom, left, width - top, right),
        2: (width - right, height - bottom, width - left, height - top),
        3: (top, height - right, bottom, height - left),
    }
    found[:, :4] = np.stack(corners[side], axis=1)
    found[:, ROLL] += 90 * side
    return found


def scores_in_views(
    network: Network, picture: Image.Image, hints: Floats, view: View, turns: NDArray[np.int_]
) -> Floats:
    """The network's score for a face in the middle of each view: of each hint [n] in each of its turns [n, k]."""
    pictures = [turned for hint, each in zip(hints, turns, strict=True) for turned in views(picture, hint, view, each)]
    scores = [score_in_the_middle(found, view) for found in find_in_batches(network, pictures, NOISE)]
    return np.array(scores, np.float32).reshape(turns.shape)


def score_in_the_middle(found: Floats, view: View) -> float:
    """The highest score of the candidates that hold the middle of a view."""
    middle = view.side / 2
    holds = (found[:, :2] < middle).all(axis=1) & (found[:, 2:4] > middle).all(axis=1)
    return float(found[holds, SCORE].max(initial=0))


def views(picture: Image.Image, hint: Floats, view: View, turns: NDArray[np.int_]) -> Iterator[Image.Image]:
    """A possible face, turned back by each of these degrees; what lies beyond the picture is black."""
    x, y = centres(hint[None])[0].tolist()
    reach = float(widths(hint[None])[0]) * view.side / view.face / 2 * sqrt(2)
    side = round(view.side * sqrt(2))
    shown = square_around(picture, x, y, reach, side)
    margin = (side - view.side) // 2
    for turn in turns.tolist():
        turned = shown.rotate(turn, Image.Resampling.BILINEAR)
        yield turned.crop((margin, margin, margin + view.side, margin + view.side))


def square_around(picture: Image.Image, x: float, y: float, reach: float, side: int) -> Image.Image:
    """The square that reaches so far to each side of a place in the picture, resized to this side.

    Only the part that lies in the picture is cut out: the whole square may be many times larger.
    """
    left, top = max(x - reach, 0), max(y - reach, 0)
    right, bottom = min(x + reach, picture.width), min(y + reach, picture.height)
    scale = side / (2 * reach)
    size = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
    part = picture.resize(size, Image.Resampling.BILINEAR, (left, top, right, bottom), reducing_gap=2)
    square = Image.new(picture.mode, (side, side))
    square.paste(part, (round((left - x + reach) * scale), round((top - y + reach) * scale)))
    return square
