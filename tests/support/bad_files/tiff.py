"""Good and handmade bad TIFFs."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, TiffImagePlugin

from faceblur.limits import MAX_BYTES
from tests.support.bad_files.content import (
    SIDE,
    XMP,
    cached,
    cmyk_profile,
    deflated,
    entry,
    exif,
    exif_of,
    flat,
    patched,
    picture,
)
from tests.support.bad_files.jpeg import GOOD as JPEGS
from tests.support.pictures.photos import encoded
from tests.support.privacy import MARK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.support.bad_files.content import Make


def tiff(image: Image.Image, **options: object) -> bytes:
    """A TIFF with the marker in its tags."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[270], tags[305] = MARK.decode(), MARK.decode()
    tags.tagtype[700] = 7
    tags[700] = XMP
    return encoded(image, "TIFF", tiffinfo=tags, **options)


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


# The photometric interpretation and the extra samples of each number of samples (TIFF 6.0).
DEEP = {"grey": (1, 1, ()), "colour": (3, 2, ()), "alpha": (4, 2, (2,)), "CMYK": (4, 5, ())}

DEEP_TAGS = {
    "orientation": 274, "description": 270,
    "across": TiffImagePlugin.X_RESOLUTION, "down": TiffImagePlugin.Y_RESOLUTION,
    "unit": TiffImagePlugin.RESOLUTION_UNIT, "profile": TiffImagePlugin.ICCPROFILE,
    "extra": TiffImagePlugin.EXTRASAMPLES, "photometric": TiffImagePlugin.PHOTOMETRIC_INTERPRETATION,
}  # fmt: skip
DEFLATE = 8


def deep_tiff(
    samples: np.ndarray[Any, np.dtype[np.uint16]],
    kind: str,
    order: str = "II",
    compression: int = 1,
    *,
    separate: bool = False,
    **tags: Any,
) -> bytes:
    """A TIFF of one strip, or one a plane, with 16 bits a sample, [height, width, samples].

    `tags` are named as in DEEP_TAGS.
    """
    _, photometric, extra = DEEP[kind]
    height, width, count = samples.shape
    header = order.encode() + struct.pack("<HI" if order == "II" else ">HI", 42, 8)
    planes = np.moveaxis(samples, -1, 0) if separate else [samples]
    strips = [plane.astype("<u2" if order == "II" else ">u2").tobytes() for plane in planes]
    strips = [zlib.compress(strip) if compression == DEFLATE else strip for strip in strips]
    directory = TiffImagePlugin.ImageFileDirectory_v2(header)
    directory[TiffImagePlugin.IMAGEWIDTH], directory[TiffImagePlugin.IMAGELENGTH] = width, height
    directory[TiffImagePlugin.BITSPERSAMPLE] = (16,) * count
    directory[TiffImagePlugin.COMPRESSION] = compression
    directory[TiffImagePlugin.PHOTOMETRIC_INTERPRETATION] = photometric
    directory[TiffImagePlugin.SAMPLESPERPIXEL] = count
    directory[TiffImagePlugin.ROWSPERSTRIP] = height
    directory[TiffImagePlugin.STRIPOFFSETS] = [sum(map(len, strips[:number])) for number in range(len(strips))]
    directory[TiffImagePlugin.STRIPBYTECOUNTS] = [len(strip) for strip in strips]
    directory[TiffImagePlugin.PLANAR_CONFIGURATION] = 2 if separate else 1
    if extra:
        directory[TiffImagePlugin.EXTRASAMPLES] = extra
    for name, value in tags.items():
        directory[DEEP_TAGS[name]] = value
    return header + directory.tobytes(8) + b"".join(strips)


def deep(kind: str, mode: str) -> bytes:
    """The picture with 16 bits a sample, and with the marker in its tags."""
    samples = np.atleast_3d(np.asarray(picture(mode), np.uint16)) * 257
    return deep_tiff(samples, kind, compression=DEFLATE, description=MARK.decode())


GOOD: dict[str, Make] = cached(
    {
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
        "TIFF deep colour": lambda: deep("colour", "RGB"),
        "TIFF deep alpha": lambda: deep("alpha", "RGBA"),
        "TIFF deep CMYK": lambda: deep("CMYK", "CMYK"),
    }
)


def tiffs() -> Iterator[tuple[str, Make]]:
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
    yield "tens of thousands of strips", lambda: strips(78_000)
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
    yield (
        "JPEG tables that are not",
        lambda: grey_tiff(SIDE, SIDE, JPEGS["JPEG grey"](), t259=6, t513=8, t514=0xFFFF),
    )
    yield "a BigTIFF", lambda: b"MM\0+\0\x08\0\0" + struct.pack(">QQ", 16, 1) + bytes(200)
    yield (
        "a tag of all bytes there are",
        lambda: tiff_of(
            [(256, 4, 1, SIDE), (257, 4, 1, SIDE), *((tag, 7, MAX_BYTES - 4_000, 8) for tag in range(40_000, 40_060))],
            bytes(MAX_BYTES - 3_000),
        ),
    )


def directories(count: int) -> bytes:
    """A TIFF with this many directories in a chain."""
    first = grey_tiff(SIDE, SIDE, picture("L").tobytes())
    start = len(first)
    first = patched(first, 8 + 2 + 9 * 12, ">I", start)
    return first + b"".join(
        struct.pack(">H", 1) + entry(256, 4, 1, SIDE) + struct.pack(">I", start + 18 * (number + 1))
        for number in range(count)
    )


def strips(count: int) -> bytes:
    """A TIFF of 16 rows that claims this many strips, all at the same place."""
    pixels = picture("L").tobytes()
    start = 8 + 2 + 9 * 12 + 4
    numbers = struct.pack(f">{count}I", *[start + 8 * count] * count)
    lengths = struct.pack(f">{count}I", *[SIDE] * count)
    tags = [(256, 4, 1, SIDE), (257, 4, 1, count), (258, 4, 1, 8), (259, 4, 1, 1), (262, 4, 1, 1)]
    tags += [(273, 4, count, start), (277, 4, 1, 1), (278, 4, 1, 1), (279, 4, count, start + 4 * count)]
    return tiff_of(tags, numbers + lengths + pixels)


def tiff_tile(side: int) -> bytes:
    """A small TIFF in one tile of this many pixels a side. Most of the tile lies outside the picture."""
    packed = deflated(side * side // 1_000_000)
    tags = {256: SIDE, 257: SIDE, 258: 8, 259: 8, 262: 1, 277: 1, 322: side, 323: side, 324: 0, 325: len(packed)}
    tags[324] = 8 + 2 + 12 * len(tags) + 4
    return tiff_of([(tag, 4, 1, tags[tag]) for tag in sorted(tags)], packed)
