from __future__ import annotations

import json
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from faceblur import config, prices
from faceblur.errors import BudgetSpent, StorageUnavailable
from faceblur.jobs.budget import Budget, budget, day_row
from faceblur.jobs.table import jobs_table

MEMORY, MILLISECONDS = 3008, 120_000
MOST = prices.function_time(MEMORY, MILLISECONDS)


@pytest.fixture
def ledger(table):
    """What is spent: by all clients together (an empty name), and by each."""

    def read():
        rows = [row for row in table.scan()["Items"] if "spent" in row]
        return {row["job_id"].partition(" by ")[2]: int(row["spent"]) for row in rows}

    return read


def with_limits(a_day: int = 0, per_client: int = 0) -> Budget:
    """A budget of so many microdollars."""
    return Budget(jobs_table(), a_day, per_client)


class Call:
    """Lambda's context of a call whose time passes when a test says so."""

    memory_limit_in_mb = str(MEMORY)

    def __init__(self) -> None:
        self.left = MILLISECONDS

    def get_remaining_time_in_millis(self) -> int:
        return self.left


@pytest.fixture
def call():
    return Call()


@pytest.fixture
def warm(ledger):
    """A budget of a process that has worked before, and what it spent then."""
    made = with_limits(1_000_000, 1_000_000)
    with made.paid("", Call()):
        pass
    return made


