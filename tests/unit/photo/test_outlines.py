"""The outlines of hidden regions: what they hold, how far they reach, and how they fade."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceblur.geometry import Box
from faceblur.limits import DEFAULT_PADDING, MIN_PADDING, Shape
from faceblur.photo import outlines
from faceblur.photo.styles import Region, Style
from tests.support.pictures.masks import corners, ellipse, opacities, opaque

SIZE = (400, 300)
HEAD = (200.0, 150.0, 40.0, 50.0)  # middle and half-axes of a head of the usual proportions, in pixels
FACE = Box(*corners(SIZE, *HEAD, 0), 99.0)

# A soft edge is 13 of the 512 rows of a stencil wide and rises smoothly: at most by half as much again as the mean.
MOST_AT_A_STEP = 30
INNER_EDGE = 0.95  # of the way to the edge: how far the paint is opaque

rolls = st.floats(-180, 180)


def turned(roll: float) -> Box:
    """The box that a detector draws around the head, if that is turned."""
    return Box(*corners(SIZE, *HEAD, roll), 99.0, roll=roll)


def lowered(x: float, y: float, down: float, roll: float) -> tuple[float, float]:
    """The middle of the default oval of this head: half of its opaque margin further down than that of the head."""
    distance = (1.48 * INNER_EDGE - 1) / 2 * down
    return x - np.sin(np.radians(roll)) * distance, y + np.cos(np.radians(roll)) * distance


def inner(x: float, y: float, across: float, down: float, roll: float) -> tuple[float, float, float, float, float]:
    """The ellipse from the brows to the chin, in a head."""
    turn = np.radians(roll)
    return (
        x - 0.25 * down * np.sin(turn),
        y + 0.25 * down * np.cos(turn),
        0.85 * across,
        0.75 * down,
        roll,
    )


# ---------------------------------------------------------------- the head in a box


@given(rolls)
def test_a_turned_head_is_reconstructed_from_the_box_around_it(roll: float) -> None:
    frame = outlines.head_frame(SIZE, turned(roll))
    assert (frame.x, frame.y, frame.across, frame.down) == pytest.approx(HEAD)
    assert frame.roll == roll


@pytest.mark.parametrize("roll", [0, 90, 180, -90])
@pytest.mark.parametrize(("across", "down"), [(30, 50), (50, 50), (40, 35)])
def test_an_upright_or_sideways_head_fills_its_box_whatever_its_proportions(
    roll: int, across: float, down: float
) -> None:
    box = Box(*corners(SIZE, 200, 150, across, down, roll), 99.0, roll=roll)
    frame = outlines.head_frame(SIZE, box)
    assert (frame.across, frame.down) == pytest.approx((across, down))


@given(rolls, st.floats(0.005, 0.2), st.floats(0.005, 0.2))
def test_there_is_a_head_in_every_box(roll: float, width: float, height: float) -> None:
    frame = outlines.head_frame(SIZE, Box(0.4, 0.4, width, height, 99.0, roll=roll))
    assert frame.across > 0
    assert frame.down > 0
    assert np.hypot(frame.across, frame.down) == pytest.approx(np.hypot(width * 400, height * 300) / 2)


@pytest.mark.parametrize("roll", [0, 30, -60, 90, 180])
@pytest.mark.parametrize(
    ("x", "y"), [(0, 150), (400, 150), (200, 0), (200, 300), (12, 150), (385, 290), (0, 0), (400, 300), (10, 290)]
)
def test_the_visible_part_of_a_cropped_head_is_hidden(roll: float, x: float, y: float) -> None:
    cut = Box(*corners(SIZE, x, y, *HEAD[2:], roll), 99.0, roll=roll).clamp()
    seen = ellipse(SIZE, *inner(x, y, *HEAD[2:], roll))
    hidden = opaque(SIZE, Region(cut, Style()))
    assert hidden[seen].mean() > 0.97


def test_an_uncropped_head_is_not_extended() -> None:
    narrow = Box(0.01, 0.2, 0.02, 0.6, 99.0)
    assert outlines.uncropped_frame(SIZE, narrow) == outlines.box_frame(SIZE, narrow)
    at_the_edge = outlines.uncropped_frame(SIZE, replace(narrow, left=0.0))
    assert at_the_edge.across > 4 * outlines.box_frame(SIZE, narrow).across
    assert at_the_edge.x + at_the_edge.across == pytest.approx(0.02 * 400)


# ---------------------------------------------------------------- what an outline holds


@pytest.mark.parametrize("shape", get_args(Shape))
@pytest.mark.parametrize("width", [5, 20, 90, 1600])
@pytest.mark.parametrize("height", [7, 25, 110, 1900])
def test_nothing_shows_through_anywhere_in_the_face(shape: Shape, width: int, height: int) -> None:
    size = (width * 3 + 1, height * 3 + 2)
    box = Box(0.31, 0.34, 0.32, 0.33, 99.0)
    hidden = opaque(size, Region(box, Style(shape=shape)))
    if shape == "ellipse":
        middle = (box.left + box.width / 2) * size[0], (box.top + box.height / 2) * size[1]
        face = ellipse(size, *middle, box.width * size[0] / 2, box.height * size[1] / 2, 0)
    else:
        rows, columns = (each + 0.5 for each in np.ogrid[: size[1], : size[0]])
        face = (abs(columns / size[0] - 0.47) <= 0.16) & (abs(rows / size[1] - 0.505) <= 0.165)
    assert face.any()
    assert hidden[face].all()


@given(st.sampled_from(get_args(Shape)), rolls, st.floats(8, 60))
def test_with_the_least_padding_the_paint_over_a_head_is_opaque(shape: Shape, roll: float, width: float) -> None:
    head = (200.3, 150.6, width / 2, 1.25 * width / 2, roll)
    box = Box(*corners(SIZE, *head), 99.0, roll=roll)
    assert opaque(SIZE, Region(box, Style(shape=shape, padding=0)))[ellipse(SIZE, *head)].all()


ERRORS = {
    "turned too far": lambda box: replace(box, roll=box.roll + 20),
    "turned too little": lambda box: replace(box, roll=box.roll - 20),
    "too small": lambda box: Box(
        box.left + 0.075 * box.width,
        box.top + 0.075 * box.height,
        0.85 * box.width,
        0.85 * box.height,
        99.0,
        "",
        box.roll,
    ),
    "too far left": lambda box: replace(box, left=box.left - 0.1 * box.width),
    "too far right": lambda box: replace(box, left=box.left + 0.1 * box.width),
    "too high": lambda box: replace(box, top=box.top - 0.1 * box.height),
    "too low": lambda box: replace(box, top=box.top + 0.1 * box.height),
}


@pytest.mark.parametrize("roll", range(-180, 180, 30))
@pytest.mark.parametrize("error", ERRORS)
def test_a_slightly_wrong_box_still_hides_the_face(error: str, roll: int) -> None:
    hidden = opaque(SIZE, Region(ERRORS[error](turned(roll)), Style()))
    assert hidden[ellipse(SIZE, *inner(*HEAD, roll))].all()


# ---------------------------------------------------------------- how far it reaches


@pytest.mark.parametrize(("padding", "reach"), [(None, 1.48), (0.0, 1.2), (0.1, 1.2), (0.5, 2.0)])
def test_an_outline_is_no_larger_than_the_padded_face(padding: float | None, reach: float) -> None:
    """In units of the face: the default leaves 0.24 of it on each side, and nothing leaves less than 0.1."""
    style = Style() if padding is None else Style(padding=padding)
    painted = opacities(SIZE, Region(FACE, style))
    for axis, side in ((0, 80), (1, 100)):
        assert (painted > 0).any(axis=axis).sum() / side == pytest.approx(reach, abs=0.03)
        assert (painted == 255).any(axis=axis).sum() / side == pytest.approx(INNER_EDGE * reach, abs=0.03)


@pytest.mark.parametrize("padding", [MIN_PADDING, DEFAULT_PADDING, 0.5])
def test_an_oval_reaches_three_times_as_far_below_the_chin_as_above_the_forehead(padding: float) -> None:
    """Detectors place boxes too high more often than too low; both margins hide more than the box."""
    rows = np.flatnonzero((opacities(SIZE, Region(FACE, Style(padding=padding))) == 255).any(axis=1))
    above, below = 100 - rows[0], rows[-1] + 1 - 200
    assert above > 0
    assert below / above == pytest.approx(3, abs=0.8)


@given(rolls, st.floats(4, 60), st.floats(0, 0.5))
def test_an_oval_is_opaque_to_a_pixel_outside_the_head(roll: float, width: float, padding: float) -> None:
    """Also above the forehead of a tiny face. The pixels of the outline's own edge may differ by one."""
    x, y, across, down = 200.3, 150.6, width / 2, 1.25 * width / 2
    box = Box(*corners(SIZE, x, y, across, down, roll), 99.0, roll=roll)
    assert opaque(SIZE, Region(box, Style(padding=padding)))[ellipse(SIZE, x, y, across + 0.5, down + 0.5, roll)].all()


