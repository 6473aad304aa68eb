"""Boxes in fractions of the upright image, which every detector returns, and rectangles in pixels.

`detectors/embedded/candidates.py` computes the same intersections and the same suppression over arrays of boxes.
"""

from __future__ import annotations

from cmath import rect
from collections import Counter
from dataclasses import dataclass, field, fields, replace
from itertools import product
from math import floor, frexp, inf, ldexp, radians
from typing import TYPE_CHECKING, Any, NamedTuple

from faceblur.limits import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from faceblur.limits import Kind

    _Edges = tuple[float, float, float, float]

# Photos have at most 65,535 pixels a side, so a box is stored to a third of a pixel.
DECIMALS = 5
# A box inside another one is a part of the same face if its middle lies in the ellipse over the other box. MIDDLE is
# the share of the box that counts as its middle, and OVAL the size of the ellipse relative to the other box. A box in a
# corner may be another face, because the paint over a head does not reach into the corners of its box.
MIDDLE, OVAL = 0.5, 1.1
# A line of text is the same as a surer line if their intersection over union is above SAME, or if more than the share
# WITHIN of it lies in the surer one. A line that overlaps less stays, because the surer one may be a fragment that a
# tile's edge cut off. A box that is more than HIGHER times as high is not the same line but contains it, such as a car.
SAME, WITHIN, HIGHER = 0.7, 0.9, 2.0


class Rectangle(NamedTuple):
    """A rectangle in pixels; `right` and `bottom` are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.right - self.left, self.bottom - self.top

    def clip(self, size: tuple[int, int]) -> Rectangle:
        """The part of this rectangle inside a picture of this size; a rectangle without area if there is none."""
        width, height = size
        left, top = min(max(self.left, 0), width), min(max(self.top, 0), height)
        return Rectangle(left, top, max(left, min(self.right, width)), max(top, min(self.bottom, height)))

    def relative_to(self, other: Rectangle) -> Rectangle:
        """This rectangle, measured from the upper left corner of the other one."""
        left, top = other.left, other.top
        return Rectangle(self.left - left, self.top - top, self.right - left, self.bottom - top)

    def strips(self, pixels: int) -> Iterator[Rectangle]:
        """This rectangle in strips of at most this many pixels, from top to bottom; nothing if it has no area."""
        width, _ = self.size
        if width > 0:
            rows = max(1, pixels // width)
            for top in range(self.top, self.bottom, rows):
                yield self._replace(top=top, bottom=min(top + rows, self.bottom))

    def quarters(self, overlap: float) -> list[Rectangle]:
        """The four quarters, row by row. They overlap by this many pixels, at most half of the shorter side."""
        margin = round(overlap / 2)
        x, y = (self.left + self.right) // 2, (self.top + self.bottom) // 2
        return [
            Rectangle(left, top, right, bottom)
            for top, bottom in ((self.top, y + margin), (y - margin, self.bottom))
            for left, right in ((self.left, x + margin), (x - margin, self.right))
        ]

    def tiles(self, columns: int, rows: int, overlap: int) -> list[Rectangle]:
        """Equal tiles of the rectangle, row by row. Neighbours overlap by this many pixels, at most a side of it."""
        across = _overlapping_parts(self.left, self.right, columns, overlap)
        down = _overlapping_parts(self.top, self.bottom, rows, overlap)
        return [Rectangle(left, top, right, bottom) for top, bottom in down for left, right in across]


def _overlapping_parts(start: int, end: int, parts: int, overlap: int) -> list[tuple[int, int]]:
    """Equal parts of the range from `start` to `end`. Neighbours share `overlap` pixels."""
    length = end - start - overlap
    starts = [start + length * part // parts for part in range(parts)]
    ends = [start - (-length * part // parts) + overlap for part in range(1, parts + 1)]  # rounded up
    return list(zip(starts, ends, strict=True))


@dataclass(frozen=True, slots=True)
class Box:
    """The bounding box of what may be hidden, in fractions (0…1) of the upright image.

    `confidence` is 0…100, and `found_by` names the detector. `roll` is the rotation of the head or of the text in the
    image plane, in degrees clockwise: 0 is upright, 180 upside down. It is measured in pixels, not in fractions of the
    sides.

    The box of a face detector is upright and encloses the turned head. If `turned` is true, the box itself is turned
    about its middle by `roll`: boxes of text and boxes that people draw are. A turned box may reach outside the image,
    and may be wider than the image. `ratio` is the image's width divided by its height in pixels. It is needed to place
    the corners of a turned box. It is not a part of the box, so boxes are compared and stored without it.
    """

    left: float
    top: float
    width: float
    height: float
    confidence: float
    found_by: str = ""
    roll: float = 0.0
    turned: bool = False
    kind: Kind = "face"
    ratio: float = field(default=1.0, compare=False)

    @property
    def right(self) -> float:
        """The right edge, as a fraction of the image's width."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """The lower edge, as a fraction of the image's height."""
        return self.top + self.height

    @property
    def area(self) -> float:
        """The box's area as a fraction of the image's."""
        return self.width * self.height

    @property
    def tilt(self) -> float:
        """How far the box itself is turned about its middle, in degrees clockwise."""
        return self.roll if self.turned else 0.0

    @property
    def bounds(self) -> Box:
        """The smallest upright box around this box."""
        if not self.tilt:
            return self
        wide, high = _extent(self, self.tilt, self.ratio)
        x, y = (self.left + self.right) / 2, (self.top + self.bottom) / 2
        return replace(
            self, left=x - wide / self.ratio / 2, top=y - high / 2, width=wide / self.ratio, height=high, turned=False
        )

    def clamp(self) -> Box:
        """The part of this box that lies inside the image."""
        left, top = min(max(self.left, 0.0), 1.0), min(max(self.top, 0.0), 1.0)
        right, bottom = min(max(self.right, 0.0), 1.0), min(max(self.bottom, 0.0), 1.0)
        return replace(self, left=left, top=top, width=right - left, height=bottom - top)

    def intersection(self, other: Box) -> float:
        """The area that both boxes cover, turned as they are, as a fraction of the image's area."""
        if self.tilt or other.tilt:
            return _common_area(self, other)
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(width, 0.0) * max(height, 0.0)

    def share_in(self, other: Box) -> float:
        """The share (0…1) of this box that lies in the other one."""
        return self.intersection(other) / self.area if self.area > 0 else 0.0

    def overlap(self, other: Box) -> float:
        """Intersection over union, 0…1."""
        common = self.intersection(other)
        union = self.area + other.area - common
        return common / union if union > 0 else 0.0

    def to_dict(self) -> dict[str, Any]:
        """This box for JSON, rounded to about a third of a pixel."""
        return {
            "left": round(self.left, DECIMALS),
            "top": round(self.top, DECIMALS),
            "width": round(self.width, DECIMALS),
            "height": round(self.height, DECIMALS),
            "confidence": round(self.confidence, 1),
            "found_by": self.found_by,
            "roll": round(self.roll, 1),
            "turned": self.turned,
            "kind": self.kind,
        }

    @classmethod
    def from_dict(cls, box: Mapping[str, Any], ratio: float = 1.0) -> Box:
        """The box that `to_dict` wrote, in an image of this ratio; other entries are ignored."""
        return cls(**{each.name: box[each.name] for each in fields(cls) if each.name != "ratio"}, ratio=ratio)


