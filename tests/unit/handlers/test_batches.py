"""The functions of batches: what the API answers, and what the tasks of a batch give and count."""

from __future__ import annotations

import json
import time

import pytest

from create_batch.app import handler as create_batch
from delete_batch.app import handler as delete_batch
from deliver_photo.app import handler as deliver_photo
from faceblur.jobs.batch_runs import BatchMachine
from faceblur.jobs.batches import batches, photo_id
from faceblur.jobs.table import jobs
from get_batch.app import handler as get_batch
from prepare_photo.app import handler as prepare_photo
from tests.support.api_contract import assert_documented
from write_report.app import handler as write_report

BUCKET = "faceblur-photos-123456789012-eu-central-1"
ID = "6ba7b8109dad41d180b400c04fd430c8"
MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:faceblur-hide-batch"
OWN = {"source": {"bucket": "our-photos", "prefix": "in/2025/"}, "target": {"bucket": "our-hidden-photos"}}
COUNTS = {"photos": 2, "waiting": 0, "running": 0, "hidden": 1, "failed": 1}


@pytest.fixture
def machine(states, monkeypatch):
    """The state machine of batches, whose maps have counted so. Gives the inputs of its executions by their names."""
    states.create_state_machine(
        name="faceblur-hide-batch",
        roleArn="arn:aws:iam::123456789012:role/hide-batch",
        definition='{"StartAt": "Wait", "States": {"Wait": {"Type": "Succeed"}}}',
    )
    monkeypatch.setattr(BatchMachine, "counts", lambda *_: dict(COUNTS))

    def started():
        listed = states.list_executions(stateMachineArn=MACHINE)["executions"]
        told = [states.describe_execution(executionArn=execution["executionArn"]) for execution in listed]
        return {execution["name"]: json.loads(execution["input"]) for execution in told}

    return started


@pytest.fixture
def api(event, context, s3, table, machine):
    """Ask the API; gives the status and the body, which is as it is described."""

    def ask(method, path, fields=None, **changes):
        handler, name = {"GET": (get_batch, "get_batch"), "DELETE": (delete_batch, "delete_batch")}.get(
            method, (create_batch, "create_batch")
        )
        request = event(name) | changes
        request |= {"path": path, "body": None if fields is None else json.dumps(fields)}
        request["httpMethod"] = method
        answer = handler(request, context)
        body = json.loads(answer["body"]) if answer["body"] else None
        parts = path.split("/")
        described = "/".join(["", "batches", *["{batch_id}"][: len(parts) - 2], *parts[3:]])
        assert_documented(method, described, answer["statusCode"], body)
        return answer["statusCode"], body

    return ask


@pytest.fixture
def create(api, monkeypatch):
    """Create a batch; the operator lets everybody name the customer's buckets."""
    monkeypatch.setenv("BUCKETS_WITHOUT_SIGN_IN", "yes")

    def call(**fields):
        status, body = api("POST", "/batches", fields)
        assert status == 201, body
        return body

    return call


# ---------------------------------------------------------------- the API


def test_a_batch_of_uploads_waits_for_its_photos(create, machine):
    batch = create(style="solid", tolerated_failures=10)
    assert (batch["status"], batch["options"]["style"], batch["tolerated_failures"]) == ("AWAITING_PHOTOS", "solid", 10)
    assert batch["upload"]["fields"]["key"] == f"batches/{batch['batch_id']}/in/${{filename}}"
    assert machine() == {}


def test_a_batch_from_a_bucket_starts_at_once(create, machine):
    batch = create(**OWN, receipts=True)
    assert (batch["status"], "upload" in batch) == ("RUNNING", False)
    assert batch["target"] == {"bucket": "our-hidden-photos", "prefix": "out/"}
    assert machine() == {
        f"{batch['batch_id']}-1": {
            "batch_id": batch["batch_id"],
            "source": {"bucket": "our-photos", "prefix": "in/2025/", "kind": "prefix", "list": ""},
            "results": f"batches/{batch['batch_id']}/map",
            "at_once": 40,
            "tolerated": 50.0,
        }
    }


