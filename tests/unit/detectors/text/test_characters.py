"""What the characters of a line tell, and how they are read from its pixels."""

from __future__ import annotations

import pytest
from PIL import Image

from faceblur.detectors.text.characters import NO_DIGIT, Reading, is_no_plate
from faceblur.detectors.text.detector import SURE
from faceblur.detectors.text.lines import Line
from faceblur.detectors.text.reading import STEP, strip

PLATES = [
    "AB 123 CD",
    "1",
    "B-MW 1234",
    "IND MH12AB1234",  # the longest
    "粤B·12345",
    "品川 330",
    "あ 12-34",
    "12가 3456",
    "A 123 ВС 77",
    "GOTHAM",  # chosen by the driver
    "ILUVMOM",
    "BADATUDE",
    "AB",  # the upper one of two lines, or what a bar leaves of a plate
    "粤A",
    "س ع ج",  # the letters of an Egyptian plate, whose digits are beside them
    "ČČŽČĆ",
    "PU 92 IH BRANDBERGER",  # a line that joins a plate with the words beside it
    "ZHM Garden Centre",
    "-",
    "",
]
OTHERS = [
    "Bakery",
    "est",
    "www.example.org",
    "STRAWBERRY",
    "Garden Centre",
    "Åland Café",
    "新华网中心",
    "مطعم",
    "2014-06-17 08:41:55",
]


def reading(text: str, certainty: float = 0.99) -> Reading:
    return Reading(text, certainty, float(any(map(str.isdigit, text))))


@pytest.mark.parametrize("text", PLATES)
def test_what_a_plate_says_is_never_refused(text):
    assert not is_no_plate(reading(text), SURE)


@pytest.mark.parametrize("text", OTHERS)
def test_what_no_plate_says_is_refused_if_it_was_surely_read(text):
    assert is_no_plate(reading(text, SURE), SURE)
    assert not is_no_plate(reading(text, SURE - 0.01), SURE)


def test_a_word_that_may_hold_a_digit_may_be_a_plate():
    assert is_no_plate(Reading("Bakery", 0.99, NO_DIGIT - 0.01), SURE)
    assert not is_no_plate(Reading("Bakery", 0.99, NO_DIGIT), SURE)


def test_one_small_letter_may_be_a_misread_capital():
    assert not is_no_plate(reading("ABd XY"), SURE)
    assert not is_no_plate(reading("cosvwxz"), SURE)  # small letters that look like their capitals


def test_a_strip_has_the_height_of_the_network_and_whole_steps():
    for long in (3, 50, 61, 200):
        width, height = strip(Image.new("RGB", (300, 200)), Line(150, 100, long, 37, 5, 0.9)).size
        assert (width % STEP, height) == (0, 48)
        assert width >= STEP
