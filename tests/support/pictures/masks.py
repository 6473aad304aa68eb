"""Masks of the painted pixels, as arrays [height, width]."""

from __future__ import annotations

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
    rows, columns = (each + 0.5 for each in np.ogrid[: size[1], : size[0]])
    turn = np.radians(roll)
    along = (columns - x) * np.cos(turn) + (rows - y) * np.sin(turn)
    below = (rows - y) * np.cos(turn) - (columns - x) * np.sin(turn)
    return (along / across) ** 2 + (below / down) ** 2 <= 1


def corners(size: tuple[int, int], x: float, y: float, across: float, down: float, roll: float) -> list[float]:
    """Left, top, width and height of the upright box around such an ellipse, in fractions of the picture."""
    turn = np.radians(roll)
    wide = np.hypot(across * np.cos(turn), down * np.sin(turn))
    high = np.hypot(across * np.sin(turn), down * np.cos(turn))
    width, height = size
    return [(x - wide) / width, (y - high) / height, 2 * wide / width, 2 * high / height]
