from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from faceblur.errors import InternalError, JobNotFound
from faceblur.geometry import Box
from faceblur.jobs.boxes import FoundBox
from faceblur.jobs.storage import digest
from faceblur.jobs.table import jobs
from update_job.app import handler

JOB_ID = "0f8fad5bd9cb469fa16570867728950e"
BUCKET = "faceblur-photos-123456789012-eu-central-1"
RESULT = f"results/{JOB_ID}.9c56cc51b374c3ba.jpg"
BOXES = f"boxes/{JOB_ID}.8d1f0c2b9a7e6543.json"
EVERYTHING = {f"uploads/{JOB_ID}", BOXES, RESULT}
RECEIPT = f"receipts/{JOB_ID}.json"


@pytest.fixture
def update(context, s3, table):
    for key in EVERYTHING - {BOXES}:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"photo", Metadata={"sha256": digest(b"photo")["sha256"]})
    put_boxes(s3, FoundBox(Box(0.38, 0.1, 0.2, 0.28, 97.3, "embedded"), 0))
    return lambda event: handler(event, context)


def put_boxes(s3, *boxes):
    """Store what the event of the state machine's last task says is stored."""
    boxes = {"photo": digest(b"photo"), "boxes": [box.to_dict() for box in boxes]}
    s3.put_object(Bucket=BUCKET, Key=BOXES, Body=json.dumps(boxes).encode())


@pytest.fixture
def ended(event):
    """The event of an execution that ended this way."""

    def make(**detail):
        whole = event("update_job_execution_ended")
        return whole | {"detail": whole["detail"] | detail}

    return make


def failures(output):
    return [(line["code"], line["JobsFailed"]) for line in output.metrics if "JobsFailed" in line]


# ---------------------------------------------------------------- the state machine's last task


def test_a_result_completes_the_job(update, event, add_job, keys, output):
    add_job("PROCESSING")
    update(event("update_job"))
    job = jobs().get(JOB_ID)
    assert job.status == "COMPLETED"
    assert job.outcome == {
        "faces": 1,
        "missed_at_first": 0,
        "check_rounds": 1,
        "warnings": [],
        "result": event("update_job")["draft"],
        "receipt": RECEIPT,
    }
    assert keys() == {RESULT, RECEIPT}
    assert [line["JobsCompleted"] for line in output.metrics] == [1]
    assert [(line["message"], line["correlation_id"]) for line in output.logs] == [("job completed", JOB_ID)]


def test_a_result_without_a_face_says_so(update, event, add_job, s3):
    add_job("PROCESSING")
    put_boxes(s3)
    update(event("update_job"))
    assert jobs().get(JOB_ID).outcome["warnings"] == ["NoFacesFound"]


@pytest.mark.parametrize("status", ["FAILED", "AWAITING_UPLOAD"])
def test_a_result_for_a_job_that_is_not_in_work_is_refused(update, event, add_job, keys, output, status):
    add_job(status)
    with pytest.raises(JobNotFound):
        update(event("update_job"))
    assert jobs().get(JOB_ID).status == status
    assert keys() == EVERYTHING
    assert output.metrics == []


def test_a_result_for_a_deleted_job_is_refused(update, event, row_of, keys, output):
    with pytest.raises(JobNotFound):
        update(event("update_job"))
    assert row_of(JOB_ID) is None
    assert keys() == EVERYTHING
    assert output.metrics == []


# ---------------------------------------------------------------- executions that ended


def test_an_execution_that_failed_fails_its_job_and_leaves_nothing(update, event, add_job, keys, output):
    add_job("PROCESSING")
    update(event("update_job_execution_ended"))
    assert jobs().get(JOB_ID).error == {
        "code": "CorruptImage",
        "message": event("update_job_execution_ended")["detail"]["cause"],
    }
    assert keys() == set()
    assert failures(output) == [("CorruptImage", 1)]
    (line,) = output.logs
    assert (line["correlation_id"], line["status"], line["code"]) == (JOB_ID, "FAILED", "CorruptImage")


@pytest.mark.parametrize(("status", "code"), [("TIMED_OUT", "TimedOut"), ("ABORTED", "Aborted")])
@pytest.mark.parametrize("job", ["AWAITING_UPLOAD", "PROCESSING"])
def test_an_execution_that_was_stopped_fails_its_job(update, ended, add_job, output, status, code, job):
    add_job(job)
    update(ended(status=status, error=None, cause=None))
    assert jobs().get(JOB_ID).error["code"] == code
    assert failures(output) == [(code, 1)]


def test_an_error_that_is_not_ours_shows_nothing_of_its_insides(update, ended, add_job, output):
    add_job("PROCESSING")
    update(ended(error="States.Runtime", cause="arn:aws:secret"))
    assert jobs().get(JOB_ID).error == {"code": "InternalError", "message": InternalError.sentence}
    assert failures(output) == [("InternalError", 1)]


