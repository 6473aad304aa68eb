"""How many bytes the tags of an EXIF block or a TIFF file refer to (TIFF 6.0, section 2)."""

from __future__ import annotations

import struct

# The size in bytes of a value of each type, unless it is one.
_SIZES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_ORDERS = {b"II": "<", b"MM": ">"}
_BIG = b"+"  # in place of an asterisk: BigTIFF with offsets of eight bytes, which we accept neither in EXIF nor in TIFF
# The tags that point to the directories for EXIF, GPS and interoperability.
_POINTERS = {0x8769, 0x8825, 0xA005}
_MOST_DIRECTORIES = 10  # a photo has five
_MOST_CLAIMED = 4  # times the size of the block; the values of a photo do not overlap, so it stays below 1


def claims_too_much(block: bytes) -> bool:
    """Whether the tags refer to far more bytes than the block has.

    A decoder would read them all: each of thousands of tags may refer to the same megabytes. A block that does not
    begin with a TIFF header cannot be read at all, so it claims nothing.
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
    while waiting and len(seen) < _MOST_DIRECTORIES:
        start = waiting.pop()
        if start in seen or not 8 <= start <= len(block) - 2:  # 0 means that there is no directory
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
        if claimed > _MOST_CLAIMED * len(block):
            return True
        waiting += struct.unpack_from(f"{order}I", block, end) if end + 4 <= len(block) else ()
    return False
