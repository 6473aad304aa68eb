"""The data of a photo's file beside its picture: the ICC profile, which is kept, and the names of what is stripped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from PIL import ExifTags, Image, JpegImagePlugin, TiffImagePlugin, TiffTags

from faceblur.photo import decode, jpeg, png

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL import ImageFile

APPENDED = "appended data"

# Keys that Pillow's plugins put into an image's `info`, for any format.
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
# In a JPEG's scans only restart markers follow FF. `bytes.find` takes a third longer.
_JPEG_END = re.compile(rb"\xff\xd9")

MOST_DENSE = 65_535  # dots per inch, the most that a JPEG can say
MOST_NAMED = 50  # a photo has a dozen kinds of metadata; each name is stored in the job's row and in its receipt
UNKNOWN = "unknown"  # the name of a chunk whose own name is unreadable

_PNG_PICTURE = {b"IHDR", b"PLTE", b"tRNS", b"IEND", b"iCCP", b"pHYs", *png.COLOUR_CHUNKS}
_PNG_CHUNKS = {b"eXIf": "EXIF", b"tEXt": "text", b"zTXt": "text", b"iTXt": "text", b"tIME": "time", b"": APPENDED}

# The TIFF tags that describe the pixels, their layout or their density (TIFF 6.0), and 34675 for the ICC profile.
_TIFF_PICTURE = {
    *range(254, 260), 262, 263, 266, 273, 274, *range(277, 285), 296, *range(317, 326), 338, 339, 347,
    *range(529, 533), 34675,
}  # fmt: skip


def icc_profile(image: ImageFile.ImageFile) -> bytes | None:
    """The image's ICC profile, cut to its own size; None if it is missing, invalid or made for other colours.

    Size, colour space and signature are at bytes 0, 16 and 36 (ICC.1:2022, 7.2).
    """
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or profile[36:40] != b"acsp":
        return None
    return profile[: int.from_bytes(profile[:4])] if profile[16:20] == colour_space(image.mode) else None


def density(image: ImageFile.ImageFile, orientation: int) -> tuple[float, float] | None:
    """The upright image's dots per inch across and down; None if it says none that makes sense.

    Of a JPEG's EXIF it is not read: cameras write 72 there. Pillow makes up 72 if EXIF says none, and 1 for a TIFF.
    """
    if image.format == "JPEG" and not image.info.get("jfif_unit"):
        return None
    if isinstance(image, TiffImagePlugin.TiffImageFile) and TiffImagePlugin.X_RESOLUTION not in image.tag_v2:
        return None
    found = image.info.get("dpi")
    if not isinstance(found, tuple) or len(found) != 2:  # Pillow may give a text of a PNG under this name
        return None
    across, down = (float(each) for each in found)
    if not (1 <= across <= MOST_DENSE and 1 <= down <= MOST_DENSE):
        return None
    return (down, across) if orientation in jpeg.TURNED else (across, down)


def colour_space(mode: str) -> bytes:
    """The ICC signature of the colour space of an image of this mode."""
    if mode in ("1", "L", "LA") or mode.startswith("I;16"):
        return b"GRAY"
    return b"CMYK" if mode == "CMYK" else b"RGB "


def stripped(data: bytes, image: ImageFile.ImageFile) -> list[str]:
    """The names of the metadata that the file will lose, at most MOST_NAMED; the image is opened but not decoded."""
    names = {name for key, name in _INFO.items() if image.info.get(key)}
    names.update(decode.read_exif(image.info.get("exif"), _names_in_exif, []))
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


def _names_in_exif(tags: Image.Exif) -> list[str]:
    names = ["thumbnail"] if tags.get_ifd(ExifTags.IFD.IFD1) else []
    return [*names, "GPS"] if ExifTags.IFD.GPSInfo in tags else names


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
