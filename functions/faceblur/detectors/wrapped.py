"""Panoramas of the whole horizon: faces across the seam, where the right edge continues at the left edge."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image

from faceblur.detectors.base import Detection, StoredPhoto
from faceblur.geometry import BoxIndex, is_part
from faceblur.photo import decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from faceblur.detectors.base import DetectionPass, Detector
    from faceblur.geometry import Box

EACH_SIDE = 0.25  # of the photo's width: a face that nearly fills a picture of 90 degrees fits in
# A box is of the same face as one at the seam if their intersection over union is above the first, or if more of it
# than the second lies in the middle of the other one. The same holds for plates and texts.
OVERLAP, INSIDE = 0.4, 0.8
# A cropped part repeats a box if more than this share of it lies in the box.
REPEATED = 0.95
# A box that ends within this share of the strip's width from its outer edge may be cropped by it.
CUT = 0.01


class WrappedDetector:
    """A detector for photos that wrap around. It also looks at a strip with the seam in its middle."""

    def __init__(self, detector: Detector) -> None:
        """Use this detector for the photo and for the strip."""
        self.detector = detector

    def detect(self, photo: StoredPhoto, min_confidence: float, detection_pass: DetectionPass) -> Detection:
        """The boxes of at least this confidence (0…100). An upright one across the seam has a box on each side of it.

        Raises the errors of the detector.
        """
        found = self.detector.detect(photo, min_confidence, detection_pass)
        strip = StoredPhoto(seam_of(photo.data), "", "")
        at_seam = self.detector.detect(strip, min_confidence, detection_pass)
        in_photo = BoxIndex(found.boxes)
        whole: list[Box] = []
        cropped: list[Box] = []
        for box in at_seam.boxes:
            if _is_cropped(box):
                cropped += parts_at_seam(box)
            else:
                whole += _as_sure([*parts_at_seam(box)], in_photo)
        at_the_seam = BoxIndex(_on_both_sides(whole))
        kept = [box for box in found.boxes if not any(_repeats(box, part) for part in at_the_seam.near(box))]
        # What the strip crops replaces nothing, but it may show more of a text at the seam.
        in_both_places = BoxIndex(_on_both_sides(kept))
        more = [part for part in cropped if not any(_is_within(part, box) for box in in_both_places.near(part))]
        return replace(
            found,
            boxes=sorted([*whole, *kept, *more], key=lambda box: -box.confidence),
            calls=found.calls + at_seam.calls,
            warnings=sorted({*found.warnings, *at_seam.warnings}),
        )


def seam_of(photo: bytes) -> bytes:
    """A JPEG of the strip around the seam: the right part of the upright photo, and then the left part.

    Raises the errors of `decode.inspect`.
    """
    picture = decode.load(photo, None)
    width, height = picture.size
    side = round(EACH_SIDE * width)
    strip = Image.new("RGB", (2 * side, height))
    strip.paste(picture.crop((width - side, 0, width, height)), (0, 0))
    strip.paste(picture.crop((0, 0, side, height)), (side, 0))
    file = BytesIO()
    strip.save(file, "JPEG", quality=95, subsampling=0)
    return file.getvalue()


def parts_at_seam(box: Box) -> Iterator[Box]:
    """The parts on each side of the seam of a box of the strip, as boxes of the photo.

    A turned box stays whole and lies where its middle is, since its parts would turn about other middles. It may reach
    beyond the photo, and `styles.wrapped` hides it on both sides. Nothing if the box is further from the seam than it
    is wide: the photo itself shows it best.
    """
    # From the seam, in the photo.
    left, right = ((edge - 0.5) * 2 * EACH_SIDE for edge in (box.bounds.left, box.bounds.right))
    if min(abs(left), abs(right)) > right - left and not left < 0 < right:
        return
    if box.turned:
        width = box.width * 2 * EACH_SIDE
        yield replace(box, left=(left + right) / 2 % 1 - width / 2, width=width, ratio=box.ratio / (2 * EACH_SIDE))
        return
    if left < 0:
        yield replace(box, left=1 + left, width=min(right, 0) - left)
    if right > 0:
        yield replace(box, left=max(left, 0), width=right - max(left, 0))


def _as_sure(parts: Sequence[Box], boxes: BoxIndex) -> list[Box]:
    """The parts of a box, with the confidence of the surest box that they replace."""
    places = _on_both_sides(parts)
    replaced = [box.confidence for place in places for box in boxes.near(place) if _repeats(box, place)]
    return [replace(part, confidence=max([part.confidence, *replaced])) for part in parts]


def _repeats(box: Box, part: Box) -> bool:
    return box.kind == part.kind and (box.overlap(part) > OVERLAP or is_part(box, part, INSIDE))


def _is_within(part: Box, box: Box) -> bool:
    return box.kind == part.kind and part.share_in(box) > REPEATED


def _is_cropped(box: Box) -> bool:
    return box.bounds.left < CUT or box.bounds.right > 1 - CUT


def _on_both_sides(boxes: Iterable[Box]) -> Iterator[Box]:
    """Boxes where they are, and beyond each edge of the photo, for they may reach across the seam."""
    return (replace(box, left=box.left + shift) for box in boxes for shift in (0, -1, 1))
