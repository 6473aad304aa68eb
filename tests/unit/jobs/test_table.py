from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from faceblur.errors import (
    CorruptImage,
    InternalError,
    JobNotFinished,
    JobNotFound,
    StorageUnavailable,
    TimedOut,
)
from faceblur.jobs.table import STAGES, UNFINISHED, Jobs, Status, jobs, jobs_table, new_job_id
from faceblur.options import JobOptions
from tests.support.counts import faces
from tests.support.sources import evaluated, state_machine
from tests.unit.conftest import execution_arn

EXECUTION = execution_arn("0f8fad5bd9cb469fa16570867728950e")

OPTIONS = JobOptions().model_dump()
OUTCOME = {
    "hidden": {"face": 2, "plate": 0, "text": 0},
    "missed_at_first": 0,
    "check_rounds": 1,
    "warnings": [],
    "receipt": "receipts/x.json",
    "result": {"key": "results/x.jpg"},
}
FINISHED = ["COMPLETED", "FAILED"]
HOUR = 60 * 60  # of seconds
NOW = "2025-06-01T12:00:00.125Z"


@pytest.fixture
def update(table):
    """Write to the table as a state of the state machine does."""

    def write(state, **values):
        arguments = evaluated(state_machine()["States"][state]["Arguments"], values["values"])
        client = table.meta.client
        # The resource's client takes plain values, the state machine DynamoDB's own.
        plain = {"Key": {"job_id": arguments["Key"]["job_id"]["S"]}}
        plain["ExpressionAttributeValues"] = {
            name: unwrapped(value) for name, value in arguments["ExpressionAttributeValues"].items()
        }
        return client.update_item(**arguments | plain | {"TableName": table.name})

    return write


@pytest.fixture
def claim(update):
    """Claim a job as the state machine does."""

    def write(job_id, execution="arn:execution", now=None):
        values = {
            "$states.input.job_id": job_id,
            "$states.context.Execution.Id": execution,
            "$string($floor($millis() / 1000))": str(int(now or time.time())),
        }
        return update("Claim the job", values=values)

    return write


@pytest.fixture
def record_failure(update):
    """Record a failure as the state machine does."""

    def write(job_id, error, execution=None):
        values = {
            "$substringBefore($states.context.Execution.Name, '-')": job_id,
            "$states.context.Execution.Id": execution or execution_arn(job_id),
            "$error.code": error.code,
            "$error.message": error.message,
            "$now()": NOW,
        }
        return update("Record the failure", values=values)

    return write


