"""How many parts a photo's file may consist of.

A photo has some dozens, or some thousands of a few kilobytes each. A hostile file of 35 MB has room for millions of
empty ones, for each of which a decoder takes time and memory, or for as many passes over all pixels: minutes and
gigabytes, however few pixels there are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from faceblur.errors import CorruptImage

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_PARTS = 100_000  # segments of a JPEG and bytes between them, chunks of a PNG
MAX_SCANS = 100  # passes over a JPEG's pixels; encoders make ten, those that try for the least bytes some dozens

# Marker codes: ITU-T T.81, table B.1. In a scan no marker follows FF but those for a restart; some have no content.
_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
_WITHOUT_CONTENT = {0x01, 0xD8, 0xD9}
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_EOI, _SOS = 0xD9, 0xDA

_PNG_START = 8


def check_parts(data: bytes, format_: str) -> None:
    """Raise CorruptImage for a file of more parts than any photo has."""
    parts = {"JPEG": _jpeg_parts, "PNG": _png_parts}.get(format_)
    if parts is None:
        return
    count = 0
    for cost in parts(data):
        count += cost
        if count > MAX_PARTS:
            raise CorruptImage


def _png_parts(data: bytes) -> Iterator[int]:
    """A chunk each."""
    start, name = _PNG_START, b""
    while name != b"IEND" and start + 8 <= len(data):
        name = data[start + 4 : start + 8]
        start += int.from_bytes(data[start : start + 4]) + 12
        yield 1


def _jpeg_parts(data: bytes) -> Iterator[int]:
    """A segment each, and what a decoder skips byte by byte; a scan weighs as much as many of them."""
    place, components, scanning, several = 2, 0, False, False
    while found := _MARKER.search(data, place):
        # Between segments each byte is skipped by itself; those of a scan are its own.
        yield found.start() - place if not scanning else 0
        marker, place = data[found.start(1)], found.end()
        if marker == _EOI and scanning:
            return
        if marker in _WITHOUT_CONTENT:
            yield 1
            continue
        if marker in _FRAMES:
            components, several = int.from_bytes(data[place + 7 : place + 8]), marker in _PROGRESSIVE
        if marker == _SOS:
            scanning = True
            if not several and int.from_bytes(data[place + 2 : place + 3]) == components:
                return  # the only scan
        yield MAX_PARTS // MAX_SCANS if marker == _SOS else 1
        place += int.from_bytes(data[place : place + 2])
    yield 0 if scanning else len(data) - place
