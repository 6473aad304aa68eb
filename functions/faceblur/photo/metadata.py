"""What a photo's file holds beside its picture: the ICC profile, which stays, and names for all that goes."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Any

from PIL import ExifTags, Image, JpegImagePlugin, TiffImagePlugin, TiffTags

from faceblur.photo import png
from faceblur.photo.tiff import claims_too_much

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL import ImageFile

APPENDED = "appended data"

# What Pillow's plugins put into an image's `info`, by any format.
_INFO = {
    "exif": "EXIF",
    "xmp": "XMP",
    "comment": "comment",
    "photoshop": "IPTC",
    "thumbnails": "thumbnail",
    "depth_images": "depth map",
    "aux": "further pictures",
}
_JPEG_SEGMENTS = (
    ("APP0", b"JFIF\0", None),
    ("APP14", b"Adobe", None),
    ("APP2", b"ICC_PROFILE\0", None),
    ("APP1", b"Exif\0\0", "EXIF"),
    ("APP1", b"http://ns.adobe.com/xap/1.0/\0", "XMP"),
    ("APP1", b"http://ns.adobe.com/xmp/extension/\0", "XMP"),
    ("APP2", b"MPF\0", "further pictures"),
    ("APP13", b"Photoshop 3.0\0", "IPTC"),
    ("COM", b"", "comment"),
)
# In a JPEG's scans no other marker than those for a restart follows FF. `find` takes a third longer.
_JPEG_END = re.compile(rb"\xff\xd9")

MOST_NAMED = 50  # a photo loses a dozen kinds of things; each name goes into the job's row, its receipt and its answer
UNKNOWN = "unknown"  # what has no name that can be read

_PNG_PICTURE = {b"IHDR", b"PLTE", b"tRNS", b"IEND", b"iCCP", *png.COLOUR_CHUNKS}
_PNG_CHUNKS = {b"eXIf": "EXIF", b"tEXt": "text", b"zTXt": "text", b"iTXt": "text", b"tIME": "time", b"": APPENDED}

# The TIFF tags that describe the pixels or how they are laid out, by number: TIFF 6.0, and 34675 for ICC.
_TIFF_PICTURE = {
    *range(254, 260), 262, 263, 266, 273, 274, 277, 278, 279, 280, 281, 284, 317, 318, 319, 320, *range(321, 326),
    338, 339, 347, *range(529, 533), 34675,
}  # fmt: skip


def icc_profile(image: ImageFile.ImageFile) -> bytes | None:
    """The image's ICC profile, without what may follow it; None if it is none, or not one for such colours.

    Size, colour space and signature are at bytes 0, 16 and 36 (ICC.1:2022, 7.2).
    """
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or profile[36:40] != b"acsp":
        return None
    return profile[: int.from_bytes(profile[:4])] if profile[16:20] == colour_space(image.mode) else None


def colour_space(mode: str) -> bytes:
    """The ICC signature of the colours that an image of this mode holds."""
    if mode in ("1", "L", "LA") or mode.startswith("I;16"):
        return b"GRAY"
    return b"CMYK" if mode == "CMYK" else b"RGB "


def stripped(data: bytes, image: ImageFile.ImageFile) -> list[str]:
    """The names of what the file holds beside its picture and will lose; the image is opened, but not decoded."""
    names = {name for key, name in _INFO.items() if image.info.get(key)}
    names.update(_in_exif(image.info.get("exif")))
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        names.update(_in_jpeg(data, image))
    elif isinstance(image, TiffImagePlugin.TiffImageFile):
        names.update(TiffTags.lookup(tag).name for tag in image.tag_v2 if tag not in _TIFF_PICTURE)
    elif image.format == "PNG":
        names.update(
            _PNG_CHUNKS.get(name, name.decode() if name.isalpha() else UNKNOWN)
            for name, _ in png.chunks(data)
            if name not in _PNG_PICTURE
        )
    elif image.format == "WEBP" and len(data) > int.from_bytes(data[4:8], "little") + 8:
        names.add(APPENDED)
    return sorted(names)[:MOST_NAMED]


def exif_tags(exif: Any) -> Image.Exif:
    """The tags of an EXIF block; none if it cannot be read."""
    tags = Image.Exif()
    # Pillow gives a PNG's text of that name as it is.
    if not isinstance(exif, bytes) or claims_too_much(exif):
        return tags
    try:
        tags.load(exif)
        tags.get_ifd(ExifTags.IFD.IFD1)
    except (SyntaxError, ValueError, TypeError, LookupError, OSError, UserWarning, struct.error):
        return Image.Exif()
    return tags


def _in_exif(exif: Any) -> Iterator[str]:
    if exif:
        tags = exif_tags(exif)
        if ExifTags.IFD.GPSInfo in tags:
            yield "GPS"
        if tags.get_ifd(ExifTags.IFD.IFD1):
            yield "thumbnail"


def _in_jpeg(data: bytes, image: JpegImagePlugin.JpegImageFile) -> Iterator[str]:
    for segment, content in image.applist:
        for known, start, name in _JPEG_SEGMENTS:
            if segment == known and content.startswith(start):
                if name:
                    yield name
                break
        else:
            yield segment
    end = _JPEG_END.search(data, image.fp.tell()) if image.fp else None
    if end and end.end() < len(data):
        yield APPENDED
