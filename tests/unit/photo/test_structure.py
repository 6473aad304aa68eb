"""Of how many parts a file may be: enough for every photo, too few to cost minutes and gigabytes."""

from __future__ import annotations

import struct
import zlib

import pytest
from PIL import Image

from faceblur.errors import CorruptImage
from faceblur.photo import decode
from faceblur.photo.hide import hide_faces
from faceblur.photo.structure import MAX_PARTS, MAX_SCANS, check_structure
from faceblur.photo.tiff import claims_too_much
from tests.support.pictures.photos import astronaut, encoded, grace_hopper, street_pixels


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def jpeg(start: bytes) -> bytes:
    return astronaut()[:2] + start + astronaut()[2:]


def progressive(times: int, size: tuple[int, int] = (64, 64)) -> bytes:
    """A progressive JPEG whose last scan is there so many times."""
    photo = encoded(Image.new("L", size), "JPEG", progressive=True)
    last = photo.rindex(b"\xff\xda")
    return photo[:last] + photo[last:-2] * times + b"\xff\xd9"


def exif(tags: int, size: int, big: bool = False) -> bytes:
    """EXIF with this many tags. Each claims this many bytes, and all claim the same ones."""
    entries = b"".join(struct.pack(">HHII", 0x9000 + tag, 7, size, 8) for tag in range(tags))
    directory = struct.pack(">H", tags) + entries + bytes(4)
    return b"Exif\0\0MM\0" + (b"+" if big else b"*") + b"\0\0\0\x08" + directory + bytes(size)


GREEDY = exif(5000, 150_000)[6:]


@pytest.mark.parametrize(
    "photo",
    [
        jpeg(segment(0xEF, b"") * MAX_PARTS),
        jpeg(b"\xff" * MAX_PARTS),
        jpeg(segment(0xEF, b"") + bytes(MAX_PARTS)),
        b"\xff\xd8\xff" + b"x" * MAX_PARTS,
        progressive(MAX_SCANS),
        jpeg(b"".join(segment(0xE1, b"Exif\0\0" + GREEDY[at : at + 60_000]) for at in (0, 60_000, 120_000))),
    ],
    ids=["segments", "fill bytes", "junk", "junk alone", "scans", "EXIF in several segments"],
)
def test_jpegs_of_too_much_are_refused(photo: bytes) -> None:
    with pytest.raises(CorruptImage):
        decode.inspect(photo)


def test_a_jpeg_s_scans_are_counted_whatever_is_between_them() -> None:
    photo = progressive(MAX_SCANS).replace(b"\xff\xda", segment(0xFE, b"\xff\xd9") + b"\xff\xda")
    with pytest.raises(CorruptImage):
        decode.inspect(photo)


def test_pngs_of_too_many_chunks_are_refused() -> None:
    photo = encoded(Image.new("L", (64, 64)), "PNG")
    with pytest.raises(CorruptImage):
        decode.inspect(photo[:33] + chunk(b"prVt", b"") * MAX_PARTS + photo[33:])
    assert decode.inspect(photo[:33] + chunk(b"prVt", b"") * (MAX_PARTS // 2) + photo[33:]).width == 64


@pytest.mark.parametrize("format_", ["PNG", "WEBP", "TIFF", "AVIF", "JPEG"])
def test_photos_are_not(format_: str) -> None:
    photo = encoded(street_pixels(), format_, **({} if format_ == "AVIF" else {"exif": exif(3, 200)}))
    check_structure(photo, format_)
    check_structure(photo + bytes(2 * MAX_PARTS), format_)


def test_bytes_after_the_end_of_a_jpeg_do_not_count() -> None:
    for photo in (grace_hopper(), hide_faces(grace_hopper(), []).data, progressive(10)):
        check_structure(photo + progressive(MAX_SCANS) + segment(0xEF, b"") * MAX_PARTS, "JPEG")


@pytest.mark.parametrize(
    ("block", "too_much"),
    [
        (exif(3, 200), False),
        (exif(20, 20_000), True),
        (b"Exif\0\0" + exif(20, 20_000), True),
        (exif(3, 200, big=True), True),
        (exif(20, 20_000).replace(b"MM\0*", b"MM*\0"), True),
        (b"", False),
        (b"Exif\0\0", False),
        (b"MM\0*\0\0\0", False),
        (b"MM\0*\xff\xff\xff\xff", False),
        (b"MM\0*\0\0\0\x08\xff\xff", False),
        (b"a text that is none", False),
        # One length that is wrong: such files there are.
        (b"II*\0\x08\0\0\0" + struct.pack("<HHHIIHHIII", 2, 0x927C, 7, 0xFFFFFFFF, 30, 0x0112, 3, 1, 6, 0), False),
        # A directory that leads to itself.
        (b"MM\0*\0\0\0\x08" + struct.pack(">HHHIII", 1, 0x8769, 4, 1, 8, 8), False),
    ],
)
def test_what_tags_claim(block: bytes, too_much: bool) -> None:
    assert claims_too_much(block) is too_much


@pytest.mark.parametrize("format_", ["PNG", "WEBP"])
def test_greedy_exif_says_nothing(format_: str) -> None:
    tags = exif(20, 20_000)
    photo = encoded(Image.new("L", (64, 64)), format_, exif=tags)
    assert decode.inspect(photo).orientation == 1
    assert hide_faces(photo, []).stripped == ["EXIF"]


def test_a_greedy_tiff_is_refused() -> None:
    with pytest.raises(CorruptImage):
        decode.inspect(exif(20, 20_000)[6:])
