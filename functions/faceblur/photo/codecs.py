"""Decodes photos for painting and encodes them again, as faithfully as each format allows."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, Protocol

from PIL import Image, ImageCms, JpegImagePlugin, PngImagePlugin, TiffImagePlugin

from faceblur.errors import ImageTooLarge
from faceblur.limits import MAX_PIXELS, MAX_PIXELS_LOSSLESS_WEBP, MAX_PIXELS_WRITTEN
from faceblur.photo import colours, decode, deep_tiff, heif_boxes, jpeg, metadata, painting, png
from faceblur.photo.structure import riff_chunks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import ImageFile

    from faceblur.photo.keep import Kept
    from faceblur.photo.styles import Region

# The modes and the options in which each format is written. Lossy formats stay lossy, at a quality without visible
# loss.
MODES = {
    "JPEG": ("L", "RGB", "CMYK"),
    "PNG": ("L", "LA", "RGB", "RGBA"),
    "WEBP": ("RGB", "RGBA"),
    "AVIF": ("RGB", "RGBA"),
    "TIFF": ("L", "LA", "RGB", "RGBA", "CMYK"),
    "BMP": ("L", "RGB"),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95},
    "AVIF": {"quality": 90, "subsampling": "4:4:4", "speed": 8},  # takes a third of the time of the default
    "TIFF": {"compression": "tiff_adobe_deflate"},
    "BMP": {"dpi": (0, 0)},  # unknown; Pillow would write 96
}
WITH_DENSITY = ("JPEG", "PNG", "TIFF", "BMP")
# The limits of the formats
LONGEST_SIDE = {"JPEG": 65_500, "WEBP": 16_383, "AVIF": 65_536}

# Pillow keeps up to 256 MB of memory for the pixels of the next photo. Getting it from the system each time would take
# up to a quarter of the time for a large JPEG. An image smaller than a block shrinks that block for good. With blocks
# of 16 MB, the default, a mask of some kilobytes would lose nearly all of it; with 256 KB it loses little.
# https://pillow.readthedocs.io/en/stable/reference/block_allocator.html
Image.core.set_block_size(256 * 1024)  # type: ignore[attr-defined]
Image.core.set_blocks_max(1024)  # type: ignore[attr-defined]

_TOO_LONG = "As {}, a photo can have at most {:,} pixels a side. Please choose another output format."
_TOO_MANY_PIXELS = (
    "As {}, a photo can have at most {} megapixels. Please choose another output format, or reduce the photo."
)


class Picture(Protocol):
    """A decoded photo, upright."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""

    def paint(self, regions: Sequence[Region]) -> None:
        """Cover the regions in place."""

    def encode(self) -> bytes:
        """The file."""


@dataclass(slots=True)
class Pixels:
    """A photo as upright pixels with 8 bits a sample, and the options to write it.

    `tag` is the EXIF orientation in which it is stored.
    """

    image: Image.Image
    format: str
    options: dict[str, Any]
    tag: int = 1

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.image.size

    def paint(self, regions: Sequence[Region]) -> None:
        """Cover the regions in place."""
        painting.paint(self.image, regions)

    def encode(self) -> bytes:
        """The file."""
        file = BytesIO()
        decode.turn_back(self.image, self.tag).save(file, self.format, **self.options)
        return file.getvalue()


def lost(data: bytes, image: ImageFile.ImageFile, format_: str) -> list[str]:
    """The names of what an opened photo loses because of the format that is written."""
    names = []
    if not (format_ == image.format == "PNG"):
        code = colours.code_of(data, image)
        if code and code.is_hdr:
            names.append("high dynamic range")
    if _is_deep(data, image) and not _stays_deep(data, image, format_):
        names.append("more than 8 bits a sample")
    if image.has_transparency_data and "RGBA" not in MODES[format_]:
        names.append("alpha channel")
    if format_ not in WITH_DENSITY and metadata.density(image, 1):
        names.append("density")
    return names


def read_picture(data: bytes, image: ImageFile.ImageFile, format_: str, kept: Kept, to_paint: bool) -> Picture:
    """Decode an opened photo that will be written in this format.

    `kept` is the metadata that its encoder writes too, and `to_paint` says whether the photo will be painted on.

    Raises CorruptImage, or ImageTooLarge if the format cannot hold the photo.
    """
    check_size(data, image, format_)
    orientation = decode.header(image).orientation
    profile = metadata.icc_profile(image)
    density = metadata.density(image, orientation)
    with decode.decoding():
        if _stays_deep(data, image, format_):
            if isinstance(image, TiffImagePlugin.TiffImageFile):
                return deep_tiff.read_deep(data, image, profile, density)
            return png.read_deep(data, orientation, profile, density)
        if format_ == "JPEG" and isinstance(image, JpegImagePlugin.JpegImageFile):
            return _read_jpeg(data, image, orientation, profile, kept)
        options = OPTIONS.get(format_, {}) | _kept_options(data, image, format_, profile)
        image.load()
        paintable = _paintable(image, format_, to_paint)
        # A PNG keeps the code itself.
        code = None if format_ == image.format == "PNG" else colours.code_of(data, image)
        if code and code.is_hdr:
            paintable, profile = colours.tone_mapped(paintable, code), None
        elif code and metadata.colour_space(paintable.mode) == b"RGB ":
            profile = colours.profile(code)
        if isinstance(paintable, TiffImagePlugin.TiffImageFile):
            paintable = paintable.copy()  # its plugin would write the tags that it read
        paintable, profile = _in_mode(paintable, profile, format_)
        if format_ == "PNG" and profile and len(profile) > PngImagePlugin.MAX_TEXT_CHUNK:
            profile = None  # Pillow and others would refuse to read the file
        upright = decode.turn_upright(decode.without_decoder(paintable), orientation)
    upright.info = {}
    return Pixels(upright, format_, options | _options_for_file(profile, density) | kept.options(format_, 1))


