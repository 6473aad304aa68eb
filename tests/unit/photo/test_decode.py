"""Opening photos: what is refused and why, how large they are, and which side is up."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from contextlib import suppress
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps
from pillow_heif import register_heif_opener

from faceblur.errors import CorruptImage, ImageTooLarge, ImageTooSmall, PhotoError, UnsupportedFormat
from faceblur.limits import MAX_RESULT_BYTES
from faceblur.photo import decode, file_types
from faceblur.photo.hide import hide_regions
from tests.support.bad_files.every_format import resized
from tests.support.bad_files.iso import associated_by_two
from tests.support.bad_files.jpeg import segment
from tests.support.pictures.photos import astronaut, astronaut_pixels, encoded, hopper_pixels, opened

register_heif_opener()

LOSSLESS = {"PNG": {}, "BMP": {}, "TIFF": {}, "WEBP": {"lossless": True}}
LOSSY = {"JPEG": {"quality": 95}, "AVIF": {"quality": 95}, "HEIF": {"quality": 95}}
FORMATS = LOSSLESS | LOSSY


def oriented(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@cache
def smaller() -> Image.Image:
    return astronaut_pixels().resize((96, 64))


def small(mode: str = "RGB") -> Image.Image:
    return smaller().convert(mode)


def both_ways(data: bytes) -> list[PhotoError]:
    """The errors of reading the header and of decoding."""
    errors = []
    for read in (decode.inspect, lambda photo: decode.load_for_detection(photo, 640)):
        with pytest.raises(PhotoError) as raised:
            read(data)
        errors.append(raised.value)
    return errors


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_is_read(format_: str) -> None:
    photo = encoded(astronaut_pixels(), format_, **FORMATS[format_])
    assert decode.inspect(photo) == decode.Header(format_, 512, 512, 1, is_plain=True)
    picture = decode.load_for_detection(photo, None)
    assert (picture.mode, picture.size) == ("RGB", (512, 512))
    difference = np.abs(np.asarray(picture, int) - np.asarray(astronaut_pixels(), int))
    assert difference.mean() < (0.01 if format_ in LOSSLESS else 3)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF", "HEIF"])
def test_photos_are_turned_upright(format_: str, orientation: int) -> None:
    stored = small()
    expected = ImageOps.exif_transpose(opened(encoded(stored, "PNG", exif=oriented(orientation))))
    # The plugins for HEIF and AVIF write this as a property of the file, which counts there more than EXIF.
    stored.info["exif"] = oriented(orientation).tobytes()
    photo = encoded(
        stored, format_, **FORMATS[format_], **({} if format_ == "HEIF" else {"exif": oriented(orientation)})
    )

    header = decode.inspect(photo)
    picture = decode.load_for_detection(photo, None)

    assert (header.width, header.height) == picture.size == expected.size
    assert np.abs(np.asarray(picture, int) - np.asarray(expected, int)).mean() < 8


@given(
    width=st.integers(16, 400),
    height=st.integers(16, 400),
    long_side=st.integers(1, 500),
    orientation=st.integers(1, 8),
)
def test_a_jpeg_is_decoded_no_smaller_than_needed(width: int, height: int, long_side: int, orientation: int) -> None:
    photo = encoded(Image.new("L", (width, height)), "JPEG", exif=oriented(orientation))
    picture = decode.load_for_detection(photo, long_side)
    header = decode.inspect(photo)
    assert min(long_side, width, height) <= min(long_side, max(picture.size))
    assert min(long_side, max(width, height)) <= max(picture.size) <= max(width, height)
    assert picture.width / picture.height == pytest.approx(header.width / header.height, rel=0.5)


def test_a_large_jpeg_is_decoded_smaller() -> None:
    photo = encoded(Image.new("RGB", (4000, 3000)), "JPEG")
    assert decode.load_for_detection(photo, 640).size == (1000, 750)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_mode_of_png_becomes_rgb(mode: str) -> None:
    grey = small("L")
    image = Image.fromarray(np.asarray(grey, np.uint16) * 257) if mode == "I;16" else grey.convert(mode)
    picture = decode.load_for_detection(encoded(image, "PNG"), None)
    expected = image.convert("L") if mode == "1" else grey
    assert picture.mode == "RGB"
    assert np.abs(np.asarray(picture.convert("L"), int) - np.asarray(expected, int)).max() <= 1


def test_cmyk_is_read_as_adobe_writes_it() -> None:
    picture = decode.load_for_detection(encoded(small("CMYK"), "JPEG", quality=95), None)
    assert np.abs(np.asarray(picture, int) - np.asarray(small(), int)).mean() < 4


def test_sixteen_bits_of_a_big_endian_tiff() -> None:
    samples = np.asarray(small("L"), ">u2") * 257
    header = b"MM\0*" + struct.pack(">I", 8)
    tags = [
        (256, 3, 96), (257, 3, 64), (258, 3, 16), (259, 3, 1), (262, 3, 1),
        (273, 4, 200), (277, 3, 1), (278, 3, 64), (279, 4, 96 * 64 * 2),
    ]  # fmt: skip
    directory = struct.pack(">H", len(tags)) + b"".join(
        struct.pack(">HHI", tag, kind, 1)
        + struct.pack(">HH" if kind == 3 else ">I", *([value, 0] if kind == 3 else [value]))
        for tag, kind, value in tags
    )
    photo = (header + directory + bytes(4)).ljust(200, b"\0") + samples.tobytes()
    picture = decode.load_for_detection(photo, None)
    assert np.array_equal(np.asarray(picture.convert("L")), np.asarray(small("L")))


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_what_transparency_hides_is_seen(mode: str) -> None:
    image = Image.new("RGBA", (40, 40), (90, 90, 90, 0))
    image.paste((0, 0, 0, 255), (0, 0, 20, 40))
    picture = decode.load_for_detection(encoded(image.convert(mode), "PNG"), None)
    assert picture.getpixel((30, 20)) == (90, 90, 90)
    assert picture.getpixel((10, 20)) == (0, 0, 0)


def test_a_photo_that_others_may_turn_or_show_otherwise_is_not_plain() -> None:
    """Of two blocks of EXIF programs read the first or the last, and of a strange orientation they make anything."""
    photo = encoded(small(), "JPEG", exif=oriented(6).tobytes())
    assert decode.inspect(photo).is_plain
    assert not decode.inspect(photo[:2] + segment(0xE1, oriented(8).tobytes()) + photo[2:]).is_plain
    assert not decode.inspect(encoded(small(), "JPEG", exif=oriented(9).tobytes())).is_plain
    assert not decode.inspect(encoded(small("RGBA"), "PNG")).is_plain


@pytest.mark.parametrize(("ink", "behind"), [("black", "white"), ("white", "black")])
def test_a_picture_that_transparency_draws_is_seen(ink: str, behind: str) -> None:
    drawn = Image.new("RGBA", (512, 512), ink)
    drawn.putalpha(astronaut_pixels().convert("L"))
    picture = decode.load_for_detection(encoded(drawn, "PNG"), None)
    expected = Image.new("RGB", drawn.size, behind)
    expected.paste(drawn, mask=drawn)
    assert picture.tobytes() == expected.tobytes()


@pytest.mark.parametrize(("contrast", "drawn"), [(0, True), (16, True), (17, False), (60, False)])
def test_colours_that_differ_by_more_than_16_levels_may_show_a_face(contrast: int, drawn: bool) -> None:
    """Ink that went through a JPEG varies by some levels, and the transparency still draws the picture. A faint face in
    the colours differs by more, and then the transparency must not replace it.
    """
    image = Image.new("RGBA", (40, 40), (100, 100, 100, 255))
    image.paste((100, 100 + contrast, 100, 255), (0, 0, 20, 40))
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    picture = decode.load_for_detection(encoded(image, "PNG"), None)
    assert (picture.getpixel((30, 2)) != (100, 100, 100)) == drawn


def test_of_several_pictures_in_a_jpeg_the_primary_is_the_photo() -> None:
    photo = encoded(astronaut_pixels(), "MPO", save_all=True, append_images=[hopper_pixels()])
    assert opened(photo).n_frames == 2
    assert decode.inspect(photo) == decode.Header("JPEG", 512, 512, 1, is_plain=True)


@pytest.mark.parametrize("format_", ["PNG", "WEBP", "AVIF", "TIFF"])
def test_several_pictures_are_refused(format_: str) -> None:
    photo = encoded(small(), format_, save_all=True, append_images=[small().rotate(180)])
    for error in both_ways(photo):
        assert isinstance(error, UnsupportedFormat)
        assert error.message == file_types.ANIMATED


def test_a_tiff_with_pictures_beneath_it_is_refused() -> None:
    """If it does not say that they are thumbnails or the like."""
    photo = bytearray(encoded(small(), "TIFF", tiffinfo={330: 8}))
    assert 330 in opened(bytes(photo)).tag_v2
    for error in both_ways(bytes(photo)):
        assert error.message == file_types.ANIMATED


@pytest.mark.parametrize(
    "data",
    [b"hello, this is a text", b"GIF89a" + bytes(40), b"%PDF-1.7" + bytes(40), bytes(100),
     b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(40)],
)  # fmt: skip
def test_a_file_that_is_no_photo_is_refused(data: bytes) -> None:
    assert all(type(error) is UnsupportedFormat for error in both_ways(data))


def test_pixels_for_science_are_refused() -> None:
    photo = encoded(Image.new("F", (40, 40)), "TIFF")
    assert all(error.message == decode.UNUSUAL for error in both_ways(photo))


def test_an_empty_file_says_so() -> None:
    for error in both_ways(b""):
        assert isinstance(error, CorruptImage)
        assert error.message == decode.EMPTY


@pytest.mark.parametrize(
    "start",
    [
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\0\0\0\0WEBPVP8 ",
        b"\0\0\0\x18ftypheic\0\0\0\0heicmif1",
        b"\0\0\0\x18ftypavif\0\0\0\0avifmif1",
        b"II*\0",
        b"BM",
    ],
)
def test_the_mere_start_of_a_photo_is_corrupt(start: bytes) -> None:
    assert all(type(error) is CorruptImage for error in both_ways(start + bytes(64)))


def brands(*names: bytes, behind: bytes = b"") -> bytes:
    """The start of a file that names its format by a major brand and some that it is compatible with."""
    content = names[0] + bytes(4) + b"".join(names[1:])
    return struct.pack(">I", 8 + len(content)) + b"ftyp" + content + behind


@pytest.mark.parametrize(
    ("start", "format_"),
    [
        (brands(b"avif"), "AVIF"),
        (brands(b"heic"), "HEIF"),
        (brands(b"mif1"), "HEIF"),
        (brands(b"mif1", b"miaf", b"avif"), "AVIF"),
        (brands(b"mif1", b"heic", b"avif"), "AVIF"),
        (brands(b"msf1", b"miaf", b"MA1B", b"heic"), "HEIF"),
        (brands(b"isom", b"mp42"), ""),
        (brands(b"isom", behind=b"avif"), ""),
        (b"RIFF\4\0\0\0WEBP", "WEBP"),
        (b"RIFF\4\0\0\0WAVE", ""),
    ],
)
def test_a_format_is_told_by_the_first_bytes(start: bytes, format_: str) -> None:
    """Cameras write a general major brand, and the format's own among the compatible ones."""
    assert file_types.format_of(start) == format_


