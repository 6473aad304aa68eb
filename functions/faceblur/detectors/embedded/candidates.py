"""Candidates: possible faces as an array [n, 6].

Each row holds left, top, right and bottom in pixels, the score 0…1, and the roll in degrees clockwise. The geometry is
that of `faceblur.geometry`, computed over arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from faceblur.geometry import MIDDLE, OVAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

SCORE, ROLL = 4, 5  # columns
COMPARED = 64  # rows compared with all others at a time; fewer are slower, more take more memory

NONE: Floats = np.zeros((0, 6), np.float32)


def joined(several: Sequence[Floats]) -> Floats:
    """The candidates of several arrays in one array."""
    return np.concatenate([NONE, *several])


def with_area(candidates: Floats) -> Floats:
    """The candidates whose boxes have an area; a box clipped to the picture may have none."""
    return candidates[np.flatnonzero((candidates[:, :2] < candidates[:, 2:4]).all(axis=1))]


def widths(candidates: Floats) -> Floats:
    """The shorter side of each box in pixels, which is the width of an upright face."""
    shorter: Floats = (candidates[:, 2:4] - candidates[:, :2]).min(axis=1)
    return shorter


def centres(candidates: Floats) -> Floats:
    """The centre of each box, [n, 2]."""
    middle: Floats = (candidates[:, :2] + candidates[:, 2:4]) / np.float32(2)
    return middle


def have_centre_in(candidates: Floats, boxes: Floats) -> NDArray[np.bool_]:
    """Which of the candidates [n, 6] have their centre in any of the boxes, as [n]."""
    x, y = centres(candidates).T[:, :, None]
    left, top, right, bottom = boxes.T[:4]
    inside: NDArray[np.bool_] = ((left <= x) & (x <= right) & (top <= y) & (y <= bottom)).any(axis=1)
    return inside


def suppress(candidates: Floats, overlap: float, inside: float = 1.0) -> Floats:
    """Non-maximum suppression: the candidates, best first, without those that repeat a better one.

    It uses the rule of `geometry.merge`: a candidate repeats a better one if their intersection over union is more than
    `overlap`, or if more than `inside` of its own area lies in the better one and its middle in the ellipse over it.
    """
    if len(candidates) < 2:
        return candidates
    rest = candidates[np.argsort(-candidates[:, SCORE], kind="stable")]
    kept = [rest[:0]]
    while len(rest):
        best = rest[:COMPARED]
        stay = np.ones(len(rest), bool)
        repeated = _repeats(best, rest, overlap, inside)
        for row in np.flatnonzero(repeated.sum(axis=1) > 1):  # each row repeats itself
            if stay[row]:
                stay[row + 1 :] &= ~repeated[row, row + 1 :]
        kept.append(best[stay[:COMPARED]])
        rest = rest[COMPARED:][stay[COMPARED:]]
    return np.concatenate(kept)


def _repeats(better: Floats, candidates: Floats, overlap: float, inside: float) -> NDArray[np.bool_]:
    """Which of the candidates [n, 6] repeat each of the better ones [m, 6], as [m, n]."""
    common, areas = _common_areas(better, candidates), _areas(candidates)
    same = common > overlap * (_areas(better)[:, None] + areas - common)
    parts = (common > inside * areas) & _have_middle_in(better, candidates)
    repeats: NDArray[np.bool_] = same | parts
    return repeats


def _have_middle_in(boxes: Floats, candidates: Floats) -> NDArray[np.bool_]:
    """Which of the candidates [n, 6] have their middle in the ellipse over each of these boxes [m, 6], as [m, n]."""
    sides = boxes[:, None, 2:4] - boxes[:, None, :2]
    away = np.abs(centres(candidates) - centres(boxes)[:, None]) * 2
    reach = (away + MIDDLE * (candidates[:, 2:4] - candidates[:, :2])) / sides
    inside: NDArray[np.bool_] = (reach**2).sum(axis=2) < OVAL**2
    return inside


def _common_areas(some: Floats, others: Floats) -> Floats:
    """The area that each of these boxes [m, 6] shares with each of the others [n, 6], as [m, n]."""
    left, top, right, bottom = some.T[:4, :, None]
    others_left, others_top, others_right, others_bottom = others.T[:4]
    width = np.minimum(right, others_right) - np.maximum(left, others_left)
    height = np.minimum(bottom, others_bottom) - np.maximum(top, others_top)
    common: Floats = np.maximum(width, 0) * np.maximum(height, 0)
    return common


def _areas(boxes: Floats) -> Floats:
    areas: Floats = (boxes[:, 2:4] - boxes[:, :2]).prod(axis=1)
    return areas


def rolls(eyes_and_mouth: Floats) -> Floats:
    """How far each face is turned, in degrees clockwise.

    `eyes_and_mouth` [n, 4, 2] holds x and y of the eyes and of the corners of the mouth. In an upright face, the left
    ones come first. The line between the eyes and the line from the mouth to the eyes both give the angle. Their sum
    weighs each by its length. So the second line decides for a profile, whose eyes are close together.
    """
    left_eye, right_eye, left_corner, right_corner = eyes_and_mouth.transpose(1, 0, 2)
    across = right_eye - left_eye
    down = (left_corner + right_corner - left_eye - right_eye) / 2
    degrees: Floats = np.degrees(np.arctan2(across[:, 1] - down[:, 0], across[:, 0] + down[:, 1]))
    return degrees
