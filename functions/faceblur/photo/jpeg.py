"""JPEG, read and written at the resolution of its own planes.

Most JPEGs store colour at half the resolution of lightness. Decoding such a file to pixels and encoding these again
smooths its colours a little. Here each plane (Y, Cb, Cr) is decoded as it is stored, without conversion or resampling,
and encoded with its own quantisation table. So the blocks that were not painted on stay the same. It also takes less
time and memory. Pillow encodes each plane as a grey JPEG. The three files are then joined to one baseline JPEG with a
scan for each plane ("non-interleaved order", ITU-T T.81, A.2.2).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageFilter, JpegImagePlugin

from faceblur.photo import decode, painting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from PIL import ImageFile

    from faceblur.photo.styles import Region

    Table = Sequence[int]

# Marker codes: ITU-T T.81, table B.1
SOF0, SOF1, DHT, SOI, EOI, SOS, DQT = 0xC0, 0xC1, 0xC4, 0xD8, 0xD9, 0xDA, 0xDB

BLOCK = 8  # samples on each side of a block
FINEST = [1] * 64  # the quantisation table that only rounds to integers

# The EXIF orientations that mirror or swap the axes of the stored picture.
MIRRORED_ACROSS = {2, 3, 7, 8}
MIRRORED_DOWN = {3, 4, 6, 7}
TURNED = {5, 6, 7, 8}


@dataclass(slots=True)
class Plane:
    """One component of a JPEG: its image, its sampling factors across and down, and its quantisation table.

    The image holds the samples themselves (mode L), or it is a YCbCr image that holds them as a band.
    """

    image: Image.Image
    factors: tuple[int, int]
    table: Table


@dataclass(slots=True)
class Planes:
    """A photo as the upright planes Y, Cb and Cr of a JPEG.

    `size` is the size of the largest plane, `options` are those of Pillow that concern the whole file, and `tag` is the
    EXIF orientation in which the planes are stored; their factors and tables are those of the stored planes.
    """

    planes: list[Plane]
    size: tuple[int, int]
    options: dict[str, Any]
    tag: int = 1

    def paint(self, regions: Sequence[Region]) -> None:
        """Cover the regions in every plane."""
        painting.paint(list({id(plane.image): plane.image for plane in self.planes}.values()), regions)

    def encode(self) -> bytes:
        """The JPEG file."""
        files = []
        for number, plane in enumerate(self.planes):
            samples = plane.image if plane.image.mode == "L" else plane.image.getchannel(number)
            samples = decode.turn_back(samples, self.tag)
            files.append(_encoded(samples, plane.table, self.options if number == 0 else {}))
        size = self.size[::-1] if self.tag in TURNED else self.size
        return _joined(files, [plane.factors for plane in self.planes], size)


def space(source: JpegImagePlugin.JpegImageFile) -> str:
    """The colour space of a JPEG: L, YCbCr, RGB, CMYK or YCCK, determined like in libjpeg."""
    adobe = source.info.get("adobe_transform")
    match source.layers:
        case 1:
            return "L"
        case 4:
            return "CMYK" if adobe in (None, 0) else "YCCK"
    if "jfif" in source.info:
        return "YCbCr"
    if adobe is None:
        return "RGB" if [layer[0] for layer in source.layer] == list(b"RGB") else "YCbCr"
    return "RGB" if adobe == 0 else "YCbCr"


def factors(source: JpegImagePlugin.JpegImageFile) -> list[tuple[int, int]]:
    """The sampling factors (across, down) of each component."""
    return [(layer[1], layer[2]) for layer in source.layer]


def stays_stored(source: JpegImagePlugin.JpegImageFile, orientation: int) -> bool:
    """Whether the picture is stored as it is and turned by an EXIF tag, because its blocks would not stay blocks.

    If a mirrored side of a component is no multiple of 8 samples, the turned picture has other blocks of 8 × 8. With
    the photo's own tables, rounding would become visible a second time; with the finest ones the file would be up to
    three times as large.
    """
    largest = [max(each) for each in zip(*factors(source), strict=True)]
    for each in factors(source):
        width, height = (
            -(-side * factor // most) for side, factor, most in zip(source.size, each, largest, strict=True)
        )
        if (orientation in MIRRORED_ACROSS and width % BLOCK) or (orientation in MIRRORED_DOWN and height % BLOCK):
            return True
    return False


def tables(source: JpegImagePlugin.JpegImageFile, orientation: int) -> list[Table]:
    """The photo's own quantisation tables for each component of the picture, turned from this orientation."""
    chosen: list[Table] = []
    for layer in source.layer:
        table = source.quantization.get(layer[3], FINEST)
        if orientation in TURNED:
            table = [table[row + column * BLOCK] for row in range(BLOCK) for column in range(BLOCK)]
        chosen.append(table)
    return chosen