def check_size(data: bytes, image: ImageFile.ImageFile, format_: str) -> None:
    """Raise ImageTooLarge if the format, or the memory that its encoder takes, cannot hold the photo."""
    longest = LONGEST_SIDE.get(format_, MAX_PIXELS)
    if max(image.size) > longest:
        raise ImageTooLarge(_TOO_LONG.format(format_, longest))
    transparent = image.has_transparency_data
    name = f"{format_} with transparency" if transparent else format_
    most = MAX_PIXELS_WRITTEN.get((format_, transparent), MAX_PIXELS)
    if _stays_lossless_webp(data, image, format_):
        name, most = "WEBP without loss", min(most, MAX_PIXELS_LOSSLESS_WEBP)
    if image.width * image.height > most:
        raise ImageTooLarge(_TOO_MANY_PIXELS.format(name, most // 1_000_000))


def _is_deep(data: bytes, image: ImageFile.ImageFile) -> bool:
    """Whether the photo has more than eight bits a sample."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return deep_tiff.bits(image) > 8
    if image.format == "PNG":
        return png.is_deep(data)
    # In pixi, a version, flags and a count come before the bits of each sample (ISO/IEC 23008-12, 6.5.6).
    return image.format in ("AVIF", "HEIF") and any(
        name == b"pixi" and max(content[5:], default=0) > 8 for name, content in heif_boxes.properties(data)
    )


def _stays_deep(data: bytes, image: ImageFile.ImageFile, format_: str) -> bool:
    """Whether the photo has 16 bits a sample, and the result will have them, too."""
    if format_ != image.format:
        return False
    return deep_tiff.is_deep(image) or (format_ == "PNG" and png.is_deep(data))


def _options_for_file(profile: bytes | None, density: tuple[float, float] | None) -> dict[str, Any]:
    """The options that say something about the whole file: colours and density."""
    return {"icc_profile": profile} | ({"dpi": density} if density else {})


def _read_jpeg(
    data: bytes, image: JpegImagePlugin.JpegImageFile, orientation: int, profile: bytes | None, kept: Kept
) -> Pixels:
    """A JPEG that will be written as one."""
    tag = orientation if jpeg.stays_stored(image, orientation) else 1
    applied = orientation if tag == 1 else 1
    options = _options_for_file(profile, metadata.density(image, applied)) | kept.options("JPEG", tag)
    options |= jpeg.options(image, applied)
    picture = jpeg.pixels(image, data)
    picture.info = {}
    return Pixels(decode.turn_upright(picture, orientation), "JPEG", options, tag)


def _kept_options(data: bytes, image: ImageFile.ImageFile, format_: str, profile: bytes | None) -> dict[str, Any]:
    """The options of the photo itself that are kept if the format stays the same."""
    if format_ != image.format:
        return {}
    if _stays_lossless_webp(data, image, format_):
        return {"lossless": True, "quality": 50}  # the effort: the default takes twice the time for the same size
    if format_ == "PNG":
        info = PngImagePlugin.PngInfo()
        for name, content in png.colour_chunks(data, profile):
            info.add(name, content)
        return {"pnginfo": info}
    return {}


def _stays_lossless_webp(data: bytes, image: ImageFile.ImageFile, format_: str) -> bool:
    """Whether a WebP's pixels are and will be stored without loss (RFC 9649, section 2.7)."""
    if not (format_ == image.format == "WEBP"):
        return False
    return next((name for name in riff_chunks(data) if name in (b"VP8 ", b"VP8L")), b"") == b"VP8L"


def _paintable(image: Image.Image, format_: str, to_paint: bool) -> Image.Image:
    """The image in a mode that can be painted on; a palette is kept if nothing will be painted."""
    kept = {"L", "RGB", "CMYK"}
    if not to_paint and image.format == format_ and "transparency" not in image.info:
        kept |= {"1", "P"}
    if image.mode.startswith("I;16"):
        return decode.eight_bits(image)
    if image.has_transparency_data:
        alpha = "LA" if image.mode in ("1", "L", "LA") else "RGBA"
        image = image if image.mode == alpha else image.convert(alpha)
        painting.clear_invisible(image)
        return image
    if image.mode not in kept:
        return image.convert("L" if image.mode == "1" else "RGB")
    if image.mode == "P":  # drop the colours that no pixel uses
        return image.remap_palette([colour for colour, pixels in enumerate(image.histogram()) if pixels])
    return image


def _in_mode(image: Image.Image, profile: bytes | None, format_: str) -> tuple[Image.Image, bytes | None]:
    """The image in a mode that the format can hold, and its ICC profile if that still fits the colours."""
    before = metadata.colour_space(image.mode)
    if image.mode == "CMYK" and "CMYK" not in MODES[format_]:
        image = _from_cmyk(image, profile)
    elif image.mode in ("LA", "RGBA") and "RGBA" not in MODES[format_]:
        image = decode.to_rgb(image)
    elif image.mode in ("L", "LA") and image.mode not in MODES[format_]:
        image = image.convert("RGBA" if image.mode == "LA" else "RGB")
    return image, profile if metadata.colour_space(image.mode) == before else None


def _from_cmyk(image: Image.Image, profile: bytes | None) -> Image.Image:
    """A CMYK image as sRGB, converted by its ICC profile if that is usable."""
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            pass
        else:
            return converted or image.convert("RGB")
    return image.convert("RGB")
