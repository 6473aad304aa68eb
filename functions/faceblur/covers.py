"""Paint over faces. What covers a face is made of at most 3 × 3 noisy averages of it, and of nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import ceil, floor
from os import urandom
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from faceblur.styles import MIN_PADDING, MIN_STRENGTH

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from faceblur.styles import Kind, Region, Shape, Style

# A hidden region is averaged to this many cells along its longer side, to one less for each step of strength, and to
# proportionally fewer along the other. With four, one blur in twenty and the hair around it still looked like a face to
# the detector, by chance of the noise. That has these standard deviations (of 255 levels), and is added to each cell's
# lightness and colours.
CELLS = 3
LIGHT_NOISE = 8.0
COLOUR_NOISE = 3.0

HAIR = 2.0  # room above a face, as a multiple of that below: with less, hair and paint together look like a face

# The rounded outline is a superellipse, |x|⁶ + |y|⁶ = 1: it holds the corners of a face's box and has none itself.
# It is opaque up to SOLID of the way to its edge, and fades from there.
ORDER = 6
SOLID = 0.8

# The smooth style halves the cells this often, each time cutting the corners between them, and stretches that over the
# region.
HALVINGS = 2

# The paint of the smooth style is worked out at up to this many pixels along its longer side, and for large faces at a
# quarter of theirs; then pixels are repeated, which is eight times as fast as to interpolate them, and is not seen.
# So is the outline.
FINE_PAINT = 256
FINE_OUTLINE = 512
REPEATED = 4

AREA = 1 << 20  # pixels painted at once, so that memory does not grow with the face

# The normal distribution in 256 equally likely steps.
NORMAL = [NormalDist().inv_cdf((byte + 0.5) / 256) for byte in range(256)]


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
        """The part of this rectangle that lies within the other; without area if there is none."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        right, bottom = min(self.right, other.right), min(self.bottom, other.bottom)
        return Pixels(left, top, max(right, left), max(bottom, top))

    def rows(self) -> Iterator[Pixels]:
        """This rectangle from top to bottom, a few rows at a time; nothing if it has no area."""
        if self.right > self.left:
            rows = max(1, AREA // (self.right - self.left))
            for top in range(self.top, self.bottom, rows):
                yield self._replace(top=top, bottom=min(top + rows, self.bottom))

    def seen_from(self, other: Pixels) -> Pixels:
        """This rectangle, measured from the other's upper left corner."""
        left, top = other.left, other.top
        return Pixels(self.left - left, self.top - top, self.right - left, self.bottom - top)


@dataclass(frozen=True, slots=True)
class Outline:
    """Where a face is hidden: its box, the box with room around it, and the part of that in the picture."""

    face: Pixels
    room: Pixels
    seen: Pixels
    shape: Shape

    def pieces(self) -> Iterator[tuple[Pixels, Image.Image]]:
        """The visible part in pieces, with their opacities: 255 over the face, then fading to the room's edge."""
        whole = (
            Image.new("L", (1, 1), 255)
            if self.shape == "box"
            else enlarged(superellipse(), self.room.size, FINE_OUTLINE)
        )
        for piece in self.seen.rows():
            opacities = part_of(whole, self.room, piece)
            opacities.paste(255, self.face.within(piece).seen_from(piece))
            yield piece, opacities


@dataclass(frozen=True, slots=True)
class Patch:
    """What covers one face, kept as the few cells of which it is made until it is painted, and where in each layer."""

    outlines: list[Outline]
    kind: Kind
    cells: Image.Image

    def cover(self, layers: Sequence[Image.Image]) -> None:
        """Cover the face in every layer."""
        soft = softened(self.cells) if self.kind == "blur" else self.cells
        for layer, outline in zip(layers, self.outlines, strict=True):
            paint = soft if soft.mode == layer.mode else soft.convert(layer.mode)
            if self.kind == "blur":
                paint = enlarged(paint, outline.seen.size, FINE_PAINT)
            for piece, opacities in outline.pieces():
                fits = paint.size == piece.size == outline.seen.size
                layer.paste(paint if fits else part_of(paint, outline.seen, piece), piece, opacities)


def cover(layers: Sequence[Image.Image], regions: Sequence[Region]) -> None:
    """Cover the regions in place.

    The last layer is the picture, with 8 bits a sample and no palette. Before it there may be others of the same
    picture at sizes of their own: those of its bands that are stored so. All patches are worked out before the first
    is painted, so that none holds paint of another, and they are painted in an order of their own, so that the order
    of the regions makes no difference.
    """
    for patch in sorted((patch_for(layers, region) for region in regions), key=_order):
        patch.cover(layers)


def touched(size: tuple[int, int], regions: Sequence[Region]) -> Iterator[tuple[Pixels, Image.Image]]:
    """The places that `cover` changes in a picture of this size, with masks that are 255 where it does."""
    for region in regions:
        for piece, opacities in outline(size, region).pieces():
            yield piece, opacities.point(lambda level: 255 if level else 0)


def outline(size: tuple[int, int], region: Region) -> Outline:
    """Where the region is in a picture of this size."""
    box, style = region
    width, height = size
    room = max(style.padding, MIN_PADDING)
    face = Pixels(floor(box.left * width), floor(box.top * height), ceil(box.right * width), ceil(box.bottom * height))
    padded = Pixels(
        min(floor((box.left - room * box.width) * width), face.left - 1),
        min(floor((box.top - HAIR * room * box.height) * height), face.top - 1),
        max(ceil((box.right + room * box.width) * width), face.right + 1),
        max(ceil((box.bottom + room * box.height) * height), face.bottom + 1),
    )
    return Outline(face, padded, padded.within(Pixels(0, 0, width, height)), style.shape)


def patch_for(layers: Sequence[Image.Image], region: Region) -> Patch:
    """The patch that hides the region, worked out from the picture, which is the last of the layers."""
    picture, kind = layers[-1], region.style.kind
    outlines = [outline(layer.size, region) for layer in layers]
    seen = outlines[-1].seen
    if kind == "solid" or 0 in seen.size:
        return Patch(outlines, "solid", Image.new("RGB", (1, 1), region.style.colour).convert(picture.mode))
    return Patch(outlines, kind, with_noise(averages(picture, seen, cells_of(region.style))))


def cells_of(style: Style) -> int:
    """How many cells are left along a region's longer side; no strength leaves more than the least does."""
    return CELLS - max(style.strength - MIN_STRENGTH, 0)


def averages(image: Image.Image, part: Pixels, cells: int) -> Image.Image:
    """This part of the image as a few cells, each the mean of what it stands for; alpha is premultiplied.

    There are `cells` of them along its longer side.
    """
    columns, rows = (max(1, round(cells * side / max(part.size))) for side in part.size)
    if image.mode in ("LA", "RGBA"):
        crop = image.crop(part).convert({"LA": "La", "RGBA": "RGBa"}[image.mode])
        return crop.resize((columns, rows), Image.Resampling.BOX)
    return image.resize((columns, rows), Image.Resampling.BOX, box=part)


def with_noise(cells: Image.Image) -> Image.Image:
    """The cells with noise from the operating system's entropy; alpha has none."""
    bands = len(cells.getbands())
    colours = bands - (cells.mode in ("La", "RGBa"))
    lights = 1 if cells.mode == "YCbCr" else colours  # how many bands hold lightness
    levels = bytearray(cells.tobytes())
    entropy = iter(urandom(2 * len(levels)))
    for start in range(0, len(levels), bands):
        light = LIGHT_NOISE * NORMAL[next(entropy)]
        full = 255 if colours == bands else levels[start + colours]
        for band in range(colours):
            noise = COLOUR_NOISE * NORMAL[next(entropy)] + (light if band < lights else 0)
            levels[start + band] = min(max(round(levels[start + band] + noise * full / 255), 0), full)
    return Image.frombytes(cells.mode, cells.size, bytes(levels))


def softened(cells: Image.Image) -> Image.Image:
    """The cells, blended into each other: each halving weighs a cell and its neighbour 3 : 1, as Chaikin's algorithm
    for curves does (1974), and so tends to a quadratic spline.
    """
    for _ in range(HALVINGS):
        cells = cells.resize((cells.width * 2, cells.height * 2), Image.Resampling.BILINEAR)
    return cells


def enlarged(image: Image.Image, size: tuple[int, int], fine: int) -> Image.Image:
    """The image smoothly enlarged to this size, or to what looks the same when pixels are repeated."""
    longest = max(min(max(size), fine), -(-max(size) // REPEATED))
    if longest <= max(image.size):
        return image
    width, height = (max(1, round(side * longest / max(size))) for side in size)
    return image.resize((width, height), Image.Resampling.BILINEAR)


def part_of(image: Image.Image, whole: Pixels, part: Pixels) -> Image.Image:
    """A part of what the image is when it is stretched over the whole by repeating its pixels."""
    across, down = image.width / whole.size[0], image.height / whole.size[1]
    left, top, right, bottom = part.seen_from(whole)
    box = (left * across, top * down, min(right * across, image.width), min(bottom * down, image.height))
    return image.resize(part.size, Image.Resampling.NEAREST, box=box)


@cache
def superellipse() -> Image.Image:
    """The rounded outline's opacities, 0…255."""
    side = FINE_OUTLINE // REPEATED
    powers = [abs((2 * i + 1) / side - 1) ** ORDER for i in range(side)]
    opacities = bytes(_opacity((x + y) ** (1 / ORDER)) for y in powers for x in powers)
    coarse = Image.frombytes("L", (side, side), opacities)
    return coarse.resize((FINE_OUTLINE, FINE_OUTLINE), Image.Resampling.BICUBIC)


def _opacity(radius: float) -> int:
    """The opacity at this share of the way to the edge: 255 up to SOLID, then falling smoothly to 0 at 1."""
    share = min(max((1 - radius) / (1 - SOLID), 0.0), 1.0)
    return round(255 * share * share * (3 - 2 * share))


def _order(patch: Patch) -> tuple[bool, int, Pixels]:
    """Small faces are painted over large ones, and solid ones over all."""
    room = patch.outlines[-1].room
    width, height = room.size
    return patch.kind == "solid", -width * height, room
