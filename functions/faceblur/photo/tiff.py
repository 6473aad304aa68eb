"""Directories of tags, of which EXIF and TIFF consist, and what their tags claim of the file (TIFF 6.0, section 2)."""

from __future__ import annotations

import struct

# Bytes of a value of each kind, for those that are more than one.
_SIZES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_ORDERS = {b"II": "<", b"MM": ">"}
_BIG = b"+"  # in the place of an asterisk: offsets of eight bytes, which neither EXIF nor a TIFF that is taken has
# The tags that lead to a directory for EXIF, GPS and interoperability.
_POINTERS = {0x8769, 0x8825, 0xA005}
_DIRECTORIES = 10  # at most; a photo has five
_SHARE = 4  # times the whole: in a photo, no two values share a byte


def claims_too_much(block: bytes) -> bool:
    """Whether these tags claim far more bytes than there are, all of which a decoder would read.

    Each of thousands may claim the same megabytes. What does not begin as directories do cannot be read at all.
    """
    while block.startswith(b"Exif\0\0"):
        block = block[6:]
    order = _ORDERS.get(block[:2])
    if order is None or len(block) < 8:
        return False
    if _BIG in block[2:4]:
        return True
    claimed, seen = 0, set[int]()
    waiting = [*struct.unpack_from(f"{order}I", block, 4)]
    while waiting and len(seen) < _DIRECTORIES:
        start = waiting.pop()
        if start in seen or not 8 <= start <= len(block) - 2:  # nought says that there is none
            continue
        seen.add(start)
        (count,) = struct.unpack_from(f"{order}H", block, start)
        end = start + 2 + 12 * min(count, (len(block) - start - 2) // 12)
        for tag, kind, number, value in struct.iter_unpack(f"{order}HHII", block[start + 2 : end]):
            size = _SIZES.get(kind, 1) * number
            if size > 4:
                claimed += max(0, min(size, len(block) - value))
            if tag in _POINTERS:
                waiting.append(value)
        if claimed > _SHARE * len(block):
            return True
        waiting += struct.unpack_from(f"{order}I", block, end) if end + 4 <= len(block) else ()
    return False
