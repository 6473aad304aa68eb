"""Which of the faces that a check finds are not covered: it asks the paint, not the detector."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from PIL import Image

from faceblur.photo.outlines import Frame, around, head, outline, stencil

if TYPE_CHECKING:
    from collections.abc import Sequence

    from faceblur.geometry import Box
    from faceblur.photo.styles import Region

# A face is covered if at least this share of its inner ellipse is.
COVERED = 0.9

# The inner ellipse holds what a face is recognised by, from the brows to the chin. A detector's box reaches from the
# forehead to the chin, and the brows are a quarter of the way down. So the ellipse is three quarters as high as the
# head in the box, ends where that ends, and leaves out the ears and the sides of the cheeks.
INNER_WIDTH = 0.85
INNER_HEIGHT = 0.75

# Paint is opaque or it is not.
OPAQUE = [0] * 255 + [255]


def uncovered(size: tuple[int, int], regions: Sequence[Region], boxes: Sequence[Box]) -> list[Box]:
    """The boxes whose faces show in a picture of this size (width and height in pixels) after the regions are covered.

    A face shows if less than COVERED of its inner ellipse, as far as that lies in the picture, is under opaque paint.
    It does not matter how many regions the paint belongs to.
    """
    if not boxes:
        return []
    paint = opaque_paint(size, regions)
    return [box for box in boxes if covered_share(paint, box) < COVERED]


def opaque_paint(size: tuple[int, int], regions: Sequence[Region]) -> Image.Image:
    """A picture of this size that is 255 where `painting.paint` paints opaquely, and 0 elsewhere."""
    paint = Image.new("L", size)
    for region in regions:
        for piece, opacities in outline(size, region).pieces():
            paint.paste(255, piece, opacities.point(OPAQUE))
    return paint


def covered_share(paint: Image.Image, box: Box) -> float:
    """The share (0…1) of the face's inner ellipse that is under opaque paint; 1 if the box is not in the picture.

    The inner ellipse of a face that the picture's edge cuts may lie beyond it. Then the part of the box that is in the
    picture counts, since whatever looked like a face is there.
    """
    inner = inner_ellipse(paint.size, box)
    total, shown = pixels_in(paint, inner)
    if not total:
        total, shown = pixels_in(paint, around(paint.size, box))
    return 1 - shown / total if total else 1.0


def pixels_in(paint: Image.Image, ellipse: Frame) -> tuple[int, int]:
    """How many pixels of the picture an ellipse has, and how many of them are not painted."""
    total = shown = 0
    for piece in ellipse.bounds.within(paint.size).rows():
        inside = ellipse.part(disc(), piece)
        total += inside.histogram()[255]
        inside.paste(0, mask=paint.crop(piece))
        shown += inside.histogram()[255]
    return total, shown


def inner_ellipse(size: tuple[int, int], box: Box) -> Frame:
    """Where the features of the face in this box are, from the brows to the chin, in a picture of this size."""
    face = head(size, box)
    inner = face.lowered((1 - INNER_HEIGHT) * face.down)
    # A circle with a radius of a pixel holds the middle of a pixel, wherever it lies.
    return replace(inner, across=max(INNER_WIDTH * face.across, 1), down=max(INNER_HEIGHT * face.down, 1))


@cache
def disc() -> Image.Image:
    """An ellipse in its frame: 255 within, 0 outside."""
    return stencil("ellipse").point(lambda opacity: 255 if opacity else 0)
