"""The embedded detector: CenterFace inside the function itself.

The network finds faces of 16 to 500 pixels at the size at which it sees them, if they are upright and in focus; it
hints at smaller, turned and blurred ones by weak responses. So a look has three steps: the whole photo, small for
faces that fill it, and at about three quarters of its size in tiles that bound the memory; a glimpse at each place of
a weak response, at the size at which a face there would be clear; and what is still in doubt from its other sides, in
steps of which each leaves fewer places to the next.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from itertools import product
from math import ceil, floor, inf, pi, sqrt
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from PIL import Image, ImageOps

from faceblur import images
from faceblur.detectors import Detection, Look
from faceblur.detectors.centerface import MULTIPLE, centerface, processors, suppress
from faceblur.detectors.doubts import Doubt, doubts_about
from faceblur.faces import Box

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from faceblur.detectors import StoredPhoto
    from faceblur.detectors.centerface import CenterFace, Floats

    Span = tuple[int, int, float, float]

Place = TypeVar("Place")
Seen = TypeVar("Seen")

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

# Where possible faces are many, all in one block of this side, in the scan's pixels, may be looked at together.
BLOCK = 128
MANY = 6
CLEAR = 18  # pixels of the network's input: the width of the faces in it
CUT = 1.5  # a box nearer than this to the edge is of a face that is not all there
ENLARGED = 4  # times the photo's size; beyond it texture begins to look like faces
TOGETHER = 65536  # pixels of the network's input at a time, as glimpses; more take more memory and hardly less time


@dataclass(frozen=True, slots=True)
class Glimpse:
    """How one possible face is seen by itself: in a square of this side, with the face in it of this width, in pixels
    of the network's input, turned to the left by so many quarters.
    """

    side: int
    width: int
    turns: float


@dataclass(frozen=True, slots=True)
class Step:
    """What is done about so many doubtful places a megapixel, the likeliest: glimpses of each, all of one side, and the
    score that the best must give for the next step to be taken.
    """

    places: int
    glimpses: tuple[Glimpse, ...]
    enough: float
    around: float = 2.0  # quarters: the glimpses that are not turned further than this from the best so far


# Nine in ten upright faces of 10 pixels give as much, and ten places of texture a megapixel. So they have one glimpse,
# at the size at which a face would be clear.
LIKELY = 0.0275  # score
GLIMPSES = 120  # a megapixel, the likeliest first: together they take hardly longer than the scan
UPRIGHT = Glimpse(64, 28, 0)
# Turned and blurred faces may give less; but of faces of 24 pixels, however turned, 98 in 100 give as much as this.
# So do 30 places of texture a megapixel. Small glimpses tell most of these apart, so that few are seen from all sides.
POSSIBLE = 0.015  # score
TURNABLE = 16  # pixels of the photo: smaller faces are not found if they are turned
STEPS = (
    Step(28, (Glimpse(32, 16, 0),), 0.02),
    Step(14, (Glimpse(32, 16, 1), Glimpse(32, 16, 2), Glimpse(32, 16, 3)), 0.05),
    Step(8, (Glimpse(64, 32, 0), Glimpse(64, 32, 1), Glimpse(64, 32, 2), Glimpse(64, 32, 3)), 0.15),
    # Smaller, for faces that are blurred; larger, and turned by half a quarter, for those that are turned.
    Step(
        6,
        (*(Glimpse(64, 24, turns) for turns in range(4)), *(Glimpse(64, 40, turns / 2) for turns in range(8))),
        1.0,
        0.5,
    ),
)
QUARTERS = {1: Image.Transpose.ROTATE_90, 2: Image.Transpose.ROTATE_180, 3: Image.Transpose.ROTATE_270}
# In a crowd, where it would take the most time, few are turned: so many faces found make it one doubtful place fewer.
OTHERS = 8
# Who looks from so many sides sees more that is none: the mean of the two views that are surest counts this much.
AGREED = 0.9


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
    Look.FIRST: View(scale=0.8, enlarged=1.0, overview=288, mirrored=False),
    Look.SECOND: View(scale=0.75, enlarged=1.25, overview=384, mirrored=True),
}


class EmbeddedDetector:
    """CenterFace under onnxruntime, on this machine's processors."""

    def detect(self, photo: StoredPhoto, min_confidence: float, look: Look) -> Detection:
        """The faces of at least this confidence (0…100); a PhotoError if the photo cannot be read."""
        picture = load(photo.data)
        view = VIEWS[look]
        network = centerface()
        found = search(network, ImageOps.mirror(picture) if view.mirrored else picture, score(min_confidence), view)
        doubts = doubts_about(picture) if look is Look.FIRST else []
        if (face_widths(found) < NEAR_LIMIT).any():
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
    possible = np.concatenate(found)
    # The rest is followed up by nothing, and must not stand for what is.
    followed_up = np.flatnonzero((possible[:, 4] > LIKELY) | (face_widths(possible) > TURNABLE))
    candidates = suppress(possible[followed_up], SAME)
    faces = candidates[candidates[:, 4] > threshold]
    likely = apart_from(faces, candidates[candidates[:, 4] > LIKELY])[: places(GLIMPSES, picture)]
    faces = suppress(np.concatenate([faces, look_closer(network, picture, likely, scale, threshold)]), SAME, INSIDE)
    doubtful = apart_from(faces, candidates[face_widths(candidates) > TURNABLE])
    seen = look_from_all_sides(network, picture, doubtful, len(faces), threshold)
    return suppress(np.concatenate([faces, seen]), SAME, INSIDE)


