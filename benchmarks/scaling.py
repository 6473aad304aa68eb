"""What happens in the cloud at ten, a thousand and a hundred thousand photos an hour, and what a thousand photos cost.

A model, no measurement: from the seconds of each stage that `make load` measured, the list prices and AWS's quotas.
Little's law gives what is in work at a time: what arrives a second, times the seconds that it stays.

PYTHONPATH=functions .venv/bin/python benchmarks/scaling.py
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any

from report import RESULTS, publish

from faceblur.jobs.receipts import PRICES, PRICES_AS_OF, TRANSITIONS

RATES = (10, 1_000, 100_000)  # photos an hour
HOUR = 3600

# The rest of the list, in USD, us-east-1, on demand, as of PRICES_AS_OF; receipts.py has those that it needs.
MORE_PRICES = {
    "lambda_request": 0.20e-6,
    "express_request": 1.00e-6,
    "express_gb_second": 0.00001667,
    "api_call": 3.50e-6,
    "table_write": 0.625e-6,
    "table_read": 0.125e-6,
    "s3_write": 0.005e-3,  # PUT, POST, LIST
    "s3_read": 0.0004e-3,
    "sqs_request": 0.40e-6,
    "log_gb": 0.50,
}

# What a photo without surprises takes, counted in the code. A client that looks less often makes fewer calls.
API_CALLS = 13  # one to create the job; the others ask how it stands
TASKS = {"detect_faces": 2, "hide_faces": 1}
SMALL_INVOCATIONS = API_CALLS + 2  # with start_workflow and complete_job
TABLE_WRITES = 8  # create, count, claim, three stages, and the end, whose row takes two units
TABLE_READS = (
    API_CALLS + 2
)  # with those that see whether the job still exists: after its boxes and its draft are stored
S3_WRITES, S3_READS = 6, 7  # photo, boxes, result, receipt and two lists; three photos, boxes three times, the download
SQS_REQUESTS = 3
LOG_GB = 20e-6

# What was not measured here, for want of an account: a call of Rekognition's, what a task takes beside its stage
# (reading and writing photos and the row), and a small function.
CALL_SECONDS, TASK_SECONDS, SMALL_SECONDS = 0.5, 0.05, 0.05
CALLS_A_LOOK = 1  # photos up to two megapixels; one of 12 takes five

MB_PER_VCPU = 1769  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
MEASURED_VCPUS = 2
TASK_MB = {"embedded": 3008, "rekognition": 2048, "both": 3008}  # of detect_faces, as in the template
BLUR_MB, SMALL_MB, EXPRESS_MB = 3008, 512, 64


@dataclass(frozen=True)
class Quota:
    """A limit of AWS's or of the template's: so many a second, or at a time."""

    name: str
    most: float


# https://docs.aws.amazon.com/general/latest/gr/rekognition.html, …/lambda/latest/dg/gettingstarted-limits.html,
# …/step-functions/latest/dg/service-quotas.html: us-east-1. Elsewhere Rekognition allows as few as 5 calls a second.
REKOGNITION = Quota("Rekognition: calls a second", 50)
FEWER_CALLS = 5
CONCURRENCY = Quota("Lambda: functions at a time", 1_000)
STARTS = Quota("Step Functions: starts a second", 300)
TRANSITIONS_A_SECOND = Quota("Step Functions: transitions a second", 5_000)
# The template's own.
TAKEN_IN = Quota("MaximumConcurrency: photos taken in a second", 50)
API = Quota("RequestsASecond: API calls", 50)
DAILY = Quota("JobsADay", 10_000)


@dataclass(frozen=True)
class Durations:
    """Seconds of each stage on two processors of this machine, in the middle, when nothing else runs."""

    detect: float
    hide: float
    check: float


@dataclass(frozen=True)
class Photo:
    """What one photo takes in the cloud with this detector."""

    detector: str
    measured: Durations

    @property
    def calls(self) -> int:
        """Rekognition's, in two looks."""
        return 0 if self.detector == "embedded" else 2 * CALLS_A_LOOK

    @property
    def look_seconds(self) -> float:
        """Of both looks together, for which the embedded detector has fewer processors than it was measured on."""
        vcpus = TASK_MB[self.detector] / MB_PER_VCPU
        model = (self.measured.detect + self.measured.check) * MEASURED_VCPUS / min(vcpus, MEASURED_VCPUS)
        seconds = 0.0 if self.detector == "rekognition" else model
        return seconds + self.calls * CALL_SECONDS + TASKS["detect_faces"] * TASK_SECONDS

    @property
    def blur_seconds(self) -> float:
        """Of hide_faces, which uses one processor."""
        return self.measured.hide + TASKS["hide_faces"] * TASK_SECONDS

    @property
    def seconds(self) -> float:
        """Of the execution."""
        return self.look_seconds + self.blur_seconds + SMALL_SECONDS

    @property
    def gb_seconds(self) -> float:
        """Of all functions."""
        tasks = self.look_seconds * TASK_MB[self.detector] + self.blur_seconds * BLUR_MB
        return (tasks + SMALL_INVOCATIONS * SMALL_SECONDS * SMALL_MB) / 1024

    def usd(self, workflow: str) -> dict[str, float]:
        """The price by service, in a workflow of the type STANDARD or EXPRESS."""
        express = self.seconds * EXPRESS_MB / 1024 * MORE_PRICES["express_gb_second"] + MORE_PRICES["express_request"]
        return {
            "Lambda": self.gb_seconds * PRICES["lambda_gb_second"]
            + (SMALL_INVOCATIONS + sum(TASKS.values())) * MORE_PRICES["lambda_request"],
            "Step Functions": TRANSITIONS * PRICES["state_transition"] if workflow == "STANDARD" else express,
            "Rekognition": self.calls * PRICES["detector_call"],
            "API Gateway": API_CALLS * MORE_PRICES["api_call"],
            "DynamoDB": TABLE_WRITES * MORE_PRICES["table_write"] + TABLE_READS * MORE_PRICES["table_read"],
            "S3": S3_WRITES * MORE_PRICES["s3_write"] + S3_READS * MORE_PRICES["s3_read"],
            "SQS": SQS_REQUESTS * MORE_PRICES["sqs_request"],
            "logs": LOG_GB * MORE_PRICES["log_gb"],
        }

    def load(self, rate: float) -> list[tuple[Quota, float, bool]]:
        """How much of each quota so many photos an hour take, and whether photos that exceed it wait for it."""
        a_second = rate / HOUR
        busy = self.look_seconds + self.blur_seconds + SMALL_INVOCATIONS * SMALL_SECONDS
        return [
            (REKOGNITION, a_second * self.calls, True),
            (CONCURRENCY, a_second * busy, True),
            (STARTS, a_second, True),
            (TRANSITIONS_A_SECOND, a_second * TRANSITIONS, True),
            (TAKEN_IN, a_second, True),
            (API, a_second * API_CALLS, False),
            (DAILY, rate * 24, False),
        ]

    def wait(self, rate: float, calls_a_second: float = REKOGNITION.most) -> float:
        """The seconds for which the last photo of an hour at this rate waits for a quota, beside its own time."""
        most = {REKOGNITION: calls_a_second}
        over = max(taken / most.get(quota, quota.most) for quota, taken, waits in self.load(rate) if waits)
        return max(0.0, over - 1) * HOUR


