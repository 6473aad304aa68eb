"""The storm's own parts: a plan is the same each time, and a wrong end is seen."""

from __future__ import annotations

import httpx
import pytest

from faceblur.geometry import Box
from faceblur.photo.hide import hide_faces
from faceblur.photo.styles import Region, Style
from tests.support.pictures import photos
from tests.support.storm import batch
from tests.support.storm.batch import BatchInAStorm
from tests.support.storm.plans import ANSWERS, CASES, INTERFERENCE, UPLOADS, plan
from tests.support.storm.portraits import Portrait, Witness, portraits
from tests.support.storm.verdict import codes_of

NEVER = "/never"


def steps(number):
    drawn = plan(1, number, NEVER)
    return [drawn.creation, *drawn.deletion, *(step for of in drawn.steps.values() for step in of)]


def hidden(portrait: Portrait) -> bytes:
    width, height = portrait.size
    boxes = [
        Box(left / width, top / height, (right - left) / width, (bottom - top) / height, 99.0)
        for left, top, right, bottom in portrait.faces
    ]
    return hide_faces(portrait.data, [Region(box, Style()) for box in boxes]).data


def task(*made, function="hide_faces", deliveries=0):
    return [{"function": function, "jobs": ["x"], "deliveries": deliveries, "step": step} for step in made]


def test_a_seed_makes_the_same_storm_each_time():
    assert [plan(1, number, NEVER) for number in range(50)] == [plan(1, number, NEVER) for number in range(50)]
    assert plan(1, 0, NEVER) != plan(2, 0, NEVER)


def test_a_storm_has_everything_in_it():
    plans = [plan(1, number, NEVER) for number in range(500)]
    assert {drawn.uploads for drawn in plans} == set(UPLOADS)
    assert {drawn.interference for drawn in plans} == set(INTERFERENCE)
    assert {drawn.case for drawn in plans} == {"", *CASES}
    assert {drawn.detector for drawn in plans} == {"rekognition", "embedded"}
    made = [step for number in range(500) for step in steps(number)]
    assert {step["aws"]["answer"] for step in made if "aws" in step} == set(ANSWERS)
    kinds = {"raise", "aws", "exit", "signal", "wait_for", "imagines", "after"}
    assert {key for step in made for key in step} >= kinds


def test_without_hangs_no_function_hangs():
    drawn = [step for number in range(300) for of in plan(1, number, None).steps.values() for step in of]
    assert not any("wait_for" in step for step in drawn)


@pytest.mark.parametrize("portrait", portraits(), ids=lambda portrait: portrait.name)
def test_the_witness_sees_faces_until_they_are_hidden(portrait):
    assert len(Witness().seen(portrait.data)) == len(portrait.faces)
    result = hidden(portrait)
    assert Witness().seen(result) == []
    picture = photos.opened(result).convert("RGB")
    assert portrait.is_itself_elsewhere(picture)
    assert portrait.visible(picture) == []


def test_another_picture_is_not_taken_for_the_result():
    one, other, *_ = portraits()
    assert one.picture is not None
    assert not other.is_itself_elsewhere(one.picture.convert("RGB").resize(other.size).rotate(180))


@pytest.mark.parametrize(
    ("fault", "tries", "code"),
    [
        ({"raise": "StorageUnavailable"}, 6, "StorageUnavailable"),
        ({"aws": {"service": "s3", "answer": "broken"}}, 6, "StorageUnavailable"),
        ({"raise": "Lambda.ServiceException"}, 6, "InternalError"),
        ({"raise": "Lambda.TooManyRequestsException"}, 31, "InternalError"),
        ({"raise": "DetectorUnavailable"}, 8, "DetectorUnavailable"),
        ({"aws": {"service": "rekognition", "answer": "throttled"}}, 8, "DetectorThrottled"),
        ({"raise": "KeyError"}, 1, "InternalError"),
        ({"exit": 1, "after": True}, 1, "InternalError"),
        ({"aws": {"service": "s3", "answer": "refused"}}, 1, "InternalError"),
        ({"wait_for": NEVER}, 1, "TimedOut"),
    ],
)
def test_a_code_is_explained_only_by_as_many_faults_as_it_takes(fault, tries, code):
    assert code in codes_of(task(*[fault] * tries))
    assert codes_of(task(*[fault] * (tries - 1))) == set()


def test_a_fault_of_a_delivery_is_made_up_for_unless_it_was_the_last():
    assert codes_of(task({"exit": 1}, function="start_workflow", deliveries=2)) == set()
    assert codes_of(task({"exit": 1}, function="start_workflow", deliveries=3)) == {"InternalError"}
    assert codes_of(task(*[{"exit": 1}] * 5, function="fail_job", deliveries=5)) == set()


class FailingApi:
    """A storm whose API answers these requests with 503 for ever."""

    def __init__(self, *failing: str) -> None:
        self.seed, self._failing = 1, failing
        self.of_batches: set[str] = set()

    def ask(self, method: str, path: str, *_, **__) -> httpx.Response:
        request = httpx.Request(method, f"http://service.test{path}")
        if f"{method} {path}" in self._failing:
            return httpx.Response(503, request=request)
        upload = {"fields": {"key": "batches/ba/in/${filename}"}}
        answer = {"batch_id": "ba", "status": "COMPLETED", "upload": upload}
        return httpx.Response(202 if path.endswith("/start") else 200, json=answer, request=request)


@pytest.mark.parametrize(
    ("request_", "what"),
    [
        ("POST /batches", "POST /batches"),
        ("POST /batches/ba/start", "a start of the batch"),
        ("GET /batches/ba", "GET /batches/ba"),
        ("DELETE /batches/ba", "the deletion of the batch"),
    ],
)
def test_the_client_of_a_batch_gives_up_an_api_that_never_recovers(monkeypatch, request_, what):
    monkeypatch.setattr(batch, "ANSWER_SECONDS", 0)
    with pytest.raises(AssertionError, match=f"{what} did not happen"):
        BatchInAStorm(FailingApi(request_), 0).complaints()
