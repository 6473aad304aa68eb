from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from faceblur import prices
from faceblur.contracts import NO_BOXES
from faceblur.errors import JobNotFinished
from faceblur.geometry import Box
from faceblur.jobs.boxes import FoundBox, FoundBoxes, load_boxes
from faceblur.jobs.budget import budget
from faceblur.jobs.completion import erase_unneeded
from faceblur.jobs.decisions import Decision, decided, load_decision, store_decision
from faceblur.jobs.executions import Workflow
from faceblur.jobs.storage import Photos, digest, new_decision_key, photos
from faceblur.jobs.table import Jobs, jobs
from redo_job.app import handler
from tests.support.api_contract import assert_documented

JOB_ID = "0f8fad5bd9cb469fa16570867728950e"
BUCKET = "faceblur-photos-123456789012-eu-central-1"
UPLOAD = f"uploads/{JOB_ID}"
FACE, OTHER = Box(0.1, 0.1, 0.2, 0.2, 90.0, "embedded"), Box(0.6, 0.1, 0.2, 0.2, 80.0, "embedded")
DRAWN = Box(0.4, 0.6, 0.1, 0.1, 100.0, "person", 0.0, turned=True)
PLACE = Box(0.05, 0.6, 0.2, 0.3, 100.0, "person", 0.0, turned=True)


@pytest.fixture
def started(monkeypatch):
    """The executions that were started to do a job again: their ARNs and their inputs."""
    begun = []
    monkeypatch.setattr(Workflow, "redo", lambda _, execution, given: begun.append((execution, given)))
    return begun


@pytest.fixture
def completed(add_job, s3):
    """A completed job with these boxes, two faces by default, that can be done again."""

    def write(*boxes, kept_places=(), only=False, **changes):
        s3.put_object(Bucket=BUCKET, Key=UPLOAD, Body=b"photo")
        found = FoundBoxes(digest(b"photo"), boxes or [FoundBox(FACE, 0), FoundBox(OTHER, 1)], kept_places, only)
        stored = {"key": photos().write_boxes(JOB_ID, found.to_dict()), "count": sum(found.hidden.values())}
        outcome = {"boxes": stored} | changes.pop("outcome", {})
        return add_job("COMPLETED", **{"redo_until": int(time.time()) + 3600, "outcome": outcome} | changes)

    return write


@pytest.fixture
def redo(event, context, s3, table, states):
    """Ask to do a job again; gives the status and the body, which must be as the API's description says."""

    def call(body=None, **changes):
        changes = changes if body is None else changes | {"body": json.dumps(body)}
        response = handler(event("redo_job") | changes, context)
        told = json.loads(response["body"])
        assert_documented("POST", "/jobs/{job_id}/redo", response["statusCode"], told)
        return response["statusCode"], told

    return call


def test_the_same_faces_in_another_style(redo, completed, started):
    before = jobs().get(completed(outcome={"warnings": ["ChecksNotSettled", "DarkPhoto", "NothingFound"]}))
    status, body = redo({"style": "solid", "keep_original": 2})
    assert (status, body["status"]) == (202, "PROCESSING")
    assert body["options"] == before.options | {"style": "solid", "keep_original": 2}
    ((execution, given),) = started
    assert execution == f"{before.execution}-1"
    assert (given["job_id"], given["reviewed"], given["warnings"]) == (JOB_ID, False, ["DarkPhoto"])
    assert load_boxes(given["boxes"], photos()) == load_boxes(before.outcome["boxes"], photos())
    job = jobs().get(JOB_ID)
    assert (job.status, job.options, job.execution) == ("PROCESSING", body["options"], execution)
    assert job.outcome == before.outcome


def test_another_decision_about_the_same_faces(redo, completed, started):
    completed()
    assert redo({"keep": [{"id": 2}]})[0] == 202
    ((_, given),) = started
    assert (given["boxes"]["count"], given["reviewed"]) == (1, True)


@pytest.mark.parametrize(("body", "warnings"), [({"keep": [{"id": 2}]}, []), ({"style": "solid"}, ["BelowConfidence"])])
def test_a_decision_answers_that_the_detector_was_not_sure(redo, completed, started, body, warnings):
    completed(outcome={"warnings": ["BelowConfidence", "ChecksNotSettled", "DarkPhoto"]})
    assert redo(body)[0] == 202
    assert started[0][1]["warnings"] == [*warnings, "DarkPhoto"]


@pytest.mark.parametrize(
    ("body", "reviewed"), [({"style": "solid"}, True), ({"review": "always"}, False), ({"review": "never"}, False)]
)
def test_a_person_who_has_decided_is_asked_again_only_on_request(redo, completed, started, body, reviewed):
    completed(outcome={"reviewed": True})
    assert redo(body)[0] == 202
    assert started[0][1]["reviewed"] is reviewed


def test_another_confidence_detects_the_faces_again(redo, completed, started, row_of):
    completed()
    assert redo({"min_confidence": 30})[0] == 202
    ((_, given),) = started
    assert (given["boxes"], given["reviewed"], given["warnings"]) == (NO_BOXES, False, [])
    assert row_of(JOB_ID)["decision"] == ""


