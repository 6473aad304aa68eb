"""Opens photos safely: limits before decoding, upright pixels, and one error for all errors of decoders."""

from __future__ import annotations

import struct
import warnings
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from typing import TYPE_CHECKING, TypeVar

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    ExifTags,
    Image,
    ImageFile,
    ImageStat,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

from faceblur.errors import CorruptImage, FaceblurError, ImageTooLarge, ImageTooSmall, UnsupportedFormat
from faceblur.geometry import Rectangle
from faceblur.limits import MAX_PIXELS, MAX_RATIO, MAX_RESULT_BYTES, MIN_SIDE
from faceblur.photo import colours, file_types, heif_boxes, tiff
from faceblur.photo.structure import (
    check_structure,
    jpeg_frame,
    jpeg_scans,
    png_chunks,
    without_greedy_tags,
)
from faceblur.photo.tiff_reader import TiffFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

# Pillow's own limit would warn at 89 megapixels. Our check comes before any pixel is decoded.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS

EMPTY = "This file is empty. Please upload the photo again."
STRIP = "This picture is far longer in one direction than in the other. Please cut it into parts and upload those."
TOO_MANY_PIXELS = (
    f"This photo has more than {MAX_PIXELS // 1_000_000} megapixels. Please reduce it and upload it again."
)
UNUSUAL = "The pixels of this photo are of an unusual kind. Please export it as a JPEG or PNG file."

# Scientific pixels (32 bits, floating point, LAB) are refused: we would have to guess how to show them.
MODES = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "I;16", "I;16L", "I;16B"}

# What fills up a photo whose pixels are missing. The other formats have decoders that cannot go on.
_TOLERANT = {"JPEG", "PNG", "TIFF", "BMP"}
TRUNCATED = "truncated"  # the key in a picture's `info` that says that pixels are missing
_DEEP_JPEG = {12, 16}  # bits a sample that a JPEG may have beside 8 (ITU-T T.81, table B.2)
_END = b"\xff\xd9"  # of a JPEG
_LEFT_OUT = bytes(4)  # the zeros that an arithmetic encoder may leave out at the end (ITU-T T.81, D.1.8)
_MIDDLE = 128

_WITH_ALPHA = {"LA", "RGBA"}
_UPPER_BITS = [level >> 8 for level in range(1 << 16)]

_AT_ONCE = 1 << 20  # pixels of which a checksum is taken at a time

PLAIN = 16  # of 255 levels: a picture whose colours differ by no more shows no face

_BY_EXIF = "original_orientation"  # where HEIF's plugin puts the orientation that it takes out of EXIF

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
    """A photo's header: the format's name, the size of the upright image in pixels, and the EXIF orientation 1…8.

    `is_plain` says whether every decoder shows the picture that we show; only `inspect` tells that.
    """

    format: str
    width: int
    height: int
    orientation: int
    is_plain: bool = False

    @property
    def ratio(self) -> float:
        """Width by height."""
        return self.width / self.height


def inspect(data: bytes) -> Header:
    """Read only the header. Raises UnsupportedFormat, CorruptImage, ImageTooLarge or ImageTooSmall."""
    with tolerating_damage(), open_image(data) as image:
        return replace(header(image), is_plain=_shows_alike(data, image))


def _shows_alike(data: bytes, image: ImageFile.ImageFile) -> bool:
    """Whether every decoder shows an opened photo as we do, and turns it as we do if it reads EXIF.

    High dynamic range and transparency are shown in several ways. Other decoders may take an orientation from EXIF that
    we do not trust or cannot read. If there are several blocks of EXIF, they may use another one.
    """
    code = colours.code_of(data, image)
    # Pillow asserts that a palette is there, which a damaged file may lack.
    has_palette = image.mode not in {"P", "PA"} or image.palette is not None
    if (code and code.is_hdr) or not has_palette or image.has_transparency_data:
        return False
    if without_greedy_tags(data, image.format or "") is not data:
        return False
    exif = image.info.get("exif")
    if exif is None:
        return True
    segments = [*getattr(image, "applist", ())]
    if sum(segment == "APP1" and content.startswith(b"Exif\0\0") for segment, content in segments) > 1:
        return False
    if not isinstance(exif, bytes) or tiff.claims_too_much(exif, beneath=True):
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # of tags that are cut off
        return read_exif(exif, lambda tags: tags.get(ExifTags.Base.Orientation, 1) in (1, *_UPRIGHT), otherwise=False)