def test_an_oval_is_the_smallest_of_the_outlines_and_a_box_the_largest() -> None:
    oval, rounded, box = ((opacities(SIZE, Region(FACE, Style(shape=shape))) > 0).sum() for shape in get_args(Shape))
    assert oval / (1.48**2 * 8000) == pytest.approx(np.pi / 4, abs=0.02)
    assert rounded / (1.48**2 * 8000) == pytest.approx(0.96, abs=0.02)
    assert box / (1.48**2 * 8000) == pytest.approx(1, abs=0.02)


def test_no_option_gives_less_padding_than_the_least() -> None:
    least, none = (outlines.outline(SIZE, Region(FACE, Style(padding=padding))) for padding in (MIN_PADDING, 0))
    assert none == least


def test_only_an_oval_is_turned_with_the_head() -> None:
    box = turned(40)
    for shape, roll in (("ellipse", 40), ("rounded", 0), ("box", 0)):
        assert outlines.outline(SIZE, Region(box, Style(shape=shape))).frame.roll == roll
    assert opaque(SIZE, Region(box, Style()))[ellipse(SIZE, *HEAD, 40)].all()


@pytest.mark.parametrize("shape", get_args(Shape))
@pytest.mark.parametrize("roll", [0, 30, -45, 90, 170])
def test_a_drawn_box_is_covered_as_it_lies(shape: Shape, roll: float) -> None:
    """All of its inner ellipse, and in angular shapes all of the turned rectangle itself, for every padding."""
    x, y, across, down = 200, 150, 60, 25
    drawn = Box(140 / 400, 125 / 300, 120 / 400, 50 / 300, 100, "person", roll, turned=True)
    painted = opaque(SIZE, Region(drawn, Style(shape=shape, padding=MIN_PADDING)))
    assert painted[ellipse(SIZE, x, y, across, down, roll)].all()
    rows, columns = np.indices(SIZE[::-1]) + 0.5
    turn = np.radians(roll)
    along = (columns - x) * np.cos(turn) + (rows - y) * np.sin(turn)
    below = (rows - y) * np.cos(turn) - (columns - x) * np.sin(turn)
    rectangle = (abs(along) <= across) & (abs(below) <= down)
    if shape == "box":
        assert painted[rectangle].all()
    reach = 1.25
    assert not painted[(abs(along) > reach * across) | (abs(below) > reach * down)].any()


