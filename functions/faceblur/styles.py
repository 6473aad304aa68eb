"""How faces are hidden: the styles, and the regions that get them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from faceblur.faces import Box

Kind = Literal["blur", "pixelate", "solid"]
Shape = Literal["ellipse", "rounded", "box"]

# A detector draws the box of a face from the forehead to the chin, and a little off at times. With the default room an
# ellipse takes the hairline and the ears too. With the least room its opaque part is still larger than the face.
MIN_PADDING = 0.1
DEFAULT_PADDING = 0.24

# Each step of strength takes one of the cells away that are left of a face; the least leaves what cannot be undone.
MIN_STRENGTH, MAX_STRENGTH = 1, 3


@dataclass(frozen=True, slots=True)
class Style:
    """How a face is hidden. `padding` is the room on each side of the face's box, as a fraction of its size;
    `strength` (1…3) says how little the smooth and the pixelated style leave of it; `colour` (red, green, blue;
    0…255) is that of the solid style.
    """

    kind: Kind = "blur"
    shape: Shape = "ellipse"
    padding: float = DEFAULT_PADDING
    strength: int = MIN_STRENGTH
    colour: tuple[int, int, int] = (0, 0, 0)


class Region(NamedTuple):
    """A face to hide, and how."""

    box: Box
    style: Style


def style_of(options: Mapping[str, Any]) -> Style:
    """The style that a job's options ask for."""
    colour = rgb(options["colour"])
    return Style(options["style"], options["shape"], options["padding"], options["strength"], colour)


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue (0…255) of a colour written as #rrggbb."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
