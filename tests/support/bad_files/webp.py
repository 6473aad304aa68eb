"""Good and handmade bad WebPs."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tests.support.bad_files.content import META, SRGB, XMP, cached, exif, flat, picture
from tests.support.pictures.photos import encoded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.bad_files.content import Make


def riff_chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of a WebP."""
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def webp_with(*chunks: bytes) -> bytes:
    """An extended WebP with these chunks after all others."""
    return riff_of(encoded(picture(), "WEBP", exif=exif(), xmp=XMP)[12:], *chunks)


def riff_of(*chunks: bytes) -> bytes:
    """A WebP of these chunks."""
    content = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(content)) + content


GOOD: dict[str, Make] = cached(
    {
        "WEBP": lambda: encoded(picture(), "WEBP", **META, icc_profile=SRGB),
        "WEBP plain": lambda: encoded(picture(), "WEBP"),
        "WEBP lossless": lambda: encoded(picture(), "WEBP", lossless=True, **META),
        "WEBP alpha": lambda: encoded(picture("RGBA").rotate(30), "WEBP", **META),
    }
)


def webps() -> Iterator[tuple[str, Make]]:
    yield "pixels at the limit", lambda: flat("WEBP", 10_000, "RGB", lossless=True, quality=0, method=0)
    yield "pixels beyond the limit", lambda: flat("WEBP", 10_100, "RGB", lossless=True, quality=0, method=0)
    yield "the largest lossless header", lambda: riff_of(riff_chunk(b"VP8L", b"\x2f\xff\xff\xff\x0f" + bytes(100)))
    yield (
        "the largest header",
        lambda: riff_of(riff_chunk(b"VP8 ", b"\x10\0\0\x9d\x01\x2a\xff\x3f\xff\x3f" + bytes(100))),
    )
    yield "chunks without end", lambda: webp_with(riff_chunk(b"mArk", b"") * 4_000_000)
    yield "hundreds of thousands of chunks", lambda: webp_with(riff_chunk(b"mArk", b"") * 400_000)
    yield "EXIF without end", lambda: webp_with(riff_chunk(b"EXIF", exif()) * 50_000)
    yield "a WebP in a WebP", lambda: webp_with(riff_chunk(b"VP8X", GOOD["WEBP"]()))
    yield (
        "an animation of one picture",
        lambda: riff_of(
            riff_chunk(b"VP8X", b"\2\0\0\0\x7f\0\0\x7f\0\0"),
            riff_chunk(b"ANIM", bytes(6)),
            riff_chunk(b"ANMF", bytes(6) + b"\x7f\0\0\x7f\0\0" + bytes(4) + encoded(picture(), "WEBP")[12:]),
        ),
    )
    yield (
        "a picture within a larger canvas",
        lambda: riff_of(
            riff_chunk(b"VP8X", b"\2\0\0\0\xff\0\0\xff\0\0"),
            riff_chunk(b"ANIM", bytes(6)),
            riff_chunk(b"ANMF", b"\x10\0\0\x10\0\0\x7f\0\0\x7f\0\0" + bytes(4) + encoded(picture(), "WEBP")[12:]),
        ),
    )
    yield "a chunk longer than the file", lambda: riff_of(b"VP8 " + b"\xff\xff\xff\xff" + bytes(100))
    yield "no pixels", lambda: riff_of(riff_chunk(b"VP8X", b"\x08\0\0\0\x7f\0\0\x7f\0\0"), riff_chunk(b"EXIF", exif()))
