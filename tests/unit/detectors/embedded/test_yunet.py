"""YuNet: what its outputs mean, and what it finds in the sample photos."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceblur.detectors.embedded.candidates import ROLL, SCORE
from faceblur.detectors.embedded.yunet import BOX, CLASS, LANDMARKS, OBJECT, STRIDES, decode

# x and y of eyes, nose and corners of the mouth, in strides from a cell's corner.
UPRIGHT = [(-1, -1), (1, -1), (0, 0), (-0.7, 1), (0.7, 1)]
TURNED_RIGHT = [(-y, x) for x, y in UPRIGHT]
UPSIDE_DOWN = [(-x, -y) for x, y in UPRIGHT]
PROFILE = [(0.5, -1), (0.5, -1), (1, 0), (0.5, 1), (0.5, 1)]
NEVER = -30.0  # a logit


def logit(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))


def cells(height: int, width: int) -> np.ndarray:
    """An output without a face."""
    empty = np.zeros((16, height, width), np.float32)
    empty[[CLASS, OBJECT]] = NEVER
    return empty


@pytest.mark.parametrize("stride", STRIDES)
@pytest.mark.parametrize(
    ("points", "roll"),
    [(UPRIGHT, 0), (TURNED_RIGHT, 90), (UPSIDE_DOWN, 180), (PROFILE, 0)],
    ids=["upright", "right", "upside down", "profile"],
)
def test_a_cell_becomes_a_box(stride, points, roll):
    output = cells(6, 8)
    output[CLASS, 2, 5], output[OBJECT, 2, 5] = logit(0.9), logit(0.4)
    output[BOX, 2, 5] = [0.25, -0.5, np.log(2), np.log(3)]  # its centre, width and height
    output[LANDMARKS, 2, 5] = np.ravel(points)
    (candidate,) = decode(output, stride, 0.5)
    # The centre is at (5 + 0.25, 2 - 0.5) strides.
    assert candidate[:4] == pytest.approx([4.25 * stride, 0, 6.25 * stride, 3 * stride])
    assert candidate[SCORE] == pytest.approx(np.sqrt(0.9 * 0.4))
    assert abs(candidate[ROLL]) == pytest.approx(roll, abs=1e-3)


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 0.9))
def test_only_cells_above_the_threshold_become_boxes(seed, threshold):
    output = np.random.default_rng(seed).normal(0, 2, (16, 5, 7)).astype(np.float32)
    scores = np.sqrt(1 / (1 + np.exp(-output[CLASS])) / (1 + np.exp(-output[OBJECT])))
    found = decode(output, 8, threshold)
    assert found[:, SCORE] == pytest.approx(scores[scores > threshold], rel=1e-4)


@pytest.mark.parametrize(("class_", "object_"), [(0.99, 0.01), (0.01, 0.99)])
def test_class_and_objectness_both_count(class_, object_):
    output = cells(3, 3)
    output[CLASS, 1, 1], output[OBJECT, 1, 1] = logit(class_), logit(object_)
    assert len(decode(output, 8, 0.15)) == 0


def test_nothing_found_is_an_empty_array():
    assert decode(cells(4, 4), 8, 0.3).shape == (0, 6)
