"""Tells by a file's first bytes whether it may be a photo. If it may, the service decides."""

# The number of bytes in which a file of ISO's base media format names its brands.
HEAD_BYTES = 256

_PHOTOS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"II*\0", b"MM\0*", b"II+\0")
# Raw files that are not TIFFs: Panasonic, Olympus, Fujifilm, Sigma, Minolta, Canon. They are sent, because the service
# tells the user what to do with them.
_RAW = (b"IIU\0", b"IIRO", b"IIRS", b"MMOR", b"FUJIFILM", b"FOVb", b"\0MRM", b"II\x1a\0")
# Brands of HEIF, AVIF and Canon's CR3. All other brands are videos or sounds
# (https://mp4ra.org/registered-types/brands).
_PHOTO_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"avif", b"avis", b"crx "}

_OTHERS = {
    b"\x1a\x45\xdf\xa3": "a video",
    b"\0\0\1\xba": "a video",
    b"\0\0\1\xb3": "a video",
    b"GIF8": "a GIF file",
    b"%PDF": "a PDF document",
    b"PK\3\4": "an archive or a document",
}


def other_kind(head: bytes) -> str:
    """What a file with these first bytes is, such as "a video", if it is certainly not a photo; otherwise empty."""
    if not head:
        return "an empty file"
    if head[4:8] == b"ftyp":
        brands = {head[at : at + 4] for at in range(8, min(int.from_bytes(head[:4]), len(head)), 4)}
        return "" if brands & _PHOTO_BRANDS else "a video"
    if head[:4] == b"RIFF":
        return {b"WEBP": "", b"AVI ": "a video"}.get(head[8:12], "no photo")
    if head.startswith(_PHOTOS + _RAW):
        return ""
    return next((kind for start, kind in _OTHERS.items() if head.startswith(start)), "no photo")
