"""The PP-OCRv6 text recognition network, which tells the characters of a line of text.

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
    from faceblur.detectors.text.lines import Line
    from faceblur.detectors.text.regions import Floats

INPUT = "x"
# The height of a line as the network sees it, in pixels, with which it was trained; it tells a character for each STEP
# pixels of the width. The package `rapidocr` fills each line up to 320 pixels, which takes twice the time and reads
# the same plates.
HEIGHT, STEP = 48, 8


class ReadingNetwork:
    """The loaded network. Several threads may use it at the same time."""

    def __init__(self) -> None:
        """Load the model from the layer."""
        self._session, self.version = session_for("ppocr_reader")
        known = self._session.get_modelmeta().custom_metadata_map["character"].split("\n")
        self._characters = ["", *known, " "]  # the first class stands for no character
        self._digits = np.array([each.isdigit() for each in self._characters])

    def read(self, picture: Image.Image, line: Line) -> Reading:
        """What a line of an RGB picture says. The time and memory are in proportion to its length ÷ its height."""
        pixels = np.asarray(strip(picture, line), np.float32).transpose(2, 0, 1)[None, ::-1]
        (found,) = self._session.run(None, {INPUT: pixels / 127.5 - 1})  # blue, green, red; -1…1
        return self._reading(found[0])

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
    width = STEP * max(1, round(HEIGHT * line.long / line.short / STEP))
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
    return turned.reduce(finer)


@cache
def reading_network() -> ReadingNetwork:
    """The network, loaded once per process."""
    return ReadingNetwork()
