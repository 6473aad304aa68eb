"""Batches in requests and answers: validates the fields of a request, and builds the body of an answer."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from faceblur import config
from faceblur.api.decisions import Strict
from faceblur.api.http import iso_time
from faceblur.errors import BatchNotFound, BatchNotReady, InvalidOptions, SourceNotAllowed
from faceblur.jobs.batch_files import report_key
from faceblur.jobs.batches import Batch, BatchStatus, Source, Target, uploads_of
from faceblur.jobs.table import is_job_id
from faceblur.limits import MAX_BYTES
from faceblur.options import explain, parse_options

if TYPE_CHECKING:
    from faceblur.jobs.batch_files import BatchFiles
    from faceblur.jobs.storage import Photos

FIELDS = ("source", "target", "receipts", "tolerated_failures")
# A batch has no reviews, and its photos are not kept for a redo.
NOT_IN_A_BATCH = ("review", "keep_original")
# If half of the photos fail, the failures have a common cause that somebody must look at.
TOLERATED_FAILURES = 50.0
COUNTS = ("photos", "waiting", "running", "hidden", "failed")

Bucket = Annotated[str, Field(min_length=3, max_length=63)]
Key = Annotated[str, Field(min_length=1, max_length=1024)]
Prefix = Annotated[str, Field(max_length=1024)]


class _Source(Strict):
    """A prefix, or the key of a list of photos."""

    bucket: Bucket
    prefix: Prefix | None = None
    csv: Key | None = None
    manifest: Key | None = None

    @model_validator(mode="after")
    def _check_list(self) -> _Source:
        if self.csv and self.manifest:
            raise ValueError("name a csv or a manifest, not both")
        return self

    def allowed(self) -> Source:
        """This source. Raises SourceNotAllowed if it is not within that of the deployment."""
        kind: Literal["csv", "manifest", "prefix"] = "csv" if self.csv else "manifest" if self.manifest else "prefix"
        prefix = config.source_prefix() if self.prefix is None else self.prefix
        listed = self.csv or self.manifest or ""
        _require_within(self.bucket, prefix, config.source_bucket(), config.source_prefix())
        _require_within(self.bucket, listed or prefix, config.source_bucket(), config.source_prefix())
        return Source(self.bucket, prefix, kind, listed)


class _Target(Strict):
    """A prefix."""

    bucket: Bucket
    prefix: Prefix | None = None

    def allowed(self) -> Target:
        """This target. Raises SourceNotAllowed if it is not within that of the deployment."""
        prefix = config.target_prefix() if self.prefix is None else self.prefix
        _require_within(self.bucket, prefix, config.target_bucket(), config.target_prefix())
        return Target(self.bucket, prefix)


class _Fields(Strict):
    """The fields of a new batch, except its options."""

    source: _Source | None = None
    target: _Target | None = None
    receipts: bool = False
    tolerated_failures: Annotated[float, Field(ge=0, le=100)] = TOLERATED_FAILURES


def _require_sign_in(parsed: _Fields, owner: str) -> None:
    """Raise SourceNotAllowed if somebody without sign-in names a bucket, unless the operator allows that.

    Strangers could otherwise store photos in the target with nothing hidden, by their choice of options.
    """
    if (parsed.source or parsed.target) and not owner and not config.buckets_without_sign_in():
        raise SourceNotAllowed("This deployment has no sign-in, so batches take uploads only.")


def _target_of(parsed: _Fields) -> Target | None:
    """Where the results go. Results from the customer's bucket go to the target only, so the client cannot get them.

    Raises SourceNotAllowed.
    """
    if parsed.target:
        return parsed.target.allowed()
    if not parsed.source:
        return None
    if not config.target_bucket():
        raise SourceNotAllowed
    return Target(config.target_bucket(), config.target_prefix())


def _require_within(bucket: str, prefix: str, given_bucket: str, given_prefix: str) -> None:
    if not given_bucket or bucket != given_bucket or not prefix.startswith(given_prefix):
        raise SourceNotAllowed


def parse_batch(fields: dict[str, Any], owner: str, client: str) -> Batch:
    """The new batch that a request describes. Raises InvalidOptions and SourceNotAllowed."""
    if refused := [name for name in NOT_IN_A_BATCH if name in fields]:
        raise InvalidOptions(f"{refused[0]}: not an option of a batch")
    options = parse_options({name: value for name, value in fields.items() if name not in FIELDS})
    try:
        parsed = _Fields.model_validate({name: value for name, value in fields.items() if name in FIELDS})
    except ValidationError as error:
        raise InvalidOptions(explain(error, "unknown field")) from None
    _require_sign_in(parsed, owner)
    batch_id, now = secrets.token_hex(16), int(time.time())
    return Batch(
        batch_id=batch_id,
        status=BatchStatus.AWAITING_PHOTOS,
        options=options.model_dump(),
        source=parsed.source.allowed() if parsed.source else uploads_of(batch_id),
        target=_target_of(parsed),
        receipts=parsed.receipts,
        tolerated=parsed.tolerated_failures,
        created_at=now,
        expires_at=now + config.JOB_LIFETIME_SECONDS,
        owner=owner,
        client=client,
    )


def valid_batch_id(batch_id: str) -> str:
    """The id of a batch in a path. Raises BatchNotFound if it is not of the form that all ids have."""
    if not is_job_id(batch_id):
        raise BatchNotFound
    return batch_id


def form_body(batch: Batch, seconds: int, files: BatchFiles) -> dict[str, Any]:
    """The form that uploads photos for this time. Raises BatchNotReady if the batch runs, or takes no uploads."""
    if not batch.takes_uploads or batch.status is BatchStatus.RUNNING:
        raise BatchNotReady
    expires_at = iso_time(int(time.time()) + seconds)
    return {**files.form(batch.batch_id, seconds), "expires_at": expires_at, "max_bytes": MAX_BYTES}


def batch_body(batch: Batch, told: dict[str, Any], photos: Photos) -> dict[str, Any]:
    """A batch as the API shows it. `told` holds its counts and its cost; it is empty before the first start."""
    body: dict[str, Any] = {
        "batch_id": batch.batch_id,
        "status": batch.status,
        "options": batch.options,
        "receipts": batch.receipts,
        "tolerated_failures": batch.tolerated,
        "created_at": iso_time(batch.created_at),
        "expires_at": iso_time(batch.expires_at),
    }
    if not batch.takes_uploads:
        listed = {} if batch.source.kind == "prefix" else {batch.source.kind: batch.source.list}
        body["source"] = {"bucket": batch.source.bucket, "prefix": batch.source.prefix, **listed}
    if batch.target:
        body["target"] = vars(batch.target)
    if batch.started_at is not None:
        body["started_at"] = iso_time(batch.started_at)
    if batch.finished_at is not None:
        body["finished_at"] = iso_time(batch.finished_at)
    if told:
        body |= _progress_body(batch, told)
    if batch.outcome and batch.status is not BatchStatus.RUNNING:
        links = {kind: {"url": photos.link(report_key(batch.batch_id, kind))} for kind in ("csv", "jsonl")}
        body |= {"report": links, "nothing_hidden": batch.outcome["nothing_hidden"]}
    if batch.error:
        body["error"] = batch.error
    return body


def _progress_body(batch: Batch, told: dict[str, Any]) -> dict[str, Any]:
    """The counts of a batch, its rate since it was last started, and its cost."""
    counts = {name: told.get(name, 0) for name in COUNTS}
    seconds = max(1, (batch.finished_at or int(time.time())) - (batch.started_at or batch.created_at))
    done = counts["hidden"] + counts["failed"]
    return {"counts": counts, "photos_a_minute": round(60 * done / seconds, 1), "cost_usd": told["usd"]}
