"""A job's share of paid calls, and the answers that a round remembers."""

from __future__ import annotations

import json

import pytest

from faceblur import prices
from faceblur.detectors.base import Answer, StoredPhoto
from faceblur.errors import BudgetSpent, JobNotFound, PhotoTooExpensive, StorageUnavailable, UploadReplaced
from faceblur.geometry import Box
from faceblur.jobs.calls import Round, RoundCalls, questions_of, reserved_calls
from faceblur.jobs.storage import Photos, photos
from faceblur.jobs.table import Jobs, jobs
from tests.unit.conftest import JOB_ID

KEY = f"uploads/{JOB_ID}"
ANSWERS = {
    "one": Answer([Box(1 / 3, 0.2, 0.1, 0.1, 99.123456, roll=1 / 7, turned=True, kind="text")], is_full=True),
    "two": Answer([], is_full=False),
}


def unavailable(*_):
    raise StorageUnavailable


class Ledger:
    """The budget: it notes what is taken, and refuses more than it has."""

    def __init__(self) -> None:
        self.has, self.taken, self.day = 10**9, [], "2026-01-01"

    def take(self, client, microdollars):
        if sum(amount for _, amount, _ in self.taken) + microdollars > self.has:
            raise BudgetSpent
        self.taken.append((client, microdollars, self.day))
        return self.day

    def refund(self, client, microdollars, day):
        self.taken.append((client, -microdollars, day))


@pytest.fixture
def ledger():
    return Ledger()


@pytest.fixture
def attempt(s3, add_job, ledger):
    """An attempt at a round of a job in work."""
    add_job("PROCESSING")
    photos()._client.put_object(Bucket=photos().bucket, Key=KEY, Body=b"photo")

    def calls(number=0, photo=b"photo"):
        round_ = Round(JOB_ID, number, StoredPhoto(photo, photos().bucket, KEY), reserved=5)
        return RoundCalls(round_, "client", jobs(), photos(), ledger)

    return calls


def test_a_job_has_a_share_that_its_rounds_use_up(attempt):
    first, check = attempt(), attempt(1)
    assert first.left == 60
    first.take(20)
    first.take(5)
    assert (first.left, check.left, jobs().get(JOB_ID).calls) == (35, 35, 25)
    check.take(35)
    with pytest.raises(PhotoTooExpensive):
        check.take(1)
    assert jobs().get(JOB_ID).calls == 60


def test_the_share_is_a_setting(attempt, monkeypatch):
    monkeypatch.setenv("CALLS_A_JOB", "12")
    with pytest.raises(PhotoTooExpensive):
        attempt().take(13)
    assert attempt().left == 12


def test_rounds_that_have_read_the_same_share_do_not_pass_it_together(attempt):
    one, other = attempt(), attempt()
    assert one.left == other.left == 60
    one.take(40)
    with pytest.raises(PhotoTooExpensive):
        other.take(40)
    assert jobs().get(JOB_ID).calls == 40


def test_the_budget_of_the_client_pays_for_calls_before_they_are_made(attempt, ledger):
    calls = attempt()
    calls.take(3)
    ledger.day = "2026-01-02"
    calls.give_back(2)
    assert ledger.taken == [
        ("client", 3 * prices.REKOGNITION_CALL, "2026-01-01"),
        ("client", -2 * prices.REKOGNITION_CALL, "2026-01-01"),
    ]
    assert (calls.left, jobs().get(JOB_ID).calls) == (59, 1)


def test_without_money_there_are_no_calls(attempt, ledger):
    ledger.has = 2_999
    with pytest.raises(BudgetSpent):
        attempt().take(3)
    assert jobs().get(JOB_ID).calls == 0


def test_calls_are_not_counted_if_the_ledger_does_not_answer(attempt, ledger, monkeypatch):
    monkeypatch.setattr(ledger, "take", unavailable)
    with pytest.raises(StorageUnavailable):
        attempt().take(3)
    assert jobs().get(JOB_ID).calls == 0


def test_calls_count_no_longer_even_if_the_ledger_does_not_answer(attempt, ledger, monkeypatch):
    calls = attempt()
    calls.take(3)
    monkeypatch.setattr(ledger, "refund", unavailable)
    with pytest.raises(StorageUnavailable):
        calls.give_back(3)
    assert jobs().get(JOB_ID).calls == 0


def test_money_is_given_back_even_if_the_row_does_not_answer(attempt, ledger, monkeypatch):
    calls = attempt()
    calls.take(3)
    monkeypatch.setattr(Jobs, "count_calls", unavailable)
    with pytest.raises(StorageUnavailable):
        calls.give_back(3)
    assert sum(amount for _, amount, _ in ledger.taken) == 0


def test_nothing_is_written_for_no_call(attempt, ledger):
    attempt().take(0)
    attempt().give_back(0)
    assert ledger.taken == []


