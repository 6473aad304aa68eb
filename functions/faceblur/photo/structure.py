"""The parts of a photo's file, and limits on their number.

A photo has some dozens of them, or some thousands of a few kilobytes each. A hostile file of 35 MB can hold millions of
empty ones, or thousands of scans over all pixels. A decoder would take minutes and gigabytes for it, even if the
picture is small.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from faceblur.errors import CorruptImage
from faceblur.photo.tiff import claims_too_much, without_directories_beneath

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_PARTS = 100_000  # segments of a JPEG and bytes between them, chunks of a PNG
MAX_EXIFS = 100  # EXIF blocks of an AVIF; a photo has one
MAX_SCANS = 100  # of a JPEG; encoders write ten, those that search for the smallest file some dozens

# Marker codes: ITU-T T.81, table B.1. In a scan only restart markers follow FF. Some markers have no content.
_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
_WITHOUT_CONTENT = {0x01, 0xD8, 0xD9}
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_ARITHMETIC = {*range(0xC9, 0xD0)} - {0xCC}
_EOI, _SOS, _APP1 = 0xD9, 0xDA, 0xE1

_EXIF = b"Exif\0\0"
# Pillow skips words that repeat, one after the other, and copies the rest each time.
_TOO_OFTEN = 10 * _EXIF
_TIFF = re.compile(rb"II\*\0|MM\0\*")
_NO_TAGS = b"MM\0*\0\0\0\4"  # a header whose last bytes are also its directory: their zeros mean no tags
PNG_START = 8  # the size of the signature
_RIFF_START = 12


class Scans(NamedTuple):
    """The scans of a JPEG: how many there are, the place of the end marker behind them, and whether they are complete.

    Without the marker the place is the end of the file. Scans are complete if each coefficient of each component comes
    with its last bit (ITU-T T.81, annex G).
    """

    number: int
    end: int
    complete: bool


class Frame(NamedTuple):
    """What the frame header of a JPEG says: the bits of a sample, and whether the samples have arithmetic coding."""

    bits: int
    is_arithmetic: bool


def check_structure(data: bytes, format_: str) -> None:
    """Raise CorruptImage if the file has more parts than any photo, or if a TIFF's own tags claim too many bytes."""
    if sum(islice(_weights(data, format_), MAX_PARTS)) >= MAX_PARTS:
        raise CorruptImage
    if format_ == "TIFF" and claims_too_much(data, following=True):
        raise CorruptImage


def without_greedy_tags(data: bytes, format_: str) -> bytes:
    """The file, in which each block of EXIF that claims too many bytes has no tags.

    Such EXIF cannot be trusted, but the photo can. Only formats whose decoders read EXIF themselves are changed. If
    nothing is to be changed, this returns `data` itself.
    """
    match format_:
        case "JPEG":
            places = [place for marker, _, place in _segments(data) if marker == _APP1]
            places = [place for place in places if data.startswith(_EXIF, place.start)]
            block = b"".join(data[place].removeprefix(_EXIF) for place in places)
            if block.startswith(_TOO_OFTEN) or claims_too_much(block):
                return _with_empty_exif(data, places)
        case "AVIF":
            data = data.replace(_TOO_OFTEN, bytes(len(_TOO_OFTEN)))
            # EXIF may be anywhere. Random data looks like its header once in a hundred megabytes.
            for found in islice(_TIFF.finditer(data), MAX_EXIFS):
                if claims_too_much(data[found.start() :], beneath=True):
                    data = _with_no_tags(data, found.start())
        case "TIFF" if claims_too_much(data, beneath=True):
            return without_directories_beneath(data)
    return data


def _with_empty_exif(data: bytes, places: list[slice]) -> bytes:
    """A JPEG in which the first of these segments of EXIF has no tags, and the others are zeros that continue it."""
    emptied = bytearray(data)
    for number, place in enumerate(places):
        length = len(data[place])
        # Half a header would lead into the header itself.
        is_header = number == 0 and length >= len(_EXIF + _NO_TAGS)
        header = _EXIF + _NO_TAGS if is_header else _EXIF
        emptied[place] = header + bytes(length - len(header))
    return bytes(emptied)


def _with_no_tags(data: bytes, header: int) -> bytes:
    return data[:header] + _NO_TAGS + data[header + len(_NO_TAGS) :]


def _weights(data: bytes, format_: str) -> Iterator[int]:
    """The weight of each part of the file: the sum may not reach MAX_PARTS."""
    match format_:
        case "JPEG":
            for marker, skipped, _ in _segments(data):
                yield skipped + (MAX_PARTS // MAX_SCANS if marker == _SOS else 1)
        case "PNG":
            for _ in png_chunks(data):
                yield 1


def png_chunks(data: bytes) -> Iterator[tuple[bytes, slice]]:
    """The name and the place of the content of each chunk of a PNG, up to its end."""
    start, name = PNG_START, b""
    while name != b"IEND" and start + 8 <= len(data):
        name, length = data[start + 4 : start + 8], int.from_bytes(data[start : start + 4])
        yield name, slice(start + 8, start + 8 + length)
        start += length + 12


def riff_chunks(data: bytes) -> Iterator[bytes]:
    """The names of the chunks of a WebP (https://www.rfc-editor.org/rfc/rfc9649#section-2.3)."""
    start, end = _RIFF_START, min(len(data), int.from_bytes(data[4:8], "little") + 8)
    while start + 8 <= end:
        yield data[start : start + 4]
        length = int.from_bytes(data[start + 4 : start + 8], "little")
        start += 8 + length + length % 2


def jpeg_scans(data: bytes) -> Scans:
    """The scans of a JPEG."""
    number, end, missing = 0, len(data), set[tuple[int, int]]()
    for marker, _, place in _segments(data):
        content = data[place]
        if marker in _FRAMES:
            missing = {(component, coefficient) for component in content[6::3] for coefficient in range(64)}
        elif marker == _SOS:
            number, end = number + 1, place.stop
            components, (first, last, bits) = content[1:-3:2], content[-3:].rjust(3, b"\0")
            if not bits & 15:  # the bits that are left for another scan
                missing -= {(component, each) for component in components for each in range(first, last + 1)}
    found = data.find(b"\xff\xd9", end)
    return Scans(number, found if found >= 0 else len(data), not missing)


def jpeg_frame(data: bytes) -> Frame:
    """The frame of a JPEG; one of 0 bits if it has none."""
    for marker, _, place in _segments(data):
        if marker in _FRAMES:
            return Frame(next(iter(data[place]), 0), marker in _ARITHMETIC)
    return Frame(0, is_arithmetic=False)


def _segments(data: bytes) -> Iterator[tuple[int, int, slice]]:
    """A JPEG's segments: the marker, the bytes that a decoder skips before it, and the place of the content."""
    place, components, scanning, progressive = 2, 0, False, False
    while found := _MARKER.search(data, place):
        # The bytes between a scan's header and the next marker belong to the scan.
        skipped = 0 if scanning else found.start() - place
        marker, start = data[found.start(1)], found.end()
        length = 0 if marker in _WITHOUT_CONTENT else int.from_bytes(data[start : start + 2])
        place = start + length
        yield marker, skipped, slice(start + 2, place)
        if marker in _FRAMES:
            components, progressive = int.from_bytes(data[start + 7 : start + 8]), marker in _PROGRESSIVE
        if marker == _SOS:
            if not (scanning or progressive) and int.from_bytes(data[start + 2 : start + 3]) == components:
                return  # this scan has all components, so it is the only one
            scanning = True
        if scanning and marker == _EOI:
            return
    if not scanning:
        yield 0, len(data) - place, slice(0)
