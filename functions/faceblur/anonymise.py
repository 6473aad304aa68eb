"""Hide faces for good: what is painted over a face holds at most 5 × 5 noisy averages of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import ceil, floor
from random import SystemRandom
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image, ImageFilter

from faceblur.styles import MIN_PADDING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from faceblur.styles import Region, Style

CELLS = 5
NOISE = 6.0
HAIR = 1.5

ORDER = 6
SOLID_CORE = 0.87
STENCIL = 256

_random = SystemRandom()


class Pixels(NamedTuple):
    """A rectangle in pixels; right and lower edge are the first beyond it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.right - self.left, self.bottom - self.top

    def within(self, other: Pixels) -> Pixels:
        """The part of this rectangle that lies within the other."""
        return Pixels(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )

    def seen_from(self, other: Pixels) -> Pixels:
        """This rectangle, measured from the other's upper left corner."""
        return Pixels(
            self.left - other.left,
            self.top - other.top,
            self.right - other.left,
            self.bottom - other.top,
        )


@dataclass(frozen=True, slots=True)
class Patch:
    """What covers one face, worked out from the original pixels and held as a few cells until it is painted."""

    face: Pixels
    room: Pixels
    seen: Pixels
    style: Style
    cells: Image.Image

    def paint(self, image: Image.Image) -> None:
        """Cover the face."""
        image.paste(self.cover(), self.seen, self.stencil())

    def cover(self) -> Image.Image:
        """The cells at the size of the visible part of the room."""
        match self.style.kind:
            case "blur":
                return soft(self.cells, self.seen.size)
            case _:
                return self.cells.resize(self.seen.size, Image.Resampling.NEAREST)

    def stencil(self) -> Image.Image:
        """How opaque the cover is: wholly over the face, then fading towards the room's edge."""
        if self.style.shape == "box":
            return Image.new("L", self.seen.size, 255)
        stencil = superellipse().resize(self.room.size, Image.Resampling.BICUBIC)
        stencil.paste(255, self.face.seen_from(self.room))
        return stencil.crop(self.seen.seen_from(self.room))


def hide(image: Image.Image, regions: Sequence[Region]) -> None:
    """Cover the regions in place. Every patch is worked out before the first is painted, so that none holds
    pixels of another, and all are painted in an order of their own, whatever the order of the regions.
    """
    patches = [patch_for(image, region) for region in regions]
    for patch in sorted(patches, key=lambda p: (p.style.kind == "solid", -p.room.size[0] * p.room.size[1], p.room)):
        patch.paint(image)


def patch_for(image: Image.Image, region: Region) -> Patch:
    box, style = region
    frame = Pixels(0, 0, *image.size)
    padding = max(style.padding, MIN_PADDING)
    across, down = padding * box.width, padding * box.height
    face = Pixels(
        floor(box.left * image.width),
        floor(box.top * image.height),
        ceil(box.right * image.width),
        ceil(box.bottom * image.height),
    )
    room = Pixels(
        min(floor((box.left - across) * image.width), face.left - 1),
        min(floor((box.top - HAIR * down) * image.height), face.top - 1),
        max(ceil((box.right + across) * image.width), face.right + 1),
        max(ceil((box.bottom + down) * image.height), face.bottom + 1),
    )
    seen = room.within(frame)
    if style.kind == "solid":
        cells = Image.new("RGB", (1, 1), style.colour).convert(image.mode)
    else:
        grid = grid_for(seen.size)
        cells = with_noise(image.resize(grid, Image.Resampling.BOX, box=seen))
    return Patch(face, room, seen, style, cells)


def grid_for(size):
    longer = max(size)
    return tuple(max(round(CELLS * side / longer), 2) for side in size)


def with_noise(cells):
    bands = len(cells.getbands())
    levels = []
    data = cells.tobytes()
    for start in range(0, len(data), bands):
        common = _random.gauss(0, NOISE)
        for band in range(bands):
            shift = 0 if cells.mode == "YCbCr" and band else common
            levels.append(min(max(round(data[start + band] + shift + _random.gauss(0, NOISE / 4)), 0), 255))
    return Image.frombytes(cells.mode, cells.size, bytes(levels))


def soft(cells, size):
    small = cells.resize((cells.width * 8, cells.height * 8), Image.Resampling.BICUBIC)
    return small.filter(ImageFilter.GaussianBlur(SOFT)).resize(size, Image.Resampling.BICUBIC)


SOFT = 3


@cache
def superellipse() -> Image.Image:
    """|x|⁶ + |y|⁶ = 1 as an image: opaque up to SOLID_CORE of the way to its edge, then fading smoothly."""
    half = STENCIL // 2
    powers = [((i + 0.5) / half) ** ORDER for i in range(half)]
    quarter = bytes(_opacity((x + y) ** (1 / ORDER)) for y in powers for x in powers)
    corner = Image.frombytes("L", (half, half), quarter)
    whole = Image.new("L", (STENCIL, STENCIL))
    for turn, place in (
        (Image.Transpose.ROTATE_180, (0, 0)),
        (Image.Transpose.FLIP_TOP_BOTTOM, (half, 0)),
        (Image.Transpose.FLIP_LEFT_RIGHT, (0, half)),
        (None, (half, half)),
    ):
        whole.paste(corner if turn is None else corner.transpose(turn), place)
    return whole


def _opacity(radius: float) -> int:
    share = min(max((1 - radius) / (1 - SOLID_CORE), 0.0), 1.0)
    return round(255 * share * share * (3 - 2 * share))
