"""CenterFace: what its outputs mean, and what it finds in the sample photos."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceblur.detectors.embedded.candidates import ROLL
from faceblur.detectors.embedded.centerface import STRIDE, decode, highest_around

# x and y of eyes, nose and corners of the mouth, in widths and heights of the box.
UPRIGHT = [(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)]
TURNED_RIGHT = [(1 - y, x) for x, y in UPRIGHT]
UPSIDE_DOWN = [(1 - x, 1 - y) for x, y in UPRIGHT]


def outputs(maps: int, height: int, width: int) -> tuple[np.ndarray, ...]:
    """Heat, scale, offset and landmarks, all zero."""
    return (
        np.zeros((maps, height, width), np.float32),
        *(np.zeros((maps, channels, height, width), np.float32) for channels in (2, 2, 10)),
    )


@pytest.mark.parametrize(
    ("points", "roll"), [(UPRIGHT, 0), (TURNED_RIGHT, 90), (UPSIDE_DOWN, 180)], ids=["upright", "right", "upside down"]
)
def test_a_peak_becomes_a_box(points, roll):
    heat, scale, offset, landmarks = outputs(2, 8, 10)
    heat[1, 2, 5] = 0.8
    scale[1, :, 2, 5] = np.log([3, 2])  # cells high and wide
    offset[1, :, 2, 5] = [0.25, -0.5]
    landmarks[1, :, 2, 5] = np.array(points)[:, ::-1].ravel()
    # The centre is at (5 + 0.5 - 0.5, 2 + 0.5 + 0.25) cells, 4 pixels each.
    (candidate,), maps = decode(heat, scale, offset, landmarks, 0.3)
    assert candidate[:ROLL] == pytest.approx([20 - 4, 11 - 6, 20 + 4, 11 + 6, 0.8])
    assert abs(candidate[ROLL]) == pytest.approx(roll, abs=1e-3)
    assert maps.tolist() == [1]


@given(st.integers(0, 2**32 - 1))
def test_only_peaks_above_the_threshold_become_boxes(seed):
    heat, *others = outputs(2, 7, 9)
    heat[:] = np.random.default_rng(seed).random(heat.shape)
    candidates, maps = decode(heat, *others, 0.5)
    centres = {
        (int(place), round(float(x) / STRIDE - 0.5), round(float(y) / STRIDE - 0.5))
        for place, (x, y) in zip(maps, candidates[:, :2] + STRIDE / 2, strict=True)
    }
    expected = {
        (place, column, row)
        for place in range(2)
        for row in range(7)
        for column in range(9)
        if heat[place, row, column] > 0.5
        and heat[place, row, column] == heat[place, max(0, row - 1) : row + 2, max(0, column - 1) : column + 2].max()
    }
    assert centres == expected


def test_the_highest_around():
    heat = np.arange(12, dtype=np.float32).reshape(1, 3, 4)
    cells = (each.ravel() for each in np.indices(heat.shape))
    assert highest_around(heat, *cells).tolist() == [5, 6, 7, 7, 9, 10, 11, 11, 9, 10, 11, 11]


def test_nothing_found_is_an_empty_array():
    candidates, maps = decode(*outputs(1, 4, 4), 0.3)
    assert candidates.shape == (0, 6)
    assert len(maps) == 0
