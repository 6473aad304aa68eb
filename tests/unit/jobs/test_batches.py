from __future__ import annotations

import csv
import io
import json
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from faceblur import prices
from faceblur.contracts import PhotoOfABatch
from faceblur.errors import (
    Aborted,
    BatchNotFound,
    BatchNotReady,
    BudgetSpent,
    CorruptImage,
    ImageTooLarge,
    JobNotFinished,
    JobNotFound,
    SourceNotAllowed,
    StorageUnavailable,
    UploadReplaced,
)
from faceblur.jobs.batch_erasure import erase_batch
from faceblur.jobs.batch_files import BatchFiles, batch_files, result_name
from faceblur.jobs.batch_photos import deliver_photo, photo_of, prepare_photo, record_failure
from faceblur.jobs.batch_runs import (
    BatchMachine,
    fail_if_abandoned,
    finish_batch,
    give_up_batch,
    progress,
    start_batch,
)
from faceblur.jobs.batches import (
    Batch,
    BatchStatus,
    Source,
    Target,
    batches,
    photo_id,
    source_bucket_settings,
    uploads_of,
)
from faceblur.jobs.budget import budget
from faceblur.jobs.storage import photos
from faceblur.jobs.table import Status, jobs
from faceblur.limits import MAX_BYTES
from faceblur.options import JobOptions
from tests.support.counts import faces

BUCKET = "faceblur-photos-123456789012-eu-central-1"
ID = "6ba7b8109dad41d180b400c04fd430c8"
RUN = f"{ID}-1"
KEY = f"batches/{ID}/in/photo.jpg"
PHOTO = PhotoOfABatch(RUN, ID, KEY)
JOB = photo_id(RUN, KEY)
MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:faceblur-hide-batch"
EXECUTION = f"{MACHINE.replace(':stateMachine:', ':execution:')}:{RUN}"


