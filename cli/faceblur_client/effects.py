"""What a step asks its client to do.

A step is a generator that yields requests and pauses, is sent the answers, and returns its outcome. So the logic is
written once, and a client does the input and output, with or without async.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import httpx

from faceblur_client.errors import Unavailable, WrongAddress

Outcome = TypeVar("Outcome")


@dataclass(frozen=True)
class Request:
    """An HTTP request. `content` are the arguments of httpx, such as `json`."""

    method: str
    url: str
    content: dict[str, Any] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """The host that is asked. The rest of an address may be secret."""
        return httpx.URL(self.url).host


@dataclass(frozen=True)
class Pause:
    """A time without requests."""

    seconds: float


@dataclass(frozen=True)
class OneByOne:
    """Steps that must not be taken twice at the same time."""

    take: Callable[[], Steps[Any]]


Effect: TypeAlias = Request | Pause | OneByOne
Steps: TypeAlias = Generator[Effect, Any, Outcome]

TRIES = 6
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 20.0
# A server that asks for more patience than this is unavailable.
MOST_PATIENCE_SECONDS = 60.0
_TEMPORARY = {429, 502, 503, 504}
# With these, the request cannot have been acted upon.
_NOT_ACCEPTED = {429, 503}
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


def send(request: Request, *, repeatable: bool = True) -> Steps[httpx.Response]:
    """Send a request; again after a temporary error, up to six times.

    The pauses grow exponentially with full jitter
    (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), and honour Retry-After. A request that
    is not repeatable is sent again only if it was certainly not acted upon. Raises Unavailable, and WrongAddress.
    """
    for number in range(1, TRIES + 1):
        asked_seconds = 0.0
        try:
            response: httpx.Response = yield request
        except httpx.InvalidURL:
            raise WrongAddress("An address of the API is none. Check the API's address.") from None
        except httpx.RequestError as error:
            reason = str(error) or type(error).__name__
            failure = Unavailable(f"{request.host} cannot be reached: {reason}. Try again later.")
            harmless = repeatable or isinstance(error, _NOT_SENT)
        else:
            if response.status_code not in _TEMPORARY or _is_of_the_day(response):
                return response
            failure = cannot_answer(request, response)
            harmless = repeatable or response.status_code in _NOT_ACCEPTED
            asked_seconds = _retry_after(response)
        if number == TRIES or not harmless or asked_seconds > MOST_PATIENCE_SECONDS:
            raise failure from None
        longest = min(FIRST_PAUSE_SECONDS * 2 ** (number - 1), LONGEST_PAUSE_SECONDS)
        yield Pause(asked_seconds + random.uniform(0, longest))  # noqa: S311 - no secret
    raise AssertionError("the last try returns or raises")


def cannot_answer(request: Request, response: httpx.Response) -> Unavailable:
    """The error for an answer that says nothing about the request."""
    return Unavailable(f"{request.host} cannot answer at the moment ({response.status_code}). Try again later.")


def _is_of_the_day(response: httpx.Response) -> bool:
    """Whether the answer speaks of the money of a day, for which nobody waits."""
    return response.status_code == httpx.codes.TOO_MANY_REQUESTS and "BudgetSpent" in response.text


def _retry_after(response: httpx.Response) -> float:
    """The seconds that the server asks for; 0 if it names none, or a date, as AWS never does."""
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdecimal() else 0.0
