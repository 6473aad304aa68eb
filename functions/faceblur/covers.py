"""Paint over faces. What covers a face is made of at most 4 × 4 noisy averages of it, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import ceil, floor
from random import SystemRandom
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image, ImageFilter

from faceblur.styles import MIN_PADDING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from faceblur.styles import Region, Style

# Strength: the longer side of a hidden region is averaged to this many cells, the shorter to proportionally
# fewer, and each average is blurred by noise of this standard deviation (of 255 levels).
CELLS = 4
NOISE = 8.0
COLOUR_NOISE = 2.0

HAIR = 1.5  # the room above a face, as a multiple of the room at its sides

# The rounded outline is a superellipse, |x|⁶ + |y|⁶ = 1: wide enough for the corners of a face's box, without
# corners of its own. Up to SOLID of the way to its edge it is opaque, then it fades.
ORDER = 6
SOLID = 0.8
STENCIL = 256

# The smooth style spreads each cell to 8 × 8, softens them by 3 of those, and stretches that over the region.
SPREAD = 8
SOFTNESS = 3

ROWS = 256  # painted at once, so that memory does not grow with the face

_random = SystemRandom()


class Pixels(NamedTuple):
    """A rectangle in pixels; `right` and `bottom` are the first beyond it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.right - self.left, self.bottom - self.top

    def within(self, other: Pixels) -> Pixels:
        """The part of this rectangle that lies within the other; without area if none does."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        return Pixels(left, top, max(min(self.right, other.right), left), max(min(self.bottom, other.bottom), top))

    def strips(self) -> Iterator[Pixels]:
        """This rectangle from top to bottom, a few rows at a time."""
        for top in range(self.top, self.bottom, ROWS):
            yield self._replace(top=top, bottom=min(top + ROWS, self.bottom))


@dataclass(frozen=True, slots=True)
class Patch:
    """What covers one face, worked out from the original pixels and kept as a few cells until it is painted.

    `face` is the detector's box, `room` the box with its padding, `seen` the part of the room in the picture.
    """

    face: Pixels
    room: Pixels
    seen: Pixels
    style: Style
    cells: Image.Image

    def paint(self, image: Image.Image) -> None:
        """Cover the face in the image."""
        smooth = self.style.kind == "blur"
        source = soften(self.cells) if smooth else self.cells
        resample = Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST
        for strip in self.seen.strips():
            cover = stretch(source, self.seen, strip, resample)
            image.paste(cover.convert(image.mode), strip, self.stencil(strip))

    def stencil(self, strip: Pixels) -> Image.Image:
        """How opaque the cover is in this strip: wholly over the face, then fading towards the room's edge."""
        if self.style.shape == "box":
            return Image.new("L", strip.size, 255)
        stencil = stretch(superellipse(), self.room, strip, Image.Resampling.BICUBIC)
        core = self.face.within(strip)
        stencil.paste(
            255, (core.left - strip.left, core.top - strip.top, core.right - strip.left, core.bottom - strip.top)
        )
        return stencil


def cover(image: Image.Image, regions: Sequence[Region], band: int | None = None) -> None:
    """Cover the regions in place. The image is of 8 bits in any mode without a palette; `band` says that it is
    one band of YCbCr.

    All patches are worked out before the first is painted, so that each is made of original pixels, and they
    are painted in an order of their own, so that the regions' order makes no difference.
    """
    patches = [patch_for(image, region, band) for region in regions]
    for patch in sorted(patches, key=_order):
        patch.paint(image)


def _order(patch: Patch) -> tuple[bool, int, Pixels]:
    """Small faces over large ones, and solid ones over all."""
    width, height = patch.room.size
    return patch.style.kind == "solid", -width * height, patch.room


