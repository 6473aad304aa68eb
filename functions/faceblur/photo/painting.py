"""Paint over faces. What covers a face is made of at most 3 × 3 noisy averages of it, and of nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from os import urandom
from statistics import NormalDist
from typing import TYPE_CHECKING

from PIL import Image

from faceblur.limits import MIN_STRENGTH
from faceblur.photo.outlines import Frame, Outline, Pixels, enlarged, outline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from faceblur.limits import StyleKind
    from faceblur.photo.styles import Region, Style

# A hidden region is averaged to this many cells along its longer side, to one less for each step of strength, and to
# proportionally fewer along the other. The noise has these standard deviations (of 255 levels), and is added to each
# cell's lightness and colours. docs/irreversibility.md says what these numbers leave of a face.
CELLS = 3
LIGHT_NOISE = 8.0
COLOUR_NOISE = 3.0

# The smooth style halves the cells this often, each time cutting the corners between them, and stretches that over the
# region.
HALVINGS = 2

# The paint of the smooth style is worked out at up to this many pixels along its longer side, and for large faces at a
# quarter of theirs; then pixels are repeated.
FINE_PAINT = 256

# The normal distribution in 256 equally likely steps.
NORMAL = [NormalDist().inv_cdf((byte + 0.5) / 256) for byte in range(256)]


@dataclass(frozen=True, slots=True)
class Patch:
    """What covers one face, kept as the few cells of which it is made until it is painted, and where in each layer."""

    outlines: list[Outline]
    kind: StyleKind
    cells: Image.Image

    def paint(self, layers: Sequence[Image.Image]) -> None:
        """Cover the face in every layer."""
        soft = softened(self.cells) if self.kind == "blur" else self.cells
        for layer, place in zip(layers, self.outlines, strict=True):
            paint = soft if soft.mode == layer.mode else soft.convert(layer.mode)
            if self.kind == "blur":
                paint = enlarged(paint, place.seen.size, FINE_PAINT)
            for piece, opacities in place.pieces():
                fits = paint.size == piece.size == place.seen.size
                layer.paste(paint if fits else part_of(paint, place.seen, piece), piece, opacities)


def paint(layers: Sequence[Image.Image], regions: Sequence[Region]) -> None:
    """Cover the regions in place.

    The last layer is the picture, with 8 bits a sample and no palette. Before it there may be others of the same
    picture at sizes of their own: those of its bands that are stored so. All patches are worked out before the first
    is painted, so that none holds paint of another, and they are painted in an order of their own, so that the order
    of the regions makes no difference.
    """
    for patch in sorted((patch_for(layers, region) for region in regions), key=_order):
        patch.paint(layers)


def touched(size: tuple[int, int], regions: Sequence[Region]) -> Iterator[tuple[Pixels, Image.Image]]:
    """The places that `paint` changes in a picture of this size, with masks that are 255 where it does."""
    for region in regions:
        for piece, opacities in outline(size, region).pieces():
            yield piece, opacities.point(lambda level: 255 if level else 0)


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


def part_of(image: Image.Image, whole: Pixels, part: Pixels) -> Image.Image:
    """A part of what the image is when it is stretched over the whole by repeating its pixels."""
    across, down = image.width / whole.size[0], image.height / whole.size[1]
    left, top, right, bottom = part.seen_from(whole)
    box = (left * across, top * down, min(right * across, image.width), min(bottom * down, image.height))
    return image.resize(part.size, Image.Resampling.NEAREST, box=box)


def _order(patch: Patch) -> tuple[bool, float, Frame]:
    """Small faces are painted over large ones, and solid ones over all."""
    frame = patch.outlines[-1].frame
    return patch.kind == "solid", -frame.across * frame.down, frame
