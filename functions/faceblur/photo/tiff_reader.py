"""Pillow's reader of TIFFs, where it reads them wrongly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PIL import ExifTags, ImageFile, TiffImagePlugin

if TYPE_CHECKING:
    from PIL import Image

_BITS, _PHOTOMETRIC, _PLANES = 258, 262, 284
_SEPARATE, _WHITE_IS_ZERO, _YCBCR = 2, 0, 6
_MOST = 65_535  # of a sample of 16 bits


class TiffFile(TiffImagePlugin.TiffImageFile):
    """A TIFF that Pillow has opened."""

    def getexif(self) -> Image.Exif:
        """The tags but the pointer to interoperability, for which Pillow looks beneath EXIF alone."""
        exif = super().getexif()
        exif.pop(ExifTags.IFD.Interop, None)
        return exif

    def load(self) -> Any:
        """Decode the pixels, as RGB if they are YCbCr, and as grey of 16 bits with black as zero if they are deep."""
        is_new = bool(self.tile)
        if is_new and self.tile[0].codec_name == "raw":
            self._leave_to_libtiff()
        pixels = super().load()
        if not (is_new and self.mode == "I;16"):
            return pixels
        if self._bits == {12}:
            self.im = self.point(lambda level: level * 16).im
        if self.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
            self.im = self.point(lambda level: _MOST - level).im
        return super().load()

    @property
    def _bits(self) -> set[int]:
        return set(self.tag_v2.get(_BITS, ()))

    def _leave_to_libtiff(self) -> None:
        """Have libtiff decode what is not compressed, if Pillow itself would read the samples wrongly.

        It takes YCbCr for RGB, and planes of 16 bits a sample for planes of 8.
        """
        if self.tag_v2.get(_PHOTOMETRIC) == _YCBCR:
            layout = "RGBX"  # libtiff converts it
        elif self.tag_v2.get(_PLANES) == _SEPARATE and self._bits == {16}:
            layout = f"{self.mode};16N"
        else:
            return
        self.use_load_libtiff = True
        arguments = (layout, "raw", False, self.tag_v2.offset)
        self.tile = [ImageFile._Tile("libtiff", (0, 0, *self._tile_size), 0, arguments)]
