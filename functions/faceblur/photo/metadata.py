"""The data of a photo's file beside its picture: the ICC profile, which is kept, and the names of what is stripped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from PIL import ExifTags, Image, JpegImagePlugin, TiffImagePlugin, TiffTags

from faceblur.photo import decode, heif_boxes, jpeg, png, tiff
from faceblur.photo.structure import riff_chunks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL import ImageFile

APPENDED = "appended data"
FURTHER = "further pictures"
C2PA = "C2PA"
GAIN_MAP = "gain map"
MOTION = "motion video"

# Keys that Pillow's plugins put into an image's `info`, for any format.
_INFO = {
    "exif": "EXIF",
    "xmp": "XMP",
    png.XMP: "XMP",
    "comment": "comment",
    "photoshop": "IPTC",
    "thumbnails": "thumbnail",
    "depth_images": "depth map",
}
_JPEG_SEGMENTS = (
    ("APP0", b"JFIF\0", None),
    ("APP14", b"Adobe", None),
    ("APP2", b"ICC_PROFILE\0", None),
    ("APP1", b"Exif\0\0", "EXIF"),
    ("APP1", b"http://ns.adobe.com/xap/1.0/\0", "XMP"),
    ("APP1", b"http://ns.adobe.com/xmp/extension/\0", "XMP"),
    ("APP2", b"MPF\0", FURTHER),
    ("APP13", b"Photoshop 3.0\0", "IPTC"),
    ("COM", b"", "comment"),
)
# Adobe and Apple name the namespaces of gain maps in the XMP of one of the pictures, ISO 21496-1 in a segment.
_GAIN_MAPS = (b"ns.adobe.com/hdr-gain-map/", b"ns.apple.com/HDRGainMap/", b"urn:iso:std:iso:ts:21496:-1")
# A motion photo of Google says so in its XMP, one of Samsung in its last bytes. The video has a header of its own.
_MOTION = (b"MotionPhoto", b"MicroVideo")
_VIDEO = re.compile(rb"\0\0\0.ftyp(isom|iso\d|mp4|qt  |avc1|3gp|M4V)", re.DOTALL)
# In a JPEG's scans only restart markers follow FF. `bytes.find` takes a third longer.
_JPEG_END = re.compile(rb"\xff\xd9")

MOST_DENSE = 65_535  # dots per inch, the most that a JPEG can say
MOST_NAMED = 50  # a photo has a dozen kinds of metadata; each name is stored in the job's row and in its receipt
UNKNOWN = "unknown"  # the name of a chunk whose own name is unreadable

_PNG_PICTURE = {b"IHDR", b"PLTE", b"tRNS", b"IEND", b"iCCP", b"pHYs", *png.COLOUR_CHUNKS}
_PNG_CHUNKS = {
    b"eXIf": "EXIF",
    b"tEXt": "text",
    b"zTXt": "text",
    b"iTXt": "text",
    b"tIME": "time",
    b"caBX": C2PA,
    b"": APPENDED,
}

_PNG_XMP = png.XMP.encode() + b"\0"  # a text of this name is no text, but XMP

_WEBP_PICTURE = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ICCP"}
_WEBP_CHUNKS = {b"EXIF": "EXIF", b"XMP ": "XMP"}

_TIFF_NAMES = {330: FURTHER, 52545: C2PA}  # unknown to Pillow, or named by us for what they lead to
# The TIFF tags that describe the pixels, their layout or their density (TIFF 6.0), and 34675 for the ICC profile.
TIFF_PICTURE = {
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
    """The upright image's dots per inch across and down; None if the file has none that makes sense.

    A density in a JPEG's EXIF is not used, because cameras write 72 there. Pillow invents 72 if EXIF has none, and 1
    for a TIFF that has none.
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
    info = png.info_of(data, image)
    names = {name for key, name in _INFO.items() if info.get(key)}
    exif = info.get("exif")
    names.update(decode.read_exif(exif, _names_in_exif, []))
    if isinstance(exif, bytes) and tiff.has_thumbnail(exif):
        names.add("thumbnail")
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        names.update(_in_jpeg(data, image))
    elif isinstance(image, TiffImagePlugin.TiffImageFile):
        names.update(
            _TIFF_NAMES.get(tag) or TiffTags.lookup(tag).name for tag in image.tag_v2 if tag not in TIFF_PICTURE
        )
        names.update({FURTHER} if tiff.has_further_pictures(data) else ())
    elif image.format == "PNG":
        names.update(
            _PNG_CHUNKS.get(name) or _readable(name)
            for name, content in png.chunks(data)
            if name not in _PNG_PICTURE and not content.startswith(_PNG_XMP)
        )
    elif image.format == "WEBP":
        names.update(
            _WEBP_CHUNKS.get(name) or _readable(name) for name in riff_chunks(data) if name not in _WEBP_PICTURE
        )
        names.update({APPENDED} if len(data) > int.from_bytes(data[4:8], "little") + 8 else ())
    elif image.format in ("AVIF", "HEIF"):
        names.update(_in_boxes(data, image))
    return sorted(names)[:MOST_NAMED]


def _readable(chunk: bytes) -> str:
    """The name of a chunk, if it is one."""
    name = chunk.strip(b" ")
    return name.decode() if name.isalnum() else UNKNOWN


def _in_boxes(data: bytes, image: ImageFile.ImageFile) -> set[str]:
    """The names of what an AVIF or HEIC holds beside the primary picture and EXIF."""
    names = heif_boxes.names(data)
    kinds = image.info.get("aux") or {}
    if getattr(image, "n_frames", 1) > 1 or any("gainmap" not in kind for kind in kinds):
        names.add(FURTHER)
    return names


def _names_in_exif(tags: Image.Exif) -> list[str]:
    return ["GPS"] if ExifTags.IFD.GPSInfo in tags else []


def _in_jpeg(data: bytes, image: JpegImagePlugin.JpegImageFile) -> Iterator[str]:
    for segment, content in image.applist:
        yield from _of_segment(segment, content)
    end = _JPEG_END.search(data, image.fp.tell()) if image.fp else None
    if end and end.end() < len(data):
        yield APPENDED
        rest = data[end.end() :]
        if any(sign in rest for sign in _GAIN_MAPS):
            yield GAIN_MAP
        if _VIDEO.search(rest):
            yield MOTION


def _of_segment(segment: str, content: bytes) -> Iterator[str]:
    """The names of what a segment of a JPEG holds."""
    if segment in ("APP1", "APP2") and any(sign in content for sign in _GAIN_MAPS):
        yield GAIN_MAP
    if segment == "APP1" and any(sign in content for sign in _MOTION):
        yield MOTION
    if (
        segment == "APP11" and content[12:16] == b"jumb"
    ):  # a box behind "JP", two numbers and its length: C2PA 2.1, A.3.1
        yield C2PA
        return
    for known, start, name in _JPEG_SEGMENTS:
        if segment == known and content.startswith(start):
            if name:
                yield name
            return
    yield segment
