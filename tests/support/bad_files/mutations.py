"""Seeded mutations of good files."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from tests.support.bad_files.content import bits_flipped
from tests.support.bad_files.good import GOOD
from tests.support.bad_files.png import chunk

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    Mutation = Callable[[bytes, Random], bytes]

EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x10000000)


def truncated(photo: bytes, random: Random) -> bytes:
    return photo[: random.randrange(len(photo))]


def unfinished(photo: bytes, random: Random) -> bytes:
    """The file after an interrupted transfer: the rest is zeros."""
    return photo[: random.randrange(len(photo))].ljust(len(photo), b"\0")


def header_flipped(photo: bytes, random: Random) -> bytes:
    return bits_flipped(photo, random, min(len(photo), random.choice((32, 128, 640))))


def bytes_overwritten(photo: bytes, random: Random) -> bytes:
    changed = bytearray(photo)
    for _ in range(random.randint(1, 12)):
        changed[random.randrange(len(changed))] = random.choice((0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)))
    return bytes(changed)


def numbers_extreme(photo: bytes, random: Random) -> bytes:
    """Numbers of two or four bytes, mostly near the start, where headers are, made as large or small as they can be."""
    for _ in range(random.randint(1, 4)):
        size = random.choice((2, 4))
        place = random.randrange(min(len(photo), random.choice((64, 512, len(photo)))) - size)
        number = (random.choice(EXTREMES) & (1 << 8 * size) - 1).to_bytes(size, random.choice(("big", "little")))
        photo = photo[:place] + number + photo[place + size :]
    return photo


def part(photo: bytes, random: Random) -> tuple[int, int]:
    start = random.randrange(len(photo))
    return start, min(len(photo), start + random.choice((1, 2, 4, 16, 64, 256, 1024)))


def part_removed(photo: bytes, random: Random) -> bytes:
    start, end = part(photo, random)
    return photo[:start] + photo[end:]


def part_repeated(photo: bytes, random: Random) -> bytes:
    start, end = part(photo, random)
    return photo[:end] + photo[start:end] * random.choice((1, 2, 100)) + photo[end:]


def part_moved(photo: bytes, random: Random) -> bytes:
    start, end = part(photo, random)
    rest = photo[:start] + photo[end:]
    place = random.randrange(len(rest) + 1)
    return rest[:place] + photo[start:end] + rest[place:]


def part_random(photo: bytes, random: Random) -> bytes:
    start, end = part(photo, random)
    return photo[:start] + random.randbytes(end - start) + photo[end:]


def spliced(photo: bytes, random: Random) -> bytes:
    """The first part of one file and the last part of another."""
    other = GOOD[random.choice(list(GOOD))]()
    return photo[: random.randrange(len(photo))] + other[random.randrange(len(other)) :]


def appended(photo: bytes, random: Random) -> bytes:
    return photo + GOOD[random.choice(list(GOOD))]()


def pieces_of(photo: bytes) -> list[bytes]:
    """A file's parts in its own format, the head first; the whole file for a format without parts."""
    start, ends = 0, []
    if photo.startswith(b"\x89PNG"):
        start, length = 8, lambda at: int.from_bytes(photo[at : at + 4]) + 12
    elif photo.startswith(b"\xff\xd8"):
        # Up to the scan, which stays whole.
        start, length = (
            2,
            lambda at: len(photo) if photo[at + 1] == 0xDA else int.from_bytes(photo[at + 2 : at + 4]) + 2,
        )
    elif photo.startswith(b"RIFF"):
        start, length = 12, lambda at: (int.from_bytes(photo[at + 4 : at + 8], "little") + 9) & ~1
    elif photo[4:8] == b"ftyp":
        length = lambda at: int.from_bytes(photo[at : at + 4])  # noqa: E731
    else:
        start, length = len(photo) // 8, lambda _: 12
    ends = [start]
    while ends[-1] < len(photo):
        ends.append(ends[-1] + max(1, length(ends[-1])))
    return [photo[:start], *(photo[one:other] for one, other in pairwise(ends))]


def pieces_changed(photo: bytes, random: Random) -> bytes:
    """The format's own parts removed, doubled or reordered. A PNG's checksums are corrected after a change."""
    head, *pieces = pieces_of(photo)
    for _ in range(random.randint(1, 3)):
        place = random.randrange(len(pieces))
        match random.randrange(4):
            case 0:
                pieces.insert(random.randrange(len(pieces) + 1), pieces[place])
            case 1 if len(pieces) > 1:
                pieces.pop(place)
            case 2:
                pieces.insert(random.randrange(len(pieces)), pieces.pop(place))
            case _ if pieces[place]:
                pieces[place] = bits_flipped(pieces[place], random)
    if photo.startswith(b"\x89PNG"):
        pieces = [chunk(piece[4:8], piece[8:-4]) if len(piece) >= 12 else piece for piece in pieces]
    return head + b"".join(pieces)


MUTATIONS: dict[str, Mutation] = {
    "truncated": truncated,
    "unfinished": unfinished,
    "bits flipped": bits_flipped,
    "bits of the header flipped": header_flipped,
    "bytes overwritten": bytes_overwritten,
    "numbers made extreme": numbers_extreme,
    "a part removed": part_removed,
    "a part repeated": part_repeated,
    "a part moved": part_moved,
    "a part made random": part_random,
    "spliced": spliced,
    "another file appended": appended,
    "pieces changed": pieces_changed,
}
