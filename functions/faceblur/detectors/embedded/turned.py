"""Faces that are not upright. Both networks know upright faces only, so they are shown the photo in other turns.

YuNet sees the whole photo, made smaller, from its three other sides. It says where a turned face may be, and often not
how it is turned. So CenterFace sees each such place turned in eight ways, small. Then it sees it larger, turned in the
two best ways and in that which YuNet told.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from faceblur.detectors.embedded.candidates import ROLL, SCORE, centres, have_centre_in, joined, suppress, widths
from faceblur.detectors.embedded.tiling import OVERLAP, find_in_batches, scan_pyramid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from faceblur.detectors.embedded.candidates import Floats
    from faceblur.detectors.embedded.network import Network

LONG_SIDE, SCALE = 800, 0.5  # what the photo is reduced to: this long side in pixels, and this scale at most
QUARTERS = {1: Image.Transpose.ROTATE_90, 2: Image.Transpose.ROTATE_180, 3: Image.Transpose.ROTATE_270}
HINT = 0.15  # YuNet's score that makes a place worth to be turned,
HINTS = 8  # if it is among so many a megapixel, the best; small photos count as a megapixel
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
    most = ceil(HINTS * max(1, picture.width * picture.height / 1e6))
    hints = hints[~have_centre_in(hints, upright)][:most]
    turns = np.column_stack([hints[:, ROLL], best_turns(centerface, picture, hints)]).round().astype(int)
    scores = scores_in_views(centerface, picture, hints, LARGE, turns)
    best = scores.argmax(axis=1)[:, None]
    hints[:, SCORE] = np.take_along_axis(scores, best, axis=1)[:, 0]
    hints[:, ROLL] = np.take_along_axis(turns, best, axis=1)[:, 0]
    return hints


def best_turns(centerface: Network, picture: Image.Image, hints: Floats) -> NDArray[np.int_]:
    """The two turns, in degrees clockwise, in which each of the hints [n] looks most like a face, [n, 2]."""
    scores = scores_in_views(centerface, picture, hints, SMALL, np.tile(TURNS, (len(hints), 1)))
    return TURNS[np.argsort(-scores, axis=1)[:, :BEST]]


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
    found = scan_pyramid(yunet, picture.transpose(QUARTERS[side]), 1.0, HINT)
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
    x, y = centres(hint[None])[0]
    reach = float(widths(hint[None])[0]) * view.side / view.face / 2 * sqrt(2)
    side = round(view.side * sqrt(2))
    around = picture.crop((round(x - reach), round(y - reach), round(x + reach), round(y + reach)))
    shown = around.resize((side, side), Image.Resampling.BILINEAR, reducing_gap=2)
    margin = (side - view.side) // 2
    for turn in turns.tolist():
        turned = shown.rotate(turn, Image.Resampling.BILINEAR)
        yield turned.crop((margin, margin, margin + view.side, margin + view.side))
