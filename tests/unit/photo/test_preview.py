from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from faceblur.errors import CorruptImage
from faceblur.photo.preview import LONGEST_SIDE, draw_preview
from tests.support.pictures.photos import astronaut, astronaut_pixels, jpeg


def opened(preview):
    return Image.open(BytesIO(preview.data))


def test_a_preview_shows_the_photo():
    preview = draw_preview(astronaut())
    assert (preview.width, preview.height) == opened(preview).size == astronaut_pixels().size
    assert opened(preview).format == "JPEG"


@pytest.mark.parametrize("size", [(5000, 2500), (2500, 5000)])
def test_a_preview_is_small(size):
    preview = draw_preview(jpeg(Image.new("RGB", size)))
    assert max(preview.width, preview.height) == LONGEST_SIDE
    assert min(preview.width, preview.height) == LONGEST_SIDE / 2


def test_a_preview_is_upright_and_has_no_metadata():
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x013B] = "the photographer"
    image = Image.new("RGB", (120, 80), "red")
    image.paste("blue", (0, 0, 120, 40))
    preview = draw_preview(jpeg(image, exif=exif.tobytes(), comment=b"secret"))
    shown = opened(preview)
    assert shown.size == (80, 120)
    red, _, blue = shown.getpixel((70, 60))
    assert blue > 200 > 50 > red
    assert not shown.getexif()
    assert "comment" not in shown.info
    assert b"photographer" not in preview.data


def test_a_damaged_photo_has_no_preview():
    with pytest.raises(CorruptImage):
        draw_preview(astronaut()[:100])