@pytest.mark.parametrize("kind", ["csv", "manifest"])
def test_a_source_may_be_a_list(create, machine, kind):
    batch = create(source={"bucket": "our-photos", kind: "in/list"})
    assert batch["target"] == {"bucket": "our-hidden-photos", "prefix": "out/"}
    assert batch["source"] == {"bucket": "our-photos", "prefix": "in/", kind: "in/list"}
    (given,) = machine().values()
    assert (given["source"]["kind"], given["source"]["list"]) == (kind, "in/list")


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"review": "always"}, 400, "InvalidOptions"),
        ({"keep_original": 1}, 400, "InvalidOptions"),
        ({"style": "none"}, 400, "InvalidOptions"),
        ({"tolerated_failures": 101}, 400, "InvalidOptions"),
        ({"source": None}, 400, "InvalidOptions"),
        ({"source": {"bucket": "our-photos", "csv": "in/a", "manifest": "in/b"}}, 400, "InvalidOptions"),
        ({"source": {"bucket": "theirs"}}, 403, "SourceNotAllowed"),
        ({"source": {"bucket": "our-photos", "prefix": "other/"}}, 403, "SourceNotAllowed"),
        ({"source": {"bucket": "our-photos", "csv": "other/list"}}, 403, "SourceNotAllowed"),
        ({"target": {"bucket": "our-photos"}}, 403, "SourceNotAllowed"),
        ({"target": {"bucket": "our-hidden-photos", "prefix": ""}}, 403, "SourceNotAllowed"),
    ],
)
def test_a_batch_that_is_not_valid_or_not_allowed_is_refused(api, machine, monkeypatch, fields, status, code):
    monkeypatch.setenv("BUCKETS_WITHOUT_SIGN_IN", "yes")
    answered, body = api("POST", "/batches", fields)
    assert (answered, body["code"], machine()) == (status, code, {})


@pytest.mark.parametrize("missing", ["SOURCE_BUCKET", "TARGET_BUCKET"])
def test_a_deployment_without_both_buckets_allows_no_source(api, machine, monkeypatch, missing):
    monkeypatch.setenv("BUCKETS_WITHOUT_SIGN_IN", "yes")
    monkeypatch.setenv(missing, "")
    assert api("POST", "/batches", {"source": {"bucket": "our-photos"}})[1]["code"] == "SourceNotAllowed"
    assert machine() == {}


with_buckets = pytest.mark.parametrize("fields", [OWN, {"source": OWN["source"]}, {"target": OWN["target"]}])


@with_buckets
def test_strangers_may_not_name_buckets_unless_the_operator_says_so(api, machine, monkeypatch, fields):
    status, body = api("POST", "/batches", fields | {"min_confidence": 100})
    assert (status, body["code"], machine()) == (403, "SourceNotAllowed", {})
    assert api("POST", "/batches", {})[0] == 201
    monkeypatch.setenv("BUCKETS_WITHOUT_SIGN_IN", "yes")
    assert api("POST", "/batches", fields)[0] == 201


@with_buckets
def test_who_has_signed_in_may_name_buckets(api, machine, signed_in, fields):
    assert api("POST", "/batches", fields)[0] == 401
    assert api("POST", "/batches", fields, **signed_in("alice"))[0] == 201


def test_a_batch_is_refused_when_the_money_is_spent(api, monkeypatch):
    monkeypatch.setenv("DOLLARS_A_DAY", "0.0001")
    assert api("POST", "/batches", {})[1]["code"] == "BudgetSpent"


def test_a_batch_is_started_once_and_gives_no_form_while_it_runs(create, api, machine):
    batch_id = create()["batch_id"]
    assert api("POST", f"/batches/{batch_id}/form")[0] == 200
    assert api("POST", f"/batches/{batch_id}/start")[0] == 202
    assert api("POST", f"/batches/{batch_id}/start")[1]["code"] == "BatchNotReady"
    assert api("POST", f"/batches/{batch_id}/form")[1]["code"] == "BatchNotReady"
    assert list(machine()) == [f"{batch_id}-1"]


def test_a_batch_that_runs_shows_its_counts(create, api):
    batch_id = create(**OWN)["batch_id"]
    status, body = api("GET", f"/batches/{batch_id}")
    assert (status, body["status"], body["counts"]) == (200, "RUNNING", COUNTS)


def test_a_batch_that_was_never_started_has_no_counts(create, api):
    body = api("GET", f"/batches/{create()['batch_id']}")[1]
    assert (body["status"], "counts" in body, "report" in body) == ("AWAITING_PHOTOS", False, False)


