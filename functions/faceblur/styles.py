"""How faces are hidden: the styles, and which region gets which."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from faceblur.faces import Box

Kind = Literal["blur", "pixelate", "solid"]
Shape = Literal["ellipse", "box"]

# With less room than the least, the rounded outline would cut off the corners of a face's box; the default holds
# the ears too, which stand out from it by a tenth of its width, and enough of the hair that no detector takes what
# is left around the paint for a face (`make bench-strength`).
MIN_PADDING = 0.2
DEFAULT_PADDING = 0.3


@dataclass(frozen=True, slots=True)
class Style:
    """How a face is hidden. `padding` is the room on each side of the face's box, as a fraction of its size;
    `colour` (red, green, blue; 0…255) is that of the solid style.
    """

    kind: Kind = "blur"
    shape: Shape = "ellipse"
    padding: float = DEFAULT_PADDING
    colour: tuple[int, int, int] = (0, 0, 0)


class Region(NamedTuple):
    """A face to hide, and how."""

    box: Box
    style: Style


def regions_for(boxes: Sequence[Box], missed: Sequence[Box], style: Style) -> list[Region]:
    """The regions to hide after a second look that still found the faces `missed`.

    A face outside all hidden regions was overlooked and gets the style as the others do. One found inside a
    hidden region shows that the style was too weak there: that region and its own box become solid.
    """
    solid = replace(style, kind="solid")
    touched = {box for box in boxes if any(_hides(box, face) for face in missed)}
    return [
        *(Region(box, solid if box in touched else style) for box in boxes),
        *(Region(face, solid if any(_hides(box, face) for box in boxes) else style) for face in missed),
    ]


def count_faces(boxes: Sequence[Box], missed: Sequence[Box]) -> int:
    """How many faces were found in two looks: what the second found inside a hidden region was found before."""
    return len(boxes) + sum(not any(_hides(box, face) for box in boxes) for face in missed)


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue (0…255) of a colour written as #rrggbb."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _hides(box: Box, face: Box) -> bool:
    """Whether the face lies in the region that hides the box: most of the smaller one is in the other."""
    return box.intersection(face) > 0.5 * min(box.area, face.area)
