"""The metadata that a job asks to keep, in every format, and what never comes along."""

from __future__ import annotations

import unicodedata
import zlib
from io import BytesIO
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import pytest
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational

from faceblur.photo import decode, keep, png, xmp
from faceblur.photo.hide import hide_regions
from tests.support.bad_files.png import chunk, png_with
from tests.support.pictures.photos import encoded, flower_pixels, opened

if TYPE_CHECKING:
    from faceblur.limits import MetadataKind, OutputFormat

ALL: tuple[MetadataKind, ...] = ("time", "position", "camera", "credit", "panorama")
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF")
EXIF, GPS = ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo
PLACE = {1: "N", 2: (46.0, 12.0, 12.5), 3: "E", 4: (7.0, 30.0, 0.0)}
HEAD = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
SPACES = {"dc": xmp.DC, "photoshop": xmp.PHOTOSHOP, "exif": xmp.EXIF, "xmp": xmp.BASIC, "GPano": xmp.GPANO}


def packet(attributes: dict[str, str], elements: str = "") -> bytes:
    names = "".join(f' xmlns:{prefix}="{space[1:-1]}"' for prefix, space in SPACES.items())
    values = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())
    return f"{HEAD}<rdf:Description{names}{values}>{elements}</rdf:Description></rdf:RDF></x:xmpmeta>".encode()


def creators(*names: str) -> str:
    items = "".join(f"<rdf:li>{escape(name)}</rdf:li>" for name in names)
    return f"<dc:creator><rdf:Seq>{items}</rdf:Seq></dc:creator>"


def camera_exif() -> Image.Exif:
    exif = Image.Exif()
    exif[271], exif[272], exif[306], exif[305] = "Maker", "Model 1", "2024:02:03 04:05:06", "Program"
    exif[315], exif[33432], exif[270] = "Zoë".encode(), "© Zoë".encode(), b"A caption"
    exif.get_ifd(EXIF).update({
        36867: "2024:02:03 04:05:06", 36881: "+01:00", 37521: "123", 33434: IFDRational(1, 250), 34855: 200,
        42036: "Lens 24-70", 37500: b"MAKER-NOTE", 42033: "SERIAL-1", 42037: "SERIAL-2", 42032: "OWNER",
    })  # fmt: skip
    exif.get_ifd(GPS).update({
        1: "N", 2: (IFDRational(46), IFDRational(12), IFDRational(25, 2)), 3: "E",
        4: (IFDRational(7), IFDRational(30), IFDRational(0)), 5: b"\0", 6: IFDRational(4321, 10),
        7: (IFDRational(3), IFDRational(5), IFDRational(6)), 29: "2024:02:03", 27: b"ASCII\0\0\0WIFI",
    })  # fmt: skip
    return exif


SPHERE = packet(
    {"GPano:ProjectionType": "equirectangular", "GPano:FullPanoWidthPixels": "8000", "photoshop:Credit": "Agency"},
    creators("Zoë", "A & <B>"),
)


def small() -> Image.Image:
    return flower_pixels().resize((64, 48))


def photo(format_: str = "JPEG", exif: Image.Exif | None = None, packet_: bytes = SPHERE) -> bytes:
    """A photo with metadata of all kinds in this format."""
    block = (exif or camera_exif()).tobytes()
    picture = small()
    if format_ in ("PNG", "TIFF"):
        tags = {0: dict(exif or camera_exif())} if format_ == "TIFF" else {}
        for directory in (EXIF, GPS):
            tags[int(directory)] = dict((exif or camera_exif()).get_ifd(directory))
        plain = encoded(picture, format_, **({"exif": block} if format_ == "PNG" else {}))
        return keep.Kept(["time"], {} if format_ == "PNG" else tags, packet_).added_to(plain, format_)
    return encoded(picture, format_, exif=block, xmp=packet_)


def packet_in(file: bytes) -> dict[str, list[str]]:
    image = opened(file)
    image.load()
    found = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp", "")
    return xmp.read(found.encode() if isinstance(found, str) else found)


