"""The directories of an EXIF block or a TIFF file (TIFF 6.0, section 2).

BigTIFF differs in the size of its numbers (https://libtiff.gitlab.io/libtiff/specification/bigtiff.html).

The directories are read here before a decoder sees them: a decoder reads every value that a tag refers to.
"""

from __future__ import annotations

import re
import struct
from itertools import islice
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

# The tags that point to the directories for EXIF, GPS and interoperability, and to further pictures.
_POINTERS = (0x8769, 0x8825, 0xA005)
SUB_IFDS = 330
NEW_SUBFILE_TYPE, COMPRESSION, PHOTOMETRIC, DNG_VERSION = 254, 259, 262, 50706
_OFFSETS = (273, 324)  # of the pixels, in strips or in tiles
_READ = {*_POINTERS, *_OFFSETS, SUB_IFDS, NEW_SUBFILE_TYPE, COMPRESSION, PHOTOMETRIC}

_PREFIXES = re.compile(rb"(?:Exif\0\0)+")
# The size in bytes of a value of each type, unless it is one.
_SIZES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_INTEGERS = {3, 4, 13, 16, 18}  # the types of unsigned integers of more than one byte
_ORDERS = {b"II": "<", b"MM": ">"}
_BIG = b"+"  # in place of an asterisk: BigTIFF, with offsets of eight bytes; Pillow reads it in little-endian order

MOST_DIRECTORIES = 10  # a photo has five
_MOST_TAGS = 4_096  # in a directory; a photo has some dozens
_MOST_CLAIMED = 4  # times the size of the block; the values of a photo do not overlap, so it stays below 1
_MOST_INTEGERS = 16  # of one tag that are read here

# Flags of NewSubfileType: a reduced picture, a mask, a depth map (TIFF 6.0; DNG 1.5). Others are pictures of their own.
_SUBORDINATE = 1 | 4 | 8
# Colours of a sensor: a colour filter array, or linear (DNG 1.4).
_OF_A_SENSOR = {32803, 34892}


class _Layout(NamedTuple):
    """How numbers and directories are written; the last three are formats of `struct`."""

    order: str
    first: int  # the place of the pointer to the first directory
    many: str  # how many tags there are
    entry: str
    pointer: str


class Directory(NamedTuple):
    """A directory: how many bytes its tags refer to, its tags, and the place of the directory that follows.

    `pointers` holds the places of the values that point to directories beneath it.
    """

    claimed: int
    tags: dict[int, list[int]]  # a tag's first integers, of those in _READ
    pointers: list[int]
    following: int


def claims_too_much(block: bytes, *, following: bool = False, beneath: bool = False) -> bool:
    """Whether the tags of the first directory refer to far more bytes than the block has.

    A decoder would read them all: each of thousands of tags may refer to the same megabytes. A block that does not
    begin with a TIFF header cannot be read at all, so it claims nothing. With `following`, the directories that
    follow are checked too. With `beneath`, all are, including those for EXIF, GPS and interoperability.
    """
    block = without_prefix(block)
    claimed = 0
    found = _all_directories(block) if beneath else islice(pages(block), None if following else 1)
    for directory in found:
        claimed += directory.claimed
        if claimed > _MOST_CLAIMED * len(block):
            return True
    return False


def without_directories_beneath(file: bytes) -> bytes:
    """A TIFF whose pointers to directories for EXIF, GPS and interoperability lead to an empty one."""
    layout = _layout(file)
    if not layout:
        return file
    emptied = bytearray(file) + bytes(len(file) % 2)  # directories begin at even places
    for page in pages(file):
        for place in page.pointers:
            struct.pack_into(layout.pointer, emptied, place, len(emptied))
    return bytes(emptied) + bytes(struct.calcsize(layout.many) + struct.calcsize(layout.pointer))


def without_prefix(block: bytes) -> bytes:
    """The block without the word that begins EXIF in a JPEG; it may be there several times."""
    prefixes = _PREFIXES.match(block)
    return block[prefixes.end() :] if prefixes else block


def has_thumbnail(exif: bytes) -> bool:
    """Whether an EXIF block has a second directory, which describes a thumbnail."""
    return any(directory.tags for directory in islice(pages(without_prefix(exif)), 1, 2))


def pages(block: bytes) -> Iterator[Directory]:
    """The directories that follow one another, at most MOST_DIRECTORIES.

    Directories that tags point to name none that follows: libraries such as piexif leave that field out.
    """
    layout = _layout(block)
    if not layout:
        return
    (place,) = struct.unpack_from(layout.pointer, block, layout.first)
    seen = set[int]()
    while place not in seen and len(seen) < MOST_DIRECTORIES:
        directory = _directory(block, layout, place)
        if directory is None:
            return
        seen.add(place)
        yield directory
        place = directory.following


def primary_page(file: bytes) -> int | None:
    """The number of the page of a TIFF that is the photo; None if several could be.

    Thumbnails, reduced copies, masks and depth maps say that they are (NewSubfileType).
    """
    found = [*pages(file)]
    own = [number for number, page in enumerate(found) if not _is_subordinate(page)]
    beneath = [sub for page in found for sub in _beneath(file, page.tags.get(SUB_IFDS, []))]
    if len(own) > 1 or not all(_is_subordinate(sub) for sub in beneath):
        return None
    return own[0] if own else 0