def load_for_detection(data: bytes, long_side: int | None) -> Image.Image:
    """What `load` gives. If pixels are missing in the photo, the picture's `info` has the key TRUNCATED.

    To know that, a damaged JPEG or one of several scans is decoded twice more. Raises the errors of `inspect`.
    """
    (picture, seems_cut), damaged = decoded(data, lambda: _upright_rgb(data, long_side))
    if (damaged or seems_cut) and _lacks_pixels(data):
        picture.info[TRUNCATED] = True
    return picture


def load(data: bytes, long_side: int | None) -> Image.Image:
    """Decode to upright RGB.

    Transparent parts show their colours, because anybody can remove the transparency. If the colours are plain and the
    transparency draws the picture, the picture is shown on a background. High dynamic range is shown as sRGB. If pixels
    are missing, the picture is filled up.

    `long_side` allows a JPEG to be decoded at a smaller size whose longer side is still at least that many pixels; None
    decodes it at full size. Raises the errors of `inspect`.
    """
    (picture, _), _ = decoded(data, lambda: _upright_rgb(data, long_side))
    return picture


def decoded(data: bytes, decode: Callable[[], T]) -> tuple[T, bool]:
    """What `decode` makes of a photo, and whether the file is damaged.

    Raises CorruptImage if it is damaged and its missing pixels cannot be filled up.
    """
    try:
        return decode(), False
    except CorruptImage:
        if file_types.format_of(data) not in _TOLERANT:
            raise
    # This is outside of `except`, because the error's traceback keeps the pixels of the first attempt in memory.
    with tolerating_damage():
        return decode(), True


def _upright_rgb(data: bytes, long_side: int | None) -> tuple[Image.Image, bool]:
    """The upright photo as RGB, and whether it looks like a JPEG that was cut."""
    shown, orientation, seems_cut = _rgb(data, long_side)
    with decoding():
        upright = turn_upright(shown, orientation)
    upright.info = {}
    return upright, seems_cut


def _rgb(data: bytes, long_side: int | None) -> tuple[Image.Image, int, bool]:
    """The photo as it is stored, as RGB, its orientation, and whether it looks like a JPEG that was cut.

    A picture of 100 megapixels takes 400 MB.
    """
    with open_image(data) as image:
        orientation = header(image).orientation
        if long_side is not None and max(image.size) > long_side:
            share = long_side / max(image.size)
            image.draft(None, (max(round(image.width * share), 1), max(round(image.height * share), 1)))
        with decoding():
            image.load()
            seems_cut = image.format == "JPEG" and _seems_cut(data, image)
            code = colours.code_of(data, image)
            picture = colours.tone_mapped(eight_bits(image), code) if code and code.is_hdr else image
            shown = without_decoder(to_rgb(without_alpha(picture)))
            if picture.has_transparency_data and is_plain(shown):
                light = ImageStat.Stat(shown.convert("L")).mean[0] > 127
                del shown  # or there would be three pictures at a time
                shown = to_rgb(picture, background="black" if light else "white")
            return shown, orientation, seems_cut


def _seems_cut(data: bytes, image: Image.Image) -> bool:
    """Whether a decoded JPEG may have been cut and given a new end marker. Its decoder reports no error then.

    The decoder fills up missing pixels with the middle grey, so the last pixel has this level. There are two
    exceptions. If there are several scans, perhaps only detail or colour is missing. And with arithmetic coding, the
    missing pixels can have any level.
    """
    last = image.crop((image.width - 1, image.height - 1, *image.size))
    levels = (last.convert("L") if last.mode == "RGB" else last).tobytes()
    looks_missing = all(abs(level - _MIDDLE) <= 1 for level in levels)
    return looks_missing or jpeg_scans(data).number != 1 or jpeg_frame(data).is_arithmetic


def without_decoder(image: Image.Image) -> Image.Image:
    """The loaded image, as a copy if its own object would keep the decoder's memory: for WebP twice the pixels."""
    return image.copy() if isinstance(image, (WebPImagePlugin.WebPImageFile, AvifImagePlugin.AvifImageFile)) else image


