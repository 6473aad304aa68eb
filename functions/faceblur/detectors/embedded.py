"""The embedded detector: CenterFace inside the function itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from faceblur import images
from faceblur.detectors import Detection, Look
from faceblur.detectors.centerface import centerface
from faceblur.faces import Box

if TYPE_CHECKING:
    from faceblur.detectors import StoredPhoto

LONG_SIDE = {Look.FIRST: 960, Look.SECOND: 1280}

# The network's scores (0…1) against confidence (0…100). 0.35 is where recall is best without a false alarm on
# pictures of no one; it is made the middle of the scale, the default.
SCORES = [0.0, 0.35, 1.0]
CONFIDENCES = [0.0, 50.0, 100.0]
LOWEST_SCORE = 0.1  # below it the network's answer is noise


class EmbeddedDetector:
    """CenterFace under onnxruntime, on this machine's processors."""

    def detect(self, photo: StoredPhoto, min_confidence: float, look: Look) -> Detection:
        """The faces of at least this confidence (0…100); a PhotoError if the photo cannot be read."""
        picture = images.load_for_detection(photo.data, LONG_SIDE[look])
        picture.thumbnail((LONG_SIDE[look],) * 2, Image.Resampling.BILINEAR)
        network = centerface()
        boxes, scores = network.find(picture, score(min_confidence))
        return Detection(
            boxes=[
                Box(left, top, right - left, bottom - top, confidence)
                for (left, top, right, bottom), confidence in zip(
                    (boxes / [*picture.size, *picture.size]).tolist(),
                    np.interp(scores, SCORES, CONFIDENCES).tolist(),
                    strict=True,
                )
            ],
            detector="embedded",
            version=network.version,
            calls=0,
            warnings=[],
        )


def score(confidence: float) -> float:
    """The network's score (0…1) that stands for this confidence (0…100)."""
    return max(float(np.interp(confidence, CONFIDENCES, SCORES)), LOWEST_SCORE)
