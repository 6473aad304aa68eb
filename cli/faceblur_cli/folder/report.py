"""Reports about photos: as a line for people, as JSON, as CSV, and as the counts at the end."""

import csv
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

# Warnings that something may be visible in the result that should be hidden. A review answers the warnings before it.
_TO_INSPECT = {"BelowConfidence", "ChecksNotSettled"}

# The singular and the plural of each kind.
_NAMES = {"face": ("face", "faces"), "plate": ("number plate", "number plates"), "text": ("text", "texts")}
# The extensions of reports, and the first bytes of each.
_BEGINNINGS = {".csv": b"photo,job_id,", ".jsonl": b'{"photo": '}


@dataclass
class Report:
    """The state of one photo's job and, at its end, the outcome; `--json` prints these fields.

    If a file is not a photo, `skipped` says what it is. `done_before` says that an earlier run has stored the result.
    """

    photo: str
    job_id: str | None = None
    status: str = "WAITING"
    hidden: dict[str, int] | None = None
    missed_at_first: int | None = None
    kept: dict[str, int] | None = None
    check_rounds: int | None = None
    warnings: Sequence[str] = ()
    reviewed: bool = False
    seconds: float = 0.0
    output: str | None = None
    receipt: str | None = None
    error: dict[str, str] | None = None
    skipped: str | None = None
    done_before: bool = False

    def take_outcome(self, job: dict[str, Any]) -> None:
        """Copy what a completed job says about its result."""
        for name in ("hidden", "missed_at_first", "kept", "check_rounds", "warnings", "reviewed"):
            setattr(self, name, job[name])

    def fail(self, code: str, message: str) -> None:
        """Set this error as the outcome."""
        self.status, self.error = "FAILED", {"code": code, "message": message}

    @property
    def is_final(self) -> bool:
        """Whether this is the outcome."""
        return self.status in {"COMPLETED", "FAILED", "SKIPPED"}

    @property
    def needs_inspection(self) -> bool:
        """Whether something may be visible in the result without anybody's decision."""
        return bool(_TO_INSPECT.intersection(self.warnings)) or ("NothingFound" in self.warnings and not self.reviewed)

    @property
    def is_ordinary(self) -> bool:
        """Whether this is a result that needs no attention."""
        return self.status == "COMPLETED" and not self.needs_inspection

    @property
    def summary(self) -> str:
        """The outcome of a completed job in one line."""
        missed = f", {self.missed_at_first} of them found by a check" if self.missed_at_first else ""
        kept = f", {_in_words(self.kept)} kept visible" if _sum(self.kept) else ""
        checks = "1 check" if self.check_rounds == 1 else f"{self.check_rounds} checks"
        look = ", please look" if self.needs_inspection else ""
        warnings = f" ({', '.join(self.warnings)}{look})" if self.warnings else ""
        return f"{self.photo}: {_in_words(self.hidden)} hidden{missed}{kept}; {checks}{warnings} → {self.output}"

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))


@dataclass
class Counts:
    """The number of photos for each way to end."""

    hidden: int = 0
    nothing_hidden: int = 0
    failed: int = 0
    skipped: int = 0
    waiting: int = 0
    done_before: int = 0
    to_inspect: int = 0

    def add(self, report: Report) -> None:
        """Count an outcome, or a photo that waits for a run."""
        self.done_before += report.done_before
        if report.status == "WAITING":
            self.waiting += 1
        elif report.skipped:
            self.skipped += 1
        elif report.error:
            self.failed += 1
        else:
            self.hidden += bool(_sum(report.hidden))
            self.nothing_hidden += not _sum(report.hidden)
            self.to_inspect += report.needs_inspection

    @property
    def total(self) -> int:
        """The number of files that have ended."""
        return self.hidden + self.nothing_hidden + self.failed + self.skipped

    @property
    def worked(self) -> int:
        """The number of files that this run has worked on."""
        return self.total - self.skipped - self.done_before

    def __str__(self) -> str:
        """The counts in one line. Hidden and failed are always shown, the others only if they are not zero."""
        told = [
            (self.hidden, "hidden"),
            (self.nothing_hidden, "with nothing hidden"),
            (self.failed, "failed"),
            (self.skipped, "skipped"),
            (self.waiting, "to do"),
        ]
        line = ", ".join(f"{count:,} {what}" for count, what in told if count or what in {"hidden", "failed"})
        return line + (f"; {self.done_before:,} of them by an earlier run" if self.done_before else "")


def exit_code(counts: Counts) -> int:
    """1 if a photo failed, 3 if somebody should look at a result, otherwise 0."""
    if counts.failed:
        return 1
    return 3 if counts.to_inspect else 0


def _row(report: Report) -> dict[str, Any]:
    """A report as a row of the CSV. Each kind of hidden and kept, and each part of an error, has its own column."""
    row = {name: value for name, value in asdict(report).items() if name not in {"hidden", "kept", "error"}}
    row["warnings"] = " ".join(report.warnings)
    for name, counts in (("hidden", report.hidden), ("kept", report.kept)):
        row |= {f"{name}_{kind}": (counts or {}).get(kind) for kind in _NAMES}
    return row | {name: (report.error or {}).get(name) for name in ("code", "message")}


def _sum(counts: dict[str, int] | None) -> int:
    return sum((counts or {}).values())


def _in_words(counts: dict[str, int] | None) -> str:
    """Counts by kind in words, such as `2 faces, 1 number plate`; `nothing` if there is none."""
    told = [f"{count} {_NAMES[kind][count != 1]}" for kind, count in (counts or {}).items() if count]
    return ", ".join(told) or "nothing"


def obstacle(path: Path) -> str | None:
    """The reason why a report must not be written to this file; None if it may be. Raises OSError.

    A report replaces the file, so an existing file must be empty, or the report of an earlier run.
    """
    beginning = _BEGINNINGS.get(path.suffix.lower())
    if beginning is None:
        return "is neither a .csv nor a .jsonl file."
    if path.is_file():
        with path.open("rb") as file:
            found = file.read(len(beginning))
        if found not in (b"", beginning):
            return "exists and is no report of an earlier run. Choose another name."
    return None


class ReportFile:
    """The file of `--report`, with a line for each photo. The file's extension decides whether it is CSV or JSON."""

    def __init__(self, path: Path) -> None:
        """Open the file without changing its content. Raises OSError."""
        self._path, self._was_there, self._is_begun = path, path.exists(), False
        self._file = path.open("a", encoding="utf-8", newline="")
        self._csv = csv.writer(self._file) if path.suffix.lower() == ".csv" else None

    def add(self, report: Report) -> None:
        """Write a photo's line. Raises OSError."""
        if not self._is_begun:
            self._begin()
        if self._csv:
            self._csv.writerow(_row(report).values())
        else:
            self._file.write(report.to_json() + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file. If the run reported nothing, for example because its options are refused, it is unchanged."""
        self._file.close()
        if not (self._is_begun or self._was_there):
            self._path.unlink(missing_ok=True)

    def _begin(self) -> None:
        """Empty the file. Each run reports all photos, also those that earlier runs have done."""
        self._is_begun = True
        # A pipe cannot be emptied.
        if self._file.seekable():
            self._file.truncate(0)
        if self._csv:
            self._csv.writerow(_row(Report("")))


def shown(path: Path) -> str:
    r"""A path as plain text. Bytes that are not UTF-8, and control characters, are shown as `\xff`."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
