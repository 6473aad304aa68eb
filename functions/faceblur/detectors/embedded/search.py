"""How the embedded detector looks at a photo.

The first look has four steps, so that the slow network sees only what needs it:

1. Overview: CenterFace on the photo at half its size, and on smaller ones. It finds the faces from 24 pixels up.
2. Hints: YuNet, which takes a seventh of the time, on the whole photo. It says where smaller faces may be.
3. Details: CenterFace enlarged by half, where step 1 or 2 saw a hint of a small face.
4. Turned faces: both networks know upright faces only. YuNet sees the photo from its three other sides at half its
   size, and CenterFace confirms what it finds.

The second look is YuNet's alone, on the photo enlarged by half and on smaller ones, so that it does not share all
blind spots of the first.
"""

from __future__ import annotations

from math import ceil, sqrt
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from faceblur.detectors.embedded.candidates import (
    ROLL,
    SCORE,
    centres,
    have_centre_in,
    joined,
    overlap_any,
    suppress,
    widths,
)
from faceblur.detectors.embedded.tiling import blocks_around, blocks_of, in_batches, scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from faceblur.detectors.embedded.candidates import Floats
    from faceblur.detectors.embedded.network import Network

OVERVIEW_SCALE = 0.4
HINT_SCALE = 1.0
DETAIL_SCALE = 1.5
TURNED_SCALE = 0.5
CHECK_SCALE = 1.25
# Each further scan of a pyramid sees the photo this many times smaller, until one tile shows it all: a face that is
# too large for a tile's margin is whole and clear in a smaller scan.
SMALLER = 3

# Scores 0…1 and widths in pixels of the photo, chosen on real photos (docs/detection.md).
LOWEST = 0.08  # the score below which a candidate is noise
HINT = 0.25  # YuNet's score that makes a place worth a closer look
OVERVIEW_HINT = 0.08  # CenterFace's
SMALLEST = 6
SMALL = 48  # faces below this width are looked at closely,
SURE = 0.4  # unless they are clear in the overview and have this score
CLEAR_IN_OVERVIEW = 28  # narrower faces of the overview are hints only
CLEAR_IN_DETAIL = 56  # wider faces of the details may be parts of larger ones
CLEAR = 16  # pixels of a smaller scan: what is narrower in it, a larger scan shows better
TURNED_HINT = 0.12  # YuNet's score that makes a place worth being turned upright,
TURNED_HINTS = 12  # if it is among so many a megapixel, the likeliest

# The score that stands for the default confidence, by the face's width. Texture looks like tiny faces far more often
# than like larger ones, and like a face to one network far more often than to both.
WIDTHS = [7.0, 9.0, 12.0, 16.0, 24.0, 32.0]
LIKELY_TO_BOTH = [0.35, 0.2, 0.15, 0.12, 0.12, 0.12]
LIKELY_TO_ONE = [0.4, 0.3, 0.25, 0.22, 0.22, 0.4]
LIKELY = LIKELY_TO_BOTH, LIKELY_TO_ONE
LIKELY_TO_YUNET_ALONE = 0.75
LIKELY_IN_CHECK = 0.65
LIKELY_TURNED = 0.25
DEFAULT = 50.0

QUARTERS = {1: Image.Transpose.ROTATE_90, 2: Image.Transpose.ROTATE_180, 3: Image.Transpose.ROTATE_270}
VIEW, VIEW_FACE = 64, 28  # pixels: the side of a view of one possible face, and the width of the face in it

SAME_FACE = 0.3  # two networks that see boxes which share more than this (intersection over union) see one face
OVERLAP = 0.4  # two boxes that share more than this (intersection over union) are one face
INSIDE = 0.8  # a box with more than this of its area in that of a likelier face is a part of that face


def find_faces(centerface: Network, yunet: Network, picture: Image.Image, min_confidence: float) -> Floats:
    """The first look: the faces of at least this confidence, in pixels; in place of scores they have confidences."""
    overview = scan_pyramid(centerface, picture, OVERVIEW_SCALE, LOWEST)
    hints = scan(yunet, picture, HINT_SCALE, blocks_of(picture.size, HINT_SCALE, yunet.largest_block), HINT)
    clear = widths(overview) >= CLEAR_IN_OVERVIEW
    sure = overview[clear & (overview[:, SCORE] > SURE)]
    possible = joined([overview[overview[:, SCORE] > OVERVIEW_HINT], hints])
    possible = possible[(widths(possible) >= SMALLEST) & (widths(possible) < SMALL) & ~have_centre_in(possible, sure)]
    blocks = blocks_around(around(possible), picture.size, DETAIL_SCALE, centerface.largest_block)
    details = scan(centerface, picture, DETAIL_SCALE, blocks, LOWEST)
    seen = joined([overview[clear], details[widths(details) < CLEAR_IN_DETAIL]])
    likely = np.where(overlap_any(seen, hints, SAME_FACE), *(np.interp(widths(seen), WIDTHS, each) for each in LIKELY))
    seen[:, SCORE] = confidences(seen[:, SCORE], likely)
    hints[:, SCORE] = confidences(hints[:, SCORE], LIKELY_TO_YUNET_ALONE)
    faces = at_least(min_confidence, joined([seen, hints]))
    turned = find_turned_faces(centerface, yunet, picture, faces)
    return at_least(min_confidence, joined([faces, turned]))


