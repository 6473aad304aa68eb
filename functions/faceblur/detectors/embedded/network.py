"""The code that the networks share: sessions of onnxruntime, their memory, and pictures as input."""

from __future__ import annotations

import ctypes
import hashlib
import os
from functools import cache
from importlib import resources
from math import ceil
from typing import TYPE_CHECKING, Protocol

# onnxruntime reports its use to its maker unless this is set before it is imported (docs/privacy.md).
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

    from faceblur.detectors.embedded.candidates import Floats

MULTIPLE = 32  # both networks halve their input five times
# In onnxruntime's words. The other strategy, 0, doubles the arena each time that it is full.
ARENA = {
    "max_mem": 0,  # no limit
    "arena_extend_strategy": 1,  # as requested
    "initial_chunk_size_bytes": -1,  # the default
    "max_dead_bytes_per_chunk": -1,  # the default
}
MB_PER_VCPU = 1769  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html


class Network(Protocol):
    """A face detection network. Several threads may use it at the same time."""

    version: str
    largest_block: int
    """The side of the largest block that a tile may contain, in pixels of the input. It bounds the memory."""

    def find_in_each(self, pictures: Sequence[Image.Image], threshold: float) -> list[Floats]:
        """The candidates with scores above `threshold` in each of several RGB pictures of one size.

        They are in pixels of the picture. One face may have several candidates, so the caller suppresses repetitions.
        """


def session_for(package: str) -> tuple[onnxruntime.InferenceSession, str]:
    """A session that runs the model in this package of the layer, and the model's version."""
    model = resources.files(package).joinpath("model.onnx").read_bytes()
    options = onnxruntime.SessionOptions()
    # Several pictures at a time, one per processor, take up to a quarter less time than one picture on all processors.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # it plans the memory for one input size, but ours vary
    share_arena()
    options.add_session_config_entry("session.use_env_allocators", "1")
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return session, f"{package}-{hashlib.sha256(model).hexdigest()[:12]} onnxruntime-{onnxruntime.__version__}"


@cache
def share_arena() -> None:
    """Provide one arena for the memory of all sessions, which grows by what they request.

    Otherwise each session has an arena of its own, which doubles when it is full, and keeps all of it while it is idle.
    """
    memory = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    onnxruntime.create_and_register_allocator(memory, onnxruntime.OrtArenaCfg(ARENA))


def give_back_memory() -> None:
    """Give the memory that nothing uses back to the system.

    The C library keeps the memory of a decoded photo, in pieces that are too small for most requests of the networks.
    Only the GNU C library needs this, and has the call.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)


def as_input(pictures: Sequence[Image.Image]) -> Floats:
    """Pictures of one size as [n, 3, height, width], 0…255, padded with black to sides that the network accepts."""
    width, height = map(padded, pictures[0].size)
    pixels = np.zeros((len(pictures), 3, height, width), np.float32)
    for picture, target in zip(pictures, pixels, strict=True):
        target[:, : picture.height, : picture.width] = np.asarray(picture).transpose(2, 0, 1)
    return pixels


def padded(side: float) -> int:
    """The least length that the networks accept for a side of this length, in pixels."""
    return ceil(side / MULTIPLE) * MULTIPLE


def processors() -> int:
    """The number of processors for this process. Lambda grants a share of their time that depends on the memory."""
    available = len(os.sched_getaffinity(0))
    memory = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
    return min(available, max(1, round(int(memory) / MB_PER_VCPU))) if memory else available
