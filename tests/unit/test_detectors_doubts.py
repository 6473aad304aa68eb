"""Doubts about a photo as such: told by light and sharpness, whatever is in it."""

from __future__ import annotations

import pytest
from PIL import Image, ImageFilter

from faceblur.detectors import Look
from faceblur.detectors.doubts import Doubt, doubts_about, worth_saying
from tests.support.pictures.photos import astronaut_pixels, flower_pixels, hopper_pixels
from tests.support.pictures.scenes import crowd, places

PHOTOS = {"astronaut": astronaut_pixels, "hopper": hopper_pixels, "flower": flower_pixels}


@pytest.fixture(params=PHOTOS)
def photo(request):
    return PHOTOS[request.param]()


def test_ordinary_photos_raise_no_doubt(photo):
    assert doubts_about(photo) == []


def test_nor_do_pictures_of_nobody_and_crowds():
    for picture in (*places(), crowd(100, 8, 60, 0).picture):
        assert doubts_about(picture) == []


def test_a_large_photo_is_judged_like_a_small_one(photo):
    assert doubts_about(photo.resize((2000, 2000))) == []


@pytest.fixture(params=[1, 4])
def any_size(request, photo):
    return photo.resize((photo.width * request.param, photo.height * request.param))


def test_a_dark_photo(any_size):
    assert Doubt.DARK_PHOTO in doubts_about(any_size.point(lambda level: level * 0.06))
    assert Doubt.DARK_PHOTO not in doubts_about(any_size.point(lambda level: level * 0.3))


def test_a_blurred_photo(any_size):
    assert doubts_about(any_size.filter(ImageFilter.GaussianBlur(max(any_size.size) / 50))) == [Doubt.BLURRED_PHOTO]
    assert doubts_about(any_size.filter(ImageFilter.GaussianBlur(max(any_size.size) / 400))) == []


def test_a_black_picture_is_dark_and_no_error():
    assert Doubt.DARK_PHOTO in doubts_about(Image.new("RGB", (64, 64)))


def test_codes_are_plain_words():
    assert all(str(doubt).isalpha() and str(doubt)[0].isupper() for doubt in Doubt)


def test_a_check_does_not_judge_our_own_work():
    doubts = [Doubt.BLURRED_PHOTO, Doubt.ONE_DETECTOR_ONLY]
    assert worth_saying(doubts, Look.FIRST) == doubts
    assert worth_saying(doubts, Look.CHECK) == [Doubt.ONE_DETECTOR_ONLY]
