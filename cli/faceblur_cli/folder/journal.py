"""What earlier runs have done, in the folder of the results: a run that was ended goes on where it was.

The journal is only appended to, one line of JSON at a time. A photo has a line when its job has begun, and a line with
its outcome, which is written before the result gets its name. So after any end of the process, a result without a line
does not exist, and a line without its result is done again. A last line that is torn does not count.

A batch has a line from its creation on, and one when it is over. A photo that was uploaded to it has a line meanwhile.
"""

import errno
import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

from faceblur_cli.failures import Failure

NAME = ".faceblur-journal.jsonl"
# What a loss of power may cost. The end of the process costs nothing.
_SYNC_SECONDS = 5.0
_STARTED_OVER = {"started_over": True}
_NO_BATCH: dict[str, Any] = {"batch": None}


class State(NamedTuple):
    """What a photo's work depends on: its size in bytes, its time of change, and a digest of the job's options."""

    size: int
    mtime_ns: int
    options: str


class _Line(NamedTuple):
    offset: int
    length: int


class NoJournal:
    """Of results beside their photos: no run knows of another."""

    def outcome(self, name: str, state: State) -> dict[str, Any] | None:
        """Nothing was done before."""

    def begun_job(self, name: str, state: State) -> str | None:
        """No job has begun before."""

    def owns(self, result: str, name: str) -> bool:  # noqa: ARG002
        """No result is known."""
        return False

    def begin(self, name: str, state: State, job_id: str) -> None:
        """Note nothing."""

    def end(self, name: str, state: State, report: dict[str, Any], result: str | None = None, size: int = 0) -> None:
        """Note nothing."""


