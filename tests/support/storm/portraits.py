"""Small photos whose faces are known, and a witness that tells whether these can still be seen in a picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from tests.support.pictures import photos
from tests.support.pictures.scenes import place, scattered
from tests.support.standins.rekognition import Refusal, face

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tests.support.pictures.scenes import Corners
    from tests.support.standins.rekognition import Reply

FACE_WIDTH = 64  # pixels: well above what Rekognition finds, and not worth a second call
HIDDEN = 8.0  # levels of 0…255: a hidden face differs at least this much; saving as JPEG again changes it by 3
SAME = 4.0  # levels: most of the rest of a picture differs at most this much
AROUND = 0.5  # of a face's width and height: hiding it may change this much on each side
ENLARGED = 4  # small pictures are sent to Rekognition enlarged this many times


@dataclass(frozen=True)
class Portrait:
    """A photo: its file, and its faces in pixels. A file that is no photo has the code of its error instead."""

    name: str
    data: bytes
    picture: Image.Image | None = None
    faces: tuple[Corners, ...] = ()
    code: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture."""
        assert self.picture
        return self.picture.size

    def visible(self, picture: Image.Image) -> list[Corners]:
        """The faces that still show in a picture of the same size."""
        return [corners for corners in self.faces if self._difference(picture, corners) < HIDDEN]

    def is_itself_elsewhere(self, picture: Image.Image) -> bool:
        """Whether a picture of the same size is this one, away from the faces."""
        away = np.ones(self.size[::-1], bool)
        for left, top, right, bottom in self.faces:
            x, y = AROUND * (right - left), AROUND * (bottom - top)
            away[max(0, int(top - y)) : int(bottom + y), max(0, int(left - x)) : int(right + x)] = False
        return float(np.median(np.abs(self._grey - np.asarray(picture.convert("L"), float))[away])) < SAME

    def _difference(self, picture: Image.Image, corners: Corners) -> float:
        assert self.picture
        before, after = (np.asarray(each.convert("L").crop(corners), float) for each in (self.picture, picture))
        return float(np.abs(before - after).mean())

    @property
    def _grey(self) -> np.ndarray[Any, Any]:
        assert self.picture
        return np.asarray(self.picture.convert("L"), float)


@cache
def portraits() -> tuple[Portrait, ...]:
    """Photos with no face, one face and two faces, in three formats. Each picture has a size of its own."""
    made = []
    formats: list[tuple[str, dict[str, int]]] = [("JPEG", {"quality": 92}), ("PNG", {}), ("WEBP", {"quality": 92})]
    for number, (width, height, count) in enumerate(
        [(160, 150, 1), (170, 150, 1), (300, 150, 2), (180, 160, 1), (320, 160, 2), (190, 170, 1)]
    ):
        for more, (format_, options) in enumerate(formats):
            scene = scattered(FACE_WIDTH, (width + more, height), count, number)
            file = photos.encoded(scene.picture, format_, **options)
            made.append(Portrait(f"{count} in {format_} {number}", file, photos.opened(file), tuple(scene.faces)))
    for number in (0, 5):
        file = photos.jpeg(place(number, (200 + number, 150)))
        made.append(Portrait(f"none {number}", file, photos.opened(file)))
    return tuple(made)


@cache
def no_photos() -> tuple[Portrait, ...]:
    """Files that are no photos, each with its error code."""
    jpeg = portraits()[0].data
    return (
        Portrait("text", b"Not a photo at all.\n" * 50, code="UnsupportedFormat"),
        Portrait("half a JPEG", photos.without_its_end(jpeg), code="CorruptImage"),
        Portrait("nothing", b"", code="CorruptImage"),
        Portrait("too small", photos.blank(15, 200), code="ImageTooSmall"),
        Portrait("animated", photos.animation("GIF"), code="UnsupportedFormat"),
    )


class Witness:
    """Stands in for Rekognition's network: it finds the known faces that are not hidden.

    It knows a picture by its size. `stored` gives the bytes of an object in S3, or None if it is not there; photos of
    the keys in `overlooked` lose one face, as long as they are looked at in S3 itself.
    """

    def __init__(self) -> None:
        """Nothing is stored yet."""
        self.stored: Callable[[str, str], bytes | None] = lambda _bucket, _key: None
        self.overlooked: set[str] = set()
        self.by_size = {
            (times * portrait.size[0], times * portrait.size[1]): portrait
            for portrait in portraits()
            for times in (1, ENLARGED)
        }

    def __call__(self, image: dict[str, Any]) -> Reply:
        """The answer to a request with this Image."""
        if "Bytes" in image:
            return self.seen(image["Bytes"])
        place = image["S3Object"]
        data = self.stored(place["Bucket"], place["Name"])
        if data is None:
            return Refusal("InvalidS3ObjectException")
        try:
            seen = self.seen(data)
        except OSError:  # Pillow's for what is no picture, or not a whole one
            return Refusal("InvalidImageFormatException")
        return seen[1:] if place["Name"] in self.overlooked else seen

    def seen(self, data: bytes) -> list[dict[str, Any]]:
        """The faces that show in a file, which may hold a photo mirrored."""
        picture = photos.opened(data).convert("RGB")
        portrait = self.by_size[picture.size]
        picture = picture.resize(portrait.size, Image.Resampling.BOX)
        mirrored = not portrait.is_itself_elsewhere(picture)
        found = portrait.visible(ImageOps.mirror(picture) if mirrored else picture)
        return [_face(corners, portrait.size, mirrored) for corners in found]


def _face(corners: Corners, size: tuple[int, int], mirrored: bool) -> dict[str, Any]:
    left, top, right, bottom = corners
    if mirrored:
        left, right = size[0] - right, size[0] - left
    return face(left / size[0], top / size[1], (right - left) / size[0], (bottom - top) / size[1])