def face_widths(candidates: Floats) -> Floats:
    """How wide a face in each of the candidates would be: the shorter side of its box."""
    shorter: Floats = (candidates[:, 2:4] - candidates[:, :2]).min(axis=1)
    return shorter


def apart_from(faces: Floats, candidates: Floats) -> Floats:
    """The candidates that may be further faces: those with their middle in none of these."""
    return candidates[np.flatnonzero(are_apart_from(faces, candidates))]


def are_apart_from(faces: Floats, candidates: Floats) -> NDArray[np.bool_]:
    """Which of the candidates may be further faces."""
    x, y = ((candidates[:, :2] + candidates[:, 2:4]) / 2).T[:, :, None]
    left, top, right, bottom, _ = faces.T
    in_face: NDArray[np.bool_] = ((left <= x) & (x <= right) & (top <= y) & (y <= bottom)).any(axis=1)
    return ~in_face


def scan(network: CenterFace, picture: Image.Image, scale: float) -> Floats:
    """The possible faces in the whole picture, seen at this scale in tiles; each tile answers for its own part.

    What a tile's edge cuts is possible at most: another look shows it whole.
    """

    def look_at_own_part(part: tuple[Span, Span]) -> Floats:
        (left, right, own_left, own_right), (top, bottom, own_top, own_bottom) = part
        area = left, top, right, bottom
        candidates = look_at(network, picture, area, scale, POSSIBLE)
        cut = np.flatnonzero(~whole(candidates, np.array([area]), CUT / scale, beyond(np.array([area]), picture.size)))
        candidates[cut, 4] = candidates[cut, 4].clip(max=LOWEST_SCORE)
        x, y = (candidates[:, :2] + candidates[:, 2:4]).T / 2
        own = (own_left <= x) & (x < own_right) & (own_top <= y) & (y < own_bottom)
        return candidates[np.flatnonzero(own)]

    across, down = grid(*picture.size, scale)
    parts = product(tiles(picture.width, across, scale), tiles(picture.height, down, scale))
    return np.concatenate(at_once(look_at_own_part, parts))


def at_once(look: Callable[[Place], Seen], places: Iterable[Place]) -> list[Seen]:
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
    widths = face_widths(candidates)
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
        if len(here) >= MANY and np.prod(last - first) * zoom**2 < len(here) * UPRIGHT.side**2:
            together.append(((*first.tolist(), *last.tolist()), zoom))
            alone[here] = False

    def look_at_block(block: tuple[tuple[int, int, int, int], float]) -> Floats:
        area, zoom = block
        found = look_at(network, picture, area, zoom, threshold)
        return found[whole(found, np.array([area]), CUT / zoom, beyond(np.array([area]), picture.size))]

    found = at_once(look_at_block, together)
    seen, _ = glimpse(network, picture, candidates, threshold, [UPRIGHT], alone[None])
    return np.concatenate([*found, *seen])


def places(density: int, picture: Image.Image) -> int:
    """How many places there are in a picture at so many a megapixel; small pictures count as one."""
    return ceil(density * max(1.0, picture.width * picture.height / 1e6))