def count_kinds(boxes: Iterable[Box]) -> dict[Kind, int]:
    """The number of boxes of each kind. Every kind has an entry."""
    counts = Counter(box.kind for box in boxes)
    return {kind: counts[kind] for kind in KINDS}


def merge(boxes: Iterable[Box], overlap: float = 0.5, inside: float = inf, higher: float = inf) -> list[Box]:
    """Non-maximum suppression: the boxes, most confident first, without duplicates of more confident boxes.

    A box is a duplicate of a more confident box of its kind if their intersection over union is more than `overlap`.
    It is a duplicate too if more than `inside` of its own area lies in the other box and its middle lies in the ellipse
    over the other box. It is never a duplicate of a box that is more than `higher` times as high.
    """
    kept: list[Box] = []
    index = BoxIndex()
    for box in sorted(boxes, key=lambda box: (-box.confidence, -box.area)):
        near = [other for other in index.near(box) if other.kind == box.kind and other.height <= higher * box.height]
        if not any(box.overlap(other) > overlap or is_part(box, other, inside) for other in near):
            kept.append(box)
            index.add(box)
    return kept


def merge_faces(boxes: Iterable[Box]) -> list[Box]:
    """The boxes of faces, most confident first, without those that repeat another one: a face may have several."""
    return merge(boxes, overlap=0.4, inside=0.8)


def merge_lines(boxes: Iterable[Box]) -> list[Box]:
    """The boxes of lines of text, most confident first, without duplicates."""
    return merge(boxes, SAME, WITHIN, HIGHER)


def is_part(box: Box, other: Box, inside: float) -> bool:
    """Whether more than `inside` of the box lies in the other box, and its middle in the ellipse over the other."""
    if not box.intersection(other) > inside * box.area:
        return False
    ratio = _ratio(box, other)
    away = _twice_from(other, box, ratio) * rect(1, -radians(other.tilt))
    wide, high = _extent(box, box.tilt - other.tilt, ratio)
    across = (abs(away.real) + MIDDLE * wide) / (other.width * ratio)
    down = (abs(away.imag) + MIDDLE * high) / other.height
    return across**2 + down**2 < OVAL**2


