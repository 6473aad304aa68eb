"""Which lines of text are number plates, and how much of a plate its letters leave over.

A line may be a plate by its shape. Then its characters may show that it is none (characters.py). What cannot be read
counts as a plate, because a plate that is missed is worse. docs/text.md has the figures.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from faceblur.detectors.text.lines import boxes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from faceblur.detectors.text.lines import Line
    from faceblur.geometry import Box
    from faceblur.limits import Kind

# Long by short side of a plate's text: from two lines of few characters to one line of nine.
LEAST_RATIO, MOST_RATIO = 1.4, 6.0
# A car stands, so its plate is seldom turned by more degrees.
MOST_ROLL = 35.0
# From the text to the plate's edge, as shares of the text's height. At the ends there may be a country's sign.
MARGIN_ACROSS, MARGIN_DOWN = 0.35, 0.2
# A line is part of a longer text if neighbours of about its height are within this many heights. What is nearer than
# the first is the same line, found twice.
APART, NEIGHBOUR, ALIKE = 0.5, 1.6, 1.5
# A text of which more than this share lies in a plate's box is that plate's.
OF_PLATE = 0.8


def wanted_among(
    lines: Sequence[Line],
    size: tuple[int, int],
    kinds: Collection[Kind],
    min_confidence: float,
    confidences: Mapping[Kind, Callable[[float], float]],
    may_be_plates: Callable[[Sequence[Line]], Sequence[bool]],
) -> list[Box]:
    """The boxes of the kinds that are wanted, plates, texts or both, of at least this confidence (0…100).

    `confidences` has for each kind the confidence that a score gives. `may_be_plates` tells for each line whether its
    characters may be a plate's. The most confident box comes first.

    If both kinds are wanted, each line is hidden in any case. So no line is read, and the shape alone tells what counts
    as a plate. Such a line is not counted as a text as well, and has the confidence that it would have as a text.
    """
    texts = boxes_of(lines, size, "text", confidences["text"]) if "text" in kinds else []
    found = [box for box in texts if box.confidence >= min_confidence]
    if "plate" in kinds:
        likely = [line for line in candidates(lines) if confidences["plate"](line.score) >= min_confidence]
        if "text" not in kinds:
            likely = [line for line, may_be in zip(likely, may_be_plates(likely), strict=True) if may_be]
        confidence_of = confidences["text" if "text" in kinds else "plate"]
        plates = boxes_of([plate_around(line) for line in likely], size, "plate", confidence_of)
        found = [*plates, *(box for box in found if not any(is_told_by(plate, box) for plate in plates))]
    return sorted(found, key=lambda box: -box.confidence)


def candidates(lines: Sequence[Line]) -> list[Line]:
    """The lines that may be plates by their shape and their place among the others."""
    return [line for line in lines if has_the_shape(line) and not in_longer_text(line, lines)]


def is_told_by(plate: Box, text: Box) -> bool:
    """Whether a text is a plate's, so that the plate suffices.

    A plate that is less sure may be dropped by the job's confidence, and the text not.
    """
    return plate.confidence >= text.confidence and text.share_in(plate) > OF_PLATE


def has_the_shape(line: Line) -> bool:
    """Whether a line of text has the proportions and the position of a plate's."""
    return LEAST_RATIO * line.short <= line.long <= MOST_RATIO * line.short and abs(line.roll) <= MOST_ROLL


def in_longer_text(line: Line, lines: Sequence[Line]) -> bool:
    """Whether lines of about the same height lie right above and right below this one, as in a longer text."""
    alike = [
        other
        for other in lines
        if other is not line
        and line.short < ALIKE * other.short
        and other.short < ALIKE * line.short
        and abs(other.x - line.x) < (other.long + line.long) / 2
    ]
    below = any(APART < (other.y - line.y) / line.short < NEIGHBOUR for other in alike)
    above = any(APART < (line.y - other.y) / line.short < NEIGHBOUR for other in alike)
    return above and below


def plate_around(line: Line) -> Line:
    """The plate around this text."""
    return replace(
        line, long=line.long + 2 * MARGIN_ACROSS * line.short, short=line.short + 2 * MARGIN_DOWN * line.short
    )
