"""Which faces lie under paint."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from faceblur.faces import Box
    from faceblur.styles import Region

COVERED = 0.9  # of the inner ellipse
SAMPLES = [
    (0.5 + 0.4 * x / 8, 0.55 + 0.4 * y / 8) for x in range(-8, 9) for y in range(-8, 9) if x * x + y * y <= 64
]  # the inner ellipse, from the brows to the chin, in fractions of a face's box


def uncovered(size: tuple[int, int], regions: Sequence[Region], boxes: Sequence[Box]) -> list[Box]:  # noqa: ARG001
    """The boxes of which less than nine tenths of the inner ellipse lie under the regions' paint.

    `size` is the upright picture's width and height in pixels.
    """
    return [box for box in boxes if _covered(box, regions) < COVERED]


def _covered(box: Box, regions: Sequence[Region]) -> float:
    near = [region for region in regions if _reaches(region, box)]
    points = [(box.left + x * box.width, box.top + y * box.height) for x, y in SAMPLES]
    return sum(any(_holds(region, point) for region in near) for point in points) / len(points)


def _reaches(region: Region, box: Box) -> bool:
    left, top, right, bottom = _painted(region)
    return left < box.right and right > box.left and top < box.bottom and bottom > box.top


def _holds(region: Region, point: tuple[float, float]) -> bool:
    left, top, right, bottom = _painted(region)
    return left <= point[0] <= right and top <= point[1] <= bottom


def _painted(region: Region) -> tuple[float, float, float, float]:
    box, room = region.box, region.style.padding
    across, down = room * box.width, room * box.height
    return box.left - across, box.top - down, box.right + across, box.bottom + down