def patch_for(image: Image.Image, region: Region, band: int | None = None) -> Patch:
    """The patch that hides the region, from the image's pixels."""
    box, style = region
    width, height = image.size
    across = max(style.padding, MIN_PADDING) * box.width
    down = max(style.padding, MIN_PADDING) * box.height
    face = Pixels(floor(box.left * width), floor(box.top * height), ceil(box.right * width), ceil(box.bottom * height))
    room = Pixels(
        min(floor((box.left - across) * width), face.left - 1),
        min(floor((box.top - HAIR * down) * height), face.top - 1),
        max(ceil((box.right + across) * width), face.right + 1),
        max(ceil((box.bottom + down) * height), face.bottom + 1),
    )
    seen = room.within(Pixels(0, 0, width, height))
    if 0 in seen.size or style.kind == "solid":
        cells = Image.new("RGB", (1, 1), style.colour)
        cells = cells.convert("YCbCr").getchannel(band) if band is not None else cells.convert(image.mode)
    else:
        cells = with_noise(averages(image, seen), band)
    return Patch(face, room, seen, style, cells)


def averages(image: Image.Image, seen: Pixels) -> Image.Image:
    """The cells of this part of the image: each pixel is the mean of what the cell covers; alpha premultiplied."""
    longer = max(seen.size)
    grid = (max(1, round(CELLS * seen.size[0] / longer)), max(1, round(CELLS * seen.size[1] / longer)))
    if image.mode in ("LA", "RGBA"):
        return image.crop(seen).convert({"LA": "La", "RGBA": "RGBa"}[image.mode]).resize(grid, Image.Resampling.BOX)
    return image.resize(grid, Image.Resampling.BOX, box=seen)


def with_noise(cells: Image.Image, band: int | None) -> Image.Image:
    """The cells with noise from the operating system's entropy: mostly of lightness, a little of colour."""
    bands = len(cells.getbands())
    colours = bands - (cells.mode in ("La", "RGBa"))
    chroma = (band in (1, 2), True, True) if cells.mode in ("L", "YCbCr") else (False,) * colours
    levels = bytearray(cells.tobytes())
    for start in range(0, len(levels), bands):
        light = _random.gauss(0, NOISE)
        full = 255 if colours == bands else levels[start + colours]
        for i in range(colours):
            noise = _random.gauss(0, COLOUR_NOISE) + (0 if chroma[i] else light)
            levels[start + i] = min(max(round(levels[start + i] + noise * full / 255), 0), full)
    return Image.frombytes(cells.mode, cells.size, bytes(levels))


def soften(cells: Image.Image) -> Image.Image:
    """The cells, spread and blended into each other."""
    spread = cells.resize((cells.width * SPREAD, cells.height * SPREAD), Image.Resampling.BICUBIC)
    soft = [band.filter(ImageFilter.GaussianBlur(SOFTNESS)) for band in spread.split()]
    return Image.merge(spread.mode, soft)


def stretch(source: Image.Image, whole: Pixels, part: Pixels, resample: Image.Resampling) -> Image.Image:
    """The part of the picture that the source is when stretched over the whole."""
    across, down = source.width / whole.size[0], source.height / whole.size[1]
    box = (
        (part.left - whole.left) * across,
        (part.top - whole.top) * down,
        min((part.right - whole.left) * across, source.width),
        min((part.bottom - whole.top) * down, source.height),
    )
    return source.resize(part.size, resample, box=box)


@cache
def superellipse() -> Image.Image:
    """The rounded outline as opacities, 0…255."""
    middle = STENCIL / 2
    powers = [abs((i + 0.5) / middle - 1) ** ORDER for i in range(STENCIL)]
    opacities = bytes(_opacity((x + y) ** (1 / ORDER)) for y in powers for x in powers)
    return Image.frombytes("L", (STENCIL, STENCIL), opacities)


def _opacity(radius: float) -> int:
    """Opacity at this share of the way to the edge: 255 up to SOLID, then falling smoothly to 0 at 1."""
    share = min(max((1 - radius) / (1 - SOLID), 0.0), 1.0)
    return round(255 * share * share * (3 - 2 * share))
