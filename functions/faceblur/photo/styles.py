"""How faces are hidden: the styles, and the regions to which they are applied."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from faceblur.limits import DEFAULT_PADDING, MIN_STRENGTH

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from faceblur.geometry import Box
    from faceblur.limits import Shape, StyleKind


@dataclass(frozen=True, slots=True)
class Style:
    """How a face is hidden.

    `padding` enlarges the face's box on each side, by this fraction of its size. `strength` (1…3) says how little blur
    and pixelate leave of the face. `colour` (red, green, blue; 0…255) is the colour of the solid style.
    """

    kind: StyleKind = "blur"
    shape: Shape = "ellipse"
    padding: float = DEFAULT_PADDING
    strength: int = MIN_STRENGTH
    colour: tuple[int, int, int] = (0, 0, 0)


class Region(NamedTuple):
    """A face to hide, and the style that hides it."""

    box: Box
    style: Style


def wrapped(region: Region) -> Iterator[Region]:
    """The region once more beyond each edge that it may reach, for a photo whose left and right edges are neighbours.

    With the most padding, the region reaches one width beyond its box, or one height if it is turned by a right angle.
    """
    box = region.box
    reach = 2 * max(box.width, box.height)  # such a photo is at least twice as wide as high, so this is enough
    if box.right + reach > 1:
        yield region._replace(box=replace(box, left=box.left - 1))
    if box.left - reach < 0:
        yield region._replace(box=replace(box, left=box.left + 1))


def style_of(options: Mapping[str, Any]) -> Style:
    """The style that a job's options ask for."""
    colour = rgb(options["colour"])
    return Style(options["style"], options["shape"], options["padding"], options["strength"], colour)


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue (0…255) of a colour written as #rrggbb."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