def has_planes(source: JpegImagePlugin.JpegImageFile) -> bool:
    """Whether colours are stored at a lower resolution than lightness, in a way that we can write again."""
    if space(source) != "YCbCr":
        return False
    (across, down), *colours = factors(source)
    if all(each == (across, down) for each in colours):
        return False
    return all(across % each[0] == 0 and down % each[1] == 0 for each in colours)


def read_planes(
    data: bytes, light: JpegImagePlugin.JpegImageFile, orientation: int, tag: int, options: dict[str, Any]
) -> Planes:
    """Decode each plane of a JPEG for which `has_planes` is true, and turn it upright; `light` is the opened file.

    `tag` and `options` are those of `Planes`.
    """
    sampling = factors(light)
    applied = orientation if tag == 1 else 1  # to the stored planes
    colours = _colours(decode.open_image(data), sampling)
    light.draft("L", None)
    light.load()
    light.info = {}
    upright = [decode.turn_upright(image, orientation) for image in (light, *colours)]
    planes = [
        Plane(image, each[::-1] if applied in TURNED else each, table)
        for image, each, table in zip(
            (upright[0], upright[1], upright[-1]), sampling, tables(light, applied), strict=True
        )
    ]
    return Planes(planes, planes[0].image.size, options, tag)


def _encoded(plane: Image.Image, table: Table, options: dict[str, Any]) -> bytes:
    """A grey JPEG file of the plane with this quantisation table."""
    file = BytesIO()
    plane.save(file, "JPEG", qtables=[list(table)], **options)
    return file.getvalue()


def segments(file: bytes) -> Iterator[tuple[int, bytes, int]]:
    """The marker segments up to the first scan: the marker, the content, and the start of the next segment."""
    start = 2
    while file[start + 1] != EOI:
        marker, end = file[start + 1], start + 2 + int.from_bytes(file[start + 2 : start + 4])
        yield marker, file[start + 4 : end], end
        if marker == SOS:
            return
        start = end


def _colours(pixels: ImageFile.ImageFile, sampling: list[tuple[int, int]]) -> list[Image.Image]:
    """YCbCr images whose bands Cb and Cr are the stored planes: one image for both, or one for each of them."""
    (across, down), *others = sampling
    # When libjpeg decodes at half the size, it gives colours stored at half the size without changing them.
    halves = (across, down) == (2, 2) and others == [(1, 1), (1, 1)]
    pixels.draft("YCbCr", (pixels.width // 2, pixels.height // 2) if halves else None)
    pixels.load()
    if halves:
        return [pixels]
    stored = []
    for factors_ in dict.fromkeys(others):
        ratio = (across // factors_[0], down // factors_[1])
        light, *bands = pixels.split()
        stored.append(Image.merge("YCbCr", [light.reduce(ratio), *(_stored(band, ratio) for band in bands)]))
    return stored


def _stored(band: Image.Image, ratio: tuple[int, int]) -> Image.Image:
    """The stored plane from which libjpeg made this band by enlarging it by `ratio`.

    Where it enlarges twice, libjpeg interpolates: in each direction it weighs a sample and its neighbour 3 : 1
    (jdsample.c, "triangle filter"). The kernels here are the inverse: if each pixel weighs 4 and its two neighbours -1,
    over two, then the average of two pixels is exactly the stored sample.
    """
    kernels = {
        (2, 1): (0, 0, 0, -1, 4, -1, 0, 0, 0),
        (1, 2): (0, -1, 0, 0, 4, 0, 0, -1, 0),
        (2, 2): (1, -4, 1, -4, 16, -4, 1, -4, 1),
    }
    if ratio in kernels:
        band = band.filter(ImageFilter.Kernel((3, 3), kernels[ratio], offset=-0.1))
    return band.reduce(ratio)


def _joined(files: list[bytes], sampling: list[tuple[int, int]], size: tuple[int, int]) -> bytes:
    """One JPEG whose components are these grey JPEGs; everything else is taken from the first one."""
    head: list[bytes] = []
    huffman: list[bytes] = []
    scans: list[bytes | memoryview] = []
    numbers: dict[bytes, int] = {}
    components = b""
    frame = SOF0
    for component, (file, (across, down)) in enumerate(zip(files, sampling, strict=True), 1):
        for marker, content, end in segments(file):
            if marker == DQT:
                table = numbers.setdefault(content, len(numbers))
                components += bytes([component, across << 4 | down, table])
            elif marker in (SOF0, SOF1):
                frame = max(frame, marker)
            elif marker == SOS:
                scans += [_segment(SOS, bytes([1, component]) + content[2:]), memoryview(file)[end:-2]]
            elif component == 1:
                (huffman if marker == DHT else head).append(_segment(marker, content))
    tables = [_segment(DQT, bytes([content[0] | number]) + content[1:]) for content, number in numbers.items()]
    header = _segment(frame, struct.pack(">BHHB", 8, *reversed(size), len(files)) + components)
    return b"".join([bytes([0xFF, SOI]), *head, *tables, header, *huffman, *scans, bytes([0xFF, EOI])])


def _segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content