@pytest.fixture
def others(s3):
    """The customer's buckets; gives the keys in the target."""
    for bucket in ("our-photos", "our-hidden-photos"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return lambda: {entry["Key"] for entry in s3.list_objects_v2(Bucket="our-hidden-photos").get("Contents", [])}


@pytest.fixture
def add_batch(table, s3):
    """Create a batch of uploads that runs, or as the test says."""

    def add(status=BatchStatus.RUNNING, **changes):
        now = int(time.time())
        batch = Batch(
            batch_id=ID,
            status=BatchStatus.AWAITING_PHOTOS,
            options=JobOptions().model_dump(),
            source=uploads_of(ID),
            target=None,
            receipts=False,
            created_at=now,
            expires_at=now + 86_400,
        )
        batch = replace(batch, **changes)
        batches().create(batch)
        if status is not BatchStatus.AWAITING_PHOTOS:
            batches().begin(batch, EXECUTION)
        if status not in {BatchStatus.AWAITING_PHOTOS, BatchStatus.RUNNING}:
            batches().finish(ID, EXECUTION, status, {"hidden": 2})
        return batches().get(ID)

    return add


@pytest.fixture
def upload(s3):
    return lambda key=KEY, bucket=BUCKET, data=b"photo": s3.put_object(Bucket=bucket, Key=key, Body=data)


@pytest.fixture
def hidden(add_job, s3):
    """Complete the photo's job, with a result and a receipt."""

    def complete(extension="jpg", job_id=JOB):
        result, receipt = f"results/{job_id}.9c56cc51b374c3ba.{extension}", f"receipts/{job_id}.json"
        add_job("COMPLETED", job_id, outcome={"result": {"key": result}, "receipt": receipt, "warnings": ["DarkPhoto"]})
        s3.put_object(Bucket=BUCKET, Key=result, Body=b"result", ContentType="image/jpeg")
        s3.put_object(Bucket=BUCKET, Key=receipt, Body=json.dumps({"cost_estimate": {"usd": 0.002}}))

    return complete


def long_running(batch):
    """The batch, as if it had been started an hour ago."""
    return replace(batch, started_at=batch.started_at - 3600)


def start_again():
    """Stop the batch, and start it for the second time."""
    batches().finish(ID, EXECUTION, BatchStatus.STOPPED, {})
    start_batch(batches().get(ID), 40, batches(), Counted(), budget())


def spent(table):
    """The microdollars that were taken today."""
    return sum(row["spent"] for row in table.scan()["Items"] if row["job_id"].startswith("spent on"))


def prepare(photo=PHOTO):
    return prepare_photo(photo, batches(), jobs(), photos(), batch_files(), budget())


def deliver(photo=PHOTO):
    deliver_photo(photo, batches(), jobs(), photos(), batch_files())


def fail(name, machine=None):
    return record_failure(PHOTO, name, batches(), jobs(), photos(), batch_files(), machine or Counted())


def line_of(key=KEY):
    return batch_files().read_line(ID, key)[0]


class Counted(BatchMachine):
    """A state machine whose maps count so."""

    def __init__(self, ended_at=None, reason="", **counts):
        super().__init__(None, MACHINE)
        self._ended_at, self._reason = ended_at, reason
        self._counts = {"photos": 0, "waiting": 0, "running": 0, "hidden": 0, "failed": 0} | counts
        self.started, self.stopped = [], []

    def start(self, _, execution, at_once):
        self.started.append((execution, at_once))

    def stop(self, execution, reason):
        self.stopped.append((execution, reason))

    def reason(self, _):
        return self._reason

    def ended_at(self, _):
        return self._ended_at

    def counts(self, _):
        return dict(self._counts)


# ---------------------------------------------------------------- the row


def test_a_batch_is_read_as_it_was_created(add_batch):
    source = Source("our-photos", "in/", "csv", "in/list.csv")
    target = Target("our-hidden-photos", "out/")
    batch = add_batch(BatchStatus.AWAITING_PHOTOS, source=source, target=target, receipts=True, owner="a", client="b")
    assert (batch.source, batch.target, batch.receipts, batch.owner, batch.client) == (source, target, True, "a", "b")
    assert (batch.status, batch.starts, batch.takes_uploads) == ("AWAITING_PHOTOS", 0, False)


def test_a_batch_belongs_to_its_owner(add_batch):
    add_batch(owner="alice")
    for action in (batches().get_owned, batches().delete):
        for other in ("bob", "aaron", ""):
            with pytest.raises(BatchNotFound):
                action(ID, other)
    assert batches().delete(ID, "alice").batch_id == ID
    assert batches().delete(ID, "alice") is None


def test_an_expired_batch_does_not_exist(add_batch):
    with pytest.raises(BatchNotFound):
        add_batch(expires_at=int(time.time()))


def test_a_batch_is_started_once_at_a_time(add_batch):
    waiting = add_batch(BatchStatus.AWAITING_PHOTOS)
    machine = Counted()
    start_batch(waiting, 40, batches(), machine, budget())
    for batch in (waiting, batches().get(ID)):
        with pytest.raises(BatchNotReady):
            start_batch(batch, 40, batches(), machine, budget())
    assert machine.started == [(EXECUTION, 40)]


def test_a_batch_that_has_ended_is_started_again_without_its_error(add_batch):
    add_batch()
    batches().finish(ID, EXECUTION, BatchStatus.FAILED, {}, CorruptImage())
    assert batches().get(ID).error["code"] == "CorruptImage"
    start_batch(batches().get(ID), 40, batches(), Counted(), budget())
    batch = batches().get(ID)
    assert (batch.status, batch.starts, batch.error, batch.finished_at) == ("RUNNING", 2, None, None)


def test_an_execution_that_is_not_the_last_one_ends_nothing(add_batch):
    add_batch()
    assert not batches().finish(ID, f"{EXECUTION}0", BatchStatus.FAILED)
    assert batches().get(ID).status == "RUNNING"


@pytest.mark.parametrize("ended", [BatchStatus.RUNNING, BatchStatus.FAILED, BatchStatus.COMPLETED])
def test_a_batch_whose_report_cannot_be_written_fails(add_batch, ended):
    add_batch(ended)
    give_up_batch(EXECUTION, batches())
    batch = batches().get(ID)
    if ended is BatchStatus.RUNNING:
        assert (batch.status, batch.error["code"]) == ("FAILED", "InternalError")
    else:
        assert (batch.status, batch.error) == (ended, None)


def test_the_failure_of_an_earlier_start_does_not_fail_a_batch(add_batch):
    add_batch()
    start_again()
    give_up_batch(EXECUTION, batches())
    assert batches().get(ID).status == "RUNNING"
    batches().delete(ID, "")
    give_up_batch(EXECUTION, batches())


@pytest.mark.parametrize(("ended_ago", "status"), [(None, "RUNNING"), (900, "RUNNING"), (1000, "FAILED")])
def test_a_batch_whose_execution_left_no_report_fails(add_batch, ended_ago, status):
    ended_at = None if ended_ago is None else time.time() - ended_ago
    assert fail_if_abandoned(long_running(add_batch()), batches(), Counted(ended_at)).status == status


def test_a_batch_whose_execution_is_not_known_yet_runs(add_batch):
    assert fail_if_abandoned(add_batch(), batches(), Counted(ended_at=0.0)).status == "RUNNING"
    assert fail_if_abandoned(long_running(batches().get(ID)), batches(), Counted(ended_at=0.0)).status == "FAILED"


def test_a_start_that_meets_a_deletion_leaves_no_row(add_batch, table):
    waiting = add_batch(BatchStatus.AWAITING_PHOTOS)
    batches().delete(ID, "")
    with pytest.raises(BatchNotReady):
        start_batch(waiting, 40, batches(), Counted(), budget())
    assert table.scan()["Items"] == []


def test_a_start_is_paid_with_what_it_does_beside_photos_that_pay(add_batch, monkeypatch, table):
    monkeypatch.setenv("DOLLARS_A_DAY", "1")
    source = Source("our-photos", "in/")
    start_batch(add_batch(BatchStatus.COMPLETED, source=source), 40, batches(), Counted(), budget())
    (spent,) = [row["spent"] for row in table.scan()["Items"] if row["job_id"].startswith("spent on")]
    # Two photos are done, and still in the source.
    assert spent == prices.start_of_a_batch(42)


def test_a_batch_is_not_started_without_money(add_batch, monkeypatch):
    monkeypatch.setenv("DOLLARS_A_DAY", "0.001")
    with pytest.raises(BudgetSpent):
        start_batch(add_batch(BatchStatus.AWAITING_PHOTOS), 40, batches(), Counted(), budget())
    assert batches().get(ID).status == "AWAITING_PHOTOS"


# ---------------------------------------------------------------- a photo


def test_a_photo_is_named_by_an_event_of_s3_or_by_the_map():
    detail = {"bucket": {"name": "our-photos"}, "object": {"key": "in/a+b%20c.jpg", "size": 1}}
    event = {"version": "0", "id": "7bf73129-1428-4cd3-a780-95db273d1602", "source": "aws.s3", "detail": detail}
    assert photo_of(event) == PhotoOfABatch(event["id"], "", "in/a+b%20c.jpg")
    mapped = {"id": RUN, "batch_id": ID, "encoded": True, "detail": detail}
    assert photo_of(mapped) == PhotoOfABatch(RUN, ID, "in/a b c.jpg")


def test_a_prepared_photo_has_a_job_that_waits_and_a_copy(add_batch, upload, s3):
    add_batch(owner="alice", client="alice", options=JobOptions(style="solid").model_dump())
    upload()
    assert prepare() == prepare() == JOB
    assert s3.get_object(Bucket=BUCKET, Key=f"uploads/{JOB}")["Body"].read() == b"photo"
    job = jobs().get(JOB)
    assert (job.status, job.owner, job.client, job.options["style"]) == ("AWAITING_UPLOAD", "alice", "alice", "solid")


def test_nobody_may_ask_for_the_job_of_a_photo_of_the_customers_bucket(add_batch, others, upload):
    source = Source("our-photos", "in/")
    add_batch(owner="a" * 32, client="alice", source=source, target=Target("our-hidden-photos", "out/"))
    upload("in/photo.jpg", "our-photos")
    upload("in/landed.jpg", "our-photos")
    for photo in (PhotoOfABatch(RUN, ID, "in/photo.jpg"), PhotoOfABatch("an event", "", "in/landed.jpg")):
        job_id = prepare(photo)
        for owner in ("a" * 32, ""):
            with pytest.raises(JobNotFound):
                jobs().get_owned(job_id, owner)


def test_a_job_has_a_line_before_it_exists(add_batch, upload, monkeypatch):
    add_batch()
    upload()
    create = type(jobs()).create

    def create_with_a_line(self, job_id, *arguments, **more):
        line = line_of()
        assert (line["job_id"], line["status"]) == (job_id, "PENDING")
        return create(self, job_id, *arguments, **more)

    monkeypatch.setattr(type(jobs()), "create", create_with_a_line)
    assert prepare() == JOB


def test_preparing_again_leaves_the_line_of_a_photo_that_has_ended(add_batch, upload, hidden):
    add_batch()
    upload()
    hidden()
    deliver()
    upload()
    prepare()
    assert line_of()["status"] == "COMPLETED"


def test_a_finished_job_of_a_batch_that_was_stopped_is_erased_with_it(add_batch, upload, hidden, keys, row_of):
    add_batch()
    upload()
    prepare()
    hidden()
    # The execution was stopped before the delivery.
    assert row_of(JOB)
    assert erase_batch(ID, jobs(), photos(), batch_files())
    assert (keys(), row_of(JOB)) == (set(), None)


@pytest.mark.parametrize("source", [Source(BUCKET, f"batches/{ID}/in/"), Source("our-photos", "in/")])
def test_a_later_start_forgets_the_job_of_one_that_was_stopped(add_batch, others, upload, hidden, keys, row_of, source):
    add_batch(source=source)
    photo = PhotoOfABatch(RUN, ID, f"{source.prefix}photo.jpg")
    upload(photo.key, source.bucket)
    hidden(job_id=prepare(photo))
    start_again()
    later = prepare(replace(photo, run=f"{ID}-2"))
    earlier = photo_id(RUN, photo.key)
    assert row_of(earlier) is None
    assert not any(earlier in key for key in keys())
    line = line_of(photo.key)
    assert (line["job_id"], line["status"]) == (later, "PENDING")


def test_what_is_left_of_an_earlier_start_changes_nothing(add_batch, upload, hidden, keys):
    add_batch()
    upload()
    prepare()
    start_again()
    later = prepare(replace(PHOTO, run=f"{ID}-2"))
    hidden()
    for late in (prepare, deliver):
        with pytest.raises(Aborted):
            late()
    assert fail("JobNotFound") == ("Aborted", False)
    line = line_of()
    assert (line["job_id"], line["status"]) == (later, "PENDING")
    assert KEY in keys()


def test_a_start_that_meets_a_later_one_while_it_prepares_a_photo_keeps_no_job(
    add_batch, upload, keys, row_of, monkeypatch
):
    add_batch()
    upload()
    create = type(jobs()).create

    def start_again_and_create(self, *arguments, **more):
        start_again()
        return create(self, *arguments, **more)

    monkeypatch.setattr(type(jobs()), "create", start_again_and_create)
    with pytest.raises(Aborted):
        prepare()
    assert row_of(JOB) is None
    assert not any(JOB in key for key in keys())


@pytest.mark.parametrize("earlier", ["", "0" * 32])
def test_a_line_that_comes_late_is_not_written_over_that_of_a_later_start(
    add_batch, upload, hidden, monkeypatch, earlier
):
    add_batch()
    upload()
    if earlier:
        batch_files().write_line(ID, {"key": KEY, "job_id": earlier, "status": "FAILED"})
    write, later = BatchFiles.write_line, photo_id(f"{ID}-2", KEY)

    def start_again_and_write(self, batch_id, line, over=None):
        monkeypatch.setattr(BatchFiles, "write_line", write)
        start_again()
        write(self, batch_id, {"key": KEY, "job_id": later, "status": "COMPLETED"})
        write(self, batch_id, line, over)

    monkeypatch.setattr(BatchFiles, "write_line", start_again_and_write)
    with pytest.raises(StorageUnavailable):
        prepare()
    # The task is repeated then.
    with pytest.raises(Aborted):
        prepare()
    assert (line_of()["job_id"], line_of()["status"]) == (later, "COMPLETED")


def test_a_start_that_was_stopped_never_forgets_the_job_of_a_later_one(add_batch, upload, hidden, monkeypatch, row_of):
    add_batch()
    upload()
    read, later = BatchFiles.read_line, photo_id(f"{ID}-2", KEY)

    def start_again_and_read(self, *arguments):
        monkeypatch.setattr(BatchFiles, "read_line", read)
        start_again()
        hidden(job_id=later)
        batch_files().write_line(ID, {"key": KEY, "job_id": later, "status": "COMPLETED"})
        return read(self, *arguments)

    monkeypatch.setattr(BatchFiles, "read_line", start_again_and_read)
    with pytest.raises(Aborted):
        prepare()
    assert row_of(later)


@pytest.mark.parametrize("code", ["PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"])
def test_a_line_that_another_call_writes_is_looked_at_again(add_batch, upload, monkeypatch, code):
    add_batch()
    upload()
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 412}}
    # S3 says the second one of two writes at the same time, and the third one of a line that was deleted.
    monkeypatch.setattr(batch_files()._client, "put_object", refusal(answer))
    with pytest.raises(StorageUnavailable):
        prepare()
    answer["Error"]["Code"] = "AccessDenied"
    with pytest.raises(ClientError):
        prepare()


