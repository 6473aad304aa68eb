from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceblur.faces import Box
from faceblur.styles import Region, Style, count_faces, regions_for, rgb

ONE = Box(0.1, 0.1, 0.2, 0.2, 99)
OTHER = Box(0.6, 0.6, 0.2, 0.2, 90)
SAME_AS_ONE = Box(0.12, 0.1, 0.2, 0.2, 60)
FAR = Box(0.8, 0.1, 0.1, 0.1, 70)
TOUCHING_ONE = Box(0.25, 0.1, 0.2, 0.2, 70)
WITHIN_ONE = Box(0.15, 0.15, 0.05, 0.05, 70)
AROUND_ONE = Box(0.0, 0.0, 0.4, 0.4, 70)

# ---------------------------------------------------------------- how many faces there are


@pytest.mark.parametrize(
    ("boxes", "missed", "count"),
    [
        ([], [], 0),
        ([ONE, OTHER], [], 2),
        ([], [ONE, OTHER], 2),
        ([ONE], [FAR], 2),
        ([ONE], [ONE], 1),
        ([ONE], [SAME_AS_ONE], 1),
        ([ONE, OTHER], [SAME_AS_ONE, FAR], 3),
        ([ONE], [WITHIN_ONE], 1),
        ([ONE], [AROUND_ONE], 1),
        ([ONE], [TOUCHING_ONE], 2),
    ],
)
def test_a_face_that_is_found_again_counts_once(boxes, missed, count):
    assert count_faces(boxes, missed) == count


@pytest.mark.parametrize("missed", [[], [FAR], [SAME_AS_ONE], [FAR, WITHIN_ONE], [TOUCHING_ONE]])
def test_what_is_not_counted_again_is_what_gets_solid(missed):
    regions = regions_for([ONE, OTHER], missed, Style())
    again = sum(region.style.kind == "solid" for region in regions[2:])
    assert count_faces([ONE, OTHER], missed) == 2 + len(missed) - again


# ---------------------------------------------------------------- which region gets which style


def test_a_face_that_was_overlooked_gets_the_style_of_the_others():
    style = Style("pixelate", "box", 0.3, (1, 2, 3))
    assert regions_for([ONE], [FAR], style) == [Region(ONE, style), Region(FAR, style)]


def test_a_face_that_still_shows_is_made_solid_in_the_colour_that_was_asked_for():
    style, solid = (Style(kind, "box", 0.3, (1, 2, 3)) for kind in ("blur", "solid"))
    regions = regions_for([ONE, OTHER], [SAME_AS_ONE], style)
    assert regions == [Region(ONE, solid), Region(OTHER, style), Region(SAME_AS_ONE, solid)]


# ---------------------------------------------------------------- colours


@pytest.mark.parametrize(
    ("colour", "levels"),
    [
        ("#000000", (0, 0, 0)),
        ("#ffffff", (255, 255, 255)),
        ("#FF8000", (255, 128, 0)),
        ("#0a0B0c", (10, 11, 12)),
    ],
)
def test_colours_by_their_hexadecimal_names(colour, levels):
    assert rgb(colour) == levels


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_a_colour_is_read_as_it_was_written(levels):
    assert rgb("#{:02x}{:02x}{:02x}".format(*levels)) == levels


def test_the_default_colour_is_that_of_the_default_style():
    assert Style().colour == rgb("#000000")
