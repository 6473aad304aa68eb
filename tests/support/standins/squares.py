"""Photos with magenta squares for faces, a service that sees them, and Rekognition's detector asked about them."""

from __future__ import annotations

from functools import cache, lru_cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from faceblur.detectors.base import DetectionPass, StoredPhoto
from faceblur.detectors.rekognition import RekognitionDetector
from tests.support.pictures.photos import encoded, jpeg, laid_for
from tests.support.standins.paid import Paid
from tests.support.standins.rekognition import face

IN_S3 = {"S3Object": {"Bucket": "photos", "Name": "uploads/1"}}
BYTES_LIMIT = 5 * 1024 * 1024
# A hundred faces, more than which no answer has.
CROWDED = [face(0.1 * column, 0.1 * row, 0.05, 0.05) for row in range(10) for column in range(10)]


def detect(
    data: bytes, min_confidence: float = 50, detection_pass: DetectionPass = DetectionPass.FIRST, paid=None, hints=None
):
    """What the detector finds: in a survey, or with hints at those."""
    photo = StoredPhoto(data, IN_S3["S3Object"]["Bucket"], IN_S3["S3Object"]["Name"])
    detector = RekognitionDetector(paid or Paid())
    if hints is None:
        return detector.detect(photo, min_confidence, detection_pass)
    return detector.detect_at(photo, min_confidence, detection_pass, hints)


def grey(width: int, height: int, format_: str = "JPEG", **options) -> bytes:
    return encoded(Image.new("RGB", (width, height), "grey"), format_, **options)


@cache
def noise(width: int, height: int) -> bytes:
    """A JPEG of which no two parts are the same."""
    rough = np.random.default_rng(0).integers(100, 150, (height // 50, width // 50, 3), np.uint8)
    return jpeg(Image.fromarray(rough).resize((width, height)))


def marked(size, markers) -> Image.Image:
    """A dark grey picture with magenta squares for faces: left, top, side.

    The middle grey looks like missing pixels, so that such a JPEG is decoded twice more.
    """
    picture = Image.new("RGB", size, "dimgrey")
    draw = ImageDraw.Draw(picture)
    for left, top, side in markers:
        draw.rectangle((left, top, left + side - 1, top + side - 1), fill="magenta")
    return picture


@cache
def laid(orientation, markers, size, format_="JPEG", **options) -> bytes:
    """A file of a picture with squares that its EXIF's orientation turns upright."""
    upright = marked(size, markers)
    picture = laid_for(orientation, upright)
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(picture, format_, quality=95, exif=exif, **options)


class Service:
    """Sees the magenta squares in what it is sent, within the limits of the real service."""

    def __init__(self, stored: bytes) -> None:
        self.stored = stored
        self.sizes = []

    def __call__(self, image):
        data = image.get("Bytes", self.stored)
        assert len(image.get("Bytes", b"")) <= BYTES_LIMIT
        size, every = seen_in(data)
        assert min(size) >= 80
        self.sizes.append(size)
        limit = 40 * max(1, max(size) / 1920, min(size) / 1080)
        faces = [box for box in every if min(box[2] - box[0], box[3] - box[1]) >= limit - 1]
        faces.sort(key=lambda box: -(box[2] - box[0]))
        width, height = size
        return [
            face(left / width, top / height, (right - left) / width, (bottom - top) / height)
            for left, top, right, bottom in faces[:100]
        ]


@lru_cache(32)
def seen_in(data):
    """The size of the upright picture in a file, and its squares. Several attempts send the same file."""
    picture = ImageOps.exif_transpose(Image.open(BytesIO(data)))
    assert picture.format is None or picture.format in ("JPEG", "PNG")
    return picture.size, squares(picture)


def squares(picture):
    """Bounding boxes of the connected magenta regions, by runs of rows and then of columns."""
    # Each colour lies together: numpy takes six times as long for every third byte.
    red, green, blue = (np.asarray(colour) for colour in picture.convert("RGB").split())
    seen = (red > 190) & (blue > 190) & (green < 65)
    found = []
    for top, bottom in runs(seen.any(axis=1)):
        for left, right in runs(seen[top:bottom].any(axis=0)):
            rows = runs(seen[top:bottom, left:right].any(axis=1))
            found += [(left, top + first, right, top + last) for first, last in rows]
    return found


def runs(flags):
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def search(service, picture, **options):
    """Detect the squares of a picture that is stored as a JPEG; gives the detection and what was asked."""
    stored = jpeg(picture, quality=95, subsampling=0)
    service.default = Service(stored)
    return detect(stored, **options), service.default


def found_squares(detection, size):
    return sorted(
        (round(box.left * size[0]), round(box.top * size[1]), round(box.width * size[0])) for box in detection.boxes
    )


def close(found, expected, tolerance):
    return len(found) == len(expected) and all(
        max(abs(one - other) for one, other in zip(*pair, strict=True)) <= tolerance
        for pair in zip(found, sorted(expected), strict=True)
    )