def refusal(answer):
    def refuse(**_):
        raise ClientError(answer, "PutObject")

    return refuse


def test_a_batch_that_is_deleted_while_a_photo_is_prepared_keeps_no_job(add_batch, upload, keys, row_of, monkeypatch):
    add_batch()
    upload()
    create = type(jobs()).create

    def delete_and_create(self, *arguments, **more):
        batches().delete(ID, "")
        erase_batch(ID, jobs(), photos(), batch_files())
        upload()
        return create(self, *arguments, **more)

    monkeypatch.setattr(type(jobs()), "create", delete_and_create)
    with pytest.raises(BatchNotFound):
        prepare()
    assert (keys(), row_of(JOB)) == ({KEY}, None)


def test_a_photo_is_paid_once(add_batch, upload, monkeypatch, table):
    monkeypatch.setenv("DOLLARS_A_DAY", "1")
    add_batch()
    upload()
    for _ in range(2):
        prepare()
    (spent,) = [row["spent"] for row in table.scan()["Items"] if row["job_id"].startswith("spent on")]
    assert spent == prices.JOB + prices.BATCHED


def test_a_photo_for_which_no_money_is_left_fails(add_batch, upload, monkeypatch, keys):
    monkeypatch.setenv("DOLLARS_A_DAY", "0.0001")
    add_batch()
    upload()
    with pytest.raises(BudgetSpent):
        prepare()
    assert jobs().get(JOB).error["code"] == "BudgetSpent"
    assert not any(key.startswith("uploads/") for key in keys())
    with pytest.raises(BudgetSpent):
        prepare()


