"""How the embedded detector searches a photo.

The first pass has four steps. They restrict the slow network to the areas where it is needed:

1. Overview: CenterFace on the photo at half its size, or a small photo at its full size, and at smaller sizes. It
   finds the faces from 24 pixels up.
2. Hints: YuNet, which takes a seventh of the time, on the photo at full size. It tells where smaller faces may be.
3. Details: CenterFace on the enlarged areas where step 1 or 2 gave a hint of a small face.
4. Turned faces: YuNet on the photo in three rotations, and CenterFace on its hints (`turned`).

A check uses only YuNet, on the draft enlarged by a quarter and at smaller sizes. So it does not share all blind spots
of the first pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from faceblur.detectors.embedded.areas import tiles_around
from faceblur.detectors.embedded.candidates import SCORE, have_centre_in, joined, suppress, widths
from faceblur.detectors.embedded.tiling import OVERLAP, scan, scan_pyramid, tiles_of
from faceblur.detectors.embedded.turned import LIKELY_TURNED, find_turned_faces
from faceblur.limits import DEFAULT_CONFIDENCE

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from faceblur.detectors.embedded.candidates import Floats
    from faceblur.detectors.embedded.network import Network

OVERVIEW_SCALE = 0.5
# Pixels. The overview of a photo with no more, such as a thumbnail, has full size. This adds 2 % to the time of all
# photos of `make bench-real`, and removes a ninth of the boxes of no face.
SMALL_PHOTO = 200_000
HINT_SCALE = 1.0
CHECK_SCALE = 1.25
# The range of widths of the possible faces in pixels, and the scale at which their details are scanned.
DETAILS = ((6, 24, 1.5), (24, 48, 1.0))
WIDER = 1.5  # The details may show faces up to this many times wider than the range.
NEIGHBOURS = 0.8  # The details show this margin around a possible face, in widths of the face.
CLEAR_IN_OVERVIEW = 24  # pixels; narrower faces of the overview are only hints.

# Scores of 0…1, chosen on real photos (docs/detection.md).
LOWEST = 0.06  # A candidate for an upright face below this is noise.
POSSIBLE = 0.1  # YuNet's score in a check from which a candidate may be a face.
HINT = 0.22  # YuNet's score from which a candidate is a hint.
CLEAR_HINT = 0.15  # The same for a candidate as wide as a clear one of the overview: texture seldom looks so large.
OVERVIEW_HINT = 0.2  # CenterFace's score in the overview from which a candidate that is not clear is a hint.
SURE = 0.3  # A clear face of the overview with a higher score needs no details.

# The score that corresponds to the default confidence, by the face's width in pixels. Texture looks like a tiny face
# far more often than like a larger one. Close-ups have parts, such as an ear, that look like a face of 64 pixels or
# more.
WIDTHS = [7.0, 9.0, 12.0, 16.0, 24.0, 32.0, 64.0]
LIKELY_TO_CENTERFACE = [0.40, 0.21, 0.175, 0.11, 0.12, 0.13, 0.18]
LIKELY_TO_YUNET_ALONE = 0.8
LIKELY_IN_CHECK = 0.73  # YuNet's

# The overview shows faces of 24 pixels and more. The score of one that only the details show counts for less.
UNSEEN = 0.6

# A box in the middle of a likelier face, with more than this share of its area inside it, is a part of that face.
INSIDE = 0.75


def find_faces(
    centerface: Network, yunet: Network, picture: Image.Image, min_confidence: float, least: float
) -> Floats:
    """The first pass: the possible faces of at least the confidence `least`, in pixels, with confidences as scores.

    Those of at least `min_confidence` count as faces: no turned face is looked for there. Both are 0…100.
    """
    overview_scale = 1.0 if picture.width * picture.height <= SMALL_PHOTO else OVERVIEW_SCALE
    overview = scan_pyramid(centerface, picture, overview_scale, LOWEST)
    hints = scan(yunet, picture, tiles_of(picture.size, HINT_SCALE, yunet.largest_block), CLEAR_HINT)
    hints = hints[(hints[:, SCORE] > HINT) | (widths(hints) >= CLEAR_IN_OVERVIEW)]
    clear = widths(overview) >= CLEAR_IN_OVERVIEW
    sure = overview[clear & (overview[:, SCORE] > SURE)]
    possible = joined([overview[clear | (overview[:, SCORE] > OVERVIEW_HINT)], hints])
    possible = possible[~have_centre_in(possible, sure)]
    details = joined(
        [
            scan_details(centerface, picture, possible, narrowest, widest, scale)
            for narrowest, widest, scale in DETAILS
            if scale > overview_scale  # At the overview's own scale, they would only repeat it.
        ]
    )
    unseen = (widths(details) >= CLEAR_IN_OVERVIEW) & ~have_centre_in(details, overview)
    details[unseen, SCORE] *= UNSEEN
    found = joined([overview[clear], details])
    found[:, SCORE] = confidences(found[:, SCORE], np.interp(widths(found), WIDTHS, LIKELY_TO_CENTERFACE))
    hints[:, SCORE] = confidences(hints[:, SCORE], LIKELY_TO_YUNET_ALONE)
    upright = joined([found, hints])
    turned = find_turned_faces(centerface, yunet, picture, at_least(min_confidence, upright))
    turned[:, SCORE] = confidences(turned[:, SCORE], LIKELY_TURNED)
    return at_least(least, joined([at_least(least, upright), turned]))


def scan_details(
    centerface: Network, picture: Image.Image, possible: Floats, narrowest: float, widest: float, scale: float
) -> Floats:
    """The candidates around the possible faces of this range of widths, scanned at this scale."""
    hints = possible[(widths(possible) >= narrowest) & (widths(possible) < widest)]
    tiles = tiles_around(around(hints), picture.size, scale, centerface.largest_block)
    found = scan(centerface, picture, tiles, LOWEST)
    return found[widths(found) < WIDER * widest]


def find_missed_faces(yunet: Network, picture: Image.Image, min_confidence: float) -> Floats:
    """A check: the faces of at least this confidence (0…100), in pixels, with confidences as scores."""
    found = scan_pyramid(yunet, picture, CHECK_SCALE, POSSIBLE)
    found[:, SCORE] = confidences(found[:, SCORE], LIKELY_IN_CHECK)
    return at_least(min_confidence, found)


def at_least(min_confidence: float, found: Floats) -> Floats:
    """The boxes of at least this confidence, one for each face."""
    return suppress(found[found[:, SCORE] >= min_confidence], OVERLAP, INSIDE)


def around(hints: Floats) -> Floats:
    """The areas [n, 4] around possible faces, with this margin on each side. Neighbours of a face are often faces."""
    margin = widths(hints)[:, None] * NEIGHBOURS
    areas: Floats = np.concatenate([hints[:, :2] - margin, hints[:, 2:4] + margin], axis=1)
    return areas


def confidences(scores: Floats, likely: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Convert scores (0…1) to confidences (0…100), so that the score `likely` becomes the default confidence."""
    below = scores / likely * DEFAULT_CONFIDENCE
    above = DEFAULT_CONFIDENCE + (scores - likely) / (1 - np.asarray(likely)) * (100 - DEFAULT_CONFIDENCE)
    confidence: NDArray[np.float64] = np.where(scores < likely, below, above)
    return confidence
