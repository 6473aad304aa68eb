"""The metadata that a job asks to keep.

Values on a whitelist are read, validated and written afresh. No block of metadata is copied, so thumbnails, maker notes
and serial numbers have no way into the result. What cannot be trusted is left out.

References: Exif 3.0 (CIPA DC-008), IPTC-IIM 4.2, the IPTC Photo Metadata Standard for XMP.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from PIL import Image, IptcImagePlugin, JpegImagePlugin, TiffImagePlugin, TiffTags
from PIL.TiffImagePlugin import IFDRational

from faceblur.photo import decode, metadata, panorama, png, tiff, xmp
from faceblur.photo.whitelist import CAPTION, EXIF, FIRST, GPS, GPS_TIME, LINE, WHITELIST, decoded, valid_tags

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from PIL import ImageFile

    from faceblur.limits import MetadataKind
    from faceblur.photo.whitelist import Directories

ORIENTATION = 274
# The formats that have a place for metadata. Of those that are written, BMP has none.
HOLDING = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF")

_VERSION = (EXIF, 36864, b"0232")
_GPS_VERSION = (GPS, 0, b"\2\3\0\0")

# Tags that say how the file or its EXIF is built, or describe its pixels. Nothing is lost with them.
_OF_THE_FILE = {
    FIRST: {*metadata.TIFF_PICTURE, 34665, 34853, 700, 33723},
    EXIF: {36864, 37121, 40960, 40961, 40962, 40963, 40965},
    GPS: {0},
}


class _Credit(NamedTuple):
    """A credit: its property in XMP, its number in IPTC's record 2, its tag in EXIF, its keyword in a PNG's texts."""

    name: str
    number: int
    tag: int = 0
    keyword: str = ""
    most: int = LINE  # characters


_CREDITS = (
    _Credit(f"{xmp.DC}creator", 80, 315, "Author"),
    _Credit(f"{xmp.DC}rights", 116, 33432, "Copyright"),
    _Credit(f"{xmp.DC}description", 120, 270, "Description", CAPTION),
    _Credit(f"{xmp.PHOTOSHOP}Headline", 105),
    _Credit(f"{xmp.PHOTOSHOP}Credit", 110),
    _Credit(f"{xmp.PHOTOSHOP}Source", 115),
)
_IPTC_OF_THE_FILE = {(1, 0), (1, 90), (2, 0)}
_MOMENTS = (f"{xmp.EXIF}DateTimeOriginal", f"{xmp.PHOTOSHOP}DateCreated", f"{xmp.BASIC}CreateDate")
_PLACE = {1, 2, 3, 4}  # latitude, longitude and their sides
_IPTC, _XMP = 0x0404, 700  # the resource of Photoshop, the tag of TIFF
# A TIFF may have IPTC in a tag of its own, and in that of Photoshop's resources. They have no names there.
_IPTC_TAG, _RESOURCES_TAG = 33723, 34377
_IPTC_RESOURCE = re.compile(rb"8BIM\x04\x04\0\0(?P<length>.{4})", re.DOTALL)
_COORDINATE = re.compile(r"(\d{1,3}),(\d{1,2})(?:\.(\d{1,8})|,(\d{1,2}))?([NSEW])")


@dataclass(frozen=True, slots=True)
class Kept:
    """The metadata to write: tags of EXIF, and an XMP packet; `kinds` names its kinds.

    `in_full` holds the names under which `metadata.stripped` would report what is kept in full.
    """

    kinds: list[str] = field(default_factory=list)
    tags: Directories = field(default_factory=dict)
    packet: bytes = b""
    in_full: frozenset[str] = frozenset()

    def options(self, format_: str, orientation: int) -> dict[str, Any]:
        """Pillow's options for a JPEG, WebP or AVIF; in EXIF is also the orientation, unless it is 1."""
        options: dict[str, Any] = {}
        if format_ not in ("JPEG", "WEBP", "AVIF"):
            return options
        if self.tags or orientation != 1:
            options["exif"] = self._exif(orientation).tobytes()
        if self.packet:
            options["xmp"] = self.packet
        return options

    def added_to(self, file: bytes, format_: str) -> bytes:
        """The file of a PNG or TIFF with this metadata; other files as they are, for their encoders have written it."""
        if format_ == "PNG" and self.kinds:
            chunks = [(b"eXIf", self._exif(1).tobytes().removeprefix(b"Exif\0\0"))] if self.tags else []
            chunks += [(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + self.packet)] if self.packet else []
            return png.with_chunks(file, chunks)
        if format_ == "TIFF" and self.kinds:
            return _with_tags(file, self.tags, self.packet)
        return file

    def _exif(self, orientation: int) -> Image.Exif:
        exif = Image.Exif()
        for directory, tags in self.tags.items():
            (exif.get_ifd(directory) if directory else exif).update(tags)
        if orientation != 1:
            exif[ORIENTATION] = orientation
        return exif


