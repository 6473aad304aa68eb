"""What a file is said to be, and which of several pictures is the photo."""

from __future__ import annotations

import struct
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin
from pillow_heif import from_pillow

from faceblur.errors import CorruptImage, UnsupportedFormat
from faceblur.photo import decode, file_types, heif_boxes
from faceblur.photo.hide import hide_regions
from faceblur.photo.styles import Region, Style
from tests.support.pictures.photos import ASTRONAUT_FACE, astronaut_pixels, encoded, fastest, hopper_pixels

if TYPE_CHECKING:
    from faceblur.limits import OutputFormat


def small() -> Image.Image:
    return astronaut_pixels().resize((96, 64))


def refusal(data: bytes) -> str:
    with pytest.raises(UnsupportedFormat) as raised:
        decode.inspect(data)
    return raised.value.message


def looks_like(picture: Image.Image, original: Image.Image) -> bool:
    return bool(np.abs(np.asarray(picture, int) - np.asarray(original, int)).mean() < 6)


def ftyp(*brands: bytes) -> bytes:
    content = brands[0] + bytes(4) + b"".join(brands[1:])
    return struct.pack(">I", 8 + len(content)) + b"ftyp" + content + bytes(40)


# ---------------------------------------------------------------- TIFFs of several pages


def tiff(*pages: tuple[Image.Image, dict[int, int]]) -> bytes:
    """A TIFF of these pages, each with these tags."""
    file = BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(file, new=True) as writer:
        for image, tags in pages:
            image.save(writer, "TIFF", tiffinfo=tags)
            writer.newFrame()
    return file.getvalue()


def pixels_behind_the_header(grey: int, place: int = 8) -> bytes:
    """A TIFF of 32 by 32 grey pixels that begin right behind its header, as libtiff lays them out."""
    pixels = bytes([grey]) * 1024
    tags = ((256, 3, 32), (257, 3, 32), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, place), (277, 3, 1),
            (278, 3, 32), (279, 4, 1024))  # fmt: skip
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return b"II*\0" + struct.pack("<I", 8 + 1024) + pixels + struct.pack("<H", len(tags)) + entries + bytes(4)


@pytest.mark.parametrize("grey", [b"I"[0], b"M"[0], 72])
def test_grey_pixels_that_look_like_the_letters_of_a_raw_file(grey: int) -> None:
    assert decode.inspect(pixels_behind_the_header(grey)).width == 32


def test_the_letters_of_a_raw_file_where_no_pixels_begin() -> None:
    assert refusal(pixels_behind_the_header(b"I"[0], place=12)) == file_types.RAW


REDUCED, PAGE, MASK, DEPTH = 1, 2, 4, 8


@pytest.mark.parametrize("flag", [REDUCED, MASK, DEPTH, REDUCED | MASK])
@pytest.mark.parametrize("first", [False, True])
def test_of_a_tiff_with_thumbnails_the_picture_itself_is_the_photo(flag: int, first: bool) -> None:
    pages = [(small(), {}), (hopper_pixels().resize((48, 32)), {254: flag})]
    photo = tiff(*(reversed(pages) if first else pages))
    assert decode.inspect(photo) == decode.Header("TIFF", 96, 64, 1, is_plain=True)
    assert looks_like(decode.load_for_detection(photo, None), small())
    hidden = hide_regions(photo, [])
    assert hidden.stripped == ["further pictures"]
    assert (hidden.width, hidden.height) == (96, 64)
    with Image.open(BytesIO(hidden.data)) as result:
        assert result.n_frames == 1
        assert looks_like(result, small())


def test_a_pyramid_is_one_photo() -> None:
    halves = [(small().resize((96 >> n, 64 >> n)), {254: REDUCED if n else 0}) for n in range(3)]
    assert decode.inspect(tiff(*halves)).width == 96


@pytest.mark.parametrize("flag", [0, PAGE])
def test_a_tiff_of_several_pages_is_refused(flag: int) -> None:
    assert refusal(tiff((small(), {}), (small(), {254: flag}))) == file_types.ANIMATED


def test_a_single_page_is_the_photo_whatever_it_says_it_is() -> None:
    assert decode.inspect(tiff((small(), {254: REDUCED}))).width == 96


def sub_ifd(tag: int, value: int) -> bytes:
    """A TIFF with a directory of one tag beneath its first."""
    photo = bytearray(encoded(small(), "TIFF", tiffinfo={330: 0xFFFFFF}))
    photo += b"\0" * (len(photo) % 2)
    place = photo.index(struct.pack("<HHII", 330, 4, 1, 0xFFFFFF))
    photo[place + 8 : place + 12] = struct.pack("<I", len(photo))
    return bytes(photo + struct.pack("<HHHIII", 1, tag, 4, 1, value, 0))


def test_reduced_copies_beneath_a_picture_are_left_out() -> None:
    photo = sub_ifd(254, REDUCED)
    assert looks_like(decode.load_for_detection(photo, None), small())
    assert hide_regions(photo, []).stripped == ["further pictures"]
    assert refusal(sub_ifd(254, 0)) == file_types.ANIMATED


