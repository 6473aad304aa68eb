"""Good and handmade bad files of AVIF and HEIF, which share a container."""

from __future__ import annotations

import struct
from io import BytesIO
from itertools import cycle, islice
from typing import TYPE_CHECKING

from pillow_heif import from_pillow

from tests.support.bad_files.content import META, SIDE, SRGB, cached, filled, patched, picture
from tests.support.pictures.photos import encoded, fastest, hopper_pixels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL import Image

    from tests.support.bad_files.content import Make


def box(name: bytes, *content: bytes) -> bytes:
    """A box of an AVIF or HEIF."""
    whole = b"".join(content)
    return struct.pack(">I", len(whole) + 8) + name + whole


def full_box(name: bytes, *content: bytes, version: int = 0, flags: int = 0) -> bytes:
    """A box with a version and flags."""
    return box(name, struct.pack(">I", version << 24 | flags), *content)


def heif(image: Image.Image, *, of_several: bool = False, **options: object) -> bytes:
    """The image as an HEIC file, alone or before another one."""
    file, photo = BytesIO(), from_pillow(image)
    if of_several:
        photo.add_from_pillow(image.rotate(180))
    photo.save(file, **fastest("HEIF"), **options)
    return file.getvalue()


def iso_photo(format_: str, image: Image.Image | None = None, **options: object) -> bytes:
    """The image as a file of ISO's base media format: AVIF or HEIF."""
    image = image or picture()
    return encoded(image, "AVIF", **options) if format_ == "AVIF" else heif(image, **options)


def coded(photo: bytes, primaries: int, transfer: int) -> bytes:
    """The photo with these colour codes (H.273) instead of those of its encoder."""
    place = photo.index(b"colrnclx") + 8
    return photo[:place] + struct.pack(">HH", primaries, transfer) + photo[place + 4 :]


def iso_parts(format_: str, photo: bytes) -> tuple[bytes, bytes, bytes]:
    """The kind of a file's picture, the box that configures its decoder, and the coded picture."""
    kind, name = (b"av01", b"av1C") if format_ == "AVIF" else (b"hvc1", b"hvcC")
    place = photo.index(name) - 4
    config = photo[place : place + int.from_bytes(photo[place : place + 4])]
    place = photo.index(b"mdat") - 4
    return kind, config, photo[place + 8 : place + int.from_bytes(photo[place : place + 4])]


def iso_grid(
    format_: str,
    said: tuple[int, int],
    size: tuple[int, int],
    across: int,
    down: int,
    *,
    tiles: int = 1,
    own_tile: bool = False,
) -> bytes:
    """A picture made of tiles. All tiles are the same coded picture, or the grid itself. `said` is its ispe."""
    kind, config, coded = iso_parts(format_, iso_photo(format_))
    grid = struct.pack(">BBBBHH", 0, 0, across - 1, down - 1, *size) if max(size) < 1 << 16 else b""
    grid = grid or struct.pack(">BBBBII", 0, 1, across - 1, down - 1, *size)
    infos = [full_box(b"infe", struct.pack(">HH", 1, 0), b"grid\0", version=2)]
    # Hidden, or they would be pictures of their own.
    infos += [full_box(b"infe", struct.pack(">HH", 2 + n, 0), kind + b"\0", version=2, flags=1) for n in range(tiles)]
    targets = [1] * (across * down) if own_tile else list(islice(cycle(range(2, 2 + tiles)), across * down))
    references = box(b"dimg", struct.pack(f">HH{len(targets)}H", 1, len(targets), *targets))
    shape = [full_box(b"ispe", struct.pack(">II", *each)) for each in (said, (SIDE, SIDE))]
    properties = box(b"ipco", *shape, config, full_box(b"pixi", b"\3\x08\x08\x08"))
    of_items = struct.pack(">IHBBB", 1 + tiles, 1, 2, 1, 4)
    of_items += b"".join(struct.pack(">HBBBB", 2 + n, 3, 2, 0x83, 4) for n in range(tiles))

    def meta(start: int) -> bytes:
        places = struct.pack(">BBH", 0x44, 0, 1 + tiles) + struct.pack(">HHHII", 1, 0, 1, start, len(grid))
        for n in range(tiles):
            places += struct.pack(">HHHII", 2 + n, 0, 1, start + len(grid), len(coded))
        return full_box(
            b"meta",
            full_box(b"hdlr", bytes(4) + b"pict" + bytes(13)),
            full_box(b"pitm", struct.pack(">H", 1)),
            full_box(b"iloc", places),
            full_box(b"iinf", struct.pack(">H", len(infos)), *infos),
            full_box(b"iref", references),
            box(b"iprp", properties, full_box(b"ipma", of_items)),
        )

    brand = b"avif" if format_ == "AVIF" else b"heic"
    head = box(b"ftyp", brand, bytes(4), b"mif1", brand, b"miaf")
    return head + meta(len(head) + len(meta(0)) + 8) + box(b"mdat", grid, coded)


