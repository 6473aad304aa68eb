"""The building blocks of the files: a picture with detail everywhere, EXIF with the marker, numbers and fillings."""

from __future__ import annotations

import struct
import zlib
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageCms

from faceblur.limits import MAX_BYTES
from tests.support.pictures.photos import astronaut_pixels, encoded
from tests.support.privacy import MARK

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    Make = Callable[[], bytes]

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a>' + MARK + b"</a></x:xmpmeta>"
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SIDE = 128  # pixels of a good file


def picture(mode: str = "RGB") -> Image.Image:
    """A face with detail everywhere. Each call returns a copy, because saving changes an image."""
    return _face().convert(mode).copy()


@cache
def _face() -> Image.Image:
    grain = np.random.default_rng(0).normal(0, 12, (SIDE, SIDE, 1))
    face = np.asarray(astronaut_pixels().resize((SIDE, SIDE), box=(150, 20, 330, 200)), float)
    return Image.fromarray((face + grain).clip(0, 255).astype(np.uint8))


def exif(orientation: int = 1) -> bytes:
    """EXIF with the marker in an ordinary tag, a note of the maker, GPS and a thumbnail."""
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x010E] = MARK.decode()
    tags.get_ifd(0x8769)[0x927C] = MARK
    tags.get_ifd(0x8825)[0x1D] = MARK.decode()
    return tags.tobytes()


META = {"exif": exif(), "xmp": XMP}


def exif_of(*entries: bytes, more: bytes = b"", following: int = 0) -> bytes:
    """EXIF of one directory with these entries of 12 bytes, the offset of the next one, and what follows them."""
    directory = struct.pack(">H", len(entries)) + b"".join(entries) + struct.pack(">I", following)
    return b"Exif\0\0MM\0*\0\0\0\x08" + directory + more


def entry(tag: int, kind: int, count: int, value: int) -> bytes:
    """An entry of a big-endian directory."""
    return struct.pack(">HHII", tag, kind, count, value)


def patched(photo: bytes, place: int, layout: str, *values: int) -> bytes:
    """The file, with these numbers written at this place."""
    numbers = struct.pack(layout, *values)
    return photo[:place] + numbers + photo[place + len(numbers) :]


def bits_flipped(photo: bytes, random: Random, within: int | None = None) -> bytes:
    """The file with some bits changed; on request only within its first bytes."""
    changed = bytearray(photo)
    for _ in range(random.randint(1, 16)):
        changed[random.randrange(within or len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def filled(start: bytes, unit: bytes, end: bytes = b"") -> bytes:
    """The start, the unit as often as an upload has space for it, and the end."""
    return start + unit * ((MAX_BYTES - len(start) - len(end)) // len(unit)) + end


def deflated(megabytes: int) -> bytes:
    """This many megabytes of zeros, compressed."""
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(1_000_000)) for _ in range(megabytes)) + packer.flush()


def flat(format_: str, side: int, mode: str = "L", **options: object) -> bytes:
    """A square of one colour: a small file with many pixels."""
    return encoded(Image.new(mode, (side, side)), format_, **options)


def cmyk_profile() -> bytes:
    """An ICC profile that turns CMYK into Lab by a table of two points on each axis (ICC.1:2022, 10.10)."""
    points = bytes(
        round(255 * part)
        for inks in range(16)
        for part in (1 - min(1, (inks & 1) + 0.3 * inks.bit_count() / 2), 0.5, 0.5)
    )
    ramp = bytes(range(256))
    one = 1 << 16
    table = b"mft1" + bytes(4) + struct.pack(">BBBB9i", 4, 3, 2, 0, one, 0, 0, 0, one, 0, 0, 0, one)
    table += ramp * 4 + points + ramp * 3
    tags = struct.pack(">I4sII", 1, b"A2B0", 144, len(table))
    head = struct.pack(
        ">I4sI4s4s4s12s4s", 144 + len(table), bytes(4), 0x02400000, b"prtr", b"CMYK", b"Lab ", b"", b"acsp"
    )
    white = struct.pack(">III", 63190, 65536, 54061)
    return head.ljust(68, b"\0") + white.ljust(60, b"\0") + tags + table


def cached(files: dict[str, Make]) -> dict[str, Make]:
    """The same files, each of them made once."""
    return {name: cache(make) for name, make in files.items()}
