"""Hides the faces in one photo: from the file to the stored result."""

import errno
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from faceblur_cli.failures import Failure
from faceblur_cli.folder.file_types import HEAD_BYTES, other_kind
from faceblur_cli.folder.journal import Journal, NoJournal, State
from faceblur_cli.folder.problems import PhotoChanged, PhotoProblem, PhotoUnreadable, ResultNotStored
from faceblur_cli.folder.report import Report, shown
from faceblur_cli.folder.targets import Target, check_free, store
from faceblur_cli.folder.walk import Found
from faceblur_client import CallFailed, Client, JobFailed

# Codes of jobs after which the next photos would fail too.
_OF_ALL_PHOTOS = {"BudgetSpent"}
# Errors with which every result would fail: a full disk, a quota, a disk that cannot be written to.
_OF_ALL_RESULTS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}

Tell = Callable[[Report], None]
Erase = Callable[[str], None]


def _erase_nothing(_: str) -> None:
    """Leave a job to the service, which erases it within a day."""


@dataclass(frozen=True)
class Wishes:
    """The settings of a run. `fields` are the options and the decision of each job.

    Without `out`, each result is stored beside its photo. `erase` is called with the id of each job that no later run
    continues, after the job's outcome is reported. It must not raise the client's errors, because the result is stored.
    """

    fields: dict[str, Any]
    out: Path | None = None
    suffix: str = ""
    with_receipts: bool = False
    keep_mtime: bool = False
    erase: Erase = _erase_nothing

    def state(self, status: os.stat_result) -> State:
        """The state of a photo with this file status."""
        return State(status.st_size, status.st_mtime_ns, self.digest)

    @property
    def digest(self) -> str:
        """A digest of the options. By it, the journal tells whether they are the same as before."""
        options = json.dumps([self.fields, self.suffix], sort_keys=True)
        return hashlib.sha256(options.encode()).hexdigest()[:16]


@dataclass
class _Photo:
    """A photo on its way."""

    found: Found
    target: Target
    report: Report
    state: State
    started: float = field(default_factory=time.monotonic)

    @property
    def name(self) -> str:
        return self.found.name


