"""What the customer's event bus is told of photos and batches that have ended, as a queue behind it receives it."""

from __future__ import annotations

import json
import re

import boto3
import pytest

from faceblur.contracts import CompleteRequest, PhotoOfABatch, parse
from faceblur.errors import BudgetSpent, CorruptImage, InternalError, JobNotFound, StorageUnavailable
from faceblur.geometry import Box
from faceblur.jobs.batch_files import batch_files
from faceblur.jobs.batch_photos import deliver_photo, prepare_photo, record_failure
from faceblur.jobs.batch_runs import batch_machine
from faceblur.jobs.batches import Batch, BatchStatus, batches, photo_id, uploads_of
from faceblur.jobs.budget import budget
from faceblur.jobs.completion import complete_job
from faceblur.jobs.events import ATTEMPTS, events, tell_end
from faceblur.jobs.executions import workflow
from faceblur.jobs.storage import photos
from faceblur.jobs.table import jobs
from faceblur.jobs.uploads import start_job
from faceblur.observability import digest_of_id
from faceblur.options import JobOptions
from fail_job.app import handler as fail_job
from fail_upload.app import handler as fail_upload
from get_job.app import handler as get_job
from tests.support.counts import faces
from tests.support.sources import ROOT
from tests.unit.conftest import BUCKET, JOB_ID, execution_arn

BATCH_ID = "6ba7b8109dad41d180b400c04fd430c8"
DIGEST = digest_of_id(JOB_ID)


@pytest.fixture
def told(aws, monkeypatch):
    """Turn events on; gives what a queue behind the bus has received of them since it was last asked."""
    monkeypatch.setenv("EVENT_BUS_NAME", "our-bus")
    bus, sqs = boto3.client("events"), boto3.client("sqs")
    queue = sqs.create_queue(QueueName="ends")["QueueUrl"]
    bus.create_event_bus(Name="our-bus")
    bus.put_rule(Name="ends", EventBusName="our-bus", EventPattern='{"source": ["faceblur"]}')
    arn = "arn:aws:sqs:eu-central-1:123456789012:ends"
    bus.put_targets(Rule="ends", EventBusName="our-bus", Targets=[{"Id": "ends", "Arn": arn}])

    def receive():
        messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        bodies = [json.loads(message["Body"]) for message in messages]
        ids = {body["detail"].pop("event_id") for body in bodies}
        assert len(ids) == len(bodies)
        return [(body["detail-type"], body["detail"]) for body in bodies]

    return receive


def failed(code, message, **more):
    return ("Photo failed", {"stack": "faceblur", "job": DIGEST, **more, "code": code, "message": message})


@pytest.fixture
def complete(event, s3, table, store):
    """Complete the job of the event."""
    s3.put_object(Bucket=BUCKET, Key=event("complete_job")["draft"]["key"], Body=b"photo", Metadata={"sha256": "a"})
    boxes = store((Box(0.38, 0.1, 0.2, 0.28, 97.3, "embedded"), 0), (Box(0.1, 0.1, 0.1, 0.1, 90, "embedded"), 1))
    request = parse(CompleteRequest, event("complete_job") | {"boxes": boxes})
    return lambda: complete_job(request, jobs(), photos())


def test_a_completed_job_is_told_once_and_without_its_id(told, complete, add_job):
    add_job("PROCESSING")
    complete()
    complete()
    counts = {"hidden": faces(2), "missed_at_first": 1, "kept": faces(0), "warnings": []}
    assert told() == [("Photo hidden", {"stack": "faceblur", "job": DIGEST, **counts})]


def test_a_job_that_an_execution_failed_is_told_once(told, event, context, add_job, s3):
    add_job("PROCESSING")
    for _ in range(2):
        fail_job(event("fail_job"), context)
    cause = json.loads(event("fail_job")["Records"][0]["body"])["detail"]["cause"]
    assert told() == [failed("CorruptImage", cause)]


def test_an_upload_that_could_not_be_processed_is_told_once(told, event, context, add_job, s3):
    add_job()
    for _ in range(2):
        fail_upload(event("fail_upload"), context)
    assert told() == [failed("InternalError", InternalError().message)]


