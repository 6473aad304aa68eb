"""A job's share of paid calls, and the answers that a look remembers."""

from __future__ import annotations

import json

import pytest

from faceblur import prices
from faceblur.errors import BudgetSpent, JobNotFound, PhotoTooExpensive
from faceblur.geometry import Box
from faceblur.jobs.calls import LookCalls
from faceblur.jobs.storage import photos
from faceblur.jobs.table import jobs
from tests.unit.conftest import JOB_ID

ANSWERS = {"one": [Box(1 / 3, 0.2, 0.1, 0.1, 99.123456)], "two": []}


class Ledger:
    """The budget: it notes what is taken, and refuses more than it has."""

    def __init__(self) -> None:
        self.has, self.taken = 10**9, []

    def take(self, client, microdollars):
        if sum(amount for _, amount in self.taken) + microdollars > self.has:
            raise BudgetSpent
        self.taken.append((client, microdollars))

    def refund(self, client, microdollars):
        self.taken.append((client, -microdollars))


@pytest.fixture
def ledger():
    return Ledger()


@pytest.fixture
def look(s3, add_job, ledger):
    """An attempt at a look at the photo of a job in work."""
    add_job("PROCESSING")
    return lambda number=0: LookCalls(JOB_ID, number, "client", jobs(), photos(), ledger)


def test_a_job_has_a_share_that_its_looks_use_up(look):
    first, check = look(), look(1)
    assert first.left == 60
    first.take(20)
    first.take(5)
    assert (first.left, check.left, jobs().get(JOB_ID).calls) == (35, 35, 25)
    check.take(35)
    with pytest.raises(PhotoTooExpensive):
        check.take(1)
    assert jobs().get(JOB_ID).calls == 60


def test_the_share_is_a_setting(look, monkeypatch):
    monkeypatch.setenv("CALLS_A_JOB", "12")
    with pytest.raises(PhotoTooExpensive):
        look().take(13)
    assert look().left == 12


def test_looks_that_have_read_the_same_share_do_not_pass_it_together(look):
    one, other = look(), look()
    assert one.left == other.left == 60
    one.take(40)
    with pytest.raises(PhotoTooExpensive):
        other.take(40)
    assert jobs().get(JOB_ID).calls == 40


def test_the_budget_of_the_client_pays_for_calls_before_they_are_made(look, ledger):
    calls = look()
    calls.take(3)
    calls.give_back(2)
    assert ledger.taken == [("client", 3 * prices.REKOGNITION_CALL), ("client", -2 * prices.REKOGNITION_CALL)]
    assert (calls.left, jobs().get(JOB_ID).calls) == (59, 1)


def test_without_money_there_are_no_calls(look, ledger):
    ledger.has = 2_999
    with pytest.raises(BudgetSpent):
        look().take(3)


def test_nothing_is_written_for_no_call(look, ledger):
    look().take(0)
    look().give_back(0)
    assert ledger.taken == []


def test_a_job_that_was_deleted_makes_no_calls(look):
    jobs().delete(JOB_ID, "")
    with pytest.raises(PhotoTooExpensive):
        look().take(1)
    with pytest.raises(JobNotFound):
        jobs().get(JOB_ID)


def test_a_job_that_is_done_again_has_a_new_share(look, table):
    look().take(20)
    table.update_item(
        Key={"job_id": JOB_ID},
        UpdateExpression="SET #status = :completed, outcome = :outcome",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":completed": "COMPLETED", ":outcome": json.dumps({})},
    )
    job = jobs().get(JOB_ID)
    jobs().redo(job, job.options, job.execution + "-2")
    assert look().left == 60


def test_the_next_attempt_has_the_answers_of_the_last_one_and_no_other_look_has(look):
    look().keep(ANSWERS)
    again = look()
    assert {request: again.remembered(request) for request in ANSWERS} == ANSWERS
    assert again.remembered("three") is None
    assert look(1).remembered("one") is None


def test_answers_of_several_attempts_are_all_kept(look):
    look().keep({"one": ANSWERS["one"]})
    look().keep({"two": ANSWERS["two"]})
    assert {request: look().remembered(request) for request in ANSWERS} == ANSWERS


def test_an_attempt_has_as_many_calls_as_the_first_one_had(look):
    """So it asks for the same areas."""
    first = look()
    first.take(5)
    first.give_back(3)
    first.keep(ANSWERS)
    again = look()
    assert again.left == 60
    again.remembered("one")
    again.take(1)
    assert (again.left, jobs().get(JOB_ID).calls) == (58, 3)


def test_the_answers_go_with_the_job(look, keys):
    look().keep(ANSWERS)
    (key,) = keys()
    assert key == f"boxes/{JOB_ID}.0.answers.json"
    assert photos().jobs_with_photos() == {JOB_ID}
    photos().erase(JOB_ID)
    assert keys() == set()


def test_a_job_that_has_ended_keeps_no_answers(look, keys):
    calls = look()
    jobs().delete(JOB_ID, "")
    with pytest.raises(JobNotFound):
        calls.keep(ANSWERS)
    assert keys() == set()
