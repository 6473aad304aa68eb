"""Lines of text, whatever has found them, and their boxes."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, degrees, radians, sin
from typing import TYPE_CHECKING

from faceblur.geometry import Box

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from faceblur.limits import Kind


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text: a rectangle of `long` × `short` about (x, y), turned by `roll` degrees clockwise, in pixels.

    The long side lies within 90 degrees of the horizontal. `score` says how sure its detector is, 0…1.
    """

    x: float
    y: float
    long: float
    short: float
    roll: float
    score: float

    def holds(self, x: float, y: float) -> bool:
        """Whether a point, in pixels, lies in the line."""
        c, s = cos(radians(self.roll)), sin(radians(self.roll))
        across, down = (x - self.x) * c + (y - self.y) * s, (y - self.y) * c - (x - self.x) * s
        return abs(across) <= self.long / 2 and abs(down) <= self.short / 2


def line_around(corners: Iterable[tuple[float, float]], angle: float, score: float) -> Line:
    """The smallest line around these corners, in pixels, of which one side is turned by `angle` radians."""
    c, s = cos(angle), sin(angle)
    turned = [(x * c + y * s, y * c - x * s) for x, y in corners]
    (left, right), (top, bottom) = ((min(side), max(side)) for side in zip(*turned, strict=True))
    middle, level = (left + right) / 2, (top + bottom) / 2
    long, short, roll = right - left, bottom - top, degrees(angle)
    if long < short:
        long, short, roll = short, long, roll + 90
    return Line(middle * c - level * s, middle * s + level * c, long, short, (roll + 90) % 180 - 90, score)


def boxes_of(
    lines: Sequence[Line], size: tuple[int, int], kind: Kind, confidence_of: Callable[[float], float]
) -> list[Box]:
    """The lines as turned boxes of this kind in a picture of this size. A score gives a confidence (0…100)."""
    width, height = size
    return [
        Box(
            (line.x - line.long / 2) / width,
            (line.y - line.short / 2) / height,
            line.long / width,
            line.short / height,
            confidence_of(line.score),
            roll=line.roll,
            turned=True,
            kind=kind,
            ratio=width / height,
        )
        for line in lines
    ]
