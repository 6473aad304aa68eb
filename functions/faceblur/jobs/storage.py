"""Uploads, boxes, previews, drafts, results and receipts in S3.

`uploads/{job_id}`, `boxes/{job_id}.{token}.json`, `boxes/{job_id}.{token}.decision.json`,
`boxes/{job_id}.{round}.answers.json`, `previews/{job_id}.{token}.jpg`, `results/{job_id}.{token}.{extension}`,
`receipts/{execution}.json`.

A token is random, so each object that has one has a key of its own: a retried or delayed task never replaces an object
that another task reads. A token tells nothing about the content, because keys remain in the history of an execution.
"""

from __future__ import annotations

import json
import secrets
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from faceblur import config
from faceblur.aws import code_of, storage_errors
from faceblur.errors import JobNotFound, StorageUnavailable, UploadReplaced
from faceblur.limits import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

    from faceblur.errors import FaceblurError
    from faceblur.jobs.table import Jobs

_UPLOADS, _BOXES, _PREVIEWS, _RESULTS, _RECEIPTS = "uploads/", "boxes/", "previews/", "results/", "receipts/"
# S3 answers with the last code if the object was replaced since its ETag was read.
_NOT_FOUND = {"NoSuchKey", "404", "PreconditionFailed"}


class Photos:
    """The bucket of photos."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        """Work on `bucket` through `client`."""
        self._client = client
        self.bucket = bucket

    def upload_form(self, job_id: str, seconds: int) -> dict[str, Any]:
        """A presigned POST `{"url", "fields"}` that uploads one photo of at most MAX_BYTES for the job."""
        return self._client.generate_presigned_post(
            self.bucket,
            upload_key(job_id),
            Conditions=[["content-length-range", 0, MAX_BYTES]],
            ExpiresIn=seconds,
        )

    def link(self, key: str) -> str:
        """A presigned URL that downloads the object with this key, valid for LINK_SECONDS."""
        return self._client.generate_presigned_url(
            "get_object",
            Params={"Bucket": self.bucket, "Key": key, "ResponseCacheControl": "no-store"},
            ExpiresIn=config.LINK_SECONDS,
        )

    def read(self, key: str) -> bytes:
        """The bytes of an upload or a draft. Raises UploadReplaced if it does not exist."""
        with if_not_found(UploadReplaced), storage_errors():
            return self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def write_draft(self, job_id: str, extension: str, data: bytes, content_type: str) -> str:
        """Store a draft with its SHA-256 as metadata. Returns its key."""
        key = f"{_RESULTS}{job_id}.{_token()}.{extension}"
        return self._write(key, data, content_type, Metadata={"sha256": digest(data)["sha256"]})

    def digest_of_draft(self, key: str) -> dict[str, Any]:
        """The `digest` of a stored draft. Raises JobNotFound if it does not exist."""
        with if_not_found(JobNotFound), storage_errors():
            head = self._client.head_object(Bucket=self.bucket, Key=key)
        return {"sha256": head["Metadata"]["sha256"], "bytes": head["ContentLength"]}

    def write_boxes(self, job_id: str, content: dict[str, Any]) -> str:
        """Store a job's boxes file. Returns its key."""
        return self.write_json(f"{_BOXES}{job_id}.{_token()}.json", content)

    def write_answers(self, job_id: str, number: int, content: dict[str, Any]) -> str:
        """Store the paid answers of a round that failed. They replace its earlier ones. Returns their key."""
        return self.write_json(_answers_key(job_id, number), content)

    def read_answers(self, job_id: str, number: int) -> dict[str, Any]:
        """Read the paid answers of a round that failed. Raises JobNotFound if there are none."""
        return self.read_json(_answers_key(job_id, number))

    def withdraw_answers(self, job_id: str, number: int) -> None:
        """Delete the paid answers of a round that has succeeded."""
        self.withdraw(_answers_key(job_id, number))

    def write_preview(self, job_id: str, data: bytes) -> str:
        """Store a preview of a job's upload, a JPEG. Returns its key."""
        return self._write(f"{_PREVIEWS}{job_id}.{_token()}.jpg", data, "image/jpeg")

    def write_receipt(self, execution_name: str, receipt: dict[str, Any]) -> str:
        """Store the receipt of an execution's result. Returns its key.

        Each execution of a job has its own receipt. So if a redo fails, the receipt of the last result stays.
        """
        text = json.dumps(receipt, indent=1)
        return self._write(f"{_RECEIPTS}{execution_name}.json", text.encode(), "application/json")

    def write_json(self, key: str, content: dict[str, Any]) -> str:
        """Store boxes, a decision or answers under this key. Returns the key."""
        return self._write(key, json.dumps(content, separators=(",", ":")).encode(), "application/json")

    def read_json(self, key: str) -> dict[str, Any]:
        """Read boxes, a decision, answers or a receipt. Raises JobNotFound if it is gone: boxes go with the job."""
        with if_not_found(JobNotFound), storage_errors():
            body = self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        content: dict[str, Any] = json.loads(body)
        return content

    def has_upload(self, job_id: str) -> bool:
        """Whether the job's photo was uploaded and still exists."""
        return upload_key(job_id) in self._keys(upload_key(job_id))

    def withdraw(self, key: str) -> None:
        """Delete boxes, a decision, a preview, a draft or a receipt that the job no longer needs."""
        self.delete([key])

    def jobs_with_photos(self) -> set[str]:
        """The ids of all jobs that have an upload, boxes, or a decision."""
        with storage_errors():
            pages = self._client.get_paginator("list_objects_v2")
            return {
                entry["Key"].removeprefix(folder).partition(".")[0]
                for folder in (_UPLOADS, _BOXES)
                for page in pages.paginate(Bucket=self.bucket, Prefix=folder)
                for entry in page.get("Contents", [])
            }

    def keys_of(self, job_id: str) -> list[str]:
        """The keys of all objects of a job. The first is the upload's, which may not exist."""
        begins = [f"{folder}{job_id}" for folder in (_BOXES, _PREVIEWS, _RESULTS, _RECEIPTS)]
        # A token or the number of an execution follows.
        derived = [key for begin in begins for key in self._keys(begin) if key[len(begin)] in ".-"]
        return [upload_key(job_id), *derived]

    def delete(self, keys: Iterable[str]) -> None:
        """Delete the objects with these keys, if they exist."""
        for key in keys:
            with storage_errors():
                self._client.delete_object(Bucket=self.bucket, Key=key)

    def erase(self, job_id: str) -> None:
        """Delete everything of a job."""
        self.delete(self.keys_of(job_id))

    def sweep(self, seconds: int) -> int:
        """Delete all objects older than this many seconds. Returns their number.

        Raises StorageUnavailable at the end if some objects could not be deleted.
        """
        swept, failed, limit = 0, 0, datetime.now(UTC) - timedelta(seconds=seconds)
        with storage_errors():
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket):
                old: list[ObjectIdentifierTypeDef] = [
                    {"Key": stored["Key"]} for stored in page.get("Contents", []) if stored["LastModified"] < limit
                ]
                if old:
                    answer = self._client.delete_objects(Bucket=self.bucket, Delete={"Objects": old, "Quiet": True})
                    failed += len(answer.get("Errors", []))
                    swept += len(old)
        if failed:
            raise StorageUnavailable
        return swept

    def _write(self, key: str, data: bytes, content_type: str, **more: Any) -> str:
        with storage_errors():
            self._client.put_object(Bucket=self.bucket, Key=key, Body=data, ContentType=content_type, **more)
        return key

    def _keys(self, prefix: str) -> list[str]:
        with storage_errors():
            answer = self._client.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [entry["Key"] for entry in answer.get("Contents", [])]


