"""Translates the errors of boto3 into those of this project."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError, IncompleteReadError  # noqa: A004

from faceblur.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faceblur.errors import TransientError

_THROTTLED = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
}


@contextmanager
def service_errors(throttled: type[TransientError], unavailable: type[TransientError]) -> Iterator[None]:
    """Raise `throttled` or `unavailable` for transient errors of a call. Other errors stay unchanged."""
    try:
        yield
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if code_of(error) in _THROTTLED or status == 429:
            raise throttled from error
        if status >= 500:
            raise unavailable from error
        raise
    except (ConnectionError, HTTPClientError, IncompleteReadError) as error:
        raise unavailable from error


storage_errors = partial(service_errors, throttled=StorageUnavailable, unavailable=StorageUnavailable)


def code_of(error: ClientError) -> str:
    """AWS's code of an error."""
    return error.response["Error"]["Code"]