def test_more_bytes_than_the_limit() -> None:
    assert all(type(error) is ImageTooLarge for error in both_ways(bytes(MAX_RESULT_BYTES + 1)))
    assert decode.inspect(astronaut().ljust(MAX_RESULT_BYTES, b"\0")).width == 512


def test_more_pixels_than_the_limit_are_refused_before_they_are_decoded() -> None:
    assert all(type(error) is ImageTooLarge for error in both_ways(resized("PNG", 20_000, 5_001)))
    assert decode.inspect(resized("PNG", 20_000, 5_000)).width == 20_000


def test_too_few_pixels() -> None:
    assert all(type(error) is ImageTooSmall for error in both_ways(encoded(Image.new("L", (15, 400)), "PNG")))
    assert decode.inspect(encoded(Image.new("L", (16, 16)), "PNG")).width == 16


@pytest.mark.parametrize("size", [(16, 3201), (3201, 16)])
def test_strips_are_refused(size: tuple[int, int]) -> None:
    assert all(error.message == decode.STRIP for error in both_ways(encoded(Image.new("1", size), "PNG")))
    longest = min(size[0], 3200), min(size[1], 3200)
    assert decode.inspect(encoded(Image.new("1", longest), "PNG")).width == longest[0]


def png_with(*chunks: tuple[bytes, bytes]) -> bytes:
    """A small PNG with these chunks before its pixels."""
    photo = encoded(small(), "PNG")
    added = b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )
    return photo[:33] + added + photo[33:]