def tags_in(file: bytes) -> tuple[dict[int, object], dict[int, object], dict[int, object]]:
    exif = Image.open(BytesIO(file)).getexif()
    return dict(exif), dict(exif.get_ifd(EXIF)), dict(exif.get_ifd(GPS))


@pytest.mark.parametrize("format_", FORMATS)
def test_every_kind_is_kept_in_every_format(format_: str) -> None:
    hidden = hide_regions(photo(format_), [], keep_metadata=ALL)
    assert hidden.kept_metadata == sorted(ALL)
    first, exif, gps = tags_in(hidden.data)
    assert (first[271], first[272], first[306]) == ("Maker", "Model 1", "2024:02:03 04:05:06")
    assert (exif[36867], exif[36881], exif[33434], exif[34855]) == ("2024:02:03 04:05:06", "+01:00", 0.004, 200)
    assert PLACE.items() <= gps.items()
    assert gps[6] == 432.1
    assert packet_in(hidden.data) == {
        f"{xmp.DC}creator": ["Zoë", "A & <B>"],
        f"{xmp.DC}rights": ["© Zoë"],
        f"{xmp.DC}description": ["A caption"],
        f"{xmp.PHOTOSHOP}Credit": ["Agency"],
        f"{xmp.GPANO}ProjectionType": ["equirectangular"],
        f"{xmp.GPANO}FullPanoWidthPixels": ["8000"],
    }


@pytest.mark.parametrize("output", ["same", "png", "webp", "avif"])
@pytest.mark.parametrize("kind", ALL)
def test_a_kind_brings_nothing_of_the_others(kind: MetadataKind, output: OutputFormat) -> None:
    hidden = hide_regions(photo(), [], output, [kind])
    assert hidden.kept_metadata == [kind]
    first, exif, gps = tags_in(hidden.data)
    tags = {*first, *exif} - {int(EXIF), int(GPS), 36864}
    properties = {name.rpartition("}")[2] for name in packet_in(hidden.data)}
    assert (
        tags
        == {
            "time": {306, 36867, 36881, 37521},
            "position": set(),
            "camera": {271, 272, 33434, 34855, 42036},
            "credit": {270, 315, 33432},
            "panorama": set(),
        }[kind]
    )
    assert set(gps) == ({0, 1, 2, 3, 4, 5, 6} if kind == "position" else set())
    assert properties == {
        "credit": {"creator", "rights", "description", "Credit"},
        "panorama": {"ProjectionType", "FullPanoWidthPixels"},
    }.get(kind, set())


@pytest.mark.parametrize("format_", FORMATS)
def test_nothing_is_kept_unless_it_is_asked_for(format_: str) -> None:
    hidden = hide_regions(photo(format_), [])
    assert hidden.kept_metadata == []
    assert not {271, 306, 315, int(EXIF), int(GPS)} & tags_in(hidden.data)[0].keys()
    assert packet_in(hidden.data) == {}


@pytest.mark.parametrize("format_", FORMATS)
def test_serial_numbers_maker_notes_and_thumbnails_never_come_along(format_: str) -> None:
    data = hide_regions(photo(format_), [], keep_metadata=ALL).data
    for secret in (b"SERIAL", b"MAKER-NOTE", b"OWNER", b"WIFI", b"Program"):
        assert secret in photo(format_) or format_ == "PNG"
        assert secret not in data


def test_the_time_at_a_position_needs_both() -> None:
    assert 7 not in tags_in(hide_regions(photo(), [], keep_metadata=["position"]).data)[2]
    assert tags_in(hide_regions(photo(), [], keep_metadata=["position", "time"]).data)[2][7] == (3, 5, 6)


