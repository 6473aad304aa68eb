"""What happens in the cloud at ten, a thousand and a hundred thousand photos an hour, what a thousand photos cost, and
how long batches of five thousand and five million take.

This is a model and no measurement. Its formulas:

- at work at a time = arrivals a second × seconds each takes (Little's law)
- wait of the last photo of an hour = (what the hour asks of a quota ÷ what the quota allows − 1) × one hour
- price of a photo = Σ units used × price of a unit

PYTHONPATH=functions .venv/bin/python -m benchmarks.scaling
"""

from __future__ import annotations

import sys
from math import ceil
from typing import Any

from benchmarks.report import publish
from faceblur import prices
from faceblur.jobs.receipts import TRANSITIONS

DETECTORS = ("embedded", "rekognition", "both")
RATES = (10, 1_000, 100_000)  # photos an hour
HOUR = 3600
# Batches: photos, and how many are worked on at once. The first is the default of PhotosAtOnce, the other its maximum.
BATCHES = ((5_000, 40), (5_000_000, 40), (5_000_000, 1_000))
PHOTOS_A_BATCH, HOURS_A_BATCH = 500_000, 20

# Seconds of each stage on two processors, the median of photos that had the machine to themselves, by `make load`.
DETECT, HIDE, CHECK = 0.4495, 0.030, 0.4645
MEASURED_VCPUS = 2
# Seconds that were not measured, for want of an account: a call to Rekognition, what a task does beside its stage
# (reading and writing photos and the row), and a small function.
CALL, TASK, SMALL = 0.5, 0.05, 0.05
# What an execution waits, beside the work, for another one that it has started.
NESTED = 1.0

# What a photo takes whose first check finds nothing, counted in the code: one detection, one check, and one pass of
# hiding.
CALLS = {
    "embedded": 0,
    "rekognition": 2,
    "both": 2,
}  # to Rekognition, up to two megapixels; 12 megapixels take five times
API_CALLS = 13  # one creates the job, the others ask for its status; a client that asks less often makes fewer
SMALL_INVOCATIONS = API_CALLS + 2  # the API, start_workflow, and complete_job
BATCH_TRANSITIONS = 8  # of which BATCHED in prices consists
TASKS = 3  # detect twice, hide once
UNITS = {
    "lambda_request": SMALL_INVOCATIONS + TASKS,
    "api_call": API_CALLS,
    "table_write": 22,  # create, claim, three stages, the end, whose row takes two units, and 15 for the budget
    "table_read": API_CALLS + 5,  # the API, three functions that ask about the job, and two rows of the budget
    "s3_write": 6,  # photo, boxes, result, receipt and two lists
    "s3_read": 7,  # the photo three times, the boxes three times, the download
    "sqs_request": 3,
    "log_gb": 20e-6,
}
SERVICES = {
    "API Gateway": ["api_call"],
    "DynamoDB": ["table_write", "table_read"],
    "S3": ["s3_write", "s3_read"],
    "SQS": ["sqs_request"],
    "logs": ["log_gb"],
}
# USD, as the receipts and the budget have them; an EXPRESS workflow is priced here alone.
USD = {
    unit: price / prices.A_DOLLAR
    for unit, price in {
        "detector_call": prices.REKOGNITION_CALL,
        "state_transition": prices.STATE_TRANSITION,
        "lambda_gb_second": prices.GB_SECOND,
        "lambda_request": prices.LAMBDA_REQUEST,
        "express_request": 1.0,
        "express_gb_second": 16.67,
        "api_call": prices.API_CALL,
        "table_write": prices.TABLE_WRITE,
        "table_read": prices.TABLE_READ,
        "s3_write": prices.S3_WRITE,
        "s3_read": prices.S3_READ,
        "sqs_request": prices.SQS_REQUEST,
        "log_gb": prices.LOG_GB,
    }.items()
}

