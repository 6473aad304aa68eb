"""Hides the faces in all photos of a run, several at once. The next run continues where this one ended."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from faceblur_cli.folder.journal import Journal, NoJournal
from faceblur_cli.folder.one import Tell, Wishes, Worker
from faceblur_cli.folder.pace import MOST_AT_ONCE, Pace
from faceblur_cli.folder.report import Report
from faceblur_cli.folder.targets import Target, Targets
from faceblur_cli.folder.walk import Found, walk
from faceblur_client import Client

# How long an interrupt waits for requests that are under way, in seconds.
_END_SECONDS = 5.0


def hide_all(
    sources: Sequence[Path],
    client: Client,
    pace: Pace,
    journal: Journal | NoJournal,
    wishes: Wishes,
    tell: Tell,
) -> None:
    """Hide the faces in all photos of these files and folders.

    `tell` is called whenever a report changes, by one thread at a time, and never after the end. Raises errors that
    concern all photos: CallFailed of the client, Failure, KeyboardInterrupt, and the errors of `tell`.
    """
    telling = _OneByOne(tell)
    worker = Worker(client, journal, wishes, telling.call)
    targets = Targets(wishes.out, wishes.suffix)
    files = ((found, targets.of(found)) for found in walk(sources, wishes.out))
    crew = _Crew(files, worker.do, pace, client)
    try:
        crew.work()
    finally:
        telling.end()


class _OneByOne:
    """Calls a function for several threads, one by one, until the end."""

    def __init__(self, tell: Tell) -> None:
        self._tell, self._lock, self._is_over = tell, threading.Lock(), False

    def call(self, report: Report) -> None:
        """Call the function, unless this is over."""
        with self._lock:
            if not self._is_over:
                self._tell(report)

    def end(self) -> None:
        """End the calls."""
        with self._lock:
            self._is_over = True


class _Crew:
    """Threads that take one file after the other."""

    def __init__(
        self,
        files: Iterator[tuple[Found, Target]],
        do: Callable[[Found, Target], bool],
        pace: Pace,
        client: Client,
    ) -> None:
        self._files, self._do, self._pace, self._client = files, do, pace, client
        self._finding = threading.Lock()
        self._reason: BaseException | None = None

    def work(self) -> None:
        """Do all files. Raises the error that ended the work early. An interrupt ends it within seconds."""
        # Threads suffice, because each photo mostly waits. They are daemons, so that a hanging request does not keep
        # the process alive.
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(MOST_AT_ONCE)]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            self._stop()
            deadline = time.monotonic() + _END_SECONDS
            for thread in threads:
                if thread.ident:
                    thread.join(max(0.0, deadline - time.monotonic()))
        if self._reason:
            raise self._reason

    def _work(self) -> None:
        while self._pace.take_place():
            worked = False
            try:
                with self._finding:
                    file = next(self._files, None)
                if file is None:
                    return
                worked = self._do(*file)
            except BaseException as reason:  # noqa: BLE001 - the main thread raises it
                # Set this before the place is given back. Otherwise another thread would begin one more file.
                self._reason = self._reason or reason
                self._stop()
            finally:
                self._pace.give_place_back(worked=worked)

    def _stop(self) -> None:
        """End all waiting. Jobs that have begun continue in the service."""
        self._pace.close()
        self._client.stop()
