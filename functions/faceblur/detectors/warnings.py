"""Reasons why something may have been missed: the codes in a job's `warnings`."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from PIL import ImageChops, ImageFilter, ImageStat

from faceblur.detectors.base import DetectionPass
from faceblur.photo.decode import TRUNCATED

if TYPE_CHECKING:
    from PIL import Image

DARK = 24  # of 255; a photo is dark if less than a fiftieth of its pixels is brighter
SOFT = 0.03  # share of the contrast that is finer than a hundredth of the side; in sharp photos it is above 0.1
SAMPLE = 400  # pixels of the longer side at which darkness and sharpness are measured


class WarningCode(StrEnum):
    """A reason to look at the result before relying on it."""

    NOTHING_FOUND = "NothingFound"
    """Nothing was found of what the job hides: there is none, or it was missed."""

    NEAR_SIZE_LIMIT = "NearSizeLimit"
    """Some faces or texts are about as small as the detector can find, or the photo was reduced for the search of text.

    So smaller ones may have been missed.
    """

    BELOW_CONFIDENCE = "BelowConfidence"
    """Something likely was left visible, because the job asked for more confidence than there was in it."""

    ANSWER_CAPPED = "AnswerCapped"
    """The service returned its largest number of faces or words, even for a small part of the photo."""

    DARK_PHOTO = "DarkPhoto"
    """The photo is so dark that detection is weak."""

    BLURRED_PHOTO = "BlurredPhoto"
    """The photo is so blurred or shaken that detection is weak."""

    TRUNCATED_PHOTO = "TruncatedPhoto"
    """Pixels are missing in the photo: it was filled up, and the job's options allowed to go on."""

    ONE_DETECTOR_ONLY = "OneDetectorOnly"
    """One of two detectors was unavailable, and the job's options allowed to go on without it."""

    CHECKS_NOT_SETTLED = "ChecksNotSettled"
    """The last check still found something. It is hidden too, but was not checked again."""


def warnings_to_report(warnings: list[str], detection_pass: DetectionPass) -> list[str]:
    """The warnings for the user. In a check, those about the picture are dropped: our own paint causes them."""
    of_any_pass = {WarningCode.ONE_DETECTOR_ONLY, WarningCode.BELOW_CONFIDENCE}
    return warnings if detection_pass is DetectionPass.FIRST else [each for each in warnings if each in of_any_pass]


def missing_pixels(picture: Image.Image) -> list[WarningCode]:
    """The warning for a picture that `load_for_detection` had to fill up."""
    return [WarningCode.TRUNCATED_PHOTO] if TRUNCATED in picture.info else []


def warnings_for(picture: Image.Image) -> list[WarningCode]:
    """The warnings for an upright RGB picture that is incomplete, or too dark or too blurred for a reliable search."""
    grey = picture.reduce(max(1, max(picture.size) // SAMPLE)).convert("L")
    grey.thumbnail((SAMPLE, SAMPLE))
    warnings = missing_pixels(picture)
    if sum(grey.histogram()[DARK:]) < grey.width * grey.height / 50:
        warnings.append(WarningCode.DARK_PHOTO)
    fine = ImageChops.difference(grey, grey.filter(ImageFilter.GaussianBlur(SAMPLE / 200)))
    if ImageStat.Stat(fine).rms[0] < SOFT * ImageStat.Stat(grey).stddev[0]:
        warnings.append(WarningCode.BLURRED_PHOTO)
    return warnings