@dataclass(frozen=True, slots=True)
class _Found:
    """What a photo has of EXIF, XMP, IPTC and the texts of a PNG, not yet validated, and the credits in it."""

    tags: Directories
    properties: xmp.Properties
    iptc: Mapping[tuple[int, int], list[bytes]]
    texts: Mapping[str, str]

    def credits(self) -> dict[str, list[str]]:
        """The credits as properties of XMP. Of several sources XMP counts first, then IPTC, then EXIF, then texts."""
        found = {}
        for name, number, tag, keyword, most in _CREDITS:
            in_exif = self.tags.get(FIRST, {}).get(tag)
            sources = (
                self.properties.get(name, []),
                [decoded(value) for value in self.iptc.get((2, number), [])],
                [decoded(in_exif)] if isinstance(in_exif, (str, bytes)) else [],
                [self.texts.get(keyword, "")],
            )
            cleaned = ([text for text in (xmp.clean(each, most) for each in source) if text] for source in sources)
            values = next(filter(None, cleaned), [])
            if values:
                found[name] = values[: xmp.MOST_VALUES if name in xmp.LISTS else 1]
        return found

    def credited_in_texts(self, kept: Collection[str]) -> set[str]:
        """The keywords of a PNG's texts that are the credits in these properties of XMP."""
        credits_ = self.credits()
        return {
            keyword
            for name, _, _, keyword, most in _CREDITS
            if name in kept and [xmp.clean(self.texts.get(keyword, ""), most)] == credits_.get(name)
        }

    def credited_in_iptc(self, kept: Collection[str]) -> set[tuple[int, int]]:
        """The fields of IPTC whose values are the credits in these properties of XMP."""
        credits_ = self.credits()
        return {
            (2, number)
            for name, number, _, _, most in _CREDITS
            if name in kept
            and [xmp.clean(decoded(value), most) for value in self.iptc.get((2, number), [])] == credits_.get(name)
        }


def read(data: bytes, image: ImageFile.ImageFile, kinds: Collection[MetadataKind]) -> Kept:
    """What an opened photo has of these kinds of metadata."""
    if not kinds:
        return Kept()
    info = png.info_of(data, image)
    texts = png.texts(info) if image.format == "PNG" else {}
    found = _Found(_tags_of(data, image, info), xmp.read(panorama.packet_of(info)), _iptc_of(image), texts)
    kept = {kind: valid_tags(found.tags, WHITELIST.get(kind, {})) for kind in kinds}
    properties: dict[str, list[str]] = {}
    known = set[str]()  # properties that are kept as tags
    if "time" in kinds and 36867 not in kept["time"].get(EXIF, {}):
        name, tags = _moment_in(found.properties)
        _add(kept["time"], EXIF, tags)
        known.add(name)
    if "position" in kinds:
        kept["position"], names = _position(kept["position"], found.properties)
        known |= names
        if kept["position"] and "time" in kinds:
            _add(kept["position"], GPS, valid_tags(found.tags, {GPS: GPS_TIME}).get(GPS, {}))
    if "credit" in kinds:
        properties |= found.credits()
        _add(kept["credit"], FIRST, {
            tag: "; ".join(properties[name]).encode() for name, _, tag, _, _ in _CREDITS if tag and name in properties
        })  # fmt: skip
    named = {kind for kind in kinds if kept[kind]} | ({"credit"} if properties else set())
    # Turned pixels would not fit the numbers of a panorama.
    if "panorama" in kinds and decode.header(image).orientation == 1:
        panoramic = panorama.valid_properties(found.properties)
        properties |= panoramic
        named |= {"panorama"} if panoramic else set()
    tags = {}
    for directories in kept.values():
        for directory, values in directories.items():
            _add(tags, directory, values)
    in_full = _kept_in_full(image, found, tags, known | set(properties))
    for directory, tag, value in (_VERSION, _GPS_VERSION):
        if directory in tags:
            tags[directory][tag] = value
    return Kept(sorted(named), tags, xmp.write(properties), in_full)


