"""Bad files: those made by hand, and seeded mutations of good ones. A file's name is all it takes to make it again.

The good ones hold a marker in every kind of metadata, and detail everywhere, so that a result shows whether either got
through. No file is larger than an upload may be, but for the one that is.
"""

from __future__ import annotations

import re
import struct
import zlib
from functools import cache
from io import BytesIO
from itertools import cycle, islice, pairwise
from random import Random
from typing import TYPE_CHECKING

import numpy as np
from photos import animation, astronaut_pixels, encoded, hopper_pixels
from PIL import Image, ImageCms, TiffImagePlugin
from pillow_heif import from_pillow
from private import MARK

from faceblur.limits import MAX_BYTES, MAX_PIXELS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Make = Callable[[], bytes]
    Mutation = Callable[[bytes, Random], bytes]

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a>' + MARK + b"</a></x:xmpmeta>"
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF", "BMP")
SIDE = 128  # pixels of a good file


def made(name: str) -> bytes:
    """The file of this name."""
    if make := HAND_MADE.get(name) or GOOD.get(name):
        return make()
    good, mutation, _ = name.split(" / ")
    return MUTATIONS[mutation](GOOD[good](), Random(name))[:MAX_BYTES]


def mutated(count: int) -> Iterator[str]:
    """The names of this many mutations: every good file by every mutation in turn, the first time, the second …"""
    pairs = [(good, mutation) for good in GOOD for mutation in MUTATIONS]
    Random(0).shuffle(pairs)
    for number, (good, mutation) in enumerate(islice(cycle(pairs), count)):
        yield f"{good} / {mutation} / {number // len(pairs)}"


def kind_of(name: str) -> str:
    """What a file is one of: hand-made ones of a format, or a mutation."""
    good, _, mutation = name.partition(" / ")
    return mutation.partition(" / ")[0] if mutation else good.partition(":")[0]


# ---------------------------------------------------------------- the parts that files are made of


def picture(mode: str = "RGB") -> Image.Image:
    """A face with detail everywhere; one of its own for each, since an image that is being saved is changed by that."""
    return _face().convert(mode).copy()


@cache
def _face() -> Image.Image:
    grain = np.random.default_rng(0).normal(0, 12, (SIDE, SIDE, 1))
    face = np.asarray(astronaut_pixels().resize((SIDE, SIDE), box=(150, 20, 330, 200)), float)
    return Image.fromarray((face + grain).clip(0, 255).astype(np.uint8))


def exif(orientation: int = 1) -> bytes:
    """EXIF with the marker in an ordinary tag, a note of the maker, GPS and a thumbnail."""
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x010E] = MARK.decode()
    tags.get_ifd(0x8769)[0x927C] = MARK
    tags.get_ifd(0x8825)[0x1D] = MARK.decode()
    return tags.tobytes()


def exif_of(*entries: bytes, more: bytes = b"", following: int = 0) -> bytes:
    """EXIF of one directory with these entries of 12 bytes, the offset of the next one, and what follows them."""
    directory = struct.pack(">H", len(entries)) + b"".join(entries) + struct.pack(">I", following)
    return b"Exif\0\0MM\0*\0\0\0\x08" + directory + more


def entry(tag: int, kind: int, count: int, value: int) -> bytes:
    """An entry of a big-endian directory."""
    return struct.pack(">HHII", tag, kind, count, value)


def segment(marker: int, content: bytes) -> bytes:
    """A segment of a JPEG."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def riff_chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of a WebP."""
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def box(name: bytes, *content: bytes) -> bytes:
    """A box of an AVIF or HEIF."""
    whole = b"".join(content)
    return struct.pack(">I", len(whole) + 8) + name + whole


def full_box(name: bytes, *content: bytes, version: int = 0, flags: int = 0) -> bytes:
    """A box with a version and flags."""
    return box(name, struct.pack(">I", version << 24 | flags), *content)


def jpeg_with(*segments: bytes, photo: bytes | None = None) -> bytes:
    """A JPEG with these segments before all others."""
    photo = photo or encoded(picture(), "JPEG", quality=85)
    return photo[:2] + b"".join(segments) + photo[2:]


def png_with(*chunks: bytes, photo: bytes | None = None) -> bytes:
    """A PNG with these chunks before its pixels."""
    photo = photo or encoded(picture(), "PNG")
    return photo[:33] + b"".join(chunks) + photo[33:]


def png_of(
    width: int, height: int, rows: bytes, *, bits: int = 8, colour: int = 0, interlaced: int = 0, chunks: bytes = b""
) -> bytes:
    """A PNG of these rows as they are compressed, whether they fit its header or not."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced)
    ends = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunks + ends


def webp_with(*chunks: bytes) -> bytes:
    """An extended WebP with these chunks after all others."""
    return riff_of(encoded(picture(), "WEBP", exif=exif(), xmp=XMP)[12:], *chunks)


def riff_of(*chunks: bytes) -> bytes:
    """A WebP of these chunks."""
    content = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(content)) + content


def tiff_of(tags: Sequence[tuple[int, int, int, int]], pixels: bytes = b"", following: int = 0) -> bytes:
    """A big-endian TIFF with these tags (number, kind, count, value), and its pixels behind them."""
    # A number of two bytes stands in the first two of the four.
    entries = [
        entry(tag, kind, count, value << 16 if kind == 3 and count == 1 else value) for tag, kind, count, value in tags
    ]
    return b"MM\0*\0\0\0\x08" + exif_of(*entries, following=following)[14:] + pixels


def grey_tiff(width: int, height: int, pixels: bytes, **changes: int) -> bytes:
    """A grey TIFF of one strip; `changes` are tags by `t` and their number, of four bytes each."""
    tags = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: 0, 277: 1, 278: height, 279: len(pixels)}
    tags |= {int(name[1:]): value for name, value in changes.items()}
    tags.setdefault(273, 0)
    tags[273] = tags[273] or 8 + 2 + 12 * len(tags) + 4
    return tiff_of([(tag, 4, 1, tags[tag]) for tag in sorted(tags)], pixels)


def bmp_of(width: int, height: int, pixels: bytes, *, bits: int = 24, compression: int = 0, colours: int = 0) -> bytes:
    """A BMP whose header says this of these pixels."""
    start = 54 + 4 * colours
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(pixels), 0, 0, colours, 0)
    palette = b"".join(bytes([level, level, level, 0]) for level in range(colours))
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + header + palette + pixels


def heif(image: Image.Image, *, of_several: bool = False, **options: object) -> bytes:
    """The image as an HEIC file, alone or before another one."""
    file, photo = BytesIO(), from_pillow(image)
    if of_several:
        photo.add_from_pillow(image.rotate(180))
    photo.save(file, **options)
    return file.getvalue()


def iso_photo(format_: str, image: Image.Image | None = None, **options: object) -> bytes:
    """The image as a file of ISO's base media format: AVIF or HEIF."""
    image = image or picture()
    return encoded(image, "AVIF", speed=10, **options) if format_ == "AVIF" else heif(image, **options)


