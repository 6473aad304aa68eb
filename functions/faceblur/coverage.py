"""Which faces lie under paint."""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from faceblur.faces import Box
    from faceblur.styles import Region

COVERED = 0.9  # of the inner ellipse


def uncovered(size: tuple[int, int], regions: Sequence[Region], boxes: Sequence[Box]) -> list[Box]:
    """The boxes of which less than nine tenths of the inner ellipse lie under the regions' paint.

    `size` is the upright picture's width and height in pixels.
    """
    paint = Image.new("1", size)
    draw = ImageDraw.Draw(paint)
    for box, style in regions:
        draw.rectangle(_pixels(box, size, style.padding), fill=1)
    return [box for box in boxes if _covered(box, paint) < COVERED]


def _covered(box: Box, paint: Image.Image) -> float:
    left, top, right, bottom = _pixels(box, paint.size, 0)
    inner = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(inner).ellipse((0.05 * inner.width, 0.25 * inner.height, 0.95 * inner.width, inner.height), fill=255)
    whole = inner.histogram()[255]
    inner.paste(0, mask=paint.crop((left, top, right, bottom)))
    return 1 - inner.histogram()[255] / whole


def _pixels(box: Box, size: tuple[int, int], room: float) -> tuple[int, int, int, int]:
    (width, height), across, down = size, room * box.width, room * box.height
    return (
        floor((box.left - across) * width),
        floor((box.top - down) * height),
        ceil((box.right + across) * width),
        ceil((box.bottom + down) * height),
    )
