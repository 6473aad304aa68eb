"""Which values of tags are kept: only those that the tag can mean, so that nothing else has room in them."""

from __future__ import annotations

import pytest
from PIL import ExifTags
from PIL.TiffImagePlugin import IFDRational as Ratio

from faceblur.photo.whitelist import EXIF, GPS, GPS_TIME, WHITELIST, valid_tags


def kept(kind: str, directory: int, tag: int, value: object) -> object:
    """What is kept of a tag with this value; None if nothing is."""
    return valid_tags({directory: {tag: value}}, WHITELIST[kind]).get(directory, {}).get(tag)


HUGE = 2**31 - 1
CAMERA = {
    "ExposureTime": ([Ratio(0), Ratio(1, 8000), Ratio(3600)], [Ratio(-1), Ratio(HUGE)]),
    "FNumber": ([Ratio(0), Ratio(95, 100), Ratio(64)], [Ratio(-1), Ratio(HUGE)]),
    "ExposureProgram": ([0, 1, 9], [-1, 10]),
    "ISOSpeedRatings": ([0, 100, 65_535], [-1, 65_536]),
    "ShutterSpeedValue": ([Ratio(-100), Ratio(-5, 2), Ratio(9)], [Ratio(-101), Ratio(101)]),
    "ApertureValue": ([Ratio(0), Ratio(4)], [Ratio(-1, 10), Ratio(101)]),
    "ExposureBiasValue": ([Ratio(-4, 3), Ratio(0), 0, Ratio(100)], [Ratio(-101), Ratio(101), 101]),
    "MaxApertureValue": ([Ratio(0), Ratio(14, 10), Ratio(100)], [Ratio(-1, 10), Ratio(101)]),
    "MeteringMode": ([0, 255], [-1, 256]),
    "LightSource": ([0, 255], [-1, 256]),
    "Flash": ([0, 16, 255], [-1, 256]),
    "FocalLength": ([Ratio(0), Ratio(24), Ratio(1200)], [Ratio(-1), Ratio(HUGE)]),
    "ExposureMode": ([0, 2], [-1, 3]),
    "WhiteBalance": ([0, 1], [-1, 2]),
    "DigitalZoomRatio": ([Ratio(0), Ratio(5, 2)], [Ratio(-1), Ratio(HUGE)]),
    "FocalLengthIn35mmFilm": ([0, 24, 65_535], [-1, 65_536]),
    "SceneCaptureType": ([0, 3], [-1, 4]),
}
POSITION = {
    "GPSAltitudeRef": ([b"\0", b"\1", b"\2", b"\3"], [b"\4", b"", b"\0\0", -1, 4, 256]),
    "GPSAltitude": ([Ratio(0), Ratio(88_486, 10)], [Ratio(-1), Ratio(100_001)]),
    "GPSDOP": ([Ratio(0), Ratio(15, 10)], [Ratio(-1), Ratio(HUGE)]),
    "GPSSpeed": ([Ratio(0), Ratio(50), Ratio(900)], [Ratio(-1), Ratio(HUGE)]),
    "GPSTrack": ([Ratio(0), Ratio(360)], [Ratio(-1, 10), Ratio(361)]),
    "GPSImgDirection": ([Ratio(0), Ratio(360)], [Ratio(-1, 10), Ratio(361)]),
    "GPSHPositioningError": ([Ratio(0), Ratio(5, 2)], [Ratio(-1), Ratio(HUGE)]),
}
NO_NUMBERS = [None, True, "1", 1.5, (1, 1), [1], b"text", Ratio(1, 0)]


@pytest.mark.parametrize("name", [*CAMERA, *POSITION])
def test_a_number_is_kept_if_the_tag_can_mean_it(name: str) -> None:
    kind, directory, tag = (
        ("camera", EXIF, ExifTags.Base[name]) if name in CAMERA else ("position", GPS, ExifTags.GPS[name])
    )
    good, bad = (CAMERA | POSITION)[name]
    assert [kept(kind, directory, tag, value) for value in good] == good
    assert [kept(kind, directory, tag, value) for value in bad + NO_NUMBERS] == [None] * (len(bad) + len(NO_NUMBERS))


def test_pillow_may_read_the_side_of_the_sea_as_a_number() -> None:
    assert [kept("position", GPS, ExifTags.GPS.GPSAltitudeRef, side) for side in range(4)] == [
        b"\0",
        b"\1",
        b"\2",
        b"\3",
    ]


@pytest.mark.parametrize("sign", [1, -1])
def test_the_parts_of_a_fraction_fit_into_signed_numbers_of_32_bits(sign: int) -> None:
    most = 2**31 - 1
    assert kept("camera", EXIF, ExifTags.Base.ExposureBiasValue, Ratio(sign, most)) == Ratio(sign, most)
    assert kept("camera", EXIF, ExifTags.Base.ExposureBiasValue, Ratio(sign, most + 1)) is None
    assert kept("camera", EXIF, ExifTags.Base.ExposureBiasValue, Ratio(sign, most + 2)) is None
    assert kept("camera", EXIF, ExifTags.Base.ExposureBiasValue, Ratio(sign * most, most - 1)) == Ratio(
        sign * most, most - 1
    )
    assert kept("camera", EXIF, ExifTags.Base.ExposureBiasValue, Ratio(sign * (most + 2), most)) is None


@pytest.mark.parametrize(
    ("time", "is_one"),
    [
        ((0, 0, 0), True),
        ((23, 59, 60), True),  # a leap second
        ((25, 0, 0), False),
        ((0, 61, 0), False),
        ((0, 0, 61), False),
        ((-1, 0, 0), False),
        ((0, 0), False),
        ((0, 0, 0, 0), False),
    ],
)
def test_a_time_of_day(time: tuple[int, ...], is_one: bool) -> None:
    stored = tuple(map(Ratio, time))
    assert valid_tags({GPS: {7: stored}}, {GPS: GPS_TIME}) == ({GPS: {7: stored}} if is_one else {})


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("GPSLatitude", [(0, 0, 0), (46, 12, 30), (90, 0, 0)], [(91, 0, 0), (46, 61, 0), (46, 0, 61), (-1, 0, 0)]),
        ("GPSLongitude", [(0, 0, 0), (7, 30, 15), (180, 0, 0)], [(181, 0, 0), (7, 61, 0), (7, 0, 61), (-1, 0, 0)]),
    ],
)
def test_degrees_minutes_and_seconds(name: str, good: list[tuple[int, ...]], bad: list[tuple[int, ...]]) -> None:
    tag = ExifTags.GPS[name]
    for degrees in good + bad:
        stored = tuple(map(Ratio, degrees))
        assert kept("position", GPS, tag, stored) == (stored if degrees in good else None)


@pytest.mark.parametrize(
    ("names", "good", "bad"),
    [
        (("DateTimeOriginal", "DateTimeDigitized"), "2024:02:03 04:05:06", "2024-02-03"),
        (("OffsetTime", "OffsetTimeOriginal", "OffsetTimeDigitized"), "+01:00", "Central European"),
        (("SubsecTime", "SubsecTimeOriginal", "SubsecTimeDigitized"), "123", "Anna"),
    ],
)
def test_all_that_says_when_a_photo_was_taken_is_kept(names: tuple[str, ...], good: str, bad: str) -> None:
    for name in names:
        assert kept("time", EXIF, ExifTags.Base[name], good) == good
        assert kept("time", EXIF, ExifTags.Base[name], bad) is None