def associated_by_two(photo: bytes, *, last_apart: bool = False) -> bytes:
    """The photo of one picture with two boxes that say which picture has which properties (ipma).

    The second one knows the photo's picture. With `last_apart`, which the standard forbids, the first knows it, too,
    and the second has only its last property.
    """
    start = photo.index(b"ipma") - 4
    end = start + int.from_bytes(photo[start : start + 4])
    (item,) = struct.unpack_from(">H", photo, start + 16)
    indices = photo[start + 19 : end]
    first, second = (indices[:-1], indices[-1:]) if last_apart else (b"", indices)
    known = item if last_apart else item + 100
    boxes = full_box(b"ipma", struct.pack(">IHB", 1, known, len(first)), first)
    boxes += full_box(b"ipma", struct.pack(">IIB", 1, item, len(second)), second, version=1)
    grown = len(boxes) - (end - start)
    photo = photo[:start] + boxes + photo[end:]
    for name in (b"iprp", b"meta"):
        photo = _added_to(photo, photo.index(name) - 4, grown)
    place = photo.index(b"iloc") + 4
    has_base = photo[place + 5] >> 4  # the places are in other fields then
    for number in range(int.from_bytes(photo[place + 6 : place + 8])):
        photo = _added_to(photo, place + (12 + 18 * number if has_base else 14 + 14 * number), grown)
    return photo


def _added_to(photo: bytes, place: int, grown: int) -> bytes:
    """The photo with this much added to the number of four bytes at this place."""
    number = int.from_bytes(photo[place : place + 4]) + grown
    return photo[:place] + struct.pack(">I", number) + photo[place + 4 :]


def nested(depth: int) -> bytes:
    """Boxes in boxes."""
    whole = b""
    for _ in range(depth):
        whole = box(b"meta", bytes(4), whole)
    return whole


GOOD: dict[str, Make] = cached(
    {
        "AVIF": lambda: iso_photo("AVIF", **META, icc_profile=SRGB),
        "AVIF alpha": lambda: iso_photo("AVIF", picture("RGBA").rotate(30), **META),
        "AVIF grey": lambda: iso_photo("AVIF", picture("L")),
        "AVIF HDR": lambda: coded(iso_photo("AVIF", **META), 9, 16),
        "AVIF grid": lambda: iso_grid("AVIF", (256, 256), (256, 256), 2, 2, tiles=4),
        "HEIF": lambda: heif(picture(), **META),
        "HEIF alpha": lambda: heif(picture("RGBA").rotate(30), **META),
        "HEIF HDR": lambda: coded(heif(picture(), **META), 9, 18),
        "HEIF 4:4:4": lambda: heif(picture(), chroma=444),
        "HEIF grid": lambda: iso_grid("HEIF", (256, 256), (256, 256), 2, 2, tiles=4),
    }
)


def iso_files(format_: str) -> Iterator[tuple[str, Make]]:
    grids = {
        "a grid": ((256, 256), (256, 256), 2, 2),
        "a grid larger than it says": ((SIDE, SIDE), (256, 256), 2, 2),
        "a grid much larger than it says": ((SIDE, SIDE), (16_384, 16_384), 128, 128),
        "the largest grid": ((SIDE, SIDE), (32_640, 32_640), 255, 255),
        "a grid at the limit": ((9_984, 9_984), (9_984, 9_984), 78, 78),
        "a grid without enough tiles": ((16_384, 16_384), (16_384, 16_384), 1, 1),
        "a grid of nothing": ((0, 0), (0, 0), 1, 1),
    }
    for name, (said, size, across, down) in grids.items():
        yield name, lambda said=said, size=size, across=across, down=down: iso_grid(format_, said, size, across, down)
    yield "a grid of itself", lambda: iso_grid(format_, (256, 256), (256, 256), 2, 2, own_tile=True)
    yield "boxes without end", lambda: filled(GOOD[format_](), box(b"free"))
    yield (
        "boxes before its own without end",
        lambda: filled(GOOD[format_]()[: iso_start(format_)], box(b"free"), GOOD[format_]()[iso_start(format_) :]),
    )
    yield "boxes in boxes", lambda: GOOD[format_]()[: iso_start(format_)] + nested(5000)
    yield "a box without an end", lambda: GOOD[format_]()[: iso_start(format_)] + b"\0\0\0\0meta" + bytes(500)
    yield (
        "a box of all bytes there are",
        lambda: GOOD[format_]()[: iso_start(format_)] + b"\0\0\0\1meta" + b"\xff" * 8 + bytes(500),
    )
    for name in (b"pitm", b"iloc", b"iinf", b"iprp", b"ipco", b"ipma", b"ispe", b"hvcC", b"av1C", b"mdat", b"hdlr"):
        if name in GOOD[format_]():
            yield (
                f"without {name.decode()}",
                lambda name=name: GOOD[format_]().replace(name, b"free", 1),
            )
            yield (
                f"{name.decode()} of ones",
                lambda name=name: patched(GOOD[format_](), GOOD[format_]().index(name) + 4, "8B", *([0xFF] * 8)),
            )
    yield (
        "a picture a hundred times the size it says",
        lambda: patched(
            iso_photo(format_, hopper_pixels().resize((1280, 1280))),
            iso_photo(format_, hopper_pixels().resize((1280, 1280))).index(b"ispe") + 8,
            ">II",
            SIDE,
            SIDE,
        ),
    )


def iso_start(format_: str) -> int:
    """Where the first box after ftyp starts."""
    return int.from_bytes(GOOD[format_]()[:4])
