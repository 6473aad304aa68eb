"""Amazon Rekognition's DetectText, searched for as `detectors/rekognition.py` searches for faces.

An answer holds 100 words. So an area with a full answer is asked for again as quarters, and large photos in tiles. AWS
states no least size of text, so no small text is looked for beyond that. A mirror hides text: a check sees the photo
enlarged.

https://docs.aws.amazon.com/rekognition/latest/APIReference/API_DetectText.html
"""

from __future__ import annotations

from dataclasses import replace
from math import atan2
from typing import TYPE_CHECKING

from faceblur.aws import service_errors
from faceblur.detectors import rekognition
from faceblur.detectors.base import Answer
from faceblur.detectors.rekognition import Operation, Search
from faceblur.detectors.text.characters import Reading, is_no_plate
from faceblur.detectors.text.lines import Line, boxes_of, line_around
from faceblur.detectors.text.plates import wanted_among
from faceblur.errors import DetectorThrottled, DetectorUnavailable
from faceblur.geometry import merge_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from mypy_boto3_rekognition.type_defs import DetectTextFiltersTypeDef, TextDetectionTypeDef

    from faceblur.detectors.base import Detection, DetectionPass, PaidCalls, StoredPhoto
    from faceblur.detectors.rekognition import Request
    from faceblur.geometry import Box
    from faceblur.limits import Kind

FULL_ANSWER = 100  # words
# The certainty from which a line counts as surely read. Nobody has measured how it compares with that of the network.
SURE = 0.99
# The service leaves out words below 80 by default, whatever confidence a job asks for.
FILTERS: DetectTextFiltersTypeDef = {"WordFilter": {"MinConfidence": 0}}


class RekognitionTextDetector:
    """Amazon Rekognition's plates and texts, through boto3."""

    def __init__(self, kinds: Collection[Kind], paid: PaidCalls, answers: dict[str, Answer]) -> None:
        """Find these kinds, plates, texts or both, with these calls. `answers` is as for `RekognitionDetector`."""
        self.kinds = kinds
        self.paid = paid
        self.answers = answers

    def detect(self, photo: StoredPhoto, min_confidence: float, detection_pass: DetectionPass) -> Detection:
        """The plates and texts of at least this confidence (0…100). Raises the errors of `RekognitionDetector`."""
        search = Search(photo, detection_pass, self.paid, self.answers, TEXT)
        size = search.photo_area.size
        boxes = search.survey()
        if "text" in self.kinds:  # then it does not matter what a line says, and one that was found twice is one text
            boxes = [replace(box, kind="text") for box in boxes]
        merged = [(line_of(box, size), box.kind) for box in merge_lines(boxes)]
        plates = {line for line, kind in merged if kind == "plate"}

        def may_be_plates(lines: Sequence[Line]) -> list[bool]:
            return [line in plates for line in lines]

        found = wanted_among([line for line, _ in merged], size, self.kinds, min_confidence, CONFIDENCES, may_be_plates)
        return search.detection(found, min_confidence)


def detect_text(request: Request) -> Answer:
    """The lines of one answer, as turned boxes in fractions of the image; they may reach outside the image.

    A box is of the kind `plate` if its characters may be a plate's, whatever its shape. Answers are remembered, so they
    must not hold the characters.
    """
    with service_errors(throttled=DetectorThrottled, unavailable=DetectorUnavailable):
        found = rekognition.client().detect_text(Image=request.image, Filters=FILTERS)["TextDetections"]
    boxes = [box for each in found if each["Type"] == "LINE" for box in boxes_of_line(each, request.size)]
    words = sum(each["Type"] == "WORD" for each in found)
    return Answer(boxes, words >= FULL_ANSWER)


def boxes_of_line(told: TextDetectionTypeDef, size: tuple[int, int]) -> list[Box]:
    """The boxes of a line that the service found in a picture of this size."""
    width, height = size
    corners = [(point["X"] * width, point["Y"] * height) for point in told["Geometry"]["Polygon"]]
    text = told["DetectedText"]
    reading = Reading(text, told["Confidence"] / 100, digit=float(any(map(str.isdigit, text))))
    kind: Kind = "text" if is_no_plate(reading, SURE) else "plate"
    return boxes_of([line_in(corners, told["Confidence"])], size, kind, confidence_of)


TEXT = Operation("DetectText", detect_text, mirrors=False, size_limit=False)


def line_in(corners: Sequence[tuple[float, float]], confidence: float) -> Line:
    """The line of text in these corners, in pixels: clockwise from where the first character begins, above it."""
    (left, top), (right, below), *_ = corners
    return line_around(corners, atan2(below - top, right - left), confidence / 100)


def line_of(box: Box, size: tuple[int, int]) -> Line:
    """The line of a turned box in a picture of this size."""
    width, height = size
    return Line(
        (box.left + box.width / 2) * width,
        (box.top + box.height / 2) * height,
        box.width * width,
        box.height * height,
        box.roll,
        box.confidence / 100,
    )


def confidence_of(score: float) -> float:
    """The confidence (0…100) that a score (0…1) stands for."""
    return 100 * score


# The service finds only what it can read, so it finds no texture. So a plate needs no higher confidence than a text.
CONFIDENCES: dict[Kind, Callable[[float], float]] = {"text": confidence_of, "plate": confidence_of}
