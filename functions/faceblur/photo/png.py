"""PNG with 16 bits a sample, and the chunks that describe colours (https://www.w3.org/TR/png-3/)."""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageChops, PngImagePlugin

from faceblur.errors import CorruptImage
from faceblur.photo import decode
from faceblur.photo.deep import Deep, interleaved
from faceblur.photo.structure import PNG_START, png_chunks
from faceblur.photo.whitelist import decoded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from PIL import ImageFile

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, COLOUR, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 4, 6
UP = 2  # the row filter that stores the difference of each byte and the byte above it
_HEADER_END = PNG_START + 25
_TOLD_LATE = (b"eXIf", b"tEXt", b"zTXt", b"iTXt")
XMP = "XML:com.adobe.xmp"
INCH = 0.0254  # metres

# The layout and the largest plausible values of the chunks that define the colours. Gamma and chromaticities are in
# units of 1/100,000, the others are codes. Like an ICC profile, these chunks are a part of the picture and are kept.
COLOUR_CHUNKS = {
    b"gAMA": (">I", (1_000_000,)),
    b"cHRM": (">8I", (100_000,) * 8),
    b"sRGB": (">B", (3,)),
    b"cICP": (">4B", (22, 18, 0, 1)),
}
_COLOUR_KEY = {GREY: 2, COLOUR: 6}


def is_deep(data: bytes) -> bool:
    """Whether a PNG has 16 bits a sample."""
    return data[24] == 16


def read_deep(data: bytes, orientation: int, icc_profile: bytes | None, density: tuple[float, float] | None) -> Deep:
    """Decode a PNG that `is_deep`."""
    colour_type = data[25]
    if colour_type in (GREY, GREY_ALPHA):
        upper, lower = _read_grey(data, colour_type)
    else:
        upper, lower = (_read_colour(data, rawmode) for rawmode in ("16B", "16L"))
    kept = colour_chunks(data, icc_profile)
    kept += [
        (name, content)
        for name, content in chunks(data)
        if name == b"tRNS" and len(content) == _COLOUR_KEY.get(colour_type)
    ]
    upper, lower = (decode.turn_upright(each, orientation) for each in (upper, lower))
    return Deep(upper, lower, partial(_write, colour_type, kept, icc_profile, density))


def _write(
    colour_type: int,
    chunks_: list[tuple[bytes, bytes]],
    icc_profile: bytes | None,
    density: tuple[float, float] | None,
    picture: Deep,
) -> bytes:
    """The PNG file."""
    file = BytesIO(SIGNATURE)
    file.seek(0, 2)
    header = struct.pack(">IIBBBBB", *picture.size, 16, colour_type, 0, 0, 0)
    PngImagePlugin.putchunk(file, b"IHDR", header)
    if icc_profile:
        PngImagePlugin.putchunk(file, b"iCCP", b"ICC Profile\0\0" + zlib.compress(icc_profile))
    if density:
        metre = (round(each / INCH) for each in density)
        PngImagePlugin.putchunk(file, b"pHYs", struct.pack(">IIB", *metre, 1))
    for name, content in chunks_:
        PngImagePlugin.putchunk(file, name, content)
    compressor = zlib.compressobj()
    for rows in _filtered(picture):
        PngImagePlugin.putchunk(file, b"IDAT", compressor.compress(rows))
    PngImagePlugin.putchunk(file, b"IDAT", compressor.flush())
    PngImagePlugin.putchunk(file, b"IEND", b"")
    return file.getvalue()