def _add(directories: Directories, directory: int, values: Mapping[int, Any]) -> None:
    if values:
        directories[directory] = {**directories.get(directory, {}), **values}


def _tags_of(data: bytes, image: ImageFile.ImageFile, info: Mapping[Any, Any]) -> Directories:
    """The tags of EXIF; none if they cannot be trusted. A TIFF is such a block itself."""
    block = data if isinstance(image, TiffImagePlugin.TiffImageFile) else info.get("exif")
    if not isinstance(block, bytes) or tiff.claims_too_much(block, beneath=True):
        return {}
    nothing: Directories = {}
    return decode.read_exif(
        block, lambda tags: {FIRST: dict(tags), EXIF: dict(tags.get_ifd(EXIF)), GPS: dict(tags.get_ifd(GPS))}, nothing
    )


def _iptc_of(image: ImageFile.ImageFile) -> dict[tuple[int, int], list[bytes]]:
    """The values of each field of IPTC; none if they cannot be read."""
    if isinstance(image, TiffImagePlugin.TiffImageFile) and _IPTC_TAG not in image.tag_v2:
        image = _Resources(image.tag_v2.get(_RESOURCES_TAG))
    if not isinstance(image, (JpegImagePlugin.JpegImageFile, TiffImagePlugin.TiffImageFile)):
        return {}
    try:
        found = IptcImagePlugin.getiptcinfo(image) or {}
    except (SyntaxError, ValueError, TypeError, LookupError, AttributeError, OSError, struct.error):
        return {}
    return {key: value if isinstance(value, list) else [value] for key, value in found.items()}


class _Resources(JpegImagePlugin.JpegImageFile):
    """Photoshop's resources of a TIFF in the shape of a JPEG, the only one in which Pillow reads IPTC of them."""

    def __init__(self, resources: object) -> None:
        found = _IPTC_RESOURCE.search(resources) if isinstance(resources, bytes) else None
        self.info = {}
        if found:
            end = found.end() + int.from_bytes(found["length"])
            self.info["photoshop"] = {_IPTC: found.string[found.end() : end]}


def _moment_in(properties: xmp.Properties) -> tuple[str, dict[int, Any]]:
    """The property of XMP that says when the photo was taken, and that as tags of EXIF."""
    for name in _MOMENTS:
        try:
            text = _first(properties, name)
            moment = datetime.fromisoformat(text)
        except ValueError:
            continue
        if "T" not in text:  # a date alone
            continue
        offset = moment.strftime("%z")
        tags: dict[int, Any] = {36867: moment.strftime("%Y:%m:%d %H:%M:%S")}
        return name, tags | ({36881: f"{offset[:3]}:{offset[3:5]}"} if offset else {})
    return "", {}


def _position(found: Directories, properties: xmp.Properties) -> tuple[Directories, set[str]]:
    """The valid tags of a position, and the properties of XMP in which it was; no tags without a place on earth."""
    tags, names = found.get(GPS, {}), set[str]()
    if not tags.keys() >= _PLACE:
        for name, tag in ((f"{xmp.EXIF}GPSLatitude", 1), (f"{xmp.EXIF}GPSLongitude", 3)):
            tags = {**tags, **_coordinate(_first(properties, name), tag)}
            names.add(name)
        tags = valid_tags({GPS: tags}, WHITELIST["position"]).get(GPS, {})
    if not tags.keys() >= _PLACE:
        return {}, set()
    latitude, longitude = (sum(part / 60**power for power, part in enumerate(tags[tag])) for tag in (2, 4))
    return ({GPS: tags}, names) if latitude <= 90 and longitude <= 180 else ({}, set())