@pytest.mark.parametrize(("kinds", "again"), [(["face", "plate"], True), (["plate"], True), (["face"], False)])
def test_other_kinds_are_searched_for(redo, completed, started, kinds, again):
    completed()
    assert redo({"kinds": kinds})[0] == 202
    assert (started[0][1]["boxes"] == NO_BOXES) is again


def test_faces_that_are_detected_again_have_no_ids(redo, completed, started):
    completed()
    status, body = redo({"min_confidence": 30, "keep": [{"id": 1}]})
    assert (status, body["code"], started) == (400, "InvalidDecision", [])


@pytest.fixture
def decided_for_new_faces(row_of):
    return lambda: load_decision(row_of(JOB_ID)["decision"], photos())


def test_what_was_decided_counts_for_faces_that_are_detected_again(redo, completed, started, decided_for_new_faces):
    boxes = [
        FoundBox(FACE, 0, hidden=False, named=True),
        FoundBox(OTHER, 0, style={"style": "solid"}, named=True),
        FoundBox(DRAWN, 0, named=True),
        FoundBox(replace(FACE, left=0.9), 0),
    ]
    completed(*boxes, kept_places=[PLACE])
    assert redo({"min_confidence": 30})[0] == 202
    decision = decided_for_new_faces()
    assert [choice.place for choice in decision.keep] == [PLACE, FACE]
    assert [(choice.place, choice.style) for choice in decision.hide] == [(OTHER, {"style": "solid"}), (DRAWN, {})]
    assert not decision.only


def test_only_these_faces_stay_hidden_when_faces_are_detected_again(redo, completed, started, decided_for_new_faces):
    completed(FoundBox(FACE, 0), FoundBox(OTHER, 0, hidden=False), only=True)
    assert redo({"min_confidence": 30})[0] == 202
    found = FoundBoxes(digest(b"photo"), [FoundBox(FACE, 0), FoundBox(OTHER, 0)])
    again = decided(found, decided_for_new_faces())
    assert [each.hidden for each in again.boxes] == [True, False]
    assert again.keeper()(replace(OTHER, left=0.3))


def test_only_these_faces_says_nothing_about_plates(redo, completed, started, decided_for_new_faces):
    completed(FoundBox(FACE, 0), FoundBox(OTHER, 0, hidden=False), only=True)
    assert redo({"kinds": ["face", "plate"]})[0] == 202
    plate = Box(0.65, 0.2, 0.1, 0.05, 80, "embedded", turned=True, kind="plate")
    again = decided(FoundBoxes(digest(b"photo"), [FoundBox(OTHER, 0), FoundBox(plate, 0)]), decided_for_new_faces())
    assert [each.hidden for each in again.boxes] == [False, True, True]
    assert not again.keeper()(replace(plate, left=0.3))


def test_a_face_that_was_kept_keeps_no_plate_that_is_searched_for_afterwards(
    redo, completed, started, decided_for_new_faces
):
    completed(FoundBox(FACE, 0, hidden=False, named=True))
    assert redo({"kinds": ["face", "plate"]})[0] == 202
    plate = Box(0.12, 0.2, 0.1, 0.05, 80, "embedded", turned=True, kind="plate")
    again = decided(FoundBoxes(digest(b"photo"), [FoundBox(FACE, 0), FoundBox(plate, 0)]), decided_for_new_faces())
    assert [each.hidden for each in again.boxes] == [False, True]
    assert not again.keeper()(plate)


def test_a_new_decision_replaces_what_was_decided_about_its_places(redo, completed, started, decided_for_new_faces):
    completed(FoundBox(DRAWN, 0, named=True))
    around = {"left": 0.3, "top": 0.5, "width": 0.4, "height": 0.4}
    assert redo({"min_confidence": 30, "keep": [around]})[0] == 202
    decision = decided_for_new_faces()
    assert (list(decision.hide), len(decision.keep)) == ([], 1)


@pytest.mark.parametrize("status", ["AWAITING_UPLOAD", "PROCESSING", "AWAITING_REVIEW", "FAILED"])
def test_a_job_that_is_not_completed(redo, add_job, started, status):
    add_job(status)
    status, body = redo()
    assert (status, body["code"], started) == (409, "JobNotFinished", [])


def test_a_job_whose_time_is_over(redo, completed, started):
    completed(redo_until=int(time.time()) - 1)
    status, body = redo()
    assert (status, body["code"], started) == (409, "OriginalDeleted", [])