def _filtered(picture: Deep) -> Iterator[bytes]:
    """The filtered rows, some at a time."""
    length = 2 * len(picture.upper.getbands()) * picture.size[0]
    above = Image.new("L", (length, 1))
    for upper, lower in picture.rows():
        rows = Image.frombytes("L", (length, upper.height), interleaved(upper, lower))
        shifted = Image.new("L", rows.size)
        shifted.paste(above, (0, 0))
        shifted.paste(rows, (0, 1))
        above = rows.crop((0, rows.height - 1, length, rows.height))
        filtered = Image.new("L", (length + 1, rows.height), UP)
        filtered.paste(ImageChops.subtract_modulo(rows, shifted), (1, 0))
        yield filtered.tobytes()


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The name and the content of a PNG's chunks, without the pixels. Data after its end comes last, without a name."""
    end = PNG_START
    for name, content in png_chunks(data):
        end = content.stop + 4  # the checksum
        if name != b"IDAT":
            yield name, data[content]
    if end < len(data):
        yield b"", data[end:]


def info_of(data: bytes, image: ImageFile.ImageFile) -> dict[Any, Any]:
    """The `info` of an opened photo; for a PNG, also the chunks after its pixels, where ExifTool writes.

    An orientation after the pixels is left out, because browsers ignore it too.
    """
    info = dict(image.info)
    if image.format != "PNG":
        return info
    places = [*png_chunks(data)]
    first = next((number for number, (name, _) in enumerate(places) if name == b"IDAT"), 0)
    late = [data[place.start - 8 : place.stop + 4] for name, place in places[first:] if name in _TOLD_LATE]
    if not late:
        return info
    file = BytesIO(data[:_HEADER_END] + b"".join(late))
    file.seek(0, 2)
    PngImagePlugin.putchunk(file, b"IEND", b"")
    file.seek(0)
    with suppress(CorruptImage), decode.decoding():
        return PngImagePlugin.PngImageFile(file).info | info
    return info


def texts(info: Mapping[Any, Any]) -> dict[str, str]:
    """The texts of a PNG by their keywords, of its `info_of`; Pillow reads those without an encoding as Latin-1."""
    # Many programs write UTF-8 there.
    return {
        key: str(value) if isinstance(value, PngImagePlugin.iTXt) else decoded(value)
        for key, value in info.items()
        if isinstance(value, str) and key != XMP
    }


def with_chunks(file: bytes, added: list[tuple[bytes, bytes]]) -> bytes:
    """A PNG with further chunks directly after its header."""
    start = BytesIO()
    for name, content in added:
        PngImagePlugin.putchunk(start, name, content)
    return b"".join([file[:_HEADER_END], start.getvalue(), memoryview(file)[_HEADER_END:]])


def colour_chunks(data: bytes, icc_profile: bytes | None) -> list[tuple[bytes, bytes]]:
    """The chunks that define the colours of a PNG. With an ICC profile only cICP, which takes precedence over it."""
    found = dict(reversed([*chunks(data)]))
    names = [b"cICP"] if icc_profile else COLOUR_CHUNKS
    return [(name, found[name]) for name in names if name in found and _makes_sense(name, found[name])]


def _makes_sense(name: bytes, content: bytes) -> bool:
    layout, largest = COLOUR_CHUNKS[name]
    if len(content) != struct.calcsize(layout):
        return False
    return all(value <= most for value, most in zip(struct.unpack(layout, content), largest, strict=True))


def _read_grey(data: bytes, colour_type: int) -> tuple[Image.Image, Image.Image]:
    """The upper and the lower bytes of a grey picture: it is read as a picture of 8 bits with twice as many samples."""
    twice = GREY_ALPHA if colour_type == GREY else COLOUR_ALPHA
    header = b"IHDR" + data[16:24] + bytes([8, twice]) + data[26:29]
    patched = data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]
    bands = PngImagePlugin.PngImageFile(BytesIO(patched)).split()
    if colour_type == GREY:
        return bands[0], bands[1]
    return Image.merge("LA", bands[0::2]), Image.merge("LA", bands[1::2])


def _read_colour(data: bytes, rawmode: str) -> Image.Image:
    """The upper bytes of a coloured picture if `rawmode` is big-endian, as PNG is; the lower bytes if little-endian."""
    image = PngImagePlugin.PngImageFile(BytesIO(data))
    image.tile = [tile._replace(args=f"{image.mode};{rawmode}") for tile in image.tile]
    image.load()
    image.info = {}
    return image
