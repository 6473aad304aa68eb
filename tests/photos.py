"""Photos for the tests, made from samples that come with installed packages; see docs/privacy.md for whose they are."""

from __future__ import annotations

from functools import cache
from io import BytesIO

import skimage.data
from PIL import Image
from sklearn.datasets import load_sample_image


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
def flower() -> bytes:
    """A picture without a face."""
    return jpeg(Image.fromarray(load_sample_image("flower.jpg")))


def without_its_end(photo: bytes) -> bytes:
    """The first half of a file."""
    return photo[: len(photo) // 2]


def _encoded(image: Image.Image, format_: str, options: dict[str, object]) -> bytes:
    file = BytesIO()
    image.save(file, format_, **options)
    return file.getvalue()
