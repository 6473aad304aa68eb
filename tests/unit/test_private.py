"""The fixture `recorded` checks every log for private content. This check finds what it should."""

from __future__ import annotations

import base64
import json

import pytest

from create_job.app import handler
from faceblur.observability import logger
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
        json.dumps({"timestamp": "2025-11-22T20:00:00.123Z", "correlation_id": "0f8fad5bd9cb469fa16570867728950e"}),
        json.dumps({"message": "searched for faces", "faces": 2, "bytes": 229312, "memory_mb": 3008}),
        'File "/var/task/complete_job/app.py", line 61, in handler',
        "arn:aws:states:eu-central-1:123456789012:execution:blur-image:0f8fad5bd9cb469fa16570867728950e",
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
