"""How the characters of a line are read from its pixels."""

from __future__ import annotations

import pytest
from PIL import Image, ImageDraw, ImageFont

from faceblur.detectors.text.characters import NO_DIGIT, is_no_plate
from faceblur.detectors.text.detector import SURE
from faceblur.detectors.text.lines import Line
from faceblur.detectors.text.reading import reading_network


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
