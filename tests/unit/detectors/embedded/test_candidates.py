"""Candidates for faces: which repeat each other, and how a face is turned."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceblur.detectors.embedded.candidates import (
    COMPARED,
    NONE,
    centres,
    have_centre_in,
    joined,
    rolls,
    suppress,
    widths,
)
from tests.support.pictures.scenes import part_inside, shared

SEEDS = st.integers(0, 2**32 - 1)
COUNTS = st.sampled_from([1, 20, COMPARED, 3 * COMPARED + 8])
# The eyes and the corners of the mouth of an upright face, left before right.
FRONTAL = np.array([[-10, -10], [10, -10], [-7, 12], [7, 12]], np.float32)
PROFILE = np.array([[0, -10], [0.5, -10], [0, 12], [0.5, 12]], np.float32)


def candidates(seed: int, count: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    corners, sides = rng.uniform(0, 100, (count, 2)), rng.uniform(1, 60, (count, 2))
    return np.column_stack([corners, corners + sides, rng.random(count), rng.uniform(-180, 180, count)]).astype(
        np.float32
    )


def is_in_the_middle(candidate: list[float], other: list[float]) -> bool:
    """Whether half of the candidate lies in the ellipse 1.1 times as large as the other."""
    across, down = (
        (
            abs(candidate[side] + candidate[side + 2] - other[side] - other[side + 2])
            + 0.5 * (candidate[side + 2] - candidate[side])
        )
        / (other[side + 2] - other[side])
        for side in (0, 1)
    )
    return across**2 + down**2 < 1.1**2


def test_a_face_in_the_corner_of_another_box_is_a_face_of_its_own():
    """The oval over a head does not reach into the corners of its box: a face there would show."""
    head, eyes, behind = [0, 0, 200, 250, 0.9, -30], [60, 80, 140, 130, 0.5, 0], [175, 0, 195, 25, 0.5, 0]
    kept = suppress(np.array([head, eyes, behind], np.float32), 0.4, 0.8)
    assert kept[:, 2].tolist() == [200, 195]


@given(SEEDS, COUNTS, st.floats(0.1, 0.9), st.sampled_from([0.6, 0.9, 1.0]))
def test_suppression_keeps_what_repeats_no_better_one(seed, count, overlap, inside):
    every = candidates(seed, count)
    kept = suppress(every, overlap, inside).tolist()
    assert kept == sorted(kept, key=lambda candidate: -candidate[4])
    for candidate in every.tolist():
        better = [other for other in kept if other[4] > candidate[4]]
        repeats = any(
            shared(candidate, other) > overlap
            or (part_inside(candidate, other) > inside and is_in_the_middle(candidate, other))
            for other in better
        )
        assert (candidate in kept) is not repeats


def test_one_of_two_equal_candidates_stays():
    twice = np.tile(candidates(0, 1), (2, 1))
    assert suppress(twice, 0.4).tolist() == twice[:1].tolist()


@pytest.mark.parametrize("empty", [suppress(NONE, 0.3), joined([]), joined([NONE, NONE])])
def test_nothing_found_is_an_empty_array(empty):
    assert empty.shape == (0, 6)
    assert empty.dtype == np.float32
    assert widths(empty).shape == (0,)
    assert centres(empty).shape == (0, 2)


def test_candidates_of_several_arrays_are_joined_in_order():
    first, second = candidates(1, 3), candidates(2, 2)
    assert joined([first, NONE, second]).tolist() == [*first.tolist(), *second.tolist()]


def test_the_width_is_the_shorter_side():
    boxes = np.array([[10, 20, 30, 60, 1, 0], [10, 20, 60, 30, 1, 90]], np.float32)
    assert widths(boxes).tolist() == [20, 10]
    assert centres(boxes).tolist() == [[20, 40], [35, 25]]


@given(SEEDS, COUNTS, st.integers(0, 20))
def test_which_candidates_have_their_centre_in_a_box(seed, count, boxes):
    every, others = candidates(seed, count), candidates(seed + 1, boxes)
    expected = [
        any(left <= x <= right and top <= y <= bottom for left, top, right, bottom, *_ in others.tolist())
        for x, y in centres(every).tolist()
    ]
    assert have_centre_in(every, others).tolist() == expected


def turned(points: np.ndarray, degrees: float) -> np.ndarray:
    """The points turned clockwise about the origin; y points down."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return points @ np.array([[cosine, sine], [-sine, cosine]], np.float32)


@pytest.mark.parametrize("face", [FRONTAL, PROFILE], ids=["frontal", "profile"])
@pytest.mark.parametrize(("degrees", "roll"), [(0, 0), (45, 45), (90, 90), (179, 179), (-60, -60), (270, -90)])
def test_the_roll_is_how_far_the_face_is_turned(face, degrees, roll):
    moved = turned(face, degrees) + np.float32(300)
    assert rolls(moved[None]) == pytest.approx([roll], abs=0.1)


def test_a_face_upside_down_is_turned_by_half_a_circle():
    assert np.abs(rolls(-FRONTAL[None])) == pytest.approx([180])


def test_each_face_has_its_own_roll():
    degrees = [0, 30, -120]
    assert rolls(np.stack([turned(FRONTAL, each) for each in degrees])) == pytest.approx(degrees, abs=0.1)


def test_a_profile_goes_by_the_line_from_mouth_to_eyes():
    # The eyes are one behind the other, so that the line between them tells nothing.
    eyes_askew = np.array([[0, -10], [1, -9], [0, 12], [0, 12]], np.float32)
    assert abs(rolls(eyes_askew[None])[0]) < 10
