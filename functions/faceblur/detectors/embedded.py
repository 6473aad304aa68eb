"""The embedded detector: CenterFace inside the function itself.

The network finds faces of 16 to 500 pixels at the size at which it sees them, and hints at those of 8 to 16 by
weak responses. So a look has three steps, each with less to see than the one before: the whole photo small, for
faces that fill it; the photo at three quarters of its size, in tiles that bound the memory; and, much enlarged,
only the places where a weak response makes a face possible.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, inf
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from faceblur import images
from faceblur.detectors import Detection, Look
from faceblur.detectors.centerface import MULTIPLE, centerface, suppress
from faceblur.detectors.doubts import Doubt, doubts_about
from faceblur.faces import Box

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faceblur.detectors import StoredPhoto
    from faceblur.detectors.centerface import CenterFace, Floats

# The network's scores (0…1) against confidence (0…100). 0.35 is where recall is best without a false alarm on
# pictures of no one; it is made the middle of the scale, the default.
SCORES = [0.0, 0.35, 1.0]
CONFIDENCES = [0.0, 50.0, 100.0]
LOWEST_SCORE = 0.1  # below it the network's answer is noise

HALVED_ABOVE = 40_000_000  # pixels; the sharpness of larger photos is not that of their pixels, and memory counts
NEAR_LIMIT = 12  # pixels of the photo: of faces below this width, some are missed
SAME = 0.4  # two boxes of different looks that share more than this (intersection over union) are one face

# The overview and the scan.
SMALL_PHOTO = 640  # pixels: the scan sees no photo smaller than this, unless it is
OVERVIEW = 4.5  # times smaller than the scan, at most: what is too large for a tile's margin is clear in it
TILE = 768  # pixels of the network's input; 768×768 take about 150 MB
MARGIN = 32  # what a tile sees around its own part, in pixels of the network's input

# The closer look at where faces are possible; sizes are pixels of the scan unless said otherwise.
POSSIBLE = 0.025  # score: nine in ten faces of 10 pixels give as much; of texture, a few places a megapixel
LIKELY = 0.06  # score: most responses of this strength are faces
BLOCK = 128  # possible faces in one block are looked at together
CONTEXT = 1.0  # of a face's width is seen on each side of its middle, and at least this many pixels:
LEAST_CONTEXT = 16
# Where a response is weak, the size that comes with it is a guess, often too large: it counts up to these
# for what is seen, and for how much it is enlarged.
GUESSED_WIDTHS = (4, 28)
LARGEST_UNCLEAR = 16
CLEAR, LARGE = 20, 36  # pixels of the network's input: a face is enlarged to at least the one, at most the other,
CLOSE = 128  # and in between so that a block has about this side
ENLARGED = 4  # times the photo's size; beyond it texture begins to look like faces


@dataclass(frozen=True, slots=True)
class View:
    """How a look sees the photo: the scale of the scan, and up to which a small photo is scanned; the long side
    of the overview; and whether all is mirrored.
    """

    scale: float
    enlarged: float
    overview: int
    mirrored: bool


VIEWS = {
    Look.FIRST: View(scale=0.75, enlarged=1.0, overview=448, mirrored=False),
    Look.SECOND: View(scale=0.85, enlarged=1.25, overview=544, mirrored=True),
}


class EmbeddedDetector:
    """CenterFace under onnxruntime, on this machine's processors."""

    def detect(self, photo: StoredPhoto, min_confidence: float, look: Look) -> Detection:
        """The faces of at least this confidence (0…100); a PhotoError if the photo cannot be read."""
        picture = load(photo.data)
        view = VIEWS[look]
        network = centerface()
        found = search(network, ImageOps.mirror(picture) if view.mirrored else picture, score(min_confidence), view)
        widths = found[:, 2] - found[:, 0]
        doubts = doubts_about(picture)
        if (widths < NEAR_LIMIT).any():
            doubts.append(Doubt.FACES_NEAR_SIZE_LIMIT)
        corners = found[:, :4] / [*picture.size, *picture.size]
        if view.mirrored:
            corners[:, [0, 2]] = 1 - corners[:, [2, 0]]
        return Detection(
            boxes=[
                Box(left, top, right - left, bottom - top, confidence)
                for (left, top, right, bottom), confidence in zip(
                    corners.tolist(), np.interp(found[:, 4], SCORES, CONFIDENCES).tolist(), strict=True
                )
            ],
            detector="embedded",
            version=network.version,
            calls=0,
            warnings=sorted(doubts),
        )


def load(data: bytes) -> Image.Image:
    """The photo, upright; half its size if it is very large."""
    header = images.inspect(data)
    if header.width * header.height <= HALVED_ABOVE:
        return images.load_for_detection(data, None)
    long_side = max(header.width, header.height) // 2
    picture = images.load_for_detection(data, long_side)
    return picture if max(picture.size) <= long_side + 1 else picture.reduce(2)


def score(confidence: float) -> float:
    """The network's score (0…1) that stands for this confidence (0…100)."""
    return max(float(np.interp(confidence, CONFIDENCES, SCORES)), LOWEST_SCORE)


