from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceblur.options import JobOptions
from faceblur.photo.styles import Style, rgb, style_of


def test_the_default_options_ask_for_the_default_style():
    assert style_of(JobOptions().model_dump()) == Style()


def test_a_style_is_what_the_options_ask_for():
    asked = {"style": "solid", "shape": "box", "padding": 0.5, "strength": 3, "colour": "#010203"}
    assert style_of(JobOptions(**asked).model_dump()) == Style("solid", "box", 0.5, 3, (1, 2, 3))


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
