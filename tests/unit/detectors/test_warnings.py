"""Warnings about a photo, told by its light and sharpness, whatever it shows."""

from __future__ import annotations

import pytest
from PIL import Image, ImageFilter

from faceblur.detectors.base import DetectionPass
from faceblur.detectors.warnings import WarningCode, warnings_for, warnings_to_report
from faceblur.photo.decode import load_for_detection
from tests.support.pictures.photos import astronaut_pixels, flower_pixels, hopper_pixels, jpeg, without_its_end
from tests.support.pictures.scenes import crowd, places

PHOTOS = {"astronaut": astronaut_pixels, "hopper": hopper_pixels, "flower": flower_pixels}


@pytest.fixture(params=PHOTOS)
def photo(request):
    return PHOTOS[request.param]()


def test_ordinary_photos_raise_no_warning(photo):
    assert warnings_for(photo) == []


def test_a_photo_that_was_filled_up_is_named(photo):
    half = load_for_detection(without_its_end(jpeg(photo)), None)
    assert warnings_for(half) == [WarningCode.TRUNCATED_PHOTO]


def test_nor_do_pictures_of_nobody_and_crowds():
    for picture in (*places(), crowd(100, 8, 60, 0).picture):
        assert warnings_for(picture) == []


def test_a_large_photo_is_judged_like_a_small_one(photo):
    assert warnings_for(photo.resize((2000, 2000))) == []


@pytest.fixture(params=[1, 2.5])
def any_size(request, photo):
    return photo.resize((round(photo.width * request.param), round(photo.height * request.param)))


def test_a_dark_photo(any_size):
    assert WarningCode.DARK_PHOTO in warnings_for(any_size.point(lambda level: level * 0.06))
    assert WarningCode.DARK_PHOTO not in warnings_for(any_size.point(lambda level: level * 0.3))


def test_a_blurred_photo(any_size):
    assert warnings_for(any_size.filter(ImageFilter.GaussianBlur(max(any_size.size) / 50))) == [
        WarningCode.BLURRED_PHOTO
    ]
    assert warnings_for(any_size.filter(ImageFilter.GaussianBlur(max(any_size.size) / 400))) == []


def test_a_black_picture_is_dark_and_no_error():
    assert WarningCode.DARK_PHOTO in warnings_for(Image.new("RGB", (64, 64)))


def test_codes_are_plain_words():
    assert all(str(code).isalpha() and str(code)[0].isupper() for code in WarningCode)


def test_a_check_does_not_judge_our_own_work():
    warnings = [WarningCode.BLURRED_PHOTO, WarningCode.ONE_DETECTOR_ONLY]
    assert warnings_to_report(warnings, DetectionPass.FIRST) == warnings
    assert warnings_to_report(warnings, DetectionPass.CHECK) == [WarningCode.ONE_DETECTOR_ONLY]