# Decimals of a minute: the sixth is two millimetres. EXIF's numbers have 32 bits, so eight decimals would not fit.
_DECIMALS = 6


def _coordinate(text: str, tag: int) -> dict[int, Any]:
    """A coordinate of XMP, such as 46,12.5N or 46,12,30N, as two tags of EXIF."""
    found = _COORDINATE.fullmatch(text)
    if not found:
        return {}
    degrees, minutes, decimals, seconds, side = found.groups()
    decimals = (decimals or "")[:_DECIMALS]
    scale = 10 ** len(decimals)
    whole = IFDRational(int(minutes) * scale + int(decimals or 0), scale)
    return {tag: side, tag + 1: (IFDRational(int(degrees)), whole, IFDRational(int(seconds or 0)))}


def _first(properties: xmp.Properties, name: str) -> str:
    return (properties.get(name) or [""])[0]


def _kept_in_full(image: ImageFile.ImageFile, found: _Found, tags: Directories, properties: set[str]) -> frozenset[str]:
    """The names of what is kept in full, of what was found; `tags` and `properties` are what is kept."""
    lost = {
        directory: values.keys() - _OF_THE_FILE[directory] - tags.get(directory, {}).keys()
        for directory, values in found.tags.items()
    }
    names = {TiffTags.lookup(tag).name for tag in tags.get(FIRST, {})}  # a TIFF has them by these names
    names |= {"GPS"} if GPS in tags else set()
    names |= {name for directory, name in ((EXIF, "ExifIFD"), (GPS, "GPSInfoIFD")) if not lost.get(directory, True)}
    if found.tags and not any(lost.values()):
        names |= {"EXIF"}
    if found.properties and found.properties.keys() <= properties:
        names |= {"XMP"}
    resources = image.info.get("photoshop") or {_IPTC: b""}
    if (
        found.iptc
        and set(resources) == {_IPTC}
        and set(found.iptc) <= _IPTC_OF_THE_FILE | found.credited_in_iptc(properties)
    ):
        names |= {"IPTC", "IptcNaaInfo"}
    if found.texts and found.texts.keys() <= found.credited_in_texts(properties):
        names |= {"text"}
    return frozenset(names)


def _with_tags(file: bytes, tags: Directories, packet: bytes) -> bytes:
    """A TIFF of one picture with further tags.

    Pillow's encoder cannot write the directories for EXIF and GPS. So they are added at the end of the file, together
    with a new first directory that has all tags.
    """
    added = TiffImagePlugin.ImageFileDirectory_v2(file[:8])
    added.update(tags.get(FIRST, {}))
    added.update({pointer: values for pointer, values in tags.items() if pointer != FIRST})
    if packet:
        added.tagtype[_XMP] = TiffTags.BYTE
        added[_XMP] = packet
    file += bytes(len(file) % 2)  # directories begin at even places
    block = added.tobytes(len(file))
    order = "<" if file.startswith(b"II") else ">"
    (first,) = struct.unpack_from(f"{order}I", file, 4)
    entries = {tag: entry for part, at in ((file, first), (block, 0)) for tag, entry in _entries(part, at, order)}
    directory = b"".join(entries[tag] for tag in sorted(entries))
    block += bytes(len(block) % 2)
    place = struct.pack(f"{order}I", len(file) + len(block))
    return b"".join([file[:4], place, file[8:], block, struct.pack(f"{order}H", len(entries)), directory, bytes(4)])


def _entries(file: bytes, place: int, order: str) -> Iterator[tuple[int, bytes]]:
    """The tags of the directory at this place, with their entries of twelve bytes."""
    (count,) = struct.unpack_from(f"{order}H", file, place)
    for at in range(place + 2, place + 2 + 12 * count, 12):
        yield struct.unpack_from(f"{order}H", file, at)[0], file[at : at + 12]
