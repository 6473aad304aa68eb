"""Large pictures for small networks: a picture is scanned in tiles, whose size bounds the memory.

Each tile shows a block of the picture with a margin around it, and answers for the faces whose centre lies in the
block. So a face on the border of two blocks is whole in both tiles and found in one.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import ceil, floor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from faceblur.detectors.embedded.candidates import centres, joined, suppress, widths
from faceblur.detectors.embedded.network import processors

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from faceblur.detectors.embedded.candidates import Floats
    from faceblur.detectors.embedded.network import Network

# All in pixels of the network's input.
MARGIN = 32
CUT = 1.5  # a box nearer than this to a tile's edge is that of a face which the edge cuts

# Each further scan of a pyramid sees the picture this many times smaller, until one tile shows all of it. A face that
# is too large for a tile's margin is whole and clear in a smaller scan.
SMALLER = 3
CLEAR = 14  # pixels of a smaller scan: what is narrower in it, a larger scan shows better

OVERLAP = 0.4  # two boxes of one picture that share more than this (intersection over union) are one face


class Area(NamedTuple):
    """A rectangle in pixels of the picture."""

    left: int
    top: int
    right: int
    bottom: int

    def quarters(self) -> Iterator[Area]:
        """Its four parts."""
        x, y = (self.left + self.right) // 2, (self.top + self.bottom) // 2
        yield Area(self.left, self.top, x, y)
        yield Area(x, self.top, self.right, y)
        yield Area(self.left, y, x, self.bottom)
        yield Area(x, y, self.right, self.bottom)


@dataclass(frozen=True, slots=True)
class Tile:
    """A block of the picture, the area around it that is shown, and the size at which it is shown."""

    block: Area
    shown: Area
    size: tuple[int, int]


def scan(network: Network, picture: Image.Image, scale: float, blocks: Sequence[Area], threshold: float) -> Floats:
    """The candidates in these blocks of the picture at this scale, with scores above `threshold`, in its pixels."""
    tiles = sorted((tile_of(block, scale, picture.size) for block in blocks), key=lambda tile: tile.size)

    def look(batch: Sequence[Tile]) -> Floats:
        found = network.find_in_each([view(picture, tile) for tile in batch], threshold)
        return joined([in_picture(*each, picture.size) for each in zip(found, batch, strict=True)])

    with ThreadPoolExecutor(processors()) as pool:
        return suppress(joined(list(pool.map(look, batches(tiles, network)))), OVERLAP)


def scan_pyramid(network: Network, picture: Image.Image, scale: float, threshold: float) -> Floats:
    """The candidates in the whole picture at this scale and at smaller ones."""
    blocks = blocks_of(picture.size, scale, network.largest_block)
    found = [scan(network, picture, scale, blocks, threshold)]
    while len(blocks) > 1:
        scale /= SMALLER
        blocks = blocks_of(picture.size, scale, network.largest_block)
        smaller = scan(network, picture, scale, blocks, threshold)
        found.append(smaller[widths(smaller) >= CLEAR / scale])
    return suppress(joined(found), OVERLAP)


def view(picture: Image.Image, tile: Tile) -> Image.Image:
    """What a tile shows of the picture."""
    if tile.size == (tile.shown.right - tile.shown.left, tile.shown.bottom - tile.shown.top):
        return picture.crop(tile.shown)
    return picture.resize(tile.size, Image.Resampling.BILINEAR, tile.shown, reducing_gap=2)


def find_in_batches(network: Network, pictures: Sequence[Image.Image], threshold: float) -> list[Floats]:
    """The candidates in each of these pictures of one size, with scores above `threshold`, in its pixels."""
    if not pictures:
        return []
    many = at_a_time(network, pictures[0].size)
    several = [pictures[start : start + many] for start in range(0, len(pictures), many)]
    with ThreadPoolExecutor(processors()) as pool:
        return [
            found for batch in pool.map(lambda each: network.find_in_each(each, threshold), several) for found in batch
        ]


def at_a_time(network: Network, size: tuple[int, int]) -> int:
    """How many pictures of this size are shown to a network at a time: as many pixels as its largest tile has."""
    return max(1, (network.largest_block + 2 * MARGIN) ** 2 // (size[0] * size[1]))


def blocks_of(size: tuple[int, int], scale: float, largest: int) -> list[Area]:
    """The whole picture of this size as blocks for this scale: the fewest that are all alike and not too large."""
    columns, rows = (cuts(side, ceil(side * scale / largest)) for side in size)
    return [Area(left, top, right, bottom) for top, bottom in pairwise(rows) for left, right in pairwise(columns)]


def cuts(length: int, parts: int) -> list[int]:
    """The places at which a length is divided into so many parts."""
    return [round(length * part / parts) for part in range(parts + 1)]


def blocks_around(areas: Floats, size: tuple[int, int], scale: float, largest: int) -> list[Area]:
    """Blocks that together hold these areas [n, 4] of a picture of this size, and little else.

    A block is divided into quarters, those without an area are left out, and so on as long as that takes fewer pixels
    of the network's input, margins included.
    """
    return [part for block in blocks_of(size, scale, largest) for part in parts_around(areas, block, scale)]


def parts_around(areas: Floats, block: Area, scale: float) -> list[Area]:
    """The parts of a block that hold these areas."""
    left, top, right, bottom = areas.T[:4]
    here = areas[(left < block.right) & (block.left < right) & (top < block.bottom) & (block.top < bottom)]
    if not len(here):
        return []
    if min(block.right - block.left, block.bottom - block.top) * scale < 2 * MARGIN:
        return [block]
    parts = [part for quarter in block.quarters() for part in parts_around(here, quarter, scale)]
    return parts if sum(pixels(part, scale) for part in parts) < pixels(block, scale) else [block]


def pixels(block: Area, scale: float) -> float:
    """How many pixels of the network's input a block takes with its margins."""
    width, height = (block.right - block.left) * scale, (block.bottom - block.top) * scale
    return (width + 2 * MARGIN) * (height + 2 * MARGIN)