def test_a_missing_photo_and_one_that_is_too_large_fail(add_batch, upload):
    add_batch()
    with pytest.raises(UploadReplaced):
        prepare()
    large = replace(PHOTO, key=f"batches/{ID}/in/large.jpg")
    upload(large.key, data=b"0" * (MAX_BYTES + 1))
    with pytest.raises(ImageTooLarge):
        prepare(large)
    assert jobs().get(photo_id(RUN, large.key)).error["code"] == "ImageTooLarge"


def test_a_photo_may_be_as_large_as_the_limit(add_batch, upload, monkeypatch):
    monkeypatch.setattr("faceblur.jobs.batch_files.MAX_BYTES", 5)
    add_batch()
    upload(data=b"12345")
    assert prepare() == JOB
    larger = replace(PHOTO, key=f"batches/{ID}/in/larger.jpg")
    upload(larger.key, data=b"123456")
    with pytest.raises(ImageTooLarge):
        prepare(larger)


def test_there_is_nothing_to_do_for_a_folder_and_for_what_is_done(add_batch, others, upload):
    add_batch(source=Source("our-photos", "in/"))
    assert prepare(PhotoOfABatch(RUN, "", "in/folder/")) == ""
    photo = PhotoOfABatch(RUN, ID, "in/photo.jpg")
    for status, job in (("FAILED", photo_id(RUN, photo.key)), ("COMPLETED", "")):
        upload(photo.key, "our-photos")
        batch_files().write_line(ID, {"key": photo.key, "job_id": "0" * 32, "status": status})
        assert prepare(photo) == job


