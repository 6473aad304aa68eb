"""Open photos safely: limits before decoding, upright pixels, one error for whatever a decoder raises."""

from __future__ import annotations

import struct
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import ExifTags, Image, ImageFile, JpegImagePlugin, PngImagePlugin

from faceblur.errors import CorruptImage, FaceblurError, ImageTooLarge, ImageTooSmall, UnsupportedFormat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_BYTES = 35 * 1024 * 1024
MAX_PIXELS = 100_000_000
MIN_SIDE = 16

# Pillow's own guard would warn at 89 megapixels already; ours speaks before any pixel is decoded.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS

EMPTY = "This file is empty. Please upload the photo again."
ANIMATED = "This file holds an animation or several pictures. Please upload a single photo."

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class Format:
    """A format that is taken: how a file of it starts, and what opens it."""

    name: str
    starts: Callable[[bytes], bool]
    open: Callable[[BytesIO], ImageFile.ImageFile]


# JPEG's plugin is called directly: of a file with several pictures (MPO) it sees the primary one alone,
# which is the photo; the others are its previews, depth maps and second eyes.
FORMATS = (
    Format("JPEG", lambda head: head.startswith(b"\xff\xd8\xff"), JpegImagePlugin.JpegImageFile),
    Format("PNG", lambda head: head.startswith(b"\x89PNG\r\n\x1a\n"), PngImagePlugin.PngImageFile),
)


@dataclass(frozen=True, slots=True)
class Header:
    """What a file's header says: the format's name, pixels of the upright image, EXIF orientation 1…8."""

    format: str
    width: int
    height: int
    orientation: int


def inspect(data: bytes) -> Header:
    """Read the header alone. Raises UnsupportedFormat, CorruptImage, ImageTooLarge or ImageTooSmall."""
    with decoding(), open_image(data) as image:
        return header(image)


def load_for_detection(data: bytes, long_side: int | None) -> Image.Image:
    """Decode to upright RGB; transparency is laid over white.

    A JPEG is decoded no larger than needed for a longer side of `long_side` pixels: the result has at
    least that, or the photo's own size; None decodes it in full. Raises the errors of `inspect`.
    """
    with decoding(), open_image(data) as image:
        orientation = header(image).orientation
        if long_side is not None and max(image.size) > long_side:
            share = long_side / max(image.size)
            image.draft(None, (max(round(image.width * share), 1), max(round(image.height * share), 1)))
        return turn_upright(to_rgb(image), orientation)


def open_image(data: bytes) -> ImageFile.ImageFile:
    """Open within the limits, without decoding. Raises the errors of `inspect`."""
    if not data:
        raise CorruptImage(EMPTY)
    if len(data) > MAX_BYTES:
        raise ImageTooLarge
    format_ = next((each for each in FORMATS if each.starts(data[:32])), None)
    if format_ is None:
        raise UnsupportedFormat
    with decoding():
        image = format_.open(BytesIO(data))
    if image.width * image.height > MAX_PIXELS:
        raise ImageTooLarge
    if min(image.size) < MIN_SIDE:
        raise ImageTooSmall
    if getattr(image, "n_frames", 1) > 1:
        raise UnsupportedFormat(ANIMATED)
    return image


def turn_upright(image: Image.Image, orientation: int) -> Image.Image:
    """The image as EXIF orientation 1…8 means it to be seen."""
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def to_rgb(image: Image.Image, background: str = "white") -> Image.Image:
    """Eight-bit RGB of an image of any mode; what is transparent shows `background`."""
    if image.mode.startswith("I;16"):
        return image.point(lambda level: level * (1 / 256)).convert("L").convert("RGB")
    if image.has_transparency_data:
        coloured = image.convert("RGBA")
        canvas = Image.new("RGB", image.size, background)
        canvas.paste(coloured, mask=coloured.getchannel("A"))
        return canvas
    return image.convert("RGB")


def header(image: ImageFile.ImageFile) -> Header:
    """The header of an opened image."""
    orientation = _orientation(image.info.get("exif", b""))
    width, height = image.size if orientation < 5 else image.size[::-1]
    return Header(image.format or "", width, height, orientation)


def _orientation(exif: object) -> int:
    """The orientation tag, 1…8; what cannot be read says nothing about it."""
    tags = Image.Exif()
    try:
        tags.load(exif)  # type: ignore[arg-type]
        value = tags.get(ExifTags.Base.Orientation)
    except (SyntaxError, ValueError, TypeError, LookupError, OSError, UserWarning, struct.error):
        return 1
    return value if value in _UPRIGHT else 1


@contextmanager
def decoding() -> Iterator[None]:
    """Turn whatever a decoder raises on hostile or damaged bytes into CorruptImage."""
    try:
        yield
    except (FaceblurError, MemoryError):
        raise
    except Exception as error:
        raise CorruptImage from error
