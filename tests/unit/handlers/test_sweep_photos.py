from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from faceblur.config import DELIVERY_SECONDS
from faceblur.errors import StorageUnavailable
from faceblur.jobs.batches import Batches
from faceblur.jobs.storage import Photos, photos
from faceblur.jobs.table import Jobs
from sweep_photos.app import handler

JOB_ID = "0f8fad5bd9cb469fa16570867728950e"
BUCKET = "faceblur-photos-123456789012-eu-central-1"


@pytest.fixture
def sweep(event, context, s3, table):
    return lambda: handler(event("sweep_photos"), context)


@pytest.fixture
def stored(s3, listen):
    """Store an object as of this many hours ago."""
    ages = {}

    def store(key, hours):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"photo")
        ages[key] = datetime.now(UTC) - timedelta(hours=hours)

    def as_of_then(parsed, **_):
        for entry in parsed.get("Contents", []):
            entry["LastModified"] = ages[entry["Key"]]

    listen(photos()._client, "after-call.s3.ListObjectsV2", as_of_then)
    return store


def cannot_read(failing, rows, read, monkeypatch):
    """Have the method `read` of these rows fail for this id alone."""
    as_before = getattr(rows, read)

    def unavailable(self, row_id):
        if row_id == failing:
            raise StorageUnavailable
        return as_before(self, row_id)

    monkeypatch.setattr(rows, read, unavailable)


def swept(output):
    return [line["PhotosSwept"] for line in output.metrics]


def test_every_object_that_is_a_day_old_is_deleted(sweep, stored, keys, add_job, output):
    for key in ("uploads/a", "results/a.0.jpg", "receipts/a.json", "elsewhere"):
        stored(key, hours=24.01)
    add_job("PROCESSING", "b")
    for key in ("uploads/b", "results/b.0.jpg", "receipts/b.json"):
        stored(key, hours=23.99)
    sweep()
    assert keys() == {"uploads/b", "results/b.0.jpg", "receipts/b.json"}
    assert swept(output) == [4]
    assert [(line["message"], line["photos"]) for line in output.logs] == [("swept", 4)]


def test_a_sweep_that_finds_nothing_counts(sweep, s3, output):
    sweep()
    assert swept(output) == [0]


def test_more_than_one_list_holds(sweep, stored, keys, output, listen):
    for number in range(5):
        stored(f"uploads/{number}", hours=25)

    def two_at_a_time(params, **_):
        return params | {"MaxKeys": 2}

    listen(photos()._client, "provide-client-params.s3.ListObjectsV2", two_at_a_time)
    sweep()
    assert keys() == set()
    assert swept(output) == [5]


def test_an_object_that_cannot_be_deleted_is_an_error_after_the_others_are_deleted(sweep, stored, keys, output, listen):
    for number in range(3):
        stored(f"results/{number}", hours=25)

    def refuse_the_first(params, **_):
        return {**params, "Delete": {**params["Delete"], "Objects": params["Delete"]["Objects"][1:]}}

    def tell_so(parsed, **_):
        parsed["Errors"] = [{"Key": "results/0", "Code": "InternalError"}]

    listen(photos()._client, "provide-client-params.s3.DeleteObjects", refuse_the_first)
    listen(photos()._client, "after-call.s3.DeleteObjects", tell_so)
    with pytest.raises(StorageUnavailable):
        sweep()
    assert keys() == {"results/0"}
    assert output.metrics == []


UPLOAD, BOXES, RESULT, RECEIPT = EVERYTHING = [
    f"uploads/{JOB_ID}",
    f"boxes/{JOB_ID}.8d1f0c2b9a7e6543.json",
    f"results/{JOB_ID}.9c56cc51b374c3ba.jpg",
    f"receipts/{JOB_ID}.json",
]


@pytest.fixture
def everything(stored):
    for key in EVERYTHING:
        stored(key, hours=1)


