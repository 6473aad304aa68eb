"""How many faces are still detected after they were hidden, at every size of face, in each style and beside other ways.

A detector's silence proves no anonymity, which docs/irreversibility.md argues for; but a face that a detector still
finds would not be hidden well, and the second look would withhold the result.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import numpy as np
import photos
from faceblur.detectors.centerface import centerface
from networks import python_path
from PIL import Image, ImageEnhance, ImageFilter, ImageOps
from report import at_most, publish
from ways import in_pixels

from faceblur.anonymise import hide_faces
from faceblur.faces import Box
from faceblur.styles import MAX_STRENGTH, MIN_PADDING, Kind, Region, Shape, Style

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Way = Callable[[Image.Image, Box], Image.Image]

WIDTHS = (50, 100, 200, 400, 800, 1600)
SCALES = (640, 960)  # pixels along the photo's longer side, when it is shown to the detector
THRESHOLDS = (0.35, 0.2)
LEAST = 0.1  # what scores less is noise
AROUND = 1.2  # how much of the photo is kept on each side of a face, in widths of the face


class Portrait(NamedTuple):
    """A photo with one face, and where that is."""

    image: Image.Image
    face: Box


def portraits(width: int) -> Iterator[Portrait]:
    """Ten portraits with faces of this width: two people, as they are, mirrored, dark, bright and grey."""
    for pixels, face in photos.PORTRAITS:
        across, down = AROUND * face.width, AROUND * face.width * pixels.width / pixels.height
        kept = Box(face.left - across, face.top - down, face.width + 2 * across, face.height + 2 * down, 99.0).clamp()
        ((left, top, right, bottom),) = in_pixels([[kept.left, kept.top, kept.width, kept.height]], pixels.size)
        scale = width / (face.width * pixels.width)
        size = round((right - left) * scale), round((bottom - top) * scale)
        image = pixels.resize(size, Image.Resampling.BICUBIC, box=(left, top, right, bottom))
        place = Box(
            (face.left * pixels.width - left) * scale / size[0],
            (face.top * pixels.height - top) * scale / size[1],
            face.width * pixels.width * scale / size[0],
            face.height * pixels.height * scale / size[1],
            99.0,
        )
        yield Portrait(image, place)
        yield Portrait(ImageOps.mirror(image), Box(1 - place.right, place.top, place.width, place.height, 99.0))
        yield Portrait(ImageEnhance.Brightness(image).enhance(0.5), place)
        yield Portrait(ImageEnhance.Brightness(image).enhance(1.4), place)
        yield Portrait(image.convert("L").convert("RGB"), place)


def nothing(image: Image.Image, _: Box) -> Image.Image:
    """Nothing hidden: how many the detector finds at all."""
    return image


def styled(style: Style) -> Way:
    """A JPEG through this project's blur stage."""

    def way(image: Image.Image, face: Box) -> Image.Image:
        photo = photos.encoded(image, "JPEG", quality=92)
        return photos.opened(hide_faces(photo, [Region(face, style)]).data)

    return way


def recipe(image: Image.Image, face: Box) -> Image.Image:
    """What most projects do: crop, blur by 50 pixels, paste."""
    image = image.copy()
    (box,) = in_pixels([[face.left, face.top, face.width, face.height]], image.size)
    image.paste(image.crop(box).filter(ImageFilter.GaussianBlur(50)), box)
    return image


def mosaic(image: Image.Image, face: Box) -> Image.Image:
    """Sixteen cells across the face."""
    image = image.copy()
    (box,) = in_pixels([[face.left, face.top, face.width, face.height]], image.size)
    size = box[2] - box[0], box[3] - box[1]
    cells = image.resize((16, max(1, round(16 * size[1] / size[0]))), Image.Resampling.BOX, box=box)
    image.paste(cells.resize(size, Image.Resampling.NEAREST), box)
    return image


def deface(image: Image.Image, face: Box) -> Image.Image:
    """What the program deface draws at its defaults."""
    from deface.deface import anonymize_frame

    frame = np.array(image)
    (box,) = in_pixels([[face.left, face.top, face.width, face.height]], image.size)
    found = np.array([[*box, 1.0]])
    anonymize_frame(found, frame, 1.3, "blur", ellipse=True, draw_scores=False, replaceimg=None, mosaicsize=20)
    return Image.fromarray(frame)


WAYS: dict[str, Way] = {
    "nothing": nothing,
    **{f"{kind}, {shape}": styled(Style(kind, shape)) for kind in get_args(Kind) for shape in get_args(Shape)},
    "blur, least room": styled(Style(padding=MIN_PADDING)),
    "blur, strongest": styled(Style(strength=MAX_STRENGTH)),
    "pixelate, strongest": styled(Style("pixelate", strength=MAX_STRENGTH)),
    "GaussianBlur(50)": recipe,
    "deface": deface,
    "mosaic of 16": mosaic,
}


def best_score(image: Image.Image, face: Box, scale: int) -> float:
    """The highest score (0…1) of what the detector finds at the face's place."""
    seen = image.convert("RGB")
    seen.thumbnail((scale, scale), Image.Resampling.BILINEAR)
    best = 0.0
    for left, top, right, bottom, score in centerface().find(seen, LEAST).tolist():
        box = Box(left / seen.width, top / seen.height, (right - left) / seen.width, (bottom - top) / seen.height, 0.0)
        if box.intersection(face) > 0.3 * min(box.area, face.area):
            best = max(best, score)
    return best


def main() -> int:
    """Hide all faces in all ways, and say whether the goals hold."""
    sys.path.append(python_path())  # where the network's weights are
    measured: list[dict[str, Any]] = []
    for width in WIDTHS:
        for portrait in portraits(width):
            for name, way in WAYS.items():
                hidden = way(portrait.image, portrait.face)
                scores = {str(scale): round(best_score(hidden, portrait.face, scale), 3) for scale in SCALES}
                measured.append({"way": name, "width": width, "scores": scores})

    def found(name: str, scale: int, threshold: float) -> int:
        return sum(row["way"] == name and row["scores"][str(scale)] > threshold for row in measured)

    rows = [
        {"way": name, "faces": sum(row["way"] == name for row in measured)}
        | {f"{scale} px, {limit}": found(name, scale, limit) for scale in SCALES for limit in THRESHOLDS}
        for name in WAYS
    ]
    goals = [
        at_most(f"of 60 found at 0.35, {name}", max(found(name, scale, 0.35) for scale in SCALES), bound)
        for kind, bound in (("blur", 1), ("solid", 0))
        for name in WAYS
        if name.startswith(kind)
    ]
    return publish("strength", measured, goals, rows)


if __name__ == "__main__":
    sys.exit(main())
