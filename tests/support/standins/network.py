"""Stand-ins for the detector's networks, which find marked patches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from faceblur.detectors.embedded.candidates import NONE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

RED, GREEN, BLUE = range(3)


class PaintedFaces:
    """A network that finds each bright patch of one colour as a face, with its brightness as the score.

    It sees no patch narrower than `narrowest` pixels of the picture that it gets. It remembers the pictures that it was
    shown.
    """

    version = "painted"

    def __init__(self, colour: int = RED, largest_block: int = 512, narrowest: int = 0) -> None:
        self.colour, self.largest_block, self.narrowest = colour, largest_block, narrowest
        self.shown: list[tuple[int, int]] = []
        self.batches: list[int] = []

    def find_in_each(self, pictures: Sequence[Image.Image], threshold: float) -> list[Floats]:
        """The bright patches of each picture."""
        assert len({picture.size for picture in pictures}) == 1
        self.shown += [picture.size for picture in pictures]
        self.batches.append(len(pictures))
        return [self._find(picture, threshold) for picture in pictures]

    @property
    def pixels(self) -> int:
        """The number of pixels in the pictures that it received."""
        return sum(width * height for width, height in self.shown)

    def _find(self, picture: Image.Image, threshold: float) -> Floats:
        light = np.asarray(picture.getchannel(self.colour))
        if light.max() <= 12:  # most tiles: to label nothing takes most of the time
            return NONE
        patches, _ = ndimage.label(light > 12)
        found = []
        for place in ndimage.find_objects(patches):
            score = light[place].max()
            rows, columns = np.nonzero(light[place] > score / 2)
            top, left = place[0].start, place[1].start
            corners = left + columns.min(), top + rows.min(), left + columns.max() + 1, top + rows.max() + 1
            if corners[2] - corners[0] >= self.narrowest:
                found.append([*corners, score / 255, 0])
        candidates = np.array(found, np.float32).reshape(-1, 6)
        return candidates[candidates[:, 4] > threshold]


class Blind:
    """A network that finds nothing, and keeps the pictures that it received."""

    version = "blind"
    largest_block = 512

    def __init__(self) -> None:
        self.pictures: list[Image.Image] = []

    def find_in_each(self, pictures: Sequence[Image.Image], _threshold: float) -> list[Floats]:
        """Nothing in each picture."""
        self.pictures += pictures
        return [NONE for _ in pictures]


def painted(
    size: tuple[int, int], *faces: tuple[float, float, float, float], red: float = 0.0, green: float = 0.0
) -> Image.Image:
    """A black picture with such faces: the corners of each; the scores that they have in either colour."""
    picture = Image.new("RGB", size)
    draw = ImageDraw.Draw(picture)
    for left, top, right, bottom in faces:
        draw.rectangle((left, top, right - 1, bottom - 1), (round(red * 255), round(green * 255), 0))
    return picture