def rate_row(rate: int, photo: Photo) -> dict[str, Any]:
    """What happens at this rate."""
    a_second = rate / HOUR
    hit = [
        f"{quota.name} ({taken:,.0f} of {quota.most:,.0f})"
        for quota, taken, _ in photo.load(rate)
        if taken > quota.most
    ]
    return {
        "photos an hour": f"{rate:,}",
        "detector": photo.detector,
        "executions at a time": a_second * photo.seconds,
        "detect_faces at a time": a_second * photo.look_seconds,
        "age of the queue, s": round(max(0.0, a_second / TAKEN_IN.most - 1) * HOUR),
        "the last photo of an hour waits, s": round(photo.wait(rate)),
        f"with {FEWER_CALLS} calls a second, s": round(photo.wait(rate, FEWER_CALLS)),
        "quotas hit": "; ".join(hit) or "none",
        "USD an hour": rate * sum(photo.usd("STANDARD").values()),
    }


def price_row(photo: Photo, workflow: str) -> dict[str, Any]:
    """What a thousand photos cost."""
    usd = {service: 1_000 * price for service, price in photo.usd(workflow).items()}
    return {"detector": photo.detector, "workflow": workflow, **usd, "USD a thousand": sum(usd.values())}


def measured() -> Durations:
    """What `make load` measured last."""
    rows = json.loads((RESULTS / "load.json").read_text())["measured"]
    seconds = {row["stage"]: row["milliseconds"] / 1000 for row in rows if "stage" in row}
    return Durations(seconds["detect"], seconds["hide"], seconds["check"])


def main() -> int:
    """Write both tables."""
    photos = [Photo(detector, measured()) for detector in ("embedded", "rekognition", "both")]
    prices = [price_row(photo, workflow) for photo in photos for workflow in ("STANDARD", "EXPRESS")]
    rates = [rate_row(rate, photo) for rate in RATES for photo in photos]
    about = [{"prices_as_of": PRICES_AS_OF, "prices_usd": PRICES | MORE_PRICES, "seconds": vars(measured())}]
    return publish("scaling-prices", about + prices, [], prices) | publish("scaling", about + rates, [], rates)


if __name__ == "__main__":
    sys.exit(main())
