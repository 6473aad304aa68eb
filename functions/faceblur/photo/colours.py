"""Colours that a file describes by code (CICP, ITU-T H.273) instead of an ICC profile.

HEIC and AVIF have them in a box called nclx, PNG in a chunk called cICP. Other formats cannot say them. So colours of
ordinary brightness get an ICC profile that says the same. High dynamic range (HDR) is mapped to sRGB: eight bits are
too few for it, and viewers without it would show a dark, flat picture.

References: BT.2100-2 (PQ, HLG), BT.2390-10 section 5.4.1 (the tone mapping), BT.2408 (203 cd/m² is white), ICC.1:2022.
"""

from __future__ import annotations

import math
import struct
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

from PIL import ImageCms, ImageStat

from faceblur.photo import heif_boxes
from faceblur.photo.structure import png_chunks

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image, ImageFile

PQ, HLG = 16, 18
_UNSAID = 2  # the number for "unspecified" in both tables
_WIDE = 9  # the primaries of BT.2020
# Red, green and blue of the primaries in XYZ, adapted to ICC's white (D50) by Bradford's matrix.
_BT709 = (0.436066, 0.222488, 0.013916), (0.385147, 0.716873, 0.097076), (0.143066, 0.060608, 0.714096)
_BT2020 = (0.673459, 0.279033, -0.001931), (0.165661, 0.675338, 0.029979), (0.125100, 0.045629, 0.797162)
_P3 = (0.515102, 0.241182, -0.001049), (0.291965, 0.692236, 0.041882), (0.157153, 0.066582, 0.784378)
_PRIMARIES = {_WIDE: _BT2020, 12: _P3}
# Transfers that are a power. All others but PQ and HLG are shown like sRGB, as browsers do.
_POWERS = {4: 2.2, 5: 2.8, 8: 1.0}

_WHITE = 203.0  # cd/m²
_HLG_PEAK = 1000.0  # cd/m², the display for which HLG's system gamma is 1.2
_LEVELS = 256
_D50 = (0.9642, 1.0, 0.8249)
# Bradford's matrix from D65 to D50, which a profile of version 4 has to state.
_ADAPTATION = (1.047886, 0.022919, -0.050216, 0.029582, 0.990484, -0.017079, -0.009252, 0.015073, 0.751678)


class Code(NamedTuple):
    """The code numbers of the primaries and of the transfer function (H.273, tables 2 and 3)."""

    primaries: int
    transfer: int

    @property
    def is_hdr(self) -> bool:
        """Whether the levels stand for brightness above that of paper."""
        return self.transfer in (PQ, HLG)


def code_of(data: bytes, image: ImageFile.ImageFile) -> Code | None:
    """The code of an opened photo's colours; None without one, or if an ICC profile describes them.

    In a PNG the code takes precedence over a profile (third edition, 4.3), unless a number of the code is unspecified.
    """
    profile = image.info.get("icc_profile")
    if image.format == "PNG":
        contents = [data[place] for name, place in png_chunks(data) if name == b"cICP"]
        code = Code(*contents[0][:2]) if contents and len(contents[0]) == 4 else None
        return None if code and profile and _UNSAID in code else code
    if profile:
        return None
    if image.format in ("AVIF", "HEIF"):
        for name, content in heif_boxes.properties(data):
            if name == b"colr" and content.startswith(b"nclx") and len(content) >= 8:
                return Code(*struct.unpack_from(">HH", content, 4))
    return None


def profile(code: Code) -> bytes | None:
    """An ICC profile for RGB of ordinary brightness; None if sRGB describes the colours, or if they are HDR."""
    power = _POWERS.get(code.transfer)
    if code.is_hdr or (code.primaries not in _PRIMARIES and power is None):
        return None
    return _icc(_PRIMARIES.get(code.primaries, _BT709), (lambda level: math.pow(level, power)) if power else _srgb)