MB_PER_VCPU = 1769  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
DETECT_MB = {"embedded": 3008, "rekognition": 2048, "both": 3008}
HIDE_MB, SMALL_MB, EXPRESS_MB = 3008, 512, 64

# https://docs.aws.amazon.com/general/latest/gr/rekognition.html, …/lambda/latest/dg/gettingstarted-limits.html,
# …/step-functions/latest/dg/service-quotas.html: us-east-1. Elsewhere Rekognition allows as few as 5 calls a second.
REKOGNITION, FEWEST_CALLS = 50, 5
CONCURRENCY, STARTS, TRANSITION_RATE = 1_000, 300, 5_000
# The template's own: MaximumConcurrency takes in so many photos a second; the other two are parameters. The money is
# that of a deployment with sign-in.
TAKEN_IN, REQUESTS_A_SECOND, DOLLARS_A_DAY = 50, 20, 25


def detect_seconds(detector: str) -> float:
    """Seconds that detect runs for a photo, first detection and one check together."""
    model = (DETECT + CHECK) * MEASURED_VCPUS / min(DETECT_MB[detector] / MB_PER_VCPU, MEASURED_VCPUS)
    return (0 if detector == "rekognition" else model) + CALLS[detector] * CALL + 2 * TASK


def seconds(detector: str) -> float:
    """Seconds that the execution of a photo runs."""
    return detect_seconds(detector) + HIDE + TASK + SMALL


def usd(detector: str, workflow: str) -> dict[str, float]:
    """What a photo costs by service, in a workflow of the type STANDARD or EXPRESS."""
    of_detect, of_hide = detect_seconds(detector) * DETECT_MB[detector], (HIDE + TASK) * HIDE_MB
    gb_seconds = (of_detect + of_hide + SMALL_INVOCATIONS * SMALL * SMALL_MB) / 1024
    express = USD["express_request"] + seconds(detector) * EXPRESS_MB / 1024 * USD["express_gb_second"]
    return {
        "Lambda": gb_seconds * USD["lambda_gb_second"] + UNITS["lambda_request"] * USD["lambda_request"],
        "Step Functions": TRANSITIONS * USD["state_transition"] if workflow == "STANDARD" else express,
        "Rekognition": CALLS[detector] * USD["detector_call"],
    } | {service: sum(UNITS[unit] * USD[unit] for unit in units) for service, units in SERVICES.items()}


def budgeted(detector: str) -> float:
    """USD that the budget counts for a photo: all but what clients ask of the API."""
    time = prices.function_time(DETECT_MB[detector], detect_seconds(detector) * 1000)
    time += prices.function_time(HIDE_MB, (HIDE + TASK) * 1000)
    calls = CALLS[detector] * prices.REKOGNITION_CALL
    return (prices.JOB + TASKS * prices.TASK + time + calls) / prices.A_DOLLAR


def shares(detector: str, rate: float, rekognition: float = REKOGNITION) -> dict[str, tuple[float, float]]:
    """What photos arriving at this rate an hour ask of each quota that makes them wait, and what the quota allows."""
    a_second = rate / HOUR
    busy = detect_seconds(detector) + HIDE + TASK + SMALL_INVOCATIONS * SMALL
    return {
        "Rekognition: calls a second": (a_second * CALLS[detector], rekognition),
        "Lambda: functions at a time": (a_second * busy, CONCURRENCY),
        "Step Functions: starts a second": (a_second, STARTS),
        "Step Functions: transitions a second": (a_second * TRANSITIONS, TRANSITION_RATE),
        "MaximumConcurrency: photos taken in a second": (a_second, TAKEN_IN),
    }


def refusing(detector: str, rate: float) -> dict[str, tuple[float, float]]:
    """The same of the quotas above which a request is refused."""
    return {
        "RequestsASecond: API calls": (rate / HOUR * API_CALLS, REQUESTS_A_SECOND),
        "DollarsADay": (rate * 24 * budgeted(detector), DOLLARS_A_DAY),
    }