def just_now(moment):
    """Whether a moment, as JSONata's $now() writes it too, was within the last minutes."""
    written = datetime.strptime(moment, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    return len(moment) == len(NOW) and abs(datetime.now(UTC) - written) < timedelta(minutes=2)


def unwrapped(value):
    """A value of DynamoDB's without its type."""
    ((kind, content),) = value.items()
    if kind == "M":
        return {name: unwrapped(inner) for name, inner in content.items()}
    return int(content) if kind == "N" else content


# ---------------------------------------------------------------- creating


def test_a_new_job_waits_for_its_photo(table):
    before = int(time.time())
    job = jobs().create(new_job_id(), OPTIONS, 300)
    assert job.status is Status.AWAITING_UPLOAD
    assert before <= job.created_at <= time.time()
    assert job.upload_expires_at == job.created_at + 300
    assert job.expires_at == job.created_at + 24 * HOUR
    assert jobs().get(job.job_id) == job


def test_ids_cannot_be_guessed():
    ids = {new_job_id() for _ in range(5)}
    assert len(ids) == 5
    assert all(re.fullmatch(r"[0-9a-f]{32}", job_id) for job_id in ids)


def test_a_new_job_overwrites_none(table, add_job):
    taken = add_job("PROCESSING")
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        jobs().create(taken, OPTIONS, 300)
    assert jobs().get(taken).status is Status.PROCESSING


def test_the_time_to_live_is_a_number_of_seconds(table, row_of):
    job = jobs().create(new_job_id(), OPTIONS, 300)
    assert row_of(job.job_id)["expires_at"] == job.expires_at


def test_an_expired_job_is_gone_before_its_row_is(table, add_job):
    with pytest.raises(JobNotFound):
        jobs().get(add_job(expires_at=int(time.time()) - 1))


def test_an_unknown_job(table):
    with pytest.raises(JobNotFound):
        jobs().get("f" * 32)


# ---------------------------------------------------------------- claiming, by the state machine


def test_claiming_gives_the_options_and_marks_the_job(table, claim):
    job = jobs().create(new_job_id(), OPTIONS | {"style": "solid"}, 300)
    attributes = claim(job.job_id, now=1_700_000_000)["Attributes"]
    assert json.loads(attributes["options"])["style"] == "solid"
    claimed = jobs().get(job.job_id)
    assert (claimed.status, claimed.working_since) == (Status.PROCESSING, 1_700_000_000)


def test_a_repeated_claim_of_the_same_execution_passes(table, claim, add_job):
    claim(add_job())
    claim(add_job())
    assert jobs().get(add_job("PROCESSING")).status is Status.PROCESSING


def test_a_claim_is_repeatable_by_its_execution_alone(table, claim):
    job = jobs().create(new_job_id(), OPTIONS, 300)
    claim(job.job_id, "arn:one")
    claim(job.job_id, "arn:one")
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        claim(job.job_id, "arn:two")


@pytest.mark.parametrize("status", FINISHED)
def test_a_finished_job_cannot_be_claimed(table, claim, add_job, row_of, status):
    row = row_of(add_job(status))
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        claim(row["job_id"])
    assert row_of(row["job_id"]) == row


def test_a_photo_without_a_job_makes_none(table, claim, row_of):
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        claim("f" * 32)
    assert row_of("f" * 32) is None


# ---------------------------------------------------------------- going on


def test_who_begins_a_stage_learns_who_pays(table, add_job):
    assert jobs().begin(add_job("PROCESSING", client="alice"), "detect") == "alice"
    assert jobs().begin(add_job("PROCESSING"), "detect") == ""
    assert jobs().begin("f" * 32, "detect") == ""


def test_a_progress_that_cannot_be_recorded_fails_nothing(table, add_job, listen, output):
    job_id = add_job("PROCESSING", client="alice")
    listen(jobs_table().meta.client, "before-send.dynamodb.UpdateItem", lambda **_: AWSResponse("", 500, {}, Raw()))
    assert jobs().begin(job_id, "detect") == ""
    assert [line["message"] for line in output.logs] == ["progress was not recorded"]


class Raw:
    """The body of an answer."""

    def stream(self, **_):
        return iter([b"{}"])


def test_a_job_is_paid_for_once_and_while_it_waits_for_its_photo(table, add_job):
    job_id = add_job()
    assert not jobs().get(job_id).paid
    assert [jobs().pay(job_id), jobs().pay(job_id)] == [True, False]
    assert jobs().get(job_id).paid
    assert not jobs().pay(add_job("PROCESSING"))


def test_each_stage_of_a_job_in_work_begins_once(table, add_job):
    job_id = add_job("PROCESSING")
    jobs().begin(job_id, "detect")
    began = jobs().get(job_id).progress
    jobs().begin(job_id, "detect")
    jobs().begin(job_id, "hide")
    assert list(began) == ["detect"]
    assert just_now(began["detect"])
    assert jobs().get(job_id).progress == began | {"hide": jobs().get(job_id).progress["hide"]}


def test_the_state_machine_names_the_stages(table, add_job):
    payloads = (state.get("Arguments", {}).get("Payload", {}) for state in state_machine()["States"].values())
    assert [payload["stage"] for payload in payloads if "stage" in payload] == list(STAGES)


@pytest.mark.parametrize("status", Status)
def test_a_job_is_in_progress_while_it_is_processed(table, add_job, status):
    assert jobs().is_in_progress(add_job(status)) is (status in {"PROCESSING", "AWAITING_REVIEW"})
    assert not jobs().is_in_progress("f" * 32)


@pytest.mark.parametrize("status", ["AWAITING_UPLOAD", *FINISHED])
def test_a_job_that_is_not_in_work_stays_as_it_is(table, add_job, row_of, status):
    row = row_of(add_job(status))
    jobs().begin(row["job_id"], "hide")
    assert row_of(row["job_id"]) == row


def test_a_stage_makes_no_job(table, row_of):
    jobs().begin("f" * 32, "hide")
    assert row_of("f" * 32) is None


# ---------------------------------------------------------------- completing


def test_completing_records_the_outcome(table, add_job, row_of):
    job_id = add_job("PROCESSING")
    jobs().complete(job_id, EXECUTION, OUTCOME, 0)
    job = jobs().get(job_id)
    assert (job.status, job.outcome, job.error) == (Status.COMPLETED, OUTCOME, None)
    assert just_now(job.progress["finished"])


def test_completing_again_is_harmless(table, add_job, monkeypatch):
    job_id, later = add_job("PROCESSING"), time.time() + 60
    assert jobs().complete(job_id, EXECUTION, OUTCOME, 1)
    completed = jobs().get(job_id)
    monkeypatch.setattr("faceblur.jobs.table.time", SimpleNamespace(time=lambda: later))
    assert not jobs().complete(job_id, EXECUTION, OUTCOME, 1)
    assert jobs().get(job_id) == completed
    assert completed.outcome == OUTCOME


@pytest.mark.parametrize("status", ["AWAITING_UPLOAD", "FAILED"])
def test_only_a_job_in_work_is_completed(table, add_job, row_of, status):
    row = row_of(add_job(status))
    with pytest.raises(JobNotFound):
        jobs().complete(row["job_id"], EXECUTION, OUTCOME, 0)
    assert row_of(row["job_id"]) == row


def test_a_deleted_job_is_not_completed_back_into_being(table, add_job, row_of):
    job_id = add_job("PROCESSING")
    jobs().delete(job_id, "")
    with pytest.raises(JobNotFound):
        jobs().complete(job_id, EXECUTION, OUTCOME, 0)
    assert row_of(job_id) is None


@pytest.mark.parametrize("hours", [0, 1, 3])
def test_a_completed_job_can_be_done_again_for_so_many_hours(table, add_job, clock, hours):
    job_id = add_job("PROCESSING", expires_at=clock + 24 * HOUR)
    jobs().complete(job_id, EXECUTION, OUTCOME, hours)
    assert jobs().get(job_id).redo_until == clock + hours * HOUR


# ---------------------------------------------------------------- failing


@pytest.mark.parametrize("status", UNFINISHED)
def test_failing_records_code_and_sentence(table, add_job, row_of, status):
    job_id = add_job(status)
    assert jobs().fail(job_id, CorruptImage("Broken in two."), EXECUTION)
    job = jobs().get(job_id)
    assert (job.status, job.error) == (Status.FAILED, {"code": "CorruptImage", "message": "Broken in two."})
    assert just_now(job.progress["finished"])


@pytest.mark.parametrize("status", FINISHED)
def test_a_late_failure_never_moves_a_finished_job(table, add_job, row_of, record_failure, status):
    row = row_of(add_job(status))
    assert not jobs().fail(row["job_id"], InternalError())
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        record_failure(row["job_id"], InternalError())
    assert row_of(row["job_id"]) == row


def test_a_failure_makes_no_job(table, row_of, record_failure):
    assert not jobs().fail("f" * 32, InternalError())
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        record_failure("f" * 32, InternalError())
    assert row_of("f" * 32) is None


@pytest.mark.parametrize("status", ["AWAITING_UPLOAD", "PROCESSING"])
def test_a_failure_is_counted_once_whoever_recorded_it(table, add_job, record_failure, status):
    job_id = add_job(status)
    assert jobs().count_failure(job_id, EXECUTION) is None
    record_failure(job_id, TimedOut())
    assert jobs().count_failure(job_id, f"{EXECUTION}-1") == (None if status == "PROCESSING" else "TimedOut")
    assert jobs().count_failure(job_id, EXECUTION) == ("TimedOut" if status == "PROCESSING" else None)
    assert jobs().count_failure(job_id, EXECUTION) is None


def test_each_failed_redo_is_counted(table, add_job):
    outcome = {"outcome": json.dumps(OUTCOME), "fallback_status": "COMPLETED"}
    job_id = add_job("PROCESSING", execution_arn=REDO, **outcome)
    jobs().fail(job_id, TimedOut(), REDO)
    assert jobs().count_failure(job_id, REDO) == "TimedOut"
    again = f"{EXECUTION}-2"
    jobs().redo(jobs().get(job_id), OPTIONS, again)
    jobs().fail(job_id, InternalError(), again)
    assert jobs().count_failure(job_id, again) == "InternalError"


def test_a_job_that_does_not_exist_is_not_counted(table, row_of):
    job_id = new_job_id()
    assert jobs().count_failure(job_id, EXECUTION) is None
    assert row_of(job_id) is None


def test_failing_from_some_states_only(table, add_job):
    job_id = add_job("PROCESSING")
    assert not jobs().fail(job_id, InternalError(), only_from=(Status.AWAITING_UPLOAD,))
    assert jobs().get(job_id).status is Status.PROCESSING


def test_the_state_machine_records_a_failure_just_as_the_functions_do(table, add_job, row_of, record_failure):
    by_function, by_machine = add_job("PROCESSING", "1" * 32), add_job("PROCESSING", "2" * 32)
    jobs().fail(by_function, TimedOut(), execution_arn(by_function))
    record_failure(by_machine, TimedOut())
    one, other = jobs().get(by_function), jobs().get(by_machine)
    assert (one.status, one.error) == (other.status, other.error)
    assert row_of(by_function).keys() == row_of(by_machine).keys()


def test_a_table_that_does_not_answer_is_not_taken_for_a_refused_write(table, add_job):
    job_id = add_job("PROCESSING")
    with Stubber(table.meta.client) as stub:
        stub.add_client_error("update_item", "InternalServerError", http_status_code=500)
        with pytest.raises(StorageUnavailable):
            Jobs(table).fail(job_id, InternalError())
    assert jobs().get(job_id).status is Status.PROCESSING


def test_an_outage_of_the_table_is_reported_before_a_function_or_a_request_times_out(table, listen, monkeypatch):
    tried = []
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)

    def broken(request, **_):
        tried.append(request)
        return AWSResponse(request.url, 500, {}, SimpleNamespace(stream=lambda **_: [b"{}"]))

    listen(jobs()._table.meta.client, "before-send.dynamodb", broken)
    with pytest.raises(StorageUnavailable):
        jobs().get("x")
    assert len(tried) == 3