def tone_mapped(image: Image.Image, code: Code) -> Image.Image:
    """An HDR picture of any mode with 8 bits a sample as sRGB, in place if it can be: RGB, or RGBA with transparency.

    Each of red, green and blue is mapped alone: up to about half of white it stays the same, and what is brighter is
    compressed so that the brightest level of the picture becomes white. A picture without anything brighter than white
    keeps its brightness.
    """
    mode = "RGBA" if image.has_transparency_data else "RGB"
    shown = image if image.mode == mode else image.convert(mode)
    brightest = max(high for _, high in ImageStat.Stat(shown).extrema[:3])
    primaries = _PRIMARIES.get(code.primaries, _BT709 if code.primaries == 1 else _BT2020)
    source = ImageCms.ImageCmsProfile(BytesIO(_icc(primaries, _tone_curve(code.transfer, brightest / (_LEVELS - 1)))))
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    ImageCms.profileToProfile(shown, source, ImageCms.createProfile("sRGB"), intent, inPlace=True)
    return shown


def _srgb(level: float) -> float:
    return level / 12.92 if level <= 0.04045 else math.pow((level + 0.055) / 1.055, 2.4)


def _tone_curve(transfer: int, brightest: float) -> Callable[[float], float]:
    """The light (1 is white) of a level (0…1) of PQ or HLG, in a picture whose brightest level is this one.

    It is the Hermite spline of BT.2390 from the picture's peak to 203 cd/m², with black as it is.
    """
    light = _pq if transfer == PQ else _hlg
    peak = _pq_level(max(light(brightest), _WHITE))
    most = _pq_level(_WHITE) / peak
    knee = 1.5 * most - 0.5

    def curve(level: float) -> float:
        mapped = min(_pq_level(light(level)) / peak, 1.0)
        if mapped > knee:
            t = (mapped - knee) / (1 - knee)
            mapped = (
                (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * most
            )
        return _pq(mapped * peak) / _WHITE

    return curve if most < 1 else lambda level: light(level) / _WHITE


def _pq(level: float) -> float:
    """The light in cd/m² of a level of PQ (BT.2100, table 4)."""
    root = math.pow(level, 32 / 2523)
    return 10_000 * math.pow(max(root - 107 / 128, 0) / (2413 / 128 - 2392 / 128 * root), 16384 / 2610)


def _pq_level(light: float) -> float:
    """The level of PQ of a light in cd/m²."""
    power = math.pow(light / 10_000, 2610 / 16384)
    return math.pow((107 / 128 + 2413 / 128 * power) / (1 + 2392 / 128 * power), 2523 / 32)


def _hlg(level: float) -> float:
    """The light in cd/m² of a level of HLG on a display of 1,000 cd/m² (BT.2100, table 5)."""
    scene = level**2 / 3 if level <= 0.5 else (math.exp((level - 0.55991073) / 0.17883277) + 0.28466892) / 12
    return _HLG_PEAK * math.pow(scene, 1.2)


def _icc(primaries: tuple[tuple[float, float, float], ...], curve: Callable[[float], float]) -> bytes:
    """An ICC profile of version 4.3 for a display with these primaries, and this curve from levels to light (0…1)."""
    levels = [round(65_535 * min(max(curve(level / (_LEVELS - 1)), 0.0), 1.0)) for level in range(_LEVELS)]
    curves = b"curv" + struct.pack(f">4xI{_LEVELS}H", _LEVELS, *levels)
    xyz = [b"XYZ " + _fixed(*each) for each in (_D50, *primaries)]
    names = b"wtpt", b"rXYZ", b"gXYZ", b"bXYZ"
    tags = {b"desc": _text("RGB by code"), b"cprt": _text("No copyright"), **dict(zip(names, xyz, strict=True))}
    tags |= {b"chad": b"sf32" + _fixed(*_ADAPTATION), b"rTRC": curves, b"gTRC": curves, b"bTRC": curves}
    directory, contents, start = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    places: dict[bytes, int] = {}
    for name, content in tags.items():
        if content not in places:  # the three curves are stored once
            places[content] = start + len(contents)
            contents += content + bytes(-len(content) % 4)
        directory += name + struct.pack(">II", places[content], len(content))
    head = struct.pack(">I4xI", start + len(contents), 0x04300000) + b"mntrRGB XYZ "
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _fixed(*_D50)[4:]
    return head.ljust(128, b"\0") + directory + contents


def _fixed(*values: float) -> bytes:
    """Four reserved bytes, and the values as fixed-point numbers."""
    return struct.pack(f">4x{len(values)}i", *(round(value * 65_536) for value in values))


def _text(words: str) -> bytes:
    text = words.encode("utf-16-be")
    return b"mluc" + struct.pack(">4xII4sII", 1, 12, b"enUS", len(text), 28) + text
