"""The outline of the region that hides a face, and the opacity of the paint in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from math import ceil, cos, floor, hypot, radians, sin, sqrt
from typing import TYPE_CHECKING

from PIL import Image

from faceblur.geometry import Rectangle
from faceblur.limits import MIN_PADDING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faceblur.geometry import Box
    from faceblur.limits import Shape
    from faceblur.photo.styles import Region

# Height by width of the box around an upright head: the median of the boxes that CenterFace finds.
HEAD = 1.25

# If a box ends within this many pixels of the picture's edge, the edge crops the face.
CUT = 2

# A soft outline is opaque up to this share of the way from its middle to its edge. From there it fades.
OPAQUE_SHARE = 0.95

# Detectors place a box too high more often than too low. With the ellipse centred on the box, most pixels of a true
# face that stayed visible were at its chin and jaw. So the ellipse moves down by this share of its opaque margin. On
# the photos of `make bench-real`, the faces with 95 % of their inner ellipse under opaque paint rise from 0.90 to 0.95
# for the same area of paint.
LOWERED = 0.5

# The order n of each soft outline |x|ⁿ + |y|ⁿ = 1: 2 gives an ellipse, 6 a rounded rectangle.
ORDERS: dict[Shape, int] = {"ellipse": 2, "rounded": 6}

# Outlines are drawn at this many pixels along each side, and for large faces at a quarter of the face's size. Then
# their pixels are repeated, which is ten times as fast as interpolating them. The difference is invisible.
FINE_OUTLINE = 512
REPEATED = 4

PIXELS_AT_ONCE = 1 << 20  # pixels painted at a time, so that the memory does not grow with the face


@dataclass(frozen=True, slots=True, order=True)
class Frame:
    """An ellipse in a picture, or the rectangle around it.

    Its centre (`x`, `y`) and half-axes (`across`, `down`) are in pixels, its `roll` in degrees clockwise.
    """

    x: float
    y: float
    across: float
    down: float
    roll: float = 0.0

    @property
    def axes(self) -> tuple[float, float]:
        """The direction (x, y) of the frame's horizontal axis in the picture; the vertical axis points to (-y, x)."""
        return cos(radians(self.roll)), sin(radians(self.roll))

    @property
    def bounds(self) -> Rectangle:
        """The upright rectangle around the ellipse."""
        cosine, sine = self.axes
        return self._around(
            hypot(self.across * cosine, self.down * sine), hypot(self.across * sine, self.down * cosine)
        )

    @property
    def corner_bounds(self) -> Rectangle:
        """The upright rectangle around the frame's own rectangle."""
        cosine, sine = abs(self.axes[0]), abs(self.axes[1])
        return self._around(self.across * cosine + self.down * sine, self.across * sine + self.down * cosine)

    def _around(self, wide: float, high: float) -> Rectangle:
        """The pixels at most this far from the centre, horizontally and vertically."""
        return Rectangle(floor(self.x - wide), floor(self.y - high), ceil(self.x + wide), ceil(self.y + high))

    def lowered(self, distance: float) -> Frame:
        """This frame, moved downwards along its own vertical axis."""
        cosine, sine = self.axes
        return replace(self, x=self.x - sine * distance, y=self.y + cosine * distance)

    def project(self, stencil: Image.Image, piece: Rectangle) -> Image.Image:
        """A piece of the picture with the stencil stretched over the frame; 0 outside the frame."""
        cosine, sine = self.axes
        x, y = piece.left - self.x, piece.top - self.y
        across, down = stencil.width / 2 / self.across, stencil.height / 2 / self.down
        matrix = (
            cosine * across,
            sine * across,
            (x * cosine + y * sine) * across + stencil.width / 2,
            -sine * down,
            cosine * down,
            (y * cosine - x * sine) * down + stencil.height / 2,
        )
        return stencil.transform(piece.size, Image.Transform.AFFINE, matrix, Image.Resampling.NEAREST)


@dataclass(frozen=True, slots=True)
class Outline:
    """The region in which a face is hidden: its frame, and the part of the frame's bounds inside the picture."""

    frame: Frame
    visible: Rectangle
    shape: Shape

    def pieces(self) -> Iterator[tuple[Rectangle, Image.Image]]:
        """The visible part in pieces, each with its opacities: 255 over the face, then fading to the frame's edge."""
        # If a frame reaches far outside the picture, only its visible part needs detail.
        side = round(min(2 * max(self.frame.across, self.frame.down), 2 * max(self.visible.size)))
        fine_stencil = enlarged(stencil(self.shape), (side, side), FINE_OUTLINE)
        for piece in self.visible.strips(PIXELS_AT_ONCE):
            yield piece, self.frame.project(fine_stencil, piece)