# ---------------------------------------------------------------- settling


def arrived() -> bool:
    return True


def missing() -> bool:
    return False


def unasked() -> bool:
    pytest.fail("S3 was asked though the answer makes no difference")


def past(seconds: float) -> int:
    return int(time.time() - seconds)


def test_a_job_whose_photo_did_not_come_in_time_has_failed(table, add_job):
    job = jobs().get(add_job(upload_expires_at=past(2)))
    failed = jobs().fail_if_overdue(job, missing)
    assert (failed.status, failed.error["code"]) == (Status.FAILED, "UploadExpired")
    assert jobs().get(job.job_id) == failed


def test_a_job_whose_form_is_still_valid_is_not_failed(table, add_job):
    job = jobs().get(add_job())
    assert jobs().fail_if_overdue(job, unasked) == job


@pytest.mark.parametrize("arrived_for", [2, HOUR - 30])
def test_a_job_whose_photo_came_in_time_waits_for_its_execution(table, add_job, arrived_for):
    job = jobs().get(add_job(upload_expires_at=past(arrived_for)))
    assert jobs().fail_if_overdue(job, arrived) == job


def test_a_job_whose_photo_was_never_handed_over_has_failed(table, add_job):
    job = jobs().get(add_job(upload_expires_at=past(HOUR + 2)))
    failed = jobs().fail_if_overdue(job, arrived)
    assert (failed.status, failed.error["code"]) == (Status.FAILED, "InternalError")
    assert jobs().get(job.job_id) == failed


