"""Turned faces: the hints, the crops around them, and the cost of the search."""

from __future__ import annotations

from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from faceblur.detectors.embedded.candidates import NONE, ROLL
from faceblur.detectors.embedded.turned import (
    BEST,
    FEWEST,
    HINTS,
    LARGE,
    LIKELY_TURNED,
    POSSIBLE,
    QUARTERS,
    ROLLS,
    SMALL,
    crops,
    find_rotated,
    find_turned_faces,
    score_in_the_middle,
    turned_hints,
)
from tests.support.pictures.photos import HOPPER_FACE, hopper_pixels
from tests.support.standins.network import GREEN, Blind, PaintedFaces, painted

CROPS = pytest.mark.parametrize("crop", [SMALL, LARGE], ids=["small", "large"])


def test_where_all_faces_are_known_the_slow_network_sees_nothing():
    faces = [(100, 100, 140, 150), (300, 200, 340, 250)]
    photo = painted((800, 600), *faces, green=0.9)
    known = np.array([[*face, 90, 0] for face in faces], np.float32)
    network = Blind()
    assert len(find_turned_faces(network, PaintedFaces(GREEN), photo, known)) == 0
    assert network.pictures == []
    find_turned_faces(network, PaintedFaces(GREEN), photo, known[:1])
    assert len(network.pictures) == 1 + len(ROLLS)


@given(
    st.sampled_from(list(QUARTERS)),
    st.tuples(st.integers(0, 260), st.integers(0, 150), st.integers(10, 40), st.integers(10, 50)),
)
def test_a_face_found_in_a_rotated_picture_is_placed_in_the_picture_itself(side, at):
    left, top, width, height = at
    face = left, top, left + width, top + height
    (found,) = find_rotated(PaintedFaces(GREEN), painted((300, 200), face, green=0.9), side)
    assert found[:4].tolist() == list(face)
    assert found[ROLL] == 90 * side


@pytest.mark.parametrize("size", [(500, 401), (3000, 2001)])
def test_hints_are_places_in_the_photo_itself(size):
    face = (100, 120, 160, 200)
    (hint,) = turned_hints(PaintedFaces(GREEN), painted(size, face, green=0.9))
    assert hint[:4] == pytest.approx(face, abs=4)


def places_in(size: tuple[int, int]) -> int:
    """The number of hints that are followed in a photo of this size that is full of hints."""
    return max(FEWEST, ceil(HINTS * size[0] * size[1] / 1e6))


def looked_at(size: tuple[int, int], score: float) -> list[int]:
    """The sides of the crops that the slow network is shown of a photo full of hints, where it sees this score."""
    faces = [(x, y, x + 24, y + 24) for x in range(20, size[0] - 40, 60) for y in range(20, size[1] - 40, 60)]
    assert len(faces) > places_in(size)
    network = PaintedFaces()
    photo = painted(size, *faces, red=score, green=0.9)
    assert len(find_turned_faces(network, PaintedFaces(GREEN), photo, NONE)) == places_in(size)
    assert all(width == height for width, height in network.shown)
    return [side for side, _ in network.shown]


SIZES = pytest.mark.parametrize("size", [(320, 240), (800, 600), (1400, 1000)])


@SIZES
def test_a_clear_face_is_seen_once(size):
    assert looked_at(size, 0.9) == [LARGE.side] * places_in(size)


@SIZES
def test_a_hint_without_a_face_gets_small_crops_in_all_rolls_and_no_larger_ones(size):
    shown = looked_at(size, 0.0)
    assert shown == [LARGE.side] * places_in(size) + [SMALL.side] * places_in(size) * len(ROLLS)


@SIZES
def test_what_may_be_a_face_is_seen_larger_in_the_best_turns(size):
    shown = looked_at(size, (POSSIBLE + LIKELY_TURNED) / 2)
    assert shown.count(SMALL.side) == places_in(size) * len(ROLLS)
    assert shown.count(LARGE.side) == places_in(size) * (1 + BEST)


