"""Masks of the painted pixels, as arrays [height, width]."""

from __future__ import annotations

from math import ceil, cos, floor, hypot, radians, sin
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from faceblur.photo import painting

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from faceblur.photo.styles import Region


def opacities(size: tuple[int, int], region: Region) -> NDArray[np.uint8]:
    """How opaque the paint over this region is in a picture of this size, 0…255."""
    mask = Image.new("L", size)
    for piece, part in painting.outline(size, region).pieces():
        mask.paste(part, piece)
    return np.asarray(mask)


def opaque(size: tuple[int, int], region: Region) -> NDArray[np.bool_]:
    """The pixels where nothing of the picture may show through."""
    return opacities(size, region) == 255


def ellipse(size: tuple[int, int], x: float, y: float, across: float, down: float, roll: float) -> NDArray[np.bool_]:
    """The pixels whose middle lies in an ellipse. It is given in pixels, and turned clockwise by degrees."""
    wide, high = _reach(across, down, roll)
    left, right = np.clip((floor(x - wide), ceil(x + wide)), 0, size[0])
    top, bottom = np.clip((floor(y - high), ceil(y + high)), 0, size[1])
    rows, columns = (each + 0.5 for each in np.ogrid[top:bottom, left:right])
    turn = radians(roll)
    along = (columns - x) * cos(turn) + (rows - y) * sin(turn)
    below = (rows - y) * cos(turn) - (columns - x) * sin(turn)
    inside = np.zeros(size[::-1], bool)
    inside[top:bottom, left:right] = (along / across) ** 2 + (below / down) ** 2 <= 1
    return inside


def corners(size: tuple[int, int], x: float, y: float, across: float, down: float, roll: float) -> list[float]:
    """Left, top, width and height of the upright box around such an ellipse, in fractions of the picture."""
    wide, high = _reach(across, down, roll)
    width, height = size
    return [(x - wide) / width, (y - high) / height, 2 * wide / width, 2 * high / height]


def _reach(across: float, down: float, roll: float) -> tuple[float, float]:
    """How far such an ellipse reaches from its middle, horizontally and vertically."""
    turn = radians(roll)
    return hypot(across * cos(turn), down * sin(turn)), hypot(across * sin(turn), down * cos(turn))