def find_turned_faces(centerface: Network, yunet: Network, picture: Image.Image, upright: Floats) -> Floats:
    """The faces that are turned by more than an eighth and are not among the upright ones; they have confidences."""
    smaller = picture.resize(scaled(picture.size, TURNED_SCALE), Image.Resampling.BILINEAR, reducing_gap=2)
    hints = suppress(joined([seen_from(side, yunet, smaller) for side in QUARTERS]), OVERLAP)
    hints[:, :4] *= np.tile(picture.size, 2) / np.tile(smaller.size, 2)
    hints = hints[~have_centre_in(hints, upright)][: ceil(TURNED_HINTS * max(1, picture.width * picture.height / 1e6))]
    views = in_batches(centerface, [upright_view(picture, hint) for hint in hints], LOWEST)
    in_the_middle = [(each[:, :2] < VIEW / 2).all(axis=1) & (each[:, 2:4] > VIEW / 2).all(axis=1) for each in views]
    scores = [each[inside, SCORE].max(initial=0) for each, inside in zip(views, in_the_middle, strict=True)]
    hints[:, SCORE] = confidences(np.array(scores), LIKELY_TURNED)
    return hints


def seen_from(side: int, yunet: Network, picture: Image.Image) -> Floats:
    """YuNet's candidates in a picture that is turned to the left by so many quarters, as they lie in the picture."""
    found = scan_pyramid(yunet, picture.transpose(QUARTERS[side]), 1.0, TURNED_HINT)
    width, height = picture.size
    left, top, right, bottom = found.T[:4].copy()
    match side:
        case 1:
            corners = [width - bottom, left, width - top, right]
        case 2:
            corners = [width - right, height - bottom, width - left, height - top]
        case _:
            corners = [top, height - right, bottom, height - left]
    found[:, :4] = np.stack(corners, axis=1)
    found[:, ROLL] += 90 * side
    return found


def upright_view(picture: Image.Image, hint: Floats) -> Image.Image:
    """A square view of a possible face, turned upright; what lies beyond the picture is black."""
    x, y = centres(hint[None])[0]
    reach = float(widths(hint[None])[0]) * VIEW / VIEW_FACE / 2 * sqrt(2)
    size = round(VIEW * sqrt(2))
    around = picture.crop((round(x - reach), round(y - reach), round(x + reach), round(y + reach)))
    turned = around.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=2).rotate(
        float(hint[ROLL]), Image.Resampling.BILINEAR
    )
    margin = (size - VIEW) // 2
    return turned.crop((margin, margin, margin + VIEW, margin + VIEW))


def find_missed_faces(yunet: Network, picture: Image.Image, min_confidence: float) -> Floats:
    """The second look: the faces of at least this confidence, in pixels; in place of scores they have confidences."""
    found = scan_pyramid(yunet, picture, CHECK_SCALE, HINT)
    found[:, SCORE] = confidences(found[:, SCORE], LIKELY_IN_CHECK)
    return at_least(min_confidence, found)


def at_least(min_confidence: float, faces: Floats) -> Floats:
    """The faces of at least this confidence, each once."""
    return suppress(faces[faces[:, SCORE] >= min_confidence], OVERLAP, INSIDE)


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


def scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """A size at this scale."""
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def around(hints: Floats) -> Floats:
    """The areas [n, 4] around possible faces that show them with half a face on each side."""
    room = widths(hints)[:, None] / 2
    areas: Floats = np.concatenate([hints[:, :2] - room, hints[:, 2:4] + room], axis=1)
    return areas


def confidences(scores: Floats, likely: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Scores (0…1) on the scale of confidence (0…100), on which `likely` is the default."""
    below = scores / likely * DEFAULT
    above = DEFAULT + (scores - likely) / (1 - np.asarray(likely)) * (100 - DEFAULT)
    confidence: NDArray[np.float64] = np.where(scores < likely, below, above)
    return confidence
