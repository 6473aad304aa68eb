"""Panoramas, as Google's Photo Sphere metadata describes them (https://developers.google.com/streetview/spherical-metadata)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from faceblur.photo import decode, png, xmp

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROJECTIONS = {"equirectangular", "cylindrical", "rectilinear"}
_MOST_PIXELS, _MOST_DEGREES = 1_000_000, 360
_PIXELS = re.compile(r"\d{1,7}(\.0{1,6})?")
_DEGREES = re.compile(r"[+-]?\d{1,3}(\.\d{1,12})?")
PIXELS = (
    "FullPanoWidthPixels", "FullPanoHeightPixels", "CroppedAreaImageWidthPixels", "CroppedAreaImageHeightPixels",
    "CroppedAreaLeftPixels", "CroppedAreaTopPixels",
)  # fmt: skip
DEGREES = (
    "PoseHeadingDegrees", "PosePitchDegrees", "PoseRollDegrees", "InitialViewHeadingDegrees",
    "InitialViewPitchDegrees", "InitialViewRollDegrees", "InitialHorizontalFOVDegrees",
)  # fmt: skip


def valid_properties(properties: xmp.Properties) -> dict[str, list[str]]:
    """The valid properties of a panorama; none without a projection that is known."""
    found = {name: _first(properties, name) for name in ("ProjectionType", "UsePanoramaViewer", *PIXELS, *DEGREES)}
    if found["ProjectionType"].lower() not in _PROJECTIONS:
        return {}
    valid = {"ProjectionType": found["ProjectionType"].lower()}
    if found["UsePanoramaViewer"].lower() in ("true", "false"):
        valid["UsePanoramaViewer"] = found["UsePanoramaViewer"].capitalize()
    valid |= {
        name: found[name] for name in PIXELS if _PIXELS.fullmatch(found[name]) and float(found[name]) <= _MOST_PIXELS
    }
    valid |= {
        name: found[name]
        for name in DEGREES
        if _DEGREES.fullmatch(found[name]) and abs(float(found[name])) <= _MOST_DEGREES
    }
    return {f"{xmp.GPANO}{name}": [value] for name, value in valid.items()}


def wraps(data: bytes) -> bool:
    """Whether the photo shows the whole horizon, so that its right edge continues at its left edge.

    It says that it is equirectangular, and that it is as wide as the whole panorama. Without widths, the photo has to
    be twice as wide as high. Raises the errors of `decode.inspect`.
    """
    with decode.tolerating_damage(), decode.open_image(data) as image:
        header = decode.header(image)
        found = valid_properties(xmp.read(packet_of(png.info_of(data, image))))
    if _first(found, "ProjectionType") != "equirectangular" or header.orientation != 1:
        return False
    full = _first(found, "FullPanoWidthPixels")
    if not full:
        return header.width == 2 * header.height
    return float(full) == float(_first(found, "CroppedAreaImageWidthPixels") or header.width)


def packet_of(info: Mapping[Any, Any]) -> object:
    """The XMP packet of a photo's `info`, if it has one."""
    packet = info.get("xmp") or info.get(png.XMP)
    return packet.encode(errors="replace") if isinstance(packet, str) else packet


def _first(properties: xmp.Properties, name: str) -> str:
    values = properties.get(f"{xmp.GPANO}{name}") or [""]
    return values[0].strip()