def test_a_failure_that_the_state_machine_has_recorded_stays(update, event, add_job, keys):
    add_job("FAILED", error={"code": "TooManyFaces", "message": "A crowd."})
    update(event("update_job_execution_ended"))
    assert jobs().get(JOB_ID).error == {"code": "TooManyFaces", "message": "A crowd."}
    assert keys() == set()


def test_the_original_stays_if_the_job_keeps_it(update, event, add_job, keys):
    add_job("PROCESSING", options={"keep_original": True})
    update(event("update_job_execution_ended"))
    assert keys() == {f"uploads/{JOB_ID}"}


def test_a_late_event_leaves_a_completed_job_its_result(update, event, add_job, keys):
    add_job("COMPLETED")
    update(event("update_job_execution_ended"))
    assert jobs().get(JOB_ID).status == "COMPLETED"
    assert keys() == {RESULT}


def test_a_photo_without_a_job_is_erased(update, ended, row_of, keys):
    update(ended(error="JobNotFound", cause="No job waits for this photo."))
    assert row_of(JOB_ID) is None
    assert keys() == set()


def test_an_event_delivered_twice(update, event, add_job):
    add_job("PROCESSING")
    update(event("update_job_execution_ended"))
    once = jobs().get(JOB_ID)
    update(event("update_job_execution_ended"))
    assert jobs().get(JOB_ID) == once


@pytest.fixture
def told(event):
    """The message by which the queue of endings tells of something."""

    def make(body):
        whole = event("update_job_undeliverable")
        whole["Records"][0]["body"] = body
        return whole

    return make


def test_the_queue_of_endings_tells_of_an_execution_too(update, event, told, add_job, keys, output):
    add_job("PROCESSING")
    update(told(json.dumps(event("update_job_execution_ended"))))
    assert jobs().get(JOB_ID).error["code"] == "CorruptImage"
    assert keys() == set()
    assert failures(output) == [("CorruptImage", 1)]


def test_an_ending_that_cannot_be_recorded_is_told_again(update, event, told, table):
    table.delete()
    with pytest.raises(ClientError):
        update(told(json.dumps(event("update_job_execution_ended"))))


# ---------------------------------------------------------------- photos that could not be delivered


def test_a_photo_that_could_not_be_processed_fails_its_job(update, event, add_job, keys, output):
    add_job()
    update(event("update_job_undeliverable"))
    assert jobs().get(JOB_ID).error["code"] == "InternalError"
    assert keys() == set()
    assert failures(output) == [("InternalError", 1)]
    (line,) = output.logs
    message = event("update_job_undeliverable")["Records"][0]["messageId"]
    assert (line["correlation_id"], line["level"], line["message_id"]) == (JOB_ID, "ERROR", message)


def test_a_job_that_got_its_execution_after_all_is_left_alone(update, event, add_job, keys, output):
    add_job("PROCESSING")
    update(event("update_job_undeliverable"))
    assert jobs().get(JOB_ID).status == "PROCESSING"
    assert keys() == EVERYTHING
    assert failures(output) == []


@pytest.mark.parametrize(("keep_original", "left"), [(False, {RESULT}), (True, EVERYTHING - {BOXES})])
def test_a_photo_that_came_after_its_job_was_completed_is_erased_unless_it_is_kept(
    update, event, add_job, keys, output, keep_original, left
):
    add_job("COMPLETED", options={"keep_original": keep_original})
    update(event("update_job_undeliverable"))
    assert jobs().get(JOB_ID).status == "COMPLETED"
    assert keys() == left
    assert failures(output) == []


def test_a_photo_of_a_job_that_does_not_exist_is_erased(update, event, row_of, keys):
    update(event("update_job_undeliverable"))
    assert row_of(JOB_ID) is None
    assert keys() == set()


@pytest.mark.parametrize("body", ["no JSON", '{"Records": [{}]}'])
def test_a_message_that_is_not_about_photos_is_logged_and_let_go(update, told, output, body):
    update(told(body))
    assert [(line["level"], line["message"]) for line in output.logs] == [("ERROR", "not a message about photos")]


# ---------------------------------------------------------------- what is logged


@pytest.mark.parametrize("name", ["update_job", "update_job_execution_ended", "update_job_undeliverable"])
def test_the_log_holds_neither_keys_nor_links(update, event, add_job, output, name):
    add_job("AWAITING_UPLOAD" if name == "update_job_undeliverable" else "PROCESSING")
    update(event(name))
    assert output.logs
    assert not [word for word in ("uploads/", "results/", "receipts/", "X-Amz", "http") if word in output.text]