def test_another_photo_under_the_name_of_one_that_is_done_replaces_it(add_batch, upload, hidden, keys):
    """An upload is deleted once it is done, so what is there again is another photo."""
    add_batch()
    earlier = "1" * 32
    hidden(job_id=earlier)
    batch_files().write_line(ID, {"key": KEY, "job_id": earlier, "status": "COMPLETED"})
    upload(data=b"another photo")
    assert prepare() == JOB
    assert not any(earlier in key for key in keys())
    with pytest.raises(JobNotFound):
        jobs().get(earlier)


def test_a_repeated_event_brings_no_original_back(add_batch, others, upload, hidden, keys):
    upload("in/photo.jpg", "our-photos")
    landed = PhotoOfABatch("an event", "", "in/photo.jpg")
    hidden(job_id=photo_id(landed.run, landed.key))
    prepare(landed)
    assert not any(key.startswith("uploads/") for key in keys())


def test_a_job_that_ends_while_its_photo_is_copied_keeps_no_original(add_batch, upload, keys, monkeypatch):
    add_batch()
    upload()
    take = BatchFiles.take

    def take_and_fail(self, source, key, job_id):
        take(self, source, key, job_id)
        jobs().fail(job_id, CorruptImage(), only_from=(Status.AWAITING_UPLOAD,))

    monkeypatch.setattr(BatchFiles, "take", take_and_fail)
    prepare()
    assert not any(key.startswith("uploads/") for key in keys())


def test_a_photo_that_is_replaced_while_it_is_copied_fails(add_batch, upload, monkeypatch):
    add_batch()
    upload()

    def refuse(**_):
        answer = {"Error": {"Code": "PreconditionFailed"}, "ResponseMetadata": {"HTTPStatusCode": 412}}
        raise ClientError(answer, "CopyObject")

    # moto does not compare the ETag.
    monkeypatch.setattr(batch_files()._client, "copy_object", refuse)
    with pytest.raises(UploadReplaced):
        prepare()
    assert jobs().get(JOB).error["code"] == "UploadReplaced"


def test_a_photo_outside_the_source_is_refused_and_paid(add_batch, monkeypatch, table):
    monkeypatch.setenv("DOLLARS_A_DAY", "1")
    add_batch(source=Source("our-photos", "in/"))
    with pytest.raises(SourceNotAllowed):
        prepare(replace(PHOTO, key="elsewhere/photo.jpg"))
    assert spent(table) == prices.BATCHED
    assert prepare(replace(PHOTO, key="in/folder/")) == ""
    assert spent(table) == 2 * prices.BATCHED


def test_a_photo_of_a_deleted_batch_is_not_begun(s3, table):
    with pytest.raises(BatchNotFound):
        prepare()


def test_an_upload_is_delivered_by_its_line_and_deleted(add_batch, upload, hidden, keys):
    add_batch()
    upload()
    hidden()
    deliver()
    assert KEY not in keys()
    assert line_of() == {
        "key": KEY,
        "job_id": JOB,
        "status": "COMPLETED",
        "code": "",
        "hidden": faces(1),
        "warnings": ["DarkPhoto"],
        "result": "",
        "usd": 0.002,
    }


def test_a_result_is_copied_to_the_target_with_its_receipt(add_batch, hidden, others, s3):
    target = Target("our-hidden-photos", "out/")
    add_batch(target=target, receipts=True)
    hidden(extension="png")
    deliver()
    assert others() == {"out/photo.jpg.png", "out/photo.jpg.png.receipt.json"}
    assert s3.head_object(Bucket="our-hidden-photos", Key="out/photo.jpg.png")["ContentType"] == "image/jpeg"
    assert line_of()["result"] == "out/photo.jpg.png"


def test_a_photo_that_landed_is_delivered_under_its_own_key(hidden, others, keys):
    event = "7bf73129-1428-4cd3-a780-95db273d1602"
    hidden(job_id=photo_id(event, "in/trip/photo.jpg"))
    deliver(PhotoOfABatch(event, "", "in/trip/photo.jpg"))
    assert others() == {"out/trip/photo.jpg"}
    assert not any(key.startswith("batches/") for key in keys())
    assert (source_bucket_settings().options, source_bucket_settings().receipts) == (JobOptions().model_dump(), False)