# The functions below use the image's height as the unit of both axes, so that a rotation keeps lengths. A point (x, y)
# is the complex number x + iy.


def _ratio(one: Box, other: Box) -> float:
    """The ratio of the image in which two boxes lie. Only a turned box is sure to have it."""
    return one.ratio if one.tilt else other.ratio


def _twice_from(one: Box, other: Box, ratio: float) -> complex:
    """Twice the vector from the middle of one box to the middle of the other."""
    across = other.left + other.right - one.left - one.right
    return complex(across * ratio, other.top + other.bottom - one.top - one.bottom)


def _extent(box: Box, degrees: float, ratio: float) -> tuple[float, float]:
    """Width and height of the upright rectangle around a box that is turned by these degrees."""
    turn = rect(1, radians(degrees))
    cosine, sine, width = abs(turn.real), abs(turn.imag), box.width * ratio
    return width * cosine + box.height * sine, width * sine + box.height * cosine


def _common_area(one: Box, other: Box) -> float:
    """The area that both boxes cover, as a fraction of the image's area, if at least one box is turned.

    The plane is moved and turned so that the other box is upright with its middle at 0. Then the first box is clipped
    at each side of the other one (Sutherland and Hodgman, https://doi.org/10.1145/360767.360802).
    """
    ratio = _ratio(one, other)
    turn, back = rect(1, radians(one.tilt)), rect(1, -radians(other.tilt))
    middle, corner = _twice_from(other, one, ratio) / 2, complex(one.width * ratio, one.height) / 2
    half = (corner, -corner.conjugate(), -corner, corner.conjugate())
    points: Sequence[complex] = [(middle + each * turn) * back for each in half]
    across, down = other.width * ratio / 2, other.height / 2
    for limit in (across, down, across, down):
        # After each cut, a quarter turn brings the next side to the right.
        points = [point * -1j for point in _left_of(limit, points)]
    after = [*points[1:], *points[:1]]
    return abs(sum((a.conjugate() * b).imag for a, b in zip(points, after, strict=True))) / 2 / ratio


def _left_of(limit: float, points: Sequence[complex]) -> Iterator[complex]:
    """The corners of the part of a polygon in which x is at most this limit."""
    for point, following in zip(points, [*points[1:], *points[:1]], strict=True):
        room, room_after = limit - point.real, limit - following.real
        if room >= 0:
            yield point
        if (room < 0) != (room_after < 0):
            yield point + room / (room - room_after) * (following - point)


class BoxIndex:
    """Boxes by size and position, so that each box of a crowd is compared only with its neighbours.

    Boxes of about the same width and height share a grid. The cells of a grid are at least as large as its boxes, so a
    box reaches from the cell of its upper left corner at most into the next cells. A turned box counts by its bounds.
    """

    def __init__(self, boxes: Iterable[Box] = ()) -> None:
        """Begin with these boxes."""
        self._grids: dict[tuple[int, int], dict[tuple[int, int], list[tuple[_Edges, Box]]]] = {}
        for box in boxes:
            self.add(box)

    def add(self, box: Box) -> None:
        """Add a box."""
        bounds = box.bounds
        size = _exponent(bounds.width), _exponent(bounds.height)
        cell = _cell(bounds.left, size[0]), _cell(bounds.top, size[1])
        self._grids.setdefault(size, {}).setdefault(cell, []).append((_edges(bounds), box))

    def near(self, box: Box) -> Iterator[Box]:
        """All boxes that may overlap this one."""
        left, top, right, bottom = _edges(box.bounds)
        for (across, down), grid in self._grids.items():
            columns = range(_cell(left, across) - 1, _cell(right, across) + 1)
            rows = range(_cell(top, down) - 1, _cell(bottom, down) + 1)
            if len(columns) * len(rows) < len(grid):
                cells = [cell for cell in product(columns, rows) if cell in grid]
            else:
                cells = [cell for cell in grid if cell[0] in columns and cell[1] in rows]
            for cell in cells:
                for edges, other in grid[cell]:
                    if edges[0] <= right and edges[1] <= bottom and edges[2] >= left and edges[3] >= top:
                        yield other


def _edges(box: Box) -> _Edges:
    """Left, upper, right and lower edge."""
    return box.left, box.top, box.right, box.bottom


def _exponent(side: float) -> int:
    """The exponent of the smallest power of two above this side."""
    return frexp(side)[1]


def _cell(position: float, exponent: int) -> int:
    """The number of the cell of side 2**exponent in which a position lies."""
    return floor(ldexp(position, -exponent))