def test_stripped_names_only_what_was_left_out() -> None:
    whole = Image.Exif()
    whole[271] = "Maker"
    assert hide_regions(photo(exif=whole), [], keep_metadata=["camera"]).stripped == ["XMP"]
    assert hide_regions(photo(exif=whole), [], keep_metadata=["camera", "credit", "panorama"]).stripped == []
    assert hide_regions(photo(exif=whole), [], keep_metadata=["time"]).stripped == ["EXIF", "XMP"]
    # Maker note and serial numbers are lost, so EXIF is named.
    assert hide_regions(photo(), [], keep_metadata=ALL).stripped == ["EXIF"]
    assert hide_regions(photo(), [], keep_metadata=["time"]).stripped == ["EXIF", "GPS", "XMP"]


@pytest.mark.parametrize("format_", FORMATS)
def test_what_was_kept_is_kept_again_in_full(format_: str) -> None:
    once = hide_regions(photo(format_), [], keep_metadata=ALL)
    again = hide_regions(once.data, [], keep_metadata=ALL)
    assert (again.kept_metadata, again.stripped) == (sorted(ALL), [])


@pytest.mark.parametrize("mode", ["I;16", "RGB", "CMYK"])
def test_a_tiff_with_tags_has_the_same_pixels(mode: str) -> None:
    plain = encoded(
        flower_pixels().convert("L").convert(mode) if mode == "I;16" else flower_pixels().convert(mode), "TIFF"
    )
    with decode.open_image(photo()) as source:
        kept = keep.read(photo(), source, ALL)
    tagged = kept.added_to(plain, "TIFF")
    assert opened(tagged).tobytes() == opened(plain).tobytes()
    assert hide_regions(tagged, [], keep_metadata=["credit"]).kept_metadata == ["credit"]


@pytest.mark.parametrize("longer", range(4))
def test_the_directory_of_a_tiff_with_tags_begins_at_an_even_place(longer: int) -> None:
    """TIFF 6.0, section 2: some readers take any other place for damage."""
    tagged = keep.Kept(["credit"], {0: {315: "Zoe"}}).added_to(encoded(flower_pixels(), "TIFF") + bytes(longer), "TIFF")
    place = int.from_bytes(tagged[4:8], "little" if tagged.startswith(b"II") else "big")
    assert place % 2 == 0
    assert opened(tagged).tag_v2[315] == "Zoe"


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (2, (IFDRational(91), IFDRational(0), IFDRational(0))),
        (2, (IFDRational(90), IFDRational(1), IFDRational(0))),
        (2, (IFDRational(46), IFDRational(0), IFDRational(1, 0))),
        (2, (IFDRational(46), IFDRational(61), IFDRational(0))),
        (2, (IFDRational(46), IFDRational(0))),
        (1, "Q"),
        (3, "N"),
        (4, (IFDRational(180), IFDRational(0), IFDRational(1))),
    ],
)
def test_a_place_that_is_not_on_earth_is_left_out(tag: int, value: object) -> None:
    exif = camera_exif()
    exif.get_ifd(GPS)[tag] = value
    hidden = hide_regions(photo(exif=exif), [], keep_metadata=["position", "camera"])
    assert hidden.kept_metadata == ["camera"]
    assert "GPS" in hidden.stripped
    assert tags_in(hidden.data)[2] == {}


@pytest.mark.parametrize("value", ["2024:02:30 01:02:03", "yesterday", "    :  :     :  :  ", "2024:2:3 4:5:6     "])
def test_a_time_that_is_none_is_left_out(value: str) -> None:
    exif = Image.Exif()
    exif[306] = value
    assert hide_regions(photo(exif=exif), [], keep_metadata=["time"]).kept_metadata == []


def test_texts_are_cut_and_lose_control_characters() -> None:
    exif = Image.Exif()
    exif[315] = b"Jane\x1b[2J\x07 Doe"
    exif[270] = b"x" * 60_000
    hidden = hide_regions(photo(exif=exif, packet_=b""), [], keep_metadata=["credit"])
    found = packet_in(hidden.data)
    assert found[f"{xmp.DC}creator"] == ["Jane[2J Doe"]
    assert found[f"{xmp.DC}description"] == ["x" * 4_000]
    assert xmp.clean("a\u202eb\0c\ud800", 9) == "abc"
    assert xmp.clean("one\r\ntwo", 9) == "one\ntwo"


