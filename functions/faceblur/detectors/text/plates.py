"""Which lines of text are number plates, and how much of a plate its letters leave over.

The shape tells them apart, not the characters: recognising them would take more time, and it fails where letters are
too small to be read. Signs of the same shape count as plates, because a plate that is missed is worse. docs/text.md has
the figures.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from faceblur.detectors.text.regions import Line

# Long by short side of a plate's text: from two lines of few characters to one line of nine.
LEAST_RATIO, MOST_RATIO = 1.5, 6.0
# A car stands, so its plate is seldom turned by more degrees.
MOST_ROLL = 35.0
# The network is surer of the letters of a plate than of texture.
LEAST_SCORE = 0.75
# From the text to the plate's edge, as shares of the text's height. At the ends there may be a country's sign.
MARGIN_ACROSS, MARGIN_DOWN = 0.35, 0.2
# A line is part of a longer text if a neighbour of about its height is nearer than this many heights.
NEIGHBOUR, ALIKE = 1.6, 1.5


def plates_among(lines: Sequence[Line]) -> list[Line]:
    """The lines that may be plates, enlarged to the plates."""
    return [whole_plate(line) for line in lines if has_the_shape(line) and not in_longer_text(line, lines)]


def has_the_shape(line: Line) -> bool:
    """Whether a line of text has the proportions, the position and the clarity of a plate's."""
    in_range = LEAST_RATIO <= line.long / line.short <= MOST_RATIO
    return in_range and abs(line.roll) <= MOST_ROLL and line.score >= LEAST_SCORE


def in_longer_text(line: Line, lines: Sequence[Line]) -> bool:
    """Whether lines of about the same height lie right above and right below this one, as in a longer text."""
    alike = [
        other
        for other in lines
        if other is not line
        and 1 / ALIKE < other.short / line.short < ALIKE
        and abs(other.x - line.x) < (other.long + line.long) / 2
    ]
    below = any(0 < other.y - line.y < NEIGHBOUR * line.short for other in alike)
    above = any(0 < line.y - other.y < NEIGHBOUR * line.short for other in alike)
    return above and below


def whole_plate(line: Line) -> Line:
    """The plate around this text."""
    return replace(
        line, long=line.long + 2 * MARGIN_ACROSS * line.short, short=line.short + 2 * MARGIN_DOWN * line.short
    )
