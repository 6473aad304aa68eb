"""Colours that a file describes by code look the same in the result, and to the detector."""

from __future__ import annotations

import struct
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from faceblur.photo import colours, decode, heif_boxes, png
from faceblur.photo.hide import hide_regions
from tests.support.bad_files.good import GOOD
from tests.support.bad_files.iso import box, full_box, iso_photo
from tests.support.bad_files.iso import coded as coded_iso
from tests.support.bad_files.png import chunk, png_with
from tests.support.pictures.photos import encoded, opened

if TYPE_CHECKING:
    from faceblur.limits import OutputFormat

# The chromaticities of red, green, blue and white (H.273, table 2).
CHROMATICITIES = {
    1: ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
D65 = (0.3127, 0.3290)
BT709, BT2020, P3 = 1, 9, 12
LIKE_BT709, POWER, SRGB, PQ, HLG = 1, 4, 13, 16, 18
WHITE = {PQ: 148, HLG: 191}  # the levels of 203 cd/m² (BT.2408, table 1: 58 % and 75 %)
PEAK = {PQ: 192, HLG: 255}  # the levels of 1,000 cd/m²
TOLERANCE = 3  # levels, of rounding to eight bits before and after

Array = np.ndarray[Any, np.dtype[np.float64]]


def coded(format_: str, image: Image.Image, primaries: int, transfer: int) -> bytes:
    """The image as a file that says these codes for its colours."""
    if format_ == "PNG":
        return png_with(chunk(b"cICP", bytes([primaries, transfer, 0, 1])), photo=encoded(image, "PNG"))
    options = {"quality": 100, "subsampling": "4:4:4"} if format_ == "AVIF" else {"quality": 100, "chroma": 444}
    return coded_iso(iso_photo(format_, image, **options), primaries, transfer)


def patches(*levels: tuple[int, int, int]) -> Image.Image:
    """Squares of these colours beside each other."""
    image = Image.new("RGB", (64 * len(levels), 64))
    for number, level in enumerate(levels):
        image.paste(level, (64 * number, 0, 64 * number + 64, 64))
    return image


def shown(photo: bytes) -> list[list[int]]:
    """The colours of the squares in sRGB, as a viewer with colour management shows them."""
    image = opened(photo)
    profile = image.info.get("icc_profile")
    image = image.convert("RGB")
    if profile:
        source, target = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
        image = ImageCms.profileToProfile(image, source, target)
    return middles(image)


def middles(image: Image.Image) -> list[list[int]]:
    return [list(image.getpixel((x, 32))) for x in range(32, image.width, 64)]


def to_xyz(primaries: int) -> Array:
    """The matrix from linear red, green and blue to XYZ (SMPTE RP 177)."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in CHROMATICITIES[primaries]]).T
    x, y = D65
    return columns * np.linalg.solve(columns, [x / y, 1, (1 - x - y) / y])


def srgb_level(light: Array) -> Array:
    light = np.clip(light, 0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


LEVELS = (180, 120, 90), (105, 125, 115), (120, 120, 120), (255, 255, 255)


@cache
def coded_levels(format_: str, primaries: int, transfer: int) -> bytes:
    return coded(format_, patches(*LEVELS), primaries, transfer)


@pytest.mark.parametrize("format_", ["AVIF", "HEIF", "PNG"])
@pytest.mark.parametrize("output", ["jpeg", "png", "webp", "avif"])
@pytest.mark.parametrize(("primaries", "transfer"), [(P3, SRGB), (BT2020, LIKE_BT709), (P3, POWER), (BT709, POWER)])
def test_colours_by_code_look_the_same(format_: str, output: OutputFormat, primaries: int, transfer: int) -> None:
    hidden = hide_regions(coded_levels(format_, primaries, transfer), [], output)
    share = np.array(LEVELS) / 255
    light = (
        share**2.2 if transfer == POWER else np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    )
    expected = srgb_level(light @ (np.linalg.inv(to_xyz(BT709)) @ to_xyz(primaries)).T)
    if format_ == output.upper() == "PNG":
        assert b"cICP" in dict(png.chunks(hidden.data))
    else:
        assert np.abs(np.array(shown(hidden.data)) - expected).max() <= TOLERANCE
    assert "high dynamic range" not in hidden.stripped


@pytest.mark.parametrize("transfer", [LIKE_BT709, 2, 6, SRGB])
def test_what_srgb_describes_gets_no_profile(transfer: int) -> None:
    assert colours.profile(colours.Code(BT709, transfer)) is None
    hidden = hide_regions(coded("AVIF", patches((180, 120, 90)), BT709, transfer), [])
    assert "icc_profile" not in opened(hidden.data).info


PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def test_a_profile_counts_more_than_a_code_in_an_avif() -> None:
    photo = coded_iso(iso_photo("AVIF", patches((0, 0, 0)), icc_profile=PROFILE), P3, PQ)
    assert colours.code_of(photo, decode.open_image(photo)) is None


def with_profile_and_code(levels: tuple[int, int, int], primaries: int, transfer: int) -> bytes:
    """A PNG with a profile that says sRGB, and a code."""
    photo = encoded(patches(levels), "PNG", icc_profile=PROFILE)
    return png_with(chunk(b"cICP", bytes([primaries, transfer, 0, 1])), photo=photo)


def test_in_a_png_a_code_counts_more_than_a_profile() -> None:
    coded_alone = coded("PNG", patches((180, 120, 90)), P3, SRGB)
    both = with_profile_and_code((180, 120, 90), P3, SRGB)
    assert shown(hide_regions(both, [], "jpeg").data) == shown(hide_regions(coded_alone, [], "jpeg").data)
    chunks = dict(png.chunks(hide_regions(both, []).data))
    assert chunks[b"cICP"] == bytes([P3, SRGB, 0, 1])
    assert b"iCCP" in chunks
    # What leaves something unsaid does not.
    unsaid = hide_regions(with_profile_and_code((180, 120, 90), 2, 2), [], "jpeg")
    assert opened(unsaid.data).info["icc_profile"] == PROFILE


def test_the_hdr_of_a_png_with_a_profile_is_tone_mapped() -> None:
    both, coded_alone = with_profile_and_code((120,) * 3, BT2020, PQ), coded("PNG", patches((120,) * 3), BT2020, PQ)
    assert not decode.inspect(both).is_plain
    assert middles(decode.load_for_detection(both, None)) == middles(decode.load_for_detection(coded_alone, None))
    hidden = hide_regions(both, [], "jpeg")
    assert shown(hidden.data) == shown(hide_regions(coded_alone, [], "jpeg").data)
    assert "icc_profile" not in opened(hidden.data).info
    assert hidden.stripped == ["high dynamic range"]


def test_a_grey_picture_gets_no_profile_for_colours() -> None:
    hidden = opened(hide_regions(coded("PNG", patches((90, 90, 90)).convert("L"), P3, SRGB), [], "jpeg").data)
    assert (hidden.mode, hidden.info.get("icc_profile")) == ("L", None)


@pytest.mark.parametrize("format_", ["AVIF", "HEIF", "PNG"])
@pytest.mark.parametrize("transfer", [PQ, HLG])
@pytest.mark.parametrize("primaries", [BT709, BT2020, 2], ids=["BT.709", "BT.2020", "not said"])
def test_hdr_without_anything_bright_keeps_its_brightness(format_: str, transfer: int, primaries: int) -> None:
    white, half = WHITE[transfer], WHITE[transfer] // 2
    photo = coded(format_, patches((white,) * 3, (half,) * 3), primaries, transfer)
    hidden = hide_regions(photo, [], "jpeg")
    light = colours._pq if transfer == PQ else colours._hlg
    expected = srgb_level(np.array([light(white / 255), light(half / 255)]) / 203)
    assert np.abs(np.array(shown(hidden.data)) - expected[:, None]).max() <= TOLERANCE
    assert "high dynamic range" in hidden.stripped
    seen = middles(decode.load_for_detection(photo, None))
    assert np.abs(np.array(seen) - shown(hidden.data)).max() <= TOLERANCE


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_what_is_brighter_than_white_is_told_apart(transfer: int) -> None:
    white, peak = WHITE[transfer], PEAK[transfer]
    levels = [white // 2, white, (white + peak) // 2, peak]
    hidden = hide_regions(coded("HEIF", patches(*((level,) * 3 for level in levels)), BT2020, transfer), [])
    dark, paper, bright, brightest = (level[1] for level in shown(hidden.data))
    assert paper + 10 < bright < brightest
    assert brightest >= 253
    assert paper > 180  # a page stays light
    assert dark > 30


def test_the_curves_of_the_standard() -> None:
    """BT.2408, tables 1 and 2: 203 cd/m² are 58 % of PQ and 75 % of HLG; PQ's peak is 10,000."""
    assert colours._pq(1) == pytest.approx(10_000)
    assert colours._pq(0.58) == pytest.approx(203, rel=0.01)
    assert colours._pq_level(203) == pytest.approx(0.58, abs=0.001)
    assert colours._hlg(0.75) == pytest.approx(203, rel=0.01)
    assert colours._hlg(1) == pytest.approx(1000, rel=0.001)
    assert colours._pq(0) == colours._hlg(0) == 0


@pytest.mark.parametrize("transfer", [PQ, HLG])
@pytest.mark.parametrize("brightest", [0.3, 0.6, 0.75, 1.0])
def test_tone_mapping_never_inverts(transfer: int, brightest: float) -> None:
    curve = colours._tone_curve(transfer, brightest)
    light = [curve(level / 255) for level in range(256)]
    assert light == sorted(light)
    assert light[0] == 0
    assert curve(max(brightest, colours._pq_level(203) if transfer == PQ else 0.75)) == pytest.approx(1, abs=0.01)


def test_the_transparency_of_hdr_stays() -> None:
    image = patches((100, 100, 100)).convert("RGBA")
    image.putalpha(77)
    hidden = opened(hide_regions(coded("PNG", image, BT2020, PQ), [], "webp").data)
    assert hidden.getpixel((32, 32))[3] == 77


@pytest.mark.parametrize("output", ["same", "png"])
def test_a_png_keeps_its_hdr(output: OutputFormat) -> None:
    photo = coded("PNG", patches((100, 100, 100)), BT2020, PQ)
    hidden = hide_regions(photo, [], output)
    assert middles(opened(hidden.data)) == [[100, 100, 100]]
    assert dict(png.chunks(hidden.data))[b"cICP"] == bytes([BT2020, PQ, 0, 1])
    assert hidden.stripped == []
    # The detector sees it as people do.
    expected = srgb_level(np.array(colours._pq(100 / 255) / 203))
    assert middles(decode.load_for_detection(photo, None))[0] == pytest.approx([expected] * 3, abs=TOLERANCE)


@pytest.mark.parametrize("format_", ["AVIF", "HEIF"])
def test_the_properties_of_the_primary_picture(format_: str) -> None:
    names = [name for name, _ in heif_boxes.properties(GOOD[f"{format_} alpha"]())]
    assert {b"ispe", b"pixi"} <= set(names)
    assert b"auxC" not in names  # this one says that another picture is the transparency


@pytest.mark.parametrize("version", [0, 1], ids=["short numbers of pictures", "long ones"])
@pytest.mark.parametrize("wide", [0, 1], ids=["short numbers of properties", "long ones"])
def test_each_picture_has_its_own_properties(version: int, wide: int) -> None:
    """How many bytes the numbers have, the box says. A property's upper bit says that readers must understand it."""
    properties = {number: (b"pr%02d" % number, bytes([number])) for number in range(1, 12)}
    of_pictures = {1: [1, 4, 11], 300: [2, 3], 2: [5], 301: [11, 1]}
    must = 1 << (15 if wide else 7)
    said = b""
    for picture, numbers in of_pictures.items():
        said += struct.pack(">I" if version else ">H", picture) + bytes([len(numbers)])
        said += struct.pack(f">{len(numbers)}{'H' if wide else 'B'}", *(number | must for number in numbers))
    associated = full_box(b"ipma", struct.pack(">I", len(of_pictures)), said, version=version, flags=wide)
    container = box(b"iprp", box(b"ipco", *(box(*each) for each in properties.values())), associated)
    for picture, numbers in of_pictures.items():
        file = full_box(b"meta", full_box(b"pitm", struct.pack(">H", picture)), container)
        assert heif_boxes.properties(file) == [properties[number] for number in numbers]


@given(
    cut=st.integers(0, 600),
    place=st.integers(0, 600),
    added=st.binary(max_size=8),
    format_=st.sampled_from(["AVIF", "HEIF"]),
)
def test_damaged_boxes_raise_nothing(cut: int, place: int, added: bytes, format_: str) -> None:
    good = GOOD[format_]()
    for bad in (good[:cut], good[:place] + added + good[place + len(added) :]):
        assert all(len(name) == 4 for name, _ in heif_boxes.properties(bad))
