"""Logs must hold nothing of a photo, its boxes, its job's id or its sender. These patterns find it."""

from __future__ import annotations

import re

# A made-up location in the metadata of the test photos. The tests search each result for it.
MARK = b"48.8584N-2.2945E-"

_PRIVATE = {
    "a presigned link or form": r"x-amz-(?:signature|credential|security-token|algorithm)",
    "an address on the web": r"https?://",
    "a photo's bytes": r"JFIF|\\x89PNG|Exif\\x00|WEBPVP8|(?:\\{1,2}x[0-9a-f]{2}){4}|[A-Za-z0-9+/]{200}",
    "a job's id": r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])",
    "a box": r"\b(?:left|top|width|height)\\?['\"]?\s*[:=]\s*-?\d",
    "a token": r"eyJ[\w-]{8,}\.[\w-]{8,}",
    "a file's name": r"[^\s\"'/\\]\.(?:jpe?g|png|webp|avif|heic|tiff?|bmp|gif)\b",
    "a client's address": r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])|\b(?:[0-9a-f]{1,4}:){4,7}[0-9a-f]{1,4}\b",
}


def private_in(text: str) -> dict[str, str]:
    """The private things in a text: each kind with the text around its first occurrence."""
    found = {what: re.search(pattern, text, re.IGNORECASE) for what, pattern in _PRIVATE.items()}
    return {what: text[max(0, hit.start() - 80) : hit.end() + 40] for what, hit in found.items() if hit}
