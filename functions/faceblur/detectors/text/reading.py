"""The PP-OCRv6 text recognition network, which tells the characters of lines of text.

What it reads decides whether a line may be a number plate, and is forgotten then: it is neither logged nor stored.
"""

from __future__ import annotations

from functools import cache
from math import cos, radians, sin
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from faceblur.detectors.embedded.network import session_for
from faceblur.detectors.text.characters import Reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from faceblur.detectors.text.lines import Line
    from faceblur.detectors.text.regions import Floats

INPUT = "x"
# The size of a line as the network sees it, in pixels. It was trained with this height. The width suits the longest
# line that may be a plate, so that all lines have one size.
WIDTH, HEIGHT = 320, 48
GREY = 127  # the level that becomes nearly 0, with which the package `rapidocr` fills what is right of a line
AT_ONCE = 8  # lines; each takes about 20 MB


class ReadingNetwork:
    """The loaded network. Several threads may use it at the same time."""

    def __init__(self) -> None:
        """Load the model from the layer."""
        self._session, self.version = session_for("ppocr_reader")
        known = self._session.get_modelmeta().custom_metadata_map["character"].split("\n")
        self._characters = ["", *known, " "]  # the first class stands for no character
        self._digits = [each.isdigit() for each in self._characters]

    def read(self, picture: Image.Image, lines: Sequence[Line]) -> list[Reading]:
        """What these lines of an RGB picture say."""
        strips = [strip(picture, line) for line in lines]
        return [
            self._reading(probabilities)
            for start in range(0, len(strips), AT_ONCE)
            for probabilities in self._probabilities(strips[start : start + AT_ONCE])
        ]

    def _probabilities(self, strips: Sequence[Image.Image]) -> Floats:
        """The probabilities [line, place, character] along each strip."""
        pixels = np.stack([np.asarray(each, np.float32) for each in strips]).transpose(0, 3, 1, 2)
        (found,) = self._session.run(None, {INPUT: pixels[:, ::-1] / 127.5 - 1})  # blue, green, red; -1…1
        probabilities: Floats = found
        return probabilities

    def _reading(self, probabilities: Floats) -> Reading:
        """The most likely text, of probabilities [place, character] (Graves et al., connectionist temporal
        classification): a character that is told at several places in a row is one character.
        """
        best = probabilities.argmax(1)
        told = (best != 0) & np.append(True, best[1:] != best[:-1])
        return Reading(
            text="".join(self._characters[each] for each in best[told]),
            certainty=float(probabilities.max(1)[told].mean()) if told.any() else 0.0,
            digit=float(probabilities[:, self._digits].sum(1).max()),
        )


def strip(picture: Image.Image, line: Line) -> Image.Image:
    """A line, turned upright and brought to the size that the network sees."""
    width = min(WIDTH, max(1, round(HEIGHT * line.long / line.short)))
    finer = max(1, round(line.short / HEIGHT))  # so that no pixel of a large line is left out
    c, s = cos(radians(line.roll)), sin(radians(line.roll))
    across, down = line.long / (width * finer), line.short / (HEIGHT * finer)
    left, top = line.x - (line.long * c - line.short * s) / 2, line.y - (line.long * s + line.short * c) / 2
    turned = picture.transform(
        (width * finer, HEIGHT * finer),
        Image.Transform.AFFINE,
        (across * c, -down * s, left, across * s, down * c, top),
        Image.Resampling.BICUBIC,
    )
    shown = Image.new("RGB", (WIDTH, HEIGHT), (GREY, GREY, GREY))
    shown.paste(turned.reduce(finer), (0, 0))
    return shown


@cache
def reading_network() -> ReadingNetwork:
    """The network, loaded once per process."""
    return ReadingNetwork()
