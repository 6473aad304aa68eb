"""What the characters of a line tell, and how they are read from its pixels."""

from __future__ import annotations

import pytest
from PIL import Image, ImageDraw, ImageFont

from faceblur.detectors.text.characters import NO_DIGIT, Reading, is_no_plate
from faceblur.detectors.text.detector import SURE
from faceblur.detectors.text.lines import Line
from faceblur.detectors.text.reading import STEP, reading_network, strip

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


# ------------------------------------------------------------------------------ the network


def picture_of(text: str, height: int = 60, roll: float = 0) -> tuple[Image.Image, Line]:
    """A picture of a line of text of so many pixels, turned clockwise, and the line."""
    font = ImageFont.load_default(height * 0.7)
    width = round(font.getlength(text) + height)
    plate = Image.new("RGB", (width, height), "white")
    ImageDraw.Draw(plate).text((width / 2, height / 2), text, "black", font, anchor="mm")
    side = 2 * (width + height)
    picture = Image.new("RGB", (side, side), "white")
    picture.paste(plate, ((side - width) // 2, (side - height) // 2))
    turned = picture.rotate(-roll, Image.Resampling.BICUBIC, fillcolor="white")
    return turned, Line(side / 2, side / 2, width, height, roll, 0.9)


@pytest.mark.usefixtures("networks")
@pytest.mark.parametrize("roll", [-25, 0, 12])
@pytest.mark.parametrize("height", [24, 60, 300])
@pytest.mark.parametrize("text", ["AB 123 CD", "Bakery"])
def test_a_line_is_read_as_it_lies_at_any_size(text, height, roll):
    told = reading_network().read(*picture_of(text, height, roll))

    assert told.text.replace(" ", "") == text.replace(" ", "")
    assert told.certainty > SURE
    assert (told.digit < NO_DIGIT) is (text == "Bakery")


@pytest.mark.usefixtures("networks")
def test_what_cannot_be_read_may_be_a_plate():
    told = reading_network().read(Image.new("RGB", (400, 300), "grey"), Line(200, 150, 120, 40, 0, 0.9))

    assert (told.text, told.certainty) == ("", 0)
    assert not is_no_plate(told, SURE)


def test_a_strip_has_the_height_of_the_network_and_whole_steps():
    for long in (3, 50, 61, 200):
        width, height = strip(Image.new("RGB", (300, 200)), Line(150, 100, long, 37, 5, 0.9)).size
        assert (width % STEP, height) == (0, 48)
        assert width >= STEP
