from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from faceblur.errors import InternalError
from faceblur.jobs.table import jobs
from faceblur.observability import digest_of_id
from fail_job.app import handler
from tests.unit.conftest import outcome_of

JOB_ID = "0f8fad5bd9cb469fa16570867728950e"
BUCKET = "faceblur-photos-123456789012-eu-central-1"
RESULT = f"results/{JOB_ID}.9c56cc51b374c3ba.jpg"
EVERYTHING = {f"uploads/{JOB_ID}", f"boxes/{JOB_ID}.8d1f0c2b9a7e6543.json", RESULT}


def execution(event):
    """The execution that the event speaks of."""
    return json.loads(event("fail_job")["Records"][0]["body"])["detail"]


@pytest.fixture
def fail(context, s3, table, event):
    """Call the function for an execution that ended this way, after its objects are stored."""
    for key in EVERYTHING:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"photo")

    def call(**changes):
        messages = event("fail_job")
        body = json.loads(messages["Records"][0]["body"])
        messages["Records"][0]["body"] = json.dumps(body | {"detail": body["detail"] | changes})
        handler(messages, context)

    return call


def failures(output):
    return [(line["code"], line["JobsFailed"]) for line in output.metrics if "JobsFailed" in line]


def test_an_execution_that_failed_fails_its_job_and_leaves_nothing(fail, event, add_job, keys, output):
    add_job("PROCESSING")
    fail()
    assert jobs().get(JOB_ID).error == {
        "code": "CorruptImage",
        "message": execution(event)["cause"],
    }
    assert keys() == set()
    assert failures(output) == [("CorruptImage", 1)]
    (line,) = output.logs
    assert (line["correlation_id"], line["status"], line["code"]) == (digest_of_id(JOB_ID), "FAILED", "CorruptImage")


@pytest.mark.parametrize(("status", "code"), [("TIMED_OUT", "TimedOut"), ("ABORTED", "Aborted")])
@pytest.mark.parametrize("job", ["AWAITING_UPLOAD", "PROCESSING"])
def test_an_execution_that_was_stopped_fails_its_job(fail, add_job, output, status, code, job):
    add_job(job)
    fail(status=status, error=None, cause=None)
    assert jobs().get(JOB_ID).error["code"] == code
    assert failures(output) == [(code, 1)]


def test_an_error_that_is_not_ours_shows_nothing_of_its_insides(fail, add_job, output):
    add_job("PROCESSING")
    fail(error="States.Runtime", cause="arn:aws:secret")
    assert jobs().get(JOB_ID).error == {"code": "InternalError", "message": InternalError.sentence}
    assert failures(output) == [("InternalError", 1)]


def test_a_failure_that_the_state_machine_has_recorded_stays(fail, event, add_job, keys):
    add_job("FAILED", error={"code": "TooMuchToHide", "message": "A crowd."})
    fail()
    assert jobs().get(JOB_ID).error == {"code": "TooMuchToHide", "message": "A crowd."}
    assert keys() == set()


def test_a_redo_that_fails_is_counted_and_leaves_the_job_its_result(fail, event, add_job, keys, output):
    again = f"{JOB_ID}-2"
    arn = execution(event)["executionArn"].replace(JOB_ID, again)
    add_job("PROCESSING", execution_arn=arn, fallback_status="COMPLETED", outcome=json.dumps(outcome_of(JOB_ID)))
    fail(name=again, executionArn=arn)
    job = jobs().get(JOB_ID)
    assert (job.status, job.error["code"]) == ("COMPLETED", "CorruptImage")
    assert keys() == {RESULT}
    assert failures(output) == [("CorruptImage", 1)]


def test_a_late_event_of_another_execution_changes_nothing(fail, event, add_job, keys, row_of, output):
    arn = execution(event)["executionArn"]
    row = row_of(add_job("PROCESSING", execution_arn=f"{arn}-1", fallback_status="COMPLETED"))
    fail()
    assert row_of(JOB_ID) == row
    assert keys() == EVERYTHING
    assert failures(output) == []


def test_a_job_that_waits_for_a_review_fails_with_its_execution(fail, add_job, keys):
    add_job("AWAITING_REVIEW")
    fail(status="ABORTED", error=None, cause=None)
    assert jobs().get(JOB_ID).error["code"] == "Aborted"
    assert keys() == set()


def test_a_late_event_leaves_a_completed_job_its_result(fail, event, add_job, keys):
    add_job("COMPLETED")
    fail()
    assert jobs().get(JOB_ID).status == "COMPLETED"
    assert keys() == {RESULT}


def test_a_photo_without_a_job_is_erased(fail, row_of, keys):
    fail(error="JobNotFound", cause="No job waits for this photo.")
    assert row_of(JOB_ID) is None
    assert keys() == set()


def test_an_event_delivered_twice_counts_once(fail, event, add_job, output):
    add_job("PROCESSING")
    fail()
    once = jobs().get(JOB_ID)
    fail()
    assert jobs().get(JOB_ID) == once
    assert failures(output) == [("CorruptImage", 1)]


def test_a_failure_is_counted_by_the_code_that_its_user_sees(fail, add_job, output):
    add_job("FAILED", error={"code": "TooMuchToHide", "message": "A crowd."})
    fail(status="TIMED_OUT", error=None, cause=None)
    assert failures(output) == [("TooMuchToHide", 1)]


@pytest.mark.parametrize("error", ["States.DataLimitExceeded", "States.Runtime"])
@pytest.mark.parametrize("status", ["PROCESSING", "AWAITING_REVIEW"])
def test_an_error_that_no_catcher_can_catch_still_ends_the_job(fail, add_job, keys, output, error, status):
    add_job(status)
    fail(error=error, cause="The state/task returned a result with a size exceeding the maximum.")
    job = jobs().get(JOB_ID)
    assert (job.status, job.error) == ("FAILED", {"code": "InternalError", "message": InternalError.sentence})
    assert keys() == set()
    assert failures(output) == [("InternalError", 1)]


def test_a_failure_that_cannot_be_recorded_is_delivered_again(fail, table):
    table.delete()
    with pytest.raises(ClientError):
        fail()


@pytest.mark.parametrize("body", ["no JSON", "{}"])
def test_a_message_that_is_not_about_an_execution_ends_in_the_dead_letter_queue(event, context, body):
    messages = event("fail_job")
    messages["Records"][0]["body"] = body
    with pytest.raises((ValueError, KeyError)):
        handler(messages, context)


def test_the_log_holds_neither_keys_nor_links(fail, add_job, output):
    add_job("PROCESSING")
    fail()
    assert output.logs
    assert not [word for word in ("uploads/", "results/", "receipts/", "X-Amz", "http") if word in output.text]
