"""Good and handmade bad PNGs."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from faceblur.limits import MAX_PIXELS
from tests.support.bad_files.content import SIDE, SRGB, cached, deflated, exif, filled, flat, picture
from tests.support.pictures.photos import encoded
from tests.support.privacy import MARK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.bad_files.content import Make


def chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png_with(*chunks: bytes, photo: bytes | None = None) -> bytes:
    """A PNG with these chunks before its pixels."""
    photo = photo or encoded(picture(), "PNG")
    return photo[:33] + b"".join(chunks) + photo[33:]


def png_of(
    width: int, height: int, rows: bytes, *, bits: int = 8, colour: int = 0, interlaced: int = 0, chunks: bytes = b""
) -> bytes:
    """A PNG of these rows, compressed without changes. They need not fit the header."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced)
    ends = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunks + ends


def deep_rows(samples: int) -> bytes:
    """Rows of 16 bits a sample."""
    grey = np.asarray(picture("L"), ">u2") * 257
    return b"".join(b"\0" + np.repeat(row, samples).tobytes() for row in grey)


def interlaced_rows() -> bytes:
    """The seven passes of an interlaced grey PNG."""
    grey = np.asarray(picture("L"))
    passes = ((0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2), (1, 2, 0, 1))
    return b"".join(b"\0" + row.tobytes() for y, down, x, across in passes for row in grey[y::down, x::across])


TEXTS = chunk(b"tEXt", b"Comment\0" + MARK) + chunk(b"zTXt", b"Comment\0\0" + zlib.compress(MARK))


GOOD: dict[str, Make] = cached(
    {
        "PNG": lambda: png_with(TEXTS, photo=encoded(picture(), "PNG", exif=exif(), icc_profile=SRGB)),
        "PNG turned": lambda: png_with(TEXTS, photo=encoded(picture(), "PNG", exif=exif(8))),
        "PNG grey": lambda: png_with(TEXTS, photo=encoded(picture("L"), "PNG")),
        "PNG of a bit": lambda: png_with(TEXTS, photo=encoded(picture("1"), "PNG")),
        "PNG palette": lambda: png_with(TEXTS, photo=encoded(picture().quantize(64), "PNG", transparency=5)),
        "PNG alpha": lambda: png_with(TEXTS, photo=encoded(picture("RGBA"), "PNG")),
        "PNG grey alpha": lambda: png_with(TEXTS, photo=encoded(picture("LA"), "PNG")),
        "PNG deep": lambda: png_of(SIDE, SIDE, deep_rows(1), bits=16, chunks=TEXTS),
        "PNG deep colour": lambda: png_of(SIDE, SIDE, deep_rows(3), bits=16, colour=2, chunks=TEXTS),
        "PNG deep alpha": lambda: png_of(SIDE, SIDE, deep_rows(4), bits=16, colour=6, chunks=TEXTS),
        "PNG interlaced": lambda: png_of(SIDE, SIDE, interlaced_rows(), interlaced=1, chunks=TEXTS),
    }
)


