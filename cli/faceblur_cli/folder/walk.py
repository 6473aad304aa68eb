"""Finds the files of folders, one after the other and in the same order each time.

Names are decoded as Python does it: bytes that are not UTF-8 become lone surrogates, and `os.fsencode` restores them.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

# The first characters of the names of our own files: the journal, and incomplete results.
OURS = ".faceblur-"


@dataclass(frozen=True, slots=True)
class Found:
    """A file and, if it is not a readable photo, the reason as far as it is known.

    `name` is its path below the given folder, or the whole path of a file that was given by its name. `problem` tells
    why the file cannot be read, and `other` what it is instead of a file.
    """

    path: Path
    name: str
    is_named: bool = False
    problem: str = ""
    other: str = ""


def walk(sources: Sequence[Path], out: Path | None) -> Iterator[Found]:
    """The files of these folders, in all depths, and these files. The folder `out` is not walked.

    With several folders, names begin with the folder's own, because two may hold files of the same name.
    """
    within = folders(sources)
    for source in dict.fromkeys(sources):
        if source in within:
            yield from _below(source, source.absolute().name if len(within) > 1 else "", out)
        else:
            yield Found(source, str(source.absolute()), is_named=True)


def folders(sources: Sequence[Path]) -> list[Path]:
    """The folders among the sources, each once."""
    return [source for source in dict.fromkeys(sources) if source.is_dir()]


def _below(root: Path, prefix: str, out: Path | None) -> Iterator[Found]:
    """The files below a folder. It uses a list as its stack, because recursion would limit the depth."""
    inside = root.resolve()
    left_out = _identity(out.stat()) if out and out.is_dir() else None
    # For each open folder: its path, the prefix of its files' names, and its remaining entries, the next one last.
    pending: list[tuple[Path, Path, list[str]]] = []

    def enter(folder: Path, name: Path) -> None:
        if _identity(folder.stat()) != left_out:
            pending.append((folder, name, _entries(folder)))

    try:
        enter(root, Path(prefix))
    except OSError as error:
        yield Found(root, prefix or str(root), problem=_reason(error))
    while pending:
        folder, folder_name, entries = pending[-1]
        if not entries:
            pending.pop()
            continue
        entry = entries.pop()
        path, name = folder / entry, folder_name / entry
        try:
            mode = path.lstat().st_mode
            if stat.S_ISDIR(mode):
                enter(path, name)
            else:
                yield Found(path, str(name), other=_other(path, mode, inside))
        except OSError as error:
            yield Found(path, str(name), problem=_reason(error))


def _entries(folder: Path) -> list[str]:
    """The names in a folder in reverse order, without our own files."""
    names = (path.name for path in folder.iterdir())
    return sorted((name for name in names if not name.startswith(OURS)), key=os.fsencode, reverse=True)


def _other(path: Path, mode: int, inside: Path) -> str:
    """What an entry is, if it is not a file in this folder; empty if it is. Raises OSError.

    A link to a folder could lead in a circle. A link to a file outside leads to a file that was not asked for.
    """
    target = path.stat().st_mode
    if stat.S_ISLNK(mode) and stat.S_ISDIR(target):
        return "a link to a folder"
    if not stat.S_ISREG(target):
        return "no file"
    if stat.S_ISLNK(mode) and not path.resolve().is_relative_to(inside):
        return "a link that leads out of the folder"
    return ""


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
