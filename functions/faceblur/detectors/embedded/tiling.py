"""Scans large pictures in tiles, so that the memory is bounded.

Each tile shows a block of the picture and a margin around it. It returns the faces whose centre lies in the block. So
two tiles show a face on the border of their blocks completely, and one of them returns it. If blocks overlap, two tiles
may return the same face, and non-maximum suppression removes one.
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
from faceblur.detectors.embedded.network import padded, processors
from faceblur.geometry import Rectangle

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from faceblur.detectors.embedded.candidates import Floats
    from faceblur.detectors.embedded.network import Network

# Both are in pixels of the network's input.
MARGIN = 30  # at least; with it, the largest tiles need no padding
CUT = 1.5  # a box nearer than this to a tile's edge belongs to a face that the edge crops

# In a pyramid, each further scan reduces the picture this many times more, until one tile shows all of it. If a face is
# too large for the margin of a tile, a smaller scan shows it completely and clearly.
SMALLER = 3
# Pixels of a smaller scan; a larger scan shows narrower faces better. The margin of a larger scan's tile must hold half
# of a narrower face, which may be 1.45 times as high as it is wide: 1.45 * CLEAR * SMALLER / 2 <= MARGIN - CUT.
CLEAR = 13

OVERLAP = 0.4  # two boxes of a picture with a larger intersection over union belong to one face


@dataclass(frozen=True, slots=True)
class Tile:
    """A block of the picture, the area shown around it, and the size in pixels at which it is shown."""

    block: Rectangle
    shown: Rectangle
    size: tuple[int, int]

    @property
    def pixels(self) -> int:
        """The number of pixels of the network's input that the tile takes."""
        return padded(self.size[0]) * padded(self.size[1])


def scan(network: Network, picture: Image.Image, tiles: Sequence[Tile], threshold: float) -> Floats:
    """The candidates with scores above `threshold` in these tiles, in pixels of the picture."""
    by_size = sorted(tiles, key=lambda tile: tile.size)

    def scan_batch(batch: Sequence[Tile]) -> Floats:
        found = network.find_in_each([view(picture, tile) for tile in batch], threshold)
        return joined([in_picture(*each, picture.size) for each in zip(found, batch, strict=True)])

    with ThreadPoolExecutor(processors()) as pool:
        return suppress(joined(list(pool.map(scan_batch, batches(by_size, network)))), OVERLAP)


def scan_pyramid(network: Network, picture: Image.Image, scale: float, threshold: float) -> Floats:
    """The candidates in the whole picture at this scale and at smaller scales."""
    tiles = tiles_of(picture.size, scale, network.largest_block)
    found = [scan(network, picture, tiles, threshold)]
    while len(tiles) > 1:
        scale /= SMALLER
        tiles = tiles_of(picture.size, scale, network.largest_block)
        smaller = scan(network, picture, tiles, threshold)
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
    return max(1, padded(network.largest_block + 2 * MARGIN) ** 2 // (padded(size[0]) * padded(size[1])))


def tiles_of(size: tuple[int, int], scale: float, largest: int) -> list[Tile]:
    """The tiles that show a complete picture of this size. At this scale, no side of a block is above `largest`."""
    return [tile_of(block, scale, size) for block in blocks_of(size, scale, largest)]


def blocks_of(size: tuple[int, int], scale: float, largest: int) -> list[Rectangle]:
    """A picture of this size, divided into the fewest equal blocks whose side at this scale is at most `largest`."""
    columns, rows = (cuts(side, ceil(side * scale / largest)) for side in size)
    return [Rectangle(left, top, right, bottom) for top, bottom in pairwise(rows) for left, right in pairwise(columns)]


def cuts(length: int, parts: int) -> list[int]:
    """The positions that divide a length into this many parts."""
    return [round(length * part / parts) for part in range(parts + 1)]


def tile_of(block: Rectangle, scale: float, size: tuple[int, int]) -> Tile:
    """The tile that shows a block of a picture of this size.

    Its margin is wider where the network's input would otherwise be padded, because more of the picture costs no more.
    """
    left, right = shown_range(block.left, block.right, scale, size[0])
    top, bottom = shown_range(block.top, block.bottom, scale, size[1])
    shown = Rectangle(left, top, right, bottom)
    width, height = (max(1, round(side * scale)) for side in shown.size)
    return Tile(block, shown, (width, height))


def shown_range(start: int, end: int, scale: float, length: int) -> tuple[int, int]:
    """The range of a side of this length that a tile shows, for a block that takes `start` to `end` of it."""
    margin = ceil(MARGIN / scale)
    needed = min(end + margin, length) - max(start - margin, 0)
    shown = min(max(floor(padded(needed * scale) / scale), needed), length)
    first = min(max(start - margin - (shown - needed) // 2, 0), length - shown)
    return first, first + shown


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
    left, top, right, bottom = tile.block
    # Two tiles place a centre on their border a little differently. Both return such a face rather than neither.
    own = (left - across <= x) & (x <= right + across) & (top - down <= y) & (y <= bottom + down)
    kept: Floats = candidates[np.flatnonzero(uncropped & own)]
    return kept
