from __future__ import annotations

import time

import pytest
from botocore.exceptions import ClientError

from faceblur.errors import UploadExpired
from faceblur.jobs.table import jobs
from faceblur.observability import digest_of_id
from fail_upload.app import handler

JOB_ID = "0f8fad5bd9cb469fa16570867728950e"
BUCKET = "faceblur-photos-123456789012-eu-central-1"
UPLOAD = f"uploads/{JOB_ID}"
RESULT = f"results/{JOB_ID}.9c56cc51b374c3ba.jpg"


@pytest.fixture
def fail(context, s3, table, event):
    """Call the function for an upload, which is stored beside a result, or for another message."""
    for key in (UPLOAD, RESULT):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"photo")

    def call(body=None):
        messages = event("fail_upload")
        messages["Records"][0]["body"] = body or messages["Records"][0]["body"]
        handler(messages, context)

    return call


def failures(output):
    return [(line["code"], line["JobsFailed"]) for line in output.metrics if "JobsFailed" in line]


def test_the_job_has_failed_and_its_upload_is_deleted(fail, event, add_job, keys, output):
    add_job()
    fail()
    assert jobs().get(JOB_ID).error["code"] == "InternalError"
    assert keys() == {RESULT}
    assert failures(output) == [("InternalError", 1)]
    (line,) = output.logs
    message = event("fail_upload")["Records"][0]["messageId"]
    assert (line["correlation_id"], line["level"], line["message_id"]) == (digest_of_id(JOB_ID), "ERROR", message)


def test_a_job_whose_execution_has_started_goes_on(fail, add_job, keys, output):
    add_job("PROCESSING")
    fail()
    assert jobs().get(JOB_ID).status == "PROCESSING"
    assert keys() == {UPLOAD, RESULT}
    assert failures(output) == []


@pytest.mark.parametrize(
    ("status", "seconds", "left"),
    [("COMPLETED", -1, {RESULT}), ("COMPLETED", 3600, {UPLOAD, RESULT}), ("FAILED", 3600, {RESULT})],
)
def test_an_upload_for_a_finished_job_is_deleted_unless_the_job_keeps_it(
    fail, add_job, keys, output, status, seconds, left
):
    add_job(status, redo_until=int(time.time()) + seconds)
    fail()
    assert jobs().get(JOB_ID).status == status
    assert keys() == left
    assert failures(output) == []


def test_an_upload_without_a_job_is_deleted(fail, row_of, keys):
    fail()
    assert row_of(JOB_ID) is None
    assert keys() == {RESULT}


def test_a_failure_delivered_twice_counts_once(fail, add_job, output):
    add_job()
    fail()
    fail()
    assert failures(output) == [("InternalError", 1)]


def test_a_job_that_failed_before_is_counted_by_its_code(fail, add_job, output):
    """`get_job` records that the form expired, and may end before it has counted that."""
    jobs().fail(add_job(), UploadExpired())
    fail()
    assert failures(output) == [("UploadExpired", 1)]


def test_a_failure_that_cannot_be_recorded_is_delivered_again(fail, table):
    table.delete()
    with pytest.raises(ClientError):
        fail()


@pytest.mark.parametrize("body", ["no JSON", '{"Records": [{}]}'])
def test_a_message_that_is_not_about_uploads_is_logged_and_dropped(fail, output, body):
    fail(body)
    assert [(line["level"], line["message"]) for line in output.logs] == [("ERROR", "not a message about uploads")]


def test_the_log_holds_neither_keys_nor_links(fail, add_job, output):
    add_job()
    fail()
    assert output.logs
    assert not [word for word in ("uploads/", "results/", "X-Amz", "http") if word in output.text]
