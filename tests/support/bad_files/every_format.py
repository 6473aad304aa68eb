"""Changes to a good file of every format: wrong sizes, foreign signatures, bad EXIF, bad colour profiles."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from faceblur.limits import MAX_BYTES
from tests.support.bad_files.content import SIDE, SRGB, cmyk_profile, entry, exif, exif_of, patched, picture
from tests.support.bad_files.good import FORMATS, GOOD
from tests.support.bad_files.iso import box, heif, iso_photo
from tests.support.bad_files.jpeg import icc_segments, jpeg_with, segment
from tests.support.bad_files.png import chunk, png_with
from tests.support.bad_files.tiff import grey_tiff
from tests.support.pictures.photos import animation, encoded
from tests.support.privacy import MARK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.bad_files.content import Make

SIZES = {
    "zero wide": (0, SIDE),
    "zero high": (SIDE, 0),
    "zero both": (0, 0),
    "one pixel": (1, 1),
    "a little smaller than it is": (SIDE - 8, SIDE - 8),
    "half as large as it is": (SIDE // 2, SIDE // 2),
    "a little larger than it is": (SIDE + 8, SIDE + 8),
    "twice as large as it is": (SIDE * 2, SIDE * 2),
    "at the limit": (10_000, 10_000),
    "beyond the limit": (10_001, 10_000),
    "as wide as it can be": (0xFFFF, 16),
    "as high as it can be": (16, 0xFFFF),
    "sixteen bits both": (0xFFFF, 0xFFFF),
    "thirty-one bits both": (0x7FFFFFFF, 0x7FFFFFFF),
    "thirty-two bits both": (0xFFFFFFFF, 0xFFFFFFFF),
    "product beyond thirty-two bits": (0x10001, 0x10001),
}


MAGIC = {
    "JPEG": b"\xff\xd8\xff\xe0",
    "PNG": b"\x89PNG\r\n\x1a\n",
    "WEBP": b"RIFF\xff\0\0\0WEBP",
    "AVIF": b"\0\0\0\x1cftypavif",
    "HEIF": b"\0\0\0\x1cftypheic",
    "TIFF": b"II*\0",
    "BMP": b"BM",
}


FOREIGN = {
    "a GIF": lambda: animation("GIF"),
    "a PDF": lambda: b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n" + MARK + b"\n%%EOF\n",
    "a ZIP": lambda: b"PK\3\4" + bytes(26) + MARK + b"PK\5\6" + bytes(18),
    "a script": lambda: b"<html><script>alert('" + MARK + b"')</script></html>",
    "a program": lambda: b"\x7fELF" + bytes(60) + MARK,
    "a JPEG": lambda: encoded(picture(), "JPEG", comment=MARK),
    "a film": lambda: box(b"ftyp", b"isom", bytes(4), b"isom") + box(b"mdat", MARK * 10),
}


EXIFS: dict[str, Make] = {
    "that goes in circles": lambda: exif_of(entry(0x8769, 4, 1, 8), entry(0x8825, 4, 1, 8), following=8),
    "of a directory in itself": lambda: exif_of(entry(0x8769, 4, 1, 8), entry(0xA005, 4, 1, 8)),
    "whose tags are larger than it": lambda: exif_of(
        *(entry(0x010E, kind, 0xFFFFFFFF, 8) for kind in range(1, 14)), entry(0x0112, 3, 1, 6 << 16)
    ),
    "whose tags all hold all of it": lambda: exif_of(
        *(entry(number, 7, 60_000, 8) for number in range(1, 4000)), more=bytes(12_000)
    ),
    "of numbers without a denominator": lambda: exif_of(
        entry(0x011A, 5, 1, 50), entry(0x0112, 5, 1, 50), more=bytes(60)
    ),
    "turned by nought": lambda: exif_of(entry(0x0112, 3, 1, 0)),
    "turned by nine": lambda: exif_of(entry(0x0112, 3, 1, 9 << 16)),
    "turned by many": lambda: exif_of(entry(0x0112, 3, 100, 8), more=bytes(300)),
    "turned by a word": lambda: exif_of(entry(0x0112, 2, 4, 0x38000000)),
    "turned by a fraction": lambda: exif_of(entry(0x0112, 11, 1, 0x7FC00000)),
    "turned twice": lambda: exif_of(entry(0x0112, 3, 1, 6 << 16), entry(0x0112, 3, 1, 3 << 16)),
    "of kinds that there are not": lambda: exif_of(*(entry(0x0112, kind, 1, 6 << 16) for kind in range(13, 200))),
    "whose end lies beyond it": lambda: exif_of(entry(0x0112, 3, 1, 6 << 16), following=0xFFFFFFF0),
    "whose tags all hold all of its megabytes": lambda: greedy(20_000_000, 5_000),
    "of one byte": lambda: b"Exif\0\0M",
    "of nothing": lambda: b"Exif\0\0",
    "in the other order": lambda: b"Exif\0\0II*\0" + struct.pack("<IHHHII", 8, 0xFFFF, 0x0112, 3, 1, 6),
    "that is a BigTIFF": lambda: b"Exif\0\0MM\0+\0\x08\0\0" + struct.pack(">QQ", 16, 1 << 62) + bytes(40),
    "whose maker's note lies": lambda: exif_of(
        entry(0x8769, 4, 1, 26), more=struct.pack(">H", 1) + entry(0x927C, 7, 0xFFFFFF, 0) + b"FUJIFILM\xff\xff\xff\xff"
    ),
    "whose thumbnail lies": lambda: exif_of(
        following=14, more=struct.pack(">H", 2) + entry(0x0201, 4, 1, 0xFFFFFF00) + entry(0x0202, 4, 1, 0xFFFFFFFF)
    ),
    "whose thumbnail has one of its own": lambda: exif_of(
        following=14,
        more=struct.pack(">H", 2)
        + entry(0x0201, 4, 1, 44)
        + entry(0x0202, 4, 1, 6000)
        + bytes(4)
        + encoded(picture().resize((64, 64)), "JPEG", exif=exif(), comment=MARK),
    ),
}


def greedy(size: int, count: int) -> bytes:
    """EXIF whose tags all claim all of it."""
    return exif_of(*(entry(tag, 7, size, 8) for tag in range(0x9000, 0x9000 + count)), more=bytes(size))


PROFILES: dict[str, Make] = {
    "of one byte": lambda: b"\0",
    "of zeros": lambda: bytes(500),
    "cut off": lambda: SRGB[:140],
    "that says it is longer": lambda: patched(SRGB, 0, ">I", 0xFFFFFFFF),
    "that says it is shorter": lambda: patched(SRGB, 0, ">I", 20),
    "of four thousand million tags": lambda: patched(SRGB, 128, ">I", 0xFFFFFFFF),
    "whose tags lie beyond it": lambda: patched(SRGB, 136, ">II", 0xFFFFFFF0, 0xFFFFFFFF),
    "of other colours": cmyk_profile,
    "with a picture in it": lambda: SRGB + encoded(picture(), "JPEG", comment=MARK),
    "of eight megabytes": lambda: patched(SRGB, 0, ">I", 8_000_000).ljust(8_000_000, b"\0"),
}


def in_every_format(format_: str) -> Iterator[tuple[str, Make]]:
    yield "the signature alone", lambda: MAGIC[format_]
    yield "the signature and zeros", lambda: MAGIC[format_].ljust(2000, b"\0")
    yield "the signature and ones", lambda: MAGIC[format_].ljust(2000, b"\xff")
    yield "without its last byte", lambda: GOOD[format_]()[:-1]
    yield "without its first byte", lambda: GOOD[format_]()[1:]
    yield "its first hundred bytes", lambda: GOOD[format_]()[:100]
    yield "its first half", lambda: GOOD[format_]()[: len(GOOD[format_]()) // 2]
    yield "as large as it may be", lambda: GOOD[format_]().ljust(MAX_BYTES, b"\0")
    for name, (width, height) in SIZES.items():
        yield f"says it is {name}", lambda width=width, height=height: resized(format_, width, height)
    for other in FORMATS:
        if other != format_:
            yield (
                f"the signature before {other}",
                lambda other=other: MAGIC[format_] + GOOD[other]()[len(MAGIC[format_]) :],
            )
    for name, make in FOREIGN.items():
        yield f"before {name}", lambda make=make: GOOD[format_]() + make()
        yield f"behind {name}", lambda make=make: make() + GOOD[format_]()
    several = {"JPEG": "MPO"}.get(format_, format_)
    if format_ == "HEIF":
        yield "of several pictures", lambda: heif(picture(), of_several=True)
    elif format_ != "BMP":
        yield "of several pictures", lambda: animation(several)
    if format_ in ("JPEG", "PNG", "WEBP", "AVIF", "TIFF"):
        for name, make in EXIFS.items():
            yield f"EXIF {name}", lambda make=make: _with_exif(format_, make())
        for name, make in PROFILES.items():
            yield f"ICC profile {name}", lambda make=make: _with_profile(format_, make())


def resized(format_: str, width: int, height: int) -> bytes:
    """A good file whose header says another width and height."""
    match format_:
        case "JPEG":
            photo = encoded(picture(), "JPEG")
            return patched(photo, photo.index(b"\xff\xc0") + 5, ">HH", min(height, 0xFFFF), min(width, 0xFFFF))
        case "PNG":
            photo = encoded(picture(), "PNG")
            return photo[:8] + chunk(b"IHDR", struct.pack(">II", width, height) + photo[24:29]) + photo[33:]
        case "WEBP":
            # In the extended header each is one less, in three bytes.
            sides = b"".join((side - 1 & 0xFFFFFF).to_bytes(3, "little") for side in (width, height))
            photo = encoded(picture(), "WEBP", exif=exif())
            return photo[:24] + sides + photo[30:]
        case "AVIF" | "HEIF":
            photo = iso_photo(format_)
            return patched(photo, photo.index(b"ispe") + 8, ">II", width, height)
        case "TIFF":
            return grey_tiff(width, height, picture("L").tobytes())
        case _:
            return patched(encoded(picture(), "BMP"), 18, "<II", width, height)


def _with_exif(format_: str, content: bytes) -> bytes:
    match format_:
        case "JPEG":
            # Decoders put its segments together.
            parts = [content[start : start + 65_000] for start in range(6, len(content), 65_000)]
            return jpeg_with(*(segment(0xE1, b"Exif\0\0" + part) for part in parts or [b""]))
        case "PNG":
            return png_with(chunk(b"eXIf", content[6:]))
        case "TIFF":
            # The directory of EXIF as that of the picture, whose tags come before.
            return b"MM\0*" + content[10:] if len(content) > 14 else content[6:]
        case _:
            # The encoders take none but what can be read: it stands in another's place.
            content = content.ljust(40, b"\0")
            place = exif_of(entry(0x0112, 3, 1, 1 << 16)).ljust(len(content), b"\0")
            return encoded(picture(), format_, exif=place).replace(place[6:], content[6:])


def _with_profile(format_: str, profile: bytes) -> bytes:
    if format_ == "JPEG":
        return jpeg_with(icc_segments(profile))
    return encoded(picture(), format_, icc_profile=profile)
