"""Where results belong, and how they get there: complete or not at all, and never over a file of somebody else."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from faceblur_cli.folder.problems import ResultExists
from faceblur_cli.folder.report import shown
from faceblur_cli.folder.walk import OURS, Found

_EXTENSIONS = {
    "image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "image/png": (".png",),
    "image/webp": (".webp",),
    "image/avif": (".avif",),
    "image/tiff": (".tif", ".tiff"),
    "image/bmp": (".bmp", ".dib"),
}


@dataclass(frozen=True, slots=True)
class Target:
    """The place of one result: a name without its extension, and the photo's extension if the result keeps its name."""

    folder: Path
    stem: str
    extension: str
    receipt: str

    def path(self, content_type: str) -> Path:
        """The result's path. An extension that is not of its type stays in the name, so that it meets no other result.

        So `a.heic` becomes `a.heic.jpg`, although there may be an `a.jpg`.
        """
        extensions = _EXTENSIONS.get(content_type, (f".{content_type.removeprefix('image/')}",))
        right = self.extension.lower() in extensions
        return self.folder / (self.stem + self.extension + ("" if right else extensions[0]))

    @property
    def likely(self) -> Path | None:
        """The result's path if it keeps the format and the name of the photo."""
        return self.folder / (self.stem + self.extension) if self.extension else None

    @property
    def receipt_path(self) -> Path:
        """The path of the result's receipt."""
        return self.folder / self.receipt


class Targets:
    """Gives each photo its place: the same one in each run, whichever photo ends first."""

    def __init__(self, out: Path | None, suffix: str) -> None:
        """Store below the folder `out`, or beside the photos. The suffix goes between name and extension."""
        self._out, self._suffix = out, suffix
        self._given: set[Path] = set()

    def of(self, found: Found) -> Target:
        """The place for a photo's result: of the same name below `out`, or NAME.blurred if it was asked for by name."""
        if found.is_named:
            return self._of_named(found.path)
        name = Path(found.name)
        stem = name.stem + self._suffix
        return Target((self._out or Path()) / name.parent, stem, name.suffix, f"{stem}{name.suffix}.receipt.json")

    def _of_named(self, photo: Path) -> Target:
        """The first of the names NAME.blurred, NAME.blurred-2 and so on that is free."""
        folder, number = self._out or photo.parent, 1
        while self._is_taken(folder / f"{photo.stem}.blurred{_numbered(number)}"):
            number += 1
        result = f"{photo.stem}.blurred{_numbered(number)}"
        self._given.add(folder / result)
        return Target(folder, result, "", f"{photo.stem}.receipt{_numbered(number)}.json")

    def _is_taken(self, stem: Path) -> bool:
        every = (extension for extensions in _EXTENSIONS.values() for extension in extensions)
        return stem in self._given or any(os.path.lexists(f"{stem}{extension}") for extension in every)


def check_free(path: Path) -> None:
    """Raise ResultExists if something is at this path, and OSError if nothing can ever be, as with a name too long."""
    try:
        path.lstat()
    except FileNotFoundError:
        return
    raise ResultExists(
        f"{shown(path)} exists, and no earlier run has stored it. Choose another --out, or move that file."
    )


def store(content: bytes, path: Path, mtime_ns: int | None, before: Callable[[], None]) -> None:
    """Write a file under another name in the same folder, call `before`, and give it its name. Raises OSError.

    A process that is ended leaves that other name behind. The next run writes it again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{OURS}{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]}.part")
    try:
        part.write_bytes(content)
        if mtime_ns is not None:
            os.utime(part, ns=(mtime_ns, mtime_ns))
        before()
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _numbered(number: int) -> str:
    return f"-{number}" if number > 1 else ""
