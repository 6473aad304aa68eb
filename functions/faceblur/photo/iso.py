"""The properties of the primary picture of an AVIF or HEIF: its colours by code, its turns, its depth.

The decoders do not tell all of them. The layout of the boxes: ISO/IEC 14496-12, 8.11, and ISO/IEC 23008-12, 6.5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST = 10_000  # boxes and associations looked at; a photo has some hundreds
_FULL = 4  # the size of the version and the flags at the start of some boxes


def properties(data: bytes) -> list[tuple[bytes, bytes]]:
    """The name and the content of each property of the primary picture; what cannot be read is left out."""
    meta = dict(_boxes(dict(_boxes(data)).get(b"meta", b"")[_FULL:]))
    primary = meta.get(b"pitm", b"")
    containers = dict(_boxes(meta.get(b"iprp", b"")))
    known = list(_boxes(containers.get(b"ipco", b"")))
    wide = primary[:1] != b"\0"
    number = int.from_bytes(primary[_FULL : _FULL + (4 if wide else 2)])
    indices = _associated(containers.get(b"ipma", b""), number)
    return [known[index - 1] for index in indices if 0 < index <= len(known)]


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The name and the content of each box in these bytes."""
    start = 0
    for _ in range(_MOST):
        size, name, head = int.from_bytes(data[start : start + 4]), data[start + 4 : start + 8], 8
        if size == 1:
            size, head = int.from_bytes(data[start + 8 : start + 16]), 16
        size = size or len(data) - start  # 0 means up to the end
        if size < head or start + head > len(data):
            return
        yield name, data[start + head : start + size]
        start += size


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