class Journal:
    """The journal of one folder, locked for one process. Threads may share it. Methods that write raise Failure."""

    def __init__(self, folder: Path, *, resume: bool, clock: Callable[[], float] = time.monotonic) -> None:
        """Lock and read the journal of a folder. Without `resume`, no photo counts as done.

        Raises Failure if another process has locked it, and OSError.
        """
        self._folder, self._clock, self._synced = folder, clock, clock()
        self._last: dict[str, _Line] = {}  # by the photo's name
        self._owners: dict[str, str] = {}  # the photo's name, by the result's
        self._batch = _NO_BATCH
        self._lock = threading.Lock()
        # Without sign-in the ids of the jobs are secrets.
        self._file = os.open(folder / NAME, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.fstat(self._file).st_nlink:
                # Another process has removed it since it was opened.
                raise BlockingIOError
        except BlockingIOError:
            os.close(self._file)
            raise Failure(
                f"Another `faceblur blur` writes to {folder}. Wait for its end, or choose another --out."
            ) from None
        self._end = 0
        self._read()
        if not resume and self._end:
            self._append(_STARTED_OVER)
            self._start_over()

    def __enter__(self) -> Self:
        """Give the journal, which is closed at the end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the journal."""
        self.close()

    def outcome(self, name: str, state: State) -> dict[str, Any] | None:
        """The report of an unchanged photo whose result is there; None if the photo is to be done."""
        line = self._line_of(name, state)
        report: dict[str, Any] | None = line.get("report")
        if not report or report["error"]:
            return None
        try:
            there = (self._folder / line["result"]).stat().st_size
        except OSError:
            return None
        return report if there == line["bytes"] else None

    def begun_job(self, name: str, state: State) -> str | None:
        """The id of the job that an earlier run has begun for an unchanged photo, and not ended."""
        return self._line_of(name, state).get("job_id")

    def begun_batch(self, options: str) -> str | None:
        """The id of the batch with these options (their digest) that has begun, and is not over."""
        batch_id: str | None = self._batch["batch"]
        return batch_id if batch_id and self._batch["options"] == options else None

    def begin_batch(self, batch_id: str, options: str) -> None:
        """Note that there is a batch, before anything is uploaded to it."""
        self._note_batch({"batch": batch_id, "options": options})

    def end_batch(self) -> None:
        """Note that nothing is expected of the batch any more."""
        self._note_batch(_NO_BATCH)

    def number_in(self, batch_id: str, name: str, state: State) -> int | None:
        """The number under which an unchanged photo was uploaded to the batch; None if it was not."""
        line = self._line_of(name, state)
        return line["number"] if line.get("batch") == batch_id else None

    def send(self, name: str, state: State, batch_id: str, number: int) -> None:
        """Note that the photo was uploaded to the batch."""
        self._note(name, state, {"batch": batch_id, "number": number})

    def owns(self, result: str, name: str) -> bool:
        """Whether an earlier run has stored this result, a path below the folder, for this photo."""
        return self._owners.get(result) == name

    def begin(self, name: str, state: State, job_id: str) -> None:
        """Note that the photo has arrived at the service."""
        self._note(name, state, {"job_id": job_id})

    def end(self, name: str, state: State, report: dict[str, Any], result: str | None = None, size: int = 0) -> None:
        """Note the outcome of a photo; `result` is the path below the folder at which `size` bytes will be stored."""
        self._note(name, state, {"result": result, "bytes": size, "report": report})
        if result is not None:
            self._owners[result] = name

    def close(self) -> None:
        """Write everything to the disk, and unlock the folder. Nothing is noted any more.

        A journal in which nothing is noted goes, so that a run whose options are refused leaves nothing.
        """
        with self._lock:
            if self._file >= 0:
                try:
                    os.fsync(self._file)
                    if not self._end:
                        (self._folder / NAME).unlink(missing_ok=True)
                finally:
                    os.close(self._file)
                    self._file = -1

    def _note(self, name: str, state: State, content: dict[str, Any]) -> None:
        with self._writing():
            self._last[name] = self._append({"path": name, **state._asdict(), **content})

    def _note_batch(self, line: dict[str, Any]) -> None:
        with self._writing():
            self._append(line)
            self._batch = line

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Let no other thread write, and sync if it is time. Raises Failure for errors."""
        try:
            with self._lock:
                yield
                if self._clock() - self._synced >= _SYNC_SECONDS:
                    os.fsync(self._file)
                    self._synced = self._clock()
        except OSError as error:
            raise Failure(
                f"The journal in {self._folder} cannot be written: {error.strerror}. "
                "Mend that, and run the same command again to go on."
            ) from error

    def _append(self, content: dict[str, Any]) -> _Line:
        data = json.dumps(content).encode() + b"\n"
        line = _Line(self._end, len(data))
        # A write that a full disk cut short would tear the line that follows, too.
        if os.write(self._file, data) != len(data):
            os.ftruncate(self._file, self._end)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._end += len(data)
        return line

    def _line_of(self, name: str, state: State) -> dict[str, Any]:
        """The photo's last line if it speaks of this state, else an empty one."""
        with self._lock:
            at = self._last.get(name)
            data = os.pread(self._file, at.length, at.offset) if at else b"{}"
        line: dict[str, Any] = json.loads(data)
        return line if at and State(line["size"], line["mtime_ns"], line["options"]) == state else {}

    def _start_over(self) -> None:
        self._last.clear()
        self._batch = _NO_BATCH

    def _read(self) -> None:
        """Read where each photo's last line is. A line that is torn is cut off."""
        with os.fdopen(os.dup(self._file), "rb") as lines:
            for data in lines:
                try:
                    line = json.loads(data) if data.endswith(b"\n") else None
                except ValueError:
                    line = None
                if line == _STARTED_OVER:
                    self._start_over()
                elif line and "path" not in line:
                    self._batch = line
                elif line:
                    self._last[line["path"]] = _Line(self._end, len(data))
                    if line.get("result") is not None:
                        self._owners[line["result"]] = line["path"]
                elif not data.endswith(b"\n"):
                    os.ftruncate(self._file, self._end)
                    return
                self._end += len(data)
