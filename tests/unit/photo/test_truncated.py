"""Photos of which a part is missing: the end of the file, some pixels, or what can be done without."""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress
from functools import cache

import numpy as np
import pytest
from PIL import Image, ImageFile
from pillow_heif import register_heif_opener

from faceblur.errors import CorruptImage
from faceblur.photo import decode
from faceblur.photo.hide import hide_regions
from tests.support.bad_files.jpeg import segment
from tests.support.pictures.arithmetic import ARITHMETIC, PROGRESSIVE, WITHOUT_ZEROS
from tests.support.pictures.photos import astronaut_pixels, encoded, opened, without_its_end

register_heif_opener()

JPEGS: dict[str, dict[str, object]] = {
    "4:2:0": {"quality": 90},
    "4:4:4": {"quality": 90, "subsampling": 0},
    "progressive": {"quality": 90, "progressive": True},
    "restarts": {"quality": 90, "restart_marker_blocks": 4},
}


@cache
def jpeg(kind: str, mode: str = "RGB", side: int = 256) -> bytes:
    return encoded(astronaut_pixels().crop((0, 0, side, side)).convert(mode), "JPEG", **JPEGS[kind])


def chunk(name: bytes, content: bytes, flaw: int = 0) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content) ^ flaw)


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("left", [0, 1])
@pytest.mark.parametrize("kind", JPEGS)
def test_a_jpeg_that_lacks_only_its_end_marker_is_complete(kind: str, left: int, mode: str) -> None:
    whole = jpeg(kind, mode, side=512)  # some are above 64 KiB
    photo = whole[: len(whole) - 2 + left]
    picture = decode.load_for_detection(photo, None)
    assert picture.info == {}
    assert picture.tobytes() == decode.load_for_detection(whole, None).tobytes()
    assert hide_regions(photo, []).data == hide_regions(whole, []).data


@pytest.mark.parametrize("missing", [10, 200, 5000])
@pytest.mark.parametrize("kind", ["4:2:0", "4:4:4", "restarts"])
def test_a_jpeg_whose_last_pixels_are_missing_is_filled_up(kind: str, missing: int) -> None:
    side = 512 if kind == "4:4:4" else 256  # that of 512 pixels is above 64 KiB
    whole = jpeg(kind, side=side)
    photo = whole[:-missing]
    picture = decode.load_for_detection(photo, None)
    assert decode.TRUNCATED in picture.info
    kept = side * 100 // 256
    assert np.array_equal(np.asarray(picture)[:kept], np.asarray(decode.load_for_detection(whole, None))[:kept])
    assert opened(hide_regions(photo, []).data).size == picture.size


MODES = ["RGB", "L", "CMYK"]


@pytest.mark.parametrize("appended", [b"", b"appended\xff\xd9"])
@pytest.mark.parametrize("long_side", [None, 100])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", JPEGS)
def test_a_jpeg_that_was_cut_and_got_a_new_end_marker(
    kind: str, mode: str, long_side: int | None, appended: bytes
) -> None:
    side = 512 if mode == "CMYK" else 256  # Pillow reads 64 KiB at a time, and a CMYK of 512 pixels has more
    whole = jpeg(kind, mode, side)
    for kept in (0.3, 0.7, 0.95):
        photo = whole[: round(kept * len(whole))].rstrip(b"\xff") + b"\xff\xd9" + appended
        assert decode.load_for_detection(photo, long_side).info == {decode.TRUNCATED: True}
        assert hide_regions(photo, []).width == side
    assert decode.load_for_detection(whole + appended, long_side).info == {}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", JPEGS)
def test_a_jpeg_that_ends_in_middle_grey_is_complete(kind: str, mode: str) -> None:
    picture = astronaut_pixels().crop((0, 0, 256, 256)).convert(mode)
    picture.paste((128,) * len(picture.getbands()), (100, 100, 256, 256))
    assert decode.load_for_detection(encoded(picture, "JPEG", **JPEGS[kind]), None).info == {}


