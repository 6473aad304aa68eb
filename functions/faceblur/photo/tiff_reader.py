"""Pillow's reader of TIFFs, where it reads them wrongly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PIL import ExifTags, TiffImagePlugin

if TYPE_CHECKING:
    from PIL import Image, ImageFile

_BITS, _PHOTOMETRIC, _PLANES = 258, 262, 284
_SEPARATE, _WHITE_IS_ZERO = 2, 0
_MOST = 65_535  # of a sample of 16 bits


class TiffFile(TiffImagePlugin.TiffImageFile):
    """A TIFF that Pillow has opened."""

    def getexif(self) -> Image.Exif:
        """The tags but the pointer to interoperability, for which Pillow looks beneath EXIF alone."""
        exif = super().getexif()
        exif.pop(ExifTags.IFD.Interop, None)
        return exif

    def load(self) -> Any:
        """Decode the pixels. Pillow takes planes of 16 bits a sample for 8 bits, and white as zero for black."""
        is_new = bool(self.tile)
        if self.tag_v2.get(_PLANES) == _SEPARATE and set(self.tag_v2.get(_BITS, ())) == {16}:
            self.tile = [_with_two_bytes(tile, "L" if self.tag_v2.prefix == b"II" else "B") for tile in self.tile]
        pixels = super().load()
        if is_new and self.mode == "I;16" and self.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
            self.im = self.point(lambda level: _MOST - level).im
            return super().load()
        return pixels


def _with_two_bytes(tile: ImageFile._Tile, order: str) -> ImageFile._Tile:
    """A tile of one plane, whose samples have two bytes in this order; libtiff knows that itself."""
    if tile.codec_name != "raw" or not isinstance(tile.args, tuple):
        return tile
    return tile._replace(args=(f"{tile.args[0]};16{order}", *tile.args[1:]))