def wait(detector: str, rate: float, rekognition: float = REKOGNITION) -> float:
    """The seconds that the last photo of an hour at this rate waits for a quota, beside its own time."""
    fullest = max(asked / allowed for asked, allowed in shares(detector, rate, rekognition).values())
    return max(0.0, fullest - 1) * HOUR


def exceeded(quotas: dict[str, tuple[float, float]]) -> str:
    """Those quotas of which more is asked than they allow."""
    names = [f"{name} ({ask:,.0f} of {allowed:,})" for name, (ask, allowed) in quotas.items() if ask > allowed]
    return "; ".join(names) or "none"


def rate_row(detector: str, rate: int) -> dict[str, Any]:
    """What happens at this rate."""
    quotas = shares(detector, rate) | refusing(detector, rate)
    return {
        "photos an hour": f"{rate:,}",
        "detector": detector,
        "executions at a time": rate / HOUR * seconds(detector),
        "detect at a time": rate / HOUR * detect_seconds(detector),
        "extra wait, s": round(wait(detector, rate)),
        f"with {FEWEST_CALLS} calls a second, s": round(wait(detector, rate, FEWEST_CALLS)),
        "quotas exceeded": exceeded(quotas),
        "USD an hour": rate * sum(usd(detector, "STANDARD").values()),
    }


def batch_row(detector: str, photos: int, at_once: int) -> dict[str, Any]:
    """How long so many photos take, so many at once, and what they cost.

    Each photo starts two executions, beside that of the map, which has a quota of its own. Its two further functions
    take as long as other small ones. No client asks for single jobs.
    """
    a_second = at_once / (seconds(detector) + 2 * SMALL + 2 * NESTED)
    hours = photos / a_second / HOUR
    batches = max(ceil(photos / PHOTOS_A_BATCH), ceil(hours / HOURS_A_BATCH))
    of_one = shares(detector, a_second * HOUR)
    quotas = {
        "Rekognition: calls a second": of_one["Rekognition: calls a second"],
        "Lambda: functions at a time": of_one["Lambda: functions at a time"],
        "Step Functions: starts a second": (2 * a_second, STARTS),
        "Step Functions: transitions a second": (a_second * (TRANSITIONS + BATCH_TRANSITIONS), TRANSITION_RATE),
    }
    usd_each = sum(usd(detector, "STANDARD").values()) - API_CALLS * USD["api_call"] + prices.BATCHED / prices.A_DOLLAR
    return {
        "photos": f"{photos:,}",
        "detector": detector,
        "at once": f"{at_once:,}",
        "photos a minute": f"{60 * a_second:,.0f}",
        "hours": hours,
        "batches": batches,
        "quotas exceeded": exceeded(quotas),
        "USD": f"{photos * usd_each:,.2f}",
    }


def price_rows() -> list[dict[str, Any]]:
    """What a thousand photos cost: a row each service, a column each detector and type of workflow."""
    prices = {
        f"{detector}, {workflow}": {name: 1_000 * price for name, price in usd(detector, workflow).items()}
        for detector in DETECTORS
        for workflow in ("STANDARD", "EXPRESS")
    }
    services = list(next(iter(prices.values())))
    rows = [{"service": name} | {column: of[name] for column, of in prices.items()} for name in services]
    return [*rows, {"service": "all"} | {column: sum(of.values()) for column, of in prices.items()}]


def main() -> int:
    """Write the tables."""
    rates = [rate_row(detector, rate) for rate in RATES for detector in DETECTORS]
    batches = [batch_row(detector, *batch) for batch in BATCHES for detector in DETECTORS]
    publish("scaling-batches", [], [], batches)
    return publish("scaling-prices", [], [], price_rows()) | publish("scaling", [], [], rates)


if __name__ == "__main__":
    sys.exit(main())
