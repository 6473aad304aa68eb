"""The embedded detector: two networks that run inside the function.

CenterFace finds the faces. YuNet says where small and turned faces may be, and checks the draft (`search`). Both run
under onnxruntime, which comes with the layer.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from PIL import Image

from faceblur.detectors.base import Detection, DetectionPass
from faceblur.detectors.embedded.candidates import ROLL, SCORE, widths
from faceblur.detectors.embedded.centerface import centerface
from faceblur.detectors.embedded.network import give_back_memory
from faceblur.detectors.embedded.search import find_faces, find_missed_faces
from faceblur.detectors.embedded.yunet import yunet
from faceblur.detectors.warnings import WarningCode, missing_pixels, warnings_for
from faceblur.geometry import Box
from faceblur.photo import decode

if TYPE_CHECKING:
    from faceblur.detectors.base import StoredPhoto
    from faceblur.detectors.embedded.candidates import Floats

MOST_PIXELS = 6_000_000  # larger photos are reduced to this; they are seldom sharp to the pixel, and it saves time
# The confidence from which a possible face is worth another detector's closer look. A check has fewer possible faces.
HINT = {DetectionPass.FIRST: 20.0, DetectionPass.CHECK: 10.0}
NEAR_LIMIT = 12  # pixels of the reduced photo; some faces narrower than this are missed


class EmbeddedDetector:
    """CenterFace and YuNet under onnxruntime, on the processors of this machine."""

    def detect(self, photo: StoredPhoto, min_confidence: float, detection_pass: DetectionPass) -> Detection:
        """The faces of at least this confidence (0…100). Raises the errors of `decode.inspect`.

        The first pass uses both networks, a check only YuNet.
        """
        return self.detect_with_hints(photo, min_confidence, detection_pass)[0]

    def detect_with_hints(
        self, photo: StoredPhoto, min_confidence: float, detection_pass: DetectionPass
    ) -> tuple[Detection, list[Box]]:
        """The same, and the boxes of all possible faces of at least the confidence HINT."""
        picture, warnings = opened(photo, detection_pass)
        least = min(min_confidence, HINT[detection_pass])
        if detection_pass is DetectionPass.FIRST:
            possible = find_faces(centerface(), yunet(), picture, min_confidence, least)
            version = f"{centerface().version} {yunet().version}"
        else:
            possible = find_missed_faces(yunet(), picture, least)
            version = yunet().version
        found = possible[possible[:, SCORE] >= min_confidence]
        if (widths(found) < NEAR_LIMIT).any():
            warnings.append(WarningCode.NEAR_SIZE_LIMIT)
        detection = Detection(boxes_of(found, picture.size), "embedded", version, calls=0, warnings=sorted(warnings))
        return detection, boxes_of(possible, picture.size)


def boxes_of(candidates: Floats, size: tuple[int, int]) -> list[Box]:
    """These candidates in a picture of this size as boxes."""
    corners = candidates[:, :4] / [*size, *size]
    return [
        Box(left, top, right - left, bottom - top, confidence, roll=roll)
        for (left, top, right, bottom), confidence, roll in zip(
            corners.tolist(), candidates[:, SCORE].tolist(), candidates[:, ROLL].tolist(), strict=True
        )
    ]


def opened(photo: StoredPhoto, detection_pass: DetectionPass) -> tuple[Image.Image, list[WarningCode]]:
    """The picture that `load` gives, and the warnings about it. In a draft, our own paint causes most of them.

    Whatever is looked for, missing pixels must be told.
    """
    picture = load(photo.data)
    first = detection_pass is DetectionPass.FIRST
    return picture, warnings_for(picture) if first else missing_pixels(picture)


def load(data: bytes) -> Image.Image:
    """The upright photo, reduced to MOST_PIXELS if it is larger."""
    header = decode.inspect(data)
    scale = min(1.0, sqrt(MOST_PIXELS / (header.width * header.height)))
    size = round(header.width * scale), round(header.height * scale)
    picture = decode.load_for_detection(data, max(size))
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2)
    give_back_memory()
    return picture