def look_from_all_sides(
    network: CenterFace, picture: Image.Image, doubtful: Floats, others: int, threshold: float
) -> Floats:
    """The faces among what is in doubt, by steps; `others` have been found already. What two views agree on is one."""
    found: list[Floats] = []
    faces = doubtful[:0]
    scores = doubtful[:, 4]  # the highest that each has been given so far
    best = np.zeros(len(doubtful))  # how it was turned when it looked most like a face
    for step in STEPS:
        most = places(step.places, picture)
        likeliest = max(most - others // OTHERS, most // 4)
        doubtful, scores, best = doubtful[:likeliest], scores[:likeliest], best[:likeliest]
        turns = np.array([view.turns for view in step.glimpses])
        shown = np.abs((turns[:, None] - best + 2) % 4 - 2) <= step.around
        seen, highest = glimpse(network, picture, doubtful, LOWEST_SCORE, step.glimpses, shown)
        found += seen
        faces = agreed(found, threshold)
        scores = np.maximum(scores, highest.max(axis=0))
        best = turns[highest.argmax(axis=0)]
        order = np.argsort(-scores, kind="stable")
        rest = order[(scores[order] > step.enough) & are_apart_from(faces, doubtful[order])]
        doubtful, scores, best = doubtful[rest], scores[rest], best[rest]
    return faces


def agreed(found: list[Floats], threshold: float) -> Floats:
    """What was found in several ways of seeing and is likely enough by all of them: each face once."""
    boxes = np.concatenate(found)
    # First, so that what one way alone takes for a face drops nothing on which two agree.
    likely = boxes[np.flatnonzero(agreement(boxes, found) > threshold)]
    faces = suppress(likely, SAME, INSIDE)
    faces[:, 4] = agreement(faces, found)
    return faces


def agreement(boxes: Floats, found: list[Floats]) -> Floats:
    """The score of each box by all ways of seeing it: the mean of the two that are surest.

    One way alone counts half, as if the other had seen nothing.
    """
    scores = [((shared(boxes, each) > SAME) * each[:, 4]).max(axis=1, initial=0) for each in found]
    mean: Floats = np.sort([np.zeros(len(boxes)), *scores], axis=0)[-2:].sum(axis=0) / 2 * AGREED
    return mean


def shared(boxes: Floats, others: Floats) -> Floats:
    """Intersection over union of each of the boxes [n, 5] with each of others [m, 5], as [n, m]."""
    one, other = boxes[:, None, :4], others[None, :, :4]
    sides = np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2])
    common: Floats = sides.clip(0).prod(axis=2)
    union: Floats = (one[..., 2:] - one[..., :2]).prod(axis=2) + (other[..., 2:] - other[..., :2]).prod(axis=2) - common
    return common / union


def glimpse(
    network: CenterFace,
    picture: Image.Image,
    candidates: Floats,
    threshold: float,
    views: Sequence[Glimpse],
    shown: NDArray[np.bool_],
) -> tuple[list[Floats], Floats]:
    """The faces in glimpses of one side, for each view those of the candidates that are `shown` in it [views, n].

    And the network's highest score in each glimpse [views, n], likely or not.
    """
    side = views[0].side
    place, view = np.nonzero(shown.T)  # by place, as all views of one show the same square
    turns = np.array([each.turns for each in views])[view]
    spread = side / np.array([each.width for each in views])[view]
    sides = np.maximum(spread * face_widths(candidates)[place], side / ENLARGED).round()
    corners = ((candidates[place, :2] + candidates[place, 2:4] - sides[:, None]) / 2).round()
    areas = np.column_stack([corners, corners + sides[:, None]]).astype(int)

    def look_at_batch(batch: slice) -> list[Floats]:
        cut = cache(partial(cut_out, picture, side))
        pictures = []
        for area, quarters in zip(areas[batch].tolist(), turns[batch].tolist(), strict=True):
            square = cut(tuple(area), quarters % 1)
            pictures.append(square.transpose(QUARTERS[int(quarters)]) if quarters >= 1 else square)
        return network.find_in_each(pictures, POSSIBLE)

    many = TOGETHER // side**2
    batches = [slice(start, start + many) for start in range(0, len(areas), many)]
    seen = [each for batch in at_once(look_at_batch, batches) for each in batch]
    highest = np.zeros(shown.shape, np.float32)
    highest[view, place] = [each[:, 4].max(initial=0) for each in seen]
    faces = np.concatenate([candidates[:0], *seen])
    of = np.repeat(np.arange(len(seen)), [len(each) for each in seen])  # the glimpse that each of them is in
    all_there = whole(faces, np.array([[0, 0, side, side]]), CUT, turned(beyond(areas, picture.size), turns)[of])
    sure = np.flatnonzero(all_there & (faces[:, 4] > threshold))
    of = of[sure]
    faces = turned_back(faces[sure], side, turns[of])
    faces[:, :4] = faces[:, :4] * (sides[of, None] / side) + np.tile(areas[of, :2], 2)
    faces[:, :4] = faces[:, :4].clip(0, [*picture.size, *picture.size])
    within = (faces[:, :2] < faces[:, 2:4]).all(axis=1)
    return [faces[within & (view[of] == number)] for number in range(len(views))], highest