def patched(photo: bytes, place: int, layout: str, *values: int) -> bytes:
    """The file with these numbers at this place."""
    numbers = struct.pack(layout, *values)
    return photo[:place] + numbers + photo[place + len(numbers) :]


def resized(format_: str, width: int, height: int) -> bytes:
    """A good file whose header says another width and height."""
    match format_:
        case "JPEG":
            photo = encoded(picture(), "JPEG")
            return patched(photo, photo.index(b"\xff\xc0") + 5, ">HH", min(height, 0xFFFF), min(width, 0xFFFF))
        case "PNG":
            photo = encoded(picture(), "PNG")
            return photo[:8] + chunk(b"IHDR", struct.pack(">II", width, height) + photo[24:29]) + photo[33:]
        case "WEBP":
            # In the extended header each is one less, in three bytes.
            sides = b"".join((side - 1 & 0xFFFFFF).to_bytes(3, "little") for side in (width, height))
            photo = encoded(picture(), "WEBP", exif=exif())
            return photo[:24] + sides + photo[30:]
        case "AVIF" | "HEIF":
            photo = iso_photo(format_)
            return patched(photo, photo.index(b"ispe") + 8, ">II", width, height)
        case "TIFF":
            return grey_tiff(width, height, picture("L").tobytes())
        case _:
            return patched(encoded(picture(), "BMP"), 18, "<II", width, height)


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
    """A picture put together of tiles, all of them the same coded one, or the grid itself; `said` is its ispe."""
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


def cmyk_profile() -> bytes:
    """An ICC profile that turns CMYK into Lab by a table of two points on each axis (ICC.1:2022, 10.10)."""
    points = bytes(
        round(255 * part)
        for inks in range(16)
        for part in (1 - min(1, (inks & 1) + 0.3 * inks.bit_count() / 2), 0.5, 0.5)
    )
    ramp = bytes(range(256))
    one = 1 << 16
    table = b"mft1" + bytes(4) + struct.pack(">BBBB9i", 4, 3, 2, 0, one, 0, 0, 0, one, 0, 0, 0, one)
    table += ramp * 4 + points + ramp * 3
    tags = struct.pack(">I4sII", 1, b"A2B0", 144, len(table))
    head = struct.pack(
        ">I4sI4s4s4s12s4s", 144 + len(table), bytes(4), 0x02400000, b"prtr", b"CMYK", b"Lab ", b"", b"acsp"
    )
    white = struct.pack(">III", 63190, 65536, 54061)
    return head.ljust(68, b"\0") + white.ljust(60, b"\0") + tags + table


def icc_segments(profile: bytes) -> bytes:
    """The APP2 segments of a JPEG that hold a profile."""
    parts = [profile[start : start + 65_000] for start in range(0, len(profile), 65_000)]
    return b"".join(
        segment(0xE2, b"ICC_PROFILE\0" + bytes([number & 255, len(parts) & 255]) + part)
        for number, part in enumerate(parts, 1)
    )


