"""The progress of a run: how much is done, the rate, and the time left."""

import time
from collections.abc import Callable

from faceblur_cli.folder.report import Counts

_LOG_SECONDS, _LOG_SHARE = 30.0, 0.05
# A run with fewer files gets no lines of progress, because it ends too soon.
_WORTH_A_LOG = 20


class Progress:
    """The progress of a run over `total` files."""

    def __init__(self, total: int, counts: Counts, clock: Callable[[], float] = time.monotonic) -> None:
        """Follow these counts."""
        self.total, self._counts, self._clock = total, counts, clock
        self._started = self._logged_at = clock()
        self._logged = 0

    @property
    def done(self) -> int:
        """How many files are done."""
        return self._counts.total

    def __str__(self) -> str:
        """The progress in one line."""
        done, worked = self.done, self._counts.worked
        line = f"{done:,} of {self.total:,} files"
        if not worked:
            return line
        rate = worked / max(self._clock() - self._started, 1e-9)
        return f"{line}, {rate:,.1f} a second, about {duration((self.total - done) / rate)} left"

    def is_due(self) -> bool:
        """Whether a log gets a line now: at most one for each 5 % of the files and for each half minute."""
        done, now = self.done, self._clock()
        due = now - self._logged_at >= _LOG_SECONDS or done - self._logged >= _LOG_SHARE * self.total
        if due and self.total >= _WORTH_A_LOG:
            self._logged, self._logged_at = done, now
            return True
        return False


def duration(seconds: float) -> str:
    """A duration in words."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"
