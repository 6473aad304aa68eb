"""The YuNet network: it finds candidates for faces in a picture. It takes a seventh of CenterFace's time.

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
STRIDES = (8, 16, 32)  # pixels on each side of a cell, for each output
# The channels of an output (layers/onnx/prepare/prepare_yunet.py).
CLASS, OBJECT, BOX, LANDMARKS = 0, 1, slice(2, 6), slice(6, 16)
EYES_AND_MOUTH = [0, 1, 3, 4]  # of the five landmarks; the third one is the nose


class YuNet:
    """The loaded network. Several threads may use it at the same time."""

    largest_block = 832

    def __init__(self) -> None:
        """Load the model from the layer."""
        self._session, self.version = session_for("yunet")

    def find_in_each(self, pictures: Sequence[Image.Image], threshold: float) -> list[Floats]:
        """The candidates in each of several RGB pictures of one size, in pixels of the picture."""
        levels = self._session.run(None, {INPUT: as_input(pictures)})
        limits = [*pictures[0].size, *pictures[0].size]
        found = []
        for outputs in zip(*levels, strict=True):
            candidates = joined([decode(*each, threshold) for each in zip(outputs, STRIDES, strict=True)])
            np.clip(candidates[:, :4], 0, limits, out=candidates[:, :4])
            found.append(with_area(candidates))
        return found


def decode(cells: Floats, stride: int, threshold: float) -> Floats:
    """The candidates in one output [16, h, w] with scores above the threshold.

    The score is the geometric mean of class and objectness. All lengths are in strides. The centre of the box and the
    landmarks are measured from the corner of the cell. Width and height are stored as logarithms.
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
    """The network, loaded once per process."""
    return YuNet()