@pytest.mark.parametrize(
    ("status", "changes", "error"),
    [
        ("PROCESSING", {}, JobNotFinished),
        ("FAILED", {"error": {"code": "CorruptImage", "message": "It is damaged."}}, CorruptImage),
    ],
)
def test_a_photo_that_is_not_hidden_is_not_delivered(add_batch, add_job, upload, keys, status, changes, error):
    add_batch()
    upload()
    add_job(status, JOB, **changes)
    with pytest.raises(error):
        deliver()
    assert keys() == {KEY}


def test_nothing_of_a_deleted_batch_is_delivered(s3, table, hidden, keys, row_of):
    hidden()
    with pytest.raises(BatchNotFound):
        deliver()
    assert (keys(), row_of(JOB)) == (set(), None)


def test_a_batch_that_is_deleted_during_the_delivery_leaves_no_line(add_batch, hidden, keys, monkeypatch, row_of):
    add_batch()
    hidden()
    write = BatchFiles.write_line

    def write_and_delete(self, batch_id, line, over=None):
        write(self, batch_id, line, over)
        batches().delete(batch_id, "")

    monkeypatch.setattr(BatchFiles, "write_line", write_and_delete)
    with pytest.raises(BatchNotFound):
        deliver()
    assert (keys(), row_of(JOB)) == (set(), None)


def test_a_batch_that_is_deleted_while_a_failure_is_written_down_leaves_nothing(
    add_batch, hidden, keys, monkeypatch, row_of
):
    add_batch()
    hidden()
    write, withdraw = BatchFiles.write_line, BatchFiles.withdraw_line

    def write_and_delete(self, batch_id, line, over=None):
        write(self, batch_id, line, over)
        batches().delete(batch_id, "")

    def withdraw_after_the_job(self, *arguments):
        assert row_of(JOB) is None
        withdraw(self, *arguments)

    monkeypatch.setattr(BatchFiles, "write_line", write_and_delete)
    monkeypatch.setattr(BatchFiles, "withdraw_line", withdraw_after_the_job)
    fail("AccessDenied")
    assert (keys(), row_of(JOB)) == (set(), None)


def test_a_photo_that_was_delivered_does_not_fail_because_its_upload_stays(
    add_batch, upload, hidden, keys, monkeypatch
):
    add_batch()
    upload()
    hidden()
    discard = BatchFiles.discard

    def refuse(*_):
        raise StorageUnavailable

    monkeypatch.setattr(BatchFiles, "discard", refuse)
    with pytest.raises(StorageUnavailable):
        deliver()
    monkeypatch.setattr(BatchFiles, "discard", discard)
    assert fail("StorageUnavailable") == ("", False)
    assert line_of()["status"] == "COMPLETED"
    assert KEY not in keys()  # or the next start would pay for it again


@pytest.mark.parametrize(
    ("status", "name", "code", "counts"),
    [
        ("FAILED", "CorruptImage", "CorruptImage", False),
        ("COMPLETED", "AccessDenied", "InternalError", True),
        ("COMPLETED", "States.Timeout", "TimedOut", True),
        (None, "BudgetSpent", "BudgetSpent", True),
    ],
)
def test_a_failure_has_its_line(add_batch, add_job, status, name, code, counts):
    add_batch()
    if status:
        add_job(status, JOB)
    machine = Counted()
    assert fail(name, machine) == (code, counts)
    # Without money, the photos that wait are not begun.
    assert machine.stopped == ([(EXECUTION, "BudgetSpent")] if code == "BudgetSpent" else [])
    line = line_of()
    assert (line["status"], line["code"], line["key"], line["job_id"]) == (Status.FAILED, code, KEY, JOB)


@pytest.mark.parametrize("earlier", ["0" * 32, "f" * 32])
def test_a_photo_fails_although_an_earlier_start_hid_another_one_under_its_name(add_batch, earlier):
    add_batch()
    batch_files().write_line(ID, {"key": KEY, "job_id": earlier, "status": "COMPLETED", "result": ""})
    assert fail("CorruptImage").code == "CorruptImage"
    assert (line_of()["status"], line_of()["job_id"]) == ("FAILED", JOB)


def test_the_failure_of_a_photo_of_a_deleted_batch_has_none(s3, table, hidden, keys, row_of):
    hidden()
    machine = Counted()
    fail("BatchNotFound", machine)
    assert (keys(), row_of(JOB)) == (set(), None)
    # The batch may have expired while it ran. Its other photos could not be hidden either.
    assert machine.stopped == [(EXECUTION, "BatchNotFound")]


@pytest.mark.parametrize(
    ("name", "extension", "expected"),
    [
        ("a/b.jpg", "jpg", "a/b.jpg"),
        ("a.JPEG", "jpg", "a.JPEG"),
        ("a.heic", "jpg", "a.heic.jpg"),
        ("a.tif", "tiff", "a.tif"),
        ("jpg", "jpg", "jpg"),
        ("photo", "png", "photo.png"),
    ],
)
def test_a_result_has_the_name_of_its_photo(name, extension, expected):
    assert result_name(name, extension) == expected


# ---------------------------------------------------------------- the end


