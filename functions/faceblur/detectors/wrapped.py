"""Panoramas of the whole horizon: faces across the seam, where the right edge continues at the left edge."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image

from faceblur.detectors.base import Detection, StoredPhoto
from faceblur.geometry import is_part
from faceblur.photo import decode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from faceblur.detectors.base import DetectionPass, Detector
    from faceblur.geometry import Box

EACH_SIDE = 0.25  # of the photo's width: a face that nearly fills a picture of 90 degrees fits in
# A box is of the same face as one at the seam if their intersection over union is above the first, or if more of it
# than the second lies in the middle of the other one. So it is with plates and texts.
OVERLAP, INSIDE = 0.4, 0.8


class WrappedDetector:
    """A detector for photos that wrap around. It also looks at a strip with the seam in its middle."""

    def __init__(self, detector: Detector) -> None:
        """Use this detector for the photo and for the strip."""
        self.detector = detector

    def detect(self, photo: StoredPhoto, min_confidence: float, detection_pass: DetectionPass) -> Detection:
        """The faces of at least this confidence (0…100). A face across the seam has a box on each side of it.

        Raises the errors of the detector.
        """
        found = self.detector.detect(photo, min_confidence, detection_pass)
        strip = StoredPhoto(seam_of(photo.data), "", "")
        at_seam = self.detector.detect(strip, min_confidence, detection_pass)
        parts = [part for box in at_seam.boxes for part in _as_sure([*parts_at_seam(box)], found.boxes)]
        boxes = [*parts, *(box for box in found.boxes if not any(_repeats(box, part) for part in parts))]
        return replace(
            found,
            boxes=sorted(boxes, key=lambda box: -box.confidence),
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

    Nothing if the box is further from the seam than it is wide: the photo itself shows that face best.
    """
    left, right = ((edge - 0.5) * 2 * EACH_SIDE for edge in (box.left, box.right))  # from the seam, in the photo
    if min(abs(left), abs(right)) > right - left and not left < 0 < right:
        return
    if left < 0:
        yield replace(box, left=1 + left, width=min(right, 0) - left)
    if right > 0:
        yield replace(box, left=max(left, 0), width=right - max(left, 0))


def _as_sure(parts: Sequence[Box], boxes: Sequence[Box]) -> list[Box]:
    """The parts of a face, with the confidence of the surest box that they replace."""
    replaced = [box.confidence for box in boxes if any(_repeats(box, part) for part in parts)]
    return [replace(part, confidence=max([part.confidence, *replaced])) for part in parts]


def _repeats(box: Box, part: Box) -> bool:
    return box.kind == part.kind and (box.overlap(part) > OVERLAP or is_part(box, part, INSIDE))
