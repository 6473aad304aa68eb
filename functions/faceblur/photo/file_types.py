"""What a file is, told by its bytes, and the sentence for what we cannot read."""

from __future__ import annotations

from itertools import islice

from faceblur.errors import UnsupportedFormat
from faceblur.photo import heif_boxes, tiff

ANIMATED = "This file holds an animation or several pictures. Please upload a single photo."
RAW = "This is a raw file of a camera. Please export it as a JPEG and upload that."
UNREAD = "This is {}, which we cannot read. Please export it as a JPEG or PNG file."
NO_PHOTO = "This is {} and no photo. Please upload a JPEG, PNG, WebP, AVIF, HEIC, TIFF or BMP file."
COMPRESSED = "This TIFF is compressed as {}, which we cannot read. Please export it as a JPEG or PNG file."

_HEIF_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1"}
_TIFFS = (b"II*\0", b"MM\0*", b"II+\0")

# Raw files that are no plain TIFFs: Olympus, Panasonic, Fujifilm, Sigma, Minolta, Canon (CRW). Canon's CR2 and Phase
# One's IIQ are TIFFs with letters of their own behind the header. ExifTool's source lists them all.
_RAW_STARTS = (b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FUJIFILMCCD-RAW", b"FOVb", b"\0MRM", b"II\x1a\0\0\0HEAPCCDR")
_BEHIND_HEADER, _RAW_BEHIND_HEADER = 8, (b"CR\2", b"IIII", b"MMMM")

# The first bytes of other files, and what the sender knows them as.
_UNREAD: dict[bytes, str] = {
    b"\xff\x0a": "a JPEG XL file",
    b"\0\0\0\x0cJXL \r\n\x87\n": "a JPEG XL file",
    b"\0\0\0\x0cjP  \r\n\x87\n": "a JPEG 2000 file",
    b"\xff\x4f\xff\x51": "a JPEG 2000 file",
    b"MM\0+": "a big-endian BigTIFF",
    b"GIF8": "a GIF file",
    b"8BPS": "a Photoshop file",
    b"gimp xcf": "a GIMP file",
    b"\x76\x2f\x31\x01": "an OpenEXR file",
    b"#?RADIANCE": "a Radiance HDR file",
    b"II\xbc\x01": "a JPEG XR file",
    b"\0\0\1\0": "an icon",
    b"<svg": "a drawing (SVG)",
}
_NO_PHOTO: dict[bytes, str] = {
    b"%PDF": "a PDF document",
    b"\x1a\x45\xdf\xa3": "a video",
    b"PK\3\4": "an archive or a document",
    b"<!DOCTYPE html": "a web page",
    b"<html": "a web page",
}
# Brands of ISO's base media format: https://mp4ra.org/registered-types/brands
_VIDEO_BRANDS = (b"isom", b"iso", b"mp4", b"avc1", b"qt  ", b"M4V", b"3gp", b"3g2", b"dash", b"mmp4", b"MSNV", b"XAVC")

# Compressions of TIFFs (https://www.awaresystems.be/imaging/tiff/tifftags/compression.html). Pillow's libtiff reads
# those of the second line.
_COMPRESSIONS = {50001: "WebP", 50002: "JPEG XL", 52546: "JPEG XL", 33003: "JPEG 2000", 33004: "JPEG 2000",
                 33005: "JPEG 2000", 34712: "JPEG 2000", 34661: "JBIG", 34887: "LERC"}  # fmt: skip
_READ_COMPRESSIONS = {1, 2, 3, 4, 5, 6, 7, 8, 32771, 32773, 32809, 32946, 34676, 34677, 34925, 50000}
_UNCOMPRESSED_OR_RLE = {0, 1, 2}  # of a BMP


def format_of(data: bytes) -> str:
    """The format's name, told by the file's first bytes; empty if we do not accept the format."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp":
        found = _brands(data)
        if found & {b"avif", b"avis"}:
            return "AVIF"
        return "HEIF" if found & _HEIF_BRANDS else ""
    if data.startswith(_TIFFS):
        return "TIFF"
    return "BMP" if data.startswith(b"BM") else ""


def accepted_format(data: bytes) -> str:
    """The format's name. Raises UnsupportedFormat, whose message says what the file is, as far as that is known."""
    format_ = format_of(data)
    if _is_raw(data, format_):
        raise UnsupportedFormat(RAW)
    match format_:
        case "TIFF":
            _check_tiff(data)
        case "HEIF" if heif_boxes.is_sequence(data):
            raise UnsupportedFormat(ANIMATED)
        case "":
            raise UnsupportedFormat(_said_of(data))
    return format_


def is_unusual_bmp(data: bytes) -> bool:
    """Whether the pixels of a BMP are laid out by masks of its own, or are those of another format."""
    return int.from_bytes(data[30:34], "little") not in _UNCOMPRESSED_OR_RLE


def _is_raw(data: bytes, format_: str) -> bool:
    if format_ == "TIFF":
        # Pixels may begin there, too, and look like these letters.
        is_named = data.startswith(_RAW_BEHIND_HEADER, _BEHIND_HEADER) and not tiff.has_pixels_at(data, _BEHIND_HEADER)
        return is_named or tiff.is_raw(data)
    return data.startswith(_RAW_STARTS) or data[4:12] == b"ftypcrx "


def _check_tiff(data: bytes) -> None:
    """Raise UnsupportedFormat if a TIFF has several pictures or is compressed in a way that is not read."""
    primary = tiff.primary_page(data)
    if primary is None:
        raise UnsupportedFormat(ANIMATED)
    for page in islice(tiff.pages(data), primary, primary + 1):
        for number in page.tags.get(tiff.COMPRESSION, [])[:1]:
            if number not in _READ_COMPRESSIONS:
                raise UnsupportedFormat(COMPRESSED.format(_COMPRESSIONS.get(number, f"kind {number}")))


def _said_of(data: bytes) -> str | None:
    """The sentence for a file of a format that we do not accept; None if we do not know it."""
    text = data[:200].lstrip(b"\xef\xbb\xbf \r\n\t")
    for known, sentence in ((_UNREAD, UNREAD), (_NO_PHOTO, NO_PHOTO)):
        for start, name in known.items():
            if data.startswith(start) or text.startswith(start):
                return sentence.format(name)
    if text.startswith(b"<?xml") and b"<svg" in data[:2000]:
        return UNREAD.format("a drawing (SVG)")
    is_video = data[4:8] == b"ftyp" and any(brand.startswith(_VIDEO_BRANDS) for brand in _brands(data))
    if is_video or data[4:8] == b"moov" or (data.startswith(b"RIFF") and data[8:12] == b"AVI "):
        return NO_PHOTO.format("a video")
    return None


def _brands(data: bytes) -> set[bytes]:
    """The major brand, and the compatible ones, which name the format if the major one is general (mif1, msf1)."""
    return {data[i : i + 4] for i in range(8, min(int.from_bytes(data[:4]), 256), 4)}
