"""TIFFs that Pillow alone would read wrongly."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import ExifTags, Image, TiffImagePlugin

from faceblur.photo import decode
from faceblur.photo.hide import hide_regions
from tests.support.bad_files.tiff import grey_tiff, tiff_of
from tests.support.pictures.photos import encoded, flower_pixels, opened

SIZE = (64, 48)


def tiff(
    order: str, pixels: bytes, bits: tuple[int, ...], photometric: int, subsampling: int = 1, orientation: int = 1
) -> bytes:
    """A TIFF of one strip without compression."""
    header = order.encode() + struct.pack("<HI" if order == "II" else ">HI", 42, 8)
    directory = TiffImagePlugin.ImageFileDirectory_v2(header)
    directory[TiffImagePlugin.IMAGEWIDTH], directory[TiffImagePlugin.IMAGELENGTH] = SIZE
    directory[TiffImagePlugin.BITSPERSAMPLE], directory[TiffImagePlugin.SAMPLESPERPIXEL] = bits, len(bits)
    directory[TiffImagePlugin.PHOTOMETRIC_INTERPRETATION] = photometric
    directory[TiffImagePlugin.ROWSPERSTRIP] = SIZE[1]
    directory[ExifTags.Base.Orientation] = orientation
    directory[TiffImagePlugin.STRIPOFFSETS], directory[TiffImagePlugin.STRIPBYTECOUNTS] = 0, len(pixels)
    if len(bits) > 1:
        directory[TiffImagePlugin.YCBCRSUBSAMPLING] = (subsampling, subsampling)
    return header + directory.tobytes(8) + pixels


def test_grey_of_twelve_bits_is_no_darker() -> None:
    grey = np.asarray(flower_pixels().resize(SIZE).convert("L"))
    levels = grey.astype(np.uint16) << 4
    one, other = levels[:, ::2], levels[:, 1::2]
    packed = np.dstack([one >> 4, (one & 15) << 4 | other >> 8, other & 255]).astype(np.uint8)
    photo = tiff("II", packed.tobytes(), (12,), 1)
    assert np.array_equal(np.asarray(decode.load_for_detection(photo, None))[..., 0], grey)
    hidden = hide_regions(photo, [])
    assert np.array_equal(np.asarray(opened(hidden.data)), grey)
    assert hidden.stripped == ["more than 8 bits a sample"]


@pytest.mark.parametrize("mode", ["1", "L"])
@pytest.mark.parametrize("zero", ["white", "black"])
def test_eight_bits_or_one_whatever_zero_stands_for(zero: str, mode: str) -> None:
    """Scans in black and white often have white as zero."""
    picture = flower_pixels().resize(SIZE).convert(mode)
    photo = encoded(picture, "TIFF", tiffinfo={262: 0 if zero == "white" else 1})
    assert decode.load_for_detection(photo, None).tobytes() == picture.convert("RGB").tobytes()
    assert opened(hide_regions(photo, []).data).convert("L").tobytes() == picture.convert("L").tobytes()


@pytest.mark.parametrize("planes", [1, 2])
def test_a_tiff_that_does_not_say_its_bits_has_one(planes: int) -> None:
    pixels = flower_pixels().resize((32, 32)).convert("1").tobytes()
    tags = {256: 32, 257: 32, 259: 1, 262: 1, 273: 8 + 2 + 9 * 12 + 4, 277: 1, 278: 32, 279: len(pixels), 284: planes}
    photo = tiff_of([(tag, 4, 1, value) for tag, value in tags.items()], pixels)
    assert decode.load_for_detection(photo, None).convert("1").tobytes() == pixels


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("order", ["II", "MM"])
@pytest.mark.parametrize("subsampling", [1, 2])
def test_ycbcr_without_compression(subsampling: int, order: str, orientation: int) -> None:
    half = flower_pixels().resize((SIZE[0] // 2, SIZE[1] // 2))
    picture = half.resize(SIZE, Image.Resampling.NEAREST)
    light, *colours = (np.asarray(band) for band in picture.convert("YCbCr").split())
    blocks = light.reshape(SIZE[1] // subsampling, subsampling, -1, subsampling).swapaxes(1, 2)
    blocks = blocks.reshape(*blocks.shape[:2], -1)
    samples = np.dstack([blocks, *(colour[::subsampling, ::subsampling] for colour in colours)])
    photo = tiff(order, samples.tobytes(), (8, 8, 8), 6, subsampling, orientation)
    shown = decode.load_for_detection(photo, None)
    assert shown.info == {}
    upright = decode.turn_upright(picture, orientation)
    assert np.abs(np.asarray(shown, int) - np.asarray(upright)).mean() < 4
    assert opened(hide_regions(photo, []).data).tobytes() == shown.tobytes()


@pytest.mark.parametrize("compression", ["jpeg", "tiff_lzw"])
def test_compressed_ycbcr(compression: str) -> None:
    picture = flower_pixels().resize(SIZE)
    options = {"quality": 95} if compression == "jpeg" else {}
    photo = encoded(picture.convert("YCbCr"), "TIFF", compression=compression, **options)
    shown = decode.load_for_detection(photo, None)
    assert shown.info == {}
    assert np.abs(np.asarray(shown, int) - np.asarray(picture)).mean() < 8


@pytest.mark.parametrize("kind", ["MM", "II", "its own directory", "beyond the end", "nowhere"])
def test_a_tiff_with_interoperability_in_its_first_directory(kind: str) -> None:
    """It belongs beneath EXIF, and Pillow looks for it there alone."""
    pixels = bytes(range(256)) * 4
    match kind:
        case "MM":
            interoperability = b"\0\1" + struct.pack(">HHI4s", 1, 2, 4, b"R98\0") + bytes(4)
            place = 8 + 2 + 10 * 12 + 4 + len(pixels)
            file = grey_tiff(32, 32, pixels, t40965=place) + interoperability
        case "II":
            file = encoded(Image.frombytes("L", (32, 32), pixels), "TIFF", tiffinfo={40965: {1: "R98"}})
            assert file.startswith(b"II")
        case _:
            place = {"its own directory": 8, "beyond the end": 2**32 - 16, "nowhere": 0}[kind]
            file = grey_tiff(32, 32, pixels, t40965=place)
    assert decode.load_for_detection(file, None).convert("L").tobytes() == pixels
    hidden = hide_regions(file, [])
    assert opened(hidden.data).tobytes() == pixels
    assert hidden.stripped == ["InteroperabilityIFD"]
    assert b"R98" not in hidden.data
