"""Hiding faces changes nothing else: quality, depth, transparency and colours of every format stay."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageCms, ImageOps
from pillow_heif import register_heif_opener

from faceblur.errors import ImageTooLarge
from faceblur.geometry import Box
from faceblur.photo import decode, jpeg, painting
from faceblur.photo.hide import check_output, hide_regions
from faceblur.photo.styles import Region, Style
from tests.support.bad_files.content import patched
from tests.support.bad_files.every_format import resized
from tests.support.bad_files.png import chunk
from tests.support.pictures.masks import opaque
from tests.support.pictures.photos import (
    ASTRONAUT_FACE,
    HOPPER_FACE,
    astronaut_pixels,
    encoded,
    flower_pixels,
    hopper_pixels,
    opened,
)
from tests.support.pictures.samplings import sampled

if TYPE_CHECKING:
    from faceblur.limits import OutputFormat

register_heif_opener()

# A quarter of the pixels, as sharp as all of them. ASTRONAUT_FACE is in the middle of the face here.
PORTRAIT = astronaut_pixels().crop((113, 58, 369, 314))
FACE = Region(ASTRONAUT_FACE, Style())
ENOUGH = 55.0  # decibels: an error of half a level of 255 on average
FEWER_COLOURS = 50.0  # where decoders interpolate colours
SCAN = b"\xff\xda"  # begins a scan of a JPEG; it cannot be within one

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def outside(size: tuple[int, int], *regions: Region) -> np.ndarray[Any, np.dtype[np.bool_]]:
    mask = np.ones(size[::-1], bool)
    for region in regions:
        left, top, right, bottom = painting.outline(size, region).visible
        mask[top:bottom, left:right] = False
    return mask


def likeness(one: Image.Image, other: Image.Image, where: np.ndarray[Any, np.dtype[np.bool_]]) -> float:
    """Peak signal-to-noise ratio in decibels; infinite for the same."""
    assert one.size == other.size
    mask = Image.fromarray(where)
    counts = np.sum([band.histogram(mask) for band in ImageChops.difference(one, other).split()], axis=0)
    error = np.average(np.arange(256) ** 2, weights=counts)
    return float("inf") if error == 0 else 10 * np.log10(255**2 / error)


def assert_faithful(photo: bytes, hidden: bytes, region: Region = FACE, least: float = ENOUGH) -> None:
    before, after = (ImageOps.exif_transpose(opened(each)) for each in (photo, hidden))
    assert after.mode == before.mode
    assert after.size == before.size
    assert likeness(before, after, outside(before.size, region)) >= least
    inside = ~outside(before.size, region)
    assert likeness(before, after, inside) < 25


def sampling(photo: bytes) -> list[tuple[int, int]]:
    return jpeg.factors(opened(photo))


def tables(photo: bytes) -> list[list[int]]:
    image = opened(photo)
    return [image.quantization[layer[3]] for layer in image.layer]


@pytest.mark.parametrize("quality", [60, 75, 85, 92, 96, 100])
@pytest.mark.parametrize("subsampling", [0, 2], ids=["4:4:4", "4:2:0"])
def test_jpegs_keep_their_tables_sampling_and_pixels(quality: int, subsampling: int) -> None:
    photo = encoded(PORTRAIT, "JPEG", quality=quality, subsampling=subsampling)
    hidden = hide_regions(photo, [FACE]).data
    assert_faithful(photo, hidden)
    assert sampling(hidden) == sampling(photo)
    assert tables(hidden) == tables(photo)
    assert len(hidden) < 1.02 * len(photo)


@pytest.mark.parametrize(
    ("factors", "written", "least"),
    [
        ([(2, 1), (1, 1), (1, 1)], (2, 1), FEWER_COLOURS),
        ([(2, 2), (1, 2), (1, 2)], (2, 1), FEWER_COLOURS),
        ([(1, 2), (1, 1), (1, 1)], (1, 1), 47),
        ([(2, 2), (2, 1), (1, 1)], (1, 1), 46),
        ([(4, 1), (1, 1), (1, 1)], (2, 1), 41),
        ([(4, 2), (1, 1), (1, 1)], (2, 2), 40),
    ],
    ids=["4:2:2", "4:2:2 of four", "4:4:0", "uneven", "4:1:1", "4:1:0"],
)
@pytest.mark.parametrize("quality", [75, 95])
@pytest.mark.parametrize("size", [(256, 256), (253, 251)])
def test_unusual_samplings_are_kept_or_become_the_next_finer_one(
    factors: list[tuple[int, int]], written: tuple[int, int], least: float, quality: int, size: tuple[int, int]
) -> None:
    photo = sampled(PORTRAIT.crop((0, 0, *size)), factors, quality)
    assert sampling(photo) == factors
    hidden = hide_regions(photo, [FACE]).data
    assert sampling(hidden) == [written, (1, 1), (1, 1)]
    assert tables(hidden) == tables(photo)
    assert_faithful(photo, hidden, least=least)
    assert len(hidden) < 1.15 * len(photo)


@pytest.mark.parametrize("factors", [[(1, 1)] * 3, [(2, 1), (1, 1), (1, 1)], [(2, 2), (1, 1), (1, 1)]])
def test_a_result_has_one_scan(factors: list[tuple[int, int]]) -> None:
    """Decoders take twice the time and memory for a scan for each component."""
    photo = sampled(PORTRAIT, factors)
    assert photo.count(SCAN) == 3
    assert hide_regions(photo, [FACE]).data.count(SCAN) == 1


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(512, 512), (496, 504), (500, 501)])
@pytest.mark.parametrize("subsampling", range(3))
def test_jpegs_are_turned_upright_without_loss(orientation: int, size: tuple[int, int], subsampling: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = astronaut_pixels().resize(size)
    photo = encoded(stored, "JPEG", quality=85, subsampling=subsampling, exif=exif)
    hidden = hide_regions(photo, [FACE])
    # Decoders round differently to the left and to the right, up and down.
    whole_colours = ENOUGH if orientation in (1, 5) else 51
    assert_faithful(photo, hidden.data, least=FEWER_COLOURS if subsampling == 1 else whole_colours)
    assert (hidden.width, hidden.height) == ImageOps.exif_transpose(opened(photo)).size
    assert len(hidden.data) < 1.05 * len(photo)
    assert sampling(hidden.data) == sampling(photo)
    # If turning would cut blocks, or have the colours of 4:2:2 halved down, the picture stays as it is stored, and the
    # orientation is all that is said of it.
    tags = dict(opened(hidden.data).getexif())
    whole = orientation == 1 or (size == (512, 512) and not (subsampling == 1 and orientation in jpeg.TURNED))
    assert tags in ({}, {0x0112: orientation}) if not whole else tags == {}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(256, 256), (250, 251)])
@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_jpegs_of_every_mode_are_turned_upright(mode: str, size: tuple[int, int], orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = encoded(PORTRAIT.crop((0, 0, *size)).convert(mode), "JPEG", quality=85, exif=exif)
    hidden = hide_regions(photo, [FACE])
    assert opened(hidden.data).mode == mode
    assert_faithful(photo, hidden.data, least=51)
    assert (hidden.width, hidden.height) == ImageOps.exif_transpose(opened(photo)).size


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_turned_jpeg_of_cut_blocks_is_stored_as_it_was(mode: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    exif[0x010E] = "a description"
    photo = encoded(PORTRAIT.crop((0, 0, 250, 251)).convert(mode), "JPEG", quality=85, exif=exif, dpi=(300, 150))
    hidden = hide_regions(photo, [FACE])
    assert_faithful(photo, hidden.data, least=51)
    assert dict(opened(hidden.data).getexif()) == {0x0112: 3}
    assert tables(hidden.data) == tables(photo)
    assert opened(hidden.data).size == (250, 251)
    # Other formats are turned.
    assert not opened(hide_regions(photo, [FACE], "png").data).getexif()


def test_a_turned_jpeg_of_whole_blocks_keeps_its_tables() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = encoded(PORTRAIT, "JPEG", quality=90, subsampling=2, exif=exif)
    hidden = hide_regions(photo, [FACE]).data
    assert sampling(hidden) == sampling(photo)
    for before, after in zip(tables(photo), tables(hidden), strict=True):
        assert np.array_equal(np.reshape(before, (8, 8)).T, np.reshape(after, (8, 8)))
    assert len(hidden) < 1.05 * len(photo)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_cmyk_stay(mode: str) -> None:
    photo = encoded(PORTRAIT.convert(mode), "JPEG", quality=88)
    hidden = hide_regions(photo, [FACE]).data
    assert_faithful(photo, hidden)
    assert tables(hidden) == tables(photo)


def test_jpegs_that_store_rgb_stay_so() -> None:
    photo = encoded(PORTRAIT, "JPEG", quality=90, keep_rgb=True)
    hidden = hide_regions(photo, [FACE]).data
    assert_faithful(photo, hidden)
    assert jpeg.space(opened(hidden)) == "RGB"


@pytest.mark.parametrize(("names", "space"), [(b"\1\2\3", "YCbCr"), (b"RGB", "RGB")])
def test_without_further_words_the_components_names_tell_the_colours(names: bytes, space: str) -> None:
    """So libjpeg takes a JPEG without JFIF's and Adobe's segments."""
    photo = encoded(PORTRAIT, "JPEG", quality=90, keep_rgb=space == "RGB")
    place = photo.index(b"\xff\xdb")  # the quantisation tables come behind those segments
    photo = photo[:2] + photo[place:]
    for marker, start, size in ((b"\xff\xc0", 10, 3), (SCAN, 5, 2)):
        for number, name in enumerate(names):
            at = photo.index(marker) + start + size * number
            photo = photo[:at] + bytes([name]) + photo[at + 1 :]
    assert jpeg.space(opened(photo)) == space
    assert likeness(opened(photo), PORTRAIT, outside(PORTRAIT.size, FACE)) > 30
    assert_faithful(photo, hide_regions(photo, [FACE]).data)


def test_adobe_s_other_cmyk() -> None:
    """Files of Photoshop hold CMYK as lightness, colours and black."""
    photo = encoded(PORTRAIT.convert("CMYK"), "JPEG", quality=88)
    place = photo.index(b"Adobe") + 11
    photo = photo[:place] + b"\2" + photo[place + 1 :]
    assert jpeg.space(opened(photo)) == "YCCK"
    assert_faithful(photo, hide_regions(photo, [FACE]).data)


def test_progressive_jpegs_stay_the_same_picture() -> None:
    photo = encoded(PORTRAIT, "JPEG", quality=85, progressive=True)
    assert_faithful(photo, hide_regions(photo, [FACE]).data)


def test_of_several_pictures_in_a_jpeg_the_primary_is_hidden() -> None:
    photo = encoded(PORTRAIT, "MPO", quality=85, save_all=True, append_images=[hopper_pixels()])
    hidden = hide_regions(photo, [FACE])
    assert_faithful(photo, hidden.data)
    assert opened(hidden.data).format == "JPEG"
    assert "further pictures" in hidden.stripped


def test_a_large_photo_of_a_phone() -> None:
    large = flower_pixels().resize((3664, 2748))
    assert large.width * large.height > jpeg.LARGE
    large.paste(hopper_pixels(), (1500, 900))
    box = Box(
        (1500 + HOPPER_FACE.left * 512) / 3664, (900 + HOPPER_FACE.top * 600) / 2748,
        HOPPER_FACE.width * 512 / 3664, HOPPER_FACE.height * 600 / 2748, 99.0,
    )  # fmt: skip
    photo = encoded(large, "JPEG", quality=92, subsampling=2)
    assert_faithful(photo, hide_regions(photo, [Region(box, Style())]).data, Region(box, Style()))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_pngs_are_the_same_outside(mode: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = PORTRAIT.convert(mode)
    photo = encoded(image, "PNG", exif=exif)
    hidden = opened(hide_regions(photo, [FACE]).data)
    upright = ImageOps.exif_transpose(opened(photo))
    assert hidden.mode == {"1": "L", "P": "RGB"}.get(mode, mode)
    assert likeness(upright.convert(hidden.mode), hidden, outside(upright.size, FACE)) == float("inf")


@pytest.mark.parametrize("mode", ["1", "P", "RGB", "I;16"])
def test_a_png_without_faces_is_the_same(mode: str) -> None:
    image = (
        Image.fromarray(np.arange(512 * 512, dtype=np.uint16).reshape(512, 512))
        if mode == "I;16"
        else PORTRAIT.convert(mode)
    )
    hidden = opened(hide_regions(encoded(image, "PNG"), []).data)
    assert hidden.mode == mode
    seen = "RGB" if mode == "P" else mode
    assert np.array_equal(np.asarray(hidden.convert(seen)), np.asarray(image.convert(seen)))


def test_the_transparency_of_palettes_stays() -> None:
    image = PORTRAIT.quantize(64)
    image.info["transparency"] = bytes([128, 255, 3] * 20)
    photo = encoded(image, "PNG")
    hidden = opened(hide_regions(photo, [FACE]).data)
    where = outside(image.size, FACE)
    assert np.array_equal(np.asarray(hidden)[where], np.asarray(opened(photo).convert("RGBA"))[where])


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_transparent_colour_stays_transparent(mode: str) -> None:
    image = PORTRAIT.convert(mode)
    image.paste(Image.new(mode, (50, 50), 7 if mode == "L" else (7, 8, 9)), (0, 0))
    photo = encoded(image, "PNG", transparency=7 if mode == "L" else (7, 8, 9))
    hidden = opened(hide_regions(photo, [FACE]).data)
    assert hidden.getchannel("A").getpixel((20, 20)) == 0
    assert hidden.getchannel("A").getpixel((150, 150)) == 255


def deep_png(samples: np.ndarray[Any, Any], *, interlaced: bool = False, chunks: bytes = b"") -> bytes:
    """A PNG of 16 bits a sample, [height, width, samples]."""
    height, width, count = samples.shape
    colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[count]
    passes = (
        [samples]
        if not interlaced
        else [
            samples[y::dy, x::dx]
            for x, y, dx, dy in [
                (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
            ]
        ]
    )  # fmt: skip
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for each in passes for row in each)

    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, int(interlaced))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunks
        + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )  # fmt: skip


def deep_samples(photo: bytes) -> np.ndarray[Any, np.dtype[np.uint16]]:
    """The samples of a PNG of 16 bits a sample, by the specification alone."""
    width, height, depth, colour_type = struct.unpack(">IIBB", photo[16:26])
    assert depth == 16
    count = {0: 1, 4: 2, 2: 3, 6: 4}[colour_type]
    packed, start = b"", 8
    while start < len(photo):
        (length,) = struct.unpack(">I", photo[start : start + 4])
        if photo[start + 4 : start + 8] == b"IDAT":
            packed += photo[start + 8 : start + 8 + length]
        start += length + 12
    rows = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, -1)
    assert set(rows[:, 0]) <= {0, 2}
    bytes_ = rows[:, 1:].astype(np.uint64)
    for y in range(height):
        if rows[y, 0] == 2 and y:
            bytes_[y] = (bytes_[y] + bytes_[y - 1]) % 256
    return bytes_.astype(np.uint8).reshape(height, width, count, 2).copy().view(">u2")[..., 0].astype(np.uint16)


@pytest.mark.parametrize("count", [1, 2, 3, 4], ids=["grey", "grey and alpha", "colour", "colour and alpha"])
@pytest.mark.parametrize("interlaced", [False, True])
def test_sixteen_bits_stay_sixteen_bits(count: int, interlaced: bool) -> None:
    samples = np.random.default_rng(count).integers(0, 65536, (300, 331, count), np.uint16)
    if count in (2, 4):
        samples[..., -1] |= 256  # the colours of invisible pixels do not stay
    hidden = deep_samples(hide_regions(deep_png(samples, interlaced=interlaced), [FACE]).data)
    where = outside((331, 300), FACE)
    assert np.array_equal(hidden[where], samples[where])
    face = opaque((331, 300), FACE)
    steps = np.abs(np.diff(hidden.astype(int), axis=0))
    assert steps[face[1:] & face[:-1]].max() < 256 * 8
    assert (hidden[face] % 257 == 0).all()  # no lower bits of the original


@pytest.mark.parametrize("count", [2, 4], ids=["grey", "colour"])
@pytest.mark.parametrize("opacity", [0, 255], ids=["none", "none in eight bits"])
def test_a_picture_of_sixteen_bits_under_full_transparency_is_erased(count: int, opacity: int) -> None:
    samples = np.random.default_rng(count).integers(256, 65536, (40, 50, count), np.uint16)
    samples[10:20, :, -1] = opacity
    after = deep_samples(hide_regions(deep_png(samples), []).data)
    samples[10:20] = 0
    assert np.array_equal(after, samples)


@pytest.mark.parametrize("output", ["jpeg", "webp", "avif"])
def test_sixteen_bits_become_eight_where_the_output_has_no_more(output: OutputFormat) -> None:
    samples = np.asarray(PORTRAIT, np.uint16) * 257
    hidden = opened(hide_regions(deep_png(samples), [FACE], output).data)
    assert hidden.format == output.upper()
    assert likeness(PORTRAIT, hidden.convert("RGB"), outside(hidden.size, FACE)) > 37


@pytest.mark.parametrize("orientation", range(1, 9))
def test_sixteen_bits_are_turned_upright(orientation: int) -> None:
    samples = np.random.default_rng(0).integers(0, 65536, (40, 60, 3), np.uint16)
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = exif.tobytes()[6:]
    photo = deep_png(samples, chunks=chunk(b"eXIf", content))
    upper = Image.fromarray((samples >> 8).astype(np.uint8))
    assert decode.inspect(photo).orientation == orientation
    turned = np.asarray(decode.turn_upright(upper, orientation))
    assert np.array_equal(deep_samples(hide_regions(photo, []).data) >> 8, turned)


@pytest.mark.parametrize(
    ("format_", "mode"),
    [
        *(("WEBP", mode) for mode in ("RGB", "RGBA")),
        *(("TIFF", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK")),
        *(("BMP", mode) for mode in ("1", "L", "P", "RGB")),
    ],
)
def test_other_lossless_formats_are_the_same_outside(format_: str, mode: str) -> None:
    image = PORTRAIT.convert(mode)
    if mode in ("LA", "RGBA"):
        image.putalpha(Image.linear_gradient("L").resize(image.size).point(lambda alpha: max(alpha, 1)))
    photo = encoded(image, format_, **({"lossless": True, "exact": True} if format_ == "WEBP" else {}))
    hidden = opened(hide_regions(photo, [FACE]).data)
    assert hidden.format == format_
    assert hidden.mode == {"1": "L", "P": "RGB"}.get(mode, mode)
    before = opened(photo).convert(hidden.mode)
    assert likeness(before, hidden, outside(before.size, FACE)) == float("inf")


@pytest.mark.parametrize("profile", [None, SRGB, SRGB + b"!"], ids=["nothing", "even", "odd"])
def test_a_lossless_webp_stays_lossless_whatever_chunks_come_before_its_pixels(profile: bytes | None) -> None:
    """A chunk of an odd length is followed by a byte that its length does not count."""
    photo = encoded(PORTRAIT, "WEBP", lossless=True, icc_profile=profile)
    hidden = opened(hide_regions(photo, [FACE]).data)
    assert likeness(opened(photo), hidden, outside(hidden.size, FACE)) == float("inf")


@pytest.mark.parametrize(("format_", "least"), [("WEBP", 37), ("AVIF", 40), ("HEIF", 42)])
def test_lossy_formats_stay_close(format_: str, least: float) -> None:
    photo = encoded(PORTRAIT, format_, quality=80)
    hidden = hide_regions(photo, [FACE])
    assert opened(hidden.data).format == {"HEIF": "JPEG"}.get(format_, format_)
    assert_faithful(photo, hidden.data, least=least)


@pytest.mark.parametrize("output", ["jpeg", "png", "webp", "avif"])
@pytest.mark.parametrize(
    ("source", "mode"),
    [
        *((source, mode) for source in ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF", "BMP") for mode in ("L", "RGB")),
        *((source, "RGBA") for source in ("PNG", "WEBP", "AVIF", "HEIF", "TIFF")),
        *((source, "CMYK") for source in ("JPEG", "TIFF")),
    ],
)
def test_photos_are_converted_to_another_format(source: str, output: OutputFormat, mode: str) -> None:
    image = PORTRAIT.resize((128, 128)).convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    photo = encoded(image, source)
    hidden = hide_regions(photo, [FACE], output)
    assert hidden.content_type == f"image/{output}"
    assert hidden.extension == {"jpeg": "jpg"}.get(output, output)
    after = opened(hidden.data)
    assert after.format == output.upper()
    white = decode.to_rgb(opened(photo))
    assert likeness(white, decode.to_rgb(after), outside(white.size, FACE)) > 28


@pytest.mark.parametrize(
    ("output", "size"), [("jpeg", (65_501, 400)), ("webp", (16_384, 100)), ("avif", (10_000, 6_401))]
)
def test_a_photo_too_large_for_the_output_is_refused(output: OutputFormat, size: tuple[int, int]) -> None:
    for refuse in (lambda photo: hide_regions(photo, [], output), lambda photo: check_output(photo, output)):
        with pytest.raises(ImageTooLarge, match=f"As {output.upper()}, a photo can have at most"):
            refuse(resized("PNG", *size))


@pytest.mark.parametrize(
    ("output", "size"), [("jpeg", (65_500, 400)), ("webp", (16_383, 100)), ("avif", (10_000, 6_400))]
)
def test_the_largest_photo_for_the_output_is_taken(output: OutputFormat, size: tuple[int, int]) -> None:
    check_output(resized("PNG", *size), output)


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("output", ["same", "jpeg", "png", "webp", "avif"])
def test_the_icc_profile_stays(format_: str, output: OutputFormat) -> None:
    photo = encoded(PORTRAIT.resize((96, 96)), format_, icc_profile=SRGB)
    assert opened(hide_regions(photo, [FACE], output).data).info["icc_profile"] == SRGB


def test_an_icc_profile_that_no_png_may_hold_goes() -> None:
    profile = (len(SRGB) + 2**20).to_bytes(4) + SRGB[4:] + bytes(2**20)
    photo = encoded(PORTRAIT.resize((96, 96)), "JPEG", icc_profile=profile)
    assert "icc_profile" not in opened(hide_regions(photo, [FACE], "png").data).info
    assert opened(hide_regions(photo, [FACE], "webp").data).info["icc_profile"] == profile


@pytest.mark.parametrize(("output", "side", "most"), [("webp", 8_001, 64), ("avif", 7_746, 60)])
def test_transparency_takes_memory_so_fewer_pixels_are_written(output: OutputFormat, side: int, most: int) -> None:
    photo = resized("PNG", side, side)
    photo = photo[:33] + chunk(b"tRNS", bytes(6)) + photo[33:]
    with pytest.raises(ImageTooLarge, match=f"{output.upper()} with transparency.* {most} megapixels"):
        hide_regions(photo, [], output)
    with pytest.raises(ImageTooLarge, match="megapixels"):
        check_output(photo, output)


def test_a_large_webp_without_loss_is_refused() -> None:
    photo = encoded(PORTRAIT, "WEBP", lossless=True)
    place = photo.index(b"VP8L") + 9  # of width and height, each one less, in 14 bits
    photo = patched(photo, place, "<I", 8_000 | 7_999 << 14)
    assert Image.open(BytesIO(photo)).size == (8_001, 8_000)
    with pytest.raises(ImageTooLarge, match="WEBP without loss"):
        hide_regions(photo, [])


def test_an_icc_profile_of_other_colours_goes() -> None:
    """A profile for CMYK says nothing about the RGB that CMYK was converted to; one for RGB nothing about grey."""
    cmyk = SRGB[:16] + b"CMYK" + SRGB[20:]
    photo = encoded(PORTRAIT.resize((96, 96)).convert("CMYK"), "JPEG", icc_profile=cmyk)
    assert opened(hide_regions(photo, [FACE]).data).info["icc_profile"] == cmyk
    assert "icc_profile" not in opened(hide_regions(photo, [FACE], "png").data).info
    grey = encoded(PORTRAIT.resize((96, 96)).convert("L"), "PNG", icc_profile=SRGB)
    assert "icc_profile" not in opened(hide_regions(grey, [FACE]).data).info


def test_the_colour_chunks_of_a_png_are_kept() -> None:
    gamma = chunk(b"gAMA", struct.pack(">I", 100_000))
    photo = encoded(PORTRAIT.resize((96, 96)), "PNG")
    photo = photo[:33] + gamma + photo[33:]
    assert opened(hide_regions(photo, [FACE]).data).info["gamma"] == 1
    deep = deep_png(np.zeros((40, 40, 3), np.uint16), chunks=gamma)
    assert opened(hide_regions(deep, [FACE]).data).info["gamma"] == 1
