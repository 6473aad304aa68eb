"""Hide the faces of a photo for good, and change nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

from PIL import Image, JpegImagePlugin

from faceblur import covers, images

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import ImageFile

    from faceblur.styles import Region

OutputFormat = Literal["same", "jpeg", "png"]


@dataclass(frozen=True, slots=True)
class HiddenPhoto:
    """A photo without faces: the file, what it is, pixels, and the names of the metadata that was left out."""

    data: bytes
    extension: str
    content_type: str
    width: int
    height: int
    stripped: list[str]


def hide_faces(data: bytes, regions: Sequence[Region], output: OutputFormat = "same") -> HiddenPhoto:
    """Hide the regions of the photo. Raises the errors of `images.inspect`."""
    with images.decoding(), images.open_image(data) as source:
        format_ = source.format or "" if output == "same" else output.upper()
        icc = source.info.get("icc_profile")
        if source.mode == "RGB" and format_ == source.format == "JPEG":
            source.draft("YCbCr", None)
        header = images.header(source)
        stripped = dropped(source)
        picture = images.turn_upright(paintable(source), header.orientation)
    covers.cover(picture, regions)
    if format_ == "JPEG" and picture.mode not in ("L", "CMYK", "YCbCr"):
        picture = images.to_rgb(picture)
    file = BytesIO()
    picture.info = {}
    picture.save(file, format_, icc_profile=icc, **_options(source, format_))
    extension, kind = {"JPEG": ("jpg", "image/jpeg"), "PNG": ("png", "image/png")}[format_]
    return HiddenPhoto(file.getvalue(), extension, kind, *picture.size, stripped)


def paintable(source: ImageFile.ImageFile) -> Image.Image:
    """The decoded image in a mode that can be painted on."""
    source.load()
    if source.mode == "I;16":
        return source.point(lambda level: level * (1 / 256)).convert("L")
    if source.mode in ("1", "P", "PA") or "transparency" in source.info:
        grey = source.mode in ("1", "L")
        if source.has_transparency_data:
            return source.convert("LA" if grey else "RGBA")
        return source.convert("L" if grey else "RGB")
    return source


def dropped(source: ImageFile.ImageFile) -> list[str]:
    """The names of the metadata that the file holds."""
    names = {"exif": "EXIF", "xmp": "XMP", "photoshop": "IPTC", "comment": "comment", "mp": "MPF"}
    return [name for key, name in names.items() if key in source.info]


def _options(source: ImageFile.ImageFile, format_: str) -> dict[str, Any]:
    if format_ != "JPEG":
        return {}
    if isinstance(source, JpegImagePlugin.JpegImageFile):
        tables = [source.quantization[layer[3]] for layer in source.layer]
        return {"qtables": tables, "subsampling": JpegImagePlugin.get_sampling(source)}
    return {"quality": 95, "subsampling": 0}
