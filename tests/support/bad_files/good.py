"""The good files of every format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.bad_files import bmp, iso, jpeg, png, tiff, webp

if TYPE_CHECKING:
    from tests.support.bad_files.content import Make

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF", "BMP")
GOOD: dict[str, Make] = jpeg.GOOD | png.GOOD | webp.GOOD | iso.GOOD | tiff.GOOD | bmp.GOOD
