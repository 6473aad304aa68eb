"""How confident a detector has to be of a face, in the first pass and in a check."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from faceblur.detectors.base import DetectionPass
from faceblur.detectors.warnings import WarningCode
from faceblur.limits import DEFAULT_CONFIDENCE

if TYPE_CHECKING:
    from faceblur.detectors.base import Detection, Detector, StoredPhoto


def confidence_for(detection_pass: DetectionPass, asked: float) -> float:
    """The confidence to ask a detector for: the first pass may go lower than a check.

    Below the default, a detector takes other things for faces. A job that asks for that gets them once, not again in
    each check.
    """
    return asked if detection_pass is DetectionPass.FIRST else max(asked, DEFAULT_CONFIDENCE)


def detect_at_confidence(
    detector: Detector, photo: StoredPhoto, asked: float, detection_pass: DetectionPass
) -> Detection:
    """The faces of at least the confidence that was asked for, or of the default if a check was asked for less.

    A job may ask for more than the default. Then it gets a warning if likely faces stay visible.
    """
    least = confidence_for(detection_pass, asked)
    found = detector.detect(photo, min(least, DEFAULT_CONFIDENCE), detection_pass)
    boxes = [box for box in found.boxes if box.confidence >= least]
    if len(boxes) == len(found.boxes):
        return found
    return replace(found, boxes=boxes, warnings=[*found.warnings, WarningCode.FACES_BELOW_CONFIDENCE])
