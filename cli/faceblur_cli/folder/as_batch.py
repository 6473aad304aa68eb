"""Hides many photos of a run as one batch of the service, before the run itself goes through its photos.

A batch works on many more photos at once than a client can. Afterwards the journal has a begun job for each photo that
the batch has hidden. So this run or the next one continues with it as with any begun job. A photo that failed in the
batch, or was not tried, gets a job of its own.

The journal also records the batch and the photos in it. So if the process ends, the next run with the same sources and
options continues with the batch.
"""

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from faceblur_cli.folder.journal import Journal, State
from faceblur_cli.folder.one import Wishes, read_state
from faceblur_cli.folder.problems import PhotoProblem
from faceblur_cli.folder.report import Report, shown
from faceblur_cli.folder.walk import Found, walk
from faceblur_client import CallFailed, Client, FaceblurError, JobFailed

# With fewer photos, single jobs are faster.
ENOUGH = 300
# The fields of a job that a batch does not support: reviews, kept originals, and decisions about one photo.
NOT_IN_A_BATCH = {"review", "keep_original", "only", "keep", "hide", "add"}
_UPLOADS_AT_ONCE = 8
# How long a form is used, in seconds. A form is valid for five minutes at most.
_FORM_SECONDS = 30.0

Say = Callable[[str], None]
# Waits for the end of the batch with this id. Returns the batch as the API shows it.
Wait = Callable[[str], dict[str, Any]]


class _Photo(NamedTuple):
    found: Found
    state: State


def hide_as_batch(
    sources: Sequence[Path],
    client: Client,
    journal: Journal,
    wishes: Wishes,
    wait: Wait,
    say: Say,
    enough: int = ENOUGH,
) -> None:
    """Hide the photos to be done as one batch, if there are at least `enough` of them and their options allow it.

    If an earlier run with the same sources and options left a batch, this continues with it. A batch of other sources
    or options stays, unless this run starts a batch: then it is deleted, because the journal has one batch only. `say`
    gets the progress of the uploads, and what is deleted. Raises CallFailed of the client and Failure; then the next
    run continues with the batch. After KeyboardInterrupt the batch is deleted, and no photo counts as begun.
    """
    if NOT_IN_A_BATCH & wishes.fields.keys():
        return
    photos = list(_to_do(sources, journal, wishes))
    if not photos:
        return
    work = _work(sources, wishes)
    batch = _earlier_batch(client, journal, work)
    if not batch:
        if len(photos) < enough:
            return
        batch = _new_batch(client, journal, wishes, work, say)
    batch_id = batch["batch_id"]
    try:
        if batch["status"] == "AWAITING_PHOTOS":
            _upload(photos, batch_id, client, journal, wishes, say)
            client.start_batch(batch_id)
        batch = wait(batch_id)
    except KeyboardInterrupt:
        with suppress(FaceblurError):
            client.delete_batch(batch_id)
        journal.end_batch()
        raise
    # This includes photos that this run does not find, because the next run may find them again.
    sent = journal.sent(batch_id)
    for number, job_id in _hidden(batch, client):
        # If a number has no photo, no run has noted its upload, or the photo has a newer line.
        if number in sent:
            journal.begin(*sent[number], job_id)
    journal.end_batch()


def _work(sources: Sequence[Path], wishes: Wishes) -> str:
    """A digest of the options and of the sources, which identifies the work of a batch."""
    paths = sorted({str(source.absolute()) for source in sources})
    return hashlib.sha256(json.dumps([wishes.digest, paths]).encode()).hexdigest()[:16]


def _earlier_batch(client: Client, journal: Journal, work: str) -> dict[str, Any] | None:
    """The batch that an earlier run has begun for the same work, if it still exists."""
    if journal.batch.work == work:
        with _none_may_exist():
            return client.get_batch(journal.batch.batch_id)
    return None


def _new_batch(client: Client, journal: Journal, wishes: Wishes, work: str, say: Say) -> dict[str, Any]:
    """A new batch without photos. If the journal has a batch already, that batch is deleted."""
    # The batch goes on even if all photos fail. The run reports each photo's error.
    batch = client.create_batch(**wishes.fields, tolerated_failures=100)
    # Delete the earlier batch only now. If the API refuses the options, it must stay.
    if journal.batch.batch_id:
        with _none_may_exist():
            client.delete_batch(journal.batch.batch_id)
            say("The unfinished batch of an earlier run is deleted.")
    journal.begin_batch(batch["batch_id"], work)
    return batch


@contextmanager
def _none_may_exist() -> Iterator[None]:
    """Go on after the block if the batch does not exist."""
    try:
        yield
    except CallFailed as error:
        if error.code != "BatchNotFound":
            raise


def _to_do(sources: Sequence[Path], journal: Journal, wishes: Wishes) -> Iterator[_Photo]:
    """The photos that no run has done or begun."""
    for found in walk(sources, wishes.out):
        state = None
        with suppress(PhotoProblem):
            state = read_state(found, wishes, Report(shown(found.path)))
        if state and not journal.outcome(found.name, state) and not journal.begun_job(found.name, state):
            yield _Photo(found, state)


def _upload(photos: list[_Photo], batch_id: str, client: Client, journal: Journal, wishes: Wishes, say: Say) -> None:
    """Upload the photos that are not uploaded yet, under numbers, because names of photos do not leave the machine."""
    forms = _Forms(client, batch_id)
    there = set(journal.sent(batch_id).values())
    missing = [photo for photo in photos if (photo.found.name, photo.state) not in there]
    numbers = journal.take_numbers(len(missing))

    def send(photo: _Photo, number: int) -> None:
        # A photo that cannot be read or sent, or that has changed, is left to the run.
        with suppress(OSError, JobFailed), photo.found.path.open("rb") as file:
            if wishes.state(os.fstat(file.fileno())) == photo.state:
                client.upload(forms.for_photo(number), file)
                journal.send(photo.found.name, photo.state, batch_id, number)

    with ThreadPoolExecutor(_UPLOADS_AT_ONCE) as pool:
        try:
            for done, _ in enumerate(pool.map(send, missing, numbers), len(photos) - len(missing) + 1):
                if done % 100 == 0:
                    say(f"{done:,} of {len(photos):,} photos uploaded")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


class _Forms:
    """The upload form of a batch, renewed before it expires. Threads may share it."""

    def __init__(self, client: Client, batch_id: str) -> None:
        self._client, self._batch_id = client, batch_id
        self._lock, self._form, self._since = threading.Lock(), dict[str, Any](), 0.0

    def for_photo(self, number: int) -> dict[str, Any]:
        """The form for the photo with this number."""
        with self._lock:
            if not self._form or time.monotonic() - self._since > _FORM_SECONDS:
                self._form, self._since = self._client.renew_form(self._batch_id), time.monotonic()
            form = self._form
        key = form["fields"]["key"].replace("${filename}", f"{number:09}")
        return form | {"fields": form["fields"] | {"key": key}}


def _hidden(batch: dict[str, Any], client: Client) -> Iterator[tuple[int, str]]:
    """The numbers and the jobs of the photos that are hidden."""
    report = batch.get("report")
    for line in client.download(report["jsonl"]["url"]).splitlines() if report else []:
        told = json.loads(line)
        if told["status"] == "COMPLETED":
            yield int(told["key"].rpartition("/")[2]), told["job_id"]