def test_without_a_photo_it_is_the_upload_that_was_late_however_long_ago(table, add_job):
    job = jobs().get(add_job(upload_expires_at=past(HOUR + 2)))
    assert jobs().fail_if_overdue(job, missing).error["code"] == "UploadExpired"


def test_a_job_working_since_the_last_moment_goes_on(table, add_job, claim):
    job = jobs().get(add_job(upload_expires_at=past(HOUR + 2)))

    def claimed_meanwhile():
        claim(job.job_id)
        return True

    assert jobs().fail_if_overdue(job, claimed_meanwhile).status is Status.PROCESSING


def test_a_job_claimed_just_before_it_would_be_failed_goes_on(table, add_job, claim):
    job = jobs().get(add_job(upload_expires_at=past(2)))

    def claimed_meanwhile():
        claim(job.job_id)
        return False

    assert jobs().fail_if_overdue(job, claimed_meanwhile).status is Status.PROCESSING


@pytest.fixture
def clock(monkeypatch):
    """Let the table tell this time."""
    now = 1_800_000_000
    monkeypatch.setattr("faceblur.jobs.table.time", SimpleNamespace(time=lambda: now))
    return now


@pytest.mark.parametrize("minutes", [15, 16])
def test_an_execution_that_took_its_quarter_of_an_hour_has_a_minute_to_report_it(table, add_job, clock, minutes):
    """EventBridge delivers the end of an execution within seconds. Until then only the event knows how it ended."""
    claimed = clock - minutes * 60
    job = jobs().get(add_job("PROCESSING", working_since=claimed, upload_expires_at=claimed, expires_at=clock + 1))
    assert jobs().fail_if_overdue(job, unasked) == job


