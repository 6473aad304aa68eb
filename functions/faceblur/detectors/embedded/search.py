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

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from faceblur.detectors.embedded.candidates import ROLL, SCORE, centres, have_centre_in, joined, suppress, widths
from faceblur.detectors.embedded.tiling import Area, blocks_around, blocks_of, scan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from faceblur.detectors.embedded.candidates import Floats
    from faceblur.detectors.embedded.network import Network

OVERVIEW_SCALE = 0.5
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
SMALL = 48  # faces below this width are looked at closely,
SURE = 0.4  # unless they are clear in the overview and have this score
CLEAR_IN_OVERVIEW = 24  # narrower faces of the overview are hints only
CLEAR_IN_DETAIL = 56  # wider faces of the details may be parts of larger ones
CLEAR = 16  # pixels of a smaller scan: what is narrower in it, a larger scan shows better
TURNED_HINT = 0.3

# The score that stands for the default confidence, by the face's width: texture looks like tiny faces far more often
# than like large ones.
WIDTHS = [7.0, 9.0, 12.0, 32.0]
LIKELY = [0.35, 0.22, 0.15, 0.12]
LIKELY_FOR_YUNET = 0.6
DEFAULT = 50.0

OVERLAP = 0.4  # two boxes that share more than this (intersection over union) are one face
INSIDE = 0.8  # a box with more than this of its area in that of a likelier face is a part of that face


def find_faces(centerface: Network, yunet: Network, picture: Image.Image, min_confidence: float) -> Floats:
    """The first look: the faces of at least this confidence, in pixels; in place of scores they have confidences."""
    overview = scan_pyramid(centerface, picture, OVERVIEW_SCALE, LOWEST)
    hints = scan(yunet, picture, HINT_SCALE, blocks_of(picture.size, HINT_SCALE), HINT)
    clear = widths(overview) >= CLEAR_IN_OVERVIEW
    sure = overview[clear & (overview[:, SCORE] > SURE)]
    possible = joined([overview[overview[:, SCORE] > OVERVIEW_HINT], hints])
    possible = possible[(widths(possible) < SMALL) & ~have_centre_in(possible, sure)]
    blocks = blocks_around(around(possible), picture.size, DETAIL_SCALE)
    details = scan(centerface, picture, DETAIL_SCALE, blocks, LOWEST)
    seen = joined([overview[clear], details[widths(details) < CLEAR_IN_DETAIL]])
    seen[:, SCORE] = confidences(seen[:, SCORE], np.interp(widths(seen), WIDTHS, LIKELY))
    hints[:, SCORE] = confidences(hints[:, SCORE], LIKELY_FOR_YUNET)
    faces = joined([seen, hints])
    return suppress(faces[faces[:, SCORE] >= min_confidence], OVERLAP, INSIDE)


def find_missed_faces(yunet: Network, picture: Image.Image, min_confidence: float) -> Floats:
    """The second look: the faces of at least this confidence, in pixels; in place of scores they have confidences."""
    found = scan_pyramid(yunet, picture, CHECK_SCALE, HINT)
    found[:, SCORE] = confidences(found[:, SCORE], LIKELY_FOR_YUNET)
    return suppress(found[found[:, SCORE] >= min_confidence], OVERLAP, INSIDE)


def scan_pyramid(network: Network, picture: Image.Image, scale: float, threshold: float) -> Floats:
    """The candidates in the whole picture at this scale and at smaller ones."""
    blocks = blocks_of(picture.size, scale)
    found = [scan(network, picture, scale, blocks, threshold)]
    while len(blocks) > 1:
        scale /= SMALLER
        blocks = blocks_of(picture.size, scale)
        smaller = scan(network, picture, scale, blocks, threshold)
        found.append(smaller[widths(smaller) >= CLEAR / scale])
    return suppress(joined(found), OVERLAP)


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
