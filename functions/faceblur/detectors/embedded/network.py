"""The code that both networks share: sessions of onnxruntime, and pictures as input."""

from __future__ import annotations

import hashlib
import os
from importlib import resources
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
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return session, f"{package}-{hashlib.sha256(model).hexdigest()[:12]} onnxruntime-{onnxruntime.__version__}"


def as_input(pictures: Sequence[Image.Image]) -> Floats:
    """Pictures of one size as [n, 3, height, width], 0…255, padded with black to sides that the network accepts."""
    width, height = (-(-side // MULTIPLE) * MULTIPLE for side in pictures[0].size)
    pixels = np.zeros((len(pictures), 3, height, width), np.float32)
    for picture, target in zip(pictures, pixels, strict=True):
        target[:, : picture.height, : picture.width] = np.asarray(picture).transpose(2, 0, 1)
    return pixels


def processors() -> int:
    """The number of processors for this process. Lambda grants a share of their time that depends on the memory."""
    available = len(os.sched_getaffinity(0))
    memory = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
    return min(available, max(1, round(int(memory) / MB_PER_VCPU))) if memory else available
