"""Batches: photos of a bucket that are hidden into another bucket, by the stack alone."""

import time
from collections.abc import Callable
from typing import Any

from faceblur_cli.failures import Failure
from faceblur_client import Client, Unavailable

_POLL_SECONDS = 2.0
_PATIENCE_SECONDS = 300.0  # how long to go on asking an API that does not answer; each request has six attempts

Batch = dict[str, Any]


def place(address: str) -> dict[str, str]:
    """The bucket and the prefix of an address such as `s3://bucket/prefix/`. Raises Failure.

    A prefix without a slash at its end gets one, because it means a folder: `in/a` does not include `in/a2/`.
    """
    bucket, _, prefix = address.removeprefix("s3://").partition("/")
    if not address.startswith("s3://") or not bucket:
        raise Failure(f"{address!r} is not an address in S3, such as s3://bucket/prefix/.")
    return {"bucket": bucket, "prefix": f"{prefix.rstrip('/')}/" if prefix else ""}


def begin(client: Client, source: str, target: str, fields: dict[str, Any]) -> Batch:
    """Create a batch from one address to another, which starts at once. Raises CallFailed if the API refuses it."""
    return client.create_batch(**fields, source=place(source), target=place(target))


def wait_for(client: Client, batch_id: str, show: Callable[[Batch], None]) -> Batch:
    """Wait until the batch ends, and show it whenever a count has changed. The batch does not depend on the waiting.

    Raises Failure if the API does not answer for five minutes.
    """
    counts: dict[str, int] | None = None
    answered = time.monotonic()
    while True:
        try:
            batch = client.get_batch(batch_id)
        except Unavailable as error:
            if time.monotonic() > answered + _PATIENCE_SECONDS:
                raise Failure(f"{error} The batch may go on: look at it later, with --status {batch_id}.") from error
            time.sleep(_POLL_SECONDS)
            continue
        answered = time.monotonic()
        if batch.get("counts") != counts:
            counts = batch.get("counts")
            show(batch)
        if batch["status"] != "RUNNING":
            return batch
        time.sleep(_POLL_SECONDS)


def summary(batch: Batch) -> str:
    """The counts, the rate and the cost of a batch in one line."""
    counts = batch.get("counts")
    if counts is None:
        return str(batch["status"])
    told = f"{counts['hidden']:,} of {counts['photos']:,} hidden, {counts['failed']:,} failed"
    if empty := batch.get("nothing_hidden"):
        told += f", {empty:,} with nothing hidden"
    told += f", {batch['photos_a_minute']:,.0f} a minute, {batch['cost_usd']:.2f} USD"
    error = batch.get("error")
    return f"{told}. {error['message']}" if error else told


def exit_code(batch: Batch) -> int:
    """1 if a photo failed or was not tried, 3 if somebody should look at a result, else 0."""
    counts = batch.get("counts", {"failed": 0, "waiting": 0})
    if batch["status"] in {"FAILED", "STOPPED"} or counts["failed"] or (counts["waiting"] and "finished_at" in batch):
        return 1
    return 3 if batch.get("nothing_hidden") else 0
