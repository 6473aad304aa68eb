"""Which of the faces that a check finds are not covered. The paint decides that, not the detector."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from PIL import Image

from faceblur.photo.outlines import PIXELS_AT_ONCE, Frame, box_frame, head_frame, outline, stencil

if TYPE_CHECKING:
    from collections.abc import Sequence

    from faceblur.geometry import Box, Rectangle
    from faceblur.photo.styles import Region

# A face is covered if at least this share of its inner ellipse is covered.
COVERED = 0.9

# The inner ellipse holds the features by which a face is recognised, from the brows to the chin. A detector's box
# reaches from the forehead to the chin, and the brows are a quarter of the way down. So the ellipse is three quarters
# as high as the head in the box and ends at the chin. It leaves out the ears and the sides of the cheeks.
INNER_WIDTH = 0.85
INNER_HEIGHT = 0.75

# The core of a text is this share of the height of its box, and by one height shorter than the box.
TEXT_CORE = 0.25

# Only fully opaque paint counts.
OPAQUE = [0] * 255 + [255]


def uncovered(size: tuple[int, int], regions: Sequence[Region], boxes: Sequence[Box]) -> list[Box]:
    """The boxes whose faces are visible in a picture of this size (width and height in pixels) with hidden regions.

    A face is visible if opaque paint covers less than COVERED of the part of its inner ellipse inside the picture. The
    paint may belong to any number of regions.
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
    """The share (0…1) of the face's inner ellipse under opaque paint; 1 if the box is outside the picture.

    If the picture's edge crops a face, its inner ellipse may lie outside the picture. Then the ellipse in the box
    counts, because what looked like a face is there. For a plate or a text, its core counts.
    """
    if box.kind != "face":
        frame = text_core(paint.size, box)
        total, bare = pixels_in(paint, frame, stencil("box"), frame.corner_bounds)
        return 1 - bare / total if total else 1.0
    total, bare = pixels_in_ellipse(paint, inner_ellipse(paint.size, box))
    if not total:
        total, bare = pixels_in_ellipse(paint, box_frame(paint.size, box))
    return 1 - bare / total if total else 1.0


def pixels_in_ellipse(paint: Image.Image, ellipse: Frame) -> tuple[int, int]:
    """The number of the ellipse's pixels inside the picture, and the number of those without paint."""
    return pixels_in(paint, ellipse, disc(), ellipse.bounds)


def pixels_in(paint: Image.Image, frame: Frame, form: Image.Image, bounds: Rectangle) -> tuple[int, int]:
    """The number of pixels inside the picture where the form (255 or 0) lies in its frame, and of those without paint.

    `bounds` encloses the form.
    """
    total = bare = 0
    for piece in bounds.clip(paint.size).strips(PIXELS_AT_ONCE):
        inside = frame.project(form, piece)
        total += inside.histogram()[255]
        inside.paste(0, mask=paint.crop(piece))
        bare += inside.histogram()[255]
    return total, bare


def inner_ellipse(size: tuple[int, int], box: Box) -> Frame:
    """The ellipse around the features of the face in this box, in a picture of this size."""
    face = head_frame(size, box)
    inner = face.lowered((1 - INNER_HEIGHT) * face.down)
    # A circle with a radius of one pixel contains the middle of at least one pixel, wherever it lies.
    return replace(inner, across=max(INNER_WIDTH * face.across, 1), down=max(INNER_HEIGHT * face.down, 1))


def text_core(size: tuple[int, int], box: Box) -> Frame:
    """The core of the text in this box, in a picture of this size: without margins, it ends within the letters.

    A detector takes a painted plate for a text, and its box is larger than the paint by about the paint's height.
    """
    text = replace(box_frame(size, box), roll=box.roll if box.turned else 0.0)
    across = max(text.across - text.down, TEXT_CORE * text.across, 1)
    return replace(text, across=across, down=max(TEXT_CORE * text.down, 1))


@cache
def disc() -> Image.Image:
    """An ellipse in its frame: 255 inside, 0 outside."""
    return stencil("ellipse").point(lambda opacity: 255 if opacity else 0)
