"""TIFF with 16 bits a sample (TIFF 6.0)."""

from __future__ import annotations

import zlib
from functools import partial
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, TiffImagePlugin

from faceblur.photo import decode
from faceblur.photo.deep import ROWS, Deep, interleaved

if TYPE_CHECKING:
    from PIL import ImageFile

_HEADER = b"MM\0*\0\0\0\x08"  # the samples have their upper bytes first, and the tags come first
_BITS, _PLANES = 258, 284
_PHOTOMETRICS = {"L": 1, "RGB": 2, "RGBA": 2, "CMYK": 5}
_DEFLATE, _DIFFERENCES, _INCH, _ALPHA = 8, 2, 2, 2
# Pillow's names of the two orders of bytes; N is the machine's, in which libtiff gives the samples.
_UPPER_FIRST, _LOWER_FIRST, _NATIVE = "B", "L", "N"


def bits(image: TiffImagePlugin.TiffImageFile) -> int:
    """The most bits of any sample of a pixel."""
    found = image.tag_v2.get(_BITS)
    return max(found) if isinstance(found, tuple) else 1


def is_deep(image: ImageFile.ImageFile) -> bool:
    """Whether this is a TIFF of 16 bits a sample whose lower bytes can be read, too."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile) or image.tag_v2.get(_PLANES, 1) != 1:
        return False
    if image.mode.startswith("I;16"):
        return bits(image) == 16
    kinds = {f"{image.mode};16{order}" for order in (_UPPER_FIRST, _LOWER_FIRST, _NATIVE)}
    return image.mode in _PHOTOMETRICS and bool(image.tile) and {_rawmode(tile) for tile in image.tile} <= kinds


def read_deep(
    data: bytes,
    image: TiffImagePlugin.TiffImageFile,
    icc_profile: bytes | None,
    density: tuple[float, float] | None,
) -> Deep:
    """Decode a TIFF that `is_deep`, upright; `image` is the opened file."""
    if image.mode.startswith("I;16"):
        image.load()
        halves = Image.frombytes("LA", image.size, image.tobytes()).split()
        upper, lower = halves if image.mode == "I;16B" else halves[::-1]
    else:
        other = decode.open_image(data)
        other.tile = [tile._replace(args=(_other_order(_rawmode(tile)), *(tile.args or ())[1:])) for tile in other.tile]
        upper, lower = (_plain(each) for each in (image, other))
    return Deep(upper, lower, partial(_write, icc_profile, density))


def _rawmode(tile: ImageFile._Tile) -> str:
    """Pillow's name of the layout of a tile's samples."""
    return tile.args[0] if isinstance(tile.args, tuple) else ""


def _other_order(rawmode: str) -> str:
    """Pillow's name of the same samples with their bytes in the other order; Lambda's machines are little-endian."""
    return rawmode[:-1] + (_LOWER_FIRST if rawmode.endswith(_UPPER_FIRST) else _UPPER_FIRST)


def _plain(image: ImageFile.ImageFile) -> Image.Image:
    """The decoded picture without its tags."""
    image.load()
    image.info = {}
    return image


def _write(icc_profile: bytes | None, density: tuple[float, float] | None, picture: Deep) -> bytes:
    """The TIFF file."""
    mode = picture.upper.mode
    samples = len(picture.upper.getbands())
    strips = [zlib.compress(interleaved(*_differences(upper, lower))) for upper, lower in picture.rows()]
    places = [sum(map(len, strips[:number])) for number in range(len(strips))]
    tags = TiffImagePlugin.ImageFileDirectory_v2(_HEADER)
    tags[TiffImagePlugin.IMAGEWIDTH], tags[TiffImagePlugin.IMAGELENGTH] = picture.size
    tags[TiffImagePlugin.BITSPERSAMPLE] = (16,) * samples
    tags[TiffImagePlugin.COMPRESSION] = _DEFLATE
    tags[TiffImagePlugin.PHOTOMETRIC_INTERPRETATION] = _PHOTOMETRICS[mode]
    tags[TiffImagePlugin.SAMPLESPERPIXEL] = samples
    tags[TiffImagePlugin.ROWSPERSTRIP] = ROWS
    tags[TiffImagePlugin.STRIPOFFSETS] = places  # Pillow counts from the end of the tags
    tags[TiffImagePlugin.STRIPBYTECOUNTS] = [len(strip) for strip in strips]
    tags[TiffImagePlugin.PREDICTOR] = _DIFFERENCES
    if mode == "RGBA":
        tags[TiffImagePlugin.EXTRASAMPLES] = _ALPHA
    if density:
        tags[TiffImagePlugin.RESOLUTION_UNIT] = _INCH
        tags[TiffImagePlugin.X_RESOLUTION], tags[TiffImagePlugin.Y_RESOLUTION] = density
    if icc_profile:
        tags[TiffImagePlugin.ICCPROFILE] = icc_profile
    return b"".join([_HEADER, tags.tobytes(len(_HEADER)), *strips])


def _differences(upper: Image.Image, lower: Image.Image) -> tuple[Image.Image, Image.Image]:
    """The upper and the lower bytes of the difference between each pixel and its left neighbour (section 14)."""
    lefts = []
    for picture in (upper, lower):
        left = Image.new(picture.mode, picture.size, (0,) * len(picture.getbands()))
        left.paste(picture, (1, 0))
        lefts.append(left)
    borrowed = ImageChops.subtract(lefts[1], lower).point(lambda level: 1 if level else 0)
    without = ImageChops.subtract_modulo(upper, lefts[0])
    return ImageChops.subtract_modulo(without, borrowed), ImageChops.subtract_modulo(lower, lefts[1])
