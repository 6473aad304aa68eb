"""What became of a photo and its faces, by the pixels of the result and by the boxes of both ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from PIL import Image, ImageDraw
from remains import HIDDEN, shown
from truth import BY_CENTRE, Corners, Photo

from faceblur import covers, images
from faceblur.coverage import covered_share, opaque_paint
from faceblur.faces import Box
from faceblur.styles import Region

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from faceblur.styles import Style

    Answer = dict[str, Any]

OPAQUE = 0.95  # of a face's inner ellipse is to be under opaque paint


class Fate(NamedTuple):
    """What became of one face.

    `hidden`: its detail is gone from the result. `boxed`, `boxed_by_deface`: a box of this way matches it. `opaque`:
    enough of its inner ellipse is under opaque paint.
    """

    set: str
    size: str
    hidden: bool
    boxed: bool
    boxed_by_deface: bool
    opaque: bool


class Boxes(NamedTuple):
    """How many boxes a way has in a photo, and how many of them are of no face that is marked."""

    all: int
    of_nothing: int


class Seconds(NamedTuple):
    """Processor time: of faceblur's first look, of all its looks, and of deface's inference."""

    first: float
    all: float
    deface: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one photo.

    `error` is the name of what ended the job without a result, or empty. `painted` is the area of all paint as a
    multiple of the area of all marked faces; it is None if there are none, or if their boxes are not drawn around the
    face.
    """

    photo: Photo
    error: str
    settled: bool
    checks: int
    faces: list[Fate]
    boxes: Boxes
    boxes_of_deface: Boxes
    painted: float | None
    seconds: Seconds


def judged(photo: Photo, ours: Sequence[Answer], others: Sequence[Answer], result: Path, style: Style) -> Outcome:
    """What became of a photo: by what faceblur and deface answered in each round, and by the result of the last."""
    answer = ours[-1]
    before = images.load_for_detection(photo.path.read_bytes(), None)
    after = before if answer["error"] else images.load_for_detection(result.read_bytes(), None)
    regions = [Region(Box.from_dict(box), style) for box in answer["boxes"]]
    found = [in_pixels(region.box, before.size) for region in regions]
    found_by_deface = [Corners(*box) for box in others[-1]["boxes"]]
    paint = opaque_paint(before.size, regions)
    faces = [
        Fate(
            set=photo.set,
            size=face.size,
            hidden=shown(before, after, face.box) < HIDDEN,
            boxed=any(photo.is_of(box, face) for box in found),
            boxed_by_deface=any(photo.is_of(box, face) for box in found_by_deface),
            opaque=covered_share(paint, in_fractions(face.box, before.size)) >= OPAQUE,
        )
        for face in photo.to_find
    ]
    return Outcome(
        photo=photo,
        error=answer["error"],
        settled=answer["settled"],
        checks=len(answer["seconds"]) - 1,
        faces=faces,
        boxes=Boxes(len(found), sum(map(photo.is_of_nothing, found))),
        boxes_of_deface=Boxes(len(found_by_deface), sum(map(photo.is_of_nothing, found_by_deface))),
        painted=painted(photo, before.size, regions),
        seconds=Seconds(
            first=min(each["seconds"][0] for each in ours),
            all=min(sum(each["seconds"]) for each in ours),
            deface=min(each["seconds"][0] for each in others),
        ),
    )


def painted(photo: Photo, size: tuple[int, int], regions: Sequence[Region]) -> float | None:
    """The area of all paint, with its soft edges, as a multiple of the area of all marked faces."""
    if photo.set in BY_CENTRE or not photo.faces:
        return None
    paint, marks = Image.new("L", size), Image.new("L", size)
    for place, mask in covers.touched(size, regions):
        paint.paste(255, place, mask)
    for face in photo.faces:
        left, top, right, bottom = (round(edge) for edge in face.box)
        ImageDraw.Draw(marks).rectangle((left, top, right - 1, bottom - 1), fill=255)
    return paint.histogram()[255] / marks.histogram()[255]


def in_pixels(box: Box, size: tuple[int, int]) -> Corners:
    """A box in pixels of a picture of this size."""
    width, height = size
    return Corners(box.left * width, box.top * height, box.right * width, box.bottom * height)


def in_fractions(box: Corners, size: tuple[int, int]) -> Box:
    """A box in fractions of a picture of this size."""
    width, height = size
    return Box(box.left / width, box.top / height, box.width / width, box.height / height, 100.0)
