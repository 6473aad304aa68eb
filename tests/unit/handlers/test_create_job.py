from __future__ import annotations

import json
import re
from datetime import datetime

import pytest

from create_job.app import handler
from faceblur import prices
from faceblur.jobs import budget as budget_module
from faceblur.jobs.budget import budget
from faceblur.jobs.decisions import load_decision
from faceblur.jobs.storage import Photos, photos
from faceblur.jobs.table import jobs
from faceblur.observability import digest_of_id
from faceblur.options import JobOptions
from tests.support.api_contract import assert_documented


@pytest.fixture
def create(event, context):
    """Ask for a job; gives the status and the body, which must be as the API's description says."""

    def call(**changes):
        response = handler(event("create_job") | changes, context)
        body = json.loads(response["body"])
        assert_documented("POST", "/jobs", response["statusCode"], body)
        return response["statusCode"], body

    return call


def test_a_new_job_waits_for_its_photo(create, s3, table):
    status, body = create()
    assert status == 201
    job = jobs().get(body["job_id"])
    assert job.status == body["status"] == "AWAITING_UPLOAD"
    assert job.options == body["options"] == JobOptions(style="pixelate", padding=0.3).model_dump()


def test_the_form_is_for_this_job_and_says_how_long_and_how_large(create, s3, table):
    _, body = create()
    upload = body["upload"]
    assert upload["fields"]["key"] == f"uploads/{body['job_id']}"
    assert upload["max_bytes"] == 35_000_000
    expires = datetime.fromisoformat(upload["expires_at"]).timestamp()
    assert expires == jobs().get(body["job_id"]).upload_expires_at


def test_how_long_the_form_is_valid_is_a_setting(create, s3, table, monkeypatch):
    monkeypatch.setenv("UPLOAD_SECONDS", "7")
    _, body = create()
    job = jobs().get(body["job_id"])
    assert job.upload_expires_at == job.created_at + 7


@pytest.mark.parametrize("body", [None, "", "{}"])
def test_without_options_all_defaults(create, s3, table, body):
    status, answer = create(body=body)
    assert (status, answer["options"]) == (201, JobOptions().model_dump())


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("{", "JSON"),
        ("[]", "object"),
        ('{"padding": 9}', "padding"),
        ('{"colour": 1}', "colour"),
        ('{"color": "red"}', "color"),
    ],
)
def test_invalid_options_are_refused_and_leave_no_job(create, s3, table, body, says):
    status, answer = create(body=body)
    assert (status, answer["code"]) == (400, "InvalidOptions")
    assert says in answer["message"]
    assert table.scan()["Items"] == []


def test_the_row_names_the_decision_that_came_with_the_job(create, s3, table, row_of):
    _, body = create(body=json.dumps({"hide": [{"left": 0.1, "top": 0.2, "width": 0.3, "height": 0.4}]}))
    key = row_of(body["job_id"])["decision"]
    assert re.fullmatch(rf"boxes/{body['job_id']}\.[0-9a-f]{{16}}\.decision\.json", key)
    assert [choice.place.left for choice in load_decision(key, photos()).hide] == [0.1]


def test_a_job_without_a_decision_names_none(create, s3, table, row_of, keys):
    _, body = create()
    assert "decision" not in row_of(body["job_id"])
    assert keys() == set()


def test_the_row_exists_before_the_form_does(create, s3, table, monkeypatch):
    sign = Photos.upload_form

    def row_first(self, job_id, seconds):
        assert jobs().get(job_id).status == "AWAITING_UPLOAD"
        return sign(self, job_id, seconds)

    monkeypatch.setattr(Photos, "upload_form", row_first)
    assert create()[0] == 201


def test_what_is_unforeseen_shows_nothing_of_its_insides(create, s3, output):
    status, body = create()  # there is no table
    assert (status, body["code"]) == (500, "InternalError")
    assert "ResourceNotFoundException" not in json.dumps(body)
    assert "ResourceNotFoundException" in output.logs[-1]["exception"]


@pytest.mark.parametrize("body", ["{}", "{"])
def test_answers_are_not_cached_and_readable_by_the_page_alone(event, context, s3, table, body):
    headers = handler(event("create_job") | {"body": body}, context)["multiValueHeaders"]
    assert headers["Cache-Control"] == ["no-store"]
    assert headers["Access-Control-Allow-Origin"] == ["https://photos.example.org"]
    assert headers["Content-Type"] == ["application/json"]


def test_the_log_is_about_the_job_and_does_not_hold_its_form(create, s3, table, output):
    _, body = create()
    assert [(line["message"], line["correlation_id"]) for line in output.logs] == [
        ("job created", digest_of_id(body["job_id"]))
    ]
    fields = body["upload"]["fields"]
    assert not [secret for secret in ("policy", "x-amz-signature") if fields[secret] in output.text]
    assert not re.search(r"X-Amz|https?://", output.text, re.IGNORECASE)


def test_a_job_belongs_to_the_user_who_created_it(create, s3, table, signed_in):
    _, body = create(**signed_in("alice"))
    assert jobs().get(body["job_id"]).owner == "alice"


@pytest.mark.parametrize("asked", [{}, {"authorizer": None}, {"authorizer": {}}, {"authorizer": {"owner": ""}}])
def test_with_sign_in_nobody_is_answered_whom_no_authorizer_has_seen(create, s3, table, signed_in, asked):
    status, body = create(requestContext=asked, body="{")
    assert (status, body["code"]) == (401, "NotSignedIn")
    assert table.scan()["Items"] == []


