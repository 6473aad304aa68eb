"""Scans large pictures in tiles, so that the memory is bounded.

Each tile shows a block of the picture and a margin around it. It returns the faces whose centre lies in the block. So
two tiles show a face on the border of their blocks completely, and one of them returns it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import ceil, floor
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from faceblur.detectors.embedded.candidates import centres, joined, suppress, widths
from faceblur.detectors.embedded.network import processors
from faceblur.geometry import Rectangle

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from faceblur.detectors.embedded.candidates import Floats
    from faceblur.detectors.embedded.network import Network

# Both are in pixels of the network's input.
MARGIN = 32
CUT = 1.5  # a box nearer than this to a tile's edge belongs to a face that the edge crops

# In a pyramid, each further scan reduces the picture this many times more, until one tile shows all of it. If a face is
# too large for the margin of a tile, a smaller scan shows it completely and clearly.
SMALLER = 3
CLEAR = 14  # pixels of a smaller scan; a larger scan shows narrower faces better

OVERLAP = 0.4  # two boxes of a picture with a larger intersection over union belong to one face


@dataclass(frozen=True, slots=True)
class Tile:
    """A block of the picture, the area shown around it, and the size in pixels at which it is shown."""

    block: Rectangle
    shown: Rectangle
    size: tuple[int, int]


def scan(network: Network, picture: Image.Image, scale: float, blocks: Sequence[Rectangle], threshold: float) -> Floats:
    """The candidates with scores above `threshold` in these blocks, scanned at this scale; in pixels of the picture."""
    tiles = sorted((tile_of(block, scale, picture.size) for block in blocks), key=lambda tile: tile.size)

    def scan_batch(batch: Sequence[Tile]) -> Floats:
        found = network.find_in_each([view(picture, tile) for tile in batch], threshold)
        return joined([in_picture(*each, picture.size) for each in zip(found, batch, strict=True)])

    with ThreadPoolExecutor(processors()) as pool:
        return suppress(joined(list(pool.map(scan_batch, batches(tiles, network)))), OVERLAP)


def scan_pyramid(network: Network, picture: Image.Image, scale: float, threshold: float) -> Floats:
    """The candidates in the whole picture at this scale and at smaller scales."""
    blocks = blocks_of(picture.size, scale, network.largest_block)
    found = [scan(network, picture, scale, blocks, threshold)]
    while len(blocks) > 1:
        scale /= SMALLER
        blocks = blocks_of(picture.size, scale, network.largest_block)
        smaller = scan(network, picture, scale, blocks, threshold)
        found.append(smaller[widths(smaller) >= CLEAR / scale])
    return suppress(joined(found), OVERLAP)


def view(picture: Image.Image, tile: Tile) -> Image.Image:
    """The part of the picture that a tile shows, at the size of the tile."""
    if tile.size == tile.shown.size:
        return picture.crop(tile.shown)
    return picture.resize(tile.size, Image.Resampling.BILINEAR, tile.shown, reducing_gap=2)


def find_in_batches(network: Network, pictures: Sequence[Image.Image], threshold: float) -> list[Floats]:
    """The candidates with scores above `threshold` in each of these pictures of one size, in pixels of the picture."""
    if not pictures:
        return []
    count = batch_size(network, pictures[0].size)
    batched = [pictures[start : start + count] for start in range(0, len(pictures), count)]
    with ThreadPoolExecutor(processors()) as pool:
        answers = pool.map(lambda batch: network.find_in_each(batch, threshold), batched)
        return [found for answer in answers for found in answer]


def batch_size(network: Network, size: tuple[int, int]) -> int:
    """The number of pictures of this size in a batch, so that it has at most as many pixels as the largest tile."""
    return max(1, (network.largest_block + 2 * MARGIN) ** 2 // (size[0] * size[1]))


def blocks_of(size: tuple[int, int], scale: float, largest: int) -> list[Rectangle]:
    """A picture of this size, divided into the fewest equal blocks whose side at this scale is at most `largest`."""
    columns, rows = (cuts(side, ceil(side * scale / largest)) for side in size)
    return [Rectangle(left, top, right, bottom) for top, bottom in pairwise(rows) for left, right in pairwise(columns)]


def cuts(length: int, parts: int) -> list[int]:
    """The positions that divide a length into this many parts."""
    return [round(length * part / parts) for part in range(parts + 1)]


def blocks_around(areas: Floats, size: tuple[int, int], scale: float, largest: int) -> list[Rectangle]:
    """Blocks that hold these areas [n, 4] of a picture of this size, and little else.

    A block is divided into quarters, and those without an area are left out. This is repeated as long as it saves
    pixels of the network's input, margins included.
    """
    return [part for block in blocks_of(size, scale, largest) for part in parts_around(areas, block, scale)]


def parts_around(areas: Floats, block: Rectangle, scale: float) -> list[Rectangle]:
    """The parts of a block that hold these areas."""
    left, top, right, bottom = areas.T[:4]
    here = areas[(left < block.right) & (block.left < right) & (top < block.bottom) & (block.top < bottom)]
    if not len(here):
        return []
    if min(block.size) * scale < 2 * MARGIN:
        return [block]
    parts = [part for quarter in block.quarters() for part in parts_around(here, quarter, scale)]
    return parts if sum(pixels(part, scale) for part in parts) < pixels(block, scale) else [block]


def pixels(block: Rectangle, scale: float) -> float:
    """The number of pixels of the network's input for a block with its margins."""
    width, height = block.size
    return (width * scale + 2 * MARGIN) * (height * scale + 2 * MARGIN)


def tile_of(block: Rectangle, scale: float, size: tuple[int, int]) -> Tile:
    """The tile that shows a block of a picture of this size."""
    margin = MARGIN / scale
    shown = Rectangle(
        floor(block.left - margin), floor(block.top - margin), ceil(block.right + margin), ceil(block.bottom + margin)
    ).clip(size)
    width, height = (max(1, round(side * scale)) for side in shown.size)
    return Tile(block, shown, (width, height))


def batches(tiles: Sequence[Tile], network: Network) -> Iterator[list[Tile]]:
    """The tiles, sorted by size, in batches of one size."""
    for size, alike in groupby(tiles, key=lambda tile: tile.size):
        count, same_size = batch_size(network, size), list(alike)
        for start in range(0, len(same_size), count):
            yield same_size[start : start + count]


def in_picture(candidates: Floats, tile: Tile, size: tuple[int, int]) -> Floats:
    """A tile's uncropped candidates whose centre lies in its block, converted to pixels of the picture."""
    shown = tile.shown
    across, down = shown.size[0] / tile.size[0], shown.size[1] / tile.size[1]
    candidates = candidates.copy()
    candidates[:, :4] = candidates[:, :4] * [across, down, across, down] + [*shown[:2], *shown[:2]]
    left, top, right, bottom = candidates.T[:4]
    uncropped = (
        ((left > shown.left + CUT * across) | (shown.left == 0))
        & ((top > shown.top + CUT * down) | (shown.top == 0))
        & ((right < shown.right - CUT * across) | (shown.right == size[0]))
        & ((bottom < shown.bottom - CUT * down) | (shown.bottom == size[1]))
    )
    x, y = centres(candidates).T
    block = tile.block
    own = (block.left <= x) & (x < block.right) & (block.top <= y) & (y < block.bottom)
    # A centre may lie on the edge of the picture.
    own |= (x >= size[0]) & (block.right == size[0]) | (y >= size[1]) & (block.bottom == size[1])
    kept: Floats = candidates[np.flatnonzero(uncropped & own)]
    return kept