@cache
def zeros() -> bytes:
    """Twenty megabytes of them, compressed."""
    return zlib.compress(bytes(20_000_000))


@pytest.mark.parametrize(("name", "start"), [(b"zTXt", b"k\0\0"), (b"iTXt", b"k\0\1\0\0\0"), (b"iCCP", b"k\0\0")])
def test_bombs_in_chunks_are_not_unpacked(name: bytes, start: bytes) -> None:
    """They cost the chunk."""
    photo = png_with((name, start + zeros()))
    tracemalloc.start()
    with suppress(CorruptImage):
        assert decode.load_for_detection(photo, None).size == (96, 64)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 10_000_000


@pytest.mark.parametrize("key", ["transparency", "icc_profile", "exif", "dpi", "interlace"])
def test_text_cannot_pass_for_what_the_decoder_found(key: str) -> None:
    photo = png_with((b"tEXt", key.encode() + b"\0gotcha"))
    with suppress(CorruptImage):
        assert decode.load_for_detection(photo, None).size == (96, 64)


def test_a_text_that_cannot_be_unpacked_costs_the_text() -> None:
    picture = decode.load_for_detection(png_with((b"zTXt", b"k\0\0" + zlib.compress(bytes(2_000_000)))), None)
    assert picture.info == {}


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_broken_exif_says_nothing_about_the_orientation() -> None:
    photo = encoded(small(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12\0\x03")
    assert decode.inspect(photo) == decode.Header("JPEG", 96, 64, 1)


@cache
def small_file(format_: str) -> bytes:
    return encoded(small(), format_, **FORMATS[format_])


@given(st.sampled_from(sorted(FORMATS)), st.data())
def test_damaged_files_raise_only_the_documented_errors(format_: str, data: st.DataObject) -> None:
    photo = bytearray(small_file(format_))
    for place in data.draw(st.lists(st.integers(0, len(photo) - 1), min_size=1, max_size=12)):
        photo[place] = data.draw(st.integers(0, 255))
    with suppress(PhotoError):
        assert decode.load_for_detection(bytes(photo), 640).mode == "RGB"


def turned_in_exif(photo: bytes, orientation: int) -> bytes:
    """The photo with another orientation in its EXIF, and everything else as it is."""
    upright, turned = (struct.pack(">HHIH", 0x0112, 3, 1, each) for each in (1, orientation))
    assert upright in photo
    return photo.replace(upright, turned)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_heic_turned_by_exif_alone_is_turned(orientation: int) -> None:
    exif = oriented(1).tobytes()
    photo = turned_in_exif(encoded(small(), "HEIF", quality=95, exif=exif), orientation)
    assert b"irot" not in photo
    assert b"imir" not in photo
    picture = decode.load_for_detection(photo, None)
    expected = decode.turn_upright(small(), orientation)
    assert decode.inspect(photo).orientation == orientation
    assert picture.size == expected.size
    assert np.abs(np.asarray(picture, int) - np.asarray(expected, int)).mean() < 8


def test_a_heic_that_its_properties_turn_is_not_turned_again() -> None:
    """Phones repeat the orientation in EXIF."""
    image = small()
    image.info["exif"] = oriented(6).tobytes()
    photo = encoded(image, "HEIF", quality=95)
    assert b"irot" in photo
    assert struct.pack(">HHIH", 0x0112, 3, 1, 6) in photo
    expected = decode.turn_upright(small(), 6)
    picture = decode.load_for_detection(photo, None)
    assert decode.inspect(photo).orientation == 1
    assert np.abs(np.asarray(picture, int) - np.asarray(expected, int)).mean() < 8


@pytest.mark.parametrize("last_apart", [False, True])
def test_a_heic_with_several_boxes_of_properties_is_turned_once(last_apart: bool) -> None:
    image = small()
    image.info["exif"] = oriented(6).tobytes()
    photo = associated_by_two(encoded(image, "HEIF", quality=95), last_apart=last_apart)
    expected = decode.turn_upright(small(), 6)
    picture = decode.load_for_detection(photo, None)
    assert np.abs(np.asarray(picture, int) - np.asarray(expected, int)).mean() < 8
    hidden = hide_regions(photo, [])
    assert (hidden.width, hidden.height) == expected.size


def test_an_avif_with_several_boxes_of_properties() -> None:
    photo = associated_by_two(encoded(small(), "AVIF", exif=oriented(6).tobytes()))
    assert decode.load_for_detection(photo, None).size == small().size[::-1]
    with pytest.raises(CorruptImage):
        decode.load_for_detection(associated_by_two(encoded(small(), "AVIF"), last_apart=True), None)


def test_exif_after_the_pixels_of_a_png_does_not_turn_it() -> None:
    """So it is in browsers; PNG's third edition has it before the pixels (11.3.4.5)."""
    content = oriented(6).tobytes()[6:]
    chunk = struct.pack(">I", len(content)) + b"eXIf" + content + struct.pack(">I", zlib.crc32(b"eXIf" + content))
    photo = encoded(small(), "PNG")
    late = photo[:-12] + chunk + photo[-12:]
    early = photo[:33] + chunk + photo[33:]
    for output in ("same", "jpeg"):
        hidden = hide_regions(late, [], output)
        assert (hidden.width, hidden.height) == decode.load_for_detection(late, None).size == small().size
        assert hidden.stripped == ["EXIF"]
        assert (hide_regions(early, [], output).width, decode.inspect(early).width) == (small().height,) * 2


@pytest.mark.parametrize("format_", ["WEBP", "AVIF"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_decoded_picture_does_not_hold_the_decoder_and_its_memory(format_: str, mode: str) -> None:
    photo = encoded(astronaut_pixels().convert(mode), format_)
    assert type(decode.load_for_detection(photo, None)) is Image.Image


def test_rgb_is_not_copied() -> None:
    picture = astronaut_pixels()
    assert decode.to_rgb(decode.without_alpha(picture)) is picture


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
@pytest.mark.parametrize("background", ["black", "white"])
def test_transparent_parts_show_the_background(mode: str, background: str) -> None:
    picture = Image.new("RGBA", (2, 1), (90, 90, 90, 255)).convert(mode)
    picture.putpixel((1, 0), (90, 0) if mode == "LA" else (90, 90, 90, 0))
    shown = decode.to_rgb(picture, background)
    assert [shown.getpixel((x, 0)) for x in (0, 1)] == [
        (90,) * 3,
        Image.new("RGB", (1, 1), background).getpixel((0, 0)),
    ]
