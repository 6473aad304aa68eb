"""Photos for the tests, made from samples in installed packages. docs/privacy.md names their sources."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from PIL import Image

from faceblur.geometry import Box

# The places of the faces, as the detectors find them. They were checked by eye.
ASTRONAUT_FACE = Box(0.348, 0.108, 0.184, 0.238, 99.0)
HOPPER_FACE = Box(0.336, 0.202, 0.358, 0.362, 99.0)

ORIENTATIONS = tuple(range(1, 9))  # of EXIF
_LAID = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


# Settings that take a tenth to a third of the default's time, for a larger file that looks the same.
_FASTEST: dict[str, dict[str, object]] = {
    "PNG": {"compress_level": 1},
    "WEBP": {"method": 0},
    "AVIF": {"speed": 10},
    "HEIF": {"enc_params": {"preset": "ultrafast"}},
}


def sample(package: str, path: str) -> Path:
    """A file of an installed package, found without importing the package, which would take seconds."""
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / path


def pixels(package: str, path: str) -> Image.Image:
    """A sample photo of an installed package, as pixels without any metadata."""
    with Image.open(sample(package, path)) as image:
        picture = image.convert("RGB")
    picture.info = {}
    return picture


def laid_for(orientation: int, upright: Image.Image) -> Image.Image:
    """The picture as its pixels lie in a file whose EXIF orientation turns it upright."""
    return upright.transpose(_LAID[orientation]) if orientation in _LAID else upright


def jpeg(image: Image.Image, **options: object) -> bytes:
    """The image as a JPEG file."""
    return _encoded(image, "JPEG", {"quality": 90} | options)


def png(photo: bytes) -> bytes:
    """A photo as a PNG file."""
    return _encoded(Image.open(BytesIO(photo)), "PNG", {})


@cache
def astronaut() -> bytes:
    """Eileen Collins (NASA, public domain): one face in 512×512 pixels."""
    return jpeg(astronaut_pixels())


@cache
def astronaut_pixels() -> Image.Image:
    """Eileen Collins (NASA, public domain) as pixels: one face in 512×512."""
    return pixels("skimage", "data/astronaut.png")


@cache
def hopper_pixels() -> Image.Image:
    """Grace Hopper (US Navy, public domain) as pixels: one face in 512×600."""
    return pixels("matplotlib", "mpl-data/sample_data/grace_hopper.jpg")


@cache
def grace_hopper() -> bytes:
    """Grace Hopper (US Navy, public domain): one face in 512×606 pixels."""
    return jpeg(hopper_pixels())


PORTRAITS = [(astronaut_pixels(), ASTRONAUT_FACE), (hopper_pixels(), HOPPER_FACE)]


@cache
def flower_pixels() -> Image.Image:
    """A picture without a face, 640×427."""
    return pixels("sklearn", "datasets/images/flower.jpg")


@cache
def street_pixels() -> Image.Image:
    """Buildings without a face, 640×427."""
    return pixels("sklearn", "datasets/images/china.jpg")


@cache
def flower() -> bytes:
    """A picture without a face."""
    return jpeg(flower_pixels())


def fastest(format_: str) -> dict[str, object]:
    """The encoder's fastest settings, new each time: pillow_heif adds an image's own settings to what it is given."""
    return deepcopy(_FASTEST.get(format_, {}))


def encoded(image: Image.Image, format_: str, **options: object) -> bytes:
    """The image as a file of any format that Pillow writes."""
    return _encoded(image, format_, options)


def opened(file: bytes) -> Image.Image:
    """A file as Pillow reads it."""
    image = Image.open(BytesIO(file))
    image.load()
    return image


def blank(width: int, height: int) -> bytes:
    """A PNG file of this many white pixels. The file is always small."""
    return _encoded(Image.new("1", (width, height), 1), "PNG", {})


def animation(format_: str) -> bytes:
    """A file with two pictures."""
    first, second = Image.new("RGB", (64, 64), "red"), Image.new("RGB", (64, 64), "blue")
    return _encoded(first, format_, {"save_all": True, "append_images": [second]})


def without_its_end(photo: bytes) -> bytes:
    """The first half of a file."""
    return photo[: len(photo) // 2]


def _encoded(image: Image.Image, format_: str, options: dict[str, object]) -> bytes:
    file = BytesIO()
    image.save(file, format_, **fastest(format_) | options)
    return file.getvalue()
