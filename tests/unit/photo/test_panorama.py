"""Which photos show the whole horizon."""

from __future__ import annotations

import pytest
from PIL import Image

from faceblur.photo import panorama, xmp
from tests.support.pictures.photos import encoded
from tests.unit.photo.test_keep import packet

SPHERE = {"GPano:ProjectionType": "equirectangular"}


def wraps(values: dict[str, str], size: tuple[int, int] = (128, 64), orientation: int = 1) -> bool:
    exif = Image.Exif()
    exif[274] = orientation
    return panorama.wraps(encoded(Image.new("RGB", size), "JPEG", xmp=packet(values), exif=exif.tobytes()))


@pytest.mark.parametrize(
    ("values", "size", "expected"),
    [
        (SPHERE, (128, 64), True),
        (SPHERE, (128, 60), False),
        ({}, (128, 64), False),
        ({"GPano:ProjectionType": "cylindrical"}, (128, 64), False),
        (SPHERE | {"GPano:FullPanoWidthPixels": "128"}, (128, 40), True),
        (SPHERE | {"GPano:FullPanoWidthPixels": "256"}, (128, 64), False),
        # A photo that was reduced still has the numbers of the whole one.
        (SPHERE | {"GPano:FullPanoWidthPixels": "8000", "GPano:CroppedAreaImageWidthPixels": "8000"}, (128, 64), True),
        (SPHERE | {"GPano:FullPanoWidthPixels": "8000", "GPano:CroppedAreaImageWidthPixels": "900"}, (128, 64), False),
    ],
)
def test_a_photo_wraps_if_it_is_as_wide_as_the_panorama(
    values: dict[str, str], size: tuple[int, int], expected: bool
) -> None:
    assert wraps(values, size) == expected


def test_a_photo_that_is_turned_does_not_wrap() -> None:
    assert not wraps(SPHERE, orientation=6)


def test_a_view_all_around_is_the_widest() -> None:
    names = f"{xmp.GPANO}InitialHorizontalFOVDegrees", f"{xmp.GPANO}PoseHeadingDegrees"
    for degrees, kept in (("360", True), ("360.5", False)):
        found = {f"{xmp.GPANO}ProjectionType": ["equirectangular"], **{name: [degrees] for name in names}}
        assert (names[0] in panorama.valid_properties(found), names[1] in panorama.valid_properties(found)) == (
            kept,
            kept,
        )


def test_values_that_make_no_sense_are_left_out() -> None:
    values = {"FullPanoWidthPixels": "-1", "PoseHeadingDegrees": "1e9", "InitialViewPitchDegrees": "-12.5"}
    values |= {"UsePanoramaViewer": "<script>", "CroppedAreaTopPixels": "9999999"}
    found = {f"{xmp.GPANO}{name}": [value] for name, value in values.items()}
    assert panorama.valid_properties(found) == {}
    found[f"{xmp.GPANO}ProjectionType"] = ["Equirectangular"]
    assert panorama.valid_properties(found) == {
        f"{xmp.GPANO}ProjectionType": ["equirectangular"],
        f"{xmp.GPANO}InitialViewPitchDegrees": ["-12.5"],
    }
