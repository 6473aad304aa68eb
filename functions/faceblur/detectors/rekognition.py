"""Amazon Rekognition's DetectFaces, called so that its limits miss no faces.

An answer holds the 100 largest faces. The smallest face it finds has 40 pixels in a picture of 1920×1080, and
proportionally more in a larger picture. So an area of the photo is sent again as four enlarged quarters in three cases:
its answer is full, it holds faces near the size limit, or the area is so large that the limit exceeds faces worth
hiding.
https://docs.aws.amazon.com/rekognition/latest/dg/limits.html
"""

from __future__ import annotations

from collections import deque
from functools import cache, cached_property
from io import BytesIO
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from PIL import Image, ImageOps

from faceblur.aws import code_of, service_errors
from faceblur.detectors.base import Detection, DetectionPass
from faceblur.detectors.warnings import SAMPLE, WarningCode, warnings_for
from faceblur.errors import DetectorThrottled, DetectorUnavailable
from faceblur.geometry import Box, Rectangle, merge
from faceblur.photo import decode

if TYPE_CHECKING:
    from mypy_boto3_rekognition import RekognitionClient
    from mypy_boto3_rekognition.type_defs import ImageTypeDef

    from faceblur.detectors.base import StoredPhoto

MAX_OBJECT_BYTES = 15_000_000
FULL_ANSWER = 100  # faces
SMALLEST_FACE = 40  # pixels, in a picture of at most LONG_SIDE × SHORT_SIDE
LONG_SIDE, SHORT_SIDE = 1920, 1080
SMALLEST_SIDE = 80  # pixels of a picture

ALWAYS_FOUND = 80  # pixels of the photo; an area whose size limit is above this is divided
NEAR_LIMIT = 1.5  # times the size limit; where such faces are, there may be smaller ones
SMALL_ENOUGH = 12  # pixels of the photo; a size limit below this is not worth another call
MAX_ENLARGEMENT = 4  # times; more shows no further detail
CUT = 2  # pixels; a face nearer than this to the edge of an area is taken to be cropped
SAME_FACE = 0.8  # a cropped face with more than this share of its area in an uncropped one is the same face
MAX_CALLS = 100  # for one photo; they cost ten cents

REFUSED_IN_S3 = {"InvalidImageFormatException", "ImageTooLargeException"}


class RekognitionDetector:
    """Amazon Rekognition through boto3."""

    def detect(self, photo: StoredPhoto, min_confidence: float, detection_pass: DetectionPass) -> Detection:
        """The faces of at least this confidence (0…100).

        Raises the errors of `decode.inspect`, DetectorThrottled and DetectorUnavailable; other errors of the service
        are raised unchanged.
        """
        search = Search(photo, detection_pass)
        found = merge(search.boxes(), overlap=0.4, inside=0.8)
        warnings = search.warnings | set(warnings_for(search.sample()))
        return Detection(
            boxes=[box for box in found if box.confidence >= min_confidence],
            detector="rekognition",
            version=f"DetectFaces-{client().meta.service_model.api_version}",
            calls=search.calls,
            warnings=sorted(warnings),
        )