def test_whoever_asks_after_that_minute_does_not_wait_for_a_lost_event(table, add_job, clock):
    job = jobs().get(add_job("PROCESSING", working_since=clock - 16 * 60 - 1, expires_at=clock + 1))
    failed = jobs().fail_if_overdue(job, unasked)
    assert (failed.status, failed.error["code"]) == (Status.FAILED, "TimedOut")


def test_a_job_completed_just_before_it_would_be_failed_stays_completed(table, add_job):
    job = jobs().get(add_job("PROCESSING", working_since=past(5_000)))
    jobs().complete(job.job_id, EXECUTION, OUTCOME, 0)
    assert jobs().fail_if_overdue(job, unasked).status is Status.COMPLETED


@pytest.mark.parametrize("status", FINISHED)
def test_a_finished_job_is_never_overdue(table, add_job, status):
    job = jobs().get(add_job(status, working_since=past(5_000), upload_expires_at=past(5_000)))
    assert jobs().fail_if_overdue(job, unasked) == job


def test_a_job_deleted_just_before_it_would_be_failed_is_not_found(table, add_job):
    job = jobs().get(add_job(upload_expires_at=past(2)))
    jobs().delete(job.job_id, "")
    with pytest.raises(JobNotFound):
        jobs().fail_if_overdue(job, missing)


# ---------------------------------------------------------------- deleting


@pytest.mark.parametrize("status", Status)
def test_deleting_a_job_in_any_state(table, add_job, row_of, status):
    job_id = add_job(status)
    assert jobs().delete(job_id, "")
    assert row_of(job_id) is None
    assert not jobs().delete(job_id, "")


# ---------------------------------------------------------------- owners


def test_a_job_is_seen_by_its_owner_alone(table):
    job = jobs().create(new_job_id(), OPTIONS, 300, "alice")
    assert jobs().get_owned(job.job_id, "alice") == job
    for other in ("bob", "", "Alice", "alice "):
        with pytest.raises(JobNotFound):
            jobs().get_owned(job.job_id, other)


def test_a_job_is_deleted_by_its_owner_alone(table, row_of):
    job = jobs().create(new_job_id(), OPTIONS, 300, "alice")
    for other in ("bob", ""):
        with pytest.raises(JobNotFound):
            jobs().delete(job.job_id, other)
    assert row_of(job.job_id)
    assert jobs().delete(job.job_id, "alice")


def test_a_job_of_an_earlier_release_that_knew_no_owners_is_deleted(table, add_job, row_of):
    job_id = add_job()
    assert "owner" not in row_of(job_id)
    with pytest.raises(JobNotFound):
        jobs().delete(job_id, "alice")
    assert jobs().delete(job_id, "")


def test_whether_the_original_is_kept(table, add_job):
    soon, past_it = int(time.time()) + 3600, int(time.time()) - 1
    assert jobs().get(add_job("COMPLETED", redo_until=soon)).keeps_original
    assert not jobs().get(add_job("COMPLETED", redo_until=past_it)).keeps_original
    assert not jobs().get(add_job("COMPLETED")).keeps_original
    assert not jobs().get(add_job("PROCESSING", redo_until=soon)).keeps_original


# ---------------------------------------------------------------- reviews and redos


def test_an_answer_lets_the_job_go_on_and_its_time_begins_anew(table, add_job, row_of):
    job_id = add_job("AWAITING_REVIEW", working_since=1_700_000_000)
    jobs().answer(job_id, jobs().get(job_id).review.token)
    job = jobs().get(job_id)
    assert (job.status, job.review) == (Status.PROCESSING, None)
    assert time.time() - job.working_since < 120
    assert "review_token" not in row_of(job_id)


@pytest.mark.parametrize("status", [*FINISHED, "PROCESSING", "AWAITING_UPLOAD"])
def test_an_answer_changes_nothing_if_the_job_has_gone_on(table, add_job, row_of, status):
    row = row_of(add_job(status))
    jobs().answer(row["job_id"], "token")
    assert row_of(row["job_id"]) == row


def test_an_answer_to_another_review_changes_nothing(table, add_job, row_of):
    row = row_of(add_job("AWAITING_REVIEW"))
    jobs().answer(row["job_id"], "another token")
    assert row_of(row["job_id"]) == row


