"""The fixture `recorded` checks every log for private content. This check finds what it should."""

from __future__ import annotations

import base64
import json
import traceback

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from create_job.app import handler
from faceblur.aws import storage_errors
from faceblur.errors import StorageUnavailable
from faceblur.observability import digest_of_id, entry_point, logger
from tests.support.privacy import private_in


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("a presigned link or form", "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0a1b"),
        ("a presigned link or form", json.dumps({"x-amz-signature": "0a1b"})),
        ("an address on the web", "https://photos.s3.eu-central-1.amazonaws.com/results/x"),
        ("a photo's bytes", repr(b"\xff\xd8\xff\xe0\x00\x10JFIF")),
        ("a photo's bytes", json.dumps(repr(b"\x89PNG\r\n"))),
        ("a photo's bytes", base64.b64encode(bytes(range(256))).decode()),
        (
            "a job's id",
            "arn:aws:states:eu-central-1:1:execution:blur-image:0f8fad5bd9cb469fa16570867728950e-1",
        ),
        ("a job's id", "uploads/0f8fad5bd9cb469fa16570867728950e"),
        ("a box", json.dumps({"left": 0.1, "top": 0.2})),
        ("a box", json.dumps(json.dumps({"width": 0.1}))),
        ("a box", "Box(left=0.1, top=0.2)"),
        ("a file's name", "Anna at the demonstration.jpg"),
        ("a token", "Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"),
        ("a client's address", "192.0.2.10"),
        ("a client's address", "2001:db8:85a3:0:0:8a2e:370:7334"),
    ],
)
def test_what_is_private_is_found(what, text):
    assert what in private_in(text)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"timestamp": "2025-11-22T20:00:00.123Z", "correlation_id": "0f8fad5bd9cb469f"}),
        json.dumps({"message": "searched the picture", "found": {"face": 2}, "bytes": 229312, "memory_mb": 3008}),
        'File "/var/task/complete_job/app.py", line 61, in handler',
    ],
)
def test_what_a_log_is_made_of_is_not_private(text):
    assert private_in(text) == {}


def test_logs_are_recorded(event, context, s3, table, recorded):
    handler(event("create_job"), context)
    logger.info("made up")
    text = "\n".join(recorded)
    assert '"job created"' in text
    assert '"made up"' in text


JOB_ID = "0f8fad5bd9cb469fa16570867728950e"


def test_an_error_that_leaves_a_handler_and_its_cause_name_a_digest(context, caplog):
    """Lambda's runtime and the logger log their texts."""

    @entry_point
    def failing(event, context):
        with storage_errors():
            raise EndpointConnectionError(endpoint_url=f"https://photos.invalid/uploads/{JOB_ID}")

    with pytest.raises(StorageUnavailable) as raised:
        failing({}, context)
    told = "".join(traceback.format_exception(raised.value))
    assert f"uploads/{digest_of_id(JOB_ID)}" in told
    assert JOB_ID not in told + caplog.text


def test_a_refusal_of_aws_that_leaves_a_handler_names_a_digest(context):
    @entry_point
    def failing(event, context):
        answer = {"Error": {"Code": "AccessDenied", "Message": f"on resource: photos/uploads/{JOB_ID}"}}
        raise ClientError(answer, "GetObject")

    with pytest.raises(ClientError, match=f"AccessDenied.*photos/uploads/{digest_of_id(JOB_ID)}$"):
        failing({}, context)


def test_a_logged_error_and_its_cause_name_a_digest(recorded):
    try:
        try:
            raise PermissionError(f"results/{JOB_ID}.0a1b2c3d4e5f6071.gone")
        except PermissionError as cause:
            raise RuntimeError(f"execution:blur-image:{JOB_ID}-1") from cause
    except RuntimeError:
        logger.exception("failed", key=f"uploads/{JOB_ID}")
    text = "\n".join(recorded)
    assert JOB_ID not in text
    assert text.count(digest_of_id(JOB_ID)) >= 3


def test_a_digest_is_not_an_id_and_differs_from_job_to_job():
    digests = {digest_of_id(f"{number:032x}") for number in range(1000)}
    assert len(digests) == 1000
    assert all(private_in(digest) == {} for digest in digests)