def test_without_sign_in_a_job_is_nobodys_whatever_a_request_says(create, s3, table, row_of):
    _, body = create(requestContext={"authorizer": {"owner": "alice"}})
    assert "owner" not in row_of(body["job_id"])


# ---------------------------------------------------------------- who pays

VIEWER, FRONT = "x-faceblur-viewer", "x-faceblur-front"
SECRET = "51af3dc0-da77-11e4-872e-1234567db123"


@pytest.fixture
def client(create, event, row_of, table, s3, monkeypatch):
    """The client of a job that this request creates."""
    monkeypatch.setenv("DOLLARS_A_DAY", "5")

    def of(source="192.0.2.10", headers=None):
        context = event("create_job")["requestContext"] | {"identity": {"sourceIp": source}}
        status, body = create(requestContext=context, headers=headers or {})
        assert status == 201
        return row_of(body["job_id"])["client"]

    return of


def test_jobs_without_photos_cost_nothing_of_the_day(create, s3, table, monkeypatch):
    for limit in ("DOLLARS_A_DAY", "DOLLARS_A_DAY_PER_CLIENT"):
        monkeypatch.setenv(limit, str((prices.JOB + prices.WORK) / prices.A_DOLLAR))
    assert [create()[0] for _ in range(20)] == [201] * 20
    assert not [row for row in table.scan()["Items"] if "spent" in row]


def test_no_job_is_created_that_would_have_to_stop_in_the_middle(create, s3, table, monkeypatch):
    monkeypatch.setenv("DOLLARS_A_DAY", str((prices.JOB + prices.WORK - 1) / prices.A_DOLLAR))
    assert create()[1]["code"] == "BudgetSpent"


def test_no_job_is_created_for_which_no_money_is_left(create, event, context, s3, table, monkeypatch, output):
    monkeypatch.setenv("DOLLARS_A_DAY", "1")
    monkeypatch.setenv("DOLLARS_A_DAY_PER_CLIENT", "0")
    budget().take("", 1_000_000)
    status, body = create()
    assert (status, body["code"]) == (429, "BudgetSpent")
    assert not [row for row in table.scan()["Items"] if "status" in row]
    assert [(metric["JobsRefused"], metric["limit"]) for metric in output.metrics] == [(1, "day")]
    refused = handler(event("create_job"), context)
    headers = refused["multiValueHeaders"]
    assert 1 <= int(headers["Retry-After"][0]) <= 24 * 60 * 60
    assert headers["Access-Control-Expose-Headers"] == ["Retry-After"], "else a page of another origin cannot read it"


def test_one_client_does_not_close_the_service_to_others(create, event, s3, table, client, row_of, monkeypatch, output):
    budget().take(client("192.0.2.10"), 1_000_000)  # a fifth of five dollars
    assert create()[1]["code"] == "BudgetSpent"
    assert [metric["limit"] for metric in output.metrics] == ["client"]
    assert client("192.0.2.11")


def test_a_client_is_an_address_that_nobody_can_read(client, table):
    assert re.fullmatch(r"[0-9a-f]{32}", client())
    assert client() == client()
    assert client("192.0.2.10") != client("192.0.2.11")
    assert "192.0.2" not in json.dumps(table.scan()["Items"], default=str)


def test_a_client_has_another_pseudonym_where_the_key_is_another(client, table):
    today = client()
    for row in table.scan()["Items"]:
        table.delete_item(Key={"job_id": row["job_id"]})
    budget_module.budget.cache_clear()
    assert client() != today


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::2", True),
        ("2001:db8:1:2::1", "2001:db8:1:ffff::1", True),
        ("2001:db8:1:2::1", "2001:db8:2:2::1", False),
        ("::ffff:192.0.2.10", "192.0.2.10", True),
        ("", "unknown", False),
    ],
)
def test_who_has_one_address_of_a_network_has_them_all(client, one, other, same):
    assert (client(one) == client(other)) is same


@pytest.mark.parametrize(
    "forged",
    [
        {"X-Forwarded-For": "198.51.100.1"},
        {VIEWER: "198.51.100.1"},
        {VIEWER: "198.51.100.1", FRONT: ""},
        {VIEWER: "198.51.100.1", FRONT: "guess"},
        {"X-Faceblur-Viewer": "198.51.100.1", "X-Faceblur-Front": SECRET[:-1]},
    ],
)
def test_a_header_that_anybody_can_send_does_not_change_the_client(client, forged):
    assert client(headers=forged) == client()


def test_through_cloudfront_the_client_is_the_viewer(client):
    seen = client("203.0.113.9", {"X-Faceblur-Viewer": "192.0.2.10", "X-Faceblur-Front": SECRET})
    assert seen == client("192.0.2.10")


def test_through_cloudfront_the_client_is_the_network_of_the_viewer(client):
    seen = client("203.0.113.9", {"X-Faceblur-Viewer": "2001:db8:1::", "X-Faceblur-Front": SECRET})
    assert seen == client("2001:db8:1:2::1")


def test_a_person_who_signed_in_is_one_client_at_every_address(create, s3, table, signed_in, monkeypatch):
    monkeypatch.setenv("DOLLARS_A_DAY", "5")
    _, body = create(**signed_in("alice"))
    assert jobs().get(body["job_id"]).client == "alice"


def test_without_a_limit_nothing_is_written_about_a_client(create, s3, table, row_of):
    _, body = create()
    assert [row["job_id"] for row in table.scan()["Items"]] == [body["job_id"]]
    assert "client" not in row_of(body["job_id"])