def has_further_pictures(file: bytes) -> bool:
    """Whether a TIFF holds pictures beside the first."""
    found = [*islice(pages(file), 2)]
    return len(found) > 1 or any(SUB_IFDS in page.tags for page in found)


def is_raw(file: bytes) -> bool:
    """Whether a TIFF holds the data of a camera's sensor.

    It says so, or its first picture is a thumbnail that has others beneath it, as in NEF and ARW.
    """
    found = [*pages(file)]
    if any(SUB_IFDS in page.tags and _is_subordinate(page) for page in found[:1]):
        return True
    beneath = [sub for page in found for sub in _beneath(file, page.tags.get(SUB_IFDS, []))]
    colours = {colour for each in (*found, *beneath) for colour in each.tags.get(PHOTOMETRIC, [])}
    return bool(colours & _OF_A_SENSOR) or any(DNG_VERSION in page.tags for page in found)


def has_pixels_at(file: bytes, place: int) -> bool:
    """Whether the pixels of a picture in a TIFF begin at this place."""
    return any(page.tags.get(tag, [])[:1] == [place] for page in pages(file) for tag in _OFFSETS)


def has_pixels(file: bytes) -> bool:
    """Whether the pixels of a TIFF's photo begin within the file, as far as their places are read here."""
    primary = primary_page(file) or 0
    places = [
        place
        for page in islice(pages(file), primary, primary + 1)
        for tag in _OFFSETS
        for place in page.tags.get(tag, [])
    ]
    return bool(places) and max(places) < len(file)


def _is_subordinate(page: Directory) -> bool:
    return any(flags & _SUBORDINATE for flags in page.tags.get(NEW_SUBFILE_TYPE, []))


def _all_directories(block: bytes) -> Iterator[Directory]:
    """The directories that follow one another, and those for EXIF, GPS and interoperability beneath them."""
    for page in pages(block):
        yield page
        for directory in _beneath(block, _pointed(page)):
            yield directory
            yield from _beneath(block, _pointed(directory))


def _pointed(directory: Directory) -> list[int]:
    return [place for tag in _POINTERS for place in directory.tags.get(tag, [])[:1]]


def _beneath(block: bytes, places: list[int]) -> Iterator[Directory]:
    """The directories at these places that can be read."""
    layout = _layout(block)
    for place in dict.fromkeys(places):
        if layout and (directory := _directory(block, layout, place)):
            yield directory


def _layout(block: bytes) -> _Layout | None:
    """None if the block begins with no header of a TIFF."""
    order = _ORDERS.get(block[:2])
    if order is None:
        return None
    if block[2:3] == _BIG:
        return _Layout(order, 8, f"{order}Q", f"{order}HHQ8s", f"{order}Q") if len(block) >= 16 else None
    return _Layout(order, 4, f"{order}H", f"{order}HHI4s", f"{order}I") if len(block) >= 8 else None


def _directory(block: bytes, layout: _Layout, place: int) -> Directory | None:
    """The directory at this place, as far as the block reaches; None if its start lies outside."""
    start = place + struct.calcsize(layout.many)
    if place < layout.first + struct.calcsize(layout.pointer) or start > len(block):  # 0 means that there is none
        return None
    (count,) = struct.unpack_from(layout.many, block, place)
    size = struct.calcsize(layout.entry)
    present = min(count, (len(block) - start) // size)
    end = start + size * min(present, _MOST_TAGS)
    claimed, tags, pointers = 0, {}, []
    values_end = range(start + size, end + 1, size)
    for (tag, kind, number, value), after in zip(
        struct.iter_unpack(layout.entry, block[start:end]), values_end, strict=True
    ):
        tags[tag] = _integers(block, layout, kind, number, value) if tag in _READ else []
        if tag in _POINTERS:
            pointers.append(after - len(value))
        length = _SIZES.get(kind, 1) * number
        if length > len(value):
            claimed += max(0, min(length, len(block) - struct.unpack(layout.pointer, value)[0]))
    if present > _MOST_TAGS:
        claimed = (_MOST_CLAIMED + 1) * len(block)
    has_next = end + struct.calcsize(layout.pointer) <= len(block)
    following = struct.unpack_from(layout.pointer, block, end)[0] if has_next else 0
    return Directory(claimed, tags, pointers, following)


def _integers(block: bytes, layout: _Layout, kind: int, number: int, value: bytes) -> list[int]:
    """The first integers of a tag; none if its values are of another type or lie outside of the block."""
    if kind not in _INTEGERS:
        return []
    size = _SIZES[kind]
    if size * number > len(value):
        (place,) = struct.unpack(layout.pointer, value)
        value = block[place : place + size * min(number, _MOST_INTEGERS)]
    byteorder: Literal["little", "big"] = "little" if layout.order == "<" else "big"
    return [
        int.from_bytes(value[at : at + size], byteorder)
        for at in range(0, min(size * number, len(value) - size + 1), size)
    ]
