"""Photos for the tests, made from samples that come with installed packages; see docs/privacy.md for whose they are."""

from __future__ import annotations

from functools import cache
from io import BytesIO

import skimage.data
from matplotlib.cbook import get_sample_data
from PIL import Image
from sklearn.datasets import load_sample_image

from faceblur.geometry import Box

# Where the faces are: what the detectors find, checked by eye.
ASTRONAUT_FACE = Box(0.348, 0.108, 0.184, 0.238, 99.0)
HOPPER_FACE = Box(0.336, 0.202, 0.358, 0.362, 99.0)


def jpeg(image: Image.Image, **options: object) -> bytes:
    """The image as a JPEG file."""
    return _encoded(image, "JPEG", {"quality": 90} | options)


def png(photo: bytes) -> bytes:
    """A photo as a PNG file."""
    return _encoded(Image.open(BytesIO(photo)), "PNG", {})


@cache
def astronaut() -> bytes:
    """Eileen Collins (NASA, public domain): one face in 512×512 pixels."""
    return jpeg(Image.fromarray(skimage.data.astronaut()))


@cache
def astronaut_pixels() -> Image.Image:
    """Eileen Collins (NASA, public domain) as pixels: one face in 512×512."""
    return Image.fromarray(skimage.data.astronaut())


@cache
def hopper_pixels() -> Image.Image:
    """Grace Hopper (US Navy, public domain) as pixels: one face in 512×600."""
    with get_sample_data("grace_hopper.jpg") as file, Image.open(file) as image:
        return image.convert("RGB")


@cache
def grace_hopper() -> bytes:
    """Grace Hopper (US Navy, public domain): one face in 512×606 pixels."""
    return jpeg(hopper_pixels())


PORTRAITS = [(astronaut_pixels(), ASTRONAUT_FACE), (hopper_pixels(), HOPPER_FACE)]


@cache
def flower_pixels() -> Image.Image:
    """A picture without a face, 640×427."""
    return Image.fromarray(load_sample_image("flower.jpg"))


@cache
def street_pixels() -> Image.Image:
    """Buildings without a face, 640×427."""
    return Image.fromarray(load_sample_image("china.jpg"))


@cache
def flower() -> bytes:
    """A picture without a face."""
    return jpeg(flower_pixels())


def encoded(image: Image.Image, format_: str, **options: object) -> bytes:
    """The image as a file of any format that Pillow writes."""
    return _encoded(image, format_, options)


def opened(file: bytes) -> Image.Image:
    """A file as Pillow reads it."""
    image = Image.open(BytesIO(file))
    image.load()
    return image


def blank(width: int, height: int) -> bytes:
    """A PNG file of this many white pixels, small however many they are."""
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
    image.save(file, format_, **options)
    return file.getvalue()
