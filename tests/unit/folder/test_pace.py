"""The pace: more photos at once as long as that helps, fewer requests when the API says so."""

from __future__ import annotations

import itertools
import threading

import httpx
import pytest

from faceblur_cli.folder.pace import Pace


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def pace_of(most: int, clock: Clock, *, grows: bool = True) -> Pace:
    return Pace(most, grows=grows, clock=clock)


def work(pace: Pace, clock: Clock, photos: int, fastest: float) -> list[int]:
    """Do photos of a second each, of which at most `fastest` end in a second; gives how many were allowed at once."""
    seen = [pace.allowed]
    for _ in range(photos):
        assert pace.take_place()
        clock.now += 1 / min(pace.allowed, fastest)
        pace.give_place_back(worked=True)
        if pace.allowed != seen[-1]:
            seen.append(pace.allowed)
    return seen


def test_it_grows_as_long_as_the_photos_get_faster() -> None:
    clock = Clock()
    assert work(pace_of(32, clock), clock, 1000, fastest=100) == [2, 3, 4, 6, 9, 13, 19, 28, 32]


def test_it_stops_where_more_do_not_help() -> None:
    clock = Clock()
    assert work(pace_of(32, clock), clock, 1000, fastest=5) == [2, 3, 4, 6, 9]


@pytest.mark.parametrize(("most", "seen"), [(1, [1]), (2, [2]), (3, [2, 3])])
def test_it_does_not_exceed_its_bound(most: int, seen: list[int]) -> None:
    clock = Clock()
    assert work(pace_of(most, clock), clock, 500, fastest=100) == seen


def test_a_number_of_ones_own_stays() -> None:
    clock = Clock()
    assert work(pace_of(7, clock, grows=False), clock, 500, fastest=100) == [7]


def test_files_that_are_no_work_say_nothing_about_the_speed() -> None:
    clock = Clock()
    pace = pace_of(32, clock)
    for _ in range(100):
        assert pace.take_place()
        pace.give_place_back(worked=False)
    assert pace.allowed == 2


def test_after_a_refusal_it_grows_again_to_less_than_was_refused() -> None:
    clock = Clock()
    pace = pace_of(32, clock)
    assert work(pace, clock, 140, fastest=100)[-1] == 13
    for _ in range(5):  # the answers to requests that were under way
        pace.slow_down()
    clock.now += 60
    assert work(pace, clock, 1000, fastest=100) == [6, 9, 12]


def test_many_refusals_leave_a_place() -> None:
    clock = Clock()
    pace = pace_of(32, clock)
    for _ in range(9):
        pace.slow_down()
        clock.now += 60
    assert pace.allowed == 1
    assert work(pace, clock, 100, fastest=100) == [1, 2]


def test_a_number_of_ones_own_stays_after_a_refusal() -> None:
    pace = pace_of(7, Clock(), grows=False)
    pace.slow_down()
    assert pace.allowed == 7


def test_pauses_get_longer_until_the_api_has_rested(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    pace = pace_of(32, clock)
    monkeypatch.setattr("random.uniform", lambda _, most: most)
    pauses = []
    for _ in range(9):
        pace.slow_down()
        pauses.append(pace._paused_until - clock.now)
        clock.now = pace._paused_until + 0.01
    assert pauses == pytest.approx([0.5, 1, 2, 4, 8, 16, 30, 30, 30])
    clock.now += 100
    pace.slow_down()
    assert pace._paused_until - clock.now == pytest.approx(0.5)


def test_all_requests_wait_and_the_answer_tells_to_pause() -> None:
    pace = Pace(4, grows=True)
    answers = itertools.chain([httpx.Response(429)], itertools.repeat(httpx.Response(200)))
    with httpx.Client(transport=httpx.MockTransport(lambda _: next(answers)), event_hooks=pace.hooks) as client:
        assert client.get("http://service.test").status_code == 429
        assert pace._paused_until > 0
        assert client.get("http://service.test").status_code == 200
        assert pace._clock() >= pace._paused_until


def test_the_end_wakes_all_who_wait() -> None:
    pace = Pace(1, grows=False, clock=Clock())
    assert pace.take_place()
    pace.slow_down()  # on a clock that stands still, for ever
    answers: list[bool] = []
    waiting = [
        threading.Thread(target=lambda: answers.append(pace.take_place())),
        threading.Thread(target=pace.wait),
    ]
    for thread in waiting:
        thread.start()
    pace.close()
    for thread in waiting:
        thread.join(30)
    assert answers == [False]
    assert not any(thread.is_alive() for thread in waiting)
