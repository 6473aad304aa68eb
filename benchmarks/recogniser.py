"""A face recogniser that compares hidden faces with pictures of the same people.

The recogniser is dlib's network (King 2017, http://blog.dlib.net/2017/02/high-quality-face-recognition-with-deep.html),
which is right for 99.4 % of the pairs of "Labeled Faces in the Wild". It computes a descriptor of 128 numbers from an
upright crop of a face. The nearer two descriptors are, the likelier they are of one person.

It has every advantage. It is told where the face is in the clear photo, and it compares it with pictures that are made
of the same photo, so light, hair and background are the same.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import dlib
import numpy as np
from PIL import Image, ImageOps

from faceblur.geometry import Box
from tests.support.pictures.photos import encoded, opened

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

CHIP = 150  # pixels: the side of the picture that the network takes
AROUND = 0.25  # the margin of the crop on each side, as a fraction of the face
BROWS = 0.25  # the share of a face's height above the brows, which the landmarks' boxes leave out
SMALLER, QUALITY = 0.8, 70  # the scale and JPEG quality of the mirrored pictures in the gallery


class Recogniser:
    """dlib's network and its five landmarks."""

    def __init__(self) -> None:
        """Load both from their package."""
        models = resources.files("face_recognition_models") / "models"
        self._predictor = dlib.shape_predictor(str(models / "shape_predictor_5_face_landmarks.dat"))
        self._network = dlib.face_recognition_model_v1(str(models / "dlib_face_recognition_resnet_model_v1.dat"))

    def landmarks(self, picture: Image.Image, face: Box) -> Any:
        """The corners of the eyes and the base of the nose of the face in this box of an RGB picture."""
        box = face.left, face.top + BROWS * face.height, face.right, face.bottom
        edges = (round(edge * side) for edge, side in zip(box, picture.size * 2, strict=True))
        return self._predictor(np.asarray(picture), dlib.rectangle(*edges))

    def numbers(self, picture: Image.Image, landmarks: Any) -> Numbers:
        """The descriptor of the face at these landmarks."""
        chip = dlib.get_face_chip(np.asarray(picture), landmarks, CHIP, AROUND)
        return np.array(self._network.compute_face_descriptor(chip))


@cache
def recogniser() -> Recogniser:
    """The recogniser, loaded once."""
    return Recogniser()


def in_gallery(picture: Image.Image, face: Box) -> Numbers:
    """The descriptor of another picture of this face: mirrored, reduced, and encoded as a JPEG of low quality."""
    width, height = face.width * picture.width, face.height * picture.height
    left, top = face.left * picture.width, face.top * picture.height
    head = picture.crop((round(left - width), round(top - height), round(left + 2 * width), round(top + 2 * height)))
    other = ImageOps.mirror(head).resize((round(head.width * SMALLER), round(head.height * SMALLER)))
    other = opened(encoded(other, "JPEG", quality=QUALITY))
    return recogniser().numbers(other, recogniser().landmarks(other, Box(1 / 3, 1 / 3, 1 / 3, 1 / 3, 99.0)))