def test_the_state_machine_records_an_answer_just_as_the_function_does(table, add_job, row_of, update):
    by_function, by_machine = add_job("AWAITING_REVIEW", "1" * 32), add_job("AWAITING_REVIEW", "2" * 32)
    jobs().answer(by_function, jobs().get(by_function).review.token)
    values = {
        "$job_id": by_machine,
        "$states.context.Execution.Id": execution_arn(by_machine),
        "$string($floor($millis() / 1000))": str(int(time.time())),
    }
    update("Record the answer", values=values)
    update("Record the answer", values=values)
    one, other = row_of(by_function), row_of(by_machine)
    assert (one.keys(), one["status"]) == (other.keys(), other["status"])


def test_a_review_that_nobody_answers_is_over_a_minute_after_its_end(table, add_job, clock):
    row = {"working_since": clock - 5_000, "expires_at": clock + 1}
    waiting = jobs().get(add_job("AWAITING_REVIEW", **row, review_expires_at=clock - 60))
    assert jobs().fail_if_overdue(waiting, unasked) == waiting
    late = jobs().get(add_job("AWAITING_REVIEW", **row, review_expires_at=clock - 61))
    assert jobs().fail_if_overdue(late, unasked).error["code"] == "ReviewExpired"


REDO = f"{EXECUTION}-1"


@pytest.fixture
def redone(table, add_job, row_of):
    """A completed job that is being done again."""
    job_id = add_job("COMPLETED", detect_at=NOW, finished_at=NOW, error={"code": "TimedOut", "message": "Too long."})
    jobs().redo(jobs().get(job_id), OPTIONS | {"style": "solid"}, REDO)
    return job_id


def test_a_redo_hands_the_job_to_another_execution_which_claims_it(redone, claim):
    job = jobs().get(redone)
    assert (job.status, job.execution, job.redos) == (Status.PROCESSING, REDO, 1)
    assert (job.options["style"], job.progress, job.error) == ("solid", {}, None)
    assert jobs().count_failure(redone, REDO) is None
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        claim(redone, EXECUTION)
    claim(redone, REDO)
    assert jobs().get(redone).outcome["hidden"] == faces(1)


def test_a_job_is_done_again_once_at_a_time(redone, add_job):
    job = jobs().get(redone)
    with pytest.raises(JobNotFinished):
        jobs().redo(job, OPTIONS, f"{EXECUTION}-2")
    assert jobs().get(redone) == job


@pytest.mark.parametrize("status", ["AWAITING_UPLOAD", "PROCESSING", "AWAITING_REVIEW", "FAILED"])
def test_only_a_completed_job_is_done_again(table, add_job, row_of, status):
    row = row_of(add_job(status))
    with pytest.raises(JobNotFinished):
        jobs().redo(jobs().get(row["job_id"]), OPTIONS, REDO)
    assert row_of(row["job_id"]) == row


@pytest.mark.parametrize("by", ["function", "machine"])
def test_a_redo_that_fails_leaves_the_job_completed_and_cannot_complete_it_later(redone, record_failure, by):
    if by == "function":
        assert jobs().fail(redone, TimedOut(), REDO)
    else:
        record_failure(redone, TimedOut(), REDO)
    job = jobs().get(redone)
    assert (job.status, job.error["code"], job.outcome["hidden"]) == (Status.COMPLETED, "TimedOut", faces(1))
    with pytest.raises(JobNotFound):
        jobs().complete(redone, REDO, OUTCOME, 0)
    assert jobs().get(redone) == job


def test_an_earlier_execution_neither_fails_nor_completes_a_job_that_is_done_again(redone, record_failure):
    job = jobs().get(redone)
    assert not jobs().fail(redone, TimedOut(), EXECUTION)
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        record_failure(redone, TimedOut(), EXECUTION)
    with pytest.raises(JobNotFound):
        jobs().complete(redone, EXECUTION, OUTCOME, 0)
    assert jobs().get(redone) == job


def test_a_redo_whose_execution_was_never_heard_of_leaves_the_job_completed(redone, monkeypatch):
    later = time.time() + 16 * 60 + 5
    monkeypatch.setattr("faceblur.jobs.table.time", SimpleNamespace(time=lambda: later))
    job = jobs().fail_if_overdue(jobs().get(redone), unasked)
    assert (job.status, job.error["code"]) == (Status.COMPLETED, "TimedOut")


def test_a_job_can_be_done_again_until_it_expires_at_most(table, add_job):
    job = jobs().get(add_job("COMPLETED", redo_until=int(time.time()) + 90_000))
    assert job.redo_until == job.expires_at