@given(st.floats(1, 90), st.floats(1, 90), rolls)
def test_a_turned_rectangle_just_fits_into_its_bounds(across: float, down: float, roll: float) -> None:
    """Nothing is painted outside of them, so narrower ones would leave a corner bare."""
    bounds = outlines.Frame(200.3, 150.6, across, down, roll).corner_bounds
    turn = np.radians(roll)
    sides = np.array([(side * across, end * down) for side in (-1, 1) for end in (-1, 1)])
    corners_ = sides @ [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]] + (200.3, 150.6)
    assert (bounds.left, bounds.top) == pytest.approx(corners_.min(axis=0) - 0.5, abs=0.501)
    assert (bounds.right, bounds.bottom) == pytest.approx(corners_.max(axis=0) + 0.5, abs=0.501)


def test_with_the_default_padding_an_oval_covers_the_corners_of_a_drawn_box() -> None:
    drawn = Box(0.3, 0.3, 0.2, 0.3, 100, "person", turned=True)
    painted = opaque(SIZE, Region(drawn, Style()))
    assert painted[90:180, 120:200].mean() > 0.99


@given(
    st.sampled_from(get_args(Shape)),
    st.builds(
        Box, *[st.floats(-0.3, 1.2)] * 2, *[st.floats(0, 0.9)] * 2, st.just(99.0), st.just(""), rolls, st.booleans()
    ),
)
def test_outlines_lie_within_the_part_of_the_picture_that_they_name(shape: Shape, box: Box) -> None:
    outline = outlines.outline((83, 61), Region(box, Style(shape=shape)))
    left, top, right, bottom = outline.visible
    assert 0 <= left <= right <= 83
    assert 0 <= top <= bottom <= 61
    covered = [piece for piece, part in outline.pieces() if part.size == piece.size]
    assert sum(piece.size[0] * piece.size[1] for piece in covered) == (right - left) * (bottom - top)