def test_a_text_whose_lines_end_as_on_windows_is_cut_no_shorter() -> None:
    assert len(xmp.clean("a\r\n" * 50, 49)) == 49


def test_marks_that_turn_the_text_around_go_and_their_neighbours_stay() -> None:
    """Among the neighbours is the narrow space that French writes before some marks."""
    turning = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}
    assigned = [letter for letter in map(chr, range(0x2000, 0x2100)) if unicodedata.category(letter) != "Cn"]
    kept = [letter for letter in assigned if letter in xmp.clean(f"a{letter}b", 9)]
    assert kept == [letter for letter in assigned if unicodedata.bidirectional(letter) not in turning]


@pytest.mark.parametrize("letter", ["&", "\U0001f600"])
def test_the_longest_texts_fit_into_a_jpeg(letter: str) -> None:
    text = escape(letter * 5_000)
    names = ("dc:rights", "dc:description", "photoshop:Headline", "photoshop:Credit")
    texts = "".join(f"<{name}><rdf:Bag>{f'<rdf:li>{text}</rdf:li>' * 2}</rdf:Bag></{name}>" for name in names)
    plain = encoded(small(), "PNG")
    photo_ = keep.Kept(["credit"], packet=packet({}, creators(*[letter * 5_000] * 11) + texts)).added_to(plain, "PNG")
    found = packet_in(hide_regions(photo_, [], "jpeg", ["credit"]).data)
    assert [len(each) for each in found[f"{xmp.DC}creator"]] == [500] * 10
    assert len(found[f"{xmp.DC}description"][0]) == 4_000


def test_of_a_text_in_several_languages_the_default_one_counts() -> None:
    items = '<rdf:li xml:lang="de">Licht</rdf:li><rdf:li xml:lang="x-default">Light</rdf:li>'
    assert xmp.read(packet({}, f"<dc:rights><rdf:Alt>{items}</rdf:Alt></dc:rights>")) == {f"{xmp.DC}rights": ["Light"]}


def test_xmp_has_the_usual_prefixes() -> None:
    """Some viewers of panoramas look for the text and do not read the XML."""
    hidden = hide_regions(photo(), [], keep_metadata=ALL)
    assert b"<GPano:ProjectionType>equirectangular<" in hidden.data
    assert b"<dc:creator>" in hidden.data


@pytest.mark.parametrize(
    "hostile",
    [
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + packet({}, creators("&b;")).replace(b"&amp;", b"&"),
        packet({}, creators("me"))[:-5],
        packet({}, creators("me")).decode().encode("utf-16"),
        b"\xff" + packet({}, creators("me")),
        packet({}, creators("me")) + b" " * xmp.MOST_BYTES,
    ],
    ids=["entities", "cut off", "UTF-16", "no text", "too long"],
)
def test_xmp_that_cannot_be_trusted_costs_the_xmp(hostile: bytes) -> None:
    assert xmp.read(packet({}, creators("me"))) == {f"{xmp.DC}creator": ["me"]}
    assert xmp.read(hostile) == {}


def test_greedy_tags_cost_the_tags() -> None:
    exif = camera_exif()
    block = bytearray(exif.tobytes())
    at = block.find(b"\x25\x88", 6)  # the pointer to GPS; its directory then begins in the middle of another value
    block[at + 8 : at + 12] = (2**31).to_bytes(4, "little")
    damaged = encoded(small(), "JPEG", exif=bytes(block))
    assert "position" not in hide_regions(damaged, [], keep_metadata=ALL).kept_metadata


def record(number: int, text: bytes) -> bytes:
    """A field of IPTC."""
    return bytes([0x1C, 2, number]) + len(text).to_bytes(2) + text


