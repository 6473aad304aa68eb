"""JPEGs of every sampling, including those that Pillow cannot write."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tests.support.pictures.photos import encoded, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL import Image

# Marker codes: ITU-T T.81, table B.1
SOF0, DHT, EOI, SOS, DQT = 0xC0, 0xC4, 0xD9, 0xDA, 0xDB


def sampled(image: Image.Image, factors: list[tuple[int, int]], quality: int = 90) -> bytes:
    """A JPEG of these sampling factors (across, down) of lightness and two colours, with a scan for each of them.

    Pillow writes each of them as a grey JPEG; these are joined (ITU-T T.81, A.2.2).
    """
    tables = opened(encoded(image, "JPEG", quality=quality)).quantization
    most = [max(each) for each in zip(*factors, strict=True)]
    file, frame, scans = b"\xff\xd8", struct.pack(">BHHB", 8, *reversed(image.size), 3), b""
    for number, (band, each) in enumerate(zip(image.convert("YCbCr").split(), factors, strict=True)):
        size = [-(-side * own // full) for side, own, full in zip(image.size, each, most, strict=True)]
        grey = encoded(band.resize(size), "JPEG", qtables=[tables[min(number, 1)]])
        frame += bytes([number, each[0] << 4 | each[1], number])
        for marker, content, end in segments(grey):
            if marker == DQT:
                file += segment(DQT, bytes([number]) + content[1:])
            elif marker == SOS:
                scans += segment(SOS, bytes([1, number]) + content[2:]) + grey[end:-2]
            elif marker == DHT and number == 0:
                scans += segment(DHT, content)
            elif marker != SOF0 and marker != DHT and number == 0:
                file += segment(marker, content)
    return file + segment(SOF0, frame) + scans + b"\xff\xd9"


def segments(file: bytes) -> Iterator[tuple[int, bytes, int]]:
    """The segments of a JPEG up to its first scan: the marker, the content, and the start of the next segment."""
    start, marker = 2, 0
    while marker != SOS and file[start + 1] != EOI:
        marker, end = file[start + 1], start + 2 + int.from_bytes(file[start + 2 : start + 4])
        yield marker, file[start + 4 : end], end
        start = end


def segment(marker: int, content: bytes) -> bytes:
    """A segment of a JPEG."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content
