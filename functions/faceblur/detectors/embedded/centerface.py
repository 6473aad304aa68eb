"""The CenterFace network: it finds candidates for faces in a picture.

Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point", https://arxiv.org/abs/1911.03599.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from faceblur.detectors.embedded.candidates import joined, rolls, with_area
from faceblur.detectors.embedded.network import as_input, session_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PIL import Image

    from faceblur.detectors.embedded.candidates import Floats

    Places = NDArray[np.intp]

STRIDE = 4  # pixels on each side of a cell of the output
INPUT = "input.1"
HEAT, SCALE, OFFSET, LANDMARKS = "537", "538", "539", "540"
EYES_AND_MOUTH = [0, 1, 3, 4]  # of the five landmarks; the third one is the nose


class CenterFace:
    """The loaded network. Several threads may use it at the same time."""

    largest_block = 512

    def __init__(self) -> None:
        """Load the model from the layer."""
        self._session, self.version = session_for("centerface")

    def find_in_each(self, pictures: Sequence[Image.Image], threshold: float) -> list[Floats]:
        """The candidates in each of several RGB pictures of one size, in pixels of the picture."""
        outputs = self._session.run([HEAT, SCALE, OFFSET, LANDMARKS], {INPUT: as_input(pictures)})
        heat, scale, offset, landmarks = outputs
        candidates, picture_of = decode(heat[:, 0], scale, offset, landmarks, threshold)
        np.clip(candidates[:, :4], 0, [*pictures[0].size, *pictures[0].size], out=candidates[:, :4])
        return [with_area(candidates[picture_of == number]) for number in range(len(pictures))]


def decode(heat: Floats, scale: Floats, offset: Floats, landmarks: Floats, threshold: float) -> tuple[Floats, Places]:
    """The candidates at the peaks of the heat maps [n, h, w] above the threshold, and the map (0…n - 1) of each.

    `scale` and `offset` are [n, 2, h, w], the vertical first. The face of a cell is `exp(scale)` cells high and wide,
    and its centre is `offset` cells from the cell's centre. `landmarks` is [n, 10, h, w]: five landmarks, the vertical
    of each first. They are measured from the box's upper left corner, in heights and widths of the box.
    """
    cells = np.nonzero(heat > threshold)
    peaks = np.flatnonzero(heat[cells] == highest_around(heat, *cells))
    maps, rows, columns = (each[peaks] for each in cells)
    if not len(maps):
        return joined([]), maps
    half_height, half_width = np.exp(scale[maps, :, rows, columns]).T * (STRIDE / 2)
    y, x = (np.stack([rows, columns]) + offset[maps, :, rows, columns].T + 0.5) * STRIDE
    box = [x - half_width, y - half_height, x + half_width, y + half_height]
    points = landmarks[maps, :, rows, columns].reshape(-1, 5, 2)[:, EYES_AND_MOUTH, ::-1]
    roll = rolls(points * np.stack([half_width, half_height], axis=1)[:, None])
    return np.stack([*box, heat[maps, rows, columns], roll], axis=1).astype(np.float32), maps


def highest_around(heat: Floats, maps: Places, rows: Places, columns: Places) -> Floats:
    """The highest value among each of these cells and its eight neighbours."""
    steps = np.arange(-1, 2)
    above_and_below = np.clip(rows + steps[:, None, None], 0, heat.shape[1] - 1)
    left_and_right = np.clip(columns + steps[:, None], 0, heat.shape[2] - 1)
    highest: Floats = heat[maps, above_and_below, left_and_right].max(axis=(0, 1))
    return highest


@cache
def centerface() -> CenterFace:
    """The network, loaded once per process."""
    return CenterFace()
