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

# The runtime sends telemetry to its makers unless this is set before it is imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import onnxruntime  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PIL import Image

    Floats = NDArray[np.float32]
    Places = NDArray[np.intp]

STRIDE = 4  # one cell of the network's output covers 4 × 4 pixels
MULTIPLE = 32  # the network halves its input five times
OVERLAP = 0.3  # two boxes of one pass that share more than this (intersection over union) are one face
INPUT = "input.1"
HEAT, SCALE, OFFSET = "537", "538", "539"
MB_PER_VCPU = 1769  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
COMPARED = 64  # boxes with all others at a time: one by one it takes longer, and all at once more memory


class CenterFace:
    """The network, loaded; several threads may use it at a time."""

    def __init__(self, model: bytes) -> None:
        """Load the prepared model."""
        options = onnxruntime.SessionOptions()
        # Several pictures at a time, each on one processor, take up to a quarter less of them than one on several.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.enable_mem_pattern = False  # it plans memory for one input size, and ours vary
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.version = f"centerface-{hashlib.sha256(model).hexdigest()[:12]} onnxruntime-{onnxruntime.__version__}"

    def find(self, picture: Image.Image, threshold: float) -> Floats:
        """The candidates in an RGB picture, in its pixels, with scores above `threshold`."""
        return self.find_in_each([picture], threshold)[0]

    def find_in_each(self, pictures: Sequence[Image.Image], threshold: float) -> list[Floats]:
        """The candidates in each of several RGB pictures of one size, which together take less time."""
        heat, scale, offset = self._session.run([HEAT, SCALE, OFFSET], {INPUT: as_input(pictures)})
        candidates, picture_of = decode(heat[:, 0], scale, offset, threshold)
        np.clip(candidates[:, :4], 0, [*pictures[0].size, *pictures[0].size], out=candidates[:, :4])
        return [suppress(candidates[picture_of == place], OVERLAP) for place in range(len(pictures))]


def as_input(pictures: Sequence[Image.Image]) -> Floats:
    """Pictures of one size as [n, 3, height, width], 0…255, filled up with black to sides the network can take."""
    width, height = (-(-side // MULTIPLE) * MULTIPLE for side in pictures[0].size)
    pixels = np.zeros((len(pictures), 3, height, width), np.float32)
    for picture, room in zip(pictures, pixels, strict=True):
        room[:, : picture.height, : picture.width] = np.asarray(picture).transpose(2, 0, 1)
    return pixels


def decode(heat: Floats, scale: Floats, offset: Floats, threshold: float) -> tuple[Floats, Places]:
    """The candidates at the peaks of the heat maps [n, h, w] above the threshold, and the map (0…n - 1) each is in.

    A cell's face is `exp(scale)` cells high and wide, its centre `offset` cells from the cell's own; both are
    [n, 2, h, w], the vertical first.
    """
    cells = np.nonzero(heat > threshold)
    peaks = np.flatnonzero(heat[cells] == highest_around(heat, *cells))
    maps, rows, columns = (each[peaks] for each in cells)
    half_height, half_width = np.exp(scale[maps, :, rows, columns]).T * (STRIDE / 2)
    y, x = (np.stack([rows, columns]) + offset[maps, :, rows, columns].T + 0.5) * STRIDE
    corners = [x - half_width, y - half_height, x + half_width, y + half_height]
    return np.stack([*corners, heat[maps, rows, columns]], axis=1).astype(np.float32), maps


def highest_around(heat: Floats, maps: Places, rows: Places, columns: Places) -> Floats:
    """For each of these cells the highest value among itself and its eight neighbours."""
    steps = np.arange(-1, 2)
    above_and_below = np.clip(rows + steps[:, None, None], 0, heat.shape[1] - 1)
    left_and_right = np.clip(columns + steps[:, None], 0, heat.shape[2] - 1)
    highest: Floats = heat[maps, above_and_below, left_and_right].max(axis=(0, 1))
    return highest


def suppress(candidates: Floats, overlap: float, inside: float = 1.0) -> Floats:
    """The candidates, best first, without those that a better one makes superfluous.

    That is, those which overlap it by more than `overlap` (intersection over union), or of whose own area more
    than `inside` lies in it.
    """
    if len(candidates) < 2:
        return candidates
    rest = candidates[np.argsort(-candidates[:, 4], kind="stable")]
    kept = [rest[:0]]
    while len(rest):
        best = rest[:COMPARED]
        stay = np.ones(len(rest), bool)
        superfluous = _superfluous(best, rest, overlap, inside)
        for place in np.flatnonzero(superfluous.sum(axis=1) > 1):  # the others make none but themselves superfluous
            if stay[place]:
                stay[place + 1 :] &= ~superfluous[place, place + 1 :]
        kept.append(best[stay[:COMPARED]])
        rest = rest[COMPARED:][stay[COMPARED:]]
    return np.concatenate(kept)


def _superfluous(better: Floats, candidates: Floats, overlap: float, inside: float) -> NDArray[np.bool_]:
    """Which of the candidates [n, 5] each of the better ones [m, 5] makes superfluous, as [m, n]."""
    left, top, right, bottom, _ = better.T[:, :, None]
    others_left, others_top, others_right, others_bottom, _ = candidates.T
    width = np.minimum(right, others_right) - np.maximum(left, others_left)
    height = np.minimum(bottom, others_bottom) - np.maximum(top, others_top)
    common = np.maximum(width, 0) * np.maximum(height, 0)
    areas = (others_right - others_left) * (others_bottom - others_top)
    union = (right - left) * (bottom - top) + areas - common
    superfluous: NDArray[np.bool_] = (common > overlap * union) | (common > inside * areas)
    return superfluous


@cache
def centerface() -> CenterFace:
    """The network from the layer, loaded once a process."""
    model = resources.files("centerface").joinpath("model.onnx").read_bytes()
    return CenterFace(model)


def processors() -> int:
    """How many processors this process has: Lambda gives a share of their time by memory, not a number."""
    available = len(os.sched_getaffinity(0))
    memory = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
    return min(available, max(1, round(int(memory) / MB_PER_VCPU))) if memory else available
