"""JPEG at the resolution of its own planes.

Most JPEGs store colour at half the resolution of lightness. Decoding such a file to pixels and encoding those
smooths its colours a little each time. Here each plane (Y, Cb, Cr) is decoded as it is stored, without conversion
or resampling, and encoded on its own with its own quantisation table, so that blocks that were not touched come
out as they were; and it takes less time and memory than whole pixels do. A plane is encoded by Pillow as a grey
JPEG, and the three are joined to one file with a scan for each (ITU-T T.81, B.2.3 and A.2: non-interleaved
order), which is baseline JPEG as any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image, JpegImagePlugin

from faceblur import covers, images

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from faceblur.styles import Region

# Marker codes: https://www.w3.org/Graphics/JPEG/itu-t81.pdf, table B.1
SOI, EOI, SOS, DQT, DHT, SOF0, SOF1, APP0, APP15, COM = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xC0, 0xC1, 0xE0, 0xEF, 0xFE
BLOCK = 8
FINEST = [1] * 64  # the quantisation table that loses nothing but the rounding

_MIRRORED_ACROSS = {2, 3, 7, 8}
_MIRRORED_DOWN = {3, 4, 6, 7}
_TURNED = {5, 6, 7, 8}


class Segment(NamedTuple):
    """A marker segment: its code, and its content without the length."""

    marker: int
    content: bytes


@dataclass(slots=True)
class Plane:
    """One component of a JPEG: its samples, its sampling factors and its quantisation table (natural order)."""

    image: Image.Image
    factors: tuple[int, int]
    table: Sequence[int]


@dataclass(slots=True)
class Planes:
    """A photo as the planes Y, Cb and Cr of a JPEG, upright; pixels are those of the whole photo."""

    planes: list[Plane]
    size: tuple[int, int]
    icc_profile: bytes | None

    def cover(self, regions: Sequence[Region]) -> None:
        """Cover the regions in every plane."""
        for band, plane in enumerate(self.planes):
            covers.cover(plane.image, regions, band)

    def encode(self) -> bytes:
        """The file: one scan for each plane."""
        head: list[Segment] = []
        scans: list[Segment] = []
        entropy: list[bytes] = []
        for number, plane in enumerate(self.planes):
            segments, data = _encoded(plane, self.icc_profile if number == 0 else None)
            ...
        return b""
