"""The embedded detector: CenterFace inside the function itself.

The network finds faces of 16 to 500 pixels at the size at which it sees them, if they are upright and in focus; it
hints at smaller, turned and blurred ones by weak responses. So a look has three steps: the whole photo, small for
faces that fill it, and at about three quarters of its size in tiles that bound the memory; a glimpse at each place of
a weak response, at the size at which a face there would be clear; and of what is still in doubt, from its other sides.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from math import ceil, floor, inf
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps

from faceblur import images
from faceblur.detectors import Detection, Look
from faceblur.detectors.centerface import MULTIPLE, centerface, processors, suppress
from faceblur.detectors.doubts import Doubt, doubts_about
from faceblur.faces import Box

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from faceblur.detectors import StoredPhoto
    from faceblur.detectors.centerface import CenterFace, Floats

    Span = tuple[int, int, float, float]

# The network's scores (0…1) against confidence (0…100). 0.35 is where recall is best without a false alarm on
# pictures of no one; it is made the middle of the scale, the default.
SCORES = [0.0, 0.35, 1.0]
CONFIDENCES = [0.0, 50.0, 100.0]
LOWEST_SCORE = 0.1  # below it the network's answer is noise

HALVED_ABOVE = 40_000_000  # pixels; the sharpness of larger photos is not that of their pixels, and memory counts
NEAR_LIMIT = 12  # pixels of the photo: of faces below this width, some are missed
SAME = 0.4  # two boxes of different looks that share more than this (intersection over union) are one face
INSIDE = 0.8  # a box with more than this of its area in that of a likelier face is a part of that face

# The overview and the scan.
OVERVIEW = 4.5  # times smaller than the view before it, at most: what is too large for a tile's margin is clear in it
TILE = 600 * 600  # pixels of the network's input at most, which take about 90 MB
MARGIN = 32  # what a tile sees around its own part, in pixels of the network's input

# A glimpse shows one possible face by itself, in a square of this side, so large that it would be clear.
GLIMPSE = 64  # pixels of the network's input
GLIMPSED = 32  # the width of the face in it
# Where possible faces are many, all in one block of this side, in the scan's pixels, may be looked at together.
BLOCK = 128
MANY = 6
CLEAR = 18  # pixels of the network's input: the width of the faces in it
CUT = 1.5  # a box nearer than this to the edge is of a face that is not all there
ENLARGED = 4  # times the photo's size; beyond it texture begins to look like faces
TOGETHER = 16  # glimpses that the network takes at a time; more take more memory and hardly less time
POSSIBLE = 0.025  # score: nine in ten faces of 10 pixels give as much; of texture, a few places a megapixel
GLIMPSES = 120  # a megapixel, the likeliest first: together they take hardly longer than the scan
# What is still in doubt is seen from its other sides, too.
DOUBTFUL = 0.03  # score: a face of 24 pixels gives as much however it is turned, and texture seldom does
TURNED = 10  # a megapixel


@dataclass(frozen=True, slots=True)
class View:
    """How a look sees the photo: the scale of the scan; the long side of the overview, up to which a scan of a small
    photo is enlarged, but not beyond `enlarged`; and whether all is mirrored.
    """

    scale: float
    enlarged: float
    overview: int
    mirrored: bool


VIEWS = {
    Look.FIRST: View(scale=0.8, enlarged=1.0, overview=320, mirrored=False),
    Look.SECOND: View(scale=0.85, enlarged=1.25, overview=384, mirrored=True),
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
    scale = max(view.scale, min(view.enlarged, view.overview / long_side))
    found = [scan(network, picture, scale)]
    # What a tile's edge cuts is whole in a smaller view; the last is one tile, which cuts nothing.
    smaller = scale
    while grid(*picture.size, smaller) != (1, 1):
        smaller = max(view.overview / long_side, smaller / OVERVIEW)
        found.append(scan(network, picture, smaller))
    candidates = suppress(np.concatenate(found), SAME)
    faces = candidates[candidates[:, 4] > threshold]
    megapixels = picture.width * picture.height / 1e6
    doubtful = apart_from(faces, candidates)[: ceil(GLIMPSES * megapixels)]
    faces = suppress(np.concatenate([faces, look_closer(network, picture, doubtful, scale, threshold)]), SAME, INSIDE)
    doubtful = apart_from(faces, doubtful[doubtful[:, 4] > DOUBTFUL])[: ceil(TURNED * megapixels)]
    turned = [glimpse(network, picture, doubtful, threshold, turns) for turns in (1, 2, 3)]
    return suppress(np.concatenate([faces, *turned]), SAME, INSIDE)


def apart_from(faces: Floats, candidates: Floats) -> Floats:
    """The candidates that may be further faces: those with their middle in none of these."""
    x, y = ((candidates[:, :2] + candidates[:, 2:4]) / 2).T[:, :, None]
    left, top, right, bottom, _ = faces.T
    in_face = ((left <= x) & (x <= right) & (top <= y) & (y <= bottom)).any(axis=1)
    return candidates[np.flatnonzero(~in_face)]


def scan(network: CenterFace, picture: Image.Image, scale: float) -> Floats:
    """The possible faces in the whole picture, seen at this scale in tiles; each tile answers for its own part.

    What a tile's edge cuts is possible at most: another look shows it whole.
    """

    def look_at_own_part(part: tuple[Span, Span]) -> Floats:
        (left, right, own_left, own_right), (top, bottom, own_top, own_bottom) = part
        area = left, top, right, bottom
        candidates = look_at(network, picture, area, scale, POSSIBLE)
        cut = np.flatnonzero(~whole(candidates, np.array([area]), CUT / scale, picture.size))
        candidates[cut, 4] = candidates[cut, 4].clip(max=LOWEST_SCORE)
        x, y = (candidates[:, :2] + candidates[:, 2:4]).T / 2
        own = (own_left <= x) & (x < own_right) & (own_top <= y) & (y < own_bottom)
        return candidates[np.flatnonzero(own)]

    across, down = grid(*picture.size, scale)
    parts = product(tiles(picture.width, across, scale), tiles(picture.height, down, scale))
    return np.concatenate(at_once(look_at_own_part, parts))


def at_once(look: Callable[[Any], Floats], places: Iterable[Any]) -> list[Floats]:
    """What a look finds at each of the places, as many at a time as there are processors."""
    with ThreadPoolExecutor(processors()) as pool:
        return list(pool.map(look, places))


def grid(width: int, height: int, scale: float) -> tuple[int, int]:
    """How many tiles lie across and down a picture, so that all of them together have the fewest pixels."""

    def side(length: int, count: int) -> float:
        return (length * scale - 2 * MARGIN) / count + 2 * MARGIN

    def enough(length: int, longest: float) -> int:
        return max(1, ceil((length * scale - 2 * MARGIN) / max(1, longest - 2 * MARGIN)))

    possible = ((across, enough(height, TILE / side(width, across))) for across in range(1, ceil(width / MARGIN) + 1))
    return min(possible, key=lambda counts: side(width, counts[0]) * side(height, counts[1]) * counts[0] * counts[1])


def tiles(length: int, count: int, scale: float) -> Iterator[Span]:
    """So many tiles along one side of a picture: first and last pixel, and those of the tile's own part."""
    margin = MARGIN / scale
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
    seen = picture.resize(size, Image.Resampling.BILINEAR, area, reducing_gap=2)
    candidates = network.find(seen, threshold)
    candidates[:, 0:4:2] = candidates[:, 0:4:2] * ((right - left) / size[0]) + left
    candidates[:, 1:4:2] = candidates[:, 1:4:2] * ((bottom - top) / size[1]) + top
    return candidates


