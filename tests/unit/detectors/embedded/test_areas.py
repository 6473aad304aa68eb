"""Tiles around areas: they show all of them, and little else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceblur.detectors.embedded.areas import CONTEXT, tiles_around
from faceblur.detectors.embedded.candidates import NONE
from faceblur.detectors.embedded.network import padded
from faceblur.detectors.embedded.tiling import MARGIN, scan, tiles_of
from tests.support.standins.network import PaintedFaces, painted

SIZES = st.tuples(st.integers(16, 3000), st.integers(16, 3000))
SCALES = st.floats(0.3, 2.0)
SEEDS = st.integers(0, 2**32 - 1)
LARGEST = 512
SCORE = 0.8


def areas(seed: int, count: int, size: tuple[int, int], scale: float) -> np.ndarray:
    """Areas that each overlap the picture. None is too large for a tile."""
    rng = np.random.default_rng(seed)
    most = min(max(size) / 8, LARGEST / scale / 2)
    middles, reach = rng.uniform(0, size, (count, 2)), rng.uniform(0.5, most, (count, 2))
    return np.concatenate([middles - reach, middles + reach], axis=1).astype(np.float32)


@given(SIZES, SCALES, SEEDS, st.integers(1, 8))
def test_each_point_of_an_area_is_in_a_tiles_block(size, scale, seed, count):
    tiles = tiles_around(areas(seed, count, size, scale), size, scale, LARGEST)
    rng = np.random.default_rng(seed)
    for left, top, right, bottom in areas(seed, count, size, scale).clip(0, [*size, *size]).tolist():
        for across, down in rng.random((8, 2)):
            x, y = left + across * (right - left), top + down * (bottom - top)
            blocks = [tile.block for tile in tiles]
            assert any(block.left <= x <= block.right and block.top <= y <= block.bottom for block in blocks)


@given(SIZES, SCALES, SEEDS, st.integers(1, 40))
def test_tiles_around_areas_take_no_more_pixels_than_those_of_the_whole_picture(size, scale, seed, count):
    whole = sum(tile.pixels for tile in tiles_of(size, scale, LARGEST))
    assert sum(tile.pixels for tile in tiles_around(areas(seed, count, size, scale), size, scale, LARGEST)) <= whole


@given(SIZES, st.sampled_from([1.0, 1.5]), SEEDS, st.integers(1, 40))
def test_no_tile_is_larger_than_those_of_the_whole_picture(size, scale, seed, count):
    for tile in tiles_around(areas(seed, count, size, scale), size, scale, LARGEST):
        assert max(tile.size) <= LARGEST + 64


def test_of_an_area_that_is_too_long_the_middle_is_shown():
    long = np.array([[100, 0, 140, 2000]], np.float32)
    (tile,) = tiles_around(long, (3000, 3000), 1.0, LARGEST)
    assert max(tile.size) <= LARGEST + 64
    assert tile.shown.top + tile.shown.bottom == pytest.approx(2000, abs=2)


@given(st.integers(24, 48), st.floats(1.2, 1.5), st.integers(-60, 60), st.sampled_from([0, 1]))
def test_a_face_with_its_area_is_found_wherever_it_is(width, ratio, away, axis):
    """It is on, or near, the place where a grid of tiles for the whole picture has a border."""
    size, middle = (1000, 1000), [500, 500]
    middle[axis] += away
    height = round(width * ratio)
    left, top = middle[0] - width // 2, middle[1] - height // 2
    face = (left, top, left + width, top + height)
    area = np.array([face], np.float32) + np.array([-20, -20, 20, 20], np.float32)
    others = np.array([[60, 60, 90, 90], [900, 880, 940, 930]], np.float32)
    tiles = tiles_around(np.concatenate([area, others]), size, 1.0, LARGEST)
    (found,) = scan(PaintedFaces(), painted(size, face, red=SCORE), tiles, 0.5)
    assert found[:4] == pytest.approx(face, abs=1)


def test_a_small_area_takes_few_pixels():
    one = np.array([[3000, 2000, 3020, 2030]], np.float32)
    (tile,) = tiles_around(one, (6000, 4000), 1.0, LARGEST)
    assert tile.pixels == padded(20 + 2 * MARGIN) * padded(30 + 2 * MARGIN)


def test_areas_that_are_close_together_share_a_tile_and_others_do_not():
    close = np.array([[1000, 1000, 1020, 1020], [1030, 1010, 1050, 1030]], np.float32)
    far = np.array([[4000, 3000, 4020, 3020]], np.float32)
    assert len(tiles_around(close, (6000, 4000), 1.0, LARGEST)) == 1
    assert len(tiles_around(np.concatenate([close, far]), (6000, 4000), 1.0, LARGEST)) == 2


def test_thousands_of_areas_in_one_place_share_a_tile():
    same = np.repeat(np.array([[100, 100, 150, 150]], np.float32), 5000, axis=0)
    assert len(tiles_around(same, (1000, 1000), 1.0, LARGEST)) == 1


def test_a_line_of_many_areas_takes_about_the_pixels_of_a_strip():
    line = np.array([[x, 500, x + 20, 520] for x in range(50, 4900, 25)], np.float32)
    taken = sum(tile.pixels for tile in tiles_around(line, (5000, 1000), 1.0, LARGEST))
    assert taken < 1.3 * 5000 * padded(20 + 2 * MARGIN)


def test_no_areas_take_no_tiles():
    assert tiles_around(NONE[:, :4], (6000, 4000), 1.0, LARGEST) == []


@pytest.mark.parametrize(
    ("distance", "count"), [(CONTEXT + 2, 1), (CONTEXT - 2, 0)], ids=["in the margin", "at the edge"]
)
def test_a_face_beside_the_area_counts_if_the_tile_shows_enough_around_it(distance, count):
    area = np.array([[300, 300, 400, 400]], np.float32)
    (tile,) = tiles_around(area, (1000, 1000), 1.0, LARGEST)
    x = tile.shown.right - distance
    assert x > area[0, 2]
    photo = painted((1000, 1000), (x - 6, 340, x + 6, 356), red=SCORE)
    assert len(scan(PaintedFaces(), photo, [tile], 0.5)) == count


def test_a_face_at_the_photos_edge_counts():
    area = np.array([[0, 300, 40, 340]], np.float32)
    photo = painted((1000, 1000), (0, 310, 12, 326), red=SCORE)
    assert len(scan(PaintedFaces(), photo, tiles_around(area, (1000, 1000), 1.0, LARGEST), 0.5)) == 1