def test_a_job_whose_time_is_over_is_told_once(told, event, context, add_job, s3):
    add_job(upload_expires_at=1)
    for _ in range(2):
        get_job(event("get_job"), context)
    ((kind, detail),) = told()
    assert (kind, detail["code"], detail["job"]) == ("Photo failed", "UploadExpired", DIGEST)


def test_a_job_for_which_there_is_no_money_is_told_once(told, add_job, s3, monkeypatch):
    monkeypatch.setenv("DOLLARS_A_DAY", "0.0001")
    add_job()
    with pytest.raises(BudgetSpent):
        start_job(JOB_ID, jobs(), photos(), workflow(), budget())
    start_job(JOB_ID, jobs(), photos(), workflow(), budget())
    assert [(kind, detail["code"]) for kind, detail in told()] == [("Photo failed", "BudgetSpent")]


def test_no_message_names_a_job(told, add_job):
    add_job("FAILED", error={"code": "InternalError", "message": f"uploads/{JOB_ID} is gone"})
    events().job_ended(jobs().get(JOB_ID))
    assert told() == [failed("InternalError", f"uploads/{DIGEST} is gone")]


# ---------------------------------------------------------------- photos of batches and of the customer's bucket


@pytest.fixture
def add_batch(table):
    """A batch of uploads that runs."""

    def add(**changes):
        made = {"source": uploads_of(BATCH_ID), "target": None} | changes
        batch = Batch(
            BATCH_ID,
            BatchStatus.AWAITING_PHOTOS,
            JobOptions().model_dump(),
            receipts=False,
            expires_at=2**40,
            **made,
        )
        batches().create(batch)
        batches().begin(batch, execution_arn(f"{BATCH_ID}-1"))

    return add


@pytest.fixture
def landed(s3):
    """A photo that landed in the customer's bucket."""
    for bucket in ("our-photos", "our-hidden-photos"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_object(Bucket="our-photos", Key="in/a.jpg", Body=b"photo")
    return PhotoOfABatch("event", "", "in/a.jpg")


def prepare(photo):
    return prepare_photo(photo, batches(), jobs(), photos(), batch_files(), budget())


def fail(photo, code):
    record_failure(photo, code, batches(), jobs(), photos(), batch_files(), batch_machine())


def finish_job(photo, s3, table):
    """Complete the photo's job, which was prepared."""
    job_id = photo_id(photo.run, photo.key)
    execution = execution_arn(job_id)
    table.update_item(
        Key={"job_id": job_id},
        UpdateExpression="SET #status = :status, execution_arn = :execution",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":status": "PROCESSING", ":execution": execution},
    )
    result, receipt = f"results/{job_id}.jpg", f"receipts/{job_id}.json"
    s3.put_object(Bucket=BUCKET, Key=result, Body=b"hidden")
    s3.put_object(Bucket=BUCKET, Key=receipt, Body=b'{"cost_estimate": {"usd": 0.001}}')
    outcome = {"hidden": faces(2), "missed_at_first": 0, "kept": faces(1), "warnings": []}
    jobs().complete(job_id, execution, outcome | {"result": {"key": result}, "receipt": receipt}, 0)
    events().job_ended(jobs().get(job_id))


def test_a_photo_of_the_customers_bucket_is_told_once_when_it_is_delivered(told, landed, table, s3):
    job_id = prepare(landed)
    finish_job(landed, s3, table)
    assert told() == []
    for _ in range(2):
        deliver_photo(landed, batches(), jobs(), photos(), batch_files())
    fail(landed, "States.Timeout")
    ((kind, detail),) = told()
    assert kind == "Photo hidden"
    assert detail == {
        "stack": "faceblur",
        "job": digest_of_id(job_id),
        "source": {"bucket": "our-photos", "key": "in/a.jpg"},
        "target": {"bucket": "our-hidden-photos", "key": "out/a.jpg"},
        "hidden": faces(2),
        "missed_at_first": 0,
        "kept": faces(1),
        "warnings": [],
    }


def test_a_photo_of_the_customers_bucket_that_failed_is_told_once_with_its_jobs_error(told, landed, table, s3):
    job_id = prepare(landed)
    jobs().fail(job_id, CorruptImage("Bytes are missing."))
    for _ in range(2):
        fail(landed, "CorruptImage")
    where = {"job": digest_of_id(job_id), "source": {"bucket": "our-photos", "key": "in/a.jpg"}}
    assert told() == [failed("CorruptImage", "Bytes are missing.", **where)]


