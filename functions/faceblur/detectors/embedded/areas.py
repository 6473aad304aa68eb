"""Tiles that show some areas of a picture and little else, so that the slow network sees few pixels."""

from __future__ import annotations

from dataclasses import replace
from math import ceil, floor
from typing import TYPE_CHECKING

import numpy as np

from faceblur.detectors.embedded.tiling import tile_of, tiles_of
from faceblur.geometry import Rectangle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from faceblur.detectors.embedded.candidates import Floats
    from faceblur.detectors.embedded.tiling import Tile

# A face of a tile's margin counts if its centre is at least this far from the tile's edge, in pixels of the network's
# input. Nearer to the edge, the network sees too little around the face.
CONTEXT = 26
# Pixels of the input. A tile with no more is not divided: almost every tile has sides of 96 pixels or more, so two
# halves would take as many.
INDIVISIBLE = 2 * 96**2


def tiles_around(areas: Floats, size: tuple[int, int], scale: float, largest: int) -> list[Tile]:
    """Tiles that show these areas [n, 4] of a picture of this size, at this scale.

    Areas that are close together share a tile, as long as no side of what it must show is above `largest` at this
    scale. If one area is longer than that, its tile shows the middle. The tiles also return the faces that they find in
    their margins. If tiles of the complete picture take fewer pixels, those are returned instead.
    """
    tiles = tiles_of_groups(bounded(areas, size, largest / scale), size, scale, largest)
    return min([with_margins(tile, scale, size) for tile in tiles], tiles_of(size, scale, largest), key=pixels)


def bounded(areas: Floats, size: tuple[int, int], longest: float) -> Floats:
    """The parts of these areas [n, 4] that lie in the picture. Of a side above `longest` pixels, the middle is left."""
    middles = (areas[:, :2] + areas[:, 2:]) / 2
    parts = areas.clip(np.tile(middles - longest / 2, 2), np.tile(middles + longest / 2, 2)).clip(0, [*size, *size])
    within: Floats = parts[(parts[:, :2] < parts[:, 2:]).all(axis=1)]
    return within


def tiles_of_groups(areas: Floats, size: tuple[int, int], scale: float, largest: int) -> list[Tile]:
    """The tiles around groups of these areas. A group is halved if it is too large or if this saves pixels."""
    if not len(areas):
        return []
    left, top = areas[:, :2].min(axis=0).tolist()
    right, bottom = areas[:, 2:].max(axis=0).tolist()
    block = Rectangle(floor(left), floor(top), ceil(right), ceil(bottom))
    tile, fits = tile_of(block, scale, size), max(block.size) * scale <= largest
    if len(areas) == 1 or (fits and tile.pixels <= INDIVISIBLE):
        return [tile]
    parts = [part for half in halves(areas, block) for part in tiles_of_groups(half, size, scale, largest)]
    return min([tile], parts, key=pixels) if fits else parts


def pixels(tiles: Sequence[Tile]) -> int:
    """The number of pixels of the network's input that these tiles take."""
    return sum(tile.pixels for tile in tiles)


def halves(areas: Floats, block: Rectangle) -> tuple[Floats, Floats]:
    """The areas whose centre lies in each half of the block, which is cut across its longer side.

    If all lie in one half, the areas are divided by their number.
    """
    axis = int(block.size[0] < block.size[1])
    middles = areas[:, axis] + areas[:, axis + 2]
    order = np.argsort(middles, kind="stable")
    first = int(np.searchsorted(middles[order], block[axis] + block[axis + 2]))
    if first in (0, len(areas)):
        first = len(areas) // 2
    return areas[order[:first]], areas[order[first:]]


def with_margins(tile: Tile, scale: float, size: tuple[int, int]) -> Tile:
    """The tile, which also returns the faces of its margins, but for those near an edge that crops the photo."""
    strip = round(CONTEXT / scale)
    left, top, right, bottom = tile.shown
    block = Rectangle(
        left and left + strip,
        top and top + strip,
        right if right == size[0] else right - strip,
        bottom if bottom == size[1] else bottom - strip,
    )
    return replace(tile, block=block)
