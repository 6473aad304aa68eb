"""The confidence that a box needs, in the first pass and in a check."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from faceblur.detectors.base import DetectionPass
from faceblur.detectors.warnings import WarningCode
from faceblur.limits import DEFAULT_CONFIDENCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from faceblur.detectors.base import Detection, Detector, StoredPhoto
    from faceblur.geometry import Box


# A face of less confidence is one about which a detector is not sure. A third of real photos, most of them of groups
# and crowds, have such a face.
SURE = 50.5


def unsure(boxes: Sequence[Box]) -> int:
    """The number of boxes about which the detector was not sure."""
    return sum(box.confidence < SURE for box in boxes)


def confidence_for(detection_pass: DetectionPass, min_confidence: float) -> float:
    """The confidence (0…100) that a box needs in this pass; in a check it is at least the default.

    Below the default, a detector takes other things for faces. A job that asks for less hides them in the first pass,
    but a check would find new ones each time.
    """
    return min_confidence if detection_pass is DetectionPass.FIRST else max(min_confidence, DEFAULT_CONFIDENCE)


def detect_at_confidence(
    detector: Detector, photo: StoredPhoto, min_confidence: float, detection_pass: DetectionPass
) -> Detection:
    """The boxes of at least the confidence of `confidence_for`.

    If a job asks for more than the default and something likely stays visible, it gets a warning.
    """
    least = confidence_for(detection_pass, min_confidence)
    found = detector.detect(photo, min(least, DEFAULT_CONFIDENCE), detection_pass)
    boxes = [box for box in found.boxes if box.confidence >= least]
    if len(boxes) == len(found.boxes):
        return found
    return replace(found, boxes=boxes, warnings=[*found.warnings, WarningCode.BELOW_CONFIDENCE])