def lines(count, failed=0):
    """Write lines of a batch, of which some say that the photo failed."""
    for number in range(count):
        status = "FAILED" if number < failed else "COMPLETED"
        key = f"photo {number}"
        line = {"key": key, "job_id": photo_id(RUN, key), "status": status, "code": ""}
        batch_files().write_line(
            ID, line | {"hidden": faces(number % 2), "warnings": ["A", "B"], "result": "", "usd": 0.001}
        )


def test_the_reports_have_every_line_and_the_counts(add_batch, s3):
    add_batch()
    lines(5, failed=1)
    machine = Counted(photos=6, waiting=1, hidden=4, failed=1)
    batch = finish_batch(EXECUTION, "SUCCEEDED", "", batches(), machine, batch_files())
    assert batch.status == "COMPLETED"
    added = 5 * prices.BATCHED / prices.A_DOLLAR
    assert batch.outcome == {
        "hidden": 4,
        "failed": 1,
        "nothing_hidden": 2,
        "waiting": 1,
        "photos": 6,
        "usd": pytest.approx(0.005 + added),
    }
    table, objects = (
        s3.get_object(Bucket=BUCKET, Key=f"batches/{ID}/report.{kind}")["Body"].read().decode()
        for kind in ("csv", "jsonl")
    )
    rows = list(csv.DictReader(io.StringIO(table)))
    assert {row["key"] for row in rows} == {f"photo {number}" for number in range(5)}
    assert {row["warnings"] for row in rows} == {"A B"}
    assert sorted((row["hidden_face"], row["hidden_plate"]) for row in rows) == [("0", "0")] * 3 + [("1", "0")] * 2
    assert [json.loads(line)["key"] for line in objects.splitlines()] == [row["key"] for row in rows]


@pytest.mark.parametrize(
    ("status", "reason", "ended", "code"),
    [
        ("FAILED", "States.ExceedToleratedFailureThreshold", "FAILED", "TooManyFailed"),
        ("FAILED", "States.ItemReaderFailed", "FAILED", "SourceUnreadable"),
        ("FAILED", "States.Runtime", "FAILED", "InternalError"),
        ("TIMED_OUT", "", "FAILED", "TimedOut"),
        ("ABORTED", "", "STOPPED", "Aborted"),
        ("ABORTED", "BudgetSpent", "STOPPED", "BudgetSpent"),
    ],
)
def test_a_batch_says_why_it_ended(add_batch, status, reason, ended, code):
    add_batch()
    # The event about an execution that was stopped does not say why.
    told, asked = ("", reason) if status == "ABORTED" else (reason, "")
    batch = finish_batch(EXECUTION, status, told, batches(), Counted(reason=asked), batch_files())
    assert (batch.status, batch.error["code"]) == (ended, code)


def test_a_photo_without_a_line_is_counted(add_batch):
    add_batch()
    lines(1)
    batch = finish_batch(EXECUTION, "SUCCEEDED", "", batches(), Counted(photos=2, hidden=1, failed=1), batch_files())
    assert (batch.outcome["photos"], batch.outcome["failed"]) == (2, 1)


def test_a_photo_whose_work_has_not_ended_is_in_no_report_and_no_count(add_batch, s3):
    batch = add_batch()
    lines(2)
    batch_files().write_line(ID, {"key": "begun", "job_id": photo_id(RUN, "begun"), "status": "PENDING", "usd": 0.0})
    told = progress(batch, Counted(photos=3, hidden=2, running=1), batch_files())
    assert told["usd"] == pytest.approx(2 * (0.001 + prices.BATCHED / prices.A_DOLLAR))
    outcome = finish_batch(
        EXECUTION, "ABORTED", "", batches(), Counted(photos=3, hidden=2, waiting=1), batch_files()
    ).outcome
    counts = {name: outcome[name] for name in ("photos", "hidden", "failed", "waiting", "nothing_hidden")}
    assert counts == {"photos": 3, "hidden": 2, "failed": 0, "waiting": 1, "nothing_hidden": 1}
    rows = s3.get_object(Bucket=BUCKET, Key=f"batches/{ID}/report.jsonl")["Body"].read().splitlines()
    assert [json.loads(row)["status"] for row in rows] == ["COMPLETED", "COMPLETED"]


def test_a_photo_that_failed_in_an_earlier_run_and_waits_is_counted_once(add_batch):
    add_batch()
    lines(1)
    line = {"key": "old", "job_id": photo_id(f"{ID}-0", "old"), "status": "FAILED", "code": "BudgetSpent"}
    batch_files().write_line(ID, line | {"hidden": faces(0), "warnings": [], "result": "", "usd": 0.0})
    batch = finish_batch(EXECUTION, "ABORTED", "", batches(), Counted(photos=2, hidden=1, waiting=1), batch_files())
    assert {name: batch.outcome[name] for name in ("photos", "hidden", "failed", "waiting")} == {
        "photos": 2,
        "hidden": 1,
        "failed": 0,
        "waiting": 1,
    }


