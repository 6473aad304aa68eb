from __future__ import annotations

import json
import time

import pytest

from faceblur import prices
from faceblur.contracts import NO_BOXES
from faceblur.errors import BudgetSpent
from faceblur.jobs.executions import Workflow
from faceblur.jobs.table import Jobs, jobs
from faceblur.observability import digest_of_id
from start_workflow.app import handler

JOB_ID = "0f8fad5bd9cb469fa16570867728950e"
BUCKET = "faceblur-photos-123456789012-eu-central-1"
STATE_MACHINE_ARN = "arn:aws:states:eu-central-1:123456789012:stateMachine:blur-image"
A, B, C = "a" * 32, "b" * 32, "c" * 32
EXECUTION_ARN = f"arn:aws:states:eu-central-1:123456789012:execution:blur-image:{JOB_ID}"


@pytest.fixture
def start(context, s3, table, states):
    """Hand an event to the function; gives the ids of the messages that failed."""

    def call(event):
        answer = handler(event, context)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    return call


@pytest.fixture
def executions(states):
    """Input of every execution, by its name."""

    def read():
        listed = states.list_executions(stateMachineArn=STATE_MACHINE_ARN)["executions"]
        return {
            execution["name"]: json.loads(states.describe_execution(executionArn=execution["executionArn"])["input"])
            for execution in listed
        }

    return read


@pytest.fixture
def messages(event):
    """An event of messages with these bodies."""

    def make(*bodies):
        whole = event("start_workflow")
        (record,) = whole["Records"]
        whole["Records"] = [record | {"messageId": f"m{i}", "body": body} for i, body in enumerate(bodies)]
        return whole

    return make


@pytest.fixture
def awaited(add_job):
    """Jobs that wait for their photos."""
    for job_id in (A, B, C):
        add_job(job_id=job_id)


def uploaded(*keys: str) -> str:
    """A message of S3's about photos."""
    return json.dumps({"Records": [{"s3": {"object": {"key": key}}} for key in keys]})


def test_a_photo_starts_the_execution_of_its_job(start, event, executions, add_job):
    add_job()
    assert start(event("start_workflow")) == []
    assert executions() == {
        JOB_ID: {"job_id": JOB_ID, "boxes": NO_BOXES, "unsure": 0, "reviewed": False, "warnings": []}
    }


def test_several_messages_with_several_photos(start, messages, executions, awaited):
    assert start(messages(uploaded(f"uploads/{A}", f"uploads/{B}"), uploaded(f"uploads/{C}"))) == []
    assert executions() == {
        job_id: {"job_id": job_id, "boxes": NO_BOXES, "unsure": 0, "reviewed": False, "warnings": []}
        for job_id in (A, B, C)
    }


def test_keys_are_url_encoded(start, messages, executions, awaited):
    assert start(messages(uploaded(f"uploads%2F{A}"))) == []
    assert set(executions()) == {A}


def test_the_event_that_tests_a_new_notification(start, messages, executions):
    assert start(messages(json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET}))) == []
    assert executions() == {}


def test_a_repeated_message_starts_nothing_and_deletes_nothing(start, event, executions, s3, keys, add_job):
    s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=b"photo")
    add_job()
    assert start(event("start_workflow")) == []
    assert start(event("start_workflow")) == []
    add_job("PROCESSING")
    assert start(event("start_workflow")) == []
    assert set(executions()) == {JOB_ID}
    assert keys() == {f"uploads/{JOB_ID}"}


def test_a_photo_after_the_end_of_its_job_is_discarded(start, event, states, s3, keys, add_job):
    add_job()
    start(event("start_workflow"))
    states.stop_execution(executionArn=EXECUTION_ARN)
    add_job("FAILED")
    s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=b"photo")
    assert start(event("start_workflow")) == []
    assert keys() == set()


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED"])
def test_the_photo_of_an_execution_that_has_ended_is_discarded(start, event, s3, keys, add_job, monkeypatch, status):
    """As when the message is repeated, and the same photo was posted again after the original was deleted."""
    s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=b"photo")
    add_job(status)
    monkeypatch.setattr(Workflow, "start", lambda *_: pytest.fail("it was started"))
    assert start(event("start_workflow")) == []
    assert keys() == set()


def test_the_first_photo_of_a_job_that_has_failed_meanwhile_is_discarded(start, event, s3, keys, add_job):
    s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=b"late photo")
    add_job("FAILED")
    assert start(event("start_workflow")) == []
    assert keys() == set()


def test_the_photo_of_a_deleted_job_is_discarded(start, event, s3, keys):
    s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=b"late photo")
    assert start(event("start_workflow")) == []
    assert keys() == set()


def test_the_photo_that_a_job_waits_for_stays(start, event, s3, keys, add_job):
    s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=b"photo")
    add_job()
    assert start(event("start_workflow")) == []
    assert keys() == {f"uploads/{JOB_ID}"}


def test_the_original_of_a_job_that_keeps_it_stays(start, event, s3, keys, add_job):
    add_job("COMPLETED", redo_until=int(time.time()) + 3600)
    s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=b"photo")
    assert start(event("start_workflow")) == []
    assert keys() == {f"uploads/{JOB_ID}"}


@pytest.mark.parametrize("broken", ["no JSON", '{"Records": [{}]}'])
def test_only_the_messages_that_failed_are_delivered_again(start, messages, executions, awaited, broken):
    event = messages(uploaded(f"uploads/{A}"), broken, uploaded(f"uploads/{B}"))
    assert start(event) == ["m1"]
    assert set(executions()) == {A, B}


