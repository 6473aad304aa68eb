from __future__ import annotations

import json

import pytest

from faceblur.errors import InternalError, JobNotFound, ReviewClosed
from faceblur.geometry import Box
from faceblur.jobs.boxes import load_boxes
from faceblur.jobs.executions import Workflow
from faceblur.jobs.storage import Photos, photos
from faceblur.jobs.table import Jobs, jobs
from review_job.app import handler
from tests.support.api_contract import assert_documented

JOB_ID = "0f8fad5bd9cb469fa16570867728950e"
TOKEN = "AQCEAAAAKgAAAAMAAAAA"
FACE, OTHER = Box(0.1, 0.1, 0.2, 0.2, 90.0, "embedded"), Box(0.6, 0.1, 0.2, 0.2, 80.0, "embedded")


@pytest.fixture
def answers(monkeypatch):
    """The answers that executions get, with their tokens."""
    got = []
    monkeypatch.setattr(Workflow, "answer", lambda _, token, answer: got.append((token, answer)))
    return got


@pytest.fixture
def waiting(add_job, store):
    """A job that waits for the review of two faces."""
    return add_job("AWAITING_REVIEW", review_boxes=json.dumps(store((FACE, 0), (OTHER, 1))))


@pytest.fixture
def review(event, context, s3, table, states):
    """Answer a review; gives the status and the body, which must be as the API's description says."""

    def call(body=None, **changes):
        changes = changes if body is None else changes | {"body": body if isinstance(body, str) else json.dumps(body)}
        response = handler(event("review_job") | changes, context)
        told = json.loads(response["body"])
        assert_documented("PUT", "/jobs/{job_id}/review", response["statusCode"], told)
        return response["statusCode"], told

    return call


def test_the_execution_gets_the_boxes_with_the_decision_and_the_job_goes_on(review, waiting, answers, output):
    status, body = review({"keep": [{"id": 1}], "hide": [{"left": 0.4, "top": 0.6, "width": 0.1, "height": 0.1}]})
    assert (status, body["status"], body["job_id"]) == (200, "PROCESSING", waiting)
    ((token, answer),) = answers
    assert (token, answer["boxes"]["count"]) == (TOKEN, 2)
    boxes = load_boxes(answer["boxes"], photos()).boxes
    assert [(each.box.found_by, each.hidden) for each in boxes] == [
        ("embedded", False),
        ("embedded", True),
        ("person", True),
    ]
    assert jobs().get(waiting).status == "PROCESSING"
    assert TOKEN not in json.dumps(body) + output.text


@pytest.mark.parametrize("body", ["", "{}"])
def test_an_empty_decision_hides_the_faces_as_they_are_shown(review, waiting, answers, body):
    assert review(body)[0] == 200
    assert answers[0][1]["boxes"]["count"] == 2


@pytest.mark.parametrize("status", ["AWAITING_UPLOAD", "PROCESSING", "COMPLETED", "FAILED"])
def test_a_job_that_does_not_wait_takes_no_answer(review, add_job, answers, row_of, status):
    row = row_of(add_job(status))
    assert review()[1]["code"] == "ReviewClosed"
    assert (answers, row_of(JOB_ID)) == ([], row)


def test_an_answer_that_is_refused_keeps_its_boxes_until_the_job_ends(review, waiting, keys, row_of, monkeypatch):
    """The reply to an answer that counted may be lost. Then boto3 asks again, and the token has been used."""

    def too_late(self, token, answer):
        assert answer["boxes"]["key"] in keys()
        raise ReviewClosed

    monkeypatch.setattr(Workflow, "answer", too_late)
    before, row = keys(), row_of(waiting)
    status, body = review()
    assert (status, body["code"]) == (409, "ReviewClosed")
    assert (len(keys() - before), row_of(waiting)) == (1, row)


def test_an_answer_to_a_job_that_has_just_ended_leaves_nothing(review, waiting, keys, row_of, monkeypatch):
    def too_late(self, token, answer):
        jobs().fail(waiting, InternalError(), row_of(waiting)["execution_arn"])
        raise ReviewClosed

    monkeypatch.setattr(Workflow, "answer", too_late)
    before = keys()
    assert review()[0] == 409
    assert keys() == before


def test_an_answer_to_a_job_that_ends_meanwhile_leaves_nothing(review, waiting, answers, keys, monkeypatch):
    monkeypatch.setattr(Jobs, "is_in_progress", lambda *_: False)
    before = keys()
    assert review()[1]["code"] == "ReviewClosed"
    assert (answers, keys()) == ([], before)


def test_an_answer_to_a_review_whose_boxes_are_gone(review, waiting, answers, monkeypatch):
    def gone(self, key):
        raise JobNotFound

    monkeypatch.setattr(Photos, "read_json", gone)
    assert review()[1]["code"] == "ReviewClosed"
    assert answers == []


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"keep": [{"id": 3}]}, "no box with the id 3"),
        ({"keep": [{"left": 0.1}]}, "left, top, width and height"),
        ({"style": "solid"}, "style: unknown field"),
        ("[]", "must be a JSON object"),
        ("{", "not valid JSON"),
    ],
)
def test_a_wrong_decision_changes_nothing(review, waiting, answers, keys, row_of, body, says):
    before = keys(), row_of(waiting)
    status, told = review(body)
    assert (status, told["code"]) == (400, "InvalidDecision")
    assert says in told["message"]
    assert (answers, keys(), row_of(waiting)) == ([], *before)


def test_a_decision_makes_as_many_places_as_a_job_can_have(review, waiting, answers, monkeypatch):
    place = {"left": 0.4, "top": 0.6, "width": 0.1, "height": 0.1}
    monkeypatch.setattr("faceblur.jobs.reviews.MAX_BOXES", 2)
    status, told = review({"hide": [place]})
    assert (status, told["code"], answers) == (400, "InvalidDecision", [])
    monkeypatch.setattr("faceblur.jobs.reviews.MAX_BOXES", 3)
    assert review({"hide": [place]})[0] == 200
    assert answers[0][1]["boxes"]["count"] == 3


def test_an_unknown_job(review):
    assert review()[1]["code"] == "JobNotFound"


def test_somebody_elses_job(review, add_job, answers, signed_in):
    add_job("AWAITING_REVIEW", owner="alice")
    assert review(**signed_in("bob"))[1]["code"] == "JobNotFound"
    assert review(requestContext={"authorizer": {}})[1]["code"] == "NotSignedIn"
    assert answers == []


def test_what_is_unforeseen_shows_nothing_of_its_insides(review, waiting, monkeypatch, output):
    def broken(self, token, answer):
        raise RuntimeError("no such thing")

    monkeypatch.setattr(Workflow, "answer", broken)
    status, body = review()
    assert (status, body["code"]) == (500, "InternalError")
    assert TOKEN not in output.text
