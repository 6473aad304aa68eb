"""Hides the faces in all photos of a run, several at once. The next run goes on where this one ended."""

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

# So long an interrupt waits for what is in the middle of a request.
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

    `tell` is called whenever a report changes, by one thread at a time, and never after the end. Raises what concerns
    all photos: CallFailed of the client, Failure, KeyboardInterrupt, or what `tell` raises.
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
        """Call it no more."""
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
        """Do all files. Raises what ended the work early, which an interrupt does within seconds."""
        # Threads, because each photo mostly waits; and daemons, because what hangs in a request must not keep us.
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
                # This comes before the place is given back, or another thread would begin one more file.
                self._reason = self._reason or reason
                self._stop()
            finally:
                self._pace.give_place_back(worked=worked)

    def _stop(self) -> None:
        """End all waiting. Jobs that have begun go on in the service."""
        self._pace.close()
        self._client.stop()
