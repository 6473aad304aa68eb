"""Faces as boxes in fractions of the upright image: every detector returns them, every consumer takes them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from math import floor, frexp, inf, ldexp
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# Photos have at most 65,535 pixels a side: a box is stored to a third of a pixel.
DECIMALS = 5
# A box that lies in another is a part of the same face if its middle, this large, lies in the ellipse over the other,
# this large. In a corner it may be another face, and the paint over a head does not reach into the corners of its box.
MIDDLE, OVAL = 0.5, 1.1


class BoxDict(TypedDict):
    """A box as it travels in JSON."""

    left: float
    top: float
    width: float
    height: float
    confidence: float
    found_by: str
    roll: float


@dataclass(frozen=True, slots=True)
class Box:
    """A face's bounding box: fractions 0…1 of the upright image; confidence 0…100; the detector that found it.

    `roll` is the head's rotation in the image plane, in degrees clockwise: 0 is upright, 180 upside down. It is
    measured in pixels, not in fractions of the sides.
    """

    left: float
    top: float
    width: float
    height: float
    confidence: float
    found_by: str = ""
    roll: float = 0.0

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

    def clamp(self) -> Box:
        """The part of this box that lies inside the image."""
        left, top = min(max(self.left, 0.0), 1.0), min(max(self.top, 0.0), 1.0)
        right, bottom = min(max(self.right, 0.0), 1.0), min(max(self.bottom, 0.0), 1.0)
        return replace(self, left=left, top=top, width=right - left, height=bottom - top)

    def intersection(self, other: Box) -> float:
        """The area that both boxes cover, as a fraction of the image's."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(width, 0.0) * max(height, 0.0)

    def overlap(self, other: Box) -> float:
        """Intersection over union, 0…1."""
        common = self.intersection(other)
        union = self.area + other.area - common
        return common / union if union > 0 else 0.0

    def to_dict(self) -> BoxDict:
        """This box as JSON carries it, rounded to what can be seen."""
        return BoxDict(
            left=round(self.left, DECIMALS),
            top=round(self.top, DECIMALS),
            width=round(self.width, DECIMALS),
            height=round(self.height, DECIMALS),
            confidence=round(self.confidence, 1),
            found_by=self.found_by,
            roll=round(self.roll, 1),
        )

    @classmethod
    def from_dict(cls, box: Mapping[str, Any]) -> Box:
        """The box that `to_dict` wrote."""
        return cls(**{name: box[name] for name in BoxDict.__annotations__ if name in box})


def merge(boxes: Iterable[Box], overlap: float = 0.5, inside: float = inf) -> list[Box]:
    """The boxes, most confident first, without those that repeat a more confident one.

    A box repeats a more confident one if they overlap by more than `overlap`, or if more than `inside` of its own area
    lies in the other and its middle in the ellipse over the other.
    """
    kept: list[Box] = []
    places = _Places()
    for box in sorted(boxes, key=lambda box: (-box.confidence, -box.area)):
        near = places.near(box)
        if not any(box.overlap(other) > overlap or _is_part(box, other, inside) for other in near):
            kept.append(box)
            places.add(box)
    return kept


def _is_part(box: Box, other: Box, inside: float) -> bool:
    """Whether so much of the box lies in the other, and its middle in the ellipse over the other."""
    if not box.intersection(other) > inside * box.area:
        return False
    across = (abs(box.left + box.right - other.left - other.right) + MIDDLE * box.width) / other.width
    down = (abs(box.top + box.bottom - other.top - other.bottom) + MIDDLE * box.height) / other.height
    return across**2 + down**2 < OVAL**2


class _Places:
    """Boxes by their size and place, so that in a crowd each is compared with its neighbours alone.

    Boxes of about the same width and height share a grid, whose cells are at least as large as they are: a box reaches
    from the cell of its upper left corner at most into the next ones.
    """

    def __init__(self) -> None:
        self._grids: dict[tuple[int, int], dict[tuple[int, int], list[Box]]] = {}

    def add(self, box: Box) -> None:
        size = _exponent(box.width), _exponent(box.height)
        cell = _cell(box.left, size[0]), _cell(box.top, size[1])
        self._grids.setdefault(size, {}).setdefault(cell, []).append(box)

    def near(self, box: Box) -> Iterator[Box]:
        """All boxes that may overlap this one."""
        for (across, down), grid in self._grids.items():
            columns = range(_cell(box.left, across) - 1, _cell(box.right, across) + 1)
            rows = range(_cell(box.top, down) - 1, _cell(box.bottom, down) + 1)
            if len(columns) * len(rows) < len(grid):
                cells = [cell for cell in product(columns, rows) if cell in grid]
            else:
                cells = [cell for cell in grid if cell[0] in columns and cell[1] in rows]
            for cell in cells:
                yield from grid[cell]


def _exponent(side: float) -> int:
    """The least power of two that is larger than this side."""
    return frexp(side)[1]


def _cell(place: float, exponent: int) -> int:
    """In which cell of this size a place lies."""
    return floor(ldexp(place, -exponent))
