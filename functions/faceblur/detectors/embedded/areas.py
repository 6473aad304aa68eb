"""Tiles that show some areas of a picture and little else, so that the slow network sees few pixels."""

from __future__ import annotations

from dataclasses import replace
from math import ceil, floor
from typing import TYPE_CHECKING

import numpy as np

from faceblur.detectors.embedded.tiling import blocks_of, tile_of
from faceblur.geometry import Rectangle

if TYPE_CHECKING:
    from faceblur.detectors.embedded.candidates import Floats
    from faceblur.detectors.embedded.tiling import Tile

# A face of a tile's margin counts if its centre is at least this far from the tile's edge, in pixels of the network's
# input. Nearer to the edge, the network sees too little around the face.
CONTEXT = 20
INDIVISIBLE = 2 * 96**2  # pixels of the input; few areas fit in tiles of less than half as many


def tiles_around(areas: Floats, size: tuple[int, int], scale: float, largest: int) -> list[Tile]:
    """Tiles that show these areas [n, 4] of a picture of this size, at this scale.

    Areas that are close together share a tile. At this scale, no side of the area that a tile must show is above
    `largest`. The tiles also return the faces that they find in their margins.
    """
    wholes = blocks_of(size, scale, largest)
    tiles = [tile for whole in wholes for tile in tiles_of_groups(parts_in(whole, areas), scale, size)]
    return [with_margins(tile, scale, size) for tile in tiles]


def parts_in(block: Rectangle, areas: Floats) -> Floats:
    """The parts of these areas [n, 4] that lie in the block."""
    parts: Floats = np.clip(areas, [*block[:2], *block[:2]], [*block[2:], *block[2:]])
    return parts[(parts[:, :2] < parts[:, 2:]).all(axis=1)]


def tiles_of_groups(areas: Floats, scale: float, size: tuple[int, int]) -> list[Tile]:
    """The tiles around groups of these areas. A group is halved as long as this saves pixels of the network's input."""
    if not len(areas):
        return []
    left, top = areas[:, :2].min(axis=0).tolist()
    right, bottom = areas[:, 2:].max(axis=0).tolist()
    block = Rectangle(floor(left), floor(top), ceil(right), ceil(bottom))
    tile = tile_of(block, scale, size)
    if len(areas) == 1 or tile.pixels <= INDIVISIBLE:
        return [tile]
    parts = [part for half in halves(areas, block) for part in tiles_of_groups(half, scale, size)]
    return min([tile], parts, key=lambda tiles: sum(each.pixels for each in tiles))


def halves(areas: Floats, block: Rectangle) -> tuple[Floats, Floats]:
    """The areas whose centre lies in each half of the block, which is cut across its longer side.

    Each half gets at least one of the areas.
    """
    axis = int(block.size[0] < block.size[1])
    middles = areas[:, axis] + areas[:, axis + 2]
    order = np.argsort(middles, kind="stable")
    before = int(np.searchsorted(middles[order], block[axis] + block[axis + 2]))
    first = min(max(before, 1), len(areas) - 1)
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