def outline(size: tuple[int, int], region: Region) -> Outline:
    """The outline of the region in a picture of this size (width and height in pixels).

    An ellipse is turned with the head, and extends further below the chin than above the forehead. The other outlines
    are upright. A box that is turned itself is covered as it lies, in every shape. A plate or a text is always covered
    by a box, because letters reach into the corners.
    """
    box, style = region
    if box.kind != "face":
        return text_outline(size, region)
    if box.turned:
        frame = replace(box_frame(size, box), roll=box.roll)
    else:
        frame = head_frame(size, box) if style.shape == "ellipse" else box_frame(size, box)
    enlargement = 1 + 2 * max(style.padding, MIN_PADDING)
    # Even over a tiny face, the paint is opaque up to one pixel outside the face.
    across, down = (max(enlargement * half, (half + 1) / OPAQUE_SHARE) for half in (frame.across, frame.down))
    padded = replace(frame, across=across, down=down)
    if style.shape == "ellipse" and not box.turned:
        opaque_margin = OPAQUE_SHARE * down - frame.down
        padded = padded.lowered(min(LOWERED * opaque_margin, opaque_margin - 1))
    bounds = padded.bounds if style.shape == "ellipse" else padded.corner_bounds
    return Outline(padded, bounds.clip(size), style.shape)


def text_outline(size: tuple[int, int], region: Region) -> Outline:
    """The outline of a plate or a text. The padding is a share of its height, on each side."""
    box, style = region
    frame = replace(box_frame(size, box), roll=box.roll if box.turned else 0.0)
    margin = max(2 * max(style.padding, MIN_PADDING) * frame.down, 1)
    padded = replace(frame, across=frame.across + margin, down=frame.down + margin)
    return Outline(padded, padded.corner_bounds.clip(size), "box")


def box_frame(size: tuple[int, int], box: Box) -> Frame:
    """The box as a frame in a picture of this size."""
    width, height = size
    return Frame(
        (box.left + box.width / 2) * width,
        (box.top + box.height / 2) * height,
        box.width * width / 2,
        box.height * height / 2,
    )


def head_frame(size: tuple[int, int], box: Box) -> Frame:
    """The ellipse that a head fills in this box, turned like the head.

    The box is upright and encloses the head. An ellipse with half-axes a and b, turned by φ in a box of w × h,
    satisfies 4(a² + b²) = w² + h² and 4(a² - b²) cos 2φ = w² - h². The second equation determines an upright head
    exactly, but says nothing about a head turned by 45°. The usual proportions of a head replace it gradually towards
    that angle.
    """
    frame = uncropped_frame(size, box)
    total = frame.across**2 + frame.down**2
    double = cos(2 * radians(box.roll))
    usual = total * (1 - HEAD**2) / (1 + HEAD**2)
    difference = (frame.across**2 - frame.down**2) * double + usual * (1 - double**2)
    across, down = sqrt(max(total + difference, 0) / 2), sqrt(max(total - difference, 0) / 2)
    return Frame(frame.x, frame.y, across, down, box.roll)


def uncropped_frame(size: tuple[int, int], box: Box) -> Frame:
    """The box in a picture of this size, extended outside the picture if the picture's edge crops the head.

    An ellipse inside the visible part would leave the face uncovered at the edge. The missing part is estimated from
    the usual proportions of a head. In a corner it is taken to be as large as the visible part.
    """
    width, height = size
    frame = box_frame(size, box)
    left, right = frame.x - frame.across, frame.x + frame.across
    top, bottom = frame.y - frame.down, frame.y + frame.down
    at_left, at_right, at_top, at_bottom = left <= CUT, right >= width - CUT, top <= CUT, bottom >= height - CUT
    cosine, sine = replace(frame, roll=box.roll).axes
    ratio = hypot(sine, HEAD * cosine) / hypot(cosine, HEAD * sine)  # height by width of a box around an uncropped head
    across, down = right - left, bottom - top
    missing_across = max(down / ratio - across, across * (at_top or at_bottom), 0)
    missing_down = max(across * ratio - down, down * (at_left or at_right), 0)
    left -= missing_across * at_left
    right += missing_across * at_right
    top -= missing_down * at_top
    bottom += missing_down * at_bottom
    return Frame((left + right) / 2, (top + bottom) / 2, (right - left) / 2, (bottom - top) / 2)


def enlarged(image: Image.Image, size: tuple[int, int], fine: int) -> Image.Image:
    """The image smoothly enlarged to this size, or to a smaller size that suffices when its pixels are repeated."""
    longest = max(min(max(size), fine), -(-max(size) // REPEATED))
    if longest <= max(image.size):
        return image
    width, height = (max(1, round(side * longest / max(size))) for side in size)
    return image.resize((width, height), Image.Resampling.BILINEAR)


@cache
def stencil(shape: Shape) -> Image.Image:
    """The opacities (0…255) of an outline in its frame."""
    if shape == "box":
        return Image.new("L", (FINE_OUTLINE, FINE_OUTLINE), 255)
    order = ORDERS[shape]
    side = FINE_OUTLINE // 2
    powers = [abs((2 * i + 1) / side - 1) ** order for i in range(side)]
    opaque = OPAQUE_SHARE**order
    opacities = bytes(255 if x + y <= opaque else _fading((x + y) ** (1 / order)) for y in powers for x in powers)
    coarse = Image.frombytes("L", (side, side), opacities)
    return coarse.resize((FINE_OUTLINE, FINE_OUTLINE), Image.Resampling.BICUBIC)


def _fading(radius: float) -> int:
    """The opacity at a radius above OPAQUE_SHARE: it falls smoothly from 255 to 0 at the edge (radius 1)."""
    if radius >= 1:
        return 0
    share = (1 - radius) / (1 - OPAQUE_SHARE)
    return round(255 * share * share * (3 - 2 * share))