def _lacks_pixels(data: bytes) -> bool:
    """Whether pixels are missing in a photo that can be decoded only by `tolerating_damage`."""
    try:
        match file_types.format_of(data):
            case "JPEG":
                # If pixels are missing, the decoder reads them from whatever comes next. Otherwise it skips that.
                scans = jpeg_scans(data)
                rest = data[: scans.end].rstrip(b"\xff") + (_LEFT_OUT if jpeg_frame(data).is_arithmetic else b"")
                one, other = (_checksum(rest + 64 * filler + _END) for filler in (b"\0", b"\xaa"))
                return not scans.complete or one != other
            case "PNG":
                # The names of the chunks without which a picture cannot be shown begin with a capital letter.
                needed = [place for name, place in png_chunks(data) if name[:1].isupper()]
                _checksum(data[:8] + b"".join(data[place.start - 8 : place.stop + 4] for place in needed))
                return False
    except CorruptImage:
        pass
    return True


def _checksum(data: bytes) -> int:
    """A checksum of a photo's pixels. Raises CorruptImage if one is missing."""
    with open_image(data) as image, decoding():
        image.load()
        total = 0
        for strip in Rectangle(0, 0, *image.size).strips(_AT_ONCE):
            total = zlib.crc32(image.crop(strip).tobytes(), total)
        return total


