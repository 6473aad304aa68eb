"""Amazon Rekognition's DetectFaces, and what its limits ask for.

An answer holds the 100 largest faces, and none below 40 pixels in a picture of 1920×1080, proportionally more in a
larger one. So a part of the photo is asked about again in quarters, enlarged, when its answer is full or holds
faces hardly above that limit, or when it is so large that faces worth hiding lie below it.
https://docs.aws.amazon.com/rekognition/latest/dg/limits.html
"""

from __future__ import annotations

from collections import deque
from functools import cache, cached_property
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004
from PIL import Image, ImageOps

from faceblur.detectors.base import Detection, DetectionPass
from faceblur.detectors.warnings import SAMPLE, WarningCode, warnings_for
from faceblur.errors import DetectorThrottled, DetectorUnavailable
from faceblur.geometry import Box, merge
from faceblur.photo import decode

if TYPE_CHECKING:
    from mypy_boto3_rekognition import RekognitionClient
    from mypy_boto3_rekognition.type_defs import ImageTypeDef

    from faceblur.detectors.base import StoredPhoto

MAX_OBJECT_BYTES = 15_000_000
FULL_ANSWER = 100  # faces
SMALLEST_FACE = 40  # pixels, in a picture of at most these sides
LONG_SIDE, SHORT_SIDE = 1920, 1080
SMALLEST_SIDE = 80  # pixels of a picture

ALWAYS_FOUND = 80  # pixels of the photo: faces of this size are never left below the limit
HARDLY_ABOVE = 1.5  # times the limit: where such faces are, there may be smaller ones
SMALL_ENOUGH = 12  # pixels of the photo: a limit below this is not worth another call
ENLARGED = 4  # times at most; beyond it no detail is left to find
CUT = 2  # pixels from the edge of what was sent: a face that near to it is not all there
PIECE = 0.8  # a cut face with more than this of its area in a whole one is a piece of that
MAX_CALLS = 100  # a photo, ten cents

THROTTLED = {"ThrottlingException", "ProvisionedThroughputExceededException"}
UNAVAILABLE = {"InternalServerError"}
REFUSED_AS_IT_IS = {"InvalidImageFormatException", "ImageTooLargeException"}


class RekognitionDetector:
    """DetectFaces through boto3."""

    def detect(self, photo: StoredPhoto, min_confidence: float, detection_pass: DetectionPass) -> Detection:
        """The faces of at least this confidence (0…100).

        DetectorThrottled and DetectorUnavailable are worth another try; any other refusal is raised as it is.
        """
        survey = Survey(photo, detection_pass)
        found = merge(survey.faces(), overlap=0.4, inside=0.8)
        warnings = survey.warnings | set(warnings_for(decode.load_for_detection(photo.data, SAMPLE)))
        return Detection(
            boxes=[box for box in found if box.confidence >= min_confidence],
            detector="rekognition",
            version=f"DetectFaces-{client().meta.service_model.api_version}",
            calls=survey.calls,
            warnings=sorted(warnings),
        )