class Search:
    """A search of one photo with as many calls as needed. A check sends the photo mirrored."""

    def __init__(self, photo: StoredPhoto, detection_pass: DetectionPass) -> None:
        """Prepare the search; makes no call yet."""
        self.photo = photo
        self.header = decode.inspect(photo.data)
        self.photo_area = Rectangle(0, 0, self.header.width, self.header.height)
        self.mirrored = detection_pass is DetectionPass.CHECK
        self.calls = 0
        self.warnings: set[WarningCode] = set()

    def boxes(self) -> list[Box]:
        """The boxes of all answers; a face may have several. A box of a cropped face is left out if an uncropped box
        of the same face was found.
        """
        found: list[Box] = []
        cropped: list[Box] = []
        waiting = deque([self.photo_area])
        while waiting:
            area = waiting.popleft()
            answer = self.ask(area)
            for box in answer:
                (cropped if self.crops(area, box) else found).append(self.in_photo(box, area))
            # A cropped face seems narrower than it is. Another area shows it uncropped.
            widths = [box.width * area.size[0] for box in answer if not self.crops(area, box)]
            limit = SMALLEST_FACE / self.scale(area)
            full = len(answer) >= FULL_ANSWER
            near_limit = any(width < limit * NEAR_LIMIT for width in widths)
            # Faces that only the quarters can show are no larger than the overlap, so a quarter shows them uncropped.
            overlap = max(limit * NEAR_LIMIT, min(widths, default=0) if full else 0)
            is_useful = full or limit > ALWAYS_FOUND or (near_limit and limit > SMALL_ENOUGH)
            is_possible = (
                min(area.size) >= max(2 * overlap, SMALLEST_SIDE) and self.calls + len(waiting) + 4 <= MAX_CALLS
            )
            if is_useful and is_possible:
                waiting.extend(area.quarters(overlap))
            elif full:
                self.warnings.add(WarningCode.ANSWER_CAPPED)
            elif near_limit:
                self.warnings.add(WarningCode.FACES_NEAR_SIZE_LIMIT)
        return found + [part for part in cropped if not any(_is_same_face(part, box) for box in found)]

    def scale(self, area: Rectangle) -> float:
        """The scale at which an area is sent: the largest that is useful."""
        largest = min(LONG_SIDE / max(area.size), SHORT_SIDE / min(area.size))
        return min(largest, 1 if self.is_readable_in_s3(area) else MAX_ENLARGEMENT)

    def ask(self, area: Rectangle) -> list[Box]:
        """The faces in one area, as fractions of the area."""
        if self.is_readable_in_s3(area):
            try:
                return self.call({"S3Object": {"Bucket": self.photo.bucket, "Name": self.photo.key}})
            except ClientError as error:
                if code_of(error) not in REFUSED_IN_S3:
                    raise
        return self.call({"Bytes": self.rendered(area)})

    def is_readable_in_s3(self, area: Rectangle) -> bool:
        """Whether the service can read this area from S3 itself, and sees the same picture as we do."""
        return (
            area == self.photo_area
            and bool(self.photo.key)
            and not self.mirrored
            and len(self.photo.data) <= MAX_OBJECT_BYTES
            and min(self.photo_area.size) >= SMALLEST_SIDE
            and self.header.is_plain
            # It turns only JPEGs upright.
            and (self.header.format == "JPEG" or (self.header.format == "PNG" and self.header.orientation == 1))
        )

    def rendered(self, area: Rectangle) -> bytes:
        """The area as a JPEG; at the scales used it is far smaller than the limit of 5 MB."""
        scale = max(self.scale(area), SMALLEST_SIDE / min(area.size))
        size = round(area.size[0] * scale), round(area.size[1] * scale)
        picture = self.picture.resize(size, Image.Resampling.BICUBIC, area)
        file = BytesIO()
        (ImageOps.mirror(picture) if self.mirrored else picture).save(file, "JPEG", quality=90)
        return file.getvalue()

    @cached_property
    def picture(self) -> Image.Image:
        """The upright photo, decoded on first use."""
        return decode.load_for_detection(self.photo.data, None)

    def sample(self) -> Image.Image:
        """The upright photo, at least as large as the warnings need it, and not decoded a second time."""
        is_decoded = "picture" in vars(self)
        return self.picture if is_decoded else decode.load_for_detection(self.photo.data, SAMPLE)

    def call(self, image: ImageTypeDef) -> list[Box]:
        """The faces that one DetectFaces request finds; mirrored boxes are mirrored back."""
        self.calls += 1
        answer = detect_faces(image)
        if self.mirrored:
            return [Box(1 - box.right, box.top, box.width, box.height, box.confidence) for box in answer]
        return answer

    def crops(self, area: Rectangle, box: Box) -> bool:
        """Whether an edge of the area crops this face; the edges of the photo do not count."""
        edge = CUT / self.scale(area) / min(area.size)
        return (
            (box.left < edge and area.left > 0)
            or (box.top < edge and area.top > 0)
            or (box.right > 1 - edge and area.right < self.photo_area.right)
            or (box.bottom > 1 - edge and area.bottom < self.photo_area.bottom)
        )

    def in_photo(self, box: Box, area: Rectangle) -> Box:
        """Convert a box from fractions of the area to fractions of the photo."""
        (left, top, _, _), (width, height), (across, down) = area, area.size, self.photo_area.size
        return Box(
            (left + box.left * width) / across,
            (top + box.top * height) / down,
            box.width * width / across,
            box.height * height / down,
            box.confidence,
        ).clamp()


def _is_same_face(cropped: Box, face: Box) -> bool:
    return cropped.intersection(face) > SAME_FACE * cropped.area


def detect_faces(image: ImageTypeDef) -> list[Box]:
    """The faces of one answer, as fractions of the image. Boxes may reach outside the image."""
    with service_errors(throttled=DetectorThrottled, unavailable=DetectorUnavailable):
        answer = client().detect_faces(Image=image)
    return [
        Box(box["Left"], box["Top"], box["Width"], box["Height"], face["Confidence"])
        for face in answer["FaceDetails"]
        for box in [face["BoundingBox"]]
    ]


@cache
def client() -> RekognitionClient:
    """The client, created on first use. It tries twice; the state machine does the other retries."""
    config = Config(connect_timeout=3, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 2})
    return boto3.client("rekognition", config=config)