def test_the_name_of_an_uploaded_photo_is_not_told(told, add_batch, table, s3):
    add_batch()
    photo = PhotoOfABatch(f"{BATCH_ID}-1", BATCH_ID, f"batches/{BATCH_ID}/in/alice.jpg")
    s3.put_object(Bucket=BUCKET, Key=photo.key, Body=b"photo")
    job_id = prepare(photo)
    finish_job(photo, s3, table)
    deliver_photo(photo, batches(), jobs(), photos(), batch_files())
    ((kind, detail),) = told()
    assert (kind, detail["job"], detail["batch"]) == ("Photo hidden", digest_of_id(job_id), digest_of_id(BATCH_ID))
    assert {"source", "target"} & detail.keys() == set()
    assert "alice" not in json.dumps(detail)


def test_a_photo_that_never_had_a_job_is_told(told, add_batch, table, s3):
    add_batch()
    fail(PhotoOfABatch(f"{BATCH_ID}-1", BATCH_ID, f"batches/{BATCH_ID}/in/a.jpg"), "SourceNotAllowed")
    assert [(kind, detail["code"]) for kind, detail in told()] == [("Photo failed", "SourceNotAllowed")]


@pytest.mark.parametrize("takes_uploads", [True, False])
def test_a_photo_is_delivered_although_nobody_can_be_told(
    told, landed, add_batch, table, s3, output, monkeypatch, takes_uploads
):
    def mark_told(*_):
        raise StorageUnavailable

    monkeypatch.setattr(jobs(), "mark_told", mark_told)
    photo = landed
    if takes_uploads:
        add_batch()
        photo = PhotoOfABatch(f"{BATCH_ID}-1", BATCH_ID, f"batches/{BATCH_ID}/in/a.jpg")
        s3.put_object(Bucket=BUCKET, Key=photo.key, Body=b"photo")
    prepare(photo)
    finish_job(photo, s3, table)
    deliver_photo(photo, batches(), jobs(), photos(), batch_files())
    assert told() == []
    assert [line["EventsNotSent"] for line in output.metrics if "EventsNotSent" in line] == [1]


def test_a_photo_whose_upload_could_not_be_deleted_at_once_is_told_as_hidden(told, add_batch, table, s3, monkeypatch):
    add_batch()
    photo = PhotoOfABatch(f"{BATCH_ID}-1", BATCH_ID, f"batches/{BATCH_ID}/in/a.jpg")
    s3.put_object(Bucket=BUCKET, Key=photo.key, Body=b"photo")
    prepare(photo)
    finish_job(photo, s3, table)
    discard = batch_files().discard
    answers = [StorageUnavailable()]

    def refuse_once(key):
        if answers:
            raise answers.pop()
        discard(key)

    monkeypatch.setattr(batch_files(), "discard", refuse_once)
    with pytest.raises(StorageUnavailable):
        deliver_photo(photo, batches(), jobs(), photos(), batch_files())
    assert told() == []
    fail(photo, "StorageUnavailable")
    assert [kind for kind, _ in told()] == ["Photo hidden"]


def test_the_end_of_a_batch_is_told_once(told, add_batch):
    add_batch()
    counts = {"photos": 3, "hidden": 1, "failed": 1, "waiting": 1, "nothing_hidden": 0, "usd": 0.001}
    for _ in range(2):
        batches().finish(BATCH_ID, execution_arn(f"{BATCH_ID}-1"), BatchStatus.COMPLETED, counts)
    detail = {"stack": "faceblur", "batch": digest_of_id(BATCH_ID), "status": "COMPLETED", **counts}
    assert told() == [("Batch finished", detail)]


def test_a_batch_without_a_report_is_told_with_its_error(told, add_batch):
    add_batch()
    batches().finish(BATCH_ID, execution_arn(f"{BATCH_ID}-1"), BatchStatus.FAILED, error=InternalError())
    ((kind, detail),) = told()
    assert (kind, detail["status"], detail["code"]) == ("Batch finished", "FAILED", "InternalError")
    assert "photos" not in detail


# ---------------------------------------------------------------- a bus that is not there, or does not answer