@pytest.mark.parametrize("batch_id", [ID, "no-id"])
@pytest.mark.parametrize(("method", "more"), [("GET", ""), ("DELETE", ""), ("POST", "/start"), ("POST", "/form")])
def test_a_batch_that_does_not_exist_is_not_found(api, method, more, batch_id):
    status, body = api(method, f"/batches/{batch_id}{more}")
    assert (status, body["code"]) == (404, "BatchNotFound")


def test_a_batch_does_not_exist_for_others(api, signed_in):
    _, body = api("POST", "/batches", {}, **signed_in("alice"))
    path = f"/batches/{body['batch_id']}"
    assert api("GET", path, **signed_in("alice"))[0] == 200
    for method, more in (("GET", ""), ("DELETE", ""), ("POST", "/start"), ("POST", "/form")):
        assert api(method, path + more, **signed_in("bob"))[0] == 404


def test_a_deleted_batch_is_stopped_and_erased(create, api, s3, states, keys):
    batch_id = create(**OWN)["batch_id"]
    s3.put_object(Bucket=BUCKET, Key=f"batches/{batch_id}/in/photo.jpg", Body=b"photo")
    assert api("DELETE", f"/batches/{batch_id}") == (204, None)
    assert keys() == set()
    (execution,) = states.list_executions(stateMachineArn=MACHINE)["executions"]
    assert execution["status"] == "ABORTED"
    assert api("GET", f"/batches/{batch_id}")[0] == 404


# ---------------------------------------------------------------- the tasks


@pytest.fixture
def photo(create, api):
    """A photo of a batch that runs, as its task is told."""
    batch_id = create()["batch_id"]
    api("POST", f"/batches/{batch_id}/start")
    key = f"batches/{batch_id}/in/photo.jpg"
    return {"id": f"{batch_id}-1", "batch_id": batch_id, "encoded": False, "detail": {"object": {"key": key}}}


def failures(output):
    return [line["code"] for line in output.metrics if "JobsFailed" in line]


def test_a_photo_is_prepared_and_one_that_is_missing_is_counted(photo, context, s3, output):
    with pytest.raises(Exception, match="replaced or removed"):
        prepare_photo({"photo": photo}, context)
    assert failures(output) == ["UploadReplaced"]
    other = photo | {"detail": {"object": {"key": photo["detail"]["object"]["key"] + "2"}}}
    s3.put_object(Bucket=BUCKET, Key=other["detail"]["object"]["key"], Body=b"photo")
    job_id = prepare_photo({"photo": other}, context)["job_id"]
    assert jobs().get(job_id).status == "AWAITING_UPLOAD"


def test_a_failure_that_no_job_has_is_counted(photo, context, add_job, output):
    assert deliver_photo({"photo": photo, "error": "AccessDenied"}, context) == {"code": "InternalError"}
    assert failures(output) == ["InternalError"]
    add_job("FAILED", photo_id(photo["id"], photo["detail"]["object"]["key"]), error={"code": "CorruptImage"})
    assert deliver_photo({"photo": photo, "error": "CorruptImage"}, context) == {"code": "CorruptImage"}
    assert failures(output) == ["InternalError"]


def test_a_report_gives_the_code_of_the_end(photo, context, output):
    execution = batches().get(photo["batch_id"]).execution
    assert write_report({"executionArn": execution, "status": "SUCCEEDED", "error": ""}, context) == {"code": ""}
    event = {"executionArn": execution, "status": "ABORTED", "name": photo["id"], "startDate": int(time.time())}
    assert write_report(event, context) == {"code": "Aborted"}


def test_a_batch_fails_whose_execution_has_stopped_without_a_report(photo, context):
    execution = batches().get(photo["batch_id"]).execution
    stopped = {"executionArn": execution, "status": "FAILED", "stopDate": int(time.time())}
    for _ in range(2):
        assert write_report(stopped, context) == {"code": "InternalError"}
    batch = batches().get(photo["batch_id"])
    # There is no report: to write it is what went wrong.
    assert (batch.status, batch.error["code"], batch.outcome) == ("FAILED", "InternalError", {})


def test_there_is_no_report_about_a_deleted_batch(context, s3, table, machine, event):
    assert write_report(event("write_report"), context) == {"code": ""}
