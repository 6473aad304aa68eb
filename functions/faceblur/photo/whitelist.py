"""The tags of EXIF that a job may ask to keep, and what a valid value of each is (Exif 3.0, CIPA DC-008).

Serial numbers, owners' names, maker notes, thumbnails and comments are not among them. A check gets what Pillow read,
of any type, and gives the value to write, or None.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from PIL import ExifTags
from PIL.TiffImagePlugin import IFDRational

from faceblur.photo import xmp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Directories = dict[int, dict[int, Any]]  # the values of each directory's tags

FIRST, EXIF, GPS = 0, int(ExifTags.IFD.Exif), int(ExifTags.IFD.GPSInfo)

_MOST = 2**31  # of the numbers in a fraction
NAME, LINE, CAPTION = 80, 500, 4_000  # the most characters of a text; all of them fit into a segment of a JPEG


def _text(most: int = NAME) -> Callable[[Any], bytes | str | None]:
    def valid(value: Any) -> bytes | None:
        return xmp.clean(decoded(value), most).encode() or None if isinstance(value, (str, bytes)) else None

    return valid


def _ascii(value: Any) -> str | None:
    text = xmp.clean(value, NAME) if isinstance(value, str) else ""
    return text.encode("ascii", "ignore").decode() or None


def _like(pattern: str) -> Callable[[Any], str | None]:
    known = re.compile(pattern)
    return lambda value: value if isinstance(value, str) and known.fullmatch(value) else None


def _moment(value: Any) -> str | None:
    try:
        datetime.strptime(value, "%Y:%m:%d %H:%M:%S")
    except (ValueError, TypeError):
        return None
    return str(value) if len(value) == len("2026:01:31 00:00:00") else None


def _integer(most: int) -> Callable[[Any], int | None]:
    return lambda value: value if type(value) is int and 0 <= value <= most else None


def _ratio(least: float, most: float) -> Callable[[Any], IFDRational | None]:
    def valid(value: Any) -> IFDRational | None:
        value = IFDRational(value) if type(value) is int else value
        if not isinstance(value, IFDRational):
            return None
        above, below = value.numerator, value.denominator
        if not (type(above) is int and type(below) is int and 0 < below < _MOST and abs(above) < _MOST):
            return None
        return IFDRational(above, below) if least <= above / below <= most else None

    return valid


def _ratios(*most: float) -> Callable[[Any], tuple[IFDRational, ...] | None]:
    """Fractions from 0 to these."""

    def valid(value: Any) -> tuple[IFDRational, ...] | None:
        if not isinstance(value, tuple) or len(value) != len(most):
            return None
        checked = tuple(_ratio(0, each)(one) for one, each in zip(value, most, strict=True))
        return None if None in checked else checked  # type: ignore[return-value]

    return valid


def _altitude_reference(value: Any) -> bytes | None:
    value = bytes([value]) if type(value) is int and 0 <= value <= 3 else value
    return value if value in (b"\0", b"\1", b"\2", b"\3") else None


_OFFSET, _FRACTION = _like(r"[+-]\d\d:\d\d"), _like(r"\d{1,9}")
WHITELIST: dict[str, Mapping[int, Mapping[int, Callable[[Any], Any]]]] = {
    "time": {
        FIRST: {306: _moment},
        EXIF: {
            36867: _moment, 36868: _moment, 36880: _OFFSET, 36881: _OFFSET, 36882: _OFFSET,
            37520: _FRACTION, 37521: _FRACTION, 37522: _FRACTION,
        },
    },
    "position": {
        GPS: {
            1: _like("[NS]"), 2: _ratios(90, 60, 60), 3: _like("[EW]"), 4: _ratios(180, 60, 60),
            5: _altitude_reference, 6: _ratio(0, 100_000), 11: _ratio(0, 1_000), 12: _like("[KMN]"),
            13: _ratio(0, 10_000), 14: _like("[TM]"), 15: _ratio(0, 360), 16: _like("[TM]"), 17: _ratio(0, 360),
            18: _ascii, 31: _ratio(0, 1_000_000),
        },
    },
    "camera": {
        FIRST: {271: _text(), 272: _text()},
        EXIF: {
            33434: _ratio(0, 100_000), 33437: _ratio(0, 1_000), 34850: _integer(9), 34855: _integer(65_535),
            37377: _ratio(-100, 100), 37378: _ratio(0, 100), 37380: _ratio(-100, 100), 37381: _ratio(0, 100),
            37383: _integer(255), 37384: _integer(255), 37385: _integer(255), 37386: _ratio(0, 100_000),
            41986: _integer(2), 41987: _integer(1), 41988: _ratio(0, 1_000), 41989: _integer(65_535),
            41990: _integer(3), 42034: _ratios(100_000, 100_000, 1_000, 1_000), 42035: _ascii, 42036: _ascii,
        },
    },
    "credit": {FIRST: {270: _text(CAPTION), 315: _text(LINE), 33432: _text(LINE)}},
}  # fmt: skip
# The time at a position is kept only with both.
GPS_TIME = {7: _ratios(24, 60, 60), 29: _like(r"\d{4}:\d\d:\d\d")}


def decoded(value: str | bytes) -> str:
    """A text of EXIF or IPTC. Pillow reads EXIF as Latin-1, but most programs write UTF-8."""
    stored = value.encode("latin-1", "ignore") if isinstance(value, str) else value
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return stored.decode("latin-1")


def valid_tags(tags: Directories, wanted: Mapping[int, Mapping[int, Callable[[Any], Any]]]) -> Directories:
    """The wanted tags whose values are valid; directories that have any."""
    found = {
        directory: {
            tag: value
            for tag, check in checks.items()
            if tag in tags.get(directory, {}) and (value := check(tags[directory][tag])) is not None
        }
        for directory, checks in wanted.items()
    }
    return {directory: values for directory, values in found.items() if values}