@pytest.mark.parametrize(
    ("status", "seconds", "left"),
    [
        ("COMPLETED", 60, EVERYTHING),
        ("COMPLETED", -1, [RESULT, RECEIPT]),
        ("PROCESSING", -1, EVERYTHING),
        ("AWAITING_UPLOAD", -1, EVERYTHING),
        ("AWAITING_REVIEW", -1, EVERYTHING),
        ("FAILED", 60, []),
    ],
)
def test_a_photo_is_deleted_when_its_job_can_no_longer_be_done_again(
    sweep, everything, keys, add_job, status, seconds, left
):
    add_job(status, redo_until=int(time.time()) + seconds)
    sweep()
    assert keys() == set(left)


DECISION = f"boxes/{JOB_ID}.9c56cc51b374c3ba.decision.json"


@pytest.mark.parametrize(
    ("status", "overdue", "keys_there", "left"),
    [
        ("AWAITING_UPLOAD", 1, [DECISION], []),
        ("AWAITING_UPLOAD", -60, [DECISION], [DECISION]),
        ("AWAITING_UPLOAD", 1, [UPLOAD, DECISION], [UPLOAD, DECISION]),
        ("FAILED", -60, [DECISION], []),
    ],
)
def test_a_decision_whose_photo_never_came_is_deleted(sweep, stored, keys, add_job, status, overdue, keys_there, left):
    for key in keys_there:
        stored(key, hours=1)
    add_job(status, upload_expires_at=int(time.time()) - DELIVERY_SECONDS - overdue)
    sweep()
    assert keys() == set(left)


def test_a_job_that_needs_all_it_has_costs_one_read(sweep, stored, add_job, listen):
    """With ten thousand of them, lists of each would take longer than the function may."""
    for number in range(5):
        stored(f"uploads/{number}", hours=1)
        add_job("COMPLETED", str(number), redo_until=int(time.time()) + 60)
    lists = []
    listen(photos()._client, "before-call.s3.ListObjectsV2", lambda params, **_: lists.append(params["url_path"]))
    sweep()
    assert len(lists) == 4  # all objects, those of uploads, those of boxes, and the batches


def test_an_error_about_one_job_does_not_keep_the_others_from_being_swept(
    sweep, stored, keys, add_job, output, monkeypatch
):
    for job_id in ("a", "b", "c"):
        stored(f"uploads/{job_id}", hours=1)
        add_job("FAILED", job_id)
    cannot_read("b", Jobs, "find", monkeypatch)
    with pytest.raises(StorageUnavailable):
        sweep()
    assert keys() == {"uploads/b"}
    assert output.metrics == []


def test_an_error_about_one_batch_does_not_keep_the_others_from_being_swept(sweep, s3, keys, monkeypatch):
    for batch_id in ("a", "b", "c"):
        s3.put_object(Bucket=BUCKET, Key=f"batches/{batch_id}/report.csv", Body=b"key,status")
    cannot_read("b", Batches, "get", monkeypatch)
    with pytest.raises(StorageUnavailable):
        sweep()
    assert keys() == {"batches/b/report.csv"}


def test_an_old_object_that_cannot_be_deleted_does_not_keep_jobs_from_being_swept(sweep, everything, keys, monkeypatch):
    def unavailable(self, seconds):
        raise StorageUnavailable

    monkeypatch.setattr(Photos, "sweep", unavailable)
    with pytest.raises(StorageUnavailable):
        sweep()
    assert keys() == set()


def test_a_photo_without_a_job_is_deleted(sweep, everything, keys):
    sweep()
    assert keys() == set()


def test_what_is_left_of_a_deleted_batch_is_erased_with_its_jobs(sweep, s3, add_job, keys, row_of):
    add_job("COMPLETED")
    line = {"job_id": JOB_ID, "status": "COMPLETED"}
    s3.put_object(Bucket=BUCKET, Key=f"batches/{'b' * 32}/lines/a.json", Body=json.dumps(line))
    s3.put_object(Bucket=BUCKET, Key=f"results/{JOB_ID}.0.jpg", Body=b"result")
    sweep()
    assert (keys(), row_of(JOB_ID)) == (set(), None)
