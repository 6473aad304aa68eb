"""CenterFace: what its outputs mean, and what it finds in the sample photos."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from faceblur.detectors.embedded.candidates import ROLL, SCORE, suppress
from faceblur.detectors.embedded.centerface import STRIDE, centerface, decode, highest_around
from tests.support.pictures.photos import astronaut_pixels, hopper_pixels
from tests.support.pictures.scenes import shared

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


@pytest.mark.parametrize(
    ("photo", "face"),
    [(astronaut_pixels, (181, 58, 270, 178)), (hopper_pixels, (174, 127, 357, 335))],
    ids=["astronaut", "hopper"],
)
@pytest.mark.parametrize("turn", [-20, 0, 20])
def test_the_faces_of_the_sample_photos(networks, photo, face, turn):
    """Turned about the middle of the face, so that it stays where it is."""
    middle = (face[0] + face[2]) / 2, (face[1] + face[3]) / 2
    picture = photo().rotate(-turn, Image.Resampling.BICUBIC, center=middle)
    (candidate,) = suppress(centerface().find_in_each([picture], 0.35)[0], 0.4)
    assert shared(tuple(candidate[:4].tolist()), face) > 0.7
    assert candidate[SCORE] > 0.6
    assert candidate[ROLL] == pytest.approx(turn, abs=15)


def test_several_pictures_at_once_are_seen_as_each_by_itself(networks):
    pictures = [astronaut_pixels(), astronaut_pixels().rotate(15), Image.new("RGB", (512, 512))]
    together = centerface().find_in_each(pictures, 0.3)
    alone = [centerface().find_in_each([picture], 0.3)[0] for picture in pictures]
    assert [len(found) for found in together] == [1, 1, 0]
    for one, other in zip(together, alone, strict=True):
        assert one == pytest.approx(other, rel=1e-3)


def test_a_box_ends_where_the_picture_ends(networks):
    picture = astronaut_pixels().crop((200, 70, 280, 170))
    found = centerface().find_in_each([picture], 0.05)[0]
    assert len(found) > 0
    assert (found[:, :2] >= 0).all()
    assert (found[:, 2:4] <= picture.size).all()
