"""What counts as covered in a check must agree with the painted pixels."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from faceblur.geometry import Box
from faceblur.limits import Shape
from faceblur.photo import painting
from faceblur.photo.coverage import covered_share, opaque_paint, uncovered
from faceblur.photo.styles import Region, Style
from tests.support.pictures.masks import corners, ellipse

SIZE = (400, 300)
FACE = Box(0.4, 0.3, 0.2, 0.25 * 4 / 3, 90.0)  # 80 × 100 pixels


def painted(size: tuple[int, int], regions: list[Region]) -> np.ndarray:
    """Where nothing is left of a white picture when the regions are covered with black."""
    picture = Image.new("L", size, 255)
    painting.paint(picture, [Region(box, replace(style, kind="solid")) for box, style in regions])
    return np.asarray(picture) == 0


def inner(head: tuple[float, float, float, float, float]) -> tuple[float, float, float, float, float]:
    """The ellipse from the brows to the chin in that of a head: it leaves out an upper quarter, and 0.15 across."""
    x, y, across, down, roll = head
    turn = np.radians(roll)
    lower = 0.25 * down
    return x - lower * np.sin(turn), y + lower * np.cos(turn), 0.85 * across, 0.75 * down, roll


# Heads of 8 to 90 pixels that no edge of the picture cuts.
heads = st.builds(
    lambda x, y, width, roll: (x, y, width / 2, 1.25 * width / 2, roll),
    st.floats(62, 338),
    st.floats(62, 238),
    st.floats(8, 90),
    st.floats(-180, 180),
)
regions = st.builds(
    Region,
    st.builds(
        Box,
        *[st.floats(-0.1, 0.9)] * 2,
        *[st.floats(0.02, 0.5)] * 2,
        st.just(90.0),
        st.just(""),
        st.floats(-180, 180),
    ),
    st.builds(Style, shape=st.sampled_from(get_args(Shape)), padding=st.floats(0, 0.5)),
)


@given(st.lists(regions, max_size=4), heads)
@settings(max_examples=200)
def test_what_counts_as_covered_is_what_was_painted(
    found: list[Region], head: tuple[float, float, float, float, float]
) -> None:
    box = Box(*corners(SIZE, *head), 90.0, roll=head[4])
    face = ellipse(SIZE, *inner(head))
    edge = 0.03 + 3 / face.sum()  # pixels on the ellipse's edge, which may count or not
    share = covered_share(opaque_paint(SIZE, found), box)
    opaque = np.zeros_like(face)
    for region in found:
        opaque |= painted(SIZE, [region])
    # Where soft edges lie upon each other, nothing may be left of the picture either, but that does not count.
    assert opaque[face].mean() - edge <= share <= painted(SIZE, found)[face].mean() + edge


@given(st.floats(30, 120), st.floats(-180, 180))
def test_a_face_counts_from_the_brows_to_the_chin(width: float, roll: float) -> None:
    head = (200.3, 150.6, width / 2, 1.25 * width / 2, roll)
    box = Box(*corners(SIZE, *head), 90.0, roll=roll)
    face = ellipse(SIZE, *inner(head))
    assert covered_share(Image.fromarray(np.where(face, 255, 0).astype(np.uint8)), box) > 0.95
    assert covered_share(Image.fromarray(np.where(face, 0, 255).astype(np.uint8)), box) < 0.02


@given(regions)
def test_paint_that_counts_as_opaque_is_where_nothing_is_left(region: Region) -> None:
    assert np.array_equal(np.asarray(opaque_paint(SIZE, [region])) == 255, painted(SIZE, [region]))


@pytest.mark.parametrize("shape", get_args(Shape))
@pytest.mark.parametrize("roll", [0, 20, 45, 90, -135, 180])
@pytest.mark.parametrize("width", [8, 12, 50, 200])
@pytest.mark.parametrize(("x", "y"), [(200, 150), (3, 150), (399, 299)])
def test_a_face_that_was_hidden_is_covered_wherever_it_is(
    shape: Shape, roll: int, width: int, x: float, y: float
) -> None:
    box = Box(*corners(SIZE, x, y, width / 2, 1.25 * width / 2, roll), 90.0, roll=roll).clamp()
    assert uncovered(SIZE, [Region(box, Style(shape=shape))], [box]) == []
    assert uncovered(SIZE, [Region(box, Style(shape=shape, padding=0))], [box]) == []


@pytest.mark.parametrize(("share", "shows"), [(0.87, True), (0.93, False)])
def test_nine_tenths_of_a_face_must_be_under_paint(share: float, shows: bool) -> None:
    """The paint ends at an upright edge that leaves a part of the face uncovered."""
    face = ellipse(SIZE, *inner((200, 140, 40, 50, 0)))
    columns = np.cumsum(face.sum(axis=0)) / face.sum()
    edge = int(np.searchsorted(columns, share)) + 1
    # A box with the least padding, a tenth of its width, ends there.
    right = Region(Box((edge - 1.1 * 150) / 400, 0.1, 150 / 400, 0.8, 90.0), Style(shape="box", padding=0.1))
    assert painted(SIZE, [right])[face].mean() == pytest.approx(share, abs=0.02)
    assert uncovered(SIZE, [right], [FACE]) == ([FACE] if shows else [])


def test_paint_of_several_regions_counts_together() -> None:
    """Two boxes meet in the middle of a face, and each of them covers half of it."""
    style = Style(shape="box", padding=0.1)
    left, right = (Region(Box(start / 400, 0.2, 100 / 400, 0.6, 90.0), style) for start in (90, 210))
    assert uncovered(SIZE, [left], [FACE]) == [FACE]
    assert uncovered(SIZE, [right], [FACE]) == [FACE]
    assert uncovered(SIZE, [left, right], [FACE]) == []


def test_a_soft_edge_covers_nothing() -> None:
    face = Box(0.47, 0.45, 0.06, 0.1, 90.0)
    around = Box(0.4, 0.3, 0.12, 0.4, 90.0)
    region = Region(around, Style(padding=0.3))
    edge = painting.outline(SIZE, region).frame
    at_the_edge = replace(face, left=(edge.x + 0.96 * edge.across) / 400 - face.width / 2)
    assert covered_share(opaque_paint(SIZE, [region]), at_the_edge) < 0.5
    assert uncovered(SIZE, [region], [face, at_the_edge]) == [at_the_edge]


def test_those_that_show_keep_their_order_and_everything_that_is_known_of_them() -> None:
    hidden = Box(0.1, 0.1, 0.1, 0.15, 50.0, "first", 10.0)
    shown = [Box(0.7, 0.7, 0.1, 0.15, 40.0, "second", -10.0), Box(0.4, 0.5, 0.05, 0.07, 80.0, "second")]
    assert uncovered(SIZE, [Region(hidden, Style())], [shown[0], hidden, shown[1]]) == shown


def test_without_paint_every_face_shows_and_without_faces_none() -> None:
    assert uncovered(SIZE, [], [FACE]) == [FACE]
    assert uncovered(SIZE, [Region(FACE, Style())], []) == []


@pytest.mark.parametrize(
    "box", [Box(0.5, 0.5, 0.0, 0.0, 90.0), Box(0.5, 0.5, 0.0001, 0.0001, 90.0), Box(0.3, 0.5, 0.4, 0.0, 90.0)]
)
def test_even_a_box_without_area_shows(box: Box) -> None:
    assert uncovered(SIZE, [], [box]) == [box]
    assert uncovered(SIZE, [Region(box, Style())], [box]) == []


PLATE = (100, 130, 300, 170)  # left, top, right, bottom in pixels


@pytest.mark.parametrize(
    ("paint", "covered"),
    [(PLATE, 1.0), ((180, 130, 300, 170), 0.6), ((100, 130, 150, 170), 0.2), ((0, 0, 50, 50), 0.0)],
    ids=["whole", "first letters bare", "last letters bare", "elsewhere"],
)
@pytest.mark.parametrize("kind", ["plate", "text"])
def test_of_a_text_its_letters_count_and_not_the_margins(
    kind: str, paint: tuple[int, int, int, int], covered: float
) -> None:
    """A detector takes a painted plate for a text. Its box is larger than the paint, by the paint's height."""
    left, top, right, bottom = PLATE
    box = Box((left - 20) / 400, (top - 20) / 300, (right - left + 40) / 400, (bottom - top + 40) / 300, 90.0)
    painted = Image.new("L", SIZE)
    painted.paste(255, paint)
    # The letters reach from 20 pixels behind the plate's left end to 20 pixels before its right one.
    assert covered_share(painted, replace(box, kind=kind)) == pytest.approx(covered, abs=0.03)


