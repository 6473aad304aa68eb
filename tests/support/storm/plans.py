"""The plans of a storm: the faults that each job meets, drawn from the storm's seed.

Each chance is for one call, or for one job. verdict.py says which outcomes a fault may explain.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.support.storm.portraits import Portrait, no_photos, portraits

Step = dict[str, Any]

# How many calls of each function get a drawn step; further calls have no fault.
CALLS = {"start_workflow": 3, "detect": 6, "hide": 4, "complete_job": 3, "fail_job": 5, "fail_upload": 5}
SERVICES = {
    "start_workflow": ("sfn", "dynamodb", "s3"),
    "detect": ("s3", "dynamodb", "rekognition"),
    "hide": ("s3", "dynamodb"),
    "complete_job": ("s3", "dynamodb"),
    "fail_job": ("s3", "dynamodb"),
    "fail_upload": ("s3", "dynamodb"),
    "delete_job": ("s3", "dynamodb", "sfn"),
    "create_job": ("dynamodb",),
    "get_job": ("dynamodb", "s3"),
}
FAULTY_CALL = 0.14
FAULTS = {"transient": 40, "aws": 30, "error": 5, "exit": 2, "killed": 3, "hang": 1}
ANSWERS = {"throttled": 4, "broken": 4, "reset": 3, "lost": 3, "refused": 2, "killed": 2}
AFTER = 0.4  # of the errors, exits and kills come after the work is done
TRANSIENT = (
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "StorageUnavailable",
)
DETECTORS = ("DetectorThrottled", "DetectorUnavailable")
# The chance of an outage of one function for one job. It lasts longer than the state machine retries a task, and longer
# than a queue delivers a message. (A queue waits longer before its next delivery, so fewer calls are enough.)
OUTAGE = 0.03
OUTAGE_CALLS = {"detect": 40, "hide": 40, "complete_job": 40, "fail_job": 9, "fail_upload": 9}

# Faults of the state machine's own calls to DynamoDB and S3: the state, and the error of every attempt.
CASES = {
    "claim-throttled": ("Claim the job", "DynamoDB.ThrottlingException"),
    "claim-refused": ("Claim the job", "DynamoDB.AccessDeniedException"),
    "claim-too-slow": ("Claim the job", "States.Timeout"),
    "delete-broken": ("Delete the original", "S3.S3Exception"),
    "delete-too-slow": ("Delete the original", "States.Timeout"),
    "record-throttled": ("Record the failure", "DynamoDB.ProvisionedThroughputExceededException"),
    "record-refused": ("Record the failure", "DynamoDB.AccessDeniedException"),
    "record-too-slow": ("Record the failure", "States.Timeout"),
}
CASE = 0.1

UPLOADS = {"once": 85, "twice": 6, "another": 4, "never": 5}
INTERFERENCE = {"": 88, "abort": 5, "time out": 3, "delete": 4}


@dataclass(frozen=True)
class Plan:
    """The events of one job.

    `uploads` is one of UPLOADS; `another` is the second photo. `interference` comes `after` this many seconds. `steps`
    has the steps of faults.py for each function; `creation` and `deletion` have those for calls to the API. If
    `overlooked`, the first detection misses a face.
    """

    number: int
    photo: Portrait
    options: dict[str, Any]
    uploads: str
    another: Portrait
    interference: str
    after: float
    detector: str
    overlooked: bool
    case: str
    creation: Step
    deletion: list[Step]
    steps: dict[str, list[Step]] = field(default_factory=dict)

    @property
    def photos(self) -> tuple[Portrait, ...]:
        """The photos that the client uploads, in this order."""
        return {
            "once": (self.photo,),
            "twice": (self.photo, self.photo),
            "another": (self.photo, self.another),
            "never": (),
        }[self.uploads]


def plan(seed: int, number: int, never: str | None) -> Plan:
    """Draw the plan of this job. `never` is the path of a file that never exists, for functions that may hang."""
    random = Random(f"{seed}/{number}")
    chance = random.random
    photo = random.choice(no_photos() if chance() < 0.04 else portraits())
    detector = "embedded" if chance() < 0.05 else "rekognition"
    steps = {
        function: [_step(random, function, never) if chance() < FAULTY_CALL else {} for _ in range(calls)]
        for function, calls in CALLS.items()
    }
    if chance() < OUTAGE:
        function = random.choice(tuple(OUTAGE_CALLS))
        steps[function] = [{"raise": _transient(random, function)}] * OUTAGE_CALLS[function]
    if chance() < 0.02:
        steps["detect"] = [{}, *({"imagines": [_phantom(random)]} for _ in range(random.randint(1, 5)))]
    if detector == "embedded":
        environment = {"environment": {"FACE_DETECTOR": detector}}
        steps["detect"] = [step | environment for step in (steps["detect"] + [{}] * 10)]
    return Plan(
        number=number,
        photo=photo,
        options={
            "style": random.choice(("blur", "pixelate", "solid")),
            "shape": random.choice(("ellipse", "rounded", "box")),
            "keep_original": int(chance() < 0.05),
        },
        uploads=_drawn(random, UPLOADS),
        another=random.choice(portraits()),
        interference=_drawn(random, INTERFERENCE),
        after=random.uniform(0, 2.5),
        detector=detector,
        overlooked=chance() < 0.05,
        case=random.choice(tuple(CASES)) if chance() < CASE else "",
        creation=_step(random, "create_job", None) if chance() < 0.05 else {},
        deletion=[_step(random, "delete_job", None) for _ in range(random.randint(0, 2))],
        steps=steps,
    )


def _phantom(random: Random) -> dict[str, Any]:
    """A small box that a check finds where there is no face."""
    place = {"left": random.uniform(0, 0.95), "top": random.uniform(0, 0.95)}
    return place | {"width": 0.05, "height": 0.05, "confidence": 90.0, "found_by": "embedded"}


def mocked(state_machine: str) -> dict[str, Any]:
    """CASES in the format of Step Functions Local's mock configuration, for the state machine with this name."""
    return {
        "StateMachines": {
            state_machine: {"TestCases": {case: {state: case} for case, (state, _) in CASES.items()}},
        },
        "MockedResponses": {
            case: {"0": {"Throw": {"Error": error, "Cause": "planned by a test"}}} for case, (_, error) in CASES.items()
        },
    }


def faulty_read(random: Random) -> Step:
    """A step for a call that only reads."""
    return _step(random, "get_job", None)


def _step(random: Random, function: str, never: str | None) -> Step:
    after = {"after": True} if random.random() < AFTER else {}
    kinds = {kind: weight for kind, weight in FAULTS.items() if kind != "hang" or (never and function in CALLS)}
    match _drawn(random, kinds):
        case "transient":
            return {"raise": _transient(random, function)} | after
        case "aws":
            answer = _drawn(random, ANSWERS)
            times = random.choice((1, 2, 3, 12))
            service = random.choice(SERVICES[function])
            return {"aws": {"service": service, "answer": answer, "after": random.randint(0, 3), "times": times}}
        case "error":
            return {"raise": "KeyError"} | after
        case "exit":
            return {"exit": 1} | after
        case "killed":
            return {"signal": int(signal.SIGKILL)} | after
        case _:
            return {"wait_for": never}


def _transient(random: Random, function: str) -> str:
    return random.choice(TRANSIENT + DETECTORS if function == "detect" else TRANSIENT)


def _drawn(random: Random, weights: dict[str, int]) -> str:
    return random.choices(list(weights), list(weights.values()))[0]
