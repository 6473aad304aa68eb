"""Photos in S3: `uploads/{job_id}`, `results/{job_id}.{digest}.{extension}`, `receipts/{job_id}.json`."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from faceblur import config
from faceblur.aws import code_of, storage_errors
from faceblur.errors import StorageUnavailable, UploadReplaced
from faceblur.limits import MAX_BYTES

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

_UPLOADS, _RESULTS, _RECEIPTS = "uploads/", "results/", "receipts/"
_GONE = {"NoSuchKey", "PreconditionFailed", "404", "412"}


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

    def read(self, key: str, etag: str) -> bytes:
        """Bytes of the object that has this entity tag; raises UploadReplaced if it is gone or another one."""
        try:
            with storage_errors():
                return self._client.get_object(Bucket=self.bucket, Key=key, IfMatch=etag)["Body"].read()
        except ClientError as error:
            if code_of(error) in _GONE:
                raise UploadReplaced from error
            raise

    def write_result(self, job_id: str, extension: str, data: bytes, content_type: str) -> tuple[str, str]:
        """Store a draft of a job's result; gives its key and entity tag.

        Each draft has a key of its own: one that a straggler writes never replaces what was checked.
        """
        key = f"{_RESULTS}{job_id}.{sha256(data).hexdigest()[:16]}.{extension}"
        with storage_errors():
            written = self._client.put_object(Bucket=self.bucket, Key=key, Body=data, ContentType=content_type)
        return key, written["ETag"].strip('"')

    def write_receipt(self, job_id: str, receipt: dict[str, Any]) -> str:
        """Store a job's receipt; gives its key."""
        key, body = f"{_RECEIPTS}{job_id}.json", json.dumps(receipt, indent=1).encode()
        with storage_errors():
            self._client.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType="application/json")
        return key

    def photo_arrived(self, job_id: str) -> bool:
        """Whether there is an uploaded photo for this job."""
        return upload_key(job_id) in self._keys(upload_key(job_id))

    def withdraw(self, key: str) -> None:
        """Delete a draft of a result, or the receipt of a job that is gone."""
        self._delete([key])

    def erase_upload(self, job_id: str) -> None:
        """Delete the uploaded photo, if there is one."""
        self._delete([upload_key(job_id)])

    def erase_all_but(self, job_id: str, result: str, *, keep_upload: bool) -> None:
        """Delete what a completed job needs no more: other drafts than its result, and an upload that is not kept."""
        if not keep_upload:
            self.erase_upload(job_id)
        self._delete([key for key in self._keys(f"{_RESULTS}{job_id}.") if key != result])

    def erase(self, job_id: str, *, keep_upload: bool = False) -> None:
        """Delete the job's results, checked or not, its receipt and, unless it is kept, the uploaded photo."""
        if not keep_upload:
            self.erase_upload(job_id)
        self._delete([*self._keys(f"{_RESULTS}{job_id}."), f"{_RECEIPTS}{job_id}.json"])

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

    def _keys(self, prefix: str) -> list[str]:
        with storage_errors():
            answer = self._client.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [entry["Key"] for entry in answer.get("Contents", [])]

    def _delete(self, keys: list[str]) -> None:
        for key in keys:
            with storage_errors():
                self._client.delete_object(Bucket=self.bucket, Key=key)


def upload_key(job_id: str) -> str:
    """Key of a job's uploaded photo."""
    return f"{_UPLOADS}{job_id}"


def job_id_of(key: str) -> str:
    """Job that an uploaded photo belongs to."""
    return key.removeprefix(_UPLOADS)


@cache
def photos() -> Photos:
    """The bucket of this deployment."""
    # Regional virtual-host addresses: presigned forms and links must not be redirected to another endpoint.
    signing = Config(signature_version="s3v4", s3={"addressing_style": "virtual"}, retries={"mode": "standard"})
    return Photos(boto3.client("s3", config=signing), config.photo_bucket())
