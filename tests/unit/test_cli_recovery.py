"""The command repairs a stack that was interrupted."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from faceblur.jobs.table import jobs
from faceblur_cli.stack import recovery
from fail_job.app import handler
from tests.unit.conftest import outcome_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient

JOB_ID = "0f8fad5bd9cb469fa16570867728950e"
BUCKET = "faceblur-photos-123456789012-eu-central-1"
QUEUE_URL = "http://127.0.0.1/000000000000/failed-executions"
STATE_MACHINE_ARN = "arn:aws:states:eu-central-1:123456789012:stateMachine:blur-image"


class Stack:
    """A stack in moto. Messages that are sent to its queue go straight to the function that reads the queue."""

    def __init__(self, context: SimpleNamespace) -> None:
        self.outputs = {
            "JobsTableName": "faceblur-jobs",
            "PhotoBucketName": BUCKET,
            "FailedExecutionsQueueUrl": QUEUE_URL,
            "StateMachineArn": STATE_MACHINE_ARN,
        }
        self._context = context

    def client(self, service: str) -> Any:
        return self if service == "sqs" else boto3.client(service)  # type: ignore[call-overload]

    def send_message(self, **message: str) -> None:
        assert message["QueueUrl"] == QUEUE_URL
        record = {"messageId": "1", "body": message["MessageBody"]}
        handler({"Records": [record]}, self._context)


@pytest.fixture
def recover(s3: S3Client, table: Table, states: SFNClient, context: SimpleNamespace) -> Callable[[], None]:
    return lambda: recovery.recover(Stack(context))  # type: ignore[arg-type]


@pytest.fixture
def execute(states: SFNClient) -> Callable[[], str]:
    """Start the job's execution; gives its ARN."""
    return lambda: states.start_execution(stateMachineArn=STATE_MACHINE_ARN, name=JOB_ID)["executionArn"]


def test_a_job_whose_execution_is_lost_fails_and_its_photo_is_erased(recover, add_job, s3, keys):
    s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=b"photo")
    add_job("PROCESSING")
    recover()
    assert jobs().get(JOB_ID).error["code"] == "Aborted"
    assert keys() == set()


@pytest.mark.parametrize("status", ["AWAITING_UPLOAD", "PROCESSING"])
def test_a_job_whose_execution_ended_without_an_event_fails(recover, add_job, s3, keys, states, execute, status):
    s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=b"photo")
    add_job(status)
    states.stop_execution(executionArn=execute())
    recover()
    assert jobs().get(JOB_ID).error["code"] == "Aborted"
    assert keys() == set()


@pytest.mark.parametrize("status", ["AWAITING_UPLOAD", "PROCESSING"])
def test_a_job_whose_execution_runs_stays_as_it_is(recover, add_job, row_of, execute, status):
    row = row_of(add_job(status))
    execute()
    recover()
    assert row_of(JOB_ID) == row


def test_a_job_that_waited_for_a_person_fails_and_leaves_nothing(recover, add_job, s3, keys, states, execute):
    s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=b"photo")
    add_job("AWAITING_REVIEW", execution_arn=execute())
    states.stop_execution(executionArn=execute())
    recover()
    assert jobs().get(JOB_ID).error["code"] == "Aborted"
    assert keys() == set()


def test_a_job_whose_redo_is_lost_is_completed_as_before(recover, add_job, execute, states):
    """Its first execution does not matter."""
    first = execute()
    add_job(
        "PROCESSING", execution_arn=f"{first}-1", fallback_status="COMPLETED", outcome=json.dumps(outcome_of(JOB_ID))
    )
    recover()
    job = jobs().get(JOB_ID)
    assert (job.status, job.error["code"]) == ("COMPLETED", "Aborted")


def test_photos_of_a_failed_job_are_erased(recover, add_job, s3, keys):
    for key in (f"uploads/{JOB_ID}", f"results/{JOB_ID}.0123456789abcdef.jpg"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"photo")
    add_job("FAILED", error={"code": "TimedOut", "message": "Too long."})
    recover()
    assert jobs().get(JOB_ID).error["code"] == "TimedOut"
    assert keys() == set()


@pytest.mark.parametrize("status", ["AWAITING_UPLOAD", "COMPLETED"])
def test_every_other_job_stays_as_it_is(recover, add_job, row_of, s3, keys, status):
    s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=b"photo")
    row = row_of(add_job(status, redo_until=int(time.time()) + 60))
    recover()
    assert row_of(JOB_ID) == row
    assert keys() == {f"uploads/{JOB_ID}"}


def test_of_a_job_that_cannot_be_done_again_only_the_result_stays(recover, add_job, row_of, s3, keys):
    stays = {f"results/{JOB_ID}.0a.jpg", f"receipts/{JOB_ID}.json", "uploads/another"}
    for key in (f"uploads/{JOB_ID}", f"boxes/{JOB_ID}.0a.json", f"previews/{JOB_ID}.0a.jpg", *stays):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"photo")
    row = row_of(add_job("COMPLETED", redo_until=int(time.time()) - 1))
    recover()
    assert row_of(JOB_ID) == row
    assert keys() == stays


@pytest.mark.parametrize("status", ["AWAITING_UPLOAD", "PROCESSING", "COMPLETED"])
def test_an_expired_row_is_deleted(recover, add_job, row_of, status):
    add_job(status, expires_at=int(time.time()) - 2)
    recover()
    assert row_of(JOB_ID) is None


def test_objects_are_deleted_after_a_day(recover, s3, keys, monkeypatch):
    class Tomorrow(datetime):
        @classmethod
        def now(cls, tz):
            return datetime.now(tz) + timedelta(days=1, minutes=1)

    s3.put_object(Bucket=BUCKET, Key="results/x.jpg", Body=b"photo")
    recover()
    assert keys() == {"results/x.jpg"}
    monkeypatch.setattr(recovery, "datetime", Tomorrow)
    recover()
    assert keys() == set()
