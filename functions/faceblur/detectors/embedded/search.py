"""How the embedded detector looks at a photo.

The first look has four steps, so that the slow network sees only what needs it:

1. Overview: CenterFace on the photo at half its size, and on smaller ones. It finds the faces from 24 pixels up.
2. Hints: YuNet, which takes a seventh of the time, on the whole photo. It says where smaller faces may be.
3. Details: CenterFace enlarged by half, where step 1 or 2 saw a hint of a small face.
4. Turned faces: both networks know upright faces only. YuNet sees the photo from its three other sides at half its
   size, and CenterFace confirms what it finds.

A check is YuNet's alone, on the draft enlarged by a quarter and on smaller ones, so that it does not share all
blind spots of the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from faceblur.detectors.embedded.candidates import SCORE, have_centre_in, joined, suppress, widths
from faceblur.detectors.embedded.tiling import OVERLAP, blocks_around, blocks_of, scan, scan_pyramid
from faceblur.detectors.embedded.turned import LIKELY_TURNED, find_turned_faces

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from faceblur.detectors.embedded.candidates import Floats
    from faceblur.detectors.embedded.network import Network

OVERVIEW_SCALE = 0.5
HINT_SCALE = 1.0
CHECK_SCALE = 1.25
# From one width of possible faces to another, in pixels: the scale at which they are looked at closely.
DETAILS = ((6, 24, 1.5), (24, 48, 1.0))
WIDER = 1.5  # A closer look may find faces up to so many times wider.
CLEAR_IN_OVERVIEW = 24  # pixels: narrower faces of the overview are hints only.

# Scores of 0…1, chosen on real photos (docs/detection.md).
LOWEST = 0.08  # A candidate below this is noise.
HINT = 0.2  # What makes a place worth a closer look, if YuNet gives it,
OVERVIEW_HINT = 0.15  # and if CenterFace gives it in the overview.
SURE = 0.3  # A clear face of the overview with this score needs no closer look.

# The score that stands for the default confidence, by the face's width in pixels. Texture looks like a tiny face far
# more often than like a larger one. Close-ups have parts, such as an ear, that look like a face of 64 pixels or more.
WIDTHS = [7.0, 9.0, 12.0, 16.0, 24.0, 32.0, 64.0]
LIKELY_TO_CENTERFACE = [0.42, 0.23, 0.175, 0.105, 0.11, 0.12, 0.17]
LIKELY_TO_YUNET_ALONE = 0.8
LIKELY_IN_CHECK = [0.75, 0.75, 0.72, 0.65, 0.6, 0.55, 0.55]
DEFAULT = 50.0  # the default confidence

# Shares of an area (intersection over union, and of the smaller box).
INSIDE = 0.75  # A box with more than this in the middle of a likelier face is a part of that face.


def find_faces(centerface: Network, yunet: Network, picture: Image.Image, min_confidence: float) -> Floats:
    """The first look: the faces of at least this confidence, in pixels; in place of scores they have confidences."""
    overview = scan_pyramid(centerface, picture, OVERVIEW_SCALE, LOWEST)
    hints = scan(yunet, picture, HINT_SCALE, blocks_of(picture.size, HINT_SCALE, yunet.largest_block), HINT)
    clear = widths(overview) >= CLEAR_IN_OVERVIEW
    sure = overview[clear & (overview[:, SCORE] > SURE)]
    possible = joined([overview[overview[:, SCORE] > OVERVIEW_HINT], hints])
    possible = possible[~have_centre_in(possible, sure)]
    details = [scan_details(centerface, picture, possible, *each) for each in DETAILS]
    seen = joined([overview[clear], *details])
    seen[:, SCORE] = confidences(seen[:, SCORE], np.interp(widths(seen), WIDTHS, LIKELY_TO_CENTERFACE))
    hints[:, SCORE] = confidences(hints[:, SCORE], LIKELY_TO_YUNET_ALONE)
    faces = at_least(min_confidence, joined([seen, hints]))
    turned = find_turned_faces(centerface, yunet, picture, faces)
    turned[:, SCORE] = confidences(turned[:, SCORE], LIKELY_TURNED)
    return at_least(min_confidence, joined([faces, turned]))


def scan_details(
    centerface: Network, picture: Image.Image, possible: Floats, narrowest: float, widest: float, scale: float
) -> Floats:
    """The candidates around possible faces of these widths, at this scale."""
    hints = possible[(widths(possible) >= narrowest) & (widths(possible) < widest)]
    blocks = blocks_around(around(hints), picture.size, scale, centerface.largest_block)
    found = scan(centerface, picture, scale, blocks, LOWEST)
    return found[widths(found) < WIDER * widest]


def find_missed_faces(yunet: Network, picture: Image.Image, min_confidence: float) -> Floats:
    """A check: the faces of at least this confidence, in pixels; in place of scores they have confidences."""
    found = scan_pyramid(yunet, picture, CHECK_SCALE, HINT)
    found[:, SCORE] = confidences(found[:, SCORE], np.interp(widths(found), WIDTHS, LIKELY_IN_CHECK))
    return at_least(min_confidence, found)


def at_least(min_confidence: float, faces: Floats) -> Floats:
    """The faces of at least this confidence, each once."""
    return suppress(faces[faces[:, SCORE] >= min_confidence], OVERLAP, INSIDE)


def around(hints: Floats) -> Floats:
    """The areas [n, 4] around possible faces that show them with a third of a face on each side."""
    room = widths(hints)[:, None] / 3
    areas: Floats = np.concatenate([hints[:, :2] - room, hints[:, 2:4] + room], axis=1)
    return areas


def confidences(scores: Floats, likely: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Scores (0…1) on the scale of confidence (0…100), on which `likely` is the default."""
    below = scores / likely * DEFAULT
    above = DEFAULT + (scores - likely) / (1 - np.asarray(likely)) * (100 - DEFAULT)
    confidence: NDArray[np.float64] = np.where(scores < likely, below, above)
    return confidence
