"""Only the picture survives: a marker is planted in every place of every format and searched byte by byte."""

from __future__ import annotations

import struct
import zlib
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageCms, JpegImagePlugin, PngImagePlugin, TiffImagePlugin
from pillow_heif import register_heif_opener

from faceblur.photo import metadata, png
from faceblur.photo.hide import hide_regions
from faceblur.photo.styles import Region, Style
from tests.support.pictures.photos import ASTRONAUT_FACE, astronaut_pixels, encoded, hopper_pixels, opened

if TYPE_CHECKING:
    from collections.abc import Callable

    from faceblur.limits import OutputFormat

register_heif_opener()

MARK = b"48.8584N-2.2945E-"
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
FACE = Region(ASTRONAUT_FACE, Style())


@cache
def picture() -> Image.Image:
    return astronaut_pixels().resize((64, 64))


def exif() -> bytes:
    """EXIF with the marker in an ordinary tag, a note of the maker, GPS and a thumbnail."""
    marked = Image.Exif()
    marked[0x010E] = MARK.decode()
    marked.get_ifd(0x8769)[0x927C] = MARK
    marked.get_ifd(0x8825)[0x1D] = MARK.decode()
    return marked.tobytes()


def exif_with_thumbnail() -> bytes:
    """EXIF whose second directory holds a small JPEG of the clear face, and the marker in it."""
    thumbnail = encoded(picture().resize((32, 32)), "JPEG", comment=MARK)
    first = struct.pack(">HHHIII", 1, 0x0112, 3, 1, 1 << 16, 26)
    second = struct.pack(">HHHIIHHIII", 2, 0x0201, 4, 1, 56, 0x0202, 4, 1, len(thumbnail), 0)
    return b"Exif\0\0MM\0*\0\0\0\x08" + first + second + thumbnail


XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a>' + MARK + b"</a></x:xmpmeta>"
IPTC = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x16\x1c\x02\x78\0" + bytes([len(MARK)]) + MARK


# JPEG