# ---------------------------------------------------------------- how it is drawn


@pytest.mark.parametrize("shape", ["ellipse", "rounded"])
def test_soft_outlines_fade_and_end_at_their_edge(shape: Shape) -> None:
    stencil = np.asarray(outlines.stencil(shape), int)
    assert stencil[0].max() <= 1
    assert stencil[:, 0].max() <= 1
    steps = np.diff(stencil[256, :256])
    assert steps.min() >= 0
    assert steps.max() <= MOST_AT_A_STEP


@pytest.mark.parametrize("roll", [0, 33, -120])
def test_a_soft_edge_is_as_wide_all_around(roll: float) -> None:
    painted = opacities(SIZE, Region(turned(roll), Style()))
    x, y, across, down = HEAD
    x, y = lowered(x, y, down, roll)
    assert (painted[ellipse(SIZE, x, y, 1.48 * INNER_EDGE * across, 1.48 * INNER_EDGE * down, roll)] > 250).all()
    assert not painted[~ellipse(SIZE, x, y, 1.49 * across, 1.49 * down, roll)].any()


@pytest.mark.parametrize(("longer_side", "drawn"), [(40, 512), (513, 512), (2048, 512), (2100, 525), (8000, 2000)])
def test_the_outline_is_drawn_anew_only_where_repeated_pixels_would_show(longer_side: int, drawn: int) -> None:
    stencil = outlines.stencil("ellipse")
    whole = outlines.enlarged(stencil, (longer_side, longer_side), outlines.FINE_OUTLINE)
    assert max(whole.size) == drawn
    assert (whole is stencil) == (drawn == outlines.FINE_OUTLINE)


@pytest.mark.parametrize("roll", [0, 25])
def test_a_large_outline_comes_in_pieces_that_fit_together(roll: float) -> None:
    size = (4000, 3000)
    region = Region(replace(turned(roll), left=0.2, top=0.1, width=0.5, height=0.8), Style())
    pieces = list(outlines.outline(size, region).pieces())
    assert len(pieces) > 5
    assert max(part.width * part.height for _, part in pieces) <= outlines.PIXELS_AT_ONCE
    for (_, above), (_, below) in pairwise(pieces):
        last, first = np.asarray(above, int)[-1], np.asarray(below, int)[0]
        assert np.abs(last - first).max() <= MOST_AT_A_STEP


def test_a_box_is_filled_to_its_edge() -> None:
    painted = opacities(SIZE, Region(FACE, Style(shape="box")))
    assert set(np.unique(painted)) == {0, 255}


@pytest.mark.parametrize("kind", ["face", "text"])
def test_a_region_that_reaches_far_outside_takes_no_more_memory_than_the_picture(kind) -> None:
    """A request may ask for one. Its stencil would have as many pixels as the square of its longer side."""
    far = Box(-99.5, 0.4, 200, 0.1, 99.0, kind=kind, turned=True)
    outline = outlines.outline(SIZE, Region(far, Style()))
    stencils = []
    enlarged = outlines.enlarged
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outlines, "enlarged", lambda *given: stencils.append(enlarged(*given)) or stencils[-1])
        painted = list(outline.pieces())
    assert max(stencils[0].size) <= outlines.FINE_OUTLINE
    assert painted
