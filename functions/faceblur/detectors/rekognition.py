"""Amazon Rekognition's DetectFaces.

Limits: https://docs.aws.amazon.com/rekognition/latest/dg/limits.html
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004

from faceblur.detectors import Detection
from faceblur.errors import DetectorThrottled, DetectorUnavailable
from faceblur.faces import Box

if TYPE_CHECKING:
    from mypy_boto3_rekognition import RekognitionClient
    from mypy_boto3_rekognition.type_defs import FaceDetailTypeDef, ImageTypeDef

    from faceblur.detectors import Look, StoredPhoto

THROTTLED = {"ThrottlingException", "ProvisionedThroughputExceededException"}
UNAVAILABLE = {"InternalServerError"}


class RekognitionDetector:
    """DetectFaces through boto3."""

    def detect(self, photo: StoredPhoto, min_confidence: float, look: Look) -> Detection:  # noqa: ARG002
        """The faces of at least this confidence (0…100).

        DetectorThrottled and DetectorUnavailable are worth another try; any other refusal is raised as it is.
        """
        faces = ask({"S3Object": {"Bucket": photo.bucket, "Name": photo.key}})
        boxes = [as_box(face) for face in faces if face["Confidence"] >= min_confidence]
        boxes.sort(key=lambda box: -box.confidence)
        return Detection(boxes, detector="rekognition", version="DetectFaces", calls=1, warnings=[])


def ask(image: ImageTypeDef) -> list[FaceDetailTypeDef]:
    """One DetectFaces request: the faces of the answer."""
    try:
        return client().detect_faces(Image=image)["FaceDetails"]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in THROTTLED:
            raise DetectorThrottled from error
        if code in UNAVAILABLE or error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
            raise DetectorUnavailable from error
        raise
    except (ConnectionError, HTTPClientError) as error:
        raise DetectorUnavailable from error


@cache
def client() -> RekognitionClient:
    """The client, made on first use; it tries twice itself, the rest is the state machine's."""
    config = Config(connect_timeout=3, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 2})
    return boto3.client("rekognition", config=config)


def as_box(face: FaceDetailTypeDef) -> Box:
    """The part of the face's box that lies in the image: Rekognition's may reach beyond."""
    box = face["BoundingBox"]
    return Box(box["Left"], box["Top"], box["Width"], box["Height"], face["Confidence"]).clamp()
