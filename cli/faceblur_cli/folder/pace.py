"""How many photos are worked on at once: more as long as that is faster, fewer when the API answers 429."""

import random
import threading
import time
from collections.abc import Callable

import httpx

from faceblur_client.clients import EventHooks

MOST_AT_ONCE = 32
_FIRST_AT_ONCE = 2
# More photos at once must be faster by this factor. Otherwise they only wait for each other.
_GAIN = 1.1
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 30.0


class Pace:
    """The pace that all threads share: the places for photos in work, and the pauses of all requests."""

    def __init__(self, most: int, *, grows: bool, clock: Callable[[], float] = time.monotonic) -> None:
        """Allow `most` photos at once. If the pace grows, it begins with two and ends at `most`."""
        self._most, self._clock = most, clock
        self._is_auto = self._grows = grows
        self.allowed = min(_FIRST_AT_ONCE, most) if grows else most
        self._taken = 0
        self._closed = False
        self._changed = threading.Condition()
        self._best = 0.0  # photos a second
        self._ended, self._since = 0, clock()
        self._pause, self._paused_until = 0.0, 0.0

    def take_place(self) -> bool:
        """Wait for a place; False if there are no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._taken < self.allowed)
            if not self._closed:
                self._taken += 1
            return not self._closed

    def give_place_back(self, *, worked: bool) -> None:
        """Give a place back; `worked` says whether its photo has gone through the service."""
        with self._changed:
            self._taken -= 1
            if worked and self._grows:
                self._measure()
            self._changed.notify_all()

    def wait(self) -> None:
        """Wait until the API may be asked again."""
        with self._changed:
            while not self._closed and (seconds := self._paused_until - self._clock()) > 0:
                self._changed.wait(seconds)

    def slow_down(self) -> None:
        """Pause all requests, because the API has refused one. If the pace grows, also halve the places.

        The pace grows again, but stays below the number that was refused. Answers to requests that were sent before a
        pause do not count.
        """
        with self._changed:
            now = self._clock()
            if now < self._paused_until:
                return
            soon = now < self._paused_until + 2 * self._pause
            self._pause = min(2 * self._pause, _LONGEST_PAUSE_SECONDS) if soon else _FIRST_PAUSE_SECONDS
            # Other machines share the API's rate. They must not all resume at the same moment.
            self._paused_until = now + self._pause * random.uniform(0.5, 1)  # noqa: S311 - no secret
            if self._is_auto:
                self._most, self.allowed = max(2, self.allowed - 1), max(1, self.allowed // 2)
                self._best, self._ended, self._grows = 0.0, 0, True

    @property
    def hooks(self) -> EventHooks:
        """The event hooks for a client of httpx."""
        return {"request": [lambda _: self.wait()], "response": [self._heed]}

    def close(self) -> None:
        """End all waiting, and give no more places."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _heed(self, response: httpx.Response) -> None:
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            self.slow_down()

    def _measure(self) -> None:
        """Count a photo. Allow more at once as long as the last increase has made the run faster.

        The first photos after a change do not count, because they began before it.
        """
        self._ended += 1
        if self._ended == self.allowed:
            self._since = self._clock()
        if self._ended < 4 * self.allowed:
            return
        speed = 3 * self.allowed / max(self._clock() - self._since, 1e-9)
        if speed < _GAIN * self._best or self.allowed == self._most:
            self._grows = False
        else:
            self._best = speed
            self.allowed = min(max(self.allowed + 1, self.allowed * 3 // 2), self._most)
            self._ended = 0
