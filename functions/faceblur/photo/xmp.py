"""XMP packets: the properties of one that was read, and one written afresh (ISO 16684-1)."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Mapping

    Properties = Mapping[str, list[str]]

MOST_BYTES = 1_000_000  # of a packet that is read; a photo has some kilobytes
MOST_VALUES = 10  # of one property

DC = "{http://purl.org/dc/elements/1.1/}"
PHOTOSHOP = "{http://ns.adobe.com/photoshop/1.0/}"
BASIC = "{http://ns.adobe.com/xap/1.0/}"
EXIF = "{http://ns.adobe.com/exif/1.0/}"
GPANO = "{http://ns.google.com/photos/1.0/panorama/}"
_META = "{adobe:ns:meta/}"
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_XML = "{http://www.w3.org/XML/1998/namespace}"
for _prefix, _name in (("dc", DC), ("photoshop", PHOTOSHOP), ("GPano", GPANO), ("x", _META), ("rdf", _RDF)):
    ET.register_namespace(_prefix, _name[1:-1])

# Lists in order, and texts that may be there in several languages. All other properties that are written are plain.
LISTS = {f"{DC}creator"}
_ALTERNATIVES = {f"{DC}rights", f"{DC}description"}
_CONTAINERS = {f"{_RDF}{name}" for name in ("Seq", "Bag", "Alt")}

_HEAD = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
_TAIL = '<?xpacket end="r"?>'
# Marks that change the direction of all text that follows, even outside of the value.
_DIRECTIONS = {*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}


def read(packet: object) -> dict[str, list[str]]:
    """The values of each property of a packet, by its namespace and name; none if the packet cannot be trusted.

    If a property is there twice, the first one counts. A structure has no values here, only its name.
    """
    if not isinstance(packet, bytes) or len(packet) > MOST_BYTES:
        return {}
    try:
        text = packet.decode().strip("\0 \t\r\n\ufeff")
        if "<!DOCTYPE" in text:  # it could define entities, which grow without limit; XMP has none
            return {}
        root = ET.fromstring(text)  # noqa: S314
    except (ValueError, ET.ParseError):
        return {}
    found: dict[str, list[str]] = {}
    for block in root.iter(f"{_RDF}RDF"):
        for description in block.iterfind(f"{_RDF}Description"):
            for name, value in description.attrib.items():
                if not name.startswith((_RDF, _XML)):
                    found.setdefault(name, [value])
            for child in description:
                found.setdefault(child.tag, _values(child))
    return found


def _values(element: ET.Element) -> list[str]:
    if not len(element):
        return [element.text or ""]
    container = element[0]
    items = container.findall(f"{_RDF}li") if container.tag in _CONTAINERS else []
    if container.tag == f"{_RDF}Alt":
        items.sort(key=lambda item: item.get(f"{_XML}lang") != "x-default")
        del items[1:]
    return [item.text or "" for item in items[:MOST_VALUES]]


def write(properties: Properties) -> bytes:
    """A packet with these properties and nothing else; no bytes without a property."""
    if not properties:
        return b""
    root = ET.Element(f"{_META}xmpmeta")
    description = ET.SubElement(ET.SubElement(root, f"{_RDF}RDF"), f"{_RDF}Description", {f"{_RDF}about": ""})
    for name, values in properties.items():
        element = ET.SubElement(description, name)
        if name in LISTS:
            items = ET.SubElement(element, f"{_RDF}Seq")
            for value in values:
                ET.SubElement(items, f"{_RDF}li").text = value
        elif name in _ALTERNATIVES:
            attributes = {f"{_XML}lang": "x-default"}
            ET.SubElement(ET.SubElement(element, f"{_RDF}Alt"), f"{_RDF}li", attributes).text = values[0]
        else:
            element.text = values[0]
    return f"{_HEAD}{ET.tostring(root, encoding='unicode')}{_TAIL}".encode()


def clean(text: str, most: int) -> str:
    """The text without control characters, cut to this many characters. Ends of lines stay."""
    kept = (
        each
        for each in text[: 2 * most].replace("\r\n", "\n")
        if each == "\n" or (unicodedata.category(each) not in ("Cc", "Cs", "Cn") and each not in _DIRECTIONS)
    )
    return "".join(kept).strip()[:most].strip()
