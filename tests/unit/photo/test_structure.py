"""Of how many parts a file may be: enough for every photo, too few to cost minutes and gigabytes."""

from __future__ import annotations

import struct
import zlib
from contextlib import nullcontext

import pytest
from PIL import Image

from faceblur.errors import CorruptImage
from faceblur.photo import decode
from faceblur.photo.hide import hide_regions
from faceblur.photo.structure import (
    MAX_PARTS,
    MAX_SCANS,
    check_structure,
    jpeg_scans,
    riff_chunks,
    without_greedy_tags,
)
from faceblur.photo.tiff import claims_too_much, has_pixels, without_prefix
from tests.support.pictures.photos import astronaut, encoded, grace_hopper, opened, street_pixels


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


def exif(tags: int, size: int) -> bytes:
    """EXIF with this many tags. Each claims this many bytes, and all claim the same ones."""
    entries = b"".join(struct.pack(">HHII", 0x9000 + tag, 7, size, 8) for tag in range(tags))
    directory = struct.pack(">H", tags) + entries + bytes(4)
    return b"Exif\0\0MM\0*\0\0\0\x08" + directory + bytes(size)


GREEDY = exif(5000, 150_000)[6:]


@pytest.mark.parametrize(
    "photo",
    [
        jpeg(segment(0xEF, b"") * MAX_PARTS),
        jpeg(b"\xff" * MAX_PARTS),
        jpeg((b"\0" + segment(0xEF, b"")) * (MAX_PARTS // 2)),
        jpeg(segment(0xEF, b"") + bytes(MAX_PARTS)),
        b"\xff\xd8" + segment(0xE0, b"") + b"x" * MAX_PARTS,
        progressive(MAX_SCANS),
    ],
    ids=["segments", "fill bytes", "segments and junk", "junk", "junk alone", "scans"],
)
def test_jpegs_of_too_much_are_refused(photo: bytes) -> None:
    """Before a decoder sees them: it would refuse some of them too, after a while."""
    with pytest.raises(CorruptImage):
        check_structure(photo, "JPEG")


def test_a_jpeg_may_have_thousands_of_segments() -> None:
    check_structure(jpeg(segment(0xEF, b"") * (MAX_PARTS * 9 // 10)), "JPEG")


@pytest.mark.parametrize(
    ("photo", "scans"), [(astronaut(), 1), (progressive(1), 6), (progressive(4), 9)], ids=["one", "six", "nine"]
)
def test_the_scans_of_a_jpeg_are_counted(photo: bytes, scans: int) -> None:
    """A photo of one scan is not decoded again to find out whether detail is missing."""
    assert jpeg_scans(photo).number == photo.count(b"\xff\xda") == scans


def test_a_jpeg_s_scans_are_counted_whatever_is_between_them() -> None:
    photo = progressive(MAX_SCANS).replace(b"\xff\xda", segment(0xFE, b"\xff\xd9") + b"\xff\xda")
    with pytest.raises(CorruptImage):
        decode.inspect(photo)


@pytest.mark.parametrize(("scans", "refused"), [(99, False), (100, True)])
def test_a_jpeg_has_fewer_than_a_hundred_scans(scans: int, refused: bool) -> None:
    """Each goes over all pixels. Encoders write ten, and those that try for the least bytes some dozens."""
    photo = progressive(scans + 1 - progressive(1).count(b"\xff\xda"))
    assert photo.count(b"\xff\xda") == scans
    with pytest.raises(CorruptImage) if refused else nullcontext():
        check_structure(photo, "JPEG")


@pytest.mark.parametrize("photo", [grace_hopper(), astronaut()], ids=["of a camera", "of Pillow"])
def test_of_a_jpeg_with_one_scan_a_decoder_reads_no_further(photo: bytes) -> None:
    """So nothing behind that scan's header is searched: it is most of the file."""
    end = photo.index(b"\xff\xd9", photo.index(b"\xff\xda"))
    check_structure(photo[:end] + segment(0xEF, b"") * MAX_PARTS + photo[end:], "JPEG")


def test_pngs_of_too_many_chunks_are_refused() -> None:
    photo = encoded(Image.new("L", (64, 64)), "PNG")
    with pytest.raises(CorruptImage):
        decode.inspect(photo[:33] + chunk(b"prVt", b"") * MAX_PARTS + photo[33:])
    assert decode.inspect(photo[:33] + chunk(b"prVt", b"") * (MAX_PARTS // 2) + photo[33:]).width == 64


def test_what_follows_a_webp_s_large_chunk_is_found() -> None:
    """It would not be named as left out, if a part of the pixels were taken for the next chunk."""
    pixels = b"VP8L" + struct.pack("<I", 1 << 24) + bytes(1 << 24)
    chunks = pixels + b"EXIF" + struct.pack("<I", 2) + b"MM"
    assert [*riff_chunks(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks)] == [b"VP8L", b"EXIF"]


@pytest.mark.parametrize("format_", ["PNG", "WEBP", "TIFF", "AVIF", "JPEG"])
def test_photos_are_not(format_: str) -> None:
    photo = encoded(street_pixels(), format_, **({} if format_ == "AVIF" else {"exif": exif(3, 200)}))
    check_structure(photo, format_)
    check_structure(photo + bytes(13 * MAX_PARTS), format_)  # a chunk of a PNG has 12 bytes at least


def test_bytes_after_the_end_of_a_jpeg_do_not_count() -> None:
    for photo in (grace_hopper(), hide_regions(grace_hopper(), []).data, progressive(10)):
        check_structure(photo + progressive(MAX_SCANS) + segment(0xEF, b"") * MAX_PARTS, "JPEG")


@pytest.mark.parametrize(
    ("block", "too_much"),
    [
        (exif(3, 200), False),
        (exif(20, 20_000), True),
        (b"Exif\0\0" + exif(20, 20_000), True),
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


@pytest.mark.parametrize("before", range(4))
def test_greedy_exif_costs_a_jpeg_its_exif_wherever_it_stands(before: int) -> None:
    photo = jpeg(segment(0xFE, bytes(before)) + segment(0xE1, exif(20, 20_000)))
    assert not claims_too_much(decode.open_image(photo).info["exif"])
    assert decode.load_for_detection(photo, None).size == (512, 512)
    assert hide_regions(photo, []).stripped == ["EXIF", "comment"]


def test_greedy_exif_in_several_segments_costs_a_jpeg_its_exif() -> None:
    photo = jpeg(b"".join(segment(0xE1, b"Exif\0\0" + GREEDY[at : at + 60_000]) for at in (0, 60_000, 120_000)))
    assert claims_too_much(GREEDY)
    assert not claims_too_much(decode.open_image(photo).info["exif"])
    assert hide_regions(photo, []).stripped == ["EXIF"]


@pytest.mark.parametrize("first", [1, 4, 7])
def test_greedy_exif_whose_header_is_split_costs_a_jpeg_its_exif(first: int) -> None:
    pieces = [GREEDY[:first], *(GREEDY[at : at + 60_000] for at in range(first, len(GREEDY), 60_000))]
    photo = jpeg(b"".join(segment(0xE1, b"Exif\0\0" + piece) for piece in pieces))
    cleaned = without_greedy_tags(photo, "JPEG")
    assert len(cleaned) == len(photo)
    assert GREEDY[first : first + 1000] not in cleaned
    assert hide_regions(photo, []).stripped == ["EXIF"]


def test_exif_that_repeats_its_first_word_costs_a_jpeg_its_exif() -> None:
    """Pillow would copy the rest for each repetition."""
    photo = jpeg(b"".join(segment(0xE1, b"Exif\0\0" * 10_000) for _ in range(3)))
    assert b"Exif\0\0" * 2 not in without_greedy_tags(photo, "JPEG")
    assert hide_regions(photo, []).stripped == ["EXIF"]


def test_a_first_word_that_repeats_is_skipped() -> None:
    assert without_prefix(b"Exif\0\0" * 100_000 + b"MM\0*") == b"MM\0*"
    assert without_prefix(b"MM\0*") == b"MM\0*"


@pytest.mark.parametrize("marker", [0xE0, 0xE2, 0xFE])
def test_a_segment_of_another_kind_that_looks_like_greedy_exif_is_none(marker: int) -> None:
    photo = jpeg(segment(marker, exif(20, 20_000)))
    assert without_greedy_tags(photo, "JPEG") is photo
    assert decode.inspect(photo).width == 512


# Bytes of a value of each kind: TIFF 6.0, section 2, and 13 for the offset of a directory.
VALUE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}


def directory(*entries: tuple[int, int, int, int], following: int = 0) -> bytes:
    """A directory of these tags (number, kind, how many values, where) that names the one that follows it."""
    tags = b"".join(struct.pack(">HHII", *entry) for entry in entries)
    return struct.pack(">H", len(entries)) + tags + struct.pack(">I", following)


def tiff(content: bytes, length: int = 0, start: int = 8) -> bytes:
    """A block of at least this many bytes whose first directory begins at `start`."""
    return (b"MM\0*" + struct.pack(">I", start) + content).ljust(length, b"\0")


@pytest.mark.parametrize("kind", VALUE_SIZES)
def test_tags_may_claim_four_times_what_there_is_and_no_more(kind: int) -> None:
    """In a photo no two values share a byte. What shares many more is read as often as it is claimed."""
    number = 512 // VALUE_SIZES[kind]
    entries = [(0x9000 + tag, kind, number, 8) for tag in range(8)]
    assert not claims_too_much(tiff(directory(*entries), 1024))
    entries[0] = (0x9000, kind, number + 1, 8)
    assert claims_too_much(tiff(directory(*entries), 1024))


def test_a_value_of_four_bytes_stands_in_its_tag_and_claims_nothing() -> None:
    tags = 400
    assert not claims_too_much(tiff(directory(*[(0x9000 + tag, 1, 4, 8) for tag in range(tags)])))
    assert claims_too_much(tiff(directory(*[(0x9000 + tag, 1, 5000, 8) for tag in range(tags)])))


def test_a_value_claims_no_more_than_is_there_from_its_place_on() -> None:
    at_the_end, at_the_start = (
        tiff(directory(*[(0x9000 + tag, 7, 0xFFFFFFFF, place) for tag in range(20)]), 1024) for place in (1000, 8)
    )
    assert not claims_too_much(at_the_end)
    assert claims_too_much(at_the_start)


@pytest.mark.parametrize("tag", [273, 324], ids=["strips", "tiles"])
def test_the_pixels_of_a_tiff_are_there_if_each_part_of_them_begins_in_it(tag: int) -> None:
    def of(*places: int) -> bytes:
        return tiff(directory((tag, 4, len(places), 26)) + struct.pack(f">{len(places)}I", *places), 100)

    assert has_pixels(of(40, 99))
    assert not has_pixels(of(40, 100))
    assert not has_pixels(of(100, 40))
    assert not has_pixels(tiff(directory((tag - 1, 4, 1, 40)), 100))


GREEDY_TAGS = [(0x9000 + tag, 7, 1000, 8) for tag in range(20)]


@pytest.mark.parametrize("pointer", [0x8769, 0x8825, 0xA005], ids=["EXIF", "GPS", "interoperability"])
def test_the_directories_that_tags_lead_to_count_too(pointer: int) -> None:
    """In files whose decoder reads them. Of an EXIF block alone only the first directory is read."""
    block = tiff(directory((pointer, 4, 1, 26)) + directory(*GREEDY_TAGS), 1100)
    assert claims_too_much(block, beneath=True)
    assert not claims_too_much(block)
    assert not claims_too_much(tiff(directory((0x9999, 4, 1, 26)) + directory(*GREEDY_TAGS), 1100), beneath=True)


@pytest.mark.parametrize(("empty", "too_much"), [(1, True), (9, True), (10, False)])
def test_ten_directories_in_a_row_are_looked_into(empty: int, too_much: bool) -> None:
    """A photo has five; decoders follow no chain for long, and neither do we."""
    chain = b"".join(directory(following=14 + 6 * number) for number in range(empty))
    assert claims_too_much(tiff(chain + directory(*GREEDY_TAGS), 1100), beneath=True) is too_much


@pytest.mark.parametrize("pointer", [0x8769, 0x8825, 0xA005], ids=["EXIF", "GPS", "interoperability"])
def test_a_directory_that_a_tag_leads_to_has_none_that_follows(pointer: int) -> None:
    """Piexif and others write none of its "next directory" field, so other bytes stand there."""
    first, greedy = directory((pointer, 4, 1, 26)), directory(*GREEDY_TAGS)
    assert not claims_too_much(tiff(first + directory(following=32) + greedy, 1100), beneath=True)
    assert claims_too_much(tiff(directory((pointer, 4, 1, 26), following=26) + greedy, 1100), beneath=True)


def big_tiff(*entries: tuple[int, int, int, int], length: int = 0) -> bytes:
    """A BigTIFF of one directory with these tags, of at least this many bytes."""
    tags = b"".join(struct.pack("<HHQQ", *entry) for entry in entries)
    return (b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, len(entries)) + tags + bytes(8)).ljust(length, b"\0")


def test_what_the_tags_of_a_bigtiff_claim() -> None:
    entries = [(0x9000 + tag, 7, 1000, 8) for tag in range(20)]
    assert claims_too_much(big_tiff(*entries, length=1100))
    assert not claims_too_much(big_tiff(*entries[:4], length=1100))
    assert not claims_too_much(big_tiff(*[(0x9000 + tag, 7, 8, 8) for tag in range(20)]))


@pytest.mark.parametrize(("tags", "too_much"), [(4096, False), (4097, True)])
def test_a_directory_has_some_thousand_tags_at_most(tags: int, too_much: bool) -> None:
    assert claims_too_much(tiff(directory(*[(0x9000, 3, 1, 8)] * tags))) is too_much
    assert claims_too_much(big_tiff(*[(0x9000, 3, 1, 8)] * tags)) is too_much


@pytest.mark.parametrize("length", range(50, 54))
@pytest.mark.parametrize("back", range(4))
@pytest.mark.parametrize("rest", [b"", b"\0\x09", b"\0\x09tag"])
def test_a_directory_that_the_end_cuts_off_claims_nothing(length: int, back: int, rest: bytes) -> None:
    block = tiff(bytes(length) + rest)
    assert not claims_too_much(block[:4] + struct.pack(">I", len(block) - len(rest) - back) + block[8:])


@pytest.mark.parametrize("format_", ["PNG", "WEBP"])
def test_greedy_exif_says_nothing(format_: str) -> None:
    tags = exif(20, 20_000)
    photo = encoded(Image.new("L", (64, 64)), format_, exif=tags)
    assert decode.inspect(photo).orientation == 1
    assert hide_regions(photo, []).stripped == ["EXIF"]


@pytest.mark.parametrize("pointer", [0x8769, 0x8825], ids=["EXIF", "GPS"])
@pytest.mark.parametrize("is_big", [False, True], ids=["TIFF", "BigTIFF"])
def test_greedy_directories_beneath_a_tiff_cost_it_these(is_big: bool, pointer: int) -> None:
    picture = Image.linear_gradient("L")
    pixels = picture.tobytes()
    tags = {256: 256, 257: 256, 258: 8, 259: 1, 262: 1, 273: 1_000, 277: 1, 278: 256, 279: len(pixels), pointer: 1_000}
    tags[pointer] += len(pixels)
    if is_big:
        start = big_tiff(*[(tag, 4, 1, tags[tag]) for tag in sorted(tags)])
        greedy = struct.pack("<Q", 100) + b"".join(
            struct.pack("<HHQQ", 0x9000 + tag, 7, 9_000, 9) for tag in range(100)
        )
    else:
        start = tiff(directory(*[(tag, 4, 1, tags[tag]) for tag in sorted(tags)]))
        greedy = directory(*[(0x9000 + tag, 7, 9_000, 9) for tag in range(100)])
    photo = start.ljust(1_000, b"\0") + pixels + greedy + bytes(8)
    assert claims_too_much(photo, beneath=True)
    assert not claims_too_much(without_greedy_tags(photo, "TIFF"), beneath=True)
    assert decode.load_for_detection(photo, None).tobytes() == picture.convert("RGB").tobytes()
    assert opened(hide_regions(photo, [], keep_metadata=["camera"]).data).tobytes() == pixels


def test_a_tiff_whose_later_directories_are_greedy_is_refused() -> None:
    block = tiff(directory(following=14) + directory(*GREEDY_TAGS), 1100)
    assert not claims_too_much(block)
    with pytest.raises(CorruptImage):
        check_structure(block, "TIFF")


def test_a_greedy_tiff_is_refused() -> None:
    with pytest.raises(CorruptImage):
        decode.inspect(exif(20, 20_000)[6:])
