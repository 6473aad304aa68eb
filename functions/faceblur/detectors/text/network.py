"""The PP-OCRv6 text detection network: it tells for each pixel how likely it belongs to the core of a line of text."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from faceblur.detectors.embedded.network import as_input, session_for

if TYPE_CHECKING:
    from PIL import Image

    from faceblur.detectors.text.regions import Floats

INPUT = "x"
# It takes blue, green and red. These means and deviations are those of ImageNet, of 255 levels.
MEAN = np.array([0.485, 0.456, 0.406], np.float32)[:, None, None] * 255
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)[:, None, None] * 255


class TextNetwork:
    """The loaded network. Several threads may use it at the same time."""

    def __init__(self) -> None:
        """Load the model from the layer."""
        self._session, self.version = session_for("ppocr")

    def probability(self, picture: Image.Image) -> Floats:
        """The probabilities [height, width] of an RGB picture."""
        pixels = (as_input([picture])[:, ::-1] - MEAN) / DEVIATION
        (found,) = self._session.run(None, {INPUT: pixels})
        probability: Floats = found[0, 0, : picture.height, : picture.width]
        return probability


@cache
def text_network() -> TextNetwork:
    """The network, loaded once per process."""
    return TextNetwork()
