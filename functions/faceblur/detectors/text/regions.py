"""Regions of text in a map of probabilities, each as the smallest rectangle around it.

This is the post-processing of differentiable binarization (Liao et al., https://arxiv.org/abs/1911.08947): the network
draws the core of each line of text, so each rectangle is enlarged to the whole line.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from faceblur.detectors.text.lines import line_around

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from faceblur.detectors.text.lines import Line

    Floats = NDArray[np.float32]
    Places = NDArray[np.intp]

# The cells of a region have at least this probability. This and ENLARGED are the values of the package `rapidocr`.
CORE = 0.3
# A rectangle grows on each side by this many times its area divided by its circumference.
ENLARGED = 1.6
SMALLEST = 3  # cells; a thinner core is noise
# A core of a text fills at least this share of its rectangle, apart from a cell for its ragged edge. The outline of
# something large, such as a painted car, fills less, and scores less by as much. On real photos, plates filled 0.85.
FILLED = 0.8


def lines_in(probability: Floats, least: float) -> list[Line]:
    """The lines of text in a map [height, width] of probabilities whose score is at least this one.

    The score is the mean in the core, lower if the core fills little of its rectangle.
    """
    rows, columns = np.nonzero(probability > CORE)
    labels = connected(rows, columns, probability.shape[1])
    order = np.argsort(labels, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1) if len(order) else []
    lines = []
    for part in parts:
        if len(part) < SMALLEST**2:
            continue
        core = smallest_line(columns[part], rows[part])
        cells = max(len(part), FILLED * (core.long - 1) * (core.short - 1))
        score = float(probability[rows[part], columns[part]].sum()) / cells
        if score >= least and core.short >= SMALLEST:
            growth = 2 * ENLARGED * core.long * core.short / (2 * (core.long + core.short))
            lines.append(replace(core, long=core.long + growth, short=core.short + growth, score=score))
    return lines


def holds_a_side(line: Line, size: tuple[int, int]) -> bool:
    """Whether a whole side of a picture of this size, with both of its corners, lies in the line.

    The network takes a clear sky or a bare wall for one text, which lies around the picture. A real text that fills
    the picture does not reach beyond its sides, and one that goes on beyond two of them holds no corner, or opposite
    ones.
    """
    width, height = size
    corners = [(0, 0), (width, 0), (width, height), (0, height)]
    held = [line.holds(*corner) for corner in corners]
    return any(one and next_ for one, next_ in zip(held, [*held[1:], held[0]], strict=True))


def connected(rows: Places, columns: Places, width: int) -> Places:
    """A label for each of these cells, given row by row, of a map of this width; neighbours have the same one.

    The runs of each row are joined with those that they touch in the row above, corners included.
    """
    if not len(rows):
        return np.zeros(0, np.intp)
    # A gap between two rows keeps the last cell of one from touching the first cell of the next one.
    places = rows * (width + 1) + columns
    starts = np.flatnonzero(np.diff(places, prepend=-2) > 1)
    ends = np.append(starts[1:], len(places)) - 1
    parents = list(range(len(starts)))

    def root(run: int) -> int:
        while parents[run] != run:
            parents[run] = parents[parents[run]]
            run = parents[run]
        return run

    first, last, row = columns[starts].tolist(), columns[ends].tolist(), rows[starts].tolist()
    above = 0
    for run in range(len(starts)):
        while row[above] < row[run] - 1 or (row[above] == row[run] - 1 and last[above] < first[run] - 1):
            above += 1
        touching = above
        while row[touching] == row[run] - 1 and first[touching] <= last[run] + 1:
            parents[root(touching)] = root(run)
            touching += 1
    roots = np.array([root(run) for run in range(len(starts))], np.intp)
    return np.repeat(roots, ends - starts + 1)


def smallest_line(x: Places, y: Places) -> Line:
    """The smallest rectangle around these cells, as a line without a score."""
    hull = hull_of(x, y)
    edges = np.diff(hull, axis=0, append=hull[:1])
    angles = np.arctan2(edges[:, 1], edges[:, 0])
    cosine, sine = np.cos(angles)[:, None], np.sin(angles)[:, None]
    across, down = hull[:, 0] * cosine + hull[:, 1] * sine, hull[:, 1] * cosine - hull[:, 0] * sine
    best = (np.ptp(across, axis=1) * np.ptp(down, axis=1)).argmin()
    return line_around(hull.tolist(), float(angles[best]), 0.0)


def hull_of(x: Places, y: Places) -> NDArray[np.float64]:
    """The corners [n, 2] of the convex hull of these cells with their four corners, by Andrew's monotone chain."""
    points = sorted({(column, row + low) for column, row in _edges(x, y) for low in (0, 1)})

    def chain(points: list[tuple[int, int]]) -> list[tuple[int, int]]:
        kept: list[tuple[int, int]] = []
        for point in points:
            while len(kept) > 1 and _turn(kept[-2], kept[-1], point) <= 0:
                kept.pop()
            kept.append(point)
        return kept[:-1]

    return np.array(chain(points) + chain(points[::-1]), np.float64)


def _edges(x: Places, y: Places) -> set[tuple[int, int]]:
    """The left and the right edge (column, row) of each row of cells: no corner of the hull lies between them."""
    order = np.lexsort((x, y))
    x, y = x[order], y[order]
    new = np.flatnonzero(np.diff(y, prepend=y[0] - 1))
    ends = np.append(new[1:], len(y)) - 1
    left, right = (zip(at.tolist(), y[new].tolist(), strict=True) for at in (x[new], x[ends] + 1))
    return {*left, *right}


def _turn(a: tuple[int, int], b: tuple[int, int], c: tuple[int, int]) -> int:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
