"""Effects: the requests and pauses that a step asks its client to perform.

A step is a generator. It yields requests and pauses, receives the answers, and returns its outcome. So the logic is
written once, and each client does the input and output in its own way: with or without async.
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
    """An HTTP request. `content` holds further arguments for httpx, such as `json`."""

    method: str
    url: str
    content: dict[str, Any] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """The host of the request, for messages. The rest of an address may be secret."""
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
# If a server asks for a longer pause than this, it counts as unavailable.
MOST_PATIENCE_SECONDS = 60.0
_TEMPORARY = {429, 502, 503, 504}
# After these errors, the server cannot have acted upon the request.
_NOT_ACCEPTED = {429, 503}
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


def send(request: Request, *, repeatable: bool = True) -> Steps[httpx.Response]:
    """Send a request. After a temporary error, send it again, up to six attempts in all.

    The pauses grow exponentially with full jitter
    (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), and honour Retry-After. A request that
    is not repeatable is sent again only if the server certainly did not act upon it. Raises Unavailable and
    WrongAddress.
    """
    for number in range(1, TRIES + 1):
        asked_seconds = 0.0
        try:
            response: httpx.Response = yield request
        except httpx.InvalidURL:
            raise WrongAddress("The API uses an address that is not valid. Check the API's address.") from None
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
    """The error for an answer of a server that is temporarily unable to process the request."""
    return Unavailable(f"{request.host} cannot answer at the moment ({response.status_code}). Try again later.")


def _is_of_the_day(response: httpx.Response) -> bool:
    """Whether the answer says that the day's budget is spent. Then a repeated request would not help."""
    return response.status_code == httpx.codes.TOO_MANY_REQUESTS and "BudgetSpent" in response.text


def _retry_after(response: httpx.Response) -> float:
    """The seconds in Retry-After; 0 if there is none, or if it is a date, which AWS never sends."""
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdecimal() else 0.0
