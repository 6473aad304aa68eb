"""Photos in S3, and what belongs to them.

`uploads/{job_id}`, `boxes/{job_id}.{token}.json`, `results/{job_id}.{token}.{extension}`, `receipts/{job_id}.json`.

A token is random, so that each object that a task writes has a key of its own: what a retry or a straggler writes never
replaces what another task reads. It says nothing of the content, for keys stay in the history of an execution.
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
    from collections.abc import Iterator

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

    from faceblur.errors import FaceblurError
    from faceblur.jobs.table import Jobs

_UPLOADS, _BOXES, _RESULTS, _RECEIPTS = "uploads/", "boxes/", "results/", "receipts/"
_GONE = {"NoSuchKey", "404"}


class Photos:
    """The bucket of photos."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        """Work on `bucket` through `client`."""
        self._client = client
        self.bucket = bucket

    def upload_form(self, job_id: str, seconds: int) -> dict[str, Any]:
        """Presigned POST `{"url", "fields"}` for one photo under one key, up to the size limit."""
        return self._client.generate_presigned_post(
            self.bucket,
            upload_key(job_id),
            Conditions=[["content-length-range", 0, MAX_BYTES]],
            ExpiresIn=seconds,
        )

    def link(self, key: str) -> str:
        """Presigned URL, valid for a few minutes, under which a client downloads `key`."""
        return self._client.generate_presigned_url(
            "get_object",
            Params={"Bucket": self.bucket, "Key": key, "ResponseCacheControl": "no-store"},
            ExpiresIn=config.LINK_SECONDS,
        )

    def read(self, key: str) -> bytes:
        """Bytes of a photo or a draft; raises UploadReplaced if it is gone."""
        with _gone_means(UploadReplaced), storage_errors():
            return self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def write_result(self, job_id: str, extension: str, data: bytes, content_type: str) -> str:
        """Store a draft of a job's result, and its SHA-256 with it; gives its key."""
        key = f"{_RESULTS}{job_id}.{_token()}.{extension}"
        with storage_errors():
            self._client.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=data,
                ContentType=content_type,
                Metadata={"sha256": digest(data)["sha256"]},
            )
        return key

    def digest_of_result(self, key: str) -> dict[str, Any]:
        """The digest of a stored draft, as `digest` gives it; raises JobNotFound if the draft is gone."""
        with _gone_means(JobNotFound), storage_errors():
            head = self._client.head_object(Bucket=self.bucket, Key=key)
        return {"sha256": head["Metadata"]["sha256"], "bytes": head["ContentLength"]}

    def write_boxes(self, job_id: str, content: dict[str, Any]) -> str:
        """Store the file that tells of a job's faces; gives its key."""
        body = json.dumps(content, separators=(",", ":")).encode()
        key = f"{_BOXES}{job_id}.{_token()}.json"
        with storage_errors():
            self._client.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType="application/json")
        return key

    def read_boxes(self, key: str) -> dict[str, Any]:
        """What `write_boxes` stored; raises JobNotFound if it is gone, as it is once the job has ended."""
        with _gone_means(JobNotFound), storage_errors():
            body = self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        content: dict[str, Any] = json.loads(body)
        return content

    def write_receipt(self, job_id: str, receipt: dict[str, Any]) -> str:
        """Store a job's receipt; gives its key."""
        key, body = f"{_RECEIPTS}{job_id}.json", json.dumps(receipt, indent=1).encode()
        with storage_errors():
            self._client.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType="application/json")
        return key

    def has_upload(self, job_id: str) -> bool:
        """Whether there is an uploaded photo for this job."""
        return upload_key(job_id) in self._keys(upload_key(job_id))

    def withdraw(self, key: str) -> None:
        """Delete boxes, a draft or a receipt for which the job has no use any more."""
        self._delete([key])

    def erase_upload(self, job_id: str) -> None:
        """Delete the uploaded photo, if there is one."""
        self._delete([upload_key(job_id)])

    def erase_all_but(self, job_id: str, result: str, *, keep_upload: bool) -> None:
        """Delete what a completed job needs no more: boxes, other drafts, and an upload that is not kept."""
        if not keep_upload:
            self.erase_upload(job_id)
        self._delete([key for key in self._made_of(job_id) if key != result])

    def erase(self, job_id: str, *, keep_upload: bool = False) -> None:
        """Delete the job's boxes, its results, its receipt and, unless it is kept, the uploaded photo."""
        if not keep_upload:
            self.erase_upload(job_id)
        self._delete([*self._made_of(job_id), f"{_RECEIPTS}{job_id}.json"])

    def sweep(self, seconds: int) -> int:
        """Delete every object that was stored longer ago than this; tells how many.

        Raises StorageUnavailable, after it has tried all of them, if some could not be deleted.
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

    def _made_of(self, job_id: str) -> list[str]:
        """The keys of the job's boxes, drafts and result."""
        return [key for folder in (_BOXES, _RESULTS) for key in self._keys(f"{folder}{job_id}.")]

    def _keys(self, prefix: str) -> list[str]:
        with storage_errors():
            answer = self._client.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [entry["Key"] for entry in answer.get("Contents", [])]

    def _delete(self, keys: list[str]) -> None:
        for key in keys:
            with storage_errors():
                self._client.delete_object(Bucket=self.bucket, Key=key)


def withdraw_if_late(key: str, job_id: str, jobs: Jobs, photos: Photos) -> None:
    """Delete what was just stored under this key, and raise JobNotFound, if the job has ended or was deleted.

    Whoever ends or deletes a job changes its row before erasing its objects. So if the job is still processed after
    something was stored, its end will erase that too.
    """
    if not jobs.is_in_work(job_id):
        photos.withdraw(key)
        raise JobNotFound


def upload_key(job_id: str) -> str:
    """Key of a job's uploaded photo."""
    return f"{_UPLOADS}{job_id}"


def job_id_of(key: str) -> str:
    """Job that an uploaded photo belongs to."""
    return key.removeprefix(_UPLOADS)


def digest(data: bytes) -> dict[str, Any]:
    """What tells a file from others: its SHA-256, and its size in bytes."""
    return {"sha256": sha256(data).hexdigest(), "bytes": len(data)}


@contextmanager
def _gone_means(error: type[FaceblurError]) -> Iterator[None]:
    """Raise this error if the object that is asked for does not exist."""
    try:
        yield
    except ClientError as refusal:
        if code_of(refusal) in _GONE:
            raise error from refusal
        raise


def _token() -> str:
    return secrets.token_hex(8)


@cache
def photos() -> Photos:
    """The bucket of this deployment."""
    # Regional virtual-host addresses: presigned forms and links must not be redirected to another endpoint.
    signing = Config(signature_version="s3v4", s3={"addressing_style": "virtual"}, retries={"mode": "standard"})
    return Photos(boto3.client("s3", config=signing), config.photo_bucket())