def test_only_the_best_hints_are_followed():
    size = 800, 600
    photo = Image.new("RGB", size)
    levels = range(100, 250, 6)
    for number, level in enumerate(levels):
        left, top = 20 + 120 * (number % 6), 20 + 110 * (number // 6)
        photo.paste((0, level, 0), (left, top, left + 40, top + 40))
    network = Blind()
    find_turned_faces(network, PaintedFaces(GREEN), photo, NONE)
    middles = {picture.getpixel((picture.width // 2, picture.height // 2))[1] for picture in network.pictures}
    assert middles == set(levels[-places_in(size) :])


@CROPS
@pytest.mark.parametrize("roll", ROLLS.tolist())
def test_a_crop_shows_a_turned_face_upright(crop, roll):
    picture = hopper_pixels()
    left, top = HOPPER_FACE.left * picture.width, HOPPER_FACE.top * picture.height
    right, bottom = HOPPER_FACE.right * picture.width, HOPPER_FACE.bottom * picture.height
    hint = np.array([left, top, right, bottom, 0.5, 0], np.float32)
    turned = picture.rotate(-roll, Image.Resampling.BICUBIC, center=((left + right) / 2, (top + bottom) / 2))
    (upright,) = crops(picture, hint, crop, np.array([0]))
    # What turning the photo cut off is not in the middle.
    middle = slice(crop.side // 4, -crop.side // 4)
    differences = [
        np.abs(np.asarray(upright, int)[middle, middle] - np.asarray(shown, int)[middle, middle]).mean()
        for shown in crops(turned, hint, crop, ROLLS)
    ]
    assert ROLLS[np.argmin(differences)] == roll
    lowest, second, *_ = sorted(differences)
    assert lowest < second / 2


@CROPS
def test_a_crop_has_the_face_in_its_middle_and_black_outside_the_photo(crop):
    photo = painted((300, 200), (0, 0, 40, 50), red=0.9)
    hint = np.array([0, 0, 40, 50, 0.5, 0], np.float32)
    for shown in crops(photo, hint, crop, ROLLS):
        assert shown.size == (crop.side, crop.side)
        ((left, top, right, bottom, _, _),) = PaintedFaces().find_in_each([shown], 0.5)[0]
        assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx([crop.side / 2] * 2, abs=1)
    upright, *_ = crops(photo, hint, crop, ROLLS)
    (face,) = PaintedFaces().find_in_each([upright], 0.5)[0]
    assert face[2] - face[0] == pytest.approx(crop.face, abs=1)
    white = Image.new("RGB", (300, 200), "white")
    for corner, beyond in (((0, 0), (1, 1)), ((260, 150), (-2, -2))):
        at = np.array([*corner, corner[0] + 40, corner[1] + 50, 0.5, 0], np.float32)
        light = np.asarray(next(crops(white, at, crop, ROLLS)).convert("L"))
        assert light[beyond] == 0
        assert light[crop.side // 2, crop.side // 2] == 255


def test_of_a_face_as_large_as_the_photo_no_more_is_cut_out_than_there_is():
    """As a square of its own it would be more than Pillow cuts out."""
    picture = Image.new("RGB", (6300, 6300), "white")
    face = np.array([100, 100, 6200, 6200, 0.5, 0], np.float32)
    upright, *others = crops(picture, face, SMALL, ROLLS)
    assert {shown.size for shown in (upright, *others)} == {(SMALL.side, SMALL.side)}
    light = np.asarray(upright.convert("L"))
    covered = 6300 / 6100 * SMALL.face
    assert (light > 128).sum() == pytest.approx(covered**2, rel=0.15)


def test_only_what_holds_the_middle_of_a_crop_counts():
    middle, far = SMALL.side / 2, SMALL.side
    around = [middle - 8, middle - 9, middle + 8, middle + 9, 0.4, 0]
    weaker = [middle - 5, middle - 5, middle + 5, middle + 5, 0.3, 0]
    right, left = [middle + 1, 0, far, far, 0.9, 0], [0, 0, middle - 1, far, 0.9, 0]
    below, above = [0, middle + 1, far, far, 0.9, 0], [0, 0, far, middle - 1, 0.9, 0]
    beside = [right, left, below, above]
    assert score_in_the_middle(np.array([weaker, around, *beside], np.float32), SMALL) == pytest.approx(0.4)
    assert score_in_the_middle(np.array(beside, np.float32), SMALL) == 0
    assert score_in_the_middle(NONE, SMALL) == 0
