"""Work on all of the processors at a time."""

from __future__ import annotations

import threading

import pytest

from faceblur.parallel import at_once, processors


@pytest.mark.parametrize(
    ("memory", "threads"), [(None, 6), ("128", 1), ("1769", 1), ("3538", 2), ("5307", 3), ("10240", 6)]
)
def test_threads_are_what_the_memory_buys(monkeypatch, memory, threads):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(6)))
    if memory:
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memory)
    assert processors() == threads


def test_results_come_in_the_order_of_the_parts(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    second_is_done = threading.Event()

    def work(part):
        if part == 1:
            assert second_is_done.wait(10)
        else:
            second_is_done.set()
        return part * 10

    assert at_once(work, [1, 2]) == [10, 20]


def test_what_goes_wrong_with_a_part_is_raised():
    with pytest.raises(ZeroDivisionError):
        at_once(lambda part: 1 / part, [1, 0, 2])