def tile_of(block: Area, scale: float, size: tuple[int, int]) -> Tile:
    """The tile that shows a block of a picture of this size."""
    margin = MARGIN / scale
    shown = Area(
        max(floor(block.left - margin), 0),
        max(floor(block.top - margin), 0),
        min(ceil(block.right + margin), size[0]),
        min(ceil(block.bottom + margin), size[1]),
    )
    width, height = (max(1, round(side * scale)) for side in (shown.right - shown.left, shown.bottom - shown.top))
    return Tile(block, shown, (width, height))


def batches(tiles: Sequence[Tile], network: Network) -> Iterator[list[Tile]]:
    """The tiles, sorted by size, in batches of one size."""
    for size, alike in groupby(tiles, key=lambda tile: tile.size):
        many, waiting = at_a_time(network, size), list(alike)
        for start in range(0, len(waiting), many):
            yield waiting[start : start + many]


def in_picture(candidates: Floats, tile: Tile, size: tuple[int, int]) -> Floats:
    """A tile's candidates in pixels of the picture: those with their centre in its block that no edge cuts."""
    shown = tile.shown
    across, down = (shown.right - shown.left) / tile.size[0], (shown.bottom - shown.top) / tile.size[1]
    candidates = candidates.copy()
    candidates[:, :4] = candidates[:, :4] * [across, down, across, down] + [*shown[:2], *shown[:2]]
    left, top, right, bottom = candidates.T[:4]
    whole = (
        ((left > shown.left + CUT * across) | (shown.left == 0))
        & ((top > shown.top + CUT * down) | (shown.top == 0))
        & ((right < shown.right - CUT * across) | (shown.right == size[0]))
        & ((bottom < shown.bottom - CUT * down) | (shown.bottom == size[1]))
    )
    x, y = centres(candidates).T
    block = tile.block
    own = (block.left <= x) & (x < block.right) & (block.top <= y) & (y < block.bottom)
    # A centre may lie on the picture's own edge.
    own |= (x >= size[0]) & (block.right == size[0]) | (y >= size[1]) & (block.bottom == size[1])
    kept: Floats = candidates[np.flatnonzero(whole & own)]
    return kept
