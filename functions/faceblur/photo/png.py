"""PNG with 16 bits a sample, and the chunks that describe colours.

Pillow reads only the upper eight bits of most such files. Here a picture is split into two pictures of eight bits, the
upper and the lower bytes of its samples. Pillow can work on each of them.
https://www.w3.org/TR/png-3/
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, PngImagePlugin

from faceblur.photo import decode, painting
from faceblur.photo.structure import PNG_START, png_chunks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from faceblur.photo.styles import Region

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, COLOUR, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 4, 6
UP = 2  # the row filter that stores the difference of each byte and the byte above it
INCH = 0.0254  # metres
ROWS = 256  # compressed at a time

# The layout and the largest plausible values of the chunks that define the colours. Gamma and chromaticities are in
# units of 1/100,000, the others are codes. Like an ICC profile, these chunks are a part of the picture and are kept.
COLOUR_CHUNKS = {
    b"gAMA": (">I", (1_000_000,)),
    b"cHRM": (">8I", (100_000,) * 8),
    b"sRGB": (">B", (3,)),
    b"cICP": (">4B", (22, 18, 0, 1)),
}
_COLOUR_KEY = {GREY: 2, COLOUR: 6}


@dataclass(slots=True)
class Deep:
    """A PNG of 16 bits a sample: upright pictures of the upper and of the lower bytes of its samples."""

    upper: Image.Image
    lower: Image.Image
    colour_type: int
    chunks: list[tuple[bytes, bytes]]
    icc_profile: bytes | None
    density: tuple[float, float] | None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.upper.size

    def paint(self, regions: Sequence[Region]) -> None:
        """Cover the regions. The paint has eight bits a sample; its lower bytes repeat the upper ones."""
        painting.paint([self.upper], regions)
        for strip, touched in painting.touched(self.upper.size, regions):
            self.lower.paste(self.upper.crop(strip), strip, touched)

    def encode(self) -> bytes:
        """The PNG file."""
        file = BytesIO(SIGNATURE)
        file.seek(0, 2)
        header = struct.pack(">IIBBBBB", *self.size, 16, self.colour_type, 0, 0, 0)
        PngImagePlugin.putchunk(file, b"IHDR", header)
        if self.icc_profile:
            PngImagePlugin.putchunk(file, b"iCCP", b"ICC Profile\0\0" + zlib.compress(self.icc_profile))
        if self.density:
            metre = (round(each / INCH) for each in self.density)
            PngImagePlugin.putchunk(file, b"pHYs", struct.pack(">IIB", *metre, 1))
        for name, content in self.chunks:
            PngImagePlugin.putchunk(file, name, content)
        compressor = zlib.compressobj()
        for rows in self._filtered():
            PngImagePlugin.putchunk(file, b"IDAT", compressor.compress(rows))
        PngImagePlugin.putchunk(file, b"IDAT", compressor.flush())
        PngImagePlugin.putchunk(file, b"IEND", b"")
        return file.getvalue()

    def _filtered(self) -> Iterator[bytes]:
        """The filtered rows, some at a time."""
        width, height = self.size
        samples = len(self.upper.getbands())
        length = 2 * samples * width
        above = Image.new("L", (length, 1))
        for top in range(0, height, ROWS):
            box = (0, top, width, min(top + ROWS, height))
            count = box[3] - top
            interleaved = bytearray(length * count)
            for byte, picture in enumerate((self.upper, self.lower)):
                for sample, band in enumerate(picture.crop(box).split()):
                    interleaved[2 * sample + byte :: 2 * samples] = band.tobytes()
            rows = Image.frombytes("L", (length, count), bytes(interleaved))
            shifted = Image.new("L", rows.size)
            shifted.paste(above, (0, 0))
            shifted.paste(rows, (0, 1))
            above = rows.crop((0, count - 1, length, count))
            filtered = Image.new("L", (length + 1, count), UP)
            filtered.paste(ImageChops.subtract_modulo(rows, shifted), (1, 0))
            yield filtered.tobytes()


def is_deep(data: bytes) -> bool:
    """Whether a PNG has 16 bits a sample."""
    return data[24] == 16


def read_deep(
    data: bytes, orientation: int, icc_profile: bytes | None, density: tuple[float, float] | None
) -> Deep:
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
    return Deep(upper, lower, colour_type, kept, icc_profile, density)


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The name and the content of a PNG's chunks, without the pixels. Data after its end comes last, without a name."""
    end = PNG_START
    for name, content in png_chunks(data):
        end = content.stop + 4  # the checksum
        if name != b"IDAT":
            yield name, data[content]
    if end < len(data):
        yield b"", data[end:]


def colour_chunks(data: bytes, icc_profile: bytes | None) -> list[tuple[bytes, bytes]]:
    """The chunks that define the colours of a PNG; none if an ICC profile defines them."""
    found = {} if icc_profile else dict(reversed([*chunks(data)]))
    return [(name, found[name]) for name in COLOUR_CHUNKS if name in found and _makes_sense(name, found[name])]


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
