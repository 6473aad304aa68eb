"""Photos whose faces somebody else has marked, and how a detector's boxes are matched with these faces.

A folder of photos has a `truth.json`: an object whose keys are `<set>/<file>`, the photos. Each has

- `w`, `h`: its width and height. They and all boxes are in pixels of the file as stored.
- `faces`: for each marked face left, top, width, height and "ignore" or ""; more may follow. A face to ignore is
  neither a hit nor a miss.
- `complete`: whether all faces are marked.
- `annotated` (optional, true by default): false if the photo has no marks; a text if the marks are something else than
  faces.
- `plates` (optional): for each number plate left, top, width and height. Photos that are `annotated` "plates only" have
  no other plate.
- `count` (optional): the least and the most people in a photo without marks.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from faceblur.geometry import Box
from faceblur.photo import decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

SAME = 0.4  # the least intersection over union of two boxes of the same face
WITHIN = 0.9  # the least part of a face's box in a detector's box, if the annotator drew a tighter one
BY_CENTRE = {"dlib", "pascal"}  # sets of small squares on faces, and of whole heads

# The size of a face is the shorter side of its box, in pixels. No goal is about faces below 8 pixels.
SIZES = {"< 8": 0.0, "8–16": 8.0, "16–24": 16.0, "24–32": 24.0, "32–64": 32.0, "64+": 64.0}


class Corners(NamedTuple):
    """A box in pixels of the upright photo."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """The width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """The height in pixels."""
        return self.bottom - self.top

    @property
    def area(self) -> float:
        """The area in pixels."""
        return self.width * self.height

    def common(self, other: Corners) -> float:
        """The area of the intersection of both boxes."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(width, 0.0) * max(height, 0.0)

    def holds_centre_of(self, other: Corners) -> bool:
        """Whether the other's centre lies in this box."""
        x, y = (other.left + other.right) / 2, (other.top + other.bottom) / 2
        return self.left <= x <= self.right and self.top <= y <= self.bottom


def in_pixels(box: Box, size: tuple[int, int]) -> Corners:
    """A box in pixels of a picture of this size."""
    width, height = size
    return Corners(box.left * width, box.top * height, box.right * width, box.bottom * height)


def in_fractions(box: Corners, size: tuple[int, int]) -> Box:
    """A box in fractions of a picture of this size."""
    width, height = size
    return Box(box.left / width, box.top / height, box.width / width, box.height / height, 100.0)


class Face(NamedTuple):
    """A face that somebody marked; one that is to be ignored is neither a hit nor a miss."""

    box: Corners
    ignored: bool

    @property
    def size(self) -> str:
        """The name of its size, one of SIZES."""
        side = min(self.box.width, self.box.height)
        return [name for name, least in SIZES.items() if side >= least][-1]


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo and its marks. `complete`: all faces are marked. `of_no_one`: there are no people."""

    path: Path
    set: str
    faces: tuple[Face, ...]
    complete: bool
    of_no_one: bool
    plates: tuple[Corners, ...] = ()

    @property
    def to_find(self) -> list[Face]:
        """The faces that count."""
        return [face for face in self.faces if not face.ignored]

    def is_of(self, box: Corners, face: Face) -> bool:
        """Whether a detector's box is of this face."""
        if self.set in BY_CENTRE:
            return face.box.holds_centre_of(box)
        common = box.common(face.box)
        return common >= SAME * (box.area + face.box.area - common) or common >= WITHIN * face.box.area

    def has_box_of(self, face: Face, boxes: Iterable[Corners]) -> bool:
        """Whether one of a detector's boxes is of this face."""
        return any(self.is_of(box, face) for box in boxes)

    def is_of_nothing(self, box: Corners) -> bool:
        """Whether a detector's box is of no face; one in an ignored group of faces is not."""
        return not any(self.is_of(box, face) or (face.ignored and face.box.holds_centre_of(box)) for face in self.faces)


def read(folder: Path) -> list[Photo]:
    """The photos of a folder; raises FileNotFoundError if it has no truth.json, or a photo is missing."""
    truth = json.loads((folder / "truth.json").read_text())
    return [_photo(folder / name, name.partition("/")[0], of) for name, of in truth.items()]


def _photo(path: Path, set_: str, truth: dict[str, Any]) -> Photo:
    orientation = decode.inspect(path.read_bytes()).orientation
    size = truth["w"], truth["h"]
    faces = tuple(Face(upright(face[:4], size, orientation), face[4] == "ignore") for face in truth["faces"])
    # Marks of other things, or a mere count, do not tell where faces are.
    complete = truth.get("complete", False) and truth.get("annotated", True) is True
    plates = tuple(upright(plate, size, orientation) for plate in truth.get("plates", []))
    return Photo(path, set_, faces, complete, truth.get("count") == [0, 0], plates)


def upright(box: Sequence[float], size: tuple[int, int], orientation: int) -> Corners:
    """A box (left, top, width, height) of a stored picture of this size, as it lies when EXIF has turned it upright."""
    left, top, right, bottom = box[0], box[1], box[0] + box[2], box[1] + box[3]
    if orientation in (2, 3, 7, 8):
        left, right = size[0] - right, size[0] - left
    if orientation in (3, 4, 6, 7):
        top, bottom = size[1] - bottom, size[1] - top
    return Corners(top, left, bottom, right) if orientation >= 5 else Corners(left, top, right, bottom)
