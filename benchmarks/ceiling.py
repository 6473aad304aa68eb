"""The most that strangers can make a stack cost in a day, as it is deployed by default.

This is a model and no measurement: every number is a limit of the template, or a list price.

PYTHONPATH=functions .venv/bin/python -m benchmarks.ceiling
"""

from __future__ import annotations

import sys

from benchmarks.report import publish
from benchmarks.scaling import REQUESTS_A_SECOND, SMALL_MB
from faceblur import prices
from faceblur.jobs.batch_runs import SAMPLE

DAY = 24 * 60 * 60  # seconds
# The defaults of DollarsADay.
DOLLARS_A_DAY = {"without sign-in": 5, "with sign-in": 25}
# How often the state machine tries each task again if Lambda refuses the call.
THROTTLED_TRIES = 30


def request(*, signs_in: bool) -> float:
    """Microdollars of the dearest request, which asks for a batch that runs, with a function that runs a second.

    It reads the row, lists the photos that are done, and reads ten of them. Each token that is new asks the authorizer
    first. Other requests cost two thirds.
    """
    function = prices.LAMBDA_REQUEST + prices.function_time(SMALL_MB, 1000)
    functions = 2 * function if signs_in else function
    done = prices.S3_WRITE + SAMPLE * prices.S3_READ
    return prices.API_CALL + functions + prices.TABLE_WRITE + done + 1e-6 * prices.LOG_GB


def ceiling(dollars: float, *, signs_in: bool) -> dict[str, float]:
    """USD in a day with this budget, by what it is spent for.

    A job pays JOB, and TASK, which is less, for each task that begins. If one is never begun, it is the last. So each
    task has at least TASK paid for it. The three tasks that a batch adds are paid with BATCHED. A job has no time for
    all those tries; this counts them nevertheless.
    """
    tasks = dollars * prices.A_DOLLAR / prices.TASK
    spent = {
        "photos: `DollarsADay`": dollars,
        "requests: `RequestsASecond`": REQUESTS_A_SECOND * DAY * request(signs_in=signs_in),
        "further tries of throttled functions, 30 for each task": tasks * THROTTLED_TRIES * prices.STATE_TRANSITION,
    }
    usd = {name: amount if amount is dollars else amount / prices.A_DOLLAR for name, amount in spent.items()}
    return usd | {"at most": sum(usd.values())}


def rows() -> list[dict[str, str]]:
    """The table: a row for each kind of expense, a column without and one with sign-in."""
    columns = {name: ceiling(dollars, signs_in=name == "with sign-in") for name, dollars in DOLLARS_A_DAY.items()}
    expenses = next(iter(columns.values()))
    return [
        {"USD a day": expense} | {name: f"{column[expense]:.2f}" for name, column in columns.items()}
        for expense in expenses
    ]


if __name__ == "__main__":
    sys.exit(publish("ceiling", [], [], rows()))
