"""The CenterFace network under onnxruntime: pixels in, boxes in pixels and scores out.

Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point", https://arxiv.org/abs/1911.03599.
"""

from __future__ import annotations

import hashlib
import os
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

STRIDE = 4  # one cell of the network's output covers 4 × 4 pixels
MULTIPLE = 32  # the network halves its input five times
OVERLAP = 0.3  # of two boxes that overlap more, the less certain one goes
INPUT = "input.1"
HEAT, SCALE, OFFSET = "537", "538", "539"
MB_PER_VCPU = 1769  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html


class CenterFace:
    """The network, loaded."""

    def __init__(self, model: bytes, threads: int) -> None:
        """Load the prepared model, to run on so many threads."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.version = f"centerface-{hashlib.sha256(model).hexdigest()[:12]} onnxruntime-{onnxruntime.__version__}"

    def find(self, picture: Image.Image, threshold: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The faces in an RGB picture: boxes [n, 4] and their scores [n], best first.

        Boxes are left, top, right, bottom in the picture's pixels; only scores (0…1) above `threshold` count.
        """
        heat, scale, offset = self._session.run([HEAT, SCALE, OFFSET], {INPUT: as_input(picture)})
        boxes, scores = decode(heat[0, 0], scale[0], offset[0], threshold)
        np.clip(boxes, 0, [*picture.size, *picture.size], out=boxes)
        kept = suppress(boxes, scores)
        return boxes[kept], scores[kept]


def as_input(picture: Image.Image) -> NDArray[np.float32]:
    """The picture as [1, 3, height, width], 0…255, filled up with black to sides the network can take."""
    width, height = (-(-side // MULTIPLE) * MULTIPLE for side in picture.size)
    pixels = np.zeros((1, 3, height, width), np.float32)
    pixels[0, :, : picture.height, : picture.width] = np.asarray(picture).transpose(2, 0, 1)
    return pixels


def decode(
    heat: NDArray[np.float32], scale: NDArray[np.float32], offset: NDArray[np.float32], threshold: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Boxes and scores of all cells of the heat map [h, w] above the threshold.

    A cell's face is `exp(scale)` cells high and wide, its centre `offset` cells from the cell's own; both are
    [2, h, w], the vertical first.
    """
    rows, columns = np.nonzero(heat > threshold)
    half_height, half_width = np.exp(scale[:, rows, columns]) * (STRIDE / 2)
    y, x = (np.stack([rows, columns]) + offset[:, rows, columns] + 0.5) * STRIDE
    boxes = np.stack([x - half_width, y - half_height, x + half_width, y + half_height], axis=1)
    return boxes.astype(np.float32), heat[rows, columns]


def suppress(boxes: NDArray[np.float32], scores: NDArray[np.float32], overlap: float = OVERLAP) -> NDArray[np.intp]:
    """Which boxes stay, best first, when each removes those that overlap it by more than `overlap`."""
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    rest = np.argsort(-scores, kind="stable")
    kept = []
    while rest.size:
        best, rest = rest[0], rest[1:]
        kept.append(best)
        corner = np.minimum(boxes[best, 2:], boxes[rest, 2:]) - np.maximum(boxes[best, :2], boxes[rest, :2])
        common = corner.clip(0).prod(axis=1)
        rest = rest[common <= overlap * (areas[best] + areas[rest] - common)]
    return np.array(kept, np.intp)


@cache
def centerface() -> CenterFace:
    """The network from the layer, loaded once a process."""
    model = resources.files("centerface").joinpath("model.onnx").read_bytes()
    return CenterFace(model, threads=processors())


def processors() -> int:
    """How many processors this process has: Lambda gives a share of time by memory, not a number of them."""
    available = len(os.sched_getaffinity(0))
    memory = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
    return min(available, max(1, round(int(memory) / MB_PER_VCPU))) if memory else available
