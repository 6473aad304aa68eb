"""Paints over faces. The paint on a face is computed from at most 3 × 3 noisy averages of it, and from nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from os import urandom
from statistics import NormalDist
from typing import TYPE_CHECKING

from PIL import Image

from faceblur.geometry import Rectangle
from faceblur.limits import MIN_STRENGTH
from faceblur.photo.outlines import Frame, Outline, enlarged, outline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from faceblur.limits import StyleKind
    from faceblur.photo.styles import Region, Style

# A hidden region is averaged to this many cells along its longer side, and to proportionally fewer along the other.
# Each step of strength takes one cell away. Noise with these standard deviations (of 255 levels) is added to each
# cell's lightness and colours. docs/irreversibility.md says what these numbers leave of a face.
CELLS = 3
LIGHT_NOISE = 8.0
COLOUR_NOISE = 3.0

# The blur style halves the cells this often, and blends neighbouring cells each time. The result is stretched over the
# region.
HALVINGS = 2

# The paint of the blur style is computed at up to this many pixels along its longer side, and for large faces at a
# quarter of the face's size. Then its pixels are repeated.
FINE_PAINT = 128

# A cell is averaged in blocks first, so that GAP blocks remain along its side. Pillow averages small blocks fast and
# exactly, but blocks of more than 100,000 pixels inexactly.
GAP = 64

# The normal distribution as 256 equally likely values.
NORMAL = [NormalDist().inv_cdf((byte + 0.5) / 256) for byte in range(256)]


@dataclass(frozen=True, slots=True)
class Patch:
    """The paint for one face, stored as its few cells, and its outline."""

    outline: Outline
    kind: StyleKind
    cells: Image.Image

    def paint(self, picture: Image.Image) -> None:
        """Cover the face."""
        visible = self.outline.visible
        soft = softened(self.cells) if self.kind == "blur" else self.cells
        paint = soft if soft.mode == picture.mode else soft.convert(picture.mode)
        if self.kind == "blur":
            paint = enlarged(paint, visible.size, FINE_PAINT)
        for piece, opacities in self.outline.pieces():
            fits = paint.size == piece.size == visible.size
            picture.paste(paint if fits else stretched_part(paint, visible, piece), piece, opacities)


def paint(picture: Image.Image, regions: Sequence[Region]) -> None:
    """Cover the regions in place. The picture has 8 bits a sample and no palette.

    All patches are computed before the first one is painted, so that no patch contains paint of another. They are
    sorted, so that the order of the regions makes no difference.
    """
    for patch in sorted((patch_for(picture, region) for region in regions), key=_order):
        patch.paint(picture)


def touched(size: tuple[int, int], regions: Sequence[Region]) -> Iterator[tuple[Rectangle, Image.Image]]:
    """The rectangles that `paint` changes in a picture of this size, each with a mask: 255 where it changes a pixel."""
    for region in regions:
        for piece, opacities in outline(size, region).pieces():
            yield piece, opacities.point(lambda level: 255 if level else 0)


def clear_invisible(picture: Image.Image, *others: Image.Image) -> None:
    """Blacken the pixels that `picture` makes fully transparent, in it and in `others` of its size.

    The colours of such pixels may contain another picture.
    """
    alpha = picture.getchannel("A") if picture.mode in ("LA", "RGBA") else None
    if alpha and alpha.getextrema()[0] == 0:
        invisible = alpha.point(lambda opacity: 0 if opacity else 255)
        for each in (picture, *others):
            each.paste((0,) * len(each.getbands()), mask=invisible)


def patch_for(picture: Image.Image, region: Region) -> Patch:
    """The patch that hides the region of the picture."""
    kind, place = region.style.kind, outline(picture.size, region)
    if kind == "solid" or 0 in place.visible.size:
        return Patch(place, "solid", Image.new("RGB", (1, 1), region.style.colour).convert(picture.mode))
    return Patch(place, kind, with_noise(averages(picture, place.visible, cells_of(region.style))))


def cells_of(style: Style) -> int:
    """The number of cells along a region's longer side; no strength leaves more cells than MIN_STRENGTH."""
    return CELLS - max(style.strength - MIN_STRENGTH, 0)


def averages(image: Image.Image, part: Rectangle, cells: int) -> Image.Image:
    """The mean colours of a grid over this part of the image, with `cells` cells along its longer side.

    Alpha is premultiplied.
    """
    columns, rows = (max(1, round(cells * side / max(part.size))) for side in part.size)
    if image.mode in ("LA", "RGBA"):
        image = image.crop(part).convert({"LA": "La", "RGBA": "RGBa"}[image.mode])
        part = Rectangle(0, 0, *image.size)
    return image.resize((columns, rows), Image.Resampling.BOX, box=part, reducing_gap=GAP)


def with_noise(cells: Image.Image) -> Image.Image:
    """The cells with noise from the operating system's entropy; alpha gets no noise."""
    bands = len(cells.getbands())
    colours = bands - (cells.mode in ("La", "RGBa"))
    lights = 1 if cells.mode == "YCbCr" else colours  # the number of bands that hold lightness
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
    """The cells, blended into each other.

    Each halving weighs a cell and its neighbour 3 : 1, like Chaikin's algorithm for curves (1974), so the result
    approaches a quadratic spline.
    """
    for _ in range(HALVINGS):
        cells = cells.resize((cells.width * 2, cells.height * 2), Image.Resampling.BILINEAR)
    return cells


def stretched_part(image: Image.Image, target: Rectangle, part: Rectangle) -> Image.Image:
    """The image is stretched over the target by repeating its pixels; this gives one part of the target."""
    across, down = image.width / target.size[0], image.height / target.size[1]
    left, top, right, bottom = part.relative_to(target)
    box = (left * across, top * down, min(right * across, image.width), min(bottom * down, image.height))
    return image.resize(part.size, Image.Resampling.NEAREST, box=box)


def _order(patch: Patch) -> tuple[bool, float, Frame]:
    """Small faces are painted over large ones, and solid colours over everything else."""
    frame = patch.outline.frame
    return patch.kind == "solid", -frame.across * frame.down, frame