def test_a_job_whose_photo_is_gone(redo, completed, s3, started):
    completed()
    s3.delete_object(Bucket=BUCKET, Key=UPLOAD)
    assert redo()[1]["code"] == "OriginalDeleted"
    assert started == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"style": "mosaic"}, "InvalidOptions"),
        ({"color": "red"}, "InvalidOptions"),
        ({"keep": [{"id": 9}]}, "InvalidDecision"),
        ({"keep": 1}, "InvalidDecision"),
    ],
)
def test_a_wrong_request_changes_nothing(redo, completed, started, keys, row_of, table, monkeypatch, body, code):
    monkeypatch.setenv("DOLLARS_A_DAY", "5")
    completed()
    before = keys(), row_of(JOB_ID)
    status, told = redo(body)
    assert (status, told["code"]) == (400, code)
    assert (started, keys(), row_of(JOB_ID)) == ([], *before)
    assert len(table.scan()["Items"]) == 1  # nothing was paid


def test_a_redo_is_paid_for_by_the_client_of_the_job(redo, completed, started, monkeypatch):
    monkeypatch.setenv("DOLLARS_A_DAY_PER_CLIENT", str((prices.JOB + prices.WORK) / prices.A_DOLLAR))
    completed(client="alice")
    assert redo()[0] == 202
    completed(client="alice", execution_arn="arn:x:y", redos=1)
    assert redo()[1]["code"] == "BudgetSpent"
    completed(client="bob", execution_arn="arn:x:y", redos=1)
    assert redo()[0] == 202
    assert len(started) == 2


def test_a_redo_that_comes_too_late_costs_nothing(redo, completed, monkeypatch):
    monkeypatch.setenv("DOLLARS_A_DAY", "1")
    completed()

    def changed(*_):
        raise JobNotFinished

    monkeypatch.setattr(Jobs, "redo", changed)
    assert redo()[1]["code"] == "JobNotFinished"
    budget().require("", 1_000_000)


def test_a_redo_that_comes_too_late_gets_its_money_back_from_the_day_that_paid(redo, completed, table, monkeypatch):
    monkeypatch.setenv("DOLLARS_A_DAY", "1")
    completed()

    def changed_after_midnight(*_):
        monkeypatch.setattr("faceblur.jobs.budget._today", lambda: "2100-01-02")
        budget().take("", 1000)
        raise JobNotFinished

    monkeypatch.setattr(Jobs, "redo", changed_after_midnight)
    assert redo()[1]["code"] == "JobNotFinished"
    assert sorted(int(row["spent"]) for row in table.scan()["Items"] if "spent" in row) == [0, 1000]


def test_a_redo_that_cannot_be_started_leaves_the_job_completed(redo, completed, monkeypatch):
    def broken(self, execution, given):
        raise RuntimeError("no such thing")

    monkeypatch.setattr(Workflow, "redo", broken)
    completed()
    status, body = redo()
    assert (status, body["code"]) == (500, "InternalError")
    job = jobs().get(JOB_ID)
    assert (job.status, job.error["code"]) == ("COMPLETED", "InternalError")


def test_a_job_deleted_while_its_decision_is_stored_leaves_none(redo, completed, started, keys, row_of, monkeypatch):
    """The deletion comes between the row's change and the decision's storing, and misses the decision."""
    completed(FoundBox(DRAWN, 0, named=True))
    write = Photos.write_json

    def deleted_before(self, key, content):
        jobs().delete(JOB_ID, "")
        photos().erase(JOB_ID)
        write(self, key, content)

    monkeypatch.setattr(Photos, "write_json", deleted_before)
    status, body = redo({"min_confidence": 30})
    assert (status, body["code"], started) == (404, "JobNotFound", [])
    assert (keys(), row_of(JOB_ID)) == (set(), None)


def test_a_late_deletion_of_what_was_unneeded_spares_the_decision_of_a_redo(
    redo, completed, started, decided_for_new_faces, monkeypatch
):
    """The first run came with a decision, which is deleted while the job is already being done again."""
    completed(FoundBox(DRAWN, 0, named=True))
    store_decision(new_decision_key(JOB_ID), Decision(only=True), photos())
    delete = Photos.delete

    def redone_before(self, keys):
        with monkeypatch.context() as as_before:
            as_before.setattr(Photos, "delete", delete)
            assert redo({"min_confidence": 30})[0] == 202
        delete(self, keys)

    monkeypatch.setattr(Photos, "delete", redone_before)
    erase_unneeded(JOB_ID, jobs(), photos())
    assert [choice.place for choice in decided_for_new_faces().hide] == [DRAWN]


def test_of_two_redos_at_once_one_is_refused(redo, completed, started, monkeypatch):
    """The other one begins after this one has read the job."""
    completed()
    get_owned = Jobs.get_owned

    def begun_meanwhile(self, job_id, owner):
        job = get_owned(self, job_id, owner)
        self.redo(job, job.options, f"{job.execution}-1")
        return job

    monkeypatch.setattr(Jobs, "get_owned", begun_meanwhile)
    status, body = redo()
    assert (status, body["code"], started) == (409, "JobNotFinished", [])


def test_an_unknown_job(redo):
    assert redo()[1]["code"] == "JobNotFound"


def test_somebody_elses_job(redo, completed, started, signed_in):
    completed(owner="alice")
    assert redo(**signed_in("bob"))[1]["code"] == "JobNotFound"
    assert redo(requestContext={"authorizer": {}})[1]["code"] == "NotSignedIn"
    assert started == []
