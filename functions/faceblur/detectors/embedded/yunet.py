"""The YuNet network: a picture in, candidates for faces out. It takes a seventh of CenterFace's time.

Wu, Peng and Yu, "YuNet: A Tiny Millisecond-level Face Detector", https://doi.org/10.1007/s11633-023-1423-y.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from faceblur.detectors.embedded.candidates import joined, rolls, with_area
from faceblur.detectors.embedded.network import as_input, session_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

    from faceblur.detectors.embedded.candidates import Floats

INPUT = "picture"
STRIDES = (8, 16, 32)  # pixels of the picture for a cell of each output
# The channels of an output (layers/onnx/prepare_yunet.py).
CLASS, OBJECT, BOX, LANDMARKS = 0, 1, slice(2, 6), slice(6, 16)
EYES_AND_MOUTH = [0, 1, 3, 4]  # of the five landmarks; the third is the nose


class YuNet:
    """The network, loaded; several threads may use it at a time."""

    largest_block = 832

    def __init__(self) -> None:
        """Load the model from the layer."""
        self._session, self.version = session_for("yunet")

    def find_in_each(self, pictures: Sequence[Image.Image], threshold: float) -> list[Floats]:
        """The candidates in each of several RGB pictures of one size, in its pixels."""
        levels = self._session.run(None, {INPUT: as_input(pictures)})
        found: list[list[Floats]] = [[] for _ in pictures]
        for output, stride in zip(levels, STRIDES, strict=True):
            for place, cells in zip(found, output, strict=True):
                place.append(decode(cells, stride, threshold))
        limits = [*pictures[0].size, *pictures[0].size]
        for candidates in (each for place in found for each in place):
            np.clip(candidates[:, :4], 0, limits, out=candidates[:, :4])
        return [with_area(joined(place)) for place in found]


def decode(cells: Floats, stride: int, threshold: float) -> Floats:
    """The candidates in one output [16, h, w] with scores above the threshold.

    The score is the geometric mean of class and objectness. The centre of the box and the landmarks are measured from
    the cell's corner, in strides; width and height are exponentials, in strides.
    """
    scores = np.sqrt(_sigmoid(cells[CLASS]) * _sigmoid(cells[OBJECT]))
    rows, columns = np.nonzero(scores > threshold)
    if not len(rows):
        return joined([])
    right, down, width, height = cells[BOX, rows, columns]
    x, y = (columns + right) * stride, (rows + down) * stride
    half_width, half_height = np.exp(width) * (stride / 2), np.exp(height) * (stride / 2)
    box = [x - half_width, y - half_height, x + half_width, y + half_height]
    points = cells[LANDMARKS, rows, columns].reshape(5, 2, -1).transpose(2, 0, 1)
    roll = rolls(points[:, EYES_AND_MOUTH])
    return np.stack([*box, scores[rows, columns], roll], axis=1).astype(np.float32)


def _sigmoid(logits: Floats) -> Floats:
    probability: Floats = np.float32(1) / (np.float32(1) + np.exp(-logits))
    return probability


@cache
def yunet() -> YuNet:
    """The network from the layer, loaded once a process."""
    return YuNet()
