from __future__ import annotations

import json

import pytest

from delete_job.app import handler
from faceblur.jobs.executions import Workflow, workflow
from faceblur.jobs.storage import Photos
from faceblur.observability import digest_of_id
from sweep_photos.app import handler as sweep_photos
from tests.support.api_contract import assert_documented

JOB_ID = "0f8fad5bd9cb469fa16570867728950e"
EXECUTION_ARN = f"arn:aws:states:eu-central-1:123456789012:execution:blur-image:{JOB_ID}"
BUCKET = "faceblur-photos-123456789012-eu-central-1"


@pytest.fixture
def delete(event, context, s3, table, states):
    """Ask to erase a job; gives the status and the body, which must be as the API's description says."""

    def call(**changes):
        response = handler(event("delete_job") | changes, context)
        body = json.loads(response["body"]) if response["body"] else None
        assert_documented("DELETE", "/jobs/{job_id}", response["statusCode"], body)
        return response["statusCode"], body

    return call


@pytest.fixture
def everything(s3):
    for key in (
        f"uploads/{JOB_ID}",
        f"results/{JOB_ID}.9c56cc51b374c3ba.jpg",
        f"receipts/{JOB_ID}.json",
        f"receipts/{JOB_ID}-1.json",
        f"previews/{JOB_ID}.51b374c3ba9c56cc.jpg",
        "uploads/another",
    ):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"photo")


def test_nothing_stays(delete, everything, add_job, row_of, keys):
    add_job("COMPLETED")
    assert delete() == (204, None)
    assert row_of(JOB_ID) is None
    assert keys() == {"uploads/another"}


def test_a_running_execution_is_stopped(delete, everything, add_job, keys, states):
    add_job("PROCESSING")
    workflow().start(JOB_ID)
    assert delete() == (204, None)
    execution = states.describe_execution(executionArn=EXECUTION_ARN)
    assert execution["status"] == "ABORTED"
    assert keys() == {"uploads/another"}


def test_the_execution_of_a_completed_job_ends_by_itself(delete, everything, add_job, keys, states):
    """Its last state may still be under way. Stopped there, it would count as a failure."""
    add_job("PROCESSING")
    workflow().start(JOB_ID)
    add_job("COMPLETED")
    assert delete() == (204, None)
    assert states.describe_execution(executionArn=EXECUTION_ARN)["status"] == "RUNNING"
    assert keys() == {"uploads/another"}


def test_the_row_goes_before_anything_else(delete, add_job, row_of, monkeypatch):
    def row_first(self, execution):
        assert row_of(JOB_ID) is None
        stopped.append(execution)

    stopped = []
    monkeypatch.setattr(Workflow, "stop", row_first)
    add_job("PROCESSING")
    assert delete()[0] == 204
    assert stopped == [EXECUTION_ARN]


def test_the_execution_is_stopped_that_works_on_the_job_now(delete, add_job, monkeypatch):
    stopped = []
    monkeypatch.setattr(Workflow, "stop", lambda _, execution: stopped.append(execution))
    add_job("AWAITING_REVIEW", execution_arn=f"{EXECUTION_ARN}-2")
    assert delete()[0] == 204
    add_job("AWAITING_UPLOAD")
    assert delete()[0] == 204
    assert stopped == [f"{EXECUTION_ARN}-2", EXECUTION_ARN]


def test_the_second_time_it_is_gone(delete, add_job):
    add_job("COMPLETED")
    assert [delete()[0], delete()[0]] == [204, 404]


def test_the_next_deletion_erases_what_an_interrupted_one_left(delete, everything, keys, states):
    states.start_execution(stateMachineArn=workflow()._state_machine_arn, name=JOB_ID)
    status, body = delete()
    assert (status, body["code"]) == (404, "JobNotFound")
    assert not [key for key in keys() if JOB_ID in key]


def test_the_sweep_deletes_what_an_interrupted_deletion_left_of_a_job_without_an_execution(
    delete, event, context, s3, table, keys
):
    left = {f"uploads/{JOB_ID}", f"boxes/{JOB_ID}.51b374c3ba9c56cc.decision.json"}
    for key in left:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"{}")
    assert delete()[0] == 404
    assert keys() == left
    sweep_photos(event("sweep_photos"), context)
    assert keys() == set()


def test_a_request_for_a_job_that_never_was_lists_nothing(delete, monkeypatch):
    """Listing would be the dearest part of a request that everybody can make."""
    monkeypatch.setattr(Photos, "erase", lambda *_: pytest.fail("listed"))
    assert delete()[0] == 404


def test_the_next_deletion_stops_every_execution_that_an_interrupted_one_left(delete, states):
    """The row, which named the execution that waits for a person, is gone."""
    for name in (JOB_ID, f"{JOB_ID}-1", f"{JOB_ID}-2"):
        states.start_execution(stateMachineArn=workflow()._state_machine_arn, name=name)
    assert delete()[0] == 404
    ended = [states.describe_execution(executionArn=f"{EXECUTION_ARN}{number}") for number in ("", "-1", "-2")]
    assert [execution["status"] for execution in ended] == ["ABORTED"] * 3


@pytest.mark.parametrize("job_id", ["x", JOB_ID.upper(), JOB_ID + "0", "\x84", "\0", "😀", "a/b"])
def test_an_unknown_job_changes_nothing(delete, everything, keys, job_id):
    before = keys()
    status, body = delete(path=f"/jobs/{job_id}")
    assert (status, body["code"]) == (404, "JobNotFound")
    assert keys() == before


def test_what_is_unforeseen_shows_nothing_of_its_insides(delete, s3, add_job, row_of, output):
    s3.delete_bucket(Bucket=BUCKET)
    add_job("COMPLETED")
    status, body = delete()
    assert (status, body["code"]) == (500, "InternalError")
    assert "NoSuchBucket" not in json.dumps(body)
    assert "NoSuchBucket" in output.logs[-1]["exception"]


def test_the_log_is_about_the_job(delete, add_job, output):
    add_job("COMPLETED")
    delete()
    assert [(line["message"], line["correlation_id"]) for line in output.logs] == [
        ("job deleted", digest_of_id(JOB_ID))
    ]


def test_somebody_elses_job_stays_untouched(delete, everything, add_job, row_of, keys, states, signed_in):
    add_job("PROCESSING", owner="alice")
    workflow().start(JOB_ID)
    before = row_of(JOB_ID), keys()
    status, body = delete(**signed_in("bob"))
    assert (status, body["code"]) == (404, "JobNotFound")
    for authorizer in ({}, None):
        status, body = delete(requestContext={"authorizer": authorizer})
        assert (status, body["code"]) == (401, "NotSignedIn")
    assert (row_of(JOB_ID), keys()) == before
    assert states.describe_execution(executionArn=EXECUTION_ARN)["status"] == "RUNNING"
    assert delete(**signed_in("alice"))[0] == 204