def withdraw_if_late(key: str, job_id: str, jobs: Jobs, photos: Photos) -> None:
    """Delete the object just stored under this key and raise JobNotFound, if the job has ended or was deleted.

    A job's row is changed before its objects are erased. So if the job is still in progress after an object was stored,
    the end of the job erases this object too. A job that waits for a review is in progress too: answering the review
    stores its decision.
    """
    if not jobs.is_in_progress(job_id):
        photos.withdraw(key)
        raise JobNotFound


def upload_key(job_id: str) -> str:
    """The key of a job's upload."""
    return f"{_UPLOADS}{job_id}"


def new_decision_key(job_id: str) -> str:
    """A key for a decision about this job. The row names it before the decision is stored."""
    return f"{_BOXES}{job_id}.{_token()}.decision.json"


def _answers_key(job_id: str, number: int) -> str:
    return f"{_BOXES}{job_id}.{number}.answers.json"


def job_id_of(key: str) -> str:
    """The id of the job to which an upload belongs."""
    return key.removeprefix(_UPLOADS)


def digest(data: bytes) -> dict[str, Any]:
    """A file's SHA-256 and size: `{"sha256", "bytes"}`."""
    return {"sha256": sha256(data).hexdigest(), "bytes": len(data)}


@contextmanager
def if_not_found(error: type[FaceblurError]) -> Iterator[None]:
    """Raise this error if the requested object does not exist, or was replaced."""
    try:
        yield
    except ClientError as refusal:
        if code_of(refusal) in _NOT_FOUND:
            raise error from refusal
        raise


def _token() -> str:
    return secrets.token_hex(8)


def s3() -> S3Client:
    """A client of S3."""
    # Presigned forms and links need regional virtual-host addresses, or S3 would redirect them to another endpoint.
    settings = Config(signature_version="s3v4", s3={"addressing_style": "virtual"}, retries={"mode": "standard"})
    return boto3.client("s3", config=settings)


@cache
def photos() -> Photos:
    """The bucket of this deployment."""
    return Photos(s3(), config.photo_bucket())
