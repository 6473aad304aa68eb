"""Hides the faces of a photo for good, and changes nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from faceblur.errors import ImageTooLarge
from faceblur.limits import MAX_BYTES, MAX_RESULT_BYTES
from faceblur.photo import codecs, decode, keep, metadata

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from PIL import ImageFile

    from faceblur.limits import MetadataKind, OutputFormat
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
_RESULT_TOO_LARGE = (
    f"As {{}}, this photo is larger than {MAX_RESULT_BYTES // 1_000_000} MB. Please choose another output format."
)


@dataclass(frozen=True, slots=True)
class HiddenPhoto:
    """A photo with hidden faces: the file, its extension and type, and its upright size in pixels.

    `stripped` names what it has lost, and `kept_metadata` the kinds of metadata that it has kept.
    """

    data: bytes
    extension: str
    content_type: str
    width: int
    height: int
    stripped: list[str]
    kept_metadata: list[str]


def check_output(data: bytes, output: OutputFormat) -> None:
    """Raise the error that `hide` would raise because the photo has too many pixels for the format to write.

    The header alone tells that, so this is called before faces are looked for. Raises the errors of `decode.inspect`.
    """
    with decode.tolerating_damage(), decode.open_image(data) as image:
        codecs.check_size(data, image, _written_as(image, output))


def hide_regions(
    data: bytes,
    regions: Sequence[Region],
    output: OutputFormat = "same",
    keep_metadata: Collection[MetadataKind] = (),
) -> HiddenPhoto:
    """Hide the regions, turn the photo upright, and leave out everything but the picture, its colours and density.

    `output` is the format to write: the photo's own or another one. `keep_metadata` names kinds of metadata to keep.
    Pixels that are missing are filled up. Raises the errors of `decode.inspect`, and ImageTooLarge if the
    result is above MAX_RESULT_BYTES.
    """
    if len(data) > MAX_BYTES:
        raise ImageTooLarge
    (picture, format_, stripped, kept), _ = decode.decoded(
        data, lambda: _opened(data, output, keep_metadata, to_paint=bool(regions))
    )
    picture.paint(regions)
    result = kept.added_to(picture.encode(), format_)
    if len(result) > MAX_RESULT_BYTES:
        raise ImageTooLarge(_RESULT_TOO_LARGE.format(format_))
    extension, content_type = FILES[format_]
    return HiddenPhoto(result, extension, content_type, *picture.size, stripped, kept.kinds)


def _opened(
    data: bytes, output: OutputFormat, keep_metadata: Collection[MetadataKind], *, to_paint: bool
) -> tuple[codecs.Picture, str, list[str], keep.Kept]:
    """The decoded photo, the format to write, the names of what will be left out, and the metadata to keep."""
    with decode.open_image(data) as image:
        format_ = _written_as(image, output)
        with decode.decoding():
            kept = keep.read(data, image, keep_metadata if format_ in keep.HOLDING else ())
            stripped = {*metadata.stripped(data, image)} - kept.in_full | {*codecs.lost(data, image, format_)}
        return codecs.read_picture(data, image, format_, kept, to_paint=to_paint), format_, sorted(stripped), kept


def _written_as(image: ImageFile.ImageFile, output: OutputFormat) -> str:
    """The name of the format to write for an opened photo."""
    name = image.format or ""
    return WRITTEN_AS.get(name, name) if output == "same" else output.upper()