def test_a_bigtiff_is_read() -> None:
    photo = encoded(small(), "TIFF", big_tiff=True)
    assert photo.startswith(b"II+\0")
    assert looks_like(decode.load_for_detection(photo, None), small())
    assert hide_regions(photo, []).stripped == []


# ---------------------------------------------------------------- HEIC and AVIF


def heic(*images: Image.Image, primary: int = 0) -> bytes:
    photo = from_pillow(images[0])
    for image in images[1:]:
        photo.add_from_pillow(image)
    file = BytesIO()
    photo.save(file, quality=90, primary_index=primary, **fastest("HEIF"))
    return file.getvalue()


@pytest.mark.parametrize("primary", [0, 1])
def test_of_a_heic_with_several_pictures_the_primary_is_the_photo(primary: int) -> None:
    pictures = [small(), hopper_pixels().resize((96, 64))]
    photo = heic(*pictures, primary=primary)
    assert looks_like(decode.load_for_detection(photo, None), pictures[primary])
    hidden = hide_regions(photo, [])
    assert hidden.stripped == ["further pictures"]
    with Image.open(BytesIO(hidden.data)) as result:
        assert looks_like(result, pictures[primary])


@cache
def astronaut_before_hopper(format_: str) -> bytes:
    pictures = [astronaut_pixels(), hopper_pixels().resize((512, 512))]
    return heic(*pictures) if format_ == "HEIF" else tiff((pictures[0], {}), (pictures[1], {254: REDUCED}))


@pytest.mark.parametrize("output", ["same", "png", "webp"])
@pytest.mark.parametrize("format_", ["HEIF", "TIFF"])
def test_the_face_in_the_primary_of_several_pictures_is_hidden(format_: str, output: OutputFormat) -> None:
    """Pillow's plugins may read a picture of several again, over what was painted on it."""
    hidden = hide_regions(astronaut_before_hopper(format_), [Region(ASTRONAUT_FACE, Style("solid"))], output)
    with Image.open(BytesIO(hidden.data)) as result:
        face, rest = (190, 70, 260, 160), (0, 300, 512, 512)
        assert max(high for _, high in result.crop(face).convert("RGB").getextrema()) < 20
        assert looks_like(result.crop(rest), astronaut_pixels().crop(rest))


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + name + content


def track(handler: bytes) -> bytes:
    return box(b"moov", box(b"trak", box(b"mdia", box(b"hdlr", bytes(8) + handler + bytes(13)))))


C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


@pytest.mark.parametrize("format_", ["HEIF", "AVIF"])
@pytest.mark.parametrize(
    ("added", "names"),
    [
        (b"", []),
        (track(b"vide"), ["motion video"]),
        (box(b"mpvd", ftyp(b"mp42")), ["motion video"]),
        (box(b"uuid", C2PA + b"a manifest"), ["C2PA"]),
        (box(b"free", bytes(20)), []),
        (box(b"sefd", bytes(20)), ["appended data"]),
        (struct.pack(">I4sQ", 1, b"sefd", 20) + bytes(4), ["appended data"]),
    ],
)
def test_what_a_heic_or_avif_holds_beside_its_picture_is_named(format_: str, added: bytes, names: list[str]) -> None:
    photo = heic(small()) if format_ == "HEIF" else encoded(small(), "AVIF")
    assert hide_regions(photo + added, []).stripped == names


def test_a_track_of_pictures_is_no_video() -> None:
    assert heif_boxes.names(track(b"vide")) == {"motion video"}
    assert heif_boxes.names(track(b"pict")) == set()


def test_a_sequence_is_refused() -> None:
    assert refusal(heic(small()) + track(b"pict")) == file_types.ANIMATED


# ---------------------------------------------------------------- what the others hold


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    photo = encoded(small(), "WEBP")[12:] + b"".join(
        name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2) for name, content in chunks
    )
    return b"RIFF" + struct.pack("<I", 4 + len(photo)) + b"WEBP" + photo


@pytest.mark.parametrize(("name", "named"), [(b"C2PA", "C2PA"), (b"abcd", "abcd"), (b"ab\n\xff", "unknown")])
def test_a_chunk_of_a_webp_is_named(name: bytes, named: str) -> None:
    assert hide_regions(riff((name, b"odd")), []).stripped == [named]


def test_the_motion_video_and_the_gain_map_behind_a_jpeg_are_named() -> None:
    photo = encoded(small(), "JPEG")
    assert hide_regions(photo + ftyp(b"mp42", b"isom"), []).stripped == ["appended data", "motion video"]
    behind = photo[:2] + b"\xff\xe1\0\x28http://ns.apple.com/HDRGainMap/1.0/" + bytes(3) + photo[2:]
    assert hide_regions(photo + behind, []).stripped == ["appended data", "gain map"]


# ---------------------------------------------------------------- refused for the right reason


