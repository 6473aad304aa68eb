"""Hides many photos of a run ahead, as one batch of the service, which works on many more at once than a client can.

Afterwards the journal has the job of each photo that is hidden as begun. So the run, or the next one, goes on with it
as with any other job. A photo that failed, or that the batch did not come to, gets a job of its own.

The journal also has the batch and which photos are in it. So whatever ends the process, the next run goes on with it.
"""

import itertools
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from faceblur_cli.folder.journal import Journal, State
from faceblur_cli.folder.one import Wishes, look_at
from faceblur_cli.folder.problems import PhotoProblem
from faceblur_cli.folder.report import Report, shown
from faceblur_cli.folder.walk import Found, walk
from faceblur_client import CallFailed, Client, FaceblurError, JobFailed

# Fewer photos are sooner done one by one.
ENOUGH = 300
# What a batch cannot do: ask a person, keep originals, or decide about the faces of one photo.
NOT_IN_A_BATCH = {"review", "keep_original", "only", "keep", "hide", "add"}
_UPLOADS_AT_ONCE = 8
# A form is valid for five minutes at most; so long one is used.
_FORM_SECONDS = 30.0

Say = Callable[[str], None]
# Waits for the end of the batch with this id; gives it as the API shows it.
Wait = Callable[[str], dict[str, Any]]


class _Photo(NamedTuple):
    found: Found
    state: State

    @property
    def name(self) -> str:
        return self.found.name


def hide_ahead(
    sources: Sequence[Path],
    client: Client,
    journal: Journal,
    wishes: Wishes,
    wait: Wait,
    say: Say,
    enough: int = ENOUGH,
) -> None:
    """Hide the photos that are to be done as one batch, if they are so many and their options allow it.

    A batch of an earlier run with the same options is gone on with. `say` gets the progress of the uploads. Raises
    CallFailed of the client and Failure; then the next run goes on with the batch. After KeyboardInterrupt it is
    deleted, and no photo counts as begun.
    """
    if NOT_IN_A_BATCH & wishes.fields.keys():
        return
    photos = list(_to_do(sources, journal, wishes))
    batch = _earlier_batch(client, journal, wishes)
    if not batch:
        if len(photos) < enough:
            return
        # All photos may fail. Their reasons are told one by one.
        batch = client.create_batch(**wishes.fields, tolerated_failures=100)
        journal.begin_batch(batch["batch_id"], wishes.digest)
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
    sent = _sent(photos, batch_id, journal)
    for number, job_id in _hidden(batch, client):
        # A number without a photo is of an upload that no run has noted, or of a photo that has changed since.
        if photo := sent.get(number):
            journal.begin(photo.name, photo.state, job_id)
    journal.end_batch()


def _earlier_batch(client: Client, journal: Journal, wishes: Wishes) -> dict[str, Any] | None:
    """The batch that an earlier run with the same options has begun, if it still exists."""
    batch_id = journal.begun_batch(wishes.digest)
    try:
        return client.get_batch(batch_id) if batch_id else None
    except CallFailed as error:
        if error.code != "BatchNotFound":
            raise
        return None


def _to_do(sources: Sequence[Path], journal: Journal, wishes: Wishes) -> Iterator[_Photo]:
    """The photos of which no run knows anything yet."""
    for found in walk(sources, wishes.out):
        state = None
        with suppress(PhotoProblem):
            state = look_at(found, wishes, Report(shown(found.path)))
        if state and not journal.outcome(found.name, state) and not journal.begun_job(found.name, state):
            yield _Photo(found, state)


def _sent(photos: list[_Photo], batch_id: str, journal: Journal) -> dict[int, _Photo]:
    """Those of the photos that were uploaded to the batch, by their numbers."""
    numbers = ((journal.number_in(batch_id, photo.name, photo.state), photo) for photo in photos)
    return {number: photo for number, photo in numbers if number is not None}


def _upload(photos: list[_Photo], batch_id: str, client: Client, journal: Journal, wishes: Wishes, say: Say) -> None:
    """Upload the photos that are not there yet under numbers: names of photos do not leave the machine."""
    forms = _Forms(client, batch_id)
    sent = _sent(photos, batch_id, journal)
    there = set(sent.values())
    missing = [photo for photo in photos if photo not in there]
    # What was uploaded without a note of it is replaced.
    free = (number for number in itertools.count() if number not in sent)

    def send(photo: _Photo, number: int) -> None:
        # One that cannot be read or sent, or that changes meanwhile, is left to the run.
        with suppress(OSError, JobFailed), photo.found.path.open("rb") as file:
            if wishes.state(os.fstat(file.fileno())) == photo.state:
                client.upload(forms.for_photo(number), file)
                journal.send(photo.name, photo.state, batch_id, number)

    with ThreadPoolExecutor(_UPLOADS_AT_ONCE) as pool:
        try:
            for done, _ in enumerate(pool.map(send, missing, free), len(sent) + 1):
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
