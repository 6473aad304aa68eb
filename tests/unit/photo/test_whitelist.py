"""Which values of tags are kept: only those that the tag can mean, so that nothing else has room in them."""

from __future__ import annotations

import pytest
from PIL.TiffImagePlugin import IFDRational as Ratio

from faceblur.photo.whitelist import EXIF, GPS, GPS_TIME, WHITELIST, valid_tags


def kept(kind: str, directory: int, tag: int, value: object) -> object:
    """What is kept of a tag with this value; None if nothing is."""
    return valid_tags({directory: {tag: value}}, WHITELIST[kind]).get(directory, {}).get(tag)


CAMERA = {
    "sensitivity": (34855, [0, 100, 65_535], [-1, 65_536]),
    "light source": (37384, [0, 255], [-1, 256]),
    "white balance": (41987, [0, 1], [-1, 2]),
    "shutter speed": (37377, [Ratio(-100), Ratio(-5, 2), Ratio(9)], [Ratio(-101), Ratio(101)]),
    "exposure bias": (37380, [Ratio(-4, 3), Ratio(0), 0, Ratio(100)], [Ratio(-101), Ratio(101), 101]),
    "largest aperture": (37381, [Ratio(0), Ratio(14, 10), Ratio(100)], [Ratio(-1, 10), Ratio(101)]),
}
POSITION = {
    "altitude": (6, [Ratio(0), Ratio(88_486, 10)], [Ratio(-1), Ratio(100_001)]),
    "below or above the sea": (5, [b"\0", b"\1", b"\2", b"\3"], [b"\4", b"", b"\0\0", -1, 4, 256]),
    "direction": (17, [Ratio(0), Ratio(360)], [Ratio(-1, 10), Ratio(361)]),
}
NO_NUMBERS = [None, True, "1", 1.5, (1, 1), [1], b"text", Ratio(1, 0)]


@pytest.mark.parametrize("name", [*CAMERA, *POSITION])
def test_a_number_is_kept_if_the_tag_can_mean_it(name: str) -> None:
    kind, directory = ("camera", EXIF) if name in CAMERA else ("position", GPS)
    tag, good, bad = (CAMERA | POSITION)[name]
    assert [kept(kind, directory, tag, value) for value in good] == good
    assert [kept(kind, directory, tag, value) for value in bad + NO_NUMBERS] == [None] * (len(bad) + len(NO_NUMBERS))


def test_pillow_may_read_the_side_of_the_sea_as_a_number() -> None:
    assert [kept("position", GPS, 5, side) for side in range(4)] == [b"\0", b"\1", b"\2", b"\3"]


@pytest.mark.parametrize("sign", [1, -1])
def test_the_parts_of_a_fraction_fit_into_signed_numbers_of_32_bits(sign: int) -> None:
    most = 2**31 - 1
    assert kept("camera", EXIF, 37380, Ratio(sign, most)) == Ratio(sign, most)
    assert kept("camera", EXIF, 37380, Ratio(sign, most + 1)) is None
    assert kept("camera", EXIF, 37380, Ratio(sign * most, most - 1)) == Ratio(sign * most, most - 1)
    assert kept("camera", EXIF, 37380, Ratio(sign * (most + 2), most)) is None


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