@pytest.mark.parametrize("end", [b"", b"\xff\xd9"])
@pytest.mark.parametrize("jpeg", [ARITHMETIC, WITHOUT_ZEROS, PROGRESSIVE], ids=["sequential", "zeros", "progressive"])
def test_an_arithmetic_jpeg_is_complete_or_filled_up(jpeg: bytes, end: bytes) -> None:
    """Its decoder makes pixels of a missing end that look like any others."""
    whole = decode.load_for_detection(jpeg[:-2] + end, None)
    assert whole.info == {}
    assert np.ptp(np.asarray(whole)) > 200
    for missing in (20, 100, 300):
        photo = jpeg[: -2 - missing].rstrip(b"\xff") + end
        assert decode.load_for_detection(photo, None).info == {decode.TRUNCATED: True}
        assert hide_regions(photo, []).width == 64


@pytest.mark.parametrize("jpeg", [ARITHMETIC, PROGRESSIVE], ids=["sequential", "progressive"])
@pytest.mark.parametrize("place", [200, 350, 500])
def test_an_arithmetic_jpeg_above_64_kib_is_complete(place: int, jpeg: bytes) -> None:
    """Pillow reads 64 KiB at a time, and the decoder cannot stop within a scan to wait for more."""
    comment = segment(0xFE, bytes((1 << 16) - place - 4))
    photo = jpeg[:2] + comment + jpeg[2:]
    whole = decode.load_for_detection(photo, None)
    assert whole.info == {}
    assert whole.tobytes() == decode.load_for_detection(jpeg, None).tobytes()


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "TIFF", "BMP"])
def test_the_half_of_a_photo_is_filled_up(format_: str) -> None:
    photo = without_its_end(encoded(astronaut_pixels(), format_))
    assert decode.TRUNCATED in decode.load_for_detection(photo, 640).info
    assert hide_regions(photo, []).width == 512


@pytest.mark.parametrize("format_", ["WEBP", "AVIF", "HEIF"])
def test_the_half_of_a_photo_is_damaged_if_its_decoder_cannot_go_on(format_: str) -> None:
    with pytest.raises(CorruptImage):
        decode.load_for_detection(without_its_end(encoded(astronaut_pixels(), format_)), 640)


@pytest.mark.parametrize("name", [b"tEXt", b"pHYs", b"eXIf", b"iTXt"])
@pytest.mark.parametrize("late", [False, True])
def test_a_png_with_a_bad_checksum_beside_its_pixels_is_complete(name: bytes, late: bool) -> None:
    pixels = astronaut_pixels().crop((100, 0, 320, 220))  # enough for several chunks of pixels
    whole = encoded(pixels, "PNG")
    assert whole.count(b"IDAT") > 1
    place = len(whole) - 12 if late else 33
    photo = whole[:place] + chunk(name, b"key\0text", flaw=1) + whole[place:]
    picture = decode.load_for_detection(photo, None)
    assert picture.info == {}
    assert picture.tobytes() == pixels.tobytes()
    assert hide_regions(photo, []).data == hide_regions(whole, []).data


def test_both_of_it() -> None:
    whole = encoded(astronaut_pixels(), "PNG")
    photo = whole[:33] + chunk(b"tEXt", b"key\0text", flaw=1) + without_its_end(whole)[33:]
    assert decode.TRUNCATED in decode.load_for_detection(photo, None).info


def test_a_text_cannot_say_that_pixels_are_missing() -> None:
    whole = encoded(Image.new("RGB", (64, 64)), "PNG")
    photo = whole[:33] + chunk(b"tEXt", decode.TRUNCATED.encode() + b"\0True") + whole[33:]
    assert decode.load_for_detection(photo, None).info == {}


def test_pillow_tolerates_nothing_afterwards() -> None:
    for photo in (jpeg("4:2:0")[:-200], b"\xff\xd8\xff" + bytes(40)):
        with suppress(CorruptImage):
            decode.load_for_detection(photo, None)
        assert not ImageFile.LOAD_TRUNCATED_IMAGES
