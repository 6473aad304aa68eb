"""Good and handmade bad BMPs."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

from tests.support.bad_files.content import SIDE, cached, filled, flat, patched, picture
from tests.support.pictures.photos import encoded
from tests.support.privacy import MARK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.bad_files.content import Make


def bmp_of(width: int, height: int, pixels: bytes, *, bits: int = 24, compression: int = 0, colours: int = 0) -> bytes:
    """A BMP of these pixels whose header has these values, right or wrong."""
    start = 54 + 4 * colours
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(pixels), 0, 0, colours, 0)
    palette = b"".join(bytes([level, level, level, 0]) for level in range(colours))
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + header + palette + pixels


def run_lengths() -> bytes:
    """A BMP of 8 bits with runs of one."""
    rows = np.asarray(picture("L"))[::-1]
    coded = b"".join(b"".join(bytes([1, level]) for level in row.tolist()) + b"\0\0" for row in rows) + b"\0\1"
    return bmp_of(SIDE, SIDE, coded, bits=8, compression=1, colours=256)


GOOD: dict[str, Make] = cached(
    {
        "BMP": lambda: encoded(picture(), "BMP") + MARK,
        "BMP grey": lambda: encoded(picture("L"), "BMP"),
        "BMP palette": lambda: encoded(picture().quantize(64), "BMP"),
        "BMP of a bit": lambda: encoded(picture("1"), "BMP"),
        "BMP alpha": lambda: encoded(picture("RGBA"), "BMP"),
        "BMP runs": run_lengths,
    }
)


def bmps() -> Iterator[tuple[str, Make]]:
    yield "pixels at the limit", lambda: flat("BMP", 10_000, "1")
    yield "pixels beyond the limit", lambda: flat("BMP", 10_001, "1")
    yield "upside down", lambda: bmp_of(SIDE, -SIDE, picture().tobytes())
    yield "as far upside down as it can be", lambda: bmp_of(SIDE, -0x80000000, picture().tobytes())
    yield "less than no width", lambda: bmp_of(-SIDE, SIDE, picture().tobytes())
    yield (
        "runs at the limit",
        lambda: bmp_of(
            10_000,
            10_000,
            (b"\xff\x01" * 39 + b"\x37\x01" + b"\0\0") * 10_000 + b"\0\1",
            bits=8,
            compression=1,
            colours=256,
        ),
    )
    yield (
        "runs beyond its end",
        lambda: filled(bmp_of(SIDE, SIDE, b"", bits=8, compression=1, colours=256), b"\xff\x01", b"\0\1"),
    )
    yield "runs of nothing", lambda: filled(bmp_of(SIDE, SIDE, b"", bits=8, compression=1, colours=256), b"\0\0")
    yield "jumps", lambda: bmp_of(SIDE, SIDE, b"\0\2\xff\xff" * 100_000 + b"\0\1", bits=8, compression=1, colours=256)
    for bits in (0, 2, 4, 16, 32, 64, 0xFFFF):
        for compression in (0, 1, 2, 3, 4, 5, 6):
            yield (
                f"{bits} bits of kind {compression}",
                lambda bits=bits, compression=compression: bmp_of(
                    SIDE, SIDE, picture("RGBA").tobytes(), bits=bits, compression=compression
                ),
            )
    for size in (0, 12, 39, 64, 108, 124, 0xFFFFFFFF):
        yield f"a header of {size} bytes", lambda size=size: patched(encoded(picture(), "BMP"), 14, "<I", size)
    yield "a palette of four thousand million", lambda: patched(encoded(picture("L"), "BMP"), 46, "<I", 0xFFFFFFFF)
    yield "pixels before its header", lambda: patched(encoded(picture(), "BMP"), 10, "<I", 0)
    yield "pixels beyond its end", lambda: patched(encoded(picture(), "BMP"), 10, "<I", 0xFFFFFFFF)
