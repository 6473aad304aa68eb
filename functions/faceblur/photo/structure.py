"""How many parts a photo's file may consist of.

A photo has some dozens, or some thousands of a few kilobytes each. A hostile file of 35 MB has room for millions of
empty ones, for each of which a decoder takes time and memory, or for as many passes over all pixels: minutes and
gigabytes, however few pixels there are.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from faceblur.errors import CorruptImage
from faceblur.photo.tiff import claims_too_much

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_PARTS = 100_000  # segments of a JPEG and bytes between them, chunks of a PNG
MAX_EXIFS = 100  # of which one is a photo's
MAX_SCANS = 100  # passes over a JPEG's pixels; encoders make ten, those that try for the least bytes some dozens

# Marker codes: ITU-T T.81, table B.1. In a scan no marker follows FF but those for a restart; some have no content.
_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
_WITHOUT_CONTENT = {0x01, 0xD8, 0xD9}
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_EOI, _SOS, _APP1 = 0xD9, 0xDA, 0xE1

_EXIF = b"Exif\0\0"
_TIFF = re.compile(rb"II\*\0|MM\0\*")
_PNG_START = 8


def check_structure(data: bytes, format_: str) -> None:
    """Raise CorruptImage for a file of more parts than any photo has, or whose tags claim more than there is."""
    if sum(islice(_weights(data, format_), MAX_PARTS)) >= MAX_PARTS:
        raise CorruptImage
    if any(claims_too_much(block) for block in _tags(data, format_)):
        raise CorruptImage


def _weights(data: bytes, format_: str) -> Iterator[int]:
    """What each part weighs."""
    match format_:
        case "JPEG":
            for marker, skipped, _ in _segments(data):
                yield skipped + (MAX_PARTS // MAX_SCANS if marker == _SOS else 1)
        case "PNG":
            start, name = _PNG_START, b""
            while name != b"IEND" and start + 8 <= len(data):
                name = data[start + 4 : start + 8]
                start += int.from_bytes(data[start : start + 4]) + 12
                yield 1


def _tags(data: bytes, format_: str) -> Iterator[bytes]:
    """The directories of tags that the format's decoder reads when it opens a file."""
    match format_:
        case "JPEG":
            exif = [data[place] for marker, _, place in _segments(data) if marker == _APP1]
            yield b"".join(content.removeprefix(_EXIF) for content in exif if content.startswith(_EXIF))
        case "TIFF":
            yield data
        case "AVIF":
            # Wherever they are; by chance there is one in a hundred megabytes.
            for found in islice(_TIFF.finditer(data), MAX_EXIFS):
                yield data[found.start() :]


def _segments(data: bytes) -> Iterator[tuple[int, int, slice]]:
    """A JPEG's segments up to its end: marker, bytes before it that a decoder skips one by one, and the content."""
    place, components, scanning, several = 2, 0, False, False
    while found := _MARKER.search(data, place):
        # The bytes between a scan's header and the next marker are its own.
        skipped = 0 if scanning else found.start() - place
        marker, start = data[found.start(1)], found.end()
        length = 0 if marker in _WITHOUT_CONTENT else int.from_bytes(data[start : start + 2])
        place = start + length
        yield marker, skipped, slice(start + 2, place)
        if marker in _FRAMES:
            components, several = int.from_bytes(data[start + 7 : start + 8]), marker in _PROGRESSIVE
        if marker == _SOS:
            if not (scanning or several) and int.from_bytes(data[start + 2 : start + 3]) == components:
                return  # the only scan
            scanning = True
        if scanning and marker == _EOI:
            return
    if not scanning:
        yield 0, len(data) - place, slice(0)
