"""Good and handmade bad JPEGs."""

from __future__ import annotations

import struct
from random import Random
from typing import TYPE_CHECKING

from faceblur.limits import MAX_BYTES
from tests.support.bad_files.content import (
    SIDE,
    SRGB,
    XMP,
    bits_flipped,
    cached,
    cmyk_profile,
    entry,
    exif,
    filled,
    flat,
    patched,
    picture,
)
from tests.support.pictures.photos import encoded, hopper_pixels
from tests.support.privacy import MARK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.bad_files.content import Make


def segment(marker: int, content: bytes) -> bytes:
    """A segment of a JPEG."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def jpeg_with(*segments: bytes, photo: bytes | None = None) -> bytes:
    """A JPEG with these segments before all others."""
    photo = photo or encoded(picture(), "JPEG", quality=85)
    return photo[:2] + b"".join(segments) + photo[2:]


def icc_segments(profile: bytes) -> bytes:
    """The APP2 segments of a JPEG that hold a profile."""
    parts = [profile[start : start + 65_000] for start in range(0, len(profile), 65_000)]
    return b"".join(
        segment(0xE2, b"ICC_PROFILE\0" + bytes([number & 255, len(parts) & 255]) + part)
        for number, part in enumerate(parts, 1)
    )


def two_frames(photo: bytes) -> bytes:
    """The same JPEG with its frame header twice."""
    start = photo.index(b"\xff\xc0\0\x11")
    return photo[: start + 19] + photo[start:]


GOOD: dict[str, Make] = cached(
    {
        "JPEG": lambda: encoded(picture(), "JPEG", quality=85, exif=exif(), icc_profile=SRGB, xmp=XMP, comment=MARK),
        "JPEG turned": lambda: encoded(picture(), "JPEG", quality=85, exif=exif(6)) + MARK,
        "JPEG stored turned": lambda: encoded(
            picture().resize((SIDE - 3, SIDE - 1)), "JPEG", quality=85, exif=exif(7), comment=MARK
        ),
        "JPEG 4:4:4": lambda: encoded(picture(), "JPEG", quality=85, subsampling=0, comment=MARK),
        "JPEG 4:2:2": lambda: encoded(picture(), "JPEG", quality=85, subsampling=1, comment=MARK),
        "JPEG progressive": lambda: encoded(picture(), "JPEG", quality=85, progressive=True, comment=MARK),
        "JPEG restarts": lambda: encoded(picture(), "JPEG", quality=85, restart_marker_blocks=3, comment=MARK),
        "JPEG grey": lambda: encoded(picture("L"), "JPEG", quality=85, exif=exif(3)),
        "JPEG RGB": lambda: encoded(picture(), "JPEG", quality=85, keep_rgb=True, comment=MARK),
        "JPEG CMYK": lambda: encoded(picture("CMYK"), "JPEG", quality=85, icc_profile=cmyk_profile(), comment=MARK),
        "JPEG of several": lambda: encoded(
            picture(), "MPO", save_all=True, append_images=[hopper_pixels().resize((64, 64))], comment=MARK
        ),
    }
)


def jpegs() -> Iterator[tuple[str, Make]]:
    yield "pixels at the limit", lambda: flat("JPEG", 10_000, "RGB")
    yield "pixels at the limit, progressive", lambda: flat("JPEG", 10_000, "RGB", progressive=True, subsampling=0)
    yield "pixels at the limit, CMYK", lambda: flat("JPEG", 10_000, "CMYK", progressive=True)
    yield "pixels at the limit, turned", lambda: flat("JPEG", 10_000, "RGB", exif=exif(6))
    yield "pixels beyond the limit", lambda: flat("JPEG", 10_240)
    yield "scans without end", lambda: scans(flat("JPEG", 10_000, progressive=True))
    yield "scans without end, small", lambda: scans(flat("JPEG", 64, "RGB", progressive=True))
    yield "as many scans as are let through", lambda: scans(flat("JPEG", 8_000, progressive=True), 90)
    yield "empty segments without end", lambda: filled(b"\xff\xd8", segment(0xEF, b""), GOOD["JPEG"]()[2:])
    yield "comments without end", lambda: filled(b"\xff\xd8", segment(0xFE, MARK), GOOD["JPEG"]()[2:])
    yield "EXIF without end", lambda: filled(b"\xff\xd8", segment(0xE1, exif()), GOOD["JPEG"]()[2:])
    yield (
        "large segments without end",
        lambda: filled(b"\xff\xd8", segment(0xE7, bytes(65_000)), GOOD["JPEG"]()[2:]),
    )
    yield "fill bytes without end", lambda: filled(b"\xff\xd8", b"\xff", GOOD["JPEG"]()[2:])
    yield "tables without end", lambda: filled(b"\xff\xd8", segment(0xDB, b"\0" + b"\1" * 64), GOOD["JPEG"]()[2:])
    yield "restarts without end", lambda: filled(GOOD["JPEG restarts"]()[:-2], b"\xff\xd0", b"\xff\xd9")
    yield "pictures without end", lambda: filled(GOOD["JPEG"](), GOOD["JPEG"]())
    yield (
        "a directory of many pictures",
        lambda: jpeg_with(
            segment(0xE2, b"MPF\0MM\0*\0\0\0\x08" + struct.pack(">H", 1) + entry(0xB001, 4, 1, 0xFFFFFFFF))
        ),
    )
    yield (
        "ICC profile of a hundred parts, one missing",
        lambda: jpeg_with(icc_segments(SRGB * 1000)[: 50 * 65_018], icc_segments(SRGB * 1000)[51 * 65_018 :]),
    )
    yield "two frames", lambda: two_frames(GOOD["JPEG"]())
    yield "no components", lambda: b"\xff\xd8" + segment(0xC0, struct.pack(">BHHB", 8, SIDE, SIDE, 0)) + b"\xff\xd9"
    yield (
        "two components",
        lambda: (
            b"\xff\xd8"
            + segment(0xC0, struct.pack(">BHHB", 8, SIDE, SIDE, 2) + b"\1\x11\0\2\x11\0")
            + segment(0xDA, b"\2\1\0\2\0\0\x3f\0")
            + bytes(500)
            + b"\xff\xd9"
        ),
    )
    yield (
        "255 components",
        lambda: b"\xff\xd8" + segment(0xC0, struct.pack(">BHHB", 8, SIDE, SIDE, 255) + b"\1\x11\0" * 255) + bytes(500),
    )
    for factors in (0x00, 0x44, 0x14, 0x41, 0x33, 0xFF):
        yield f"sampled {factors:02x}", lambda factors=factors: _resampled(factors)
    for bits in (1, 12, 16):
        yield f"{bits} bits a sample", lambda bits=bits: _with_precision(bits)
    for frame in (0xC1, 0xC2, 0xC3, 0xC5, 0xC7, 0xC9, 0xCA, 0xCB, 0xCF):
        yield (
            f"frame {frame:02x}",
            lambda frame=frame: GOOD["JPEG"]().replace(b"\xff\xc0", bytes([0xFF, frame]), 1),
        )
    for number in range(60):
        yield f"ICC profile tampered with, {number}", lambda number=number: hostile_cmyk(Random(number))


def _resampled(factors: int) -> bytes:
    photo = encoded(picture(), "JPEG")
    return patched(photo, photo.index(b"\xff\xc0") + 11, "B", factors)


def _with_precision(bits: int) -> bytes:
    photo = encoded(picture(), "JPEG")
    return patched(photo, photo.index(b"\xff\xc0") + 4, "B", bits)


def hostile_cmyk(random: Random) -> bytes:
    """A CMYK photo with a manipulated profile. Only CMYK photos are converted by their profile."""
    return encoded(picture("CMYK"), "JPEG", icc_profile=bits_flipped(cmyk_profile(), random))


def scans(photo: bytes, most: int = MAX_BYTES) -> bytes:
    """A progressive JPEG whose last scan is repeated up to the size limit. Each scan passes over the whole picture."""
    last = photo.rindex(b"\xff\xda")
    again = photo[last:-2]
    return photo[:last] + again * min(most, (MAX_BYTES - len(photo)) // len(again)) + b"\xff\xd9"
