"""The places of results. A result is stored complete or not at all, and never replaces a file of somebody else."""

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
        """The result's path. If the photo's extension is of another type, it stays in the name, so that names differ.

        So `a.heic` becomes `a.heic.jpg`, because there may also be an `a.jpg`.
        """
        extensions = _EXTENSIONS.get(content_type, (f".{content_type.removeprefix('image/')}",))
        right = self.extension.lower() in extensions
        return self.folder / (self.stem + self.extension + ("" if right else extensions[0]))

    @property
    def likely(self) -> Path | None:
        """The result's path if the result keeps the format and the name of the photo; otherwise None."""
        return self.folder / (self.stem + self.extension) if self.extension else None

    @property
    def receipt_path(self) -> Path:
        """The path of the result's receipt."""
        return self.folder / self.receipt


class Targets:
    """Gives each photo its place. It is the same in each run, in whatever order the photos end."""

    def __init__(self, out: Path | None, suffix: str) -> None:
        """Store below the folder `out`, or beside the photos. The suffix goes between name and extension."""
        self._out, self._suffix = out, suffix
        self._given: set[Path] = set()

    def of(self, found: Found) -> Target:
        """The place for a photo's result: the same name below `out`, or NAME.blurred for a file given by its name."""
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
    """Raise ResultExists if the path is taken, and OSError if it can never be used, for example a name too long."""
    try:
        path.lstat()
    except FileNotFoundError:
        return
    raise ResultExists(
        f"{shown(path)} exists, and no earlier run has stored it. Choose another --out, or move that file."
    )


def store(content: bytes, path: Path, mtime_ns: int | None, before: Callable[[], None]) -> None:
    """Write a file under a temporary name in the same folder, call `before`, and rename the file. Raises OSError.

    If the process is ended meanwhile, the temporary file stays. The next run overwrites it.
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