def filled(start: bytes, unit: bytes, end: bytes = b"") -> bytes:
    """As many of a unit between start and end as an upload may hold."""
    return start + unit * ((MAX_BYTES - len(start) - len(end)) // len(unit)) + end


# ---------------------------------------------------------------- good files


def tiff(image: Image.Image, **options: object) -> bytes:
    """A TIFF with the marker in its tags."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[270], tags[305] = MARK.decode(), MARK.decode()
    tags.tagtype[700] = 7
    tags[700] = XMP
    return encoded(image, "TIFF", tiffinfo=tags, **options)


def deep_rows(samples: int) -> bytes:
    """Rows of 16 bits a sample."""
    grey = np.asarray(picture("L"), ">u2") * 257
    return b"".join(b"\0" + np.repeat(row, samples).tobytes() for row in grey)


def interlaced_rows() -> bytes:
    """The seven passes of an interlaced grey PNG."""
    grey = np.asarray(picture("L"))
    passes = ((0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2), (1, 2, 0, 1))
    return b"".join(b"\0" + row.tobytes() for y, down, x, across in passes for row in grey[y::down, x::across])


def run_lengths() -> bytes:
    """A BMP of 8 bits with runs of one."""
    rows = np.asarray(picture("L"))[::-1]
    coded = b"".join(b"".join(bytes([1, level]) for level in row.tolist()) + b"\0\0" for row in rows) + b"\0\1"
    return bmp_of(SIDE, SIDE, coded, bits=8, compression=1, colours=256)


TEXTS = chunk(b"tEXt", b"Comment\0" + MARK) + chunk(b"zTXt", b"Comment\0\0" + zlib.compress(MARK))
META = {"exif": exif(), "xmp": XMP}

_GOOD: dict[str, Make] = {
    "JPEG": lambda: encoded(picture(), "JPEG", quality=85, exif=exif(), icc_profile=SRGB, xmp=XMP, comment=MARK),
    "JPEG turned": lambda: encoded(picture(), "JPEG", quality=85, exif=exif(6)) + MARK,
    "JPEG 4:4:4": lambda: encoded(picture(), "JPEG", quality=85, subsampling=0, comment=MARK),
    "JPEG 4:2:2": lambda: encoded(picture(), "JPEG", quality=85, subsampling=1, comment=MARK),
    "JPEG progressive": lambda: encoded(picture(), "JPEG", quality=85, progressive=True, comment=MARK),
    "JPEG restarts": lambda: encoded(picture(), "JPEG", quality=85, restart_marker_blocks=3, comment=MARK),
    "JPEG grey": lambda: encoded(picture("L"), "JPEG", quality=85, exif=exif(3)),
    "JPEG RGB": lambda: encoded(picture(), "JPEG", quality=85, keep_rgb=True, comment=MARK),
    "JPEG CMYK": lambda: encoded(picture("CMYK"), "JPEG", quality=85, icc_profile=cmyk_profile(), comment=MARK),
    "JPEG of several": lambda: encoded(
        picture(), "MPO", save_all=True, append_images=[hopper_pixels().resize((64, 64))], comment=MARK
    ),
    "PNG": lambda: png_with(TEXTS, photo=encoded(picture(), "PNG", exif=exif(), icc_profile=SRGB)),
    "PNG turned": lambda: png_with(TEXTS, photo=encoded(picture(), "PNG", exif=exif(8))),
    "PNG grey": lambda: png_with(TEXTS, photo=encoded(picture("L"), "PNG")),
    "PNG of a bit": lambda: png_with(TEXTS, photo=encoded(picture("1"), "PNG")),
    "PNG palette": lambda: png_with(TEXTS, photo=encoded(picture().quantize(64), "PNG", transparency=5)),
    "PNG alpha": lambda: png_with(TEXTS, photo=encoded(picture("RGBA"), "PNG")),
    "PNG grey alpha": lambda: png_with(TEXTS, photo=encoded(picture("LA"), "PNG")),
    "PNG deep": lambda: png_of(SIDE, SIDE, deep_rows(1), bits=16, chunks=TEXTS),
    "PNG deep colour": lambda: png_of(SIDE, SIDE, deep_rows(3), bits=16, colour=2, chunks=TEXTS),
    "PNG deep alpha": lambda: png_of(SIDE, SIDE, deep_rows(4), bits=16, colour=6, chunks=TEXTS),
    "PNG interlaced": lambda: png_of(SIDE, SIDE, interlaced_rows(), interlaced=1, chunks=TEXTS),
    "WEBP": lambda: encoded(picture(), "WEBP", **META, icc_profile=SRGB),
    "WEBP plain": lambda: encoded(picture(), "WEBP"),
    "WEBP lossless": lambda: encoded(picture(), "WEBP", lossless=True, **META),
    "WEBP alpha": lambda: encoded(picture("RGBA").rotate(30), "WEBP", **META),
    "AVIF": lambda: iso_photo("AVIF", **META, icc_profile=SRGB),
    "AVIF alpha": lambda: iso_photo("AVIF", picture("RGBA").rotate(30), **META),
    "AVIF grey": lambda: iso_photo("AVIF", picture("L")),
    "AVIF grid": lambda: iso_grid("AVIF", (256, 256), (256, 256), 2, 2, tiles=4),
    "HEIF": lambda: heif(picture(), **META),
    "HEIF alpha": lambda: heif(picture("RGBA").rotate(30), **META),
    "HEIF 4:4:4": lambda: heif(picture(), chroma=444),
    "HEIF grid": lambda: iso_grid("HEIF", (256, 256), (256, 256), 2, 2, tiles=4),
    "TIFF": lambda: tiff(picture()),
    "TIFF turned": lambda: encoded(picture(), "TIFF", exif=exif(5)),
    "TIFF deflate": lambda: tiff(picture(), compression="tiff_adobe_deflate"),
    "TIFF LZW": lambda: tiff(picture(), compression="tiff_lzw"),
    "TIFF packbits": lambda: tiff(picture(), compression="packbits"),
    "TIFF JPEG": lambda: tiff(picture(), compression="jpeg"),
    "TIFF fax": lambda: tiff(picture("1"), compression="group4"),
    "TIFF palette": lambda: tiff(picture().quantize(64)),
    "TIFF CMYK": lambda: tiff(picture("CMYK"), icc_profile=cmyk_profile()),
    "TIFF alpha": lambda: tiff(picture("RGBA")),
    "TIFF deep": lambda: tiff(picture("L").convert("I;16")),
    "BMP": lambda: encoded(picture(), "BMP") + MARK,
    "BMP grey": lambda: encoded(picture("L"), "BMP"),
    "BMP palette": lambda: encoded(picture().quantize(64), "BMP"),
    "BMP of a bit": lambda: encoded(picture("1"), "BMP"),
    "BMP alpha": lambda: encoded(picture("RGBA"), "BMP"),
    "BMP runs": run_lengths,
}
GOOD: dict[str, Make] = {name: cache(make) for name, make in _GOOD.items()}


# ---------------------------------------------------------------- mutations

EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x10000000)


def truncated(photo: bytes, random: Random) -> bytes:
    return photo[: random.randrange(len(photo))]


def unfinished(photo: bytes, random: Random) -> bytes:
    """As a transfer that broke off leaves it: the rest is zeros."""
    return photo[: random.randrange(len(photo))].ljust(len(photo), b"\0")


def bits_flipped(photo: bytes, random: Random, within: int | None = None) -> bytes:
    changed = bytearray(photo)
    for _ in range(random.randint(1, 16)):
        changed[random.randrange(within or len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


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
    """A file's parts as its own format divides it, the head first; as they are for a format without any."""
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
    """The format's own parts lost, doubled, in another order; a PNG's checksums made right again after a change."""
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


# ---------------------------------------------------------------- files made by hand

SIZES = {
    "zero wide": (0, SIDE),
    "zero high": (SIDE, 0),
    "zero both": (0, 0),
    "one pixel": (1, 1),
    "a little smaller than it is": (SIDE - 8, SIDE - 8),
    "half as large as it is": (SIDE // 2, SIDE // 2),
    "a little larger than it is": (SIDE + 8, SIDE + 8),
    "twice as large as it is": (SIDE * 2, SIDE * 2),
    "at the limit": (10_000, 10_000),
    "beyond the limit": (10_001, 10_000),
    "as wide as it can be": (0xFFFF, 16),
    "as high as it can be": (16, 0xFFFF),
    "sixteen bits both": (0xFFFF, 0xFFFF),
    "thirty-one bits both": (0x7FFFFFFF, 0x7FFFFFFF),
    "thirty-two bits both": (0xFFFFFFFF, 0xFFFFFFFF),
    "product beyond thirty-two bits": (0x10001, 0x10001),
}

FOREIGN = {
    "a GIF": lambda: animation("GIF"),
    "a PDF": lambda: b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n" + MARK + b"\n%%EOF\n",
    "a ZIP": lambda: b"PK\3\4" + bytes(26) + MARK + b"PK\5\6" + bytes(18),
    "a script": lambda: b"<html><script>alert('" + MARK + b"')</script></html>",
    "a program": lambda: b"\x7fELF" + bytes(60) + MARK,
    "a JPEG": lambda: encoded(picture(), "JPEG", comment=MARK),
    "a film": lambda: box(b"ftyp", b"isom", bytes(4), b"isom") + box(b"mdat", MARK * 10),
}

MAGIC = {
    "JPEG": b"\xff\xd8\xff\xe0",
    "PNG": b"\x89PNG\r\n\x1a\n",
    "WEBP": b"RIFF\xff\0\0\0WEBP",
    "AVIF": b"\0\0\0\x1cftypavif",
    "HEIF": b"\0\0\0\x1cftypheic",
    "TIFF": b"II*\0",
    "BMP": b"BM",
}

EXIFS: dict[str, Make] = {
    "that goes in circles": lambda: exif_of(entry(0x8769, 4, 1, 8), entry(0x8825, 4, 1, 8), following=8),
    "of a directory in itself": lambda: exif_of(entry(0x8769, 4, 1, 8), entry(0xA005, 4, 1, 8)),
    "whose tags are larger than it": lambda: exif_of(
        *(entry(0x010E, kind, 0xFFFFFFFF, 8) for kind in range(1, 14)), entry(0x0112, 3, 1, 6 << 16)
    ),
    "whose tags all hold all of it": lambda: exif_of(
        *(entry(number, 7, 60_000, 8) for number in range(1, 4000)), more=bytes(12_000)
    ),
    "of numbers without a denominator": lambda: exif_of(
        entry(0x011A, 5, 1, 50), entry(0x0112, 5, 1, 50), more=bytes(60)
    ),
    "turned by nought": lambda: exif_of(entry(0x0112, 3, 1, 0)),
    "turned by nine": lambda: exif_of(entry(0x0112, 3, 1, 9 << 16)),
    "turned by many": lambda: exif_of(entry(0x0112, 3, 100, 8), more=bytes(300)),
    "turned by a word": lambda: exif_of(entry(0x0112, 2, 4, 0x38000000)),
    "turned by a fraction": lambda: exif_of(entry(0x0112, 11, 1, 0x7FC00000)),
    "turned twice": lambda: exif_of(entry(0x0112, 3, 1, 6 << 16), entry(0x0112, 3, 1, 3 << 16)),
    "of kinds that there are not": lambda: exif_of(*(entry(0x0112, kind, 1, 6 << 16) for kind in range(13, 200))),
    "whose end lies beyond it": lambda: exif_of(entry(0x0112, 3, 1, 6 << 16), following=0xFFFFFFF0),
    "whose tags all hold all of its megabytes": lambda: greedy(20_000_000, 5_000),
    "of one byte": lambda: b"Exif\0\0M",
    "of nothing": lambda: b"Exif\0\0",
    "in the other order": lambda: b"Exif\0\0II*\0" + struct.pack("<IHHHII", 8, 0xFFFF, 0x0112, 3, 1, 6),
    "that is a BigTIFF": lambda: b"Exif\0\0MM\0+\0\x08\0\0" + struct.pack(">QQ", 16, 1 << 62) + bytes(40),
    "whose maker's note lies": lambda: exif_of(
        entry(0x8769, 4, 1, 26), more=struct.pack(">H", 1) + entry(0x927C, 7, 0xFFFFFF, 0) + b"FUJIFILM\xff\xff\xff\xff"
    ),
    "whose thumbnail lies": lambda: exif_of(
        following=14, more=struct.pack(">H", 2) + entry(0x0201, 4, 1, 0xFFFFFF00) + entry(0x0202, 4, 1, 0xFFFFFFFF)
    ),
    "whose thumbnail has one of its own": lambda: exif_of(
        following=14,
        more=struct.pack(">H", 2)
        + entry(0x0201, 4, 1, 44)
        + entry(0x0202, 4, 1, 6000)
        + bytes(4)
        + encoded(picture().resize((64, 64)), "JPEG", exif=exif(), comment=MARK),
    ),
}

PROFILES: dict[str, Make] = {
    "of one byte": lambda: b"\0",
    "of zeros": lambda: bytes(500),
    "cut off": lambda: SRGB[:140],
    "that says it is longer": lambda: patched(SRGB, 0, ">I", 0xFFFFFFFF),
    "that says it is shorter": lambda: patched(SRGB, 0, ">I", 20),
    "of four thousand million tags": lambda: patched(SRGB, 128, ">I", 0xFFFFFFFF),
    "whose tags lie beyond it": lambda: patched(SRGB, 136, ">II", 0xFFFFFFF0, 0xFFFFFFFF),
    "of other colours": cmyk_profile,
    "with a picture in it": lambda: SRGB + encoded(picture(), "JPEG", comment=MARK),
    "of eight megabytes": lambda: patched(SRGB, 0, ">I", 8_000_000).ljust(8_000_000, b"\0"),
}


def hostile_cmyk(random: Random) -> bytes:
    """A CMYK photo with a profile that was tampered with: only such photos are converted by their profile."""
    return encoded(picture("CMYK"), "JPEG", icc_profile=bits_flipped(cmyk_profile(), random))


def scans(photo: bytes, most: int = MAX_BYTES) -> bytes:
    """A progressive JPEG whose last scan is repeated as often as it fits: each is a pass over all of the picture."""
    last = photo.rindex(b"\xff\xda")
    again = photo[last:-2]
    return photo[:last] + again * min(most, (MAX_BYTES - len(photo)) // len(again)) + b"\xff\xd9"


def deflated(megabytes: int) -> bytes:
    """So many megabytes of zeros, compressed."""
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(1_000_000)) for _ in range(megabytes)) + packer.flush()


def nested(depth: int) -> bytes:
    """Boxes in boxes."""
    whole = b""
    for _ in range(depth):
        whole = box(b"meta", bytes(4), whole)
    return whole


def directories(count: int) -> bytes:
    """A TIFF of so many directories, each of which leads to the next."""
    first = grey_tiff(SIDE, SIDE, picture("L").tobytes())
    start = len(first)
    first = patched(first, 8 + 2 + 9 * 12, ">I", start)
    return first + b"".join(
        struct.pack(">H", 1) + entry(256, 4, 1, SIDE) + struct.pack(">I", start + 18 * (number + 1))
        for number in range(count)
    )


def strips(count: int) -> bytes:
    """A TIFF of 16 rows' height that says it has so many strips, all of them the same."""
    pixels = picture("L").tobytes()
    start = 8 + 2 + 9 * 12 + 4
    numbers = struct.pack(f">{count}I", *[start + 8 * count] * count)
    lengths = struct.pack(f">{count}I", *[SIDE] * count)
    tags = [(256, 4, 1, SIDE), (257, 4, 1, count), (258, 4, 1, 8), (259, 4, 1, 1), (262, 4, 1, 1)]
    tags += [(273, 4, count, start), (277, 4, 1, 1), (278, 4, 1, 1), (279, 4, count, start + 4 * count)]
    return tiff_of(tags, numbers + lengths + pixels)


def tiff_tile(side: int) -> bytes:
    """A small TIFF in one tile of this many pixels a side, most of which lie beyond the picture."""
    packed = deflated(side * side // 1_000_000)
    tags = {256: SIDE, 257: SIDE, 258: 8, 259: 8, 262: 1, 277: 1, 322: side, 323: side, 324: 0, 325: len(packed)}
    tags[324] = 8 + 2 + 12 * len(tags) + 4
    return tiff_of([(tag, 4, 1, tags[tag]) for tag in sorted(tags)], packed)


def fctl(width: int, height: int) -> bytes:
    """The control chunk of a frame of an animated PNG."""
    return chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, width, height, 0, 0, 1, 1, 0, 0))


