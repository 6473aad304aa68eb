"""Photos composed of the sample photos, whose faces are known because they were put there."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from tests.support.pictures.photos import (
    ASTRONAUT_FACE,
    HOPPER_FACE,
    astronaut_pixels,
    flower_pixels,
    hopper_pixels,
    pixels,
    sample,
    street_pixels,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from faceblur.geometry import Box

    Corners = tuple[float, float, float, float]  # left, top, right, bottom in pixels
    Change = Callable[[Image.Image, Corners], Image.Image]  # changes a head, whose face is at these corners

COVERED = 0.2  # a face counts as covered if another head hides this share of it
AROUND = 0.6  # the margin that is shown on each side of a face, as a fraction of its width and height


@dataclass
class Scene:
    """A picture and its faces, in pixels. Faces that another head partly covers are apart; they need not be found."""

    picture: Image.Image
    faces: list[Corners] = field(default_factory=list)
    covered: list[Corners] = field(default_factory=list)

    def put(
        self, head: Head, x: float, y: float, width: float, *, angle: float = 0, change: Change | None = None
    ) -> None:
        """Paste a head with its face of this width, its left top corner at (x, y), turned and changed if asked."""
        cut, mask, (left, top, right, bottom) = head.scaled(width)
        if change:
            cut = change(cut, (left, top, right, bottom))
        if angle:
            turned = [
                _turned(corner, cut.size, angle)
                for corner in ((left, top), (right, top), (left, bottom), (right, bottom))
            ]
            # The upright box that holds the turned face's ellipse, not the corners of its box.
            across, down = (right - left) / 2, (bottom - top) / 2
            turn = np.deg2rad(angle)
            half_width = float(np.hypot(across * np.cos(turn), down * np.sin(turn)))
            half_height = float(np.hypot(across * np.sin(turn), down * np.cos(turn)))
            middle_x, middle_y = np.mean(turned, axis=0)
            left, right = middle_x - half_width, middle_x + half_width
            top, bottom = middle_y - half_height, middle_y + half_height
            cut = cut.rotate(angle, Image.Resampling.BICUBIC)
            mask = mask.rotate(angle, Image.Resampling.BICUBIC)
        at = round(x - left), round(y - top)
        self.picture.paste(cut, at, mask)
        pasted = (at[0], at[1], at[0] + cut.width, at[1] + cut.height)
        covered = [face for face in self.faces if part_inside(face, pasted) >= COVERED]
        self.covered += covered
        self.faces = [face for face in self.faces if face not in covered]
        self.faces.append((left + at[0], top + at[1], right + at[0], bottom + at[1]))


@dataclass(frozen=True)
class Head:
    """A face with something around it, to be pasted."""

    picture: Image.Image
    face: Corners

    def scaled(self, width: float) -> tuple[Image.Image, Image.Image, Corners]:
        """The head with its face of this width, a soft mask to paste it by, and the face in it."""
        scale = width / (self.face[2] - self.face[0])
        size = tuple(max(1, round(side * scale)) for side in self.picture.size)
        filter_ = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC
        across, down = (size[place] / self.picture.size[place] for place in (0, 1))
        left, top, right, bottom = self.face
        return (
            self.picture.resize(size, filter_),
            _oval().resize(size),
            (left * across, top * down, right * across, bottom * down),
        )

    def mirrored(self) -> Head:
        """The same head, seen in a mirror."""
        left, top, right, bottom = self.face
        return Head(
            self.picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
            (self.picture.width - right, top, self.picture.width - left, bottom),
        )


@cache
def people() -> tuple[Head, ...]:
    """The two people of the sample photos, each also mirrored."""
    heads = [_cut(astronaut_pixels(), ASTRONAUT_FACE), _cut(hopper_pixels(), HOPPER_FACE)]
    return tuple(each for head in heads for each in (head, head.mirrored()))


@cache
def passers_by() -> tuple[Head, ...]:
    """A hundred faces of 25×25 grey pixels (a part of LFW that scikit-image carries), for small faces in crowds."""
    heads = []
    for face in np.load(sample("skimage", "data/lfw_subset.npy"))[:100]:
        tinted = face[..., None] * 255 * np.array([1.0, 0.88, 0.8])
        heads.append(Head(Image.fromarray(tinted.astype(np.uint8)), (3, 0, 22, 24)))
    return tuple(heads)


@cache
def places() -> tuple[Image.Image, ...]:
    """Pictures without people, to put people into."""
    names = ("coffee.png", "rocket.jpg", "brick.png", "grass.png", "gravel.png")
    return (*(pixels("skimage", f"data/{name}") for name in names), street_pixels(), flower_pixels())


def place(number: int, size: tuple[int, int]) -> Image.Image:
    """One of the places, enlarged and cut to this size."""
    return _enlarged(number % len(places()), size).copy()


@lru_cache(4)
def _enlarged(number: int, size: tuple[int, int]) -> Image.Image:
    """The same, for several scenes at the same place."""
    picture = places()[number]
    scale = max(size[0] / picture.width, size[1] / picture.height)
    enlarged = (max(size[0], round(picture.width * scale)), max(size[1], round(picture.height * scale)))
    return picture.resize(enlarged, Image.Resampling.BICUBIC).crop((0, 0, *size))


def scattered(
    width: float,
    size: tuple[int, int],
    count: int,
    seed: int,
    *,
    angle: float = 0,
    change: Change | None = None,
) -> Scene:
    """This many faces of one width, each at a random place in its own cell of a grid."""
    rng = np.random.default_rng(seed)
    scene = Scene(place(seed, size))
    columns = int(np.ceil(np.sqrt(count * size[0] / size[1])))
    rows = int(np.ceil(count / columns))
    cells = [(column * size[0] / columns, row * size[1] / rows) for row in range(rows) for column in range(columns)]
    cell_width, cell_height = size[0] / columns, size[1] / rows
    for number, (x, y) in enumerate(rng.permutation(cells)[:count]):
        head = people()[(seed + number) % len(people())]
        room_x, room_y = max(0.0, cell_width - 2.2 * width), max(0.0, cell_height - 2.9 * width)
        x += rng.uniform(0, room_x) + min(0.6 * width, (cell_width - width) / 2)
        y += rng.uniform(0, room_y) + min(0.8 * width, (cell_height - 1.3 * width) / 2)
        scene.put(head, x, y, width, angle=angle, change=change)
    return scene


def crowd(count: int, smallest: float, largest: float, seed: int, size: tuple[int, int] = (2048, 1152)) -> Scene:
    """This many people in rows. Each row is nearer, larger and lower than the one before."""
    rng = np.random.default_rng(seed)
    scene = Scene(place(seed, size))
    horizon = 0.3 * size[1]
    spots = []
    y = horizon
    while y < size[1] - 1.5 * largest:
        width = smallest + (largest - smallest) * (y - horizon) / (size[1] - horizon)
        x = rng.uniform(0, width)
        while x < size[0] - 2 * width:
            spots.append((x, y, width))
            x += width * rng.uniform(1.6, 2.6)
        y += width * 1.3
    chosen = np.sort(rng.choice(len(spots), count, replace=False))
    for x, y, width in (spots[spot] for spot in chosen):
        own = width * rng.uniform(0.85, 1.15)
        crowd_of = passers_by() if own < 25 and rng.random() < 0.5 else people()
        head = crowd_of[rng.integers(len(crowd_of))]
        scene.put(head, x, y + rng.uniform(-0.2, 0.2) * own, own, angle=rng.uniform(-12, 12))
    return scene


def matches(found: list[Corners], scene: Scene, overlap: float = 0.3) -> tuple[int, int]:
    """How many of the scene's faces are found, each by a box of its own, and how many boxes are of no face.

    `overlap` is the least intersection over union of a box and its face.
    """
    free = list(found)
    hits = []
    for faces in (scene.faces, scene.covered):
        hits.append(0)
        for face in faces:
            best = max(free, key=lambda box: shared(box, face), default=None)
            if best is not None and shared(best, face) >= overlap:
                free.remove(best)
                hits[-1] += 1
    return hits[0], len(free)


def shared(one: Corners, other: Corners) -> float:
    """Intersection over union."""
    common = _common(one, other)
    if not common:  # as of most pairs in a crowd
        return 0.0
    return common / (_area(one) + _area(other) - common)


def part_inside(one: Corners, other: Corners) -> float:
    """The part of one box's own area that lies in the other."""
    return _common(one, other) / _area(one)


