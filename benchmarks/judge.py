"""How each photo and face ended: by the pixels of the result, and by the boxes of faceblur and of deface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from PIL import Image, ImageDraw

from faceblur.geometry import Box
from faceblur.photo import decode, painting
from faceblur.photo.coverage import covered_share, opaque_paint
from faceblur.photo.styles import Region
from tests.support.pictures.remains import HIDDEN, shown
from tests.support.pictures.truth import BY_CENTRE, Corners, in_fractions, in_pixels

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from faceblur.photo.styles import Style
    from tests.support.pictures.truth import Face, Photo

    Answer = dict[str, Any]

OPAQUE = 0.95  # the share of a face's inner ellipse that should be under opaque paint


class Fate(NamedTuple):
    """How one face ended.

    `hidden`: its detail is gone from the result. `boxed`, `boxed_by_deface`: a box of faceblur or deface matches it.
    `opaque`: the share OPAQUE of its inner ellipse is under opaque paint.
    """

    set: str
    size: str
    hidden: bool
    boxed: bool
    boxed_by_deface: bool
    opaque: bool


class Boxes(NamedTuple):
    """How many boxes a tool has in a photo, and how many of them match no marked face."""

    all: int
    of_nothing: int


class Seconds(NamedTuple):
    """Processor time: of faceblur's detection, of its detection and checks, and of deface's inference."""

    first: float
    all: float
    deface: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one photo ended.

    `error` is the name of the error that ended the job, or empty. `settled`: the last check found nothing. `painted` is
    the area of all paint ÷ the area of all marked faces. `painted_found` is the same for the marked faces that have a
    box, and their paint: it says how large the painted area of a face is. Both are None if there is no such face, or if
    the marks are not drawn around the face.
    """

    photo: Photo
    error: str
    settled: bool
    checks: int
    faces: list[Fate]
    boxes: Boxes
    boxes_of_deface: Boxes
    painted: float | None
    painted_found: float | None
    seconds: Seconds


def judged(photo: Photo, ours: Sequence[Answer], others: Sequence[Answer], result: Path, style: Style) -> Outcome:
    """How a photo ended, by the answers of faceblur and deface in each round, and by the result of the last round."""
    answer = ours[-1]
    before = decode.load_for_detection(photo.path.read_bytes(), None)
    after = before if answer["error"] else decode.load_for_detection(result.read_bytes(), None)
    regions = {in_pixels(box, before.size): Region(box, style) for box in map(Box.from_dict, answer["boxes"])}
    boxes_of_deface = [Corners(*box) for box in others[-1]["boxes"]]
    paint = opaque_paint(before.size, list(regions.values()))
    faces = [
        Fate(
            set=photo.set,
            size=face.size,
            hidden=shown(before, after, face.box) < HIDDEN,
            boxed=photo.has_box_of(face, regions),
            boxed_by_deface=photo.has_box_of(face, boxes_of_deface),
            opaque=covered_share(paint, in_fractions(face.box, before.size)) >= OPAQUE,
        )
        for face in photo.to_find
    ]
    drawn = photo.faces if photo.set not in BY_CENTRE else ()
    found = [face for face in drawn if photo.has_box_of(face, regions)]
    of_found = [region for box, region in regions.items() if any(photo.is_of(box, face) for face in found)]
    return Outcome(
        photo=photo,
        error=answer["error"],
        settled=answer["settled"],
        checks=len(answer["seconds"]) - 1,
        faces=faces,
        boxes=Boxes(len(regions), sum(map(photo.is_of_nothing, regions))),
        boxes_of_deface=Boxes(len(boxes_of_deface), sum(map(photo.is_of_nothing, boxes_of_deface))),
        painted=painted(before.size, regions.values(), drawn),
        painted_found=painted(before.size, of_found, found),
        seconds=Seconds(
            first=min(each["seconds"][0] for each in ours),
            all=min(sum(each["seconds"]) for each in ours),
            deface=min(each["seconds"][0] for each in others),
        ),
    )


def painted(size: tuple[int, int], regions: Iterable[Region], faces: Iterable[Face]) -> float | None:
    """The area of the regions' paint, with its soft edges, ÷ the area of the faces; None if there is no face.

    A pixel in several regions or boxes counts once. `size` is that of the picture in pixels.
    """
    paint, marks = Image.new("L", size), Image.new("L", size)
    for place, mask in painting.touched(size, list(regions)):
        paint.paste(255, place, mask)
    for face in faces:
        left, top, right, bottom = (round(edge) for edge in face.box)
        ImageDraw.Draw(marks).rectangle((left, top, right - 1, bottom - 1), fill=255)
    area = marks.histogram()[255]
    return paint.histogram()[255] / area if area else None