def flat(format_: str, side: int, mode: str = "L", **options: object) -> bytes:
    """A square of one colour, small however many pixels it has."""
    return encoded(Image.new(mode, (side, side)), format_, **options)


def whole_photo(format_: str) -> bytes:
    return GOOD[format_]()


def hand_made() -> Iterator[tuple[str, Make]]:
    """All files made by hand, by name."""
    yield "any: empty", lambda: b""
    yield "any: one byte", lambda: b"\xff"
    yield "any: zeros", lambda: bytes(1000)
    yield "any: noise", lambda: Random(1).randbytes(5000)
    yield "any: too many bytes", lambda: whole_photo("JPEG").ljust(MAX_BYTES + 1, b"\0")
    for name, make in FOREIGN.items():
        if name != "a JPEG":
            yield f"any: {name}", make
    for format_ in FORMATS:
        for name, make in _in_every_format(format_):
            yield f"{format_}: {name}", make
    for format_, files in (
        ("JPEG", _jpegs()),
        ("PNG", _pngs()),
        ("WEBP", _webps()),
        ("AVIF", _iso("AVIF")),
        ("HEIF", _iso("HEIF")),
        ("TIFF", _tiffs()),
        ("BMP", _bmps()),
    ):
        for name, make in files:
            yield f"{format_}: {name}", make


