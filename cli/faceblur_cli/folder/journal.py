"""The journal of earlier runs, in the folder of the results. With it, a run continues where the last one ended.

Lines of JSON are appended to the journal, and never changed. A photo has a line when its job has begun, and a line with
its outcome. The outcome is written before the result gets its name. So even after a crash, every result has a line, and
a photo with a line but without its result is done again. An incomplete last line is ignored.

A batch has a line when it is created, whenever numbers are taken, and when it is over. A photo that was uploaded to the
batch has a line too.
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
# The time between two syncs to the disk, in seconds. A loss of power may lose the lines of this time. A crash of the
# process loses nothing.
_SYNC_SECONDS = 5.0
_STARTED_OVER = {"started_over": True}


class State(NamedTuple):
    """The state of a photo. If it is unchanged, the photo need not be done again.

    It has the size in bytes, the time of the last change, and a digest of the job's options.
    """

    size: int
    mtime_ns: int
    options: str


class Batch(NamedTuple):
    """A batch that is not over: its id, the digest of its work, and the next free number for a photo.

    If the id is empty, there is no batch. If `work` is empty, no run continues with the batch.
    """

    batch_id: str = ""
    work: str = ""
    free: int = 0


class _Line(NamedTuple):
    offset: int
    length: int


class NoJournal:
    """The journal for results beside their photos: it records nothing."""

    def outcome(self, name: str, state: State) -> dict[str, Any] | None:
        """No photo was done before."""

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
    """The journal of one folder, locked for this process. Threads may share it. Methods that write raise Failure."""

    def __init__(self, folder: Path, *, resume: bool, clock: Callable[[], float] = time.monotonic) -> None:
        """Lock and read the journal of a folder. Without `resume`, no photo counts as done.

        Raises Failure if another process has locked it, and OSError.
        """
        self._folder, self._clock, self._synced = folder, clock, clock()
        self._last: dict[str, _Line] = {}  # by the photo's name
        self._owners: dict[str, str] = {}  # the photo's name, by the result's
        self.batch = Batch()  # the one that has begun and is not over
        self._lock = threading.Lock()
        # Without sign-in the ids of the jobs are secrets.
        self._file = os.open(folder / NAME, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.fstat(self._file).st_nlink:
                # Another process has removed the file since it was opened.
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
        """Return the journal. It is closed at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the journal."""
        self.close()

    def outcome(self, name: str, state: State) -> dict[str, Any] | None:
        """The report of an unchanged photo whose result exists; None if the photo must be done."""
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
        """The id of an unfinished job that an earlier run has begun for an unchanged photo; None if there is none."""
        return self._line_of(name, state).get("job_id")

    def begin_batch(self, batch_id: str, work: str) -> None:
        """Note that there is a batch, before anything is uploaded to it. It replaces the one before."""
        self._note_batch(Batch(batch_id, work))

    def take_numbers(self, count: int) -> range:
        """Take `count` new numbers for photos of the batch. No number is used twice, so uploads are never confused."""
        first = self.batch.free
        self._note_batch(self.batch._replace(free=first + count))
        return range(first, first + count)

    def end_batch(self) -> None:
        """Note that the batch is over."""
        self._note_batch(Batch())

    def sent(self, batch_id: str) -> dict[int, tuple[str, State]]:
        """The names and the states of the photos that were uploaded to the batch, by their numbers.

        Photos with a newer line are left out.
        """
        with self._lock:
            lines = (self._line_at(at) for at in self._last.values())
            return {line["number"]: (line["path"], _state(line)) for line in lines if line.get("batch") == batch_id}

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
        """Note the outcome of a photo. `size` bytes will be stored at the path `result` below the folder."""
        self._note(name, state, {"result": result, "bytes": size, "report": report})
        if result is not None:
            self._owners[result] = name

    def close(self) -> None:
        """Write everything to the disk, and unlock the folder. Nothing is noted afterwards.

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

    def _note_batch(self, batch: Batch) -> None:
        with self._writing():
            self._append(batch._asdict())
            self.batch = batch

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Lock out other threads for the block, and sync if a sync is due. Raises Failure for errors."""
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
        # If a full disk cuts the write short, remove the fragment: it would also spoil the next line.
        if os.write(self._file, data) != len(data):
            os.ftruncate(self._file, self._end)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._end += len(data)
        return line

    def _line_of(self, name: str, state: State) -> dict[str, Any]:
        """The photo's last line if it has this state; otherwise an empty one."""
        with self._lock:
            at = self._last.get(name)
            line = self._line_at(at) if at else {}
        return line if line and _state(line) == state else {}

    def _line_at(self, at: _Line) -> dict[str, Any]:
        line: dict[str, Any] = json.loads(os.pread(self._file, at.length, at.offset))
        return line

    def _start_over(self) -> None:
        self._last.clear()
        # No run continues with the batch. The next run that starts a batch deletes it.
        self.batch = self.batch._replace(work="")

    def _read(self) -> None:
        """Read the position of each photo's last line. Cut off an incomplete line at the end."""
        with os.fdopen(os.dup(self._file), "rb") as lines:
            for data in lines:
                try:
                    line = json.loads(data) if data.endswith(b"\n") else None
                except ValueError:
                    line = None
                if line == _STARTED_OVER:
                    self._start_over()
                elif line and "path" not in line:
                    self.batch = Batch(**line)
                elif line:
                    self._last[line["path"]] = _Line(self._end, len(data))
                    if line.get("result") is not None:
                        self._owners[line["result"]] = line["path"]
                elif not data.endswith(b"\n"):
                    os.ftruncate(self._file, self._end)
                    return
                self._end += len(data)


def _state(line: dict[str, Any]) -> State:
    return State(line["size"], line["mtime_ns"], line["options"])