@contextmanager
def tolerating_damage() -> Iterator[None]:
    """Let Pillow fill up what is missing, and skip what is damaged beside the pixels."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


def open_image(data: bytes) -> ImageFile.ImageFile:
    """Check the limits and open the photo without decoding it. Raises the errors of `inspect`."""
    if not data:
        raise CorruptImage(EMPTY)
    if len(data) > MAX_RESULT_BYTES:
        raise ImageTooLarge
    format_ = file_types.accepted_format(data)
    check_structure(data, format_)
    with decoding():
        image = _opened(without_greedy_tags(data, format_), format_)
        # An HEIC may hold further pictures beside the primary one, which is opened.
        animated = format_ in ("PNG", "WEBP", "AVIF") and getattr(image, "is_animated", False)
    if animated:
        raise UnsupportedFormat(file_types.ANIMATED)
    if image.width * image.height > MAX_PIXELS:
        raise ImageTooLarge(TOO_MANY_PIXELS)
    if min(image.size) < MIN_SIDE:
        raise ImageTooSmall
    if max(image.size) > MAX_RATIO * min(image.size):
        raise UnsupportedFormat(STRIP)
    if image.mode not in MODES:
        raise UnsupportedFormat(UNUSUAL)
    return image


def _opened(data: bytes, format_: str) -> ImageFile.ImageFile:
    """The primary picture of the file."""
    # libjpeg's arithmetic decoder cannot wait for more bytes. It needs the end marker, and all of the file at once.
    is_arithmetic = format_ == "JPEG" and jpeg_frame(data).is_arithmetic
    file = data + _END if is_arithmetic else data
    try:
        image = _OPENERS[format_](BytesIO(file))
    except (OSError, SyntaxError) as error:
        if unusual := _said_of_unusual(data, format_):
            raise UnsupportedFormat(unusual) from error
        raise
    if is_arithmetic:
        image.decodermaxblock = len(file)  # Pillow gives the decoder so many bytes at a time, 64 KiB by default.
    if format_ == "TIFF":
        image.seek(tiff.primary_page(data) or 0)
    if isinstance(image, JpegImagePlugin.JpegImageFile) and len(image.layer) > image.layers:
        raise CorruptImage  # It has two frame headers. No decoder reads its pixels.
    return image


def _said_of_unusual(data: bytes, format_: str) -> str:
    """The sentence for a file that Pillow cannot open because it is of an unusual kind; empty if it is damaged."""
    match format_:
        case "BMP" if file_types.is_unusual_bmp(data):
            return file_types.UNREAD.format("a BMP of an unusual kind")
        case "TIFF" if tiff.has_pixels(data):
            return UNUSUAL
        case "JPEG" if jpeg_frame(data).bits in _DEEP_JPEG:
            return UNUSUAL
    return ""


def header(image: ImageFile.ImageFile) -> Header:
    """The header of an opened image."""
    orientation = _orientation(image.info.get("exif", b""))
    if image.format == "HEIF" and image.info.get(_BY_EXIF) in _UPRIGHT:
        orientation = image.info[_BY_EXIF]
    width, height = image.size if orientation < 5 else image.size[::-1]
    return Header(image.format or "", width, height, orientation)


def turn_upright(image: Image.Image, orientation: int) -> Image.Image:
    """The image turned upright, as its EXIF orientation (1…8) asks."""
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def turn_back(image: Image.Image, orientation: int) -> Image.Image:
    """The upright image turned as it was before `turn_upright`."""
    return turn_upright(image, {6: 8, 8: 6}.get(orientation, orientation))


def to_rgb(image: Image.Image, background: str = "white") -> Image.Image:
    """An image of any mode as RGB with 8 bits a sample, itself if it is that; transparent parts show the background."""
    image = eight_bits(image)
    if image.has_transparency_data:
        coloured = image if image.mode in _WITH_ALPHA else image.convert("RGBA")
        canvas = Image.new("RGB", image.size, background)
        canvas.paste(coloured, mask=coloured)
        return canvas
    return image if image.mode == "RGB" else image.convert("RGB")


def without_alpha(image: Image.Image) -> Image.Image:
    """The image without its transparency: transparent parts show their colours."""
    if image.mode in _WITH_ALPHA:
        return image.convert("RGB")
    return image.convert("RGBA").convert("RGB") if image.has_transparency_data else image


def is_plain(image: Image.Image) -> bool:
    """Whether an RGB image has hardly more than one colour."""
    return all(high - low <= PLAIN for low, high in ImageStat.Stat(image).extrema)


def eight_bits(image: Image.Image) -> Image.Image:
    """The upper eight bits of a grey image with 16 bits a sample; any other image as it is."""
    if not image.mode.startswith("I;16"):
        return image
    return image.convert("I").point(_UPPER_BITS, "L")


@contextmanager
def decoding() -> Iterator[None]:
    """Raise CorruptImage for every error that a decoder raises on hostile or damaged bytes."""
    try:
        yield
    except (FaceblurError, MemoryError):
        raise
    except Exception as error:
        raise CorruptImage from error


def _open_heif(file: BytesIO) -> ImageFile.ImageFile:
    # Imported on use: it is seldom needed and slow to import.
    from pi_heif.as_plugin import HeifImageFile  # type: ignore[import-untyped]

    class PrimaryPicture(HeifImageFile):  # type: ignore[misc]
        # While a file is taken for an animation, the plugin decodes it again at each use, over what was painted.
        is_animated = False

    image: ImageFile.ImageFile = PrimaryPicture(file)
    # The decoder turns a picture as its properties say, and takes the turn out of EXIF, which repeats it. Some software
    # writes it into EXIF alone. The standard would not turn such a photo (ISO/IEC 23008-12, 6.5.10), but it was taken
    # so, and a face that lies on its side is found less often.
    if any(name in (b"irot", b"imir") for name, _ in heif_boxes.properties(file.getvalue())):
        image.info[_BY_EXIF] = None
    return image


# The plugins are called directly. JPEG's plugin then reads only the primary picture of a file with several (MPO). It is
# the photo; the others are its previews, depth maps and stereo views.
_OPENERS: dict[str, Callable[[BytesIO], ImageFile.ImageFile]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
    "HEIF": _open_heif,
    "TIFF": TiffFile,
    "BMP": BmpImagePlugin.BmpImageFile,
}


def _orientation(exif: object) -> int:
    """The orientation tag (1…8); 1 if it is missing or unreadable."""
    value = read_exif(exif, lambda tags: tags.get(ExifTags.Base.Orientation), None)
    return value if value in _UPRIGHT else 1


def read_exif(exif: object, read: Callable[[Image.Exif], T], otherwise: T) -> T:
    """Apply `read` to the tags of an EXIF block; gives `otherwise` if they cannot be read."""
    # Pillow may give a text of a PNG under the name of EXIF.
    if not isinstance(exif, bytes) or tiff.claims_too_much(exif):
        return otherwise
    tags = Image.Exif()
    try:
        tags.load(tiff.without_prefix(exif))
        return read(tags)
    except (SyntaxError, ValueError, TypeError, LookupError, OSError, UserWarning, struct.error):
        return otherwise
