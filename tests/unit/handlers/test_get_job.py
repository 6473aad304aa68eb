from __future__ import annotations

import json
import time
from urllib.parse import parse_qs, urlsplit

import pytest

from faceblur.errors import JobNotFound
from faceblur.geometry import Box
from faceblur.jobs.storage import Photos
from faceblur.jobs.table import jobs
from faceblur.observability import digest_of_id
from get_job.app import handler
from tests.support.api_contract import assert_documented
from tests.support.counts import faces

JOB_ID = "0f8fad5bd9cb469fa16570867728950e"
BUCKET = "faceblur-photos-123456789012-eu-central-1"
OUTCOME = {
    "hidden": {"face": 2, "plate": 0, "text": 0},
    "missed_at_first": 1,
    "check_rounds": 2,
    "kept": {"face": 0, "plate": 0, "text": 0},
    "reviewed": False,
    "warnings": [],
    "boxes": {"key": f"boxes/{JOB_ID}.8d1f0c2b9a7e6543.json", "count": 2},
    "receipt": f"receipts/{JOB_ID}.json",
    "result": {
        "key": f"results/{JOB_ID}.9c56cc51b374c3ba.jpg",
        "content_type": "image/jpeg",
        "bytes": 198_212,
        "width": 1024,
        "height": 768,
        "stripped": ["EXIF"],
        "kept_metadata": ["credit"],
    },
}


@pytest.fixture
def get(event, context, s3, table):
    """Ask how a job stands; gives the status and the body, which must be as the API's description says."""

    def call(**changes):
        response = handler(event("get_job") | changes, context)
        body = json.loads(response["body"])
        assert_documented("GET", "/jobs/{job_id}", response["statusCode"], body)
        return response["statusCode"], body

    return call


@pytest.mark.parametrize("status", ["AWAITING_UPLOAD", "PROCESSING"])
def test_an_unfinished_job(get, add_job, status):
    job = jobs().get(add_job(status, created_at=1_748_779_200, expires_at=4_102_444_800))
    assert get() == (
        200,
        {
            "job_id": JOB_ID,
            "status": status,
            "options": job.options,
            "created_at": "2025-06-01T12:00:00Z",
            "expires_at": "2100-01-01T00:00:00Z",
            "progress": {},
        },
    )


def test_the_stages_of_a_job(get, add_job):
    add_job("PROCESSING", detect_at="2025-06-01T12:00:09.412Z", hide_at="2025-06-01T12:00:09.968Z")
    _, body = get()
    assert body["progress"] == {"detect": "2025-06-01T12:00:09.412Z", "hide": "2025-06-01T12:00:09.968Z"}


def test_a_completed_job_has_a_link_to_its_result(get, add_job):
    add_job("COMPLETED", outcome=OUTCOME)
    status, body = get()
    assert (status, body["status"]) == (200, "COMPLETED")
    assert (body["hidden"], body["missed_at_first"], body["check_rounds"], body["warnings"]) == (faces(2), 1, 2, [])
    link = urlsplit(body["result"].pop("url"))
    assert (link.path, "X-Amz-Signature=" in link.query) == (f"/{OUTCOME['result']['key']}", True)
    described = {name: value for name, value in OUTCOME["result"].items() if name != "key"}
    assert body["result"] == described


def test_a_completed_job_has_a_link_to_its_receipt_and_nothing_else_about_it(get, add_job, s3):
    add_job("COMPLETED", outcome=OUTCOME)
    receipt = get()[1]["receipt"]
    link = urlsplit(receipt.pop("url"))
    assert receipt == {}
    assert (link.path, "X-Amz-Signature=" in link.query) == (f"/receipts/{JOB_ID}.json", True)
    assert parse_qs(link.query)["X-Amz-Expires"] == ["300"]


@pytest.mark.parametrize("status", ["AWAITING_UPLOAD", "PROCESSING", "FAILED"])
def test_only_a_completed_job_has_links(get, add_job, s3, monkeypatch, status):
    """Not even if there is a draft already."""

    def never(self, key):
        pytest.fail(f"a link to {key} was made")

    monkeypatch.setattr(Photos, "link", never)
    for key in (OUTCOME["result"]["key"], OUTCOME["receipt"]):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"draft")
    error = {"error": {"code": "TimedOut", "message": "Too long."}} if status == "FAILED" else {}
    add_job(status, **error)
    body = get()[1]
    assert body["status"] == status
    assert not body.keys() & {"result", "receipt", "hidden", "warnings"}


def test_a_failed_job_says_why_and_has_no_link(get, add_job):
    error = {"code": "CorruptImage", "message": "This photo is damaged."}
    add_job("FAILED", error=error)
    status, body = get()
    assert (status, body["status"], body["error"]) == (200, "FAILED", error)
    assert not body.keys() & {"result", "receipt"}


def test_a_job_whose_photo_did_not_come_in_time(get, add_job):
    add_job(upload_expires_at=int(time.time()) - 2)
    status, body = get()
    assert (status, body["status"], body["error"]["code"]) == (200, "FAILED", "UploadExpired")


def test_a_job_whose_photo_came_just_in_time(get, add_job, s3):
    s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=b"photo")
    add_job(upload_expires_at=int(time.time()) - 2)
    assert get()[1]["status"] == "AWAITING_UPLOAD"


def test_a_job_whose_photo_was_never_handed_over(get, add_job, s3):
    s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=b"photo")
    add_job(upload_expires_at=int(time.time()) - 60 * 60 - 2)
    status, body = get()
    assert (status, body["status"], body["error"]["code"]) == (200, "FAILED", "InternalError")