def jpeg_with(marker: int, content: bytes) -> bytes:
    photo = encoded(picture(), "JPEG", quality=85)
    return photo[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content + photo[2:]


def mpo() -> bytes:
    return encoded(picture(), "MPO", save_all=True, append_images=[hopper_pixels().resize((64, 64))], comment=MARK)


JPEG: dict[str, Callable[[], bytes]] = {
    "EXIF": lambda: jpeg_with(0xE1, exif()),
    "thumbnail": lambda: jpeg_with(0xE1, exif_with_thumbnail()),
    "XMP": lambda: jpeg_with(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP),
    "extended XMP": lambda: jpeg_with(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(40) + XMP),
    "IPTC": lambda: jpeg_with(0xED, IPTC),
    "comment": lambda: jpeg_with(0xFE, MARK),
    "JFIF thumbnail": lambda: jpeg_with(0xE0, b"JFIF\0\1\1\0\0\1\0\1\3\2" + MARK + b"!"),
    "JFXX thumbnail": lambda: jpeg_with(0xE0, b"JFXX\0\x10" + encoded(picture(), "JPEG", comment=MARK)),
    "FlashPix": lambda: jpeg_with(0xE2, b"FPXR\0" + MARK),
    "Adobe": lambda: jpeg_with(0xEE, b"Adobe\0\x64\0\0\0\0\1" + MARK),
    "another picture": mpo,
    "an unused table": lambda: jpeg_with(0xDB, b"\3" + MARK.ljust(64, b"\1")),
    "after the ICC profile": lambda: encoded(picture(), "JPEG", icc_profile=SRGB + MARK),
    "in place of an ICC profile": lambda: encoded(picture(), "JPEG", icc_profile=MARK * 20),
    "after the end": lambda: encoded(picture(), "JPEG") + MARK,
    "a whole JPEG after the end": lambda: encoded(picture(), "JPEG") + encoded(picture(), "JPEG", comment=MARK),
    **{f"APP{n}": lambda n=n: jpeg_with(0xE0 + n, MARK) for n in range(16)},
}


# PNG


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png_with(added: bytes, *, late: bool = False, image: Image.Image | None = None) -> bytes:
    photo = encoded(image or picture(), "PNG")
    place = len(photo) - 12 if late else 33
    return photo[:place] + added + photo[place:]


def png_palette() -> bytes:
    image = picture().quantize(16)
    image.putpalette((image.getpalette() or [])[:48] + list(MARK) * 3)
    return encoded(image, "PNG", bits=8)


def png_idat() -> bytes:
    """The marker after the end of the compressed pixels."""
    photo = encoded(Image.new("L", (16, 16)), "PNG")
    start = photo.index(b"IDAT")
    length = int.from_bytes(photo[start - 4 : start])
    content = photo[start + 4 : start + 4 + length]
    return photo[: start - 4] + chunk(b"IDAT", content + MARK) + photo[start + 8 + length :]


TEXTS = {
    b"tEXt": b"Comment\0" + MARK,
    b"zTXt": b"Comment\0\0" + zlib.compress(MARK),
    b"iTXt": b"XML:com.adobe.xmp\0\0\0\0\0" + XMP,
    b"eXIf": exif()[6:],
    b"tIME": MARK[:7],
    b"pHYs": MARK[:9],
    b"sBIT": MARK[:3],
    b"bKGD": MARK[:6],
    b"sPLT": b"p\0\x08" + MARK + b"!!!",
    b"gAMA": MARK[:4],
    b"cHRM": (MARK * 2)[:32],
    b"cICP": MARK[:4],
    b"prVt": MARK,
    b"cpIp": MARK,
    b"caBX": MARK,
    b"dSIG": MARK,
}
PNG: dict[str, Callable[[], bytes]] = {
    **{
        name.decode(): lambda name=name: png_with(chunk(name, TEXTS[name]))
        for name in TEXTS
        if name not in (b"gAMA", b"cICP", b"sBIT")  # too short for the marker
    },
    **{
        f"{name.decode()} after the pixels": lambda name=name: png_with(chunk(name, TEXTS[name]), late=True)
        for name in (b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME", b"prVt", b"caBX")
    },
    "a gamma that is too long": lambda: png_with(chunk(b"gAMA", struct.pack(">I", 45_455) + MARK)),
    "the name of the ICC profile": lambda: png_with(chunk(b"iCCP", MARK + b"\0\0" + zlib.compress(SRGB))),
    "after the ICC profile": lambda: png_with(chunk(b"iCCP", b"p\0\0" + zlib.compress(SRGB + MARK))),
    "text that passes for an ICC profile": lambda: png_with(chunk(b"tEXt", b"icc_profile\0" + MARK * 20)),
    "unused colours": png_palette,
    "after the compressed pixels": png_idat,
    "after the end": lambda: encoded(picture(), "PNG") + MARK,
    "a deep picture's text": lambda: png_with(
        chunk(b"tEXt", TEXTS[b"tEXt"]), image=picture().convert("L").convert("I;16")
    ),
}


# the others


def riff_with(name: bytes, content: bytes) -> bytes:
    photo = encoded(picture(), "WEBP", exif=exif(), xmp=XMP)
    content += bytes(len(content) % 2)
    photo += name + struct.pack("<I", len(content)) + content
    return photo[:4] + struct.pack("<I", len(photo) - 8) + photo[8:]


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + name + content


def tiff(mode: str = "RGB") -> bytes:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    for tag in (270, 271, 272, 305, 306, 315, 316, 33432, 65000):  # texts, and a private one
        tags[tag] = MARK.decode()
    for tag in (700, 33723, 34377, 37724):  # XMP, IPTC, Photoshop's resources and layers
        tags.tagtype[tag] = 7
        tags[tag] = MARK * 2
    return encoded(picture().convert(mode), "TIFF", tiffinfo=tags)


def bmp() -> bytes:
    """The marker between header and pixels."""
    photo = encoded(picture(), "BMP")
    start = int.from_bytes(photo[10:14], "little")
    return photo[:10] + struct.pack("<I", start + len(MARK)) + photo[14:start] + MARK + photo[start:]


OTHERS: dict[str, Callable[[], bytes]] = {
    "WEBP EXIF and XMP": lambda: encoded(picture(), "WEBP", exif=exif(), xmp=XMP),
    "WEBP thumbnail": lambda: encoded(picture(), "WEBP", exif=exif_with_thumbnail()),
    "WEBP unknown chunk": lambda: riff_with(b"mArk", MARK),
    "WEBP after the ICC profile": lambda: encoded(picture(), "WEBP", icc_profile=SRGB + MARK),
    "WEBP after the end": lambda: encoded(picture(), "WEBP") + MARK,
    "WEBP lossless": lambda: encoded(picture(), "WEBP", lossless=True, exif=exif(), xmp=XMP),
    "AVIF EXIF and XMP": lambda: encoded(picture(), "AVIF", exif=exif(), xmp=XMP),
    "AVIF box": lambda: encoded(picture(), "AVIF") + box(b"free", MARK),
    "AVIF after the ICC profile": lambda: encoded(picture(), "AVIF", icc_profile=SRGB + MARK),
    "HEIF EXIF and XMP": lambda: encoded(picture(), "HEIF", exif=exif(), xmp=XMP),
    "HEIF box": lambda: encoded(picture(), "HEIF") + box(b"free", MARK),
    "TIFF tags": tiff,
    **{f"TIFF tags, {mode}": lambda mode=mode: tiff(mode) for mode in ("1", "L", "LA", "P", "RGBA", "CMYK")},
    "TIFF EXIF": lambda: encoded(picture(), "TIFF", exif=exif()),
    "TIFF after the ICC profile": lambda: encoded(picture(), "TIFF", icc_profile=SRGB + MARK),
    "TIFF after the end": lambda: encoded(picture(), "TIFF") + MARK,
    "TIFF palette": lambda: encoded(picture().quantize(16), "TIFF", tiffinfo={270: MARK.decode()}),
    "BMP between": bmp,
    "BMP after the end": lambda: encoded(picture(), "BMP") + MARK,
}

PLACES = (
    {f"JPEG {place}": make for place, make in JPEG.items()}
    | {f"PNG {place}": make for place, make in PNG.items()}
    | OTHERS
)


@cache
def photo_with(place: str) -> bytes:
    """A photo with the marker in this place. Several tests read each of them."""
    return PLACES[place]()


def traces(file: bytes) -> bool:
    """Whether any five bytes of the marker are in the file, or in what is compressed in it."""
    unpacked = [file]
    if file.startswith(b"\x89PNG"):
        image = opened(file)
        unpacked += [repr(image.info).encode(), repr(image.text).encode()]
    return any(MARK[i : i + 5] in each for each in unpacked for i in range(len(MARK) - 4))


@pytest.mark.parametrize("output", ["same", "jpeg", "png"])
@pytest.mark.parametrize("regions", [[FACE], []], ids=["with a face", "without"])
@pytest.mark.parametrize("place", PLACES)
def test_only_the_picture_survives(place: str, regions: list[Region], output: OutputFormat) -> None:
    photo = photo_with(place)
    assert traces(photo)
    assert not traces(hide_regions(photo, regions, output).data)


@pytest.mark.parametrize("regions", [[FACE], []], ids=["with a face", "without"])
@pytest.mark.parametrize("place", [place for place in PLACES if not place.startswith("TIFF")])
def test_results_consist_of_the_picture_alone(place: str, regions: list[Region]) -> None:
    hidden = hide_regions(photo_with(place), regions).data
    image = opened(hidden)
    assert not image.getexif()
    if image.format == "JPEG":
        kinds = {(name, content[:4]) for name, content in image.applist}
        assert kinds <= {("APP0", b"JFIF"), ("APP2", b"ICC_"), ("APP14", b"Adob")}
        assert hidden.endswith(b"\xff\xd9")
        assert metadata.stripped(hidden, JpegImagePlugin.JpegImageFile(BytesIO(hidden))) == []
    if image.format == "PNG":
        names = {name for name, _ in png.chunks(hidden)}
        assert names <= {b"IHDR", b"PLTE", b"tRNS", b"iCCP", b"IEND"}


@pytest.mark.parametrize("name", [b"gAMA", b"cHRM", b"cICP", b"sRGB", b"sBIT", b"pHYs"])
def test_numbers_that_make_no_sense_go(name: bytes) -> None:
    photo = png_with(chunk(name, TEXTS.get(name, MARK[:1])))
    assert name not in dict(png.chunks(hide_regions(photo, [FACE]).data))


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P"])
def test_a_picture_under_full_transparency_is_erased(mode: str) -> None:
    """Editors keep the colours of what was erased to transparency."""
    image = picture().convert("RGBA")
    image.putalpha(0)
    image.paste((10, 20, 30, 255), (0, 0, 20, 20))
    if mode == "P":
        photo = encoded(picture().quantize(64), "PNG", transparency=bytes(64))
    else:
        photo = encoded(image.convert(mode), "PNG")
    hidden = opened(hide_regions(photo, []).data).convert("RGBA")
    alpha = hidden.getchannel("A").load()
    assert all(
        hidden.getpixel((x, y))[:3] == (0, 0, 0)
        for x in range(hidden.width)
        for y in range(hidden.height)
        if alpha[x, y] == 0
    )


@pytest.mark.parametrize(
    ("place", "names"),
    [
        ("JPEG EXIF", ["EXIF", "GPS"]),
        ("JPEG thumbnail", ["EXIF", "thumbnail"]),
        ("JPEG XMP", ["XMP"]),
        ("JPEG IPTC", ["IPTC"]),
        ("JPEG comment", ["comment"]),
        ("JPEG another picture", ["appended data", "comment", "further pictures"]),
        ("JPEG after the end", ["appended data"]),
        ("JPEG APP7", ["APP7"]),
        ("PNG tEXt", ["text"]),
        ("PNG eXIf", ["EXIF", "GPS"]),
        ("PNG caBX after the pixels", ["C2PA"]),
        ("PNG after the end", ["appended data"]),
        ("WEBP EXIF and XMP", ["EXIF", "GPS", "XMP"]),
        ("WEBP after the end", ["appended data"]),
        ("AVIF EXIF and XMP", ["EXIF", "GPS", "XMP"]),
        ("HEIF EXIF and XMP", ["EXIF", "GPS", "XMP"]),
        ("TIFF palette", ["ImageDescription"]),
        ("BMP between", []),
    ],
)
def test_what_was_left_out_is_named(place: str, names: list[str]) -> None:
    assert hide_regions(photo_with(place), [FACE]).stripped == names


def test_the_chunks_of_a_png_are_all_but_its_pixels() -> None:
    """Also those that stand before the header in the alphabet, as the one that Apple's tools write."""
    others = [(b"CgBI", b"\x50\0\x20\2"), (b"IHDR", bytes(13)), (b"IEND", b"")]
    first, header, end = (chunk(*other) for other in others)
    photo = png.SIGNATURE + first + header + chunk(b"IDAT", b"pixels") + chunk(b"IDAT", b"") + end
    assert [*png.chunks(photo)] == others
    assert [*png.chunks(photo + chunk(b"prVt", b"x"))] == [*others, (b"", chunk(b"prVt", b"x"))]
    assert [*png.chunks(photo[: -len(end)])] == others[:2]


def test_no_more_is_named_than_can_be_read() -> None:
    names = [bytes([97 + n // 26, 97 + n % 26, 65, 97]) for n in range(100)]
    many = hide_regions(png_with(b"".join(chunk(name, b"") for name in names)), []).stripped
    assert many == sorted(name.decode() for name in names)[: metadata.MOST_NAMED]
    assert hide_regions(png_with(chunk(b"a\x1b[\xff", b""), late=True), []).stripped == [metadata.UNKNOWN]


def test_a_photo_that_holds_nothing_else_loses_nothing() -> None:
    for format_ in ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF", "BMP"):
        photo = encoded(picture(), format_, **({} if format_ in ("HEIF", "BMP") else {"icc_profile": SRGB}))
        assert hide_regions(photo, [FACE]).stripped == []


@pytest.mark.parametrize("compressed", [True, False])
def test_a_text_that_is_named_like_exif_is_left_out_like_any_other(compressed: bool) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_itxt("exif", "who took it", zip=compressed)
    hidden = hide_regions(encoded(picture(), "PNG", pnginfo=text), [FACE])
    assert b"exif" not in hidden.data
    assert not opened(hidden.data).text
