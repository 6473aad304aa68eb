"""Where a face is hidden: the outline of its region, and the opacity of the paint in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from math import ceil, cos, floor, hypot, radians, sin, sqrt
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from faceblur.limits import MIN_PADDING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faceblur.geometry import Box
    from faceblur.limits import Shape
    from faceblur.photo.styles import Region

# How many times as high as wide the box around an upright head is: the median of what CenterFace finds.
HEAD = 1.25

# A box that ends within so many pixels of the picture's edge belongs to a face that the edge cuts off.
CUT = 2

# A soft outline is opaque up to this share of the way from its middle to its edge, and fades from there.
SOLID = 0.95

# Detectors place a box too high more often than too low. With the ellipse centred on the box, most pixels of a true
# face that stayed visible were at its chin and jaw. So the ellipse moves down by this share of its opaque margin. On
# the photos of `make bench-real`, the faces with 95 % of their inner ellipse under opaque paint rise from 0.90 to 0.95
# for the same area of paint.
LOWERED = 0.5

# What each soft outline looks like: |x|ⁿ + |y|ⁿ = 1. With 2 it is an ellipse. With 6 it is a rounded rectangle.
ORDERS: dict[Shape, int] = {"ellipse": 2, "rounded": 6}

# Outlines are drawn at this many pixels along each side, and for large faces at a quarter of the face's size. Repeated
# pixels are ten times as fast as interpolated ones, and are not seen.
FINE_OUTLINE = 512
REPEATED = 4

AREA = 1 << 20  # pixels painted at once, so that memory does not grow with the face


class Pixels(NamedTuple):
    """A rectangle in pixels; `right` and `bottom` are the first beyond it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.right - self.left, self.bottom - self.top

    def within(self, size: tuple[int, int]) -> Pixels:
        """The part of this rectangle that lies within a picture of this size; without area if there is none."""
        width, height = size
        left, top = min(max(self.left, 0), width), min(max(self.top, 0), height)
        return Pixels(left, top, max(left, min(self.right, width)), max(top, min(self.bottom, height)))

    def rows(self) -> Iterator[Pixels]:
        """This rectangle from top to bottom, a few rows at a time; nothing if it has no area."""
        if self.right > self.left:
            rows = max(1, AREA // (self.right - self.left))
            for top in range(self.top, self.bottom, rows):
                yield self._replace(top=top, bottom=min(top + rows, self.bottom))

    def seen_from(self, other: Pixels) -> Pixels:
        """This rectangle, measured from the other's upper left corner."""
        left, top = other.left, other.top
        return Pixels(self.left - left, self.top - top, self.right - left, self.bottom - top)


@dataclass(frozen=True, slots=True, order=True)
class Frame:
    """An ellipse in a picture, or the rectangle around it.

    Its middle, its half-axes and its turn: pixels, and degrees clockwise.
    """

    x: float
    y: float
    across: float
    down: float
    roll: float = 0.0

    @property
    def axes(self) -> tuple[float, float]:
        """The direction in the picture of the frame's own horizontal axis; (-y, x) is that of the vertical one."""
        return cos(radians(self.roll)), sin(radians(self.roll))

    @property
    def bounds(self) -> Pixels:
        """The upright rectangle around the ellipse, or, if the frame is not turned, around both."""
        cosine, sine = self.axes
        wide, high = hypot(self.across * cosine, self.down * sine), hypot(self.across * sine, self.down * cosine)
        return Pixels(floor(self.x - wide), floor(self.y - high), ceil(self.x + wide), ceil(self.y + high))

    def lowered(self, distance: float) -> Frame:
        """This frame, moved downwards along its own vertical axis."""
        cosine, sine = self.axes
        return replace(self, x=self.x - sine * distance, y=self.y + cosine * distance)

    def part(self, stencil: Image.Image, piece: Pixels) -> Image.Image:
        """What a piece of the picture shows of the stencil, if that is stretched over the frame; 0 outside of it."""
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
    """The region in which a face is hidden: its frame, and the part of its bounds that is in the picture."""

    frame: Frame
    seen: Pixels
    shape: Shape

    def pieces(self) -> Iterator[tuple[Pixels, Image.Image]]:
        """The visible part in pieces, with their opacities: 255 over the face, then fading to the frame's edge."""
        side = round(2 * max(self.frame.across, self.frame.down))
        whole = enlarged(stencil(self.shape), (side, side), FINE_OUTLINE)
        for piece in self.seen.rows():
            yield piece, self.frame.part(whole, piece)


def outline(size: tuple[int, int], region: Region) -> Outline:
    """Where the region is in a picture of this size.

    An ellipse is turned with the head and reaches further below the chin than above the forehead. The other outlines
    stand upright.
    """
    box, style = region
    frame = head(size, box) if style.shape == "ellipse" else around(size, box)
    room = 1 + 2 * max(style.padding, MIN_PADDING)
    # However small a face is, the paint is opaque to a pixel beyond its edge.
    across, down = (max(room * half, (half + 1) / SOLID) for half in (frame.across, frame.down))
    padded = replace(frame, across=across, down=down)
    if style.shape == "ellipse":
        padded = padded.lowered(LOWERED * (SOLID * room - 1) * frame.down)
    return Outline(padded, padded.bounds.within(size), style.shape)


def around(size: tuple[int, int], box: Box) -> Frame:
    """The box in a picture of this size."""
    width, height = size
    return Frame(
        (box.left + box.width / 2) * width,
        (box.top + box.height / 2) * height,
        box.width * width / 2,
        box.height * height / 2,
    )


def head(size: tuple[int, int], box: Box) -> Frame:
    """The ellipse that a head in this box fills, turned as the head is.

    A box stands upright, and encloses the head. Of an ellipse with half-axes a and b, in a box of w × h, it is known
    that 4(a² + b²) = w² + h², and 4(a² - b²) cos 2φ = w² - h² if it is turned by φ. The second equation is exact for an
    upright head, and says nothing of one that is turned by 45°; there the usual proportions of a head stand in for it.
    """
    whole = uncut(size, box)
    total = whole.across**2 + whole.down**2
    double = cos(2 * radians(box.roll))
    usual = total * (1 - HEAD**2) / (1 + HEAD**2)
    difference = (whole.across**2 - whole.down**2) * double + usual * (1 - double**2)
    across, down = sqrt(max(total + difference, 0) / 2), sqrt(max(total - difference, 0) / 2)
    return Frame(whole.x, whole.y, across, down, box.roll)


def uncut(size: tuple[int, int], box: Box) -> Frame:
    """The box in a picture of this size, drawn on beyond the picture's edge if that cuts the head off.

    An ellipse within what the picture shows of the face would leave out what is at the edge. How much of the head is
    missing is told from its usual proportions, or, in a corner, taken to be as much as is seen.
    """
    width, height = size
    frame = around(size, box)
    left, right = frame.x - frame.across, frame.x + frame.across
    top, bottom = frame.y - frame.down, frame.y + frame.down
    at_left, at_right, at_top, at_bottom = left <= CUT, right >= width - CUT, top <= CUT, bottom >= height - CUT
    cosine, sine = replace(frame, roll=box.roll).axes
    ratio = hypot(sine, HEAD * cosine) / hypot(cosine, HEAD * sine)  # height by width of a box around a whole head
    across, down = right - left, bottom - top
    missing_across = max(down / ratio - across, across * (at_top or at_bottom), 0)
    missing_down = max(across * ratio - down, down * (at_left or at_right), 0)
    left -= missing_across * at_left
    right += missing_across * at_right
    top -= missing_down * at_top
    bottom += missing_down * at_bottom
    return Frame((left + right) / 2, (top + bottom) / 2, (right - left) / 2, (bottom - top) / 2)


def enlarged(image: Image.Image, size: tuple[int, int], fine: int) -> Image.Image:
    """The image smoothly enlarged to this size, or to what looks the same when pixels are repeated."""
    longest = max(min(max(size), fine), -(-max(size) // REPEATED))
    if longest <= max(image.size):
        return image
    width, height = (max(1, round(side * longest / max(size))) for side in size)
    return image.resize((width, height), Image.Resampling.BILINEAR)


@cache
def stencil(shape: Shape) -> Image.Image:
    """The opacities, 0…255, of an outline in its frame."""
    if shape == "box":
        return Image.new("L", (FINE_OUTLINE, FINE_OUTLINE), 255)
    order = ORDERS[shape]
    side = FINE_OUTLINE // 2
    powers = [abs((2 * i + 1) / side - 1) ** order for i in range(side)]
    solid = SOLID**order
    opacities = bytes(255 if x + y <= solid else _fading((x + y) ** (1 / order)) for y in powers for x in powers)
    coarse = Image.frombytes("L", (side, side), opacities)
    return coarse.resize((FINE_OUTLINE, FINE_OUTLINE), Image.Resampling.BICUBIC)


def _fading(radius: float) -> int:
    """The opacity beyond SOLID of the way to the edge: from 255 there, falling smoothly to 0 at 1."""
    if radius >= 1:
        return 0
    share = (1 - radius) / (1 - SOLID)
    return round(255 * share * share * (3 - 2 * share))
