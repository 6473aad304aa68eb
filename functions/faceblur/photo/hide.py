"""Hides the faces of a photo for good, and changes nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from faceblur.photo import codecs, decode, metadata

if TYPE_CHECKING:
    from collections.abc import Sequence

    from faceblur.limits import OutputFormat
    from faceblur.photo.styles import Region

# Formats that are read but not written.
WRITTEN_AS = {"HEIF": "JPEG"}
FILES = {
    "JPEG": ("jpg", "image/jpeg"),
    "PNG": ("png", "image/png"),
    "WEBP": ("webp", "image/webp"),
    "AVIF": ("avif", "image/avif"),
    "TIFF": ("tif", "image/tiff"),
    "BMP": ("bmp", "image/bmp"),
}


@dataclass(frozen=True, slots=True)
class HiddenPhoto:
    """A photo with hidden faces: the file, its extension and type, its upright size in pixels, and what it has lost."""

    data: bytes
    extension: str
    content_type: str
    width: int
    height: int
    stripped: list[str]


def hide_faces(data: bytes, regions: Sequence[Region], output: OutputFormat = "same") -> HiddenPhoto:
    """Hide the regions, turn the photo upright, and leave out everything but the picture, its colours and density.

    `output` is the format to write: the photo's own or another one. Raises the errors of `decode.inspect`.
    """
    picture, format_, stripped = _opened(data, output, to_paint=bool(regions))
    picture.paint(regions)
    extension, content_type = FILES[format_]
    return HiddenPhoto(picture.encode(), extension, content_type, *picture.size, stripped)


def _opened(data: bytes, output: OutputFormat, *, to_paint: bool) -> tuple[codecs.Picture, str, list[str]]:
    """The decoded photo, the format to write, and the names of what will be left out."""
    with decode.open_image(data) as image:
        name = image.format or ""
        format_ = WRITTEN_AS.get(name, name) if output == "same" else output.upper()
        with decode.decoding():
            stripped = metadata.stripped(data, image) + codecs.lost(data, image, format_)
        return codecs.read_picture(data, image, format_, to_paint=to_paint), format_, sorted(stripped)