def pngs() -> Iterator[tuple[str, Make]]:
    yield "pixels at the limit", lambda: flat("PNG", 10_000, "1")
    yield "pixels at the limit, coloured", lambda: flat("PNG", 10_000, "RGB", compress_level=1)
    yield "pixels at the limit, alpha", lambda: flat("PNG", 10_000, "RGBA", compress_level=1)
    yield "pixels at the limit, deep", lambda: png_of(10_000, 10_000, bytes(10_000 * 20_001), bits=16)
    yield "pixels beyond the limit", lambda: flat("PNG", 10_001, "1")
    yield "one row of the most pixels", lambda: encoded(Image.new("1", (MAX_PIXELS // 16, 16)), "PNG")
    yield "one column of the most pixels", lambda: encoded(Image.new("1", (16, MAX_PIXELS // 16)), "PNG")
    yield "more pixels than it says", lambda: png_of(SIDE, SIDE, bytes(200_000_000))
    yield "fewer pixels than it says", lambda: png_of(SIDE, SIDE, bytes(100))
    yield "no pixels", lambda: png_of(SIDE, SIDE, b"")
    yield "empty chunks without end", lambda: filled(encoded(picture(), "PNG")[:33], chunk(b"prVt", b""), _after_head())
    yield (
        "empty texts without end",
        lambda: filled(encoded(picture(), "PNG")[:33], chunk(b"tEXt", b"k\0"), _after_head()),
    )
    yield (
        "texts without end",
        lambda: filled(encoded(picture(), "PNG")[:33], chunk(b"tEXt", b"Comment\0" + MARK * 50), _after_head()),
    )
    yield (
        "thousands of kinds of chunks",
        lambda: png_with(
            *(chunk(bytes([97 + n // 676, 97 + n // 26 % 26, 65, 97 + n % 26]), b"") for n in range(17_000))
        ),
    )
    yield "as many chunks as are let through", lambda: png_with(chunk(b"prVt", b"") * 99_000)
    yield "pixels in chunks of a byte", lambda: _in_small_chunks(1)
    yield (
        "empty chunks of pixels without end",
        lambda: filled(encoded(picture(), "PNG")[:33], chunk(b"IDAT", b""), _after_head()),
    )
    yield "chunks after its end", lambda: filled(encoded(picture(), "PNG"), chunk(b"prVt", b""))
    for name, start in ((b"zTXt", b"k\0\0"), (b"iTXt", b"k\0\1\0\0\0"), (b"iCCP", b"k\0\0")):
        yield (
            f"{name.decode()} of a gigabyte",
            lambda name=name, start=start: png_with(chunk(name, start + deflated(1000))),
        )
    for name in (b"zTXt", b"iTXt"):
        yield (
            f"a thousand {name.decode()} of a megabyte each",
            lambda name=name: png_with(
                chunk(name, (b"k\0\0" if name == b"zTXt" else b"k\0\1\0\0\0") + zlib.compress(bytes(1_000_000))) * 1000
            ),
        )
    for name in (
        b"IHDR",
        b"PLTE",
        b"tRNS",
        b"gAMA",
        b"cHRM",
        b"sRGB",
        b"cICP",
        b"iCCP",
        b"pHYs",
        b"eXIf",
        b"acTL",
        b"fcTL",
    ):
        yield f"an empty {name.decode()}", lambda name=name: png_with(chunk(name, b""))
        yield f"a large {name.decode()}", lambda name=name: png_with(chunk(name, b"\xff" * 5000))
    yield "animated without pictures", lambda: png_with(chunk(b"acTL", struct.pack(">II", 0, 0)))
    yield "animated without end", lambda: png_with(chunk(b"acTL", struct.pack(">II", 0x80000000, 0)))
    yield "animated, one picture", lambda: png_with(chunk(b"acTL", struct.pack(">II", 1, 0)), fctl(SIDE, SIDE))
    yield "animated, a larger picture", lambda: png_with(chunk(b"acTL", struct.pack(">II", 1, 0)), fctl(0xFFFF, 0xFFFF))
    yield "animated, the picture apart", lambda: png_with(chunk(b"acTL", struct.pack(">II", 1, 0)))
    for bits in (0, 3, 16, 255):
        for colour in (0, 1, 2, 3, 4, 5, 6, 255):
            yield (
                f"{bits} bits of kind {colour}",
                lambda bits=bits, colour=colour: png_of(SIDE, SIDE, deep_rows(4), bits=bits, colour=colour),
            )
    yield "a PNG in a PNG", lambda: png_with(chunk(b"prVt", GOOD["PNG"]()))
    yield (
        "a palette of one",
        lambda: png_of(SIDE, SIDE, bytes(range(129)) * SIDE, colour=3, chunks=chunk(b"PLTE", b"\1\2\3")),
    )
    yield "no palette", lambda: png_of(SIDE, SIDE, bytes(129) * SIDE, colour=3)


def _after_head() -> bytes:
    return encoded(picture(), "PNG")[33:]


def _in_small_chunks(size: int) -> bytes:
    photo = encoded(picture(), "PNG")
    start = photo.index(b"IDAT")
    content = photo[start + 4 : start + 4 + int.from_bytes(photo[start - 4 : start])]
    parts = (chunk(b"IDAT", content[place : place + size]) for place in range(0, len(content), size))
    return photo[: start - 4] + b"".join(parts) + chunk(b"IEND", b"")


def fctl(width: int, height: int) -> bytes:
    """The control chunk of a frame of an animated PNG."""
    return chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, width, height, 0, 0, 1, 1, 0, 0))
