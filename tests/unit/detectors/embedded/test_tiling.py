"""Large pictures in tiles: all is seen, and each face is found once, where it lies."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from faceblur.detectors.embedded.candidates import NONE, joined
from faceblur.detectors.embedded.network import padded
from faceblur.detectors.embedded.tiling import (
    CLEAR,
    CUT,
    MARGIN,
    SMALLER,
    Tile,
    batch_size,
    batches,
    blocks_of,
    find_in_batches,
    in_picture,
    scan,
    scan_pyramid,
    tile_of,
    tiles_of,
    view,
)
from faceblur.geometry import Rectangle
from tests.support.pictures.photos import street_pixels
from tests.support.standins.network import Blind, PaintedFaces, painted

SCALES = st.floats(0.05, 2.0)
SIZES = st.tuples(st.integers(16, 12_000), st.integers(16, 12_000))
LARGEST = 512
# Small enough for a test to count each pixel.
SMALL_SIZES = st.tuples(st.integers(16, 400), st.integers(16, 400))
SMALL_LARGEST = 64
SCORE = 0.8


def times_held(blocks: list[Rectangle], size: tuple[int, int]) -> np.ndarray:
    """For each pixel of the picture, the number of blocks that hold it."""
    counts = np.zeros((size[1], size[0]), int)
    for left, top, right, bottom in blocks:
        assert 0 <= left < right <= size[0]
        assert 0 <= top < bottom <= size[1]
        counts[top:bottom, left:right] += 1
    return counts


@given(SMALL_SIZES, SCALES)
def test_the_blocks_of_a_picture_hold_each_pixel_once(size, scale):
    assert (times_held(blocks_of(size, scale, SMALL_LARGEST), size) == 1).all()


@given(SIZES, SCALES)
def test_blocks_are_all_alike_and_the_fewest_that_are_not_too_large(size, scale):
    blocks = blocks_of(size, scale, LARGEST)
    columns, rows = len({block.left for block in blocks}), len({block.top for block in blocks})
    assert len(blocks) == columns * rows
    for side, count in ((size[0], columns), (size[1], rows)):
        assert side * scale / count <= LARGEST
        assert count == 1 or side * scale / (count - 1) > LARGEST
    assert len({block.right - block.left for block in blocks}) <= 2
    assert len({block.bottom - block.top for block in blocks}) <= 2


@given(SIZES, SCALES, st.data())
def test_a_tile_shows_a_block_with_its_margins_and_what_would_be_padding(size, scale, data):
    block = data.draw(st.sampled_from(blocks_of(size, scale, LARGEST)))
    shown = tile_of(block, scale, size)
    left, top, right, bottom = shown.shown
    for start, first, last, end, side in (
        (left, block.left, block.right, right, size[0]),
        (top, block.top, block.bottom, bottom, size[1]),
    ):
        assert 0 <= start <= first < last <= end <= side
        assert start == 0 or (first - start) * scale >= MARGIN
        assert end == side or (end - last) * scale >= MARGIN
        # Blocks and margins end at whole pixels of the picture.
        needed = (min(last + MARGIN / scale, side) - max(first - MARGIN / scale, 0)) * scale
        assert (end - start) * scale <= padded(needed + 2 * scale) + 0.5
    assert max(shown.size) <= padded(LARGEST + 2 * MARGIN + 3 * scale)
    assert min(shown.size) >= 1


@given(st.integers(1000, 2000), st.sampled_from([0.5, 1.0, 1.25, 1.5]), st.integers(0, 500), st.integers(10, 200))
def test_the_networks_input_is_not_padded_where_the_picture_goes_on(side, scale, start, length):
    shown = tile_of(Rectangle(start, start, start + length, start + length), scale, (side, side)).size
    assert all(padded(taken) - taken <= 2 * scale for taken in shown)


def test_a_tile_shows_the_picture_at_its_scale():
    tile = Tile(Rectangle(100, 100, 200, 200), Rectangle(90, 80, 210, 220), (60, 70))
    shown = view(street_pixels(), tile)
    assert shown.size == (60, 70)
    expected = street_pixels().crop(tile.shown).reduce(2)
    assert np.abs(np.asarray(shown, int) - np.asarray(expected, int)).mean() < 8


def test_a_tile_at_full_scale_shows_the_pixels_themselves():
    shown = Rectangle(90, 80, 210, 220)
    assert view(street_pixels(), Tile(shown, shown, (120, 140))) == street_pixels().crop(shown)


@given(SIZES, SCALES)
def test_a_batch_is_of_one_size_and_has_no_more_pixels_than_the_largest_tile(size, scale):
    network = Blind()
    tiles = sorted(tiles_of(size, scale, LARGEST), key=lambda tile: tile.size)
    every = list(batches(tiles, network))
    assert [tile for batch in every for tile in batch] == tiles
    for batch in every:
        assert len({tile.size for tile in batch}) == 1
        taken = sum(tile.pixels for tile in batch)
        assert len(batch) == 1 or taken <= padded(LARGEST + 2 * MARGIN) ** 2


def test_pictures_of_one_size_are_searched_in_batches_and_answered_in_order():
    places = [(number % 20, number // 20) for number in range(230)]
    pictures = [painted((64, 64), (x, y, x + 10, y + 10), red=SCORE) for x, y in places]
    network = PaintedFaces(largest_block=96)
    found = find_in_batches(network, pictures, 0.5)
    assert [tuple(face[:2]) for (face,) in found] == places
    assert max(network.batches) == batch_size(network, (64, 64)) == 6
    assert sum(network.batches) == len(pictures)


def test_no_pictures_need_no_network():
    network = Blind()
    assert find_in_batches(network, [], 0.5) == []
    assert network.pictures == []


def faces_in(size: tuple[int, int]) -> st.SearchStrategy:
    """A face anywhere in a picture: its left top corner, and its width."""
    return st.tuples(st.integers(0, size[0] - 24), st.integers(0, size[1] - 30), st.integers(10, 24))


PICTURE = 300, 230


@given(faces_in(PICTURE), st.sampled_from([0.75, 1.0, 1.75]))
@example((150 - 10, 115 - 13, 20), 1.0)
@example((95, 0, 10), 1.75)  # each tile places the centre in the other one's block
def test_a_face_is_found_once_where_it_lies_even_on_a_border(face, scale):
    left, top, width = face
    corners = left, top, left + width, top + round(1.3 * width)
    tiles = tiles_of(PICTURE, scale, SMALL_LARGEST)
    assert len(tiles) > 1
    (found,) = scan(PaintedFaces(), painted(PICTURE, corners, red=SCORE), tiles, 0.5)
    assert found[:4] == pytest.approx(corners, abs=2 / scale)
    assert found[4] == pytest.approx(SCORE, abs=0.02)


@pytest.mark.parametrize("corner", [*product((0, PICTURE[0] - 20), (0, PICTURE[1] - 26))])
def test_a_face_in_a_corner_of_the_photo_is_found(corner):
    face = (*corner, corner[0] + 20, corner[1] + 26)
    tiles = tiles_of(PICTURE, 1.0, SMALL_LARGEST)
    (found,) = scan(PaintedFaces(), painted(PICTURE, face, red=SCORE), tiles, 0.5)
    assert found[:4].tolist() == list(face)


@settings(max_examples=40)
@given(st.tuples(*[st.floats(0, 1)] * 2), st.floats(0.05, 1.0))
def test_a_face_of_any_size_is_found_once_by_a_pyramid(at, share):
    size = 400, 350  # seen at three scales
    width = share * size[0] / 1.25
    height = 1.2 * width
    assume(height < size[1])
    left, top = (round(place * (side - taken)) for place, side, taken in zip(at, size, (width, height), strict=True))
    corners = left, top, round(left + width), round(top + height)
    network = PaintedFaces(largest_block=SMALL_LARGEST)
    (found,) = scan_pyramid(network, painted(size, corners, red=SCORE), 1.0, 0.5)
    assert found[:4] == pytest.approx(corners, abs=max(3, 0.12 * width))


def test_a_pyramid_ends_with_one_tile_of_the_whole_picture():
    network = Blind()
    scan_pyramid(network, Image.new("RGB", (4000, 3000)), 1.0, 0.5)
    seen = {picture.size for picture in network.pictures}
    assert any(max(size) <= LARGEST and size[0] / size[1] == pytest.approx(4 / 3, abs=0.01) for size in seen)


def test_a_picture_that_one_tile_shows_is_seen_once():
    network = Blind()
    scan_pyramid(network, Image.new("RGB", (500, 400)), 1.0, 0.5)
    assert [picture.size for picture in network.pictures] == [(500, 400)]


class SeesTheWhole(PaintedFaces):
    """Sees the faces in pictures of one size alone."""

    def __init__(self, size):
        super().__init__()
        self.size = size

    def find_in_each(self, pictures, threshold):
        found = super().find_in_each(pictures, threshold)
        return [each if picture.size == self.size else NONE for each, picture in zip(found, pictures, strict=True)]


def test_what_is_small_in_a_smaller_scan_is_left_to_the_larger_one():
    sides = [SMALLER * (CLEAR - 3), SMALLER * (CLEAR + 3)]
    faces = [(100 + 300 * place, 100, 100 + 300 * place + side, 100 + side) for place, side in enumerate(sides)]
    network = SeesTheWhole((900 // SMALLER, 900 // SMALLER))
    (found,) = scan_pyramid(network, painted((900, 900), *faces, red=SCORE), 1.0, 0.5)
    assert found[:4] == pytest.approx(faces[1], abs=SMALLER)


SIZE = 1000, 800
INNER = Tile(Rectangle(200, 200, 400, 400), Rectangle(150, 150, 450, 450), (150, 150))
CORNER = Tile(Rectangle(0, 0, 200, 200), Rectangle(0, 0, 250, 250), (250, 250))
FAR_CORNER = Tile(Rectangle(800, 600, 1000, 800), Rectangle(750, 550, 1000, 800), (250, 250))


@pytest.mark.parametrize(
    ("tile", "box", "expected"),
    [
        (INNER, (40, 50, 60, 80), (230, 250, 270, 310)),
        (CORNER, (0, 0, 60, 80), (0, 0, 60, 80)),
        (FAR_CORNER, (190, 180, 250, 250), (940, 730, 1000, 800)),
        # Half a face beyond the photo's edge: its centre lies on the edge.
        (FAR_CORNER, (250, 250, 250, 250), (1000, 800, 1000, 800)),
    ],
    ids=["inside", "at the photo's edge", "at its other edge", "on the edge itself"],
)
def test_an_uncropped_face_of_the_tiles_own_block_stays(tile, box, expected):
    (found,) = in_picture(np.array([[*box, 0.9, 12]], np.float32), tile, SIZE)
    assert found.tolist() == pytest.approx([*expected, 0.9, 12])


@pytest.mark.parametrize(
    ("tile", "box"),
    [
        (INNER, (0, 50, 80, 90)),
        (INNER, (50, 0, 80, 90)),
        (INNER, (70, 60, 150, 90)),
        (INNER, (50, 70, 80, 150)),
        (INNER, (50, 70, 80, 150 - CUT / 2)),
        (CORNER, (120, 0, 250, 60)),
        (INNER, (2, 50, 20, 80)),
        (INNER, (50, 125, 70, 145)),
    ],
    ids=[
        "cut at the left",
        "cut at the top",
        "cut at the right",
        "cut at the bottom",
        "cut as good as",
        "cut within the photo",
        "left of the block",
        "below the block",
    ],
)
def test_faces_cut_by_an_edge_and_faces_of_another_tile_do_not_count(tile, box):
    assert len(in_picture(np.array([[*box, 0.9, 0]], np.float32), tile, SIZE)) == 0


@given(SIZES, SCALES, st.integers(0, 2**32 - 1), st.data())
def test_boxes_lie_within_the_picture(size, scale, seed, data):
    tile = data.draw(st.sampled_from(tiles_of(size, scale, LARGEST)))
    rng = np.random.default_rng(seed)
    corners = np.sort(rng.uniform(0, 1, (20, 2, 2)), axis=1).reshape(20, 4) * [*tile.size, *tile.size]
    found = in_picture(np.column_stack([corners, rng.random(20), np.zeros(20)]).astype(np.float32), tile, size)
    assert (found[:, :2] >= 0).all()
    assert (found[:, 2:4] <= np.array(size) + 1e-3 * max(size)).all()


def test_the_candidates_given_stay_as_they_are():
    given = np.array([[40, 50, 60, 80, 0.9, 0]], np.float32)
    before = given.copy()
    in_picture(given, INNER, SIZE)
    assert (given == before).all()


def test_no_tiles_hold_no_candidates():
    network = Blind()
    assert scan(network, street_pixels(), [], 0.5).tolist() == joined([]).tolist()
    assert network.pictures == []
