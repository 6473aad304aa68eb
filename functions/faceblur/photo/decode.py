"""Open photos safely: limits before decoding, upright pixels, one error for whatever a decoder raises."""

from __future__ import annotations

import struct
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    ExifTags,
    Image,
    ImageFile,
    ImageStat,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from faceblur.errors import CorruptImage, FaceblurError, ImageTooLarge, ImageTooSmall, UnsupportedFormat
from faceblur.limits import MAX_BYTES, MAX_PIXELS, MAX_RATIO, MIN_SIDE
from faceblur.photo.structure import check_structure
from faceblur.photo.tiff import claims_too_much

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Pillow's own guard would warn at 89 megapixels already; ours speaks before any pixel is decoded.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS

EMPTY = "This file is empty. Please upload the photo again."
ANIMATED = "This file holds an animation or several pictures. Please upload a single photo."
STRIP = "This picture is far longer in one direction than in the other. Please cut it into parts and upload those."
UNUSUAL = "The pixels of this photo are of an unusual kind. Please export it as a JPEG or PNG file."

# Scientific pixels (32 bits, floating point, LAB) are none that a face can be hidden in without a guess.
MODES = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "I;16", "I;16L", "I;16B"}

PLAIN = 16  # of 255 levels: colours that differ by no more show no face

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
class Header:
    """What a file's header says: the format's name, pixels of the upright image, EXIF orientation 1…8."""

    format: str
    width: int
    height: int
    orientation: int


def inspect(data: bytes) -> Header:
    """Read the header alone. Raises UnsupportedFormat, CorruptImage, ImageTooLarge or ImageTooSmall."""
    with open_image(data) as image:
        return header(image)


def load_for_detection(data: bytes, long_side: int | None) -> Image.Image:
    """Decode to upright RGB; what transparency hides is shown, since anybody can take the transparency away.

    Where the colours show nothing, and the transparency draws the picture, that is shown.

    A JPEG is decoded no larger than needed for a longer side of `long_side` pixels: the result has at
    least that, or the photo's own size; None decodes it in full. Raises the errors of `inspect`.
    """
    with open_image(data) as image:
        orientation = header(image).orientation
        if long_side is not None and max(image.size) > long_side:
            share = long_side / max(image.size)
            image.draft(None, (max(round(image.width * share), 1), max(round(image.height * share), 1)))
        with decoding():
            image.load()
            colours = to_rgb(without_alpha(image))
            if image.has_transparency_data and is_plain(colours):
                light = ImageStat.Stat(colours.convert("L")).mean[0] > 127
                colours = to_rgb(image, background="black" if light else "white")
            return turn_upright(colours, orientation)


def open_image(data: bytes) -> ImageFile.ImageFile:
    """Open within the limits, without decoding. Raises the errors of `inspect`."""
    if not data:
        raise CorruptImage(EMPTY)
    if len(data) > MAX_BYTES:
        raise ImageTooLarge
    format_ = format_of(data)
    opener = _OPENERS.get(format_)
    if opener is None:
        raise UnsupportedFormat
    check_structure(data, format_)
    with decoding():
        image = opener(BytesIO(data))
        several = getattr(image, "is_animated", False) or ExifTags.Base.SubIFDs in getattr(image, "tag_v2", ())
    if several:
        raise UnsupportedFormat(ANIMATED)
    if image.width * image.height > MAX_PIXELS:
        raise ImageTooLarge
    if min(image.size) < MIN_SIDE:
        raise ImageTooSmall
    if max(image.size) > MAX_RATIO * min(image.size):
        raise UnsupportedFormat(STRIP)
    if image.mode not in MODES:
        raise UnsupportedFormat(UNUSUAL)
    return image


def format_of(data: bytes) -> str:
    """The format's name by the file's first bytes; empty if it is none that is taken."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp":
        # The major brand comes first; of the general ones (mif1, msf1) the compatible brands tell more.
        brands = {data[i : i + 4] for i in range(8, min(int.from_bytes(data[:4]), 256), 4)}
        if brands & {b"avif", b"avis"}:
            return "AVIF"
        return "HEIF" if brands & {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1"} else ""
    if data.startswith((b"II*\0", b"MM\0*")):
        return "TIFF"
    return "BMP" if data.startswith(b"BM") else ""


def header(image: ImageFile.ImageFile) -> Header:
    """The header of an opened image."""
    orientation = _orientation(image.info.get("exif", b""))
    width, height = image.size if orientation < 5 else image.size[::-1]
    return Header(image.format or "", width, height, orientation)


def turn_upright(image: Image.Image, orientation: int) -> Image.Image:
    """The image as EXIF orientation 1…8 means it to be seen."""
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def to_rgb(image: Image.Image, background: str = "white") -> Image.Image:
    """Eight-bit RGB of an image of any mode; what is transparent shows `background`."""
    if image.mode.startswith("I;16"):
        return eight_bits(image).convert("RGB")
    if image.has_transparency_data:
        coloured = image.convert("RGBA")
        canvas = Image.new("RGB", image.size, background)
        canvas.paste(coloured, mask=coloured.getchannel("A"))
        return canvas
    return image.convert("RGB")


def without_alpha(image: Image.Image) -> Image.Image:
    """The image with its colours alone, also where they are transparent."""
    return image.convert("RGBA").convert("RGB") if image.has_transparency_data else image


def is_plain(image: Image.Image) -> bool:
    """Whether an RGB image is of hardly more than one colour."""
    return all(high - low <= PLAIN for low, high in ImageStat.Stat(image).extrema)


def eight_bits(image: Image.Image) -> Image.Image:
    """The upper eight bits of a grey image of sixteen."""
    return image.convert("I").point(lambda level: level * (1 / 256)).convert("L")


@contextmanager
def decoding() -> Iterator[None]:
    """Turn whatever a decoder raises on hostile or damaged bytes into CorruptImage."""
    try:
        yield
    except (FaceblurError, MemoryError):
        raise
    except Exception as error:
        raise CorruptImage from error


def _open_heif(file: BytesIO) -> ImageFile.ImageFile:
    # Seldom needed, and its import takes a while.
    from pi_heif.as_plugin import HeifImageFile  # type: ignore[import-untyped]

    image: ImageFile.ImageFile = HeifImageFile(file)
    return image


# The plugins are called directly. JPEG's then sees, of a file with several pictures (MPO), the primary one alone,
# which is the photo; the others are its previews, depth maps and second eyes.
_OPENERS: dict[str, Callable[[BytesIO], ImageFile.ImageFile]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
    "HEIF": _open_heif,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
}


def _orientation(exif: object) -> int:
    """The orientation tag, 1…8; what cannot be read says nothing about it."""
    if not isinstance(exif, bytes) or claims_too_much(exif):
        return 1
    tags = Image.Exif()
    try:
        tags.load(exif)
        value = tags.get(ExifTags.Base.Orientation)
    except (SyntaxError, ValueError, TypeError, LookupError, OSError, UserWarning, struct.error):
        return 1
    return value if value in _UPRIGHT else 1
