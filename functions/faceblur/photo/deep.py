"""Pictures with 16 bits a sample: PNG and TIFF.

Pillow reads only the upper eight bits of most such files. Here a picture is split into two pictures of eight bits, the
upper and the lower bytes of its samples. Pillow can work on each of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from faceblur.photo import painting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from PIL import Image

    from faceblur.photo.styles import Region

ROWS = 256  # written at a time


@dataclass(slots=True)
class Deep:
    """Upright pictures of the upper and of the lower bytes of the samples, and what writes them to a file.

    Pixels whose opacity has no upper byte lose their colours, which may contain another picture: a viewer with eight
    bits shows nothing of them.
    """

    upper: Image.Image
    lower: Image.Image
    write: Callable[[Deep], bytes]

    def __post_init__(self) -> None:
        """Clear the invisible pixels."""
        painting.clear_invisible(self.upper, self.lower)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.upper.size

    def paint(self, regions: Sequence[Region]) -> None:
        """Cover the regions. The paint has eight bits a sample; its lower bytes repeat the upper ones."""
        painting.paint(self.upper, regions)
        for strip, touched in painting.touched(self.upper.size, regions):
            self.lower.paste(self.upper.crop(strip), strip, touched)

    def encode(self) -> bytes:
        """The file."""
        return self.write(self)

    def rows(self) -> Iterator[tuple[Image.Image, Image.Image]]:
        """The upper and the lower bytes, some rows at a time from the top."""
        width, height = self.size
        for top in range(0, height, ROWS):
            box = (0, top, width, min(top + ROWS, height))
            yield self.upper.crop(box), self.lower.crop(box)


def interleaved(upper: Image.Image, lower: Image.Image) -> bytes:
    """The samples in the order of the pixels, each with its upper byte first."""
    samples = len(upper.getbands())
    whole = bytearray(2 * samples * upper.width * upper.height)
    for byte, picture in enumerate((upper, lower)):
        for sample, band in enumerate(picture.split()):
            whole[2 * sample + byte :: 2 * samples] = band.tobytes()
    return bytes(whole)
