"""What boto3 raises, translated into the errors of this project in one place."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError, IncompleteReadError  # noqa: A004

from faceblur.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

_THROTTLED = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
}


@contextmanager
def storage_errors() -> Iterator[None]:
    """Raise StorageUnavailable for what may pass if it is tried again; everything else goes through as it is."""
    try:
        yield
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if code_of(error) in _THROTTLED or status == 429 or status >= 500:
            raise StorageUnavailable from error
        raise
    except (ConnectionError, HTTPClientError, IncompleteReadError) as error:
        raise StorageUnavailable from error


def code_of(error: ClientError) -> str:
    """The error code that AWS gives."""
    return error.response["Error"]["Code"]
