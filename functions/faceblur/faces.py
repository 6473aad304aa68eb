"""Faces as boxes in fractions of the upright image: every detector returns them, every consumer takes them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# A workflow's state holds at most 256 KiB; a box takes about 100 bytes of it.
MAX_FACES = 2000
# A ten-thousandth of the largest side is a pixel.
DECIMALS = 4


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
        """This box as JSON carries it: rounded, so that many fit into a workflow's state."""
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
    """The boxes, most confident first, without those that a more confident one makes superfluous.

    That is, those which overlap it by more than `overlap`, or of whose own area more than `inside` lies in it.
    """
    found = sorted(boxes, key=lambda box: (-box.confidence, -box.area))
    widest = max((box.width for box in found), default=0.0)
    kept: list[Box] = []
    by_left: list[Box] = []  # those kept, from left to right, to compare a box with those beside it only
    for box in found:
        first = bisect_left(by_left, box.left - widest, key=_left)
        beside = by_left[first : bisect_right(by_left, box.right, key=_left)]
        if not any(box.overlap(other) > overlap or box.intersection(other) > inside * box.area for other in beside):
            kept.append(box)
            insort(by_left, box, key=_left)
    return kept


def _left(box: Box) -> float:
    return box.left
