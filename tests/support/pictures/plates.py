"""A street with a drawn number plate, and a page of drawn text."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

from tests.support.pictures.photos import encoded, street_pixels

PLATE = (120, 40)  # pixels
TEXT = "AB 123 CD"


def plate(roll: float, size: tuple[int, int] = PLATE, text: str = TEXT) -> Image.Image:
    """A drawn number plate, or a sign of the same shape, transparent around it."""
    picture = Image.new("RGBA", size, "white")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 0, size[0] - 1, size[1] - 1), outline="black", width=2)
    pen.text((size[0] / 2, size[1] / 2), text, "black", ImageFont.load_default(size[1] * 0.55), anchor="mm")
    return picture.rotate(-roll, Image.Resampling.BICUBIC, expand=True)


def page(roll: float, lines: int = 8) -> tuple[bytes, Image.Image]:
    """A page of text, turned clockwise by this many degrees, and a mask of its letters."""
    mask = Image.new("L", (1000, 700))
    pen, font = ImageDraw.Draw(mask), ImageFont.load_default(32)
    for number in range(lines):
        pen.text((60, 60 + 60 * number), f"Patient {number} John Smith diagnosis number {37 * number}", 255, font)
    mask = mask.rotate(-roll, Image.Resampling.BICUBIC, expand=True).point(lambda level: 255 if level > 127 else 0)
    return encoded(mask.point(lambda level: 255 - level), "PNG"), mask


def street_with_plate(roll: float, enlarged: int = 1, text: str = TEXT) -> tuple[bytes, Image.Image]:
    """A street with a plate, or with a sign of its shape, and a mask of it. Of an enlarged street, this is a strip."""
    street = street_pixels()
    street = street.resize((street.width * enlarged, street.height * enlarged))
    if enlarged > 1:
        street = street.crop((0, street.height // 2, street.width, street.height * 3 // 4))
    shown = plate(roll, text=text)
    place = street.width // 2, street.height * 2 // 3
    street.paste(shown, place, shown)
    mask = Image.new("L", street.size)
    mask.paste(shown.getchannel("A").point(lambda level: 255 if level > 127 else 0), place)
    return encoded(street, "JPEG", quality=92), mask