@pytest.fixture
def tomorrow(monkeypatch):
    """Let a day pass."""

    class Tomorrow(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(days=1)

    return lambda: monkeypatch.setattr("faceblur.jobs.budget.datetime", Tomorrow)


def test_money_is_taken_from_the_client_and_from_the_day(ledger):
    limited = with_limits(1000, 500)
    limited.take("alice", 300)
    limited.take("bob", 200)
    assert ledger() == {"": 500, "alice": 300, "bob": 200}


def test_what_costs_a_part_of_a_microdollar_costs_a_whole_one(ledger):
    with_limits(1000).take("", 0.2)
    assert ledger() == {"": 1}


@pytest.mark.parametrize(("spent", "more", "taken"), [(0, 100, True), (0, 101, False), (60, 40, True), (60, 41, False)])
def test_a_limit_may_be_reached_and_not_passed(ledger, spent, more, taken):
    limited = with_limits(100)
    limited.take("", spent)
    try:
        limited.take("", more)
    except BudgetSpent:
        assert not taken
    assert ledger()[""] == (spent + more if taken else spent)


def test_a_client_that_has_spent_its_part_takes_nothing_from_the_others(ledger):
    limited = with_limits(1000, 100)
    limited.take("alice", 100)
    with pytest.raises(BudgetSpent):
        limited.take("alice", 1)
    limited.take("bob", 100)
    assert ledger() == {"": 200, "alice": 100, "bob": 100}


def test_a_client_pays_nothing_for_what_the_day_refuses(ledger):
    limited = with_limits(100, 100)
    limited.take("alice", 80)
    with pytest.raises(BudgetSpent):
        limited.take("bob", 30)
    assert ledger() == {"": 80, "alice": 80, "bob": 0}


def test_a_client_pays_nothing_if_the_row_of_the_day_does_not_answer(ledger, monkeypatch):
    limited = with_limits(100, 100)
    day = limited.take("alice", 30)
    add = Budget._add

    def unavailable(self, row, amount, limit):
        if row == day_row(day):
            raise StorageUnavailable
        return add(self, row, amount, limit)

    monkeypatch.setattr(Budget, "_add", unavailable)
    with pytest.raises(StorageUnavailable):
        limited.take("alice", 40)
    assert ledger() == {"": 30, "alice": 30}


@pytest.mark.parametrize(("leaving", "taken"), [(60, True), (61, False), (200, False)])
def test_money_is_taken_only_if_enough_is_left(ledger, leaving, taken):
    limited = with_limits(1000, 100)
    limited.take("alice", 10)
    try:
        limited.take("alice", 30, leaving)
    except BudgetSpent:
        assert not taken
    assert ledger() == dict.fromkeys(["", "alice"], 40 if taken else 10)


def test_the_unknown_are_limited_together(ledger):
    limited = with_limits(100, 10)
    limited.take("", 100)
    assert ledger() == {"": 100}


def test_what_was_not_used_is_given_back(ledger):
    limited = with_limits(1000, 500)
    day = limited.take("alice", 300)
    limited.refund("alice", 120, day)
    assert ledger() == {"": 180, "alice": 180}


def test_nobody_gets_back_more_than_was_taken(ledger):
    limited = with_limits(1000, 500)
    day = limited.take("alice", 100)
    limited.refund("alice", 101, day)
    assert ledger() == {"": 100, "alice": 100}


def test_every_day_begins_anew_and_is_forgotten_after_two(table, tomorrow, monkeypatch):
    """A job of a day's last moment may give money back a day later. Pseudonyms are kept no longer than that."""
    now = 1_800_000_000
    monkeypatch.setattr("faceblur.jobs.budget.time", SimpleNamespace(time=lambda: now))
    limited = with_limits(100, 100)
    limited.take("alice", 100)
    tomorrow()
    limited.take("alice", 100)
    rows = table.scan()["Items"]
    assert sorted(int(row["spent"]) for row in rows) == [100] * 4
    assert {int(row["expires_at"]) - now for row in rows} == {2 * 24 * 3600}


def test_what_a_day_paid_is_given_back_to_that_day(table, tomorrow):
    limited = with_limits(100)
    day = limited.take("", 60)
    tomorrow()
    limited.take("", 70)
    limited.refund("", 50, day)
    assert sorted(int(row["spent"]) for row in table.scan()["Items"]) == [10, 70]


def test_a_request_is_refused_before_anything_is_taken(ledger):
    limited = with_limits(1000, 100)
    limited.take("alice", 90)
    limited.require("alice", 10)
    limited.require("bob", 100)
    for client in ("alice", "bob"):
        with pytest.raises(BudgetSpent):
            limited.require(client, 101)
    assert ledger() == {"": 90, "alice": 90}


@pytest.mark.parametrize(("client", "limit"), [("alice", "client"), ("bob", "day"), ("", "day")])
def test_who_has_spent_too_much_is_counted(ledger, output, client, limit):
    """A day that is spent raises an alarm. A client that has spent its part raises none."""
    limited = with_limits(100, 60)
    limited.take("alice", 60)
    for refuse in (limited.take, limited.require):
        with pytest.raises(BudgetSpent):
            refuse(client, 50)
    assert [line["limit"] for line in output.metrics if "JobsRefused" in line] == [limit, limit]


def test_the_settings_are_dollars(monkeypatch):
    assert (config.microdollars_a_day(), config.microdollars_a_day_per_client()) == (0, 0)
    monkeypatch.setenv("DOLLARS_A_DAY", "2.5")
    assert (config.microdollars_a_day(), config.microdollars_a_day_per_client()) == (2_500_000, 500_000)
    monkeypatch.setenv("DOLLARS_A_DAY_PER_CLIENT", "0.000001")
    assert config.microdollars_a_day_per_client() == 1


def test_without_limits_the_table_is_not_asked(aws, call):
    unlimited = budget()  # there is no table
    assert unlimited.pseudonym("192.0.2.1") == ""
    unlimited.require("alice", 10**9)
    day = unlimited.take("alice", 10**9)
    unlimited.refund("alice", 10**9, day)
    with unlimited.paid("alice", call):
        pass


# ---------------------------------------------------------------- the time of a function


def test_a_call_pays_for_its_whole_time_before_it_works_and_gets_back_the_rest(warm, ledger, call):
    before = ledger()[""]
    with warm.paid("alice", call):
        assert ledger()["alice"] == pytest.approx(prices.TASK + MOST, abs=1)
        call.left -= 30_000
    assert ledger()["alice"] == pytest.approx(prices.TASK + MOST / 4, abs=2)
    assert ledger()[""] - before == ledger()["alice"]


def test_a_call_that_fails_gets_back_the_rest_too(warm, ledger, call):
    with pytest.raises(ValueError, match="broken"), warm.paid("alice", call):
        raise ValueError("broken")
    assert ledger()["alice"] == pytest.approx(prices.TASK, abs=2)


def test_a_call_that_dies_has_paid(warm, ledger, call):
    running = warm.paid("alice", call)
    running.__enter__()
    assert ledger()["alice"] == pytest.approx(prices.TASK + MOST, abs=1)


def test_a_new_process_pays_for_its_start(ledger, call):
    with with_limits(1_000_000).paid("", call):
        pass
    start = prices.function_time(MEMORY, prices.START_MILLISECONDS)
    assert ledger()[""] == pytest.approx(prices.TASK + start, abs=2)


def test_no_work_begins_for_which_no_money_is_left(call):
    with pytest.raises(BudgetSpent), with_limits(int(MOST)).paid("", call):
        pytest.fail("it began")


def test_work_that_is_done_does_not_fail_for_want_of_the_table(warm, call, output, monkeypatch):
    def unavailable(*_):
        raise StorageUnavailable

    monkeypatch.setattr(Budget, "refund", unavailable)
    with warm.paid("alice", call):
        pass
    assert [line["message"] for line in output.logs] == ["nothing was given back to the budget"]


# ---------------------------------------------------------------- pseudonyms


def test_processes_have_the_same_pseudonym_for_an_address(table):
    first, second = with_limits(100, 100), with_limits(100, 100)
    assert first.pseudonym("192.0.2.1") == second.pseudonym("192.0.2.1")
    assert first.pseudonym("192.0.2.1") != first.pseudonym("192.0.2.2")
    assert "192.0.2" not in json.dumps(table.scan()["Items"], default=str)


def test_a_job_from_before_midnight_and_one_from_after_it_share_the_limit_of_the_new_day(table, tomorrow):
    yesterday = with_limits(0, 100).pseudonym("192.0.2.1")
    tomorrow()
    limited = with_limits(0, 100)
    limited.take(yesterday, 100)
    with pytest.raises(BudgetSpent):
        limited.take(limited.pseudonym("192.0.2.1"), 1)
