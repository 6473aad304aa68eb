"""What counts as part of a picture, and what is named as lost."""

from __future__ import annotations

import struct

import pytest
from PIL import Image, ImageCms, TiffTags

from faceblur.photo import decode, metadata
from tests.support.pictures.photos import encoded, opened

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

# The tags of TIFF 6.0 that describe pixels, their density or where they are, and the ICC profile. All others are about
# the photo.
OF_THE_PICTURE = {
    "NewSubfileType", "SubfileType", "ImageWidth", "ImageLength", "BitsPerSample", "Compression",
    "PhotometricInterpretation", "Threshholding", "FillOrder", "StripOffsets", "Orientation", "SamplesPerPixel",
    "RowsPerStrip", "StripByteCounts", "MinSampleValue", "MaxSampleValue", "PlanarConfiguration", "Predictor",
    "WhitePoint", "PrimaryChromaticities", "ColorMap", "HalftoneHints", "TileWidth", "TileLength", "TileOffsets",
    "TileByteCounts", "ExtraSamples", "SampleFormat", "JPEGTables", "YCbCrCoefficients", "YCbCrSubSampling",
    "YCbCrPositioning", "ReferenceBlackWhite", "ICCProfile", "XResolution", "YResolution", "ResolutionUnit",
}  # fmt: skip
TAGS = [tag for tag in (*range(250, 540), 700, 33432, 34665, 34675, 34853) if TiffTags.lookup(tag).name != "unknown"]


def profile(colours: bytes) -> bytes:
    """An ICC profile that says it is for these colours."""
    return SRGB[:16] + colours + SRGB[20:]


def with_profile(mode: str, icc_profile: object) -> Image.Image:
    image = Image.new(mode, (16, 16))
    image.info["icc_profile"] = icc_profile
    return image


@pytest.mark.parametrize("tag", TAGS, ids=lambda tag: TiffTags.lookup(tag).name)
def test_a_tiff_tag_is_lost_unless_it_describes_the_pixels(tag: int) -> None:
    image = opened(encoded(Image.new("L", (16, 16)), "TIFF"))
    image.tag_v2 = {tag: 1}
    name = TiffTags.lookup(tag).name
    named = {330: "further pictures"}.get(tag, name)
    assert metadata.stripped(b"", image) == ([] if name in OF_THE_PICTURE else [named])


@pytest.mark.parametrize(
    ("mode", "colours"),
    [
        *((mode, b"GRAY") for mode in ("1", "L", "LA", "I;16")),
        *((mode, b"RGB ") for mode in ("P", "RGB", "RGBA", "YCbCr")),
        ("CMYK", b"CMYK"),
    ],
)
def test_a_profile_stays_with_the_colours_that_it_is_for(mode: str, colours: bytes) -> None:
    """One for other colours would have the picture shown wrong, or not at all."""
    for each in (b"GRAY", b"RGB ", b"CMYK"):
        kept = profile(each) if each == colours else None
        assert metadata.icc_profile(with_profile(mode, profile(each))) == kept


def test_what_follows_a_profile_or_is_none_goes() -> None:
    assert metadata.icc_profile(with_profile("RGB", SRGB + b"hidden")) == SRGB
    for other in (None, "a text", b"", SRGB[:36] + b"text" + SRGB[40:], SRGB[1:], b"x" + SRGB):
        assert metadata.icc_profile(with_profile("RGB", other)) is None


@pytest.mark.parametrize(
    ("marker", "content", "names"),
    [
        (0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0", []),
        (0xE0, b"JFXX\0", ["APP0"]),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0", ["XMP"]),
        (0xE1, b"http://ns.adobe.com/xmp/extension/\0", ["XMP"]),
        (0xE1, b"JFIF\0", ["APP1"]),
        (0xE2, b"MPF\0", ["further pictures"]),
        (0xE2, b"ICC_PROFILE\0\1\1", []),
        (0xE3, b"http://ns.adobe.com/xap/1.0/\0", ["APP3"]),
        (0xEB, b"MPF\0", ["APP11"]),
        (0xEB, b"JP\0\1\0\0\0\1\0\0\0\x40jumb", ["C2PA"]),
        (0xE1, b'http://ns.adobe.com/xap/1.0/\0 GCamera:MotionPhoto="1"', ["XMP", "motion video"]),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0 http://ns.adobe.com/hdr-gain-map/1.0/", ["XMP", "gain map"]),
        (0xE2, b"urn:iso:std:iso:ts:21496:-1\0", ["APP2", "gain map"]),
        (0xED, b"Photoshop 3.0\0", ["IPTC"]),
        (0xED, b"MPF\0", ["APP13"]),
        (0xEE, b"Adobe\0\x64\0\0\0\0\1", []),
        (0xEF, b"", ["APP15"]),
        (0xFE, b"", ["comment"]),
    ],
)
def test_a_segment_of_a_jpeg_is_named_by_its_kind_and_its_first_bytes(
    marker: int, content: bytes, names: list[str]
) -> None:
    photo = encoded(Image.new("L", (16, 16)), "JPEG")
    photo = photo[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content + photo[2:]
    assert metadata.stripped(photo, decode.open_image(photo)) == names