def test_a_job_whose_execution_was_never_heard_of_again(get, add_job):
    add_job("PROCESSING", working_since=int(time.time()) - 5_000)
    assert get()[1]["error"]["code"] == "TimedOut"


def test_an_unknown_job(get):
    assert get()[0] == 404


def test_an_expired_job(get, add_job):
    add_job("COMPLETED", outcome=OUTCOME, expires_at=int(time.time()) - 1)
    assert get()[0] == 404


@pytest.mark.parametrize(
    "job_id", ["x", JOB_ID.upper(), JOB_ID + "0", JOB_ID[:-1], "%2e%2e%2f", "-" * 32, "\x84", "\0", "😀", "a/b"]
)
def test_malformed_job_ids_are_refused(get, job_id):
    status, body = get(path=f"/jobs/{job_id}")
    assert (status, body["code"]) == (404, "JobNotFound")


def test_what_is_unforeseen_shows_nothing_of_its_insides(get, table, output):
    table.delete()
    status, body = get()
    assert (status, body["code"]) == (500, "InternalError")
    assert "ResourceNotFoundException" not in json.dumps(body)
    assert output.logs[-1]["correlation_id"] == digest_of_id(JOB_ID)


def test_the_log_does_not_hold_the_links(get, add_job, output):
    add_job("COMPLETED", outcome=OUTCOME)
    body = get()[1]
    assert all("X-Amz-Signature" in body[linked]["url"] for linked in ("result", "receipt"))
    assert not [word for word in ("X-Amz", "results/", "receipts/") if word in output.text]


def test_a_job_is_shown_to_its_owner_alone(get, add_job, signed_in):
    add_job("COMPLETED", owner="alice", outcome=OUTCOME)
    status, body = get(**signed_in("bob"))
    assert (status, body["code"]) == (404, "JobNotFound")
    for authorizer in ({}, None):
        status, body = get(requestContext={"authorizer": authorizer})
        assert (status, body["code"]) == (401, "NotSignedIn")
    assert get(**signed_in("alice"))[0] == 200


def test_somebodys_job_stays_theirs_when_sign_in_is_turned_off(get, add_job):
    add_job("COMPLETED", owner="alice", outcome=OUTCOME)
    assert get()[0] == 404


@pytest.mark.parametrize("job_id", [f"{JOB_ID}\0", f"/{JOB_ID}", "\ufffd", f"uploads/{JOB_ID}", ""])
def test_a_malformed_id_belongs_to_no_job(get, add_job, job_id):
    add_job()
    status, body = get(path=f"/jobs/{job_id}")
    assert (status, body["code"]) == (404, "JobNotFound")


# ---------------------------------------------------------------- reviews and redos


def test_a_job_in_review_shows_its_boxes_and_a_link_to_its_preview_and_never_its_token(get, add_job, store, output):
    boxes = store((Box(0.1, 0.2, 0.3, 0.4, 86.1, "embedded"), 0))
    add_job("AWAITING_REVIEW", review_boxes=json.dumps(boxes), review_expires_at=4_102_444_800)
    status, body = get()
    assert (status, body["status"]) == (200, "AWAITING_REVIEW")
    review = body["review"]
    assert review["expires_at"] == "2100-01-01T00:00:00Z"
    assert [(box["id"], box["left"], box["hidden"]) for box in review["boxes"]] == [(1, 0.1, True)]
    assert (review["preview"]["width"], review["preview"]["height"]) == (1024, 768)
    link = urlsplit(review["preview"]["url"])
    assert (link.path, "X-Amz-Signature=" in link.query) == (f"/previews/{JOB_ID}.51b374c3ba9c56cc.jpg", True)
    assert "AQCEAAAAKgAAAAMAAAAA" not in json.dumps(body) + output.text


def test_a_job_whose_review_was_answered_while_it_was_read(get, add_job, monkeypatch):
    add_job("AWAITING_REVIEW")

    def gone(self, key):
        add_job("COMPLETED")
        raise JobNotFound

    monkeypatch.setattr(Photos, "read_json", gone)
    assert get()[1]["status"] == "COMPLETED"


def test_a_review_that_nobody_answered_and_of_whose_end_nothing_was_heard(get, add_job, s3):
    add_job("AWAITING_REVIEW", review_expires_at=int(time.time()) - 120)
    assert get()[1]["error"]["code"] == "ReviewExpired"


def test_a_job_that_is_done_again_keeps_its_last_result_meanwhile(get, add_job):
    add_job("PROCESSING", outcome=json.dumps(OUTCOME))
    body = get()[1]
    assert urlsplit(body["result"]["url"]).path == f"/{OUTCOME['result']['key']}"
    assert "hidden" not in body


def test_a_redo_that_failed_says_why_beside_the_last_result(get, add_job):
    error = {"code": "TimedOut", "message": "Too long."}
    options = jobs().get(add_job()).options
    add_job("COMPLETED", error=error, options={"style": "solid"}, outcome={"options": options})
    body = get()[1]
    assert (body["status"], body["redo_error"], body["options"]) == ("COMPLETED", error, options)
    assert "error" not in body


@pytest.mark.parametrize(("hours", "shown"), [(1, True), (-1, False)])
def test_until_when_a_job_can_be_done_again(get, add_job, hours, shown):
    add_job("COMPLETED", redo_until=int(time.time()) + hours * 3600)
    assert ("redo_until" in get()[1]) is shown