def resource(number: int, content: bytes) -> bytes:
    """A resource of Photoshop without a name."""
    return b"8BIM" + number.to_bytes(2) + b"\0\0" + len(content).to_bytes(4) + content + bytes(len(content) % 2)


@pytest.mark.parametrize("format_", ["JPEG", "TIFF"])
def test_credits_of_iptc(format_: str) -> None:
    iptc = record(80, "Zoë".encode()) + record(80, b"Bob") + record(105, b"Headline") + record(116, b"(c)")
    iptc += record(110, b"Agency") + record(115, b"Source") + record(120, "Légende".encode("latin-1"))
    resources = b"Photoshop 3.0\0" + resource(0x0404, iptc)
    if format_ == "TIFF":
        file = encoded(small(), "TIFF", tiffinfo={33723: iptc})
    else:
        plain = encoded(small(), "JPEG")
        file = plain[:2] + b"\xff\xed" + (len(resources) + 2).to_bytes(2) + resources + plain[2:]
    hidden = hide_regions(file, [], "png", ["credit"])
    assert packet_in(hidden.data) == {
        f"{xmp.DC}creator": ["Zoë", "Bob"],
        f"{xmp.DC}rights": ["(c)"],
        f"{xmp.DC}description": ["Légende"],
        f"{xmp.PHOTOSHOP}Headline": ["Headline"],
        f"{xmp.PHOTOSHOP}Credit": ["Agency"],
        f"{xmp.PHOTOSHOP}Source": ["Source"],
    }
    first, _, _ = tags_in(hidden.data)
    assert first[315].encode("latin-1") == "Zoë; Bob".encode()
    assert hidden.stripped == []
    lost = {"JPEG": ["IPTC"], "TIFF": ["IptcNaaInfo"]}
    assert hide_regions(file, [], "png", ["time"]).stripped == lost[format_]


@pytest.mark.parametrize("output", ["same", "jpeg"])
@pytest.mark.parametrize("iptc", [record(80, "Zoë".encode()) + record(116, b"(c)"), b"", b"\x1c\2\x50\xff"])
def test_credits_in_the_resources_of_a_tiff(iptc: bytes, output: OutputFormat) -> None:
    resources = resource(1005, bytes(16)) + resource(0x0404, iptc) + resource(1036, b"THUMBNAIL")
    file = encoded(small(), "TIFF", tiffinfo={34377: resources})
    hidden = hide_regions(file, [], output, ["credit"])
    credits_ = {f"{xmp.DC}creator": ["Zoë"], f"{xmp.DC}rights": ["(c)"]} if len(iptc) > 10 else {}
    assert packet_in(hidden.data) == credits_
    assert hidden.stripped == ["PhotoshopInfo"]
    assert b"THUMBNAIL" in file
    assert b"THUMBNAIL" not in hidden.data
    assert packet_in(hide_regions(file, [], output).data) == {}


def test_the_iptc_of_a_tiff_counts_before_that_in_its_resources() -> None:
    tags = {33723: record(80, b"One"), 34377: resource(0x0404, record(80, b"Other"))}
    file = encoded(small(), "TIFF", tiffinfo=tags)
    assert packet_in(hide_regions(file, [], keep_metadata=["credit"]).data) == {f"{xmp.DC}creator": ["One"]}