def _common(one: Corners, other: Corners) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)


def _area(box: Corners) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _cut(picture: Image.Image, face: Box) -> Head:
    width, height = face.width * picture.width, face.height * picture.height
    left, top = face.left * picture.width, face.top * picture.height
    area = (
        max(0, int(left - AROUND * width)),
        max(0, int(top - AROUND * height)),
        min(picture.width, int(left + (1 + AROUND) * width)),
        min(picture.height, int(top + (1 + AROUND) * height)),
    )
    return Head(picture.crop(area), (left - area[0], top - area[1], left + width - area[0], top + height - area[1]))


@cache
def _oval() -> Image.Image:
    mask = Image.new("L", (256, 256))
    ImageDraw.Draw(mask).ellipse((8, 8, 248, 248), fill=255)
    return mask.filter(ImageFilter.GaussianBlur(5))


def _turned(point: tuple[float, float], size: tuple[int, int], angle: float) -> tuple[float, float]:
    """The new position of a point when Pillow rotates the picture counterclockwise about its middle."""
    x, y = point[0] - size[0] / 2, point[1] - size[1] / 2
    turn = np.deg2rad(-angle)
    return (
        float(x * np.cos(turn) - y * np.sin(turn) + size[0] / 2),
        float(x * np.sin(turn) + y * np.cos(turn) + size[1] / 2),
    )