def search(network: CenterFace, picture: Image.Image, threshold: float, view: View) -> Floats:
    """All candidates in the picture with scores above the threshold, in its pixels."""
    long_side = max(picture.size)
    scale = max(view.scale, min(view.enlarged, SMALL_PHOTO / long_side))
    found = [scan(network, picture, scale)]
    if long_side * scale > SMALL_PHOTO:
        found.append(scan(network, picture, max(view.overview / long_side, scale / OVERVIEW)))
    candidates = suppress(np.concatenate(found), SAME)
    closer = [
        look_closer(network, picture, area, zoom, threshold)
        for area, zoom in doubtful_areas(candidates, scale, threshold)
    ]
    found = [candidates[candidates[:, 4] > threshold], *closer]
    return suppress(np.concatenate(found), SAME)


def scan(network: CenterFace, picture: Image.Image, scale: float) -> Floats:
    """The possible faces in the whole picture, seen at this scale in tiles; each tile answers for its own part."""
    found = []
    for top, bottom, own_top, own_bottom in tiles(picture.height, scale):
        for left, right, own_left, own_right in tiles(picture.width, scale):
            candidates = look_at(network, picture, (left, top, right, bottom), scale, POSSIBLE)
            x, y = (candidates[:, :2] + candidates[:, 2:4]).T / 2
            own = (own_left <= x) & (x < own_right) & (own_top <= y) & (y < own_bottom)
            found.append(candidates[own])
    return np.concatenate(found)


def tiles(length: int, scale: float) -> Iterator[tuple[int, int, float, float]]:
    """The tiles along one side of a picture: first and last pixel, and those of the tile's own part."""
    margin = MARGIN / scale
    count = max(1, ceil((length - 2 * margin) / (TILE / scale - 2 * margin)))
    step = (length - 2 * margin) / count
    for place in range(count):
        yield (
            floor(place * step),
            ceil((place + 1) * step + 2 * margin) if place < count - 1 else length,
            place * step + margin if place else -inf,
            (place + 1) * step + margin if place < count - 1 else inf,
        )


def look_at(
    network: CenterFace, picture: Image.Image, area: tuple[int, int, int, int], scale: float, threshold: float
) -> Floats:
    """The candidates within an area of the picture, seen at this scale, in pixels of the picture."""
    left, top, right, bottom = area
    # Sides that the network takes as they are; it does not mind if a face is a little wider or narrower for it.
    size = nearest_multiple((right - left) * scale), nearest_multiple((bottom - top) * scale)
    seen = picture.resize(size, Image.Resampling.BILINEAR, area)
    candidates = network.find(seen, threshold)
    candidates[:, 0:4:2] = candidates[:, 0:4:2] * ((right - left) / size[0]) + left
    candidates[:, 1:4:2] = candidates[:, 1:4:2] * ((bottom - top) / size[1]) + top
    return candidates


def nearest_multiple(side: float) -> int:
    """The nearest side that needs no filling up."""
    return max(1, round(side / MULTIPLE)) * MULTIPLE


def doubtful_areas(
    candidates: Floats, scale: float, threshold: float
) -> Iterator[tuple[tuple[float, float, float, float], float]]:
    """Where a closer look is worth it, block by block, and the scale at which to take it."""
    candidates = candidates[candidates[:, 4] <= threshold]
    widths = (candidates[:, 2:4] - candidates[:, :2]).min(axis=1).clip(*np.divide(GUESSED_WIDTHS, scale))
    centres = (candidates[:, :2] + candidates[:, 2:4]) / 2
    blocks, block_of = np.unique((centres * scale / BLOCK).astype(int), axis=0, return_inverse=True)
    reach = np.maximum(CONTEXT * widths, LEAST_CONTEXT / scale)[:, None]
    widths = np.minimum(widths, LARGEST_UNCLEAR / scale)
    for block in range(len(blocks)):
        here = np.flatnonzero(block_of.ravel() == block)
        likely = here[candidates[here, 4] > LIKELY]
        # Beside likely faces, a weak response is not worth a look of its own.
        here = likely if likely.size else here
        left, top = (centres[here] - reach[here]).min(axis=0)
        right, bottom = (centres[here] + reach[here]).max(axis=0)
        width = np.sort(widths[here])[len(here) // 5]
        zoom = np.clip(CLOSE / np.sqrt((right - left) * (bottom - top)), CLEAR / width, LARGE / width)
        yield (left, top, right, bottom), min(float(zoom), ENLARGED)


def look_closer(
    network: CenterFace,
    picture: Image.Image,
    area: tuple[float, float, float, float],
    zoom: float,
    threshold: float,
) -> Floats:
    """The faces within the area; what its edge cuts is left to the looks that see it whole."""
    left, top = (max(0, int(edge)) for edge in area[:2])
    right, bottom = min(picture.width, ceil(area[2])), min(picture.height, ceil(area[3]))
    candidates = look_at(network, picture, (left, top, right, bottom), zoom, threshold)
    edge = 1.5 / zoom
    whole = (
        ((candidates[:, 0] > left + edge) | (left == 0))
        & ((candidates[:, 1] > top + edge) | (top == 0))
        & ((candidates[:, 2] < right - edge) | (right == picture.width))
        & ((candidates[:, 3] < bottom - edge) | (bottom == picture.height))
    )
    return candidates[whole]
