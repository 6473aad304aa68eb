"""The density (dots per inch) stays in every format that has one."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, PngImagePlugin, TiffImagePlugin

from faceblur.geometry import Box
from faceblur.photo import metadata
from faceblur.photo.hide import hide_regions
from faceblur.photo.styles import Region, Style
from tests.support.pictures.photos import astronaut_pixels, encoded, opened

if TYPE_CHECKING:
    from faceblur.limits import OutputFormat

FACE = Region(Box(0.4, 0.4, 0.2, 0.2, 99.0), Style())
DENSE = (300, 150)


def scan(format_: str, mode: str = "RGB", side: int = 96, **options: Any) -> bytes:
    return encoded(astronaut_pixels().resize((side, side)).convert(mode), format_, dpi=DENSE, **options)


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "TIFF", "BMP"])
@pytest.mark.parametrize("output", ["same", "jpeg", "png"])
def test_the_density_stays(format_: str, output: OutputFormat) -> None:
    hidden = hide_regions(scan(format_), [FACE], output)
    assert opened(hidden.data).info["dpi"] == pytest.approx(DENSE, abs=0.02)
    assert hidden.stripped == []


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize("output", ["same", "jpeg", "png"])
def test_none_is_made_up(format_: str, output: OutputFormat) -> None:
    hidden = opened(hide_regions(encoded(astronaut_pixels().resize((96, 96)), format_), [FACE], output).data)
    assert hidden.info.get("dpi") in (None, (1, 1))  # Pillow reads a TIFF that says none as 1
    assert TiffImagePlugin.X_RESOLUTION not in getattr(hidden, "tag_v2", {})


def test_none_is_made_up_for_a_bmp() -> None:
    photo = encoded(astronaut_pixels().resize((96, 96)), "BMP", dpi=(0, 0))
    assert opened(hide_regions(photo, [FACE]).data).info["dpi"] == (0, 0)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_the_density_of_every_kind_of_jpeg_stays(mode: str) -> None:
    assert opened(hide_regions(scan("JPEG", mode), [FACE]).data).info["dpi"] == DENSE


def test_the_density_of_a_deep_png_stays() -> None:
    hidden = hide_regions(encoded(astronaut_pixels().convert("L").convert("I;16"), "PNG", dpi=DENSE), [FACE])
    assert opened(hidden.data).info["dpi"] == pytest.approx(DENSE, abs=0.02)
    assert hidden.stripped == []


@pytest.mark.parametrize("output", ["webp", "avif"])
def test_a_format_without_density_says_so(output: OutputFormat) -> None:
    assert hide_regions(scan("JPEG"), [FACE], output).stripped == ["density"]
    photo = encoded(astronaut_pixels().resize((96, 96)), "JPEG")
    assert hide_regions(photo, [FACE], output).stripped == []


@pytest.mark.parametrize("format_", ["JPEG", "PNG"])
@pytest.mark.parametrize(("orientation", "expected"), [(3, DENSE), (6, DENSE[::-1])])
def test_the_density_turns_with_the_picture(format_: str, orientation: int, expected: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    hidden = opened(hide_regions(scan(format_, exif=exif), [FACE]).data)
    assert not hidden.getexif()
    assert hidden.info["dpi"] == pytest.approx(expected, abs=0.02)


def test_the_density_of_a_picture_that_is_not_turned_is_not_turned() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    hidden = opened(hide_regions(scan("JPEG", side=99, exif=exif), [FACE]).data)
    assert hidden.getexif()[0x0112] == 6
    assert hidden.info["dpi"] == DENSE


@pytest.mark.parametrize("dots", [(0, 0), (1, 0xFFFFFFFF), (0, 11811), (11811, 0xFFFFFFFF), (0xFFFFFFFF, 11811)])
def test_a_density_that_makes_no_sense_goes(dots: tuple[int, int]) -> None:
    content = b"pHYs" + struct.pack(">IIB", *dots, 1)
    photo = encoded(astronaut_pixels().resize((96, 96)), "PNG")
    photo = photo[:33] + struct.pack(">I", 9) + content + struct.pack(">I", zlib.crc32(content)) + photo[33:]
    assert "dpi" not in opened(hide_regions(photo, [FACE]).data).info


@pytest.mark.parametrize("said", ["300", None, (300,), (300, 300, 300), (float("nan"), 300.0), (-300, -300)])
def test_what_is_no_density_is_none(said: object) -> None:
    image = Image.new("L", (16, 16))
    image.info["dpi"] = said
    assert metadata.density(image, 1) is None


def test_a_text_cannot_pass_for_a_density() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("dpi", "300")
    hidden = hide_regions(encoded(astronaut_pixels().resize((96, 96)), "PNG", pnginfo=text), [FACE])
    assert "dpi" not in opened(hidden.data).info


def test_a_jpeg_whose_exif_says_nothing_of_density_gets_none() -> None:
    exif = Image.Exif()
    exif[0x010E] = "a description"
    photo = encoded(astronaut_pixels().resize((96, 96)), "JPEG", exif=exif)
    assert opened(photo).info["dpi"] == (72, 72)  # Pillow's guess
    assert not opened(hide_regions(photo, [FACE]).data).info["jfif_unit"]
    assert hide_regions(photo, [FACE], "webp").stripped == ["EXIF"]