def test_without_a_bus_nothing_is_sent_and_nothing_is_missing(complete, add_job, listen, output):
    calls = []
    listen(boto3.client("events"), "before-send.events.PutEvents", lambda **_: calls.append(1))
    add_job("PROCESSING")
    complete()
    assert calls == []
    assert [line for line in output.metrics if "EventsNotSent" in line] == []


def test_no_photo_fails_because_the_bus_does_not_answer(told, complete, add_job, output, monkeypatch):
    monkeypatch.setenv("EVENT_BUS_NAME", "another-bus")
    monkeypatch.setattr(events()._client, "put_events", refuse)
    add_job("PROCESSING")
    complete()
    assert jobs().get(JOB_ID).status == "COMPLETED"
    assert [line["EventsNotSent"] for line in output.metrics if "EventsNotSent" in line] == [1]


def refuse(**_):
    raise boto3.client("events").exceptions.ResourceNotFoundException({"Error": {"Code": "a"}}, "PutEvents")


@pytest.mark.parametrize(("error", "lost"), [(JobNotFound, []), (StorageUnavailable, [1])])
def test_an_end_that_cannot_be_read_is_counted(told, table, output, monkeypatch, error, lost):
    def get(job_id):
        raise error

    monkeypatch.setattr(jobs(), "get", get)
    tell_end(JOB_ID, jobs())
    assert told() == []
    assert [line["EventsNotSent"] for line in output.metrics if "EventsNotSent" in line] == lost


def test_an_event_whose_answer_is_lost_is_sent_again_under_the_same_id(told, complete, add_job, monkeypatch):
    sent, put_events = [], events()._client.put_events

    def lose_the_first_answer(**given):
        sent.append(json.loads(given["Entries"][0]["Detail"])["event_id"])
        answer = put_events(**given)
        return answer | {"FailedEntryCount": 1, "Entries": [{}]} if len(sent) == 1 else answer

    monkeypatch.setattr(events()._client, "put_events", lose_the_first_answer)
    add_job("PROCESSING")
    complete()
    first, second = sent
    assert first == second
    events().job_ended(jobs().get(JOB_ID))
    assert sent[2] != first


@pytest.mark.parametrize(("refusals", "lost"), [(ATTEMPTS - 1, []), (ATTEMPTS, [1])])
def test_an_event_that_the_bus_refuses_is_sent_again(told, complete, add_job, output, monkeypatch, refusals, lost):
    answers = [{"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]}] * refusals
    put_events = events()._client.put_events
    monkeypatch.setattr(
        events()._client, "put_events", lambda **given: answers.pop() if answers else put_events(**given)
    )
    add_job("PROCESSING")
    complete()
    assert len(told()) == 1 - len(lost)
    assert [line["EventsNotSent"] for line in output.metrics if "EventsNotSent" in line] == lost


def test_nobody_is_told_of_a_job_that_was_deleted_meanwhile(told, complete, add_job, monkeypatch):
    add_job("PROCESSING")
    completed = jobs().complete

    def delete(*given):
        assert completed(*given)
        jobs().delete(JOB_ID, "")
        return True

    monkeypatch.setattr(jobs(), "complete", delete)
    assert complete() is None
    assert told() == []
    with pytest.raises(JobNotFound):
        jobs().get(JOB_ID)


def test_the_code_of_the_document_tells_whose_event_it_is():
    document = (ROOT / "docs" / "events.md").read_text()
    code, example = (re.search(f"```{kind}\n(.*?)```", document, re.DOTALL)[1] for kind in ("python", "json"))
    names = {}
    exec(code, names)
    event = json.loads(example)
    assert names["is_about"](event, JOB_ID)
    assert names["is_about"]({"detail": {"batch": digest_of_id(BATCH_ID)}}, BATCH_ID)
    assert not names["is_about"](event, BATCH_ID)


def test_the_example_of_the_document_has_the_fields_of_a_real_event(told, landed, table, s3):
    prepare(landed)
    finish_job(landed, s3, table)
    deliver_photo(landed, batches(), jobs(), photos(), batch_files())
    ((_, detail),) = told()
    example = json.loads(re.search("```json\n(.*?)```", (ROOT / "docs" / "events.md").read_text(), re.DOTALL)[1])
    assert detail.keys() | {"event_id"} == example["detail"].keys()
