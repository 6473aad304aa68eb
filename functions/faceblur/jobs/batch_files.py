"""The files of a batch in the bucket of photos, and photos on their way from and to other buckets.

`batches/{batch_id}/in/…` are uploads, `batches/{batch_id}/lines/{photo_id}.json` says how one photo ended or that
it is PENDING, and `batches/{batch_id}/report.csv` and `report.jsonl` hold the lines of all photos that have ended.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any, BinaryIO

from botocore.exceptions import ClientError

from faceblur import config
from faceblur.aws import code_of, storage_errors
from faceblur.errors import ImageTooLarge, StorageUnavailable, UploadReplaced
from faceblur.jobs.batches import folder_of, photo_id
from faceblur.jobs.storage import if_not_found, s3, upload_key
from faceblur.limits import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_s3 import S3Client

    from faceblur.jobs.batches import Source, Target

# The status in a photo's line before its job is created and until the photo ends. The lines are the only way to find
# and erase the jobs of a batch, so every job must have one.
PENDING = "PENDING"
# S3 lists this many objects at once, and this many lines are read at the same time.
PAGE, READERS = 1000, 16
# S3's codes for a conditional write whose object was replaced, is being written, or is gone.
_CHANGED = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"}
# The file extensions of the same format as a result with this extension.
_ALIASES = {"jpg": {"jpg", "jpeg", "jpe", "jfif"}, "tiff": {"tiff", "tif"}, "tif": {"tiff", "tif"}}


class BatchFiles:
    """The files of batches."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        """Work on `bucket`, the bucket of photos, through `client`."""
        self._client, self._bucket = client, bucket

    def form(self, batch_id: str, seconds: int) -> dict[str, Any]:
        """A presigned POST `{"url", "fields"}` that uploads photos of at most MAX_BYTES below the batch's `in/`.

        The field `key` ends with `${filename}`, which S3 replaces by the name of the file.
        """
        prefix = f"{folder_of(batch_id)}in/"
        form: dict[str, Any] = self._client.generate_presigned_post(
            self._bucket,
            f"{prefix}${{filename}}",
            Conditions=[["starts-with", "$key", prefix], ["content-length-range", 0, MAX_BYTES]],
            ExpiresIn=seconds,
        )
        return form

    def take(self, source: Source, key: str, job_id: str) -> None:
        """Copy a photo to where the job with this id expects its upload. The photo itself stays as it is.

        Raises UploadReplaced if it does not exist or changes meanwhile, and ImageTooLarge.
        """
        with if_not_found(UploadReplaced), storage_errors():
            head = self._client.head_object(Bucket=source.bucket, Key=key)
            if head["ContentLength"] > MAX_BYTES:
                raise ImageTooLarge
            self._client.copy_object(
                Bucket=self._bucket,
                Key=upload_key(job_id),
                CopySource={"Bucket": source.bucket, "Key": key},
                CopySourceIfMatch=head["ETag"],
                # The customer's metadata of the object is not needed.
                MetadataDirective="REPLACE",
                TaggingDirective="REPLACE",
            )

    def deliver(self, key: str, target: Target, name: str) -> None:
        """Copy an object of the bucket of photos to the target, under this name below its prefix."""
        with storage_errors():
            self._client.copy_object(
                Bucket=target.bucket,
                Key=f"{target.prefix}{name}",
                CopySource={"Bucket": self._bucket, "Key": key},
                # By default S3 would copy the object's tags, and ask for the permission to read them.
                TaggingDirective="REPLACE",
            )

    def discard(self, key: str) -> None:
        """Delete the upload of a photo that is hidden."""
        with storage_errors():
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def read_line(self, batch_id: str, key: str) -> tuple[dict[str, Any] | None, str]:
        """The line of the photo with this key, which may be PENDING, and its ETag.

        If the photo's work has not begun, these are None and an empty text.
        """
        wanted = _line_key(batch_id, key)
        return self._read(wanted) if wanted in next(self.pages(wanted)) else (None, "")

    def write_line(self, batch_id: str, line: dict[str, Any], over: str | None = None) -> None:
        """Store a photo's line, which says how the photo ended or that it is PENDING. It replaces the line before.

        With `over`, the line is written only if the stored line has this ETag or, if `over` is empty, if there is none.
        Otherwise raises StorageUnavailable, so that the task is retried and reads the other line.
        """
        condition: dict[str, Any] = {} if over is None else {"IfMatch": over} if over else {"IfNoneMatch": "*"}
        body = json.dumps(line, separators=(",", ":")).encode()
        try:
            with storage_errors():
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=_line_key(batch_id, line["key"]),
                    Body=body,
                    ContentType="application/json",
                    **condition,
                )
        except ClientError as error:
            if code_of(error) in _CHANGED:
                raise StorageUnavailable from error
            raise

    def withdraw_line(self, batch_id: str, key: str) -> None:
        """Delete the line of the photo with this key."""
        self.delete([_line_key(batch_id, key)])

    def lines(self, batch_id: str, most: int | None = None) -> Iterator[dict[str, Any]]:
        """The lines of the photos that have ended, in the order of their ids. `most` limits how many lines are read.

        It holds one page of lines at a time.
        """
        prefix = f"{folder_of(batch_id)}lines/"
        with ThreadPoolExecutor(READERS) as pool:
            for keys in self.pages(prefix, most or PAGE):
                yield from (line for line in pool.map(self.read, keys) if line["status"] != PENDING)
                if most:
                    return

    def pages(self, prefix: str, size: int = PAGE) -> Iterator[list[str]]:
        """The keys below a prefix, a page at a time."""
        pages = self._client.get_paginator("list_objects_v2")
        with storage_errors():
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix, PaginationConfig={"PageSize": size}):
                yield [entry["Key"] for entry in page.get("Contents", [])]

    def store_report(self, batch_id: str, file: BinaryIO, kind: str) -> None:
        """Store a report of this kind, `csv` or `jsonl`."""
        with storage_errors():
            self._client.upload_fileobj(
                file, self._bucket, report_key(batch_id, kind), ExtraArgs={"ContentType": _REPORTS[kind]}
            )

    def has_batches(self) -> list[str]:
        """The ids of all batches that have files."""
        pages = self._client.get_paginator("list_objects_v2")
        with storage_errors():
            return [
                found["Prefix"].split("/")[1]
                for page in pages.paginate(Bucket=self._bucket, Prefix="batches/", Delimiter="/")
                for found in page.get("CommonPrefixes", [])
            ]

    def delete(self, keys: list[str]) -> None:
        """Delete these objects, at most a page of them."""
        if keys:
            with storage_errors():
                self._client.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
                )

    def read(self, key: str) -> dict[str, Any]:
        """Read the line with this key in the bucket."""
        return self._read(key)[0]

    def _read(self, key: str) -> tuple[dict[str, Any], str]:
        with storage_errors():
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
            return json.loads(answer["Body"].read()), answer["ETag"]


_REPORTS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}


def report_key(batch_id: str, kind: str) -> str:
    """The key of the batch's report of this kind, `csv` or `jsonl`."""
    return f"{folder_of(batch_id)}report.{kind}"


def result_name(name: str, extension: str) -> str:
    """The name of a result: its photo's name. If the result has another format, the format's extension is added."""
    ending = name.rpartition(".")[2].lower()
    return name if ending in _ALIASES.get(extension, {extension}) else f"{name}.{extension}"


def _line_key(batch_id: str, key: str) -> str:
    return f"{folder_of(batch_id)}lines/{photo_id(batch_id, key)}.json"


@cache
def batch_files() -> BatchFiles:
    """The files of this deployment's batches."""
    return BatchFiles(s3(), config.photo_bucket())