def test_a_report_that_comes_when_another_execution_works_on_the_batch_erases_nothing(add_batch, upload, monkeypatch):
    add_batch()
    upload()
    lines(1)
    store = BatchFiles.store_report

    def store_and_start_again(self, *arguments):
        store(self, *arguments)
        if batches().get(ID).starts == 1:
            batches().finish(ID, EXECUTION, BatchStatus.FAILED, {})
            start_batch(batches().get(ID), 40, batches(), Counted(), budget())

    monkeypatch.setattr(BatchFiles, "store_report", store_and_start_again)
    assert finish_batch(EXECUTION, "ABORTED", "", batches(), Counted(), batch_files()) is None
    assert line_of("photo 0")["status"] == "COMPLETED"
    assert next(batch_files().pages(KEY)) == [KEY]
    assert batches().get(ID).status == "RUNNING"


def test_an_earlier_execution_does_not_replace_the_reports_of_the_last_one(add_batch, keys):
    add_batch()
    start_again()
    assert finish_batch(EXECUTION, "ABORTED", "", batches(), Counted(), batch_files()) is None
    assert keys() == set()
    assert batches().get(ID).status == "RUNNING"


def test_the_report_of_a_batch_that_is_deleted_meanwhile_is_erased(add_batch, monkeypatch, keys):
    add_batch()
    lines(1)
    store = BatchFiles.store_report

    def store_and_delete(self, *arguments):
        store(self, *arguments)
        batches().delete(ID, "")

    monkeypatch.setattr(BatchFiles, "store_report", store_and_delete)
    assert finish_batch(EXECUTION, "SUCCEEDED", "", batches(), Counted(), batch_files()) is None
    assert keys() == set()


def test_the_cost_of_a_batch_that_runs_is_estimated_from_ten_photos(add_batch):
    lines_of_this_run = Counted(photos=100, waiting=40, running=10, hidden=48, failed=2)
    batch = add_batch()
    lines(12)
    told = progress(batch, lines_of_this_run, batch_files())
    assert told["usd"] == pytest.approx(50 * (0.001 + prices.BATCHED / prices.A_DOLLAR))


def test_what_an_earlier_run_has_hidden_counts(add_batch):
    add_batch(BatchStatus.COMPLETED)
    start_batch(batches().get(ID), 40, batches(), Counted(), budget())
    told = progress(batches().get(ID), Counted(photos=3, hidden=1, waiting=2), batch_files())
    assert (told["photos"], told["hidden"]) == (5, 3)


def test_a_batch_is_erased_with_its_jobs(s3, table, add_job, upload, keys, row_of):
    add_job("COMPLETED", JOB, owner="alice")
    for key in (f"results/{JOB}.0.jpg", f"receipts/{JOB}.json", KEY, f"batches/{ID}/report.csv"):
        upload(key)
    batch_files().write_line(ID, {"key": KEY, "job_id": JOB, "status": "COMPLETED"})
    assert not erase_batch(ID, jobs(), photos(), batch_files(), until=0)
    assert row_of(JOB)
    assert erase_batch(ID, jobs(), photos(), batch_files())
    assert (keys(), row_of(JOB)) == (set(), None)


class Maps:
    """Step Functions, where each execution has these runs of its map, by their ARNs."""

    def __init__(self, runs):
        self._runs = runs

    def list_map_runs(self, **_):
        return {"mapRuns": [{"mapRunArn": arn} for arn in self._runs]}

    def describe_map_run(self, **asked):
        return {"itemCounts": self._runs[asked["mapRunArn"]]}


def test_the_photos_that_have_not_begun_wait():
    counted = {"total": 10, "pending": 2, "running": 3, "succeeded": 2, "failed": 1, "timedOut": 0, "aborted": 2}
    told = BatchMachine(Maps({"arn:map": counted}), MACHINE).counts(EXECUTION)
    # Those that were stopped wait too: the next start hides them.
    assert told == {"photos": 10, "waiting": 4, "running": 3, "hidden": 2, "failed": 1}


def test_an_execution_that_has_not_read_its_photos_counts_none():
    assert set(BatchMachine(Maps({}), MACHINE).counts(EXECUTION).values()) == {0}


class Executions:
    """Step Functions, where all executions are in this state."""

    class exceptions:  # noqa: N801
        class ExecutionDoesNotExist(Exception):
            pass

    def __init__(self, status):
        self._status = status

    def describe_execution(self, **_):
        if not self._status:
            raise self.exceptions.ExecutionDoesNotExist
        return {"status": self._status, "stopDate": datetime.fromtimestamp(1000, UTC)}


@pytest.mark.parametrize(
    ("status", "ended_at"),
    [("RUNNING", None), ("ABORTED", 1000), ("TIMED_OUT", 1000), ("FAILED", 0), ("SUCCEEDED", 0), ("", 0)],
)
def test_only_an_execution_that_was_stopped_or_timed_out_gets_its_report_later(status, ended_at):
    assert BatchMachine(Executions(status), MACHINE).ended_at(EXECUTION) == ended_at


def test_a_report_that_was_written_meanwhile_stays(add_batch):
    running = long_running(add_batch())
    batches().finish(ID, EXECUTION, BatchStatus.COMPLETED, {"hidden": 2})
    assert fail_if_abandoned(running, batches(), Counted(ended_at=0)).status == "COMPLETED"