def cut_out(picture: Image.Image, side: int, area: tuple[int, int, int, int], turns: float) -> Image.Image:
    """A square area of the picture, shown so many pixels wide, turned to the left by less than a quarter.

    What lies beyond the picture is black.
    """
    left, top, right, bottom = area
    # What comes in at the corners when it is turned.
    around = ceil(side * (sqrt(2) - 1) / 2) if turns else 0
    more = round(around * (right - left) / side)
    left, top, right, bottom = left - more, top - more, right + more, bottom + more
    whole_side = side + 2 * around
    # No more than the picture has is taken from it: the square around a face that fills a large one is larger still.
    part = max(left, 0), max(top, 0), min(right, picture.width), min(bottom, picture.height)
    zoom = whole_side / (right - left)
    size = max(1, round((part[2] - part[0]) * zoom)), max(1, round((part[3] - part[1]) * zoom))
    seen = picture.resize(size, Image.Resampling.BILINEAR, part, reducing_gap=2)
    if size != (whole_side, whole_side):
        shown = Image.new("RGB", (whole_side, whole_side))
        shown.paste(seen, (round((part[0] - left) * zoom), round((part[1] - top) * zoom)))
        seen = shown
    if not turns:
        return seen
    turned = seen.rotate(90 * turns, Image.Resampling.BILINEAR)
    return turned.crop((around, around, around + side, around + side))


def turned_back(found: Floats, side: int, turns: NDArray[np.float64]) -> Floats:
    """What is found in squares of this side that were turned to the left by so many quarters, as it lies in them
    upright: of each box the ellipse within, turned, in a box again.
    """
    cosine, sine = np.cos(turns * pi / 2).astype(np.float32), np.sin(turns * pi / 2).astype(np.float32)
    x, y = ((found[:, :2] + found[:, 2:4] - side) / 2).T
    across, down = ((found[:, 2:4] - found[:, :2]) / 2).T
    x, y = x * cosine - y * sine + side / 2, x * sine + y * cosine + side / 2
    across, down = np.hypot(across * cosine, down * sine), np.hypot(across * sine, down * cosine)
    return np.stack([x - across, y - down, x + across, y + down, found[:, 4]], axis=1)


def turned(sides: NDArray[np.bool_], turns: NDArray[np.float64]) -> NDArray[np.bool_]:
    """What is said of the four sides of squares, of those of their glimpses, turned to the left by so many quarters;
    of two between which one lies, of both.
    """
    first, last = (
        np.take_along_axis(sides, (np.arange(4) + rounded(turns)[:, None].astype(int)) % 4, axis=1)
        for rounded in (np.floor, np.ceil)
    )
    return first & last


def whole(found: Floats, areas: NDArray[Any], cut: NDArray[Any] | float, open_: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which of what is found in these areas lies further from their edges than `cut`, but for those that are open."""
    clear = np.column_stack([found[:, :2] - areas[:, :2], areas[:, 2:] - found[:, 2:4]]) > cut
    inside: NDArray[np.bool_] = np.all(clear | open_, axis=1)
    return inside


def beyond(areas: NDArray[Any], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Which sides (left, top, right, bottom) of areas of a photo of this size have nothing more beyond to be seen."""
    return np.column_stack([areas[:, :2] <= 0, areas[:, 2:] >= size])