class Area(NamedTuple):
    """A part of the upright photo, in pixels."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.right - self.left, self.bottom - self.top

    def quarters(self, overlap: float) -> list[Area]:
        """Its four parts, overlapping by so many pixels: at most half of its shorter side."""
        margin = round(overlap / 2)
        x, y = (self.left + self.right) // 2, (self.top + self.bottom) // 2
        return [
            Area(left, top, right, bottom)
            for top, bottom in ((self.top, y + margin), (y - margin, self.bottom))
            for left, right in ((self.left, x + margin), (x - margin, self.right))
        ]


class Survey:
    """One search of a photo, by as many calls as it takes; a check shows it mirrored."""

    def __init__(self, photo: StoredPhoto, detection_pass: DetectionPass) -> None:
        """Nothing is asked yet."""
        self.photo = photo
        self.header = decode.inspect(photo.data)
        self.whole = Area(0, 0, self.header.width, self.header.height)
        self.mirrored = detection_pass is DetectionPass.CHECK
        self.calls = 0
        self.warnings: set[WarningCode] = set()

    def faces(self) -> list[Box]:
        """All faces in all answers, some of them several times; of those that an area's edge cuts, no mere pieces."""
        found: list[Box] = []
        pieces: list[Box] = []
        waiting = deque([self.whole])
        while waiting:
            area = waiting.popleft()
            answer = self.ask(area)
            for box in answer:
                (pieces if self.cut(box, area) else found).append(self.in_photo(box, area))
            # A face that the area's edge cuts is narrower than it is; another area shows it whole.
            widths = [box.width * area.size[0] for box in answer if not self.cut(box, area)]
            limit = SMALLEST_FACE / self.scale(area)
            full = len(answer) >= FULL_ANSWER
            near_limit = any(width < limit * HARDLY_ABOVE for width in widths)
            # What only the quarters can show is no larger than their overlap, so one of them shows it whole.
            overlap = max(limit * HARDLY_ABOVE, min(widths, default=0) if full else 0)
            worth_it = full or limit > ALWAYS_FOUND or (near_limit and limit > SMALL_ENOUGH)
            possible = min(area.size) >= max(2 * overlap, SMALLEST_SIDE) and self.calls + len(waiting) + 4 <= MAX_CALLS
            if worth_it and possible:
                waiting.extend(area.quarters(overlap))
            elif full:
                self.warnings.add(WarningCode.ANSWER_CAPPED)
            elif near_limit:
                self.warnings.add(WarningCode.FACES_NEAR_SIZE_LIMIT)
        return found + [piece for piece in pieces if not any(_is_within(piece, face) for face in found)]

    def scale(self, area: Area) -> float:
        """The scale at which an area is looked at: as large as it helps."""
        largest = min(LONG_SIDE / max(area.size), SHORT_SIDE / min(area.size))
        return min(largest, 1 if self.as_it_lies(area) else ENLARGED)

    def ask(self, area: Area) -> list[Box]:
        """The faces in one area, as fractions of it."""
        if self.as_it_lies(area):
            try:
                return self.call({"S3Object": {"Bucket": self.photo.bucket, "Name": self.photo.key}})
            except ClientError as error:
                if code_of(error) not in REFUSED_AS_IT_IS:
                    raise
        return self.call({"Bytes": self.rendered(area)})

    def as_it_lies(self, area: Area) -> bool:
        """Whether the service can read what is asked about in S3 itself, and see it as we do."""
        return (
            area == self.whole
            and not self.mirrored
            and len(self.photo.data) <= MAX_OBJECT_BYTES
            and min(self.whole.size) >= SMALLEST_SIDE
            # It turns JPEGs upright, and only those.
            and (self.header.format == "JPEG" or (self.header.format == "PNG" and self.header.orientation == 1))
        )

    def rendered(self, area: Area) -> bytes:
        """The area as a JPEG: it is far below the limit of 5 MB at the sizes that are of use."""
        scale = max(self.scale(area), SMALLEST_SIDE / min(area.size))
        size = round(area.size[0] * scale), round(area.size[1] * scale)
        picture = self.picture.resize(size, Image.Resampling.BICUBIC, area)
        file = BytesIO()
        (ImageOps.mirror(picture) if self.mirrored else picture).save(file, "JPEG", quality=90)
        return file.getvalue()

    @cached_property
    def picture(self) -> Image.Image:
        """The upright photo, decoded once and only if its pixels are asked for."""
        return decode.load_for_detection(self.photo.data, None)

    def call(self, image: ImageTypeDef) -> list[Box]:
        """One DetectFaces request; what it sees in the mirror is turned back."""
        self.calls += 1
        answer = detect_faces(image)
        if self.mirrored:
            return [Box(1 - box.right, box.top, box.width, box.height, box.confidence) for box in answer]
        return answer

    def cut(self, box: Box, area: Area) -> bool:
        """Whether an edge of the area that is not one of the photo cuts this face."""
        edge = CUT / self.scale(area) / min(area.size)
        return (
            (box.left < edge and area.left > 0)
            or (box.top < edge and area.top > 0)
            or (box.right > 1 - edge and area.right < self.whole.right)
            or (box.bottom > 1 - edge and area.bottom < self.whole.bottom)
        )

    def in_photo(self, box: Box, area: Area) -> Box:
        """A box in fractions of the area as one in fractions of the photo."""
        (left, top, _, _), (width, height), (across, down) = area, area.size, self.whole.size
        return Box(
            (left + box.left * width) / across,
            (top + box.top * height) / down,
            box.width * width / across,
            box.height * height / down,
            box.confidence,
        ).clamp()


def _is_within(piece: Box, face: Box) -> bool:
    return piece.intersection(face) > PIECE * piece.area


def detect_faces(image: ImageTypeDef) -> list[Box]:
    """The faces of one answer, as fractions of the image asked about; its boxes may reach beyond it."""
    try:
        answer = client().detect_faces(Image=image)
    except ClientError as error:
        if code_of(error) in THROTTLED:
            raise DetectorThrottled from error
        if code_of(error) in UNAVAILABLE or error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
            raise DetectorUnavailable from error
        raise
    except (ConnectionError, HTTPClientError) as error:
        raise DetectorUnavailable from error
    return [
        Box(box["Left"], box["Top"], box["Width"], box["Height"], face["Confidence"])
        for face in answer["FaceDetails"]
        for box in [face["BoundingBox"]]
    ]


def code_of(error: ClientError) -> str:
    """AWS's name of the error."""
    return error.response["Error"]["Code"]


@cache
def client() -> RekognitionClient:
    """The client, made on first use; it tries twice itself, the rest is the state machine's."""
    config = Config(connect_timeout=3, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 2})
    return boto3.client("rekognition", config=config)
