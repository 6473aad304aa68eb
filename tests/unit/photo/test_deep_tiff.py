"""TIFFs of 16 bits a sample stay so; what has more than eight bits elsewhere says that it loses them."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import TiffImagePlugin

from faceblur.errors import CorruptImage, UnsupportedFormat
from faceblur.geometry import Box
from faceblur.photo import decode, painting
from faceblur.photo.hide import hide_regions
from faceblur.photo.styles import Region, Style
from tests.support.bad_files.tiff import DEEP, DEFLATE, deep_tiff, grey_tiff
from tests.support.pictures.masks import opaque
from tests.support.pictures.photos import opened

FACE = Region(Box(0.4, 0.4, 0.2, 0.2, 99.0), Style())
SIZE = (131, 300)
NONE, DIFFERENCES, WHITE_IS_ZERO = 1, 2, 0
Samples = np.ndarray[Any, np.dtype[np.uint16]]


def random(count: int) -> Samples:
    return np.random.default_rng(count).integers(0, 65_536, (SIZE[1], SIZE[0], count), np.uint16)


def samples_of(photo: bytes) -> Samples:
    """The samples of a TIFF as ours are written, by the specification alone."""
    tags = opened(photo).tag_v2
    assert set(tags[TiffImagePlugin.BITSPERSAMPLE]) == {16}
    assert (tags[TiffImagePlugin.COMPRESSION], tags[TiffImagePlugin.PREDICTOR]) == (DEFLATE, DIFFERENCES)
    places = zip(tags[TiffImagePlugin.STRIPOFFSETS], tags[TiffImagePlugin.STRIPBYTECOUNTS], strict=True)
    rows = b"".join(zlib.decompress(photo[start : start + length]) for start, length in places)
    size = tags[TiffImagePlugin.IMAGELENGTH], tags[TiffImagePlugin.IMAGEWIDTH], tags[TiffImagePlugin.SAMPLESPERPIXEL]
    differences = np.frombuffer(rows, ">u2").reshape(size)
    return np.cumsum(differences, axis=1, dtype=np.uint16)


@pytest.mark.parametrize("kind", DEEP)
@pytest.mark.parametrize("order", ["II", "MM"])
@pytest.mark.parametrize("compression", [NONE, DEFLATE])
def test_sixteen_bits_stay_sixteen_bits(kind: str, order: str, compression: int) -> None:
    samples = random(DEEP[kind][0])
    if kind == "alpha":
        samples[..., -1] |= 256  # the colours of invisible pixels do not stay
    hidden = hide_regions(deep_tiff(samples, kind, order, compression), [FACE])
    assert hidden.stripped == []
    after = samples_of(hidden.data)
    left, top, right, bottom = painting.outline(SIZE, FACE).visible
    where = np.ones(after.shape[:2], bool)
    where[top:bottom, left:right] = False
    assert np.array_equal(after[where], samples[where])
    face = opaque(SIZE, FACE)
    assert (after[face] % 257 == 0).all()  # no lower bits of the original
    assert opened(hidden.data).mode == {"grey": "I;16B", "colour": "RGB", "alpha": "RGBA", "CMYK": "CMYK"}[kind]


@pytest.mark.parametrize("opacity", [0, 255], ids=["none", "none in eight bits"])
def test_a_picture_under_full_transparency_is_erased(opacity: int) -> None:
    samples = random(4) | 256
    samples[100:200, :, -1] = opacity
    after = samples_of(hide_regions(deep_tiff(samples, "alpha"), []).data)
    samples[100:200] = 0
    assert np.array_equal(after, samples)


@pytest.mark.parametrize("kind", ["grey", "colour"])
def test_sixteen_bits_are_turned_upright(kind: str) -> None:
    samples = random(DEEP[kind][0])
    hidden = hide_regions(deep_tiff(samples, kind, orientation=6), [])
    assert np.array_equal(samples_of(hidden.data), np.rot90(samples, -1))


def test_profile_and_density_stay() -> None:
    profile = bytes(36) + b"acsp" + bytes(88)
    profile = struct.pack(">I", len(profile)) + profile[4:16] + b"RGB " + profile[20:]
    tags = {"profile": profile, "across": 300.0, "down": 150.0, "unit": 2}
    hidden = opened(hide_regions(deep_tiff(random(3), "colour", **tags), [FACE]).data)
    assert hidden.info["icc_profile"] == profile
    assert hidden.info["dpi"] == (300, 150)


@pytest.mark.parametrize(
    "tags",
    [{"extra": 1}, {"extra": 0}],
    ids=["premultiplied", "more colours"],
)
def test_samples_whose_lower_bytes_cannot_be_read_are_named(tags: dict[str, int]) -> None:
    hidden = hide_regions(deep_tiff(random(4), "alpha", **tags), [FACE])
    assert hidden.stripped == ["more than 8 bits a sample"]


@pytest.mark.parametrize("compression", [NONE, DEFLATE])
def test_white_as_zero_becomes_black_as_zero(compression: int) -> None:
    samples = random(1)
    photo = deep_tiff(samples, "grey", "II", compression, photometric=WHITE_IS_ZERO)
    assert np.array_equal(samples_of(hide_regions(photo, []).data), 65_535 - samples)
    assert np.array_equal(np.asarray(decode.load_for_detection(photo, None))[..., :1], 255 - (samples >> 8))


@pytest.mark.parametrize("compression", [NONE, DEFLATE])
@pytest.mark.parametrize("order", ["II", "MM"])
@pytest.mark.parametrize("kind", ["colour", "alpha"])
def test_separate_planes_become_eight_bits(kind: str, order: str, compression: int) -> None:
    samples = random(DEEP[kind][0]) | 256
    photo = deep_tiff(samples, kind, order, compression, separate=True)
    assert np.array_equal(np.asarray(decode.load_for_detection(photo, None)), samples[..., :3] >> 8)
    hidden = hide_regions(photo, [])
    assert np.array_equal(np.asarray(opened(hidden.data)), samples >> 8)
    assert hidden.stripped == ["more than 8 bits a sample"]


@pytest.mark.parametrize(
    "photo",
    [
        deep_tiff(random(1), "grey", "MM", photometric=WHITE_IS_ZERO),
        deep_tiff(random(2), "grey", extra=2),
        grey_tiff(32, 32, bytes(4096), t258=32, t339=3),
        grey_tiff(32, 32, bytes(3072), t262=8, t277=3),
    ],
    ids=["16 bits, white as zero", "16 bits, grey with alpha", "fractions", "CIE L*a*b*"],
)
def test_pixels_of_an_unusual_kind_are_not_called_damaged(photo: bytes) -> None:
    with pytest.raises(UnsupportedFormat, match="unusual kind"):
        decode.inspect(photo)


def test_unusual_pixels_that_are_not_there_are_damage() -> None:
    photo = deep_tiff(random(1), "grey", "MM", photometric=WHITE_IS_ZERO)
    with pytest.raises(CorruptImage):
        decode.inspect(photo[: len(photo) - SIZE[0] * SIZE[1] * 2])


def test_another_format_has_eight_bits_and_says_so() -> None:
    hidden = hide_regions(deep_tiff(random(3), "colour"), [FACE], "png")
    assert hidden.stripped == ["more than 8 bits a sample"]
    assert hidden.data[24] == 8