def nearest_multiple(side: float) -> int:
    """The nearest side that needs no filling up."""
    return max(1, round(side / MULTIPLE)) * MULTIPLE


def look_closer(
    network: CenterFace, picture: Image.Image, candidates: Floats, scale: float, threshold: float
) -> Floats:
    """The faces at the candidates' places: each in a glimpse, or many at once where that takes fewer pixels."""
    widths = (candidates[:, 2:4] - candidates[:, :2]).min(axis=1)
    centres = (candidates[:, :2] + candidates[:, 2:4]) / 2
    blocks, block_of = np.unique((centres * scale / BLOCK).astype(int), axis=0, return_inverse=True)
    together = []
    alone = np.ones(len(candidates), bool)
    for block in range(len(blocks)):
        here = np.flatnonzero(block_of.ravel() == block)
        first = (centres[here] - widths[here, None]).min(axis=0).clip(0).astype(int)
        last = np.ceil((centres[here] + widths[here, None]).max(axis=0)).clip(0, picture.size).astype(int)
        # As large as the smaller of the faces ask for.
        zoom = min(CLEAR / max(float(np.sort(widths[here])[len(here) // 5]), 1), ENLARGED)
        if len(here) >= MANY and np.prod(last - first) * zoom**2 < len(here) * GLIMPSE**2:
            together.append(((*first.tolist(), *last.tolist()), zoom))
            alone[here] = False

    def look_at_block(block: tuple[tuple[int, int, int, int], float]) -> Floats:
        area, zoom = block
        found = look_at(network, picture, area, zoom, threshold)
        return found[whole(found, np.array([area]), CUT / zoom, picture.size)]

    found = at_once(look_at_block, together)
    return np.concatenate([*found, glimpse(network, picture, candidates[np.flatnonzero(alone)], threshold, 0)])


def glimpse(network: CenterFace, picture: Image.Image, candidates: Floats, threshold: float, turns: int) -> Floats:
    """The faces in glimpses of the candidates, each turned to the left by so many quarters."""
    widths = (candidates[:, 2:4] - candidates[:, :2]).min(axis=1)
    sides = np.maximum(GLIMPSE / GLIMPSED * widths, GLIMPSE / ENLARGED).round()
    corners = ((candidates[:, :2] + candidates[:, 2:4] - sides[:, None]) / 2).round()
    areas = np.column_stack([corners, corners + sides[:, None]]).astype(int)

    def look_at_some(areas: NDArray[np.int_]) -> Floats:
        # What lies beyond the photo is black.
        seen = [
            picture.crop(tuple(area)).resize((GLIMPSE, GLIMPSE), Image.Resampling.BILINEAR).rotate(90 * turns)
            for area in areas.tolist()
        ]
        found = network.find_in_each(seen, threshold)
        areas = np.repeat(areas, [len(each) for each in found], axis=0)
        pixel = (areas[:, 2:3] - areas[:, :1]) / np.float32(GLIMPSE)
        faces = turned_back(np.concatenate(found), turns)
        faces[:, :4] = faces[:, :4] * pixel + np.tile(areas[:, :2], 2)
        faces = faces[whole(faces, areas, CUT * pixel, picture.size)]
        faces[:, :4] = faces[:, :4].clip(0, [*picture.size, *picture.size])
        return faces[(faces[:, :2] < faces[:, 2:4]).all(axis=1)]

    some = [areas[start : start + TOGETHER] for start in range(0, len(areas), TOGETHER)]
    return np.concatenate([candidates[:0], *at_once(look_at_some, some)])


def turned_back(found: Floats, turns: int) -> Floats:
    """What is found in a glimpse that was turned to the left by so many quarters, as it lies in it upright."""
    for _ in range(turns):
        left, top, right, bottom, scores = found.T
        found = np.stack([GLIMPSE - bottom, left, GLIMPSE - top, right, scores], axis=1)
    return found


def whole(found: Floats, areas: NDArray[Any], cut: NDArray[Any] | float, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Which of what is found in these areas of a photo of this size lies further from the area's edges than `cut`.

    The edges of the photo itself do not count: nothing more is to be seen beyond them.
    """
    clear = np.column_stack([found[:, :2] - areas[:, :2], areas[:, 2:] - found[:, 2:4]]) > cut
    beyond = np.column_stack([areas[:, :2] <= 0, areas[:, 2:] >= size])
    inside: NDArray[np.bool_] = np.all(clear | beyond, axis=1)
    return inside
