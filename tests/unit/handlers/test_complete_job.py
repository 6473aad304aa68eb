from __future__ import annotations

import json
import time
from datetime import datetime

import pytest

from complete_job.app import handler
from faceblur.errors import JobNotFound
from faceblur.geometry import Box
from faceblur.jobs.boxes import FoundBox, FoundBoxes
from faceblur.jobs.storage import digest
from faceblur.jobs.table import jobs
from faceblur.observability import digest_of_id

JOB_ID = "0f8fad5bd9cb469fa16570867728950e"
BUCKET = "faceblur-photos-123456789012-eu-central-1"
RESULT = f"results/{JOB_ID}.9c56cc51b374c3ba.jpg"
BOXES = f"boxes/{JOB_ID}.8d1f0c2b9a7e6543.json"
EVERYTHING = {f"uploads/{JOB_ID}", BOXES, RESULT}
RECEIPT = f"receipts/{JOB_ID}.json"


@pytest.fixture
def complete(context, s3, table, event):
    """Call the function after its objects are stored."""
    for key in EVERYTHING - {BOXES}:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"photo", Metadata={"sha256": digest(b"photo")["sha256"]})
    put_boxes(s3, FoundBox(Box(0.38, 0.1, 0.2, 0.28, 97.3, "embedded"), 0))
    return lambda **changes: handler(event("complete_job") | changes, context)


def put_boxes(s3, *found):
    """Store the boxes that the event names."""
    boxes = FoundBoxes(digest(b"photo"), found).to_dict()
    s3.put_object(Bucket=BUCKET, Key=BOXES, Body=json.dumps(boxes).encode())


def test_a_result_completes_the_job(complete, event, add_job, keys, output):
    add_job("PROCESSING")
    complete()
    job = jobs().get(JOB_ID)
    assert job.status == "COMPLETED"
    assert job.outcome == {
        "hidden": {"face": 1, "plate": 0, "text": 0},
        "missed_at_first": 0,
        "check_rounds": 1,
        "kept": {"face": 0, "plate": 0, "text": 0},
        "reviewed": False,
        "warnings": [],
        "options": event("complete_job")["options"],
        "boxes": event("complete_job")["boxes"],
        "result": event("complete_job")["draft"],
        "receipt": RECEIPT,
    }
    assert keys() == {RESULT, RECEIPT}
    assert [line["JobsCompleted"] for line in output.metrics if "JobsCompleted" in line] == [1]
    assert [(line["message"], line["correlation_id"]) for line in output.logs] == [
        ("job completed", digest_of_id(JOB_ID))
    ]


def test_a_job_is_counted_once_however_often_it_is_completed(complete, add_job, output):
    add_job("PROCESSING")
    complete()
    complete()
    counted = [name for line in output.metrics for name in line if name in {"JobsCompleted", "Found"}]
    assert sorted(counted) == ["Found", "Found", "Found", "JobsCompleted"]


def test_what_a_person_kept_was_found_too_and_each_kind_is_counted(complete, add_job, s3, output):
    add_job("PROCESSING")
    boxes = [
        Box(0.1 + place, 0.1, 0.1, 0.1, 97.3, "embedded", kind=kind)
        for place, kind in ((0, "face"), (0.3, "face"), (0.6, "plate"))
    ]
    put_boxes(s3, FoundBox(boxes[0], 0), FoundBox(boxes[1], 0, hidden=False), FoundBox(boxes[2], 0))
    complete()
    assert {line["kind"]: line["Found"] for line in output.metrics if "Found" in line} == {
        "face": 2,
        "plate": 1,
        "text": 0,
    }


def test_the_time_of_the_work_begins_with_the_answer_of_a_person(complete, add_job, output):
    """`working_since` is then the time of the answer."""
    since = int(time.time()) - 7
    add_job("PROCESSING", created_at=since - 3600, working_since=since)
    complete()
    (seconds,) = [line["WorkSeconds"] for line in output.metrics if "WorkSeconds" in line]
    finished = datetime.fromisoformat(jobs().get(JOB_ID).progress["finished"])
    assert seconds == pytest.approx(finished.timestamp() - since)


def test_a_result_without_a_face_says_so(complete, event, add_job, s3):
    add_job("PROCESSING")
    put_boxes(s3)
    complete()
    assert jobs().get(JOB_ID).outcome["warnings"] == ["NothingFound"]


@pytest.mark.parametrize("status", ["FAILED", "AWAITING_UPLOAD"])
def test_a_result_for_a_job_that_is_not_in_work_is_refused(complete, event, add_job, keys, output, status):
    add_job(status)
    with pytest.raises(JobNotFound):
        complete()
    assert jobs().get(JOB_ID).status == status
    assert keys() == EVERYTHING
    assert output.metrics == []


def test_a_result_for_a_deleted_job_is_refused(complete, event, row_of, keys, output):
    with pytest.raises(JobNotFound):
        complete()
    assert row_of(JOB_ID) is None
    assert keys() == EVERYTHING
    assert output.metrics == []


def test_a_payload_with_too_few_fields_is_refused(context):
    with pytest.raises(TypeError):
        handler({"job_id": JOB_ID}, context)


def test_the_log_holds_neither_keys_nor_links(complete, add_job, output):
    add_job("PROCESSING")
    complete()
    assert output.logs
    assert not [word for word in ("uploads/", "results/", "receipts/", "X-Amz", "http") if word in output.text]