def _in_every_format(format_: str) -> Iterator[tuple[str, Make]]:
    yield "the signature alone", lambda: MAGIC[format_]
    yield "the signature and zeros", lambda: MAGIC[format_].ljust(2000, b"\0")
    yield "the signature and ones", lambda: MAGIC[format_].ljust(2000, b"\xff")
    yield "without its last byte", lambda: whole_photo(format_)[:-1]
    yield "without its first byte", lambda: whole_photo(format_)[1:]
    yield "its first hundred bytes", lambda: whole_photo(format_)[:100]
    yield "its first half", lambda: whole_photo(format_)[: len(whole_photo(format_)) // 2]
    yield "as large as it may be", lambda: whole_photo(format_).ljust(MAX_BYTES, b"\0")
    for name, (width, height) in SIZES.items():
        yield f"says it is {name}", lambda width=width, height=height: resized(format_, width, height)
    for other in FORMATS:
        if other != format_:
            yield (
                f"the signature before {other}",
                lambda other=other: MAGIC[format_] + whole_photo(other)[len(MAGIC[format_]) :],
            )
    for name, make in FOREIGN.items():
        yield f"before {name}", lambda make=make: whole_photo(format_) + make()
        yield f"behind {name}", lambda make=make: make() + whole_photo(format_)
    several = {"JPEG": "MPO"}.get(format_, format_)
    if format_ == "HEIF":
        yield "of several pictures", lambda: heif(picture(), of_several=True)
    elif format_ != "BMP":
        yield "of several pictures", lambda: animation(several)
    if format_ in ("JPEG", "PNG", "WEBP", "AVIF", "TIFF"):
        for name, make in EXIFS.items():
            yield f"EXIF {name}", lambda make=make: _with_exif(format_, make())
        for name, make in PROFILES.items():
            yield f"ICC profile {name}", lambda make=make: _with_profile(format_, make())


def greedy(size: int, count: int) -> bytes:
    """EXIF whose tags all claim all of it."""
    return exif_of(*(entry(tag, 7, size, 8) for tag in range(0x9000, 0x9000 + count)), more=bytes(size))


def _with_exif(format_: str, content: bytes) -> bytes:
    match format_:
        case "JPEG":
            # Decoders put its segments together.
            parts = [content[start : start + 65_000] for start in range(6, len(content), 65_000)]
            return jpeg_with(*(segment(0xE1, b"Exif\0\0" + part) for part in parts or [b""]))
        case "PNG":
            return png_with(chunk(b"eXIf", content[6:]))
        case "TIFF":
            # The directory of EXIF as that of the picture, whose tags come before.
            return b"MM\0*" + content[10:] if len(content) > 14 else content[6:]
        case _:
            # The encoders take none but what can be read: it stands in another's place.
            content = content.ljust(40, b"\0")
            place = exif_of(entry(0x0112, 3, 1, 1 << 16)).ljust(len(content), b"\0")
            return encoded(picture(), format_, exif=place).replace(place[6:], content[6:])


def _with_profile(format_: str, profile: bytes) -> bytes:
    if format_ == "JPEG":
        return jpeg_with(icc_segments(profile))
    return encoded(picture(), format_, icc_profile=profile)


def _jpegs() -> Iterator[tuple[str, Make]]:
    yield "pixels at the limit", lambda: flat("JPEG", 10_000, "RGB")
    yield "pixels at the limit, progressive", lambda: flat("JPEG", 10_000, "RGB", progressive=True, subsampling=0)
    yield "pixels at the limit, CMYK", lambda: flat("JPEG", 10_000, "CMYK", progressive=True)
    yield "pixels at the limit, turned", lambda: flat("JPEG", 10_000, "RGB", exif=exif(6))
    yield "pixels beyond the limit", lambda: flat("JPEG", 10_240)
    yield "scans without end", lambda: scans(flat("JPEG", 10_000, progressive=True))
    yield "scans without end, small", lambda: scans(flat("JPEG", 64, "RGB", progressive=True))
    yield "as many scans as are let through", lambda: scans(flat("JPEG", 8_000, progressive=True), 90)
    yield "empty segments without end", lambda: filled(b"\xff\xd8", segment(0xEF, b""), whole_photo("JPEG")[2:])
    yield "comments without end", lambda: filled(b"\xff\xd8", segment(0xFE, MARK), whole_photo("JPEG")[2:])
    yield "EXIF without end", lambda: filled(b"\xff\xd8", segment(0xE1, exif()), whole_photo("JPEG")[2:])
    yield (
        "large segments without end",
        lambda: filled(b"\xff\xd8", segment(0xE7, bytes(65_000)), whole_photo("JPEG")[2:]),
    )
    yield "fill bytes without end", lambda: filled(b"\xff\xd8", b"\xff", whole_photo("JPEG")[2:])
    yield "tables without end", lambda: filled(b"\xff\xd8", segment(0xDB, b"\0" + b"\1" * 64), whole_photo("JPEG")[2:])
    yield "restarts without end", lambda: filled(whole_photo("JPEG restarts")[:-2], b"\xff\xd0", b"\xff\xd9")
    yield "pictures without end", lambda: filled(whole_photo("JPEG"), whole_photo("JPEG"))
    yield (
        "a directory of many pictures",
        lambda: jpeg_with(
            segment(0xE2, b"MPF\0MM\0*\0\0\0\x08" + struct.pack(">H", 1) + entry(0xB001, 4, 1, 0xFFFFFFFF))
        ),
    )
    yield (
        "ICC profile of a hundred parts, one missing",
        lambda: jpeg_with(icc_segments(SRGB * 1000)[: 50 * 65_018], icc_segments(SRGB * 1000)[51 * 65_018 :]),
    )
    yield "no components", lambda: b"\xff\xd8" + segment(0xC0, struct.pack(">BHHB", 8, SIDE, SIDE, 0)) + b"\xff\xd9"
    yield (
        "two components",
        lambda: (
            b"\xff\xd8"
            + segment(0xC0, struct.pack(">BHHB", 8, SIDE, SIDE, 2) + b"\1\x11\0\2\x11\0")
            + segment(0xDA, b"\2\1\0\2\0\0\x3f\0")
            + bytes(500)
            + b"\xff\xd9"
        ),
    )
    yield (
        "255 components",
        lambda: b"\xff\xd8" + segment(0xC0, struct.pack(">BHHB", 8, SIDE, SIDE, 255) + b"\1\x11\0" * 255) + bytes(500),
    )
    for factors in (0x00, 0x44, 0x14, 0x41, 0x33, 0xFF):
        yield f"sampled {factors:02x}", lambda factors=factors: _resampled(factors)
    for bits in (1, 12, 16):
        yield f"{bits} bits a sample", lambda bits=bits: _with_precision(bits)
    for frame in (0xC1, 0xC2, 0xC3, 0xC5, 0xC7, 0xC9, 0xCA, 0xCB, 0xCF):
        yield (
            f"frame {frame:02x}",
            lambda frame=frame: whole_photo("JPEG").replace(b"\xff\xc0", bytes([0xFF, frame]), 1),
        )
    for number in range(60):
        yield f"ICC profile tampered with, {number}", lambda number=number: hostile_cmyk(Random(number))


def _resampled(factors: int) -> bytes:
    photo = encoded(picture(), "JPEG")
    return patched(photo, photo.index(b"\xff\xc0") + 11, "B", factors)


def _with_precision(bits: int) -> bytes:
    photo = encoded(picture(), "JPEG")
    return patched(photo, photo.index(b"\xff\xc0") + 4, "B", bits)


def _pngs() -> Iterator[tuple[str, Make]]:
    yield "pixels at the limit", lambda: flat("PNG", 10_000, "1")
    yield "pixels at the limit, coloured", lambda: flat("PNG", 10_000, "RGB", compress_level=1)
    yield "pixels at the limit, alpha", lambda: flat("PNG", 10_000, "RGBA", compress_level=1)
    yield "pixels at the limit, deep", lambda: png_of(10_000, 10_000, bytes(10_000 * 20_001), bits=16)
    yield "pixels beyond the limit", lambda: flat("PNG", 10_001, "1")
    yield "one row of the most pixels", lambda: encoded(Image.new("1", (MAX_PIXELS // 16, 16)), "PNG")
    yield "one column of the most pixels", lambda: encoded(Image.new("1", (16, MAX_PIXELS // 16)), "PNG")
    yield "more pixels than it says", lambda: png_of(SIDE, SIDE, bytes(200_000_000))
    yield "fewer pixels than it says", lambda: png_of(SIDE, SIDE, bytes(100))
    yield "no pixels", lambda: png_of(SIDE, SIDE, b"")
    yield "empty chunks without end", lambda: filled(encoded(picture(), "PNG")[:33], chunk(b"prVt", b""), _after_head())
    yield (
        "empty texts without end",
        lambda: filled(encoded(picture(), "PNG")[:33], chunk(b"tEXt", b"k\0"), _after_head()),
    )
    yield (
        "texts without end",
        lambda: filled(encoded(picture(), "PNG")[:33], chunk(b"tEXt", b"Comment\0" + MARK * 50), _after_head()),
    )
    yield (
        "thousands of kinds of chunks",
        lambda: png_with(
            *(chunk(bytes([97 + n // 676, 97 + n // 26 % 26, 65, 97 + n % 26]), b"") for n in range(17_000))
        ),
    )
    yield "as many chunks as are let through", lambda: png_with(chunk(b"prVt", b"") * 99_000)
    yield "pixels in chunks of a byte", lambda: _in_small_chunks(1)
    yield (
        "empty chunks of pixels without end",
        lambda: filled(encoded(picture(), "PNG")[:33], chunk(b"IDAT", b""), _after_head()),
    )
    yield "chunks after its end", lambda: filled(encoded(picture(), "PNG"), chunk(b"prVt", b""))
    for name, start in ((b"zTXt", b"k\0\0"), (b"iTXt", b"k\0\1\0\0\0"), (b"iCCP", b"k\0\0")):
        yield (
            f"{name.decode()} of a gigabyte",
            lambda name=name, start=start: png_with(chunk(name, start + deflated(1000))),
        )
    for name in (b"zTXt", b"iTXt"):
        yield (
            f"a thousand {name.decode()} of a megabyte each",
            lambda name=name: png_with(
                chunk(name, (b"k\0\0" if name == b"zTXt" else b"k\0\1\0\0\0") + zlib.compress(bytes(1_000_000))) * 1000
            ),
        )
    for name in (
        b"IHDR",
        b"PLTE",
        b"tRNS",
        b"gAMA",
        b"cHRM",
        b"sRGB",
        b"cICP",
        b"iCCP",
        b"pHYs",
        b"eXIf",
        b"acTL",
        b"fcTL",
    ):
        yield f"an empty {name.decode()}", lambda name=name: png_with(chunk(name, b""))
        yield f"a large {name.decode()}", lambda name=name: png_with(chunk(name, b"\xff" * 5000))
    yield "animated without pictures", lambda: png_with(chunk(b"acTL", struct.pack(">II", 0, 0)))
    yield "animated without end", lambda: png_with(chunk(b"acTL", struct.pack(">II", 0x80000000, 0)))
    yield "animated, one picture", lambda: png_with(chunk(b"acTL", struct.pack(">II", 1, 0)), fctl(SIDE, SIDE))
    yield "animated, a larger picture", lambda: png_with(chunk(b"acTL", struct.pack(">II", 1, 0)), fctl(0xFFFF, 0xFFFF))
    yield "animated, the picture apart", lambda: png_with(chunk(b"acTL", struct.pack(">II", 1, 0)))
    for bits in (0, 3, 16, 255):
        for colour in (0, 1, 2, 3, 4, 5, 6, 255):
            yield (
                f"{bits} bits of kind {colour}",
                lambda bits=bits, colour=colour: png_of(SIDE, SIDE, deep_rows(4), bits=bits, colour=colour),
            )
    yield "a PNG in a PNG", lambda: png_with(chunk(b"prVt", whole_photo("PNG")))
    yield (
        "a palette of one",
        lambda: png_of(SIDE, SIDE, bytes(range(129)) * SIDE, colour=3, chunks=chunk(b"PLTE", b"\1\2\3")),
    )
    yield "no palette", lambda: png_of(SIDE, SIDE, bytes(129) * SIDE, colour=3)


def _after_head() -> bytes:
    return encoded(picture(), "PNG")[33:]


def _in_small_chunks(size: int) -> bytes:
    photo = encoded(picture(), "PNG")
    start = photo.index(b"IDAT")
    content = photo[start + 4 : start + 4 + int.from_bytes(photo[start - 4 : start])]
    parts = (chunk(b"IDAT", content[place : place + size]) for place in range(0, len(content), size))
    return photo[: start - 4] + b"".join(parts) + chunk(b"IEND", b"")


def _webps() -> Iterator[tuple[str, Make]]:
    yield "pixels at the limit", lambda: flat("WEBP", 10_000, "RGB", lossless=True, quality=0, method=0)
    yield "pixels beyond the limit", lambda: flat("WEBP", 10_100, "RGB", lossless=True, quality=0, method=0)
    yield "the largest lossless header", lambda: riff_of(riff_chunk(b"VP8L", b"\x2f\xff\xff\xff\x0f" + bytes(100)))
    yield (
        "the largest header",
        lambda: riff_of(riff_chunk(b"VP8 ", b"\x10\0\0\x9d\x01\x2a\xff\x3f\xff\x3f" + bytes(100))),
    )
    yield "chunks without end", lambda: webp_with(riff_chunk(b"mArk", b"") * 4_000_000)
    yield "EXIF without end", lambda: webp_with(riff_chunk(b"EXIF", exif()) * 50_000)
    yield "a WebP in a WebP", lambda: webp_with(riff_chunk(b"VP8X", whole_photo("WEBP")))
    yield (
        "an animation of one picture",
        lambda: riff_of(
            riff_chunk(b"VP8X", b"\2\0\0\0\x7f\0\0\x7f\0\0"),
            riff_chunk(b"ANIM", bytes(6)),
            riff_chunk(b"ANMF", bytes(6) + b"\x7f\0\0\x7f\0\0" + bytes(4) + encoded(picture(), "WEBP")[12:]),
        ),
    )
    yield (
        "a picture within a larger canvas",
        lambda: riff_of(
            riff_chunk(b"VP8X", b"\2\0\0\0\xff\0\0\xff\0\0"),
            riff_chunk(b"ANIM", bytes(6)),
            riff_chunk(b"ANMF", b"\x10\0\0\x10\0\0\x7f\0\0\x7f\0\0" + bytes(4) + encoded(picture(), "WEBP")[12:]),
        ),
    )
    yield "a chunk longer than the file", lambda: riff_of(b"VP8 " + b"\xff\xff\xff\xff" + bytes(100))
    yield "no pixels", lambda: riff_of(riff_chunk(b"VP8X", b"\x08\0\0\0\x7f\0\0\x7f\0\0"), riff_chunk(b"EXIF", exif()))


def _iso(format_: str) -> Iterator[tuple[str, Make]]:
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
    yield "boxes without end", lambda: filled(whole_photo(format_), box(b"free"))
    yield (
        "boxes before its own without end",
        lambda: filled(
            whole_photo(format_)[: iso_start(format_)], box(b"free"), whole_photo(format_)[iso_start(format_) :]
        ),
    )
    yield "boxes in boxes", lambda: whole_photo(format_)[: iso_start(format_)] + nested(5000)
    yield "a box without an end", lambda: whole_photo(format_)[: iso_start(format_)] + b"\0\0\0\0meta" + bytes(500)
    yield (
        "a box of all bytes there are",
        lambda: whole_photo(format_)[: iso_start(format_)] + b"\0\0\0\1meta" + b"\xff" * 8 + bytes(500),
    )
    for name in (b"pitm", b"iloc", b"iinf", b"iprp", b"ipco", b"ipma", b"ispe", b"hvcC", b"av1C", b"mdat", b"hdlr"):
        if name in whole_photo(format_):
            yield (
                f"without {name.decode()}",
                lambda name=name: whole_photo(format_).replace(name, b"free", 1),
            )
            yield (
                f"{name.decode()} of ones",
                lambda name=name: patched(
                    whole_photo(format_), whole_photo(format_).index(name) + 4, "8B", *([0xFF] * 8)
                ),
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
    return int.from_bytes(whole_photo(format_)[:4])


def _tiffs() -> Iterator[tuple[str, Make]]:
    yield "pixels at the limit", lambda: flat("TIFF", 10_000, "L", compression="tiff_adobe_deflate")
    yield "pixels at the limit, CMYK", lambda: flat("TIFF", 10_000, "CMYK", compression="tiff_adobe_deflate")
    yield "pixels at the limit, LZW", lambda: flat("TIFF", 10_000, "RGB", compression="tiff_lzw")
    yield "pixels beyond the limit", lambda: flat("TIFF", 10_001, "1", compression="group4")
    yield "directories without end", lambda: directories(1_900_000)
    yield (
        "a directory that leads to itself",
        lambda: patched(grey_tiff(SIDE, SIDE, picture("L").tobytes()), 8 + 2 + 9 * 12, ">I", 8),
    )
    yield "strips without end", lambda: strips(780_000)
    yield "a tile larger than the picture", lambda: tiff_tile(4096)
    yield "a tile much larger than the picture", lambda: tiff_tile(45_056)
    for kind in (2, 3, 4, 5, 6, 7, 8, 32773, 34661, 34712, 34925, 50000, 50001, 65535):
        yield f"compression {kind}", lambda kind=kind: grey_tiff(SIDE, SIDE, picture("L").tobytes(), t259=kind)
    for name, tag in (
        ("bits", 258),
        ("samples", 277),
        ("rows a strip", 278),
        ("strip's place", 273),
        ("strip's length", 279),
    ):
        for value in (0, 1, 64, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF):
            yield (
                f"{name} of {value}",
                lambda tag=tag, value=value: grey_tiff(SIDE, SIDE, picture("L").tobytes(), **{f"t{tag}": value}),
            )
    for kind in (*range(9), 32803, 32844, 34892, 65535):
        yield f"colours {kind}", lambda kind=kind: grey_tiff(SIDE, SIDE, picture("L").tobytes() * 4, t262=kind)
    yield "pictures beneath it", lambda: tiff_of([(256, 4, 1, SIDE), (257, 4, 1, SIDE), (330, 4, 2, 8)], bytes(500))
    yield "JPEG tables that are not", lambda: grey_tiff(SIDE, SIDE, GOOD["JPEG grey"](), t259=6, t513=8, t514=0xFFFF)
    yield "a BigTIFF", lambda: b"MM\0+\0\x08\0\0" + struct.pack(">QQ", 16, 1) + bytes(200)
    yield (
        "a tag of all bytes there are",
        lambda: tiff_of(
            [(256, 4, 1, SIDE), (257, 4, 1, SIDE), *((tag, 7, MAX_BYTES - 4_000, 8) for tag in range(40_000, 40_060))],
            bytes(MAX_BYTES - 3_000),
        ),
    )


def _bmps() -> Iterator[tuple[str, Make]]:
    yield "pixels at the limit", lambda: flat("BMP", 10_000, "1")
    yield "pixels beyond the limit", lambda: flat("BMP", 10_001, "1")
    yield "upside down", lambda: bmp_of(SIDE, -SIDE, picture().tobytes())
    yield "as far upside down as it can be", lambda: bmp_of(SIDE, -0x80000000, picture().tobytes())
    yield "less than no width", lambda: bmp_of(-SIDE, SIDE, picture().tobytes())
    yield (
        "runs at the limit",
        lambda: bmp_of(
            10_000,
            10_000,
            (b"\xff\x01" * 39 + b"\x37\x01" + b"\0\0") * 10_000 + b"\0\1",
            bits=8,
            compression=1,
            colours=256,
        ),
    )
    yield (
        "runs beyond its end",
        lambda: filled(bmp_of(SIDE, SIDE, b"", bits=8, compression=1, colours=256), b"\xff\x01", b"\0\1"),
    )
    yield "runs of nothing", lambda: filled(bmp_of(SIDE, SIDE, b"", bits=8, compression=1, colours=256), b"\0\0")
    yield "jumps", lambda: bmp_of(SIDE, SIDE, b"\0\2\xff\xff" * 100_000 + b"\0\1", bits=8, compression=1, colours=256)
    for bits in (0, 2, 4, 16, 32, 64, 0xFFFF):
        for compression in (0, 1, 2, 3, 4, 5, 6):
            yield (
                f"{bits} bits of kind {compression}",
                lambda bits=bits, compression=compression: bmp_of(
                    SIDE, SIDE, picture("RGBA").tobytes(), bits=bits, compression=compression
                ),
            )
    for size in (0, 12, 39, 64, 108, 124, 0xFFFFFFFF):
        yield f"a header of {size} bytes", lambda size=size: patched(encoded(picture(), "BMP"), 14, "<I", size)
    yield "a palette of four thousand million", lambda: patched(encoded(picture("L"), "BMP"), 46, "<I", 0xFFFFFFFF)
    yield "pixels before its header", lambda: patched(encoded(picture(), "BMP"), 10, "<I", 0)
    yield "pixels beyond its end", lambda: patched(encoded(picture(), "BMP"), 10, "<I", 0xFFFFFFFF)


HAND_MADE: dict[str, Make] = dict(hand_made())
# Those that take more than a second or two: to be made, or to be looked at.
HEAVY = {
    name
    for name in HAND_MADE
    if re.search(r"at the limit|let through|gigabyte|runs (beyond|of)|much larger than|hundred times|all bytes", name)
}
