"""The boxes of an AVIF or HEIC: ISO/IEC 14496-12 (base media format) and 23008-12 (pictures)."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MOST = 10_000  # boxes, or pictures with properties; a photo has some dozens
_FULL = 4  # the size of the version and the flags at the start of some boxes
_PICTURE = {b"ftyp", b"meta", b"mdat", b"idat", b"free", b"skip", b"moov"}
# The handler of a track: `pict` for a sequence of pictures, `vide` for a video.
_TRACK = re.compile(rb"hdlr.{8}(pict|vide)", re.DOTALL)
C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")  # C2PA 2.1, section A.5
XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")  # XMP part 3, table 12
# What the names of pictures and properties in a file's `meta` box tell of them.
_IN_META = {b"hdrgainmap": "gain map", b"tmap": "gain map", b"auxiliary:depth": "depth map", b"aux:depth": "depth map"}


def is_sequence(data: bytes) -> bool:
    """Whether the file has a track of pictures: an animation or a burst. AVIF's decoder tells itself."""
    return any(name == b"moov" and _handler(content) == b"pict" for name, content in _boxes(data))


def names(data: bytes) -> set[str]:
    """The names of what the file holds beside its pictures and EXIF."""
    found = set[str]()
    for name, content in _boxes(data):
        if name == b"mpvd" or (name == b"moov" and _handler(content) == b"vide"):
            found.add("motion video")
        elif name == b"meta":
            found.update(said for sign, said in _IN_META.items() if sign in content)
        elif name == b"uuid" and content.startswith((C2PA, XMP)):
            found.add("C2PA" if content.startswith(C2PA) else "XMP")
        elif name not in _PICTURE:
            found.add("appended data")
    return found


def properties(data: bytes) -> list[tuple[bytes, bytes]]:
    """The name and the content of each property of the primary picture, such as its colours by code, turns and depth.

    The decoders do not tell all of them. What cannot be read is left out. Several boxes (ipma) may say which picture
    has which properties. The first one that names this picture counts, as for the decoders.
    """
    meta = [*_boxes(_first(_boxes(data), b"meta")[_FULL:])]
    primary = _first(meta, b"pitm")
    containers = [*_boxes(_first(meta, b"iprp"))]
    known = [*_boxes(_first(containers, b"ipco"))]
    wide = primary[:1] != b"\0"
    number = int.from_bytes(primary[_FULL : _FULL + (4 if wide else 2)])
    associated = (_associated(content, number) for name, content in containers if name == b"ipma")
    indices: list[int] = next(filter(None, associated), [])
    return [known[index - 1] for index in indices if 0 < index <= len(known)]


def _first(boxes: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes:
    """The content of the first box of this name; none without one."""
    return next((content for each, content in boxes if each == name), b"")


def _handler(moov: bytes) -> bytes:
    track = _TRACK.search(moov)
    return track[1] if track else b""


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The name and the content of the file's outermost boxes. Those of the pixels come without their content."""
    return islice(_all_boxes(data), _MOST)


def _all_boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 0
    while place + 8 <= len(data):
        size, name, head = int.from_bytes(data[place : place + 4]), data[place + 4 : place + 8], 8
        if size == 1:
            size, head = int.from_bytes(data[place + 8 : place + 16]), 16
        end = place + max(size, head) if size else len(data)  # 0 means up to the end of the file
        yield name, b"" if name in (b"mdat", b"mpvd") else data[place + head : end]
        place = end
    if place < len(data):
        yield b"", data[place:]


def _associated(ipma: bytes, item: int) -> list[int]:
    """The numbers of the properties of this item, counted from 1."""
    item_size = 2 if ipma[:1] == b"\0" else 4
    size = 2 if ipma[3:4] and ipma[3] & 1 else 1
    essential = 1 << (8 * size - 1)
    place = _FULL + 4
    for _ in range(min(int.from_bytes(ipma[_FULL:place]), _MOST)):
        found = int.from_bytes(ipma[place : place + item_size])
        count = int.from_bytes(ipma[place + item_size : place + item_size + 1])
        start, place = place + item_size + 1, place + item_size + 1 + size * count
        if found == item:
            return [int.from_bytes(ipma[at : at + size]) & ~essential for at in range(start, place, size)]
    return []
