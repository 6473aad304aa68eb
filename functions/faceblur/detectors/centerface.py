"""The CenterFace network under onnxruntime: a picture in, candidates for faces out.

Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point", https://arxiv.org/abs/1911.03599.

Candidates are an array [n, 5], best first: left, top, right, bottom in pixels, and the score 0…1.
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

    Floats = NDArray[np.float32]

STRIDE = 4  # one cell of the network's output covers 4 × 4 pixels
MULTIPLE = 32  # the network halves its input five times
OVERLAP = 0.3  # two boxes of one pass that share more than this (intersection over union) are one face
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
        options.enable_mem_pattern = False  # it plans memory for one input size, and ours vary
        # A thread that waits gives its processor back: on Lambda, and beside others, spinning is paid for twice.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.version = f"centerface-{hashlib.sha256(model).hexdigest()[:12]} onnxruntime-{onnxruntime.__version__}"

    def find(self, picture: Image.Image, threshold: float) -> Floats:
        """The candidates in an RGB picture, in its pixels, with scores above `threshold`."""
        heat, scale, offset = self._session.run([HEAT, SCALE, OFFSET], {INPUT: as_input(picture)})
        candidates = decode(heat[0, 0], scale[0], offset[0], threshold)
        np.clip(candidates[:, :4], 0, [*picture.size, *picture.size], out=candidates[:, :4])
        return suppress(candidates, OVERLAP)


def as_input(picture: Image.Image) -> Floats:
    """The picture as [1, 3, height, width], 0…255, filled up with black to sides the network can take."""
    width, height = (-(-side // MULTIPLE) * MULTIPLE for side in picture.size)
    pixels = np.zeros((1, 3, height, width), np.float32)
    pixels[0, :, : picture.height, : picture.width] = np.asarray(picture).transpose(2, 0, 1)
    return pixels


def decode(heat: Floats, scale: Floats, offset: Floats, threshold: float) -> Floats:
    """The candidates at the peaks of the heat map [h, w] above the threshold.

    A cell's face is `exp(scale)` cells high and wide, its centre `offset` cells from the cell's own; both are
    [2, h, w], the vertical first.
    """
    rows, columns = np.nonzero((heat > threshold) & (heat == highest_around(heat)))
    half_height, half_width = np.exp(scale[:, rows, columns]) * (STRIDE / 2)
    y, x = (np.stack([rows, columns]) + offset[:, rows, columns] + 0.5) * STRIDE
    corners = [x - half_width, y - half_height, x + half_width, y + half_height]
    return np.stack([*corners, heat[rows, columns]], axis=1).astype(np.float32)


def highest_around(heat: Floats) -> Floats:
    """For every cell the highest value among itself and its eight neighbours."""
    padded = np.pad(heat, 1)
    rows = np.maximum(np.maximum(padded[:-2], padded[1:-1]), padded[2:])
    return np.maximum(np.maximum(rows[:, :-2], rows[:, 1:-1]), rows[:, 2:])


def suppress(candidates: Floats, overlap: float, inside: float = 1.0) -> Floats:
    """The candidates, best first, without those that a better one makes superfluous.

    That is, those which overlap it by more than `overlap` (intersection over union), or of whose own area more
    than `inside` lies in it.
    """
    candidates = candidates[np.argsort(-candidates[:, 4], kind="stable")]
    left, top, right, bottom, _ = np.ascontiguousarray(candidates.T)
    areas = (right - left) * (bottom - top)
    rest = np.arange(len(candidates))
    kept = []
    while rest.size:
        best, rest = rest[0], rest[1:]
        kept.append(best)
        width = np.minimum(right[best], right[rest]) - np.maximum(left[best], left[rest])
        height = np.minimum(bottom[best], bottom[rest]) - np.maximum(top[best], top[rest])
        common = np.maximum(width, 0) * np.maximum(height, 0)
        union = areas[best] + areas[rest] - common
        rest = rest[(common <= overlap * union) & (common <= inside * areas[rest])]
    return candidates[kept]


@cache
def centerface() -> CenterFace:
    """The network from the layer, loaded once a process."""
    model = resources.files("centerface").joinpath("model.onnx").read_bytes()
    return CenterFace(model, threads=processors())


def processors() -> int:
    """How many processors this process has: Lambda gives a share of their time by memory, not a number."""
    available = len(os.sched_getaffinity(0))
    memory = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
    return min(available, max(1, round(int(memory) / MB_PER_VCPU))) if memory else available