@pytest.mark.parametrize("late", [False, True], ids=["before the pixels", "behind them"])
def test_credits_of_the_texts_of_a_png(late: bool) -> None:
    pixels = flower_pixels().resize((160, 107))
    texts = [
        chunk(b"tEXt", b"Author\0" + "Zoë".encode("latin-1")),
        chunk(b"tEXt", b"Copyright\0" + "© Zoë".encode()),
        chunk(b"iTXt", b"Description\0\0\0fr\0\0" + "Ольга".encode()),
    ]

    def file(*chunks: bytes) -> bytes:
        plain = encoded(pixels, "PNG")
        return plain[:-12] + b"".join(chunks) + plain[-12:] if late else png_with(*chunks, photo=plain)

    for output in ("same", "jpeg"):
        hidden = hide_regions(file(*texts), [], output, ["credit"])
        assert packet_in(hidden.data) == {
            f"{xmp.DC}creator": ["Zoë"],
            f"{xmp.DC}rights": ["© Zoë"],
            f"{xmp.DC}description": ["Ольга"],
        }
        assert (hidden.kept_metadata, hidden.stripped) == (["credit"], [])
    others = file(*texts, chunk(b"zTXt", b"Software\0\0" + zlib.compress(b"Program")))
    assert hide_regions(others, [], keep_metadata=["credit"]).stripped == ["text"]
    # A damaged chunk costs at most what it says.
    damaged = file(texts[0][:-4] + bytes(4))
    assert opened(hide_regions(damaged, [], keep_metadata=["credit"]).data).tobytes() == pixels.tobytes()


def test_what_exiftool_writes_behind_the_pixels_of_a_png_is_kept_and_named() -> None:
    exif = camera_exif().tobytes().removeprefix(b"Exif\0\0")
    plain = encoded(small(), "PNG")
    said = chunk(b"eXIf", exif) + chunk(b"iTXt", png.XMP.encode() + bytes(5) + SPHERE)
    file = plain[:-12] + said + plain[-12:]
    assert hide_regions(file, []).stripped == ["EXIF", "GPS", "XMP"]
    assert hide_regions(file, [], keep_metadata=ALL).kept_metadata == sorted(ALL)


def test_time_and_position_that_only_xmp_says_become_exif() -> None:
    said = packet(
        {"xmp:CreateDate": "2024-02-03T04:05:06+01:00", "exif:GPSLatitude": "46,12.5N", "exif:GPSLongitude": "7,30,15W"}
    )
    file = encoded(small(), "JPEG", xmp=said)
    hidden = hide_regions(file, [], keep_metadata=["time", "position"])
    _, exif, gps = tags_in(hidden.data)
    assert (exif[36867], exif[36881]) == ("2024:02:03 04:05:06", "+01:00")
    assert (gps[1], gps[2], gps[3], gps[4]) == ("N", (46, 12.5, 0), "W", (7, 30, 15))
    assert hidden.stripped == []
    date_alone = encoded(small(), "JPEG", xmp=packet({"xmp:CreateDate": "2024-02-03"}))
    assert hide_regions(date_alone, [], keep_metadata=["time"]).kept_metadata == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("46,12.25N", (46, 12.25, 0)),
        ("46,12.999999N", (46, 12.999999, 0)),
        ("46,0.5S", (46, 0.5, 0)),
        ("46,12N", (46, 12, 0)),
        ("46,12,30S", (46, 12, 30)),
    ],
)
def test_a_latitude_of_xmp_in_minutes_or_seconds(text: str, place: tuple[float, float, float]) -> None:
    said = packet({"exif:GPSLatitude": text, "exif:GPSLongitude": "7,30E"})
    hidden = hide_regions(encoded(small(), "JPEG", xmp=said), [], keep_metadata=["position"])
    _, _, gps = tags_in(hidden.data)
    assert (gps[1], gps[2]) == (text[-1], pytest.approx(place))


def test_a_jpeg_that_stays_as_stored_has_its_orientation_beside_what_is_kept() -> None:
    exif = camera_exif()
    exif[274] = 3
    picture = flower_pixels().resize((61, 45))
    hidden = hide_regions(encoded(picture, "JPEG", exif=exif.tobytes(), xmp=SPHERE), [], keep_metadata=ALL)
    first, _, _ = tags_in(hidden.data)
    assert (first[274], first[271]) == (3, "Maker")
    # Turned pixels do not fit the numbers of a panorama.
    assert hidden.kept_metadata == ["camera", "credit", "position", "time"]


def test_a_bmp_has_no_place_for_metadata() -> None:
    assert hide_regions(encoded(small(), "BMP"), [], keep_metadata=ALL).kept_metadata == []