@pytest.mark.parametrize(
    "start",
    [b"IIRO\x08\0\0\0", b"IIU\0\x08\0\0\0", b"FUJIFILMCCD-RAW 0201", b"FOVb", b"\0MRM", b"II*\0\x10\0\0\0CR\2\0",
     ftyp(b"crx ", b"crx ", b"isom"), b"II\x1a\0\0\0HEAPCCDR"],
)  # fmt: skip
def test_a_raw_file_is_told_by_its_first_bytes(start: bytes) -> None:
    assert refusal(start + bytes(100)) == file_types.RAW


@pytest.mark.parametrize(("tag", "value"), [(262, 32803), (262, 34892), (50706, 0x01040000)])
def test_a_raw_file_is_told_by_its_tags(tag: int, value: int) -> None:
    """DNG, NEF, ARW and others are TIFFs. Many have a thumbnail first, and the data of the sensor beneath it."""
    directory = struct.pack(">HHHII", 1, tag, 4, 1, value) + bytes(4)
    assert refusal(b"MM\0*\0\0\0\x08" + directory + bytes(100)) == file_types.RAW
    assert tag == 50706 or refusal(sub_ifd(tag, value)) == file_types.RAW


def test_a_thumbnail_with_pictures_beneath_it_is_that_of_a_raw_file() -> None:
    first = struct.pack(">HHHIIHHIII", 2, 254, 4, 1, REDUCED, 330, 4, 1, 1_000_000, 0)
    assert refusal(b"MM\0*\0\0\0\x08" + first + bytes(100)) == file_types.RAW


@pytest.mark.parametrize(
    ("compression", "name"),
    [(50001, "WebP"), (50002, "JPEG XL"), (34712, "JPEG 2000"), (33003, "JPEG 2000"), (34661, "JBIG"), (9999, "9999")],
)
def test_a_tiff_is_refused_with_the_name_of_its_compression(compression: int, name: str) -> None:
    photo = bytearray(encoded(small(), "TIFF"))
    place = photo.index(struct.pack("<HHI", 259, 3, 1))
    photo[place + 8 : place + 10] = struct.pack("<H", compression)
    assert f"{name}, which" in refusal(bytes(photo))


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (b"\xff\x0a", "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"GIF89a", "GIF"),
        (b"%PDF-1.7", "PDF"),
        (b"8BPS\0\1", "Photoshop"),
        (b"MM\0+\0\x08\0\0", "BigTIFF"),
        (b"\n <svg xmlns", "SVG"),
        (b"<?xml version='1.0'?><svg>", "SVG"),
        (ftyp(b"mp42", b"isom"), "video"),
        (ftyp(b"qt  "), "video"),
        (b"\x1a\x45\xdf\xa3", "video"),
        (b"RIFF\0\0\0\0AVI LIST", "video"),
    ],
)
def test_a_file_that_is_not_read_is_named(start: bytes, name: str) -> None:
    assert name in refusal(start + bytes(100))


def test_a_file_that_nobody_knows_is_refused() -> None:
    for unknown in (b"a text", bytes(100), b"RIFF\4\0\0\0WAVE", ftyp(b"abcd")):
        assert refusal(unknown) == UnsupportedFormat.sentence


def bmp(*masks: int) -> bytes:
    """A BMP of 32 bits a pixel, whose colours lie where the masks say."""
    pixels = small().convert("RGBA").tobytes()
    header = struct.pack("<IiiHHIIiiII", 40, 96, -64, 1, 32, 3, len(pixels), 2835, 2835, 0, 0)
    start = 14 + 40 + 12
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + header + struct.pack("<3I", *masks) + pixels


@pytest.mark.parametrize("bits", [12, 16])
def test_a_jpeg_of_more_than_eight_bits_is_not_called_damaged(bits: int) -> None:
    photo = bytearray(encoded(small(), "JPEG"))
    photo[photo.index(b"\xff\xc0") + 4] = bits
    assert "unusual kind" in refusal(bytes(photo))
    photo[photo.index(b"\xff\xc0") + 4] = 7
    with pytest.raises(CorruptImage):
        decode.inspect(bytes(photo))


def test_a_bmp_with_masks_is_read_or_named() -> None:
    assert decode.inspect(bmp(0xFF0000, 0xFF00, 0xFF)).width == 96
    for masks in ((0xFF00, 0xFF0000, 0xFF000000), (0x3FF00000, 0xFFC00, 0x3FF)):
        assert "BMP of an unusual kind" in refusal(bmp(*masks))


@pytest.mark.parametrize("format_", ["PNG", "WEBP", "AVIF"])
def test_transparency_that_the_result_cannot_hold_is_named(format_: str) -> None:
    picture = small().convert("RGBA")
    picture.putalpha(100)
    photo = encoded(picture, format_)
    for output in ("jpeg", "png"):
        assert hide_regions(photo, [], output).stripped == (["alpha channel"] if output == "jpeg" else [])