class Worker:
    """Works on one photo after the other. Threads may share it."""

    def __init__(self, client: Client, journal: Journal | NoJournal, wishes: Wishes, tell: Tell) -> None:
        """Use these settings. `tell` is called whenever a report changes, also by several threads at the same time."""
        self._client, self._journal, self._wishes, self._tell = client, journal, wishes, tell
        self._naming = threading.Lock()

    def do(self, found: Found, target: Target) -> bool:
        """Do one file, and report its outcome. Returns whether its photo went through the service.

        Raises CallFailed and Failure for errors that concern all photos.
        """
        report = Report(shown(found.path))
        try:
            state = read_state(found, self._wishes, report)
        except PhotoProblem as problem:
            report.fail(type(problem).__name__, str(problem))
        else:
            if state and not recall(found, state, self._journal, report):
                self._hide(_Photo(found, target, report, state))
                return True
        self._tell(report)
        return False

    def _hide(self, photo: _Photo) -> None:
        """Hide the faces in a photo, report the outcome, and erase the job."""
        try:
            self._hide_and_tell(photo)
        finally:
            # The job is erased after an interrupt too, unless the journal still has it as begun: the next run needs it.
            job_id = photo.report.job_id
            if job_id and not self._journal.begun_job(photo.name, photo.state):
                self._wishes.erase(job_id)

    def _hide_and_tell(self, photo: _Photo) -> None:
        try:
            self._check_target(photo)
            job = self._job(photo)
            photo.report.take_outcome(job)
            self._store(photo, job)
        except JobFailed as failed:
            self._fail(photo, failed.code, failed.message)
            if failed.code in _OF_ALL_PHOTOS:
                raise CallFailed(failed.code, failed.message) from None
        except PhotoProblem as problem:
            self._fail(photo, type(problem).__name__, str(problem))
        else:
            self._tell(photo.report)

    def _fail(self, photo: _Photo, code: str, message: str) -> None:
        photo.report.fail(code, message)
        photo.report.seconds = _seconds_since(photo.started)
        self._journal.end(photo.name, photo.state, asdict(photo.report))
        self._tell(photo.report)

    def _job(self, photo: _Photo) -> dict[str, Any]:
        """The completed job of a photo: the job that an earlier run has begun, or a new one.

        Raises JobFailed, PhotoUnreadable and PhotoChanged.
        """
        report = photo.report

        def show_status(_: str, status: str) -> None:
            if status not in {"COMPLETED", "FAILED"}:  # these are reported after the result is stored
                report.status, report.seconds = status, _seconds_since(photo.started)
                self._tell(report)

        report.job_id = self._journal.begun_job(photo.name, photo.state)
        if report.job_id:
            # If that job has failed or was erased, the photo gets a new job.
            with suppress(JobFailed):
                return self._client.wait_for(report.job_id, show_status)
        show_status("", "UPLOADING")
        job_id = self._submit(photo)
        self._journal.begin(photo.name, photo.state, job_id)
        return self._client.wait_for(job_id, show_status)

    def _submit(self, photo: _Photo) -> str:
        """Upload a photo. Returns its job's id, and sets it in the report. Raises PhotoChanged."""
        with _reading(), photo.found.path.open("rb") as file:
            job_id = photo.report.job_id = self._client.submit(file, **self._wishes.fields)
            if self._wishes.state(os.fstat(file.fileno())) != photo.state:
                raise PhotoChanged("The photo changed while it was read. The next run reads it again.")
        return job_id

    def _check_target(self, photo: _Photo) -> None:
        """Raise ResultExists or ResultNotStored if the result could not be stored. Called before the job is created."""
        if (path := photo.target.likely) and not self._journal.owns(self._relative(path), photo.name):
            with self._writing():
                check_free(path)

    def _store(self, photo: _Photo, job: dict[str, Any]) -> None:
        """Download and store the result of a completed job, and its receipt if asked for."""
        report, path = photo.report, photo.target.path(job["result"]["content_type"])
        content = self._client.download(job["result"]["url"])
        receipt = self._client.download(job["receipt"]["url"]) if self._wishes.with_receipts else None
        with self._writing():
            if receipt is not None:
                store(receipt, photo.target.receipt_path, None, lambda: None)
                report.receipt = shown(photo.target.receipt_path)
            report.status, report.output, report.seconds = "COMPLETED", shown(path), _seconds_since(photo.started)
            mtime = photo.state.mtime_ns if self._wishes.keep_mtime else None
            with self._naming:
                store(content, path, mtime, lambda: self._announce(photo, path, len(content)))

    def _announce(self, photo: _Photo, path: Path, size: int) -> None:
        """Note a result that is about to get its name. The name must be free, or be that of this photo's old result."""
        result = self._relative(path)
        if self._journal.owns(result, photo.name):
            # If the process ends now, the old result must not be taken for the new one.
            path.unlink(missing_ok=True)
        else:
            check_free(path)
        self._journal.end(photo.name, photo.state, asdict(photo.report), result, size)

    def _relative(self, path: Path) -> str:
        """The result's name in the journal."""
        return str(path.relative_to(self._wishes.out) if self._wishes.out else path)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Turn a write error into Failure if every result would fail with it, otherwise into ResultNotStored."""
        try:
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            if error.errno in _OF_ALL_RESULTS:
                raise Failure(
                    f"Results cannot be stored: {reason}. Make room, and run the same command again to go on."
                ) from error
            raise ResultNotStored(f"The result cannot be stored: {reason}.") from error


def read_state(found: Found, wishes: Wishes, report: Report) -> State | None:
    """The state of a photo. If the file is not a photo, returns None and sets that in the report.

    A file that was given by its name goes to the service whatever it is. Raises PhotoUnreadable.
    """
    if found.problem:
        raise PhotoUnreadable(f"The photo cannot be read: {found.problem}.")
    other = found.other
    if not other:
        with _reading(), found.path.open("rb") as file:
            other = "" if found.is_named else other_kind(file.read(HEAD_BYTES))
            state = wishes.state(os.fstat(file.fileno()))
    if other:
        report.status, report.skipped = "SKIPPED", f"This is {other}."
        return None
    return state


def recall(found: Found, state: State, journal: Journal | NoJournal, report: Report) -> bool:
    """Whether an earlier run has done the photo. If so, sets that run's outcome in the report."""
    outcome = journal.outcome(found.name, state)
    if outcome:
        vars(report).update(outcome, photo=report.photo, done_before=True)
    return outcome is not None


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PhotoUnreadable(f"The photo cannot be read: {error.strerror or error}.") from error


def _seconds_since(started: float) -> float:
    return round(time.monotonic() - started, 2)
