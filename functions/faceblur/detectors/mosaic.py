"""Mosaics: many small parts of a photo, enlarged and put side by side, so that one call shows all of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from faceblur.geometry import Box, BoxIndex, Rectangle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

GAP = 8  # grey pixels between two cells, so that no face seems to continue in the next cell
LEAST = 80  # pixels of a side; the service takes no smaller picture


class Part(NamedTuple):
    """An area of the photo, and the scale at which it is to be shown."""

    area: Rectangle
    scale: float


class Cell(NamedTuple):
    """An area of the photo, and the place in the mosaic where it is shown."""

    area: Rectangle
    place: Rectangle

    @property
    def scale(self) -> float:
        """Pixels of the mosaic for each pixel of the photo."""
        return max(self.place.size) / max(self.area.size)


@dataclass(frozen=True, slots=True)
class Mosaic:
    """A picture that shows these cells on grey."""

    cells: Sequence[Cell]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels: as small as the cells allow."""
        right, bottom = (max(cell.place[edge] for cell in self.cells) for edge in (2, 3))
        return max(LEAST, right), max(LEAST, bottom)

    def drawn(self, photo: Image.Image) -> Image.Image:
        """The mosaic of this photo."""
        canvas = Image.new("RGB", self.size, "grey")
        for area, place in self.cells:
            canvas.paste(photo.resize(place.size, Image.Resampling.BICUBIC, area), place[:2])
        return canvas

    def halves(self) -> list[Mosaic]:
        """Two mosaics with half of the cells each."""
        return [Mosaic(self.cells[::2]), Mosaic(self.cells[1::2])]

    def in_cells(self, boxes: Iterable[Box]) -> Iterator[tuple[Box, Cell]]:
        """Boxes in fractions of the mosaic, as fractions of the areas of the cells in which their middles lie.

        They are clipped to their cells. A box whose middle lies in a gap is left out: no cell shows a face there.
        """
        across, down = self.size
        for box in boxes:
            x, y = (box.left + box.right) / 2 * across, (box.top + box.bottom) / 2 * down
            for cell in self.cells:
                left, top, right, bottom = cell.place
                if left <= x < right and top <= y < bottom:
                    width, height = cell.place.size
                    yield (
                        replace(
                            box,
                            left=(box.left * across - left) / width,
                            top=(box.top * down - top) / height,
                            width=box.width * across / width,
                            height=box.height * down / height,
                        ).clamp(),
                        cell,
                    )


def grouped(parts: Iterable[Part], most: tuple[int, int]) -> list[Part]:
    """The parts, of which neighbours are joined if that takes no more pixels and shows them in at most this size."""
    groups: list[Part] = []
    # Two parts that do not meet take more pixels if they are joined. So each part is compared only with the groups that
    # it meets. A group is found at each place that it had while it grew.
    places = BoxIndex()
    numbers: defaultdict[Box, list[int]] = defaultdict(list)
    for part in parts:
        near = {number for place in places.near(_place(part)) for number in numbers[place]}
        for number in sorted(near):
            group = groups[number]
            both = _joined(part, group)
            if _pixels(both) <= _pixels(part) + _pixels(group) and _fits(both, most):
                groups[number] = both
                break
        else:
            number, both = len(groups), part
            groups.append(part)
        place = _place(both)
        if place not in numbers:
            places.add(place)
        if number not in numbers[place]:
            numbers[place].append(number)
    return groups


def _place(part: Part) -> Box:
    """The area of a part in pixels."""
    (left, top, _, _), (width, height) = part.area, part.area.size
    return Box(left, top, width, height, 0)


def _joined(one: Part, other: Part) -> Part:
    (left, top, right, bottom), area = one.area, other.area
    both = Rectangle(min(left, area.left), min(top, area.top), max(right, area.right), max(bottom, area.bottom))
    return Part(both, max(one.scale, other.scale))


def _pixels(part: Part) -> float:
    width, height = part.area.size
    return width * height * part.scale**2


def _fits(part: Part, most: tuple[int, int]) -> bool:
    return all(side * part.scale <= limit for side, limit in zip(part.area.size, most, strict=True))


def packed(parts: Iterable[Part], most: tuple[int, int]) -> list[Mosaic]:
    """Mosaics of at most this size that show these parts; one that is too large is reduced.

    The cells stand in rows. The highest come first, so that those of a row have about the same height.
    """
    mosaics: list[list[Cell]] = []
    x, top, bottom = 0, 0, 0
    sized = [(area, _size_of(area, scale, most)) for area, scale in parts]
    for area, (width, height) in sorted(sized, key=lambda each: -each[1][1]):
        if x + width > most[0]:
            x, top = 0, bottom + GAP
        if not mosaics or top + height > most[1]:
            mosaics.append([])
            x, top, bottom = 0, 0, 0
        mosaics[-1].append(Cell(area, Rectangle(x, top, x + width, top + height)))
        x, bottom = x + width + GAP, max(bottom, top + height)
    return [Mosaic(cells) for cells in mosaics]


def _size_of(area: Rectangle, scale: float, most: tuple[int, int]) -> tuple[int, int]:
    width, height = area.size
    scale = min(scale, most[0] / width, most[1] / height)
    return max(1, round(width * scale)), max(1, round(height * scale))