def test_a_key_that_is_no_jobs_starts_nothing(start, messages, executions):
    assert start(messages(uploaded("uploads/not a name", "uploads/", f"uploads/{A}/x"))) == []
    assert executions() == {}


def test_a_whole_batch_can_fail(start, event, states, add_job):
    add_job()
    states.delete_state_machine(stateMachineArn=STATE_MACHINE_ARN)
    assert start(event("start_workflow")) == [event("start_workflow")["Records"][0]["messageId"]]


def test_a_function_that_failed_once_works_on(start, messages, executions, awaited):
    assert start(messages("no JSON")) == ["m0"]
    assert start(messages(uploaded(f"uploads/{A}"))) == []
    assert set(executions()) == {A}


def test_a_message_is_delivered_again_if_a_photo_in_vain_could_not_be_deleted(start, event, add_job, monkeypatch):
    add_job("FAILED")

    def unavailable(self, job_id):
        raise ConnectionError

    monkeypatch.setattr(Jobs, "find", unavailable)
    assert len(start(event("start_workflow"))) == 1


def test_the_log_is_about_each_job_in_turn(start, messages, output, awaited):
    start(messages(uploaded(f"uploads/{A}", f"uploads/{B}"), uploaded(f"uploads/{A}")))
    assert [(line["message"], line["correlation_id"]) for line in output.logs] == [
        ("photo arrived", digest_of_id(A)),
        ("photo arrived", digest_of_id(B)),
        ("photo arrived", digest_of_id(A)),
    ]


# ---------------------------------------------------------------- who pays


def spent(table):
    """What the ledger says, by the client; `` for all clients together."""
    rows = [row for row in table.scan()["Items"] if "spent" in row]
    return {row["job_id"].partition(" by ")[2]: int(row["spent"]) for row in rows}


def test_a_photo_that_has_arrived_is_paid_for_once(start, event, executions, table, add_job, monkeypatch):
    monkeypatch.setenv("DOLLARS_A_DAY", "1")
    add_job(client="alice")
    assert [start(event("start_workflow")) for _ in range(3)] == [[], [], []]
    assert set(executions()) == {JOB_ID}
    assert spent(table) == {"": prices.JOB, "alice": prices.JOB}


def test_a_photo_that_is_reported_twice_at_once_is_paid_for_once(start, event, table, add_job, monkeypatch):
    monkeypatch.setenv("DOLLARS_A_DAY", "1")
    add_job(client="alice")
    unpaid = jobs().get(JOB_ID)
    monkeypatch.setattr(Jobs, "find", lambda *_: unpaid)
    assert [start(event("start_workflow")) for _ in range(2)] == [[], []]
    assert spent(table) == {"": prices.JOB, "alice": prices.JOB}


def test_a_second_report_for_which_no_money_is_left_does_not_fail_the_job_that_is_paid(
    start, event, executions, table, add_job, row_of, s3, keys, monkeypatch, output
):
    """Both have read the job before one of them paid, with the last money of the day."""
    monkeypatch.setenv("DOLLARS_A_DAY", str((prices.JOB + prices.WORK) / prices.A_DOLLAR))
    add_job()
    s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=b"photo")
    unpaid, find = jobs().get(JOB_ID), Jobs.find
    assert start(event("start_workflow")) == []
    read = iter([unpaid])
    monkeypatch.setattr(Jobs, "find", lambda self, job_id: next(read, None) or find(self, job_id))
    assert start(event("start_workflow")) == []
    assert (row_of(JOB_ID)["status"], set(executions()), keys()) == (
        "AWAITING_UPLOAD",
        {JOB_ID},
        {f"uploads/{JOB_ID}"},
    )
    assert spent(table) == {"": prices.JOB}
    assert not [metric for metric in output.metrics if "JobsFailed" in metric]


def test_a_job_that_was_refused_meanwhile_is_not_started(start, event, executions, table, add_job, monkeypatch):
    monkeypatch.setenv("DOLLARS_A_DAY", "1")
    add_job()
    unpaid, find = jobs().get(JOB_ID), Jobs.find
    jobs().refuse(JOB_ID, BudgetSpent())
    read = iter([unpaid])
    monkeypatch.setattr(Jobs, "find", lambda self, job_id: next(read, None) or find(self, job_id))
    assert start(event("start_workflow")) == []
    assert (executions(), spent(table)) == ({}, {"": 0})


def test_a_photo_whose_work_cannot_be_paid_is_refused_at_its_arrival(start, event, executions, add_job, monkeypatch):
    monkeypatch.setenv("DOLLARS_A_DAY", str((prices.JOB + prices.WORK - 1) / prices.A_DOLLAR))
    add_job()
    assert start(event("start_workflow")) == []
    assert (executions(), jobs().get(JOB_ID).error["code"]) == ({}, "BudgetSpent")


def test_a_photo_without_a_job_costs_nothing(start, event, table, monkeypatch):
    monkeypatch.setenv("DOLLARS_A_DAY", "1")
    assert start(event("start_workflow")) == []
    assert spent(table) == {}


def test_a_photo_for_which_no_money_is_left_fails_its_job_and_is_erased(
    start, event, executions, s3, keys, add_job, row_of, monkeypatch, output
):
    monkeypatch.setenv("DOLLARS_A_DAY", "0.0001")
    add_job(client="alice")
    s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=b"photo")
    assert start(event("start_workflow")) == []
    assert (executions(), keys()) == ({}, set())
    row = row_of(JOB_ID)
    assert (row["status"], row["error"]) == (
        "FAILED",
        {"code": "BudgetSpent", "message": "No more photos are taken today. Please try again tomorrow."},
    )
    counted = [metric.get("code") for metric in output.metrics if "JobsFailed" in metric]
    assert counted == ["BudgetSpent"]
