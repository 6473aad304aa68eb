"""What a JPEG's header says of its picture, and how Pillow writes another picture alike.

The picture gets the photo's own quantisation tables and subsampling, so that blocks that were not painted on are
rounded to what they were before. docs/blur.md compares this with other ways.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PIL import Image

from faceblur.photo import decode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import JpegImagePlugin

    Table = Sequence[int]

BLOCK = 8  # samples on each side of a block
FINEST = [1] * 64  # the quantisation table that only rounds to integers

# The subsamplings that Pillow can write, by how many pixels there are across and down for each sample of colour.
SUBSAMPLINGS = {(1, 1): "4:4:4", (2, 1): "4:2:2", (2, 2): "4:2:0"}

# From this many pixels on, a photo is decoded once, and as RGB. A second decoding would add a quarter to the time of
# decoding and encoding, and YCbCr would add a tenth. The colours of so large a photo hardly change from pixel to pixel.
LARGE = 10_000_000

# The EXIF orientations that mirror or swap the axes of the stored picture.
MIRRORED_ACROSS = {2, 3, 7, 8}
MIRRORED_DOWN = {3, 4, 6, 7}
TURNED = {5, 6, 7, 8}


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
    """Whether the picture is stored as it is and turned by an EXIF tag, because turning would make it worse or larger.

    If a mirrored side of a component is no multiple of 8 samples, the turned picture has other blocks of 8 × 8. With
    the photo's own tables, rounding would become visible a second time. With the finest tables, the file would be 1.4
    to 6 times as large. A quarter turn of 4:2:2 would give colours of half the vertical resolution, which Pillow cannot
    write.
    """
    if orientation in TURNED and _subsampling(source) == "4:2:2":
        return True
    largest = [max(each) for each in zip(*factors(source), strict=True)]
    for each in factors(source):
        width, height = (
            -(-side * factor // most) for side, factor, most in zip(source.size, each, largest, strict=True)
        )
        if (orientation in MIRRORED_ACROSS and width % BLOCK) or (orientation in MIRRORED_DOWN and height % BLOCK):
            return True
    return False


def pixels(source: JpegImagePlugin.JpegImageFile, data: bytes) -> Image.Image:
    """Decode the opened photo, as YCbCr if it has fewer samples of colour than of lightness and is not large.

    libjpeg interpolates such colours when it reads them, and averages them when it writes them. Together this softens
    them a little. A 4:2:0 photo that is not large is spared that, because most photos of the web are small and sharp.
    """
    if space(source) == "YCbCr" and len(set(factors(source))) > 1 and source.width * source.height < LARGE:
        if factors(source) == [(2, 2), (1, 1), (1, 1)]:
            return _repeated_colours(source, data)
        source.draft("YCbCr", None)
    source.load()
    return source


def _repeated_colours(source: JpegImagePlugin.JpegImageFile, data: bytes) -> Image.Image:
    """Decode a 4:2:0 photo with each sample of colour repeated, so that their averages are what was stored.

    When libjpeg decodes at half the size, it gives colours stored at half the size without changing them.
    """
    width, height = source.size
    half = decode.open_image(data)
    half.draft("YCbCr", (width // 2, height // 2))
    picture = half.resize(source.size, Image.Resampling.NEAREST, box=(0, 0, width / 2, height / 2))
    del half  # or there would be three pictures at a time
    source.draft("L", None)
    source.load()
    picture.im.putband(source.im, 0)
    return picture


def options(source: JpegImagePlugin.JpegImageFile, orientation: int) -> dict[str, Any]:
    """Pillow's options to write the picture, turned from this orientation, as it was stored."""
    colours = space(source)
    subsampling = _subsampling(source) if colours == "YCbCr" else "4:4:4"
    # Pillow writes YCCK as CMYK, whose components need other tables, and no other components of different sizes.
    alike = colours == "YCbCr" or (colours != "YCCK" and len(set(factors(source))) == 1)
    tables = _tables(source, orientation) if alike else [FINEST]
    return {"qtables": tables, "subsampling": subsampling, "keep_rgb": colours == "RGB"}


def _subsampling(source: JpegImagePlugin.JpegImageFile) -> str:
    """The photo's own subsampling, or the coarsest that Pillow can write with at least as many samples of colour."""
    light, *colours = factors(source)
    across, down = (min([2, *(light[axis] // each[axis] for each in colours)]) for axis in (0, 1))
    return SUBSAMPLINGS.get((across, down), "4:4:4")


def _tables(source: JpegImagePlugin.JpegImageFile, orientation: int) -> list[Table]:
    """The photo's own quantisation tables for each component of the picture, turned from this orientation."""
    chosen: list[Table] = []
    for layer in source.layer:
        table = source.quantization.get(layer[3], FINEST)
        if orientation in TURNED:
            table = [table[row + column * BLOCK] for row in range(BLOCK) for column in range(BLOCK)]
        chosen.append(table)
    return chosen
