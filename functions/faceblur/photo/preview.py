"""A preview of a photo for the person who decides which faces are hidden."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

from faceblur.photo import decode

# Enough to recognise a face of 16 pixels in a photo of 4,000, and little to download.
LONGEST_SIDE = 2560
QUALITY = 85


@dataclass(frozen=True, slots=True)
class Preview:
    """A JPEG file, and its size in pixels."""

    data: bytes
    width: int
    height: int


def draw_preview(photo: bytes) -> Preview:
    """A small upright copy of the photo without any metadata. Raises the errors of `decode.inspect`."""
    picture = decode.load(photo, LONGEST_SIDE)
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    picture.info.clear()  # Pillow would write a JPEG's comment again
    file = BytesIO()
    picture.save(file, "JPEG", quality=QUALITY)
    return Preview(file.getvalue(), *picture.size)