def test_a_job_that_was_deleted_makes_no_calls(attempt):
    jobs().delete(JOB_ID, "")
    with pytest.raises(PhotoTooExpensive):
        attempt().take(1)
    with pytest.raises(JobNotFound):
        jobs().get(JOB_ID)


def test_a_job_that_is_done_again_has_a_new_share(attempt, table):
    attempt().take(20)
    table.update_item(
        Key={"job_id": JOB_ID},
        UpdateExpression="SET #status = :completed, outcome = :outcome",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":completed": "COMPLETED", ":outcome": json.dumps({})},
    )
    job = jobs().get(JOB_ID)
    jobs().redo(job, job.options, job.execution + "-2")
    assert attempt().left == 60


def test_the_next_attempt_has_the_answers_of_the_last_one_and_no_other_round_has(attempt):
    attempt().keep(ANSWERS)
    again = attempt()
    assert {request: again.remembered(request) for request in ANSWERS} == ANSWERS
    assert again.remembered("three") is None
    assert attempt(1).remembered("one") is None


def test_answers_of_several_attempts_are_all_kept(attempt):
    attempt().keep({"one": ANSWERS["one"]})
    attempt().keep({"two": ANSWERS["two"]})
    assert {request: attempt().remembered(request) for request in ANSWERS} == ANSWERS


def test_an_attempt_has_as_many_calls_as_the_first_one_had(attempt):
    """So it asks for the same areas."""
    first = attempt()
    first.take(5)
    first.give_back(3)
    first.keep(ANSWERS)
    again = attempt()
    assert again.left == 60
    again.remembered("one")
    again.take(1)
    assert (again.left, jobs().get(JOB_ID).calls) == (58, 3)


def test_the_answers_go_with_the_job(attempt, keys):
    attempt().keep(ANSWERS)
    assert keys() == {KEY, f"boxes/{JOB_ID}.0.answers.json"}
    assert photos().jobs_with_photos() == {JOB_ID}
    photos().erase(JOB_ID)
    assert keys() == set()


def test_a_job_that_has_ended_keeps_no_answers(attempt, keys):
    calls = attempt()
    jobs().delete(JOB_ID, "")
    with pytest.raises(JobNotFound):
        calls.keep(ANSWERS)
    assert keys() == {KEY}


@pytest.mark.parametrize("in_s3", [b"another", None])
def test_no_answer_is_kept_if_the_service_may_have_read_another_photo(attempt, keys, s3, in_s3):
    """Else a photo that is replaced and put back would get the other one's boxes."""
    calls = attempt()
    s3.delete_object(Bucket=photos().bucket, Key=KEY)
    if in_s3:
        s3.put_object(Bucket=photos().bucket, Key=KEY, Body=in_s3)
    with pytest.raises(UploadReplaced):
        calls.keep(ANSWERS)
    assert not any("answers" in key for key in keys())


def test_answers_about_another_photo_are_neither_used_nor_counted(attempt):
    attempt().keep(ANSWERS)
    other = attempt(photo=b"another")
    assert other.left == 60
    assert other.remembered("one") is None


@pytest.mark.parametrize("photo", [b"photo", b"another"])
def test_a_round_that_succeeds_erases_the_answers(attempt, keys, photo):
    """After a review, round 1 begins again. It has no more calls than are left."""
    attempt(1).keep(ANSWERS)
    again = attempt(1, photo)
    assert again.left == 60 + (len(ANSWERS) if photo == b"photo" else 0)
    again.forget()
    assert keys() == {KEY}
    assert attempt(1, photo).left == 60


def test_a_round_that_has_no_file_erases_none(attempt, monkeypatch):
    calls = attempt()
    assert calls.left == 60
    monkeypatch.setattr(Photos, "withdraw_answers", unavailable)
    calls.forget()


@pytest.mark.parametrize(
    ("number", "questions", "review", "reserved"),
    [
        (0, 1, "never", 5),
        (0, 1, "always", 5),
        (0, 1, "when_unsure", 10),
        (5, 1, "never", 0),
        (3, 1, "when_unsure", 7),
        (0, 2, "when_unsure", 21),
        (5, 2, "never", 1),
        (0, 4, "when_unsure", 43),
    ],
)
def test_a_call_is_reserved_for_each_question_that_may_still_be_asked(number, questions, review, reserved):
    assert reserved_calls(number, questions, review) == reserved


@pytest.mark.parametrize(
    ("kinds", "pictures", "questions"),
    [(["face"], 1, 1), (["plate", "text"], 1, 1), (["text"], 2, 2), (["face", "plate", "text"], 2, 4)],
)
def test_faces_and_text_are_asked_for_apart_in_each_picture(kinds, pictures, questions):
    assert questions_of(kinds, pictures) == questions
