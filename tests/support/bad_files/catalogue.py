"""Bad files: handmade ones, and seeded mutations of good files. A file can be made again from its name alone.

The good files hold a marker in every kind of metadata, and detail everywhere, so that a test can find both in a result.
All files are within the size limit of an upload, except the file that tests the limit.
"""

from __future__ import annotations

import re
from itertools import cycle, islice
from random import Random
from typing import TYPE_CHECKING

from faceblur.limits import MAX_BYTES
from tests.support.bad_files.bmp import bmps
from tests.support.bad_files.every_format import FOREIGN, in_every_format
from tests.support.bad_files.good import FORMATS, GOOD
from tests.support.bad_files.iso import iso_files
from tests.support.bad_files.jpeg import jpegs
from tests.support.bad_files.mutations import MUTATIONS
from tests.support.bad_files.png import pngs
from tests.support.bad_files.tiff import tiffs
from tests.support.bad_files.webp import webps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.bad_files.content import Make


def made(name: str) -> bytes:
    """The file of this name."""
    if make := HAND_MADE.get(name) or GOOD.get(name):
        return make()
    good, mutation, _ = name.split(" / ")
    return MUTATIONS[mutation](GOOD[good](), Random(name))[:MAX_BYTES]


def mutated(count: int) -> Iterator[str]:
    """The names of this many mutations. They go through all good files and all mutations, again and again."""
    pairs = [(good, mutation) for good in GOOD for mutation in MUTATIONS]
    Random(0).shuffle(pairs)
    for number, (good, mutation) in enumerate(islice(cycle(pairs), count)):
        yield f"{good} / {mutation} / {number // len(pairs)}"


def kind_of(name: str) -> str:
    """The kind of a file: its format if it is made by hand, or its mutation."""
    good, _, mutation = name.partition(" / ")
    return mutation.partition(" / ")[0] if mutation else good.partition(":")[0]


def hand_made() -> Iterator[tuple[str, Make]]:
    """All files made by hand, by name."""
    yield "any: empty", lambda: b""
    yield "any: one byte", lambda: b"\xff"
    yield "any: zeros", lambda: bytes(1000)
    yield "any: noise", lambda: Random(1).randbytes(5000)
    yield "any: too many bytes", lambda: GOOD["JPEG"]().ljust(MAX_BYTES + 1, b"\0")
    for name, make in FOREIGN.items():
        if name != "a JPEG":
            yield f"any: {name}", make
    for format_ in FORMATS:
        for name, make in in_every_format(format_):
            yield f"{format_}: {name}", make
    for format_, files in (
        ("JPEG", jpegs()),
        ("PNG", pngs()),
        ("WEBP", webps()),
        ("AVIF", iso_files("AVIF")),
        ("HEIF", iso_files("HEIF")),
        ("TIFF", tiffs()),
        ("BMP", bmps()),
    ):
        for name, make in files:
            yield f"{format_}: {name}", make


HAND_MADE: dict[str, Make] = dict(hand_made())


# Files that take more than two seconds to make or to process. `make fuzz` tries them.
HEAVY = {
    name
    for name in HAND_MADE
    if re.search(r"at the limit|let through|gigabyte|runs (beyond|of)|much larger than|hundred times|all bytes", name)
} | {
    "AVIF: as large as it may be",
    "AVIF: boxes without end",
    "JPEG: EXIF whose tags all hold all of its megabytes",
    "PNG: texts without end",
    "TIFF: strips without end",
    "WEBP: chunks without end",
}
assert HAND_MADE.keys() >= HEAVY
