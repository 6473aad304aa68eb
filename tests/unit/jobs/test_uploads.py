from __future__ import annotations

import json
import time

import pytest

from faceblur.jobs.storage import photos
from faceblur.jobs.table import jobs
from faceblur.jobs.uploads import discard_unless_awaited, job_ids_in

JOB_ID = "0f8fad5bd9cb469fa16570867728950e"
BUCKET = "faceblur-photos-123456789012-eu-central-1"
UPLOAD = f"uploads/{JOB_ID}"


def message(*keys: str) -> str:
    return json.dumps({"Records": [{"s3": {"object": {"key": key}}} for key in keys]})


def test_the_photo_of_a_real_message(event):
    body = event("start_workflow")["Records"][0]["body"]
    assert job_ids_in(body) == [JOB_ID]


def test_several_records_in_one_message():
    a, b = "a" * 32, "b" * 32
    assert job_ids_in(message(f"uploads/{a}", f"uploads/{b}")) == [a, b]


def test_keys_are_url_encoded():
    assert job_ids_in(message(f"uploads%2F{JOB_ID}")) == [JOB_ID]


@pytest.mark.parametrize(
    "key", ["uploads/", "uploads/a", f"uploads/{JOB_ID}/a", f"uploads/{JOB_ID}+", f"other/{JOB_ID}"]
)
def test_keys_that_are_no_jobs_are_passed_over(key):
    assert job_ids_in(message(key)) == []


def test_the_event_that_tests_a_new_notification():
    body = {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": "2025-11-22T20:00:00.000Z",
        "Bucket": BUCKET,
        "RequestId": "5582815E1AEA5ADF",
        "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR+YstdA6Knx4Ip8EXAMPLE",
    }
    assert job_ids_in(json.dumps(body)) == []


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no JSON",
        "{}",
        '{"source": "aws.states", "detail": {}}',
        '{"Records": [{}]}',
        '{"Records": [{"s3": {"object": {}}}]}',
    ],
)
def test_a_message_that_is_not_from_s3_is_an_error(body):
    with pytest.raises((ValueError, KeyError)):
        job_ids_in(body)


@pytest.fixture
def uploaded(s3):
    s3.put_object(Bucket=BUCKET, Key=UPLOAD, Body=b"photo")


@pytest.mark.parametrize("status", ["AWAITING_UPLOAD", "PROCESSING", "AWAITING_REVIEW"])
def test_the_photo_that_its_job_waits_for_stays(uploaded, keys, add_job, status):
    add_job(status)
    discard_unless_awaited(JOB_ID, jobs(), photos())
    assert keys() == {UPLOAD}


@pytest.mark.parametrize(
    ("status", "seconds", "left"),
    [("COMPLETED", -1, set()), ("COMPLETED", 3600, {UPLOAD}), ("FAILED", 3600, set())],
)
def test_a_photo_after_the_end_stays_only_while_the_job_can_be_done_again(
    uploaded, keys, add_job, status, seconds, left
):
    add_job(status, redo_until=int(time.time()) + seconds)
    discard_unless_awaited(JOB_ID, jobs(), photos())
    assert keys() == left


def test_a_photo_of_a_deleted_job_goes(uploaded, keys, table):
    discard_unless_awaited(JOB_ID, jobs(), photos())
    assert keys() == set()


def test_nothing_but_the_photo_goes(uploaded, s3, keys, add_job):
    others = {f"results/{JOB_ID}.0123456789abcdef.jpg", f"receipts/{JOB_ID}.json", f"{UPLOAD}0"}
    for key in others:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"another")
    add_job("COMPLETED")
    discard_unless_awaited(JOB_ID, jobs(), photos())
    assert keys() == others