def test_what_is_not_in_the_picture_does_not_show() -> None:
    assert uncovered(SIZE, [], [Box(1.2, 0.5, 0.2, 0.2, 90.0)]) == []


def test_a_large_face_that_is_hidden_in_pieces_is_covered() -> None:
    size = (5000, 4000)
    face = Box(0.2, 0.1, 0.5, 0.7, 90.0, roll=30)
    assert uncovered(size, [Region(face, Style())], [face]) == []
    assert uncovered(size, [Region(replace(face, left=0.45), Style())], [face]) == [face]


def test_a_crowd_is_told_apart() -> None:
    """Of thousands of faces in rows every third was not hidden."""
    size = (3000, 2000)
    crowd = [
        Box(column / 60 + 0.004, row / 40 + 0.004, 0.006, 0.012, 90.0, roll=random.Random(row).uniform(-30, 30))
        for row in range(40)
        for column in range(60)
    ]
    hidden = [box for number, box in enumerate(crowd) if number % 3]
    assert uncovered(size, [Region(box, Style()) for box in hidden], crowd) == crowd[::3]


@pytest.mark.parametrize(
    ("left", "top", "width", "height", "roll"),
    [(0.4, 0.96, 0.1, 0.04, 0), (0, 0.4, 0.03, 0.125, 90), (0.4, 0, 0.1, 0.04, 180)],
    ids=["chin below the photo", "turned, at the left edge", "upside down, at the top"],
)
def test_a_face_cut_off_below_the_forehead_counts_as_covered_only_if_it_is_painted(left, top, width, height, roll):
    """Its inner ellipse lies outside the picture, so the ellipse in its box counts."""
    box = Box(left, top, width, height, 90.0, roll=roll)
    assert uncovered((1000, 800), [], [box]) == [box]
    around = Region(Box(left - 0.1, top - 0.1, width + 0.2, height + 0.2, 90.0), Style(shape="box"))
    assert uncovered((1000, 800), [around], [box]) == []
