"""The handler around every function under test: it first does what a test has planned for this call.

A plan is a file `JOB.FUNCTION`. Each of its lines is a step: a JSON object for the next call. A call to the API may
have no job yet, so its step is in the header `X-Fault`. An empty step `{}` does nothing. Other steps have one of

    {"raise": NAME}        raise an error with this name
    {"exit": CODE}         exit the process
    {"signal": NUMBER}     send the process this signal
    {"wait_for": PATH}     wait until this file exists
    {"finds": BOXES}       the detector answers with these boxes, without reading the photo
    {"imagines": BOXES}    the detector adds these boxes to what it finds
    {"aws": {"service": NAME, "answer": ANSWER, "after": NUMBER, "times": COUNT}}
                           let NUMBER requests to this service pass, then give COUNT requests this answer: `throttled`,
                           `broken` (500), `refused` (no permission), `reset` (no connection) or `lost` (done, but
                           answered 500); `killed` kills the process at the next request instead

A step may also have `"after": true` (raise, exit or signal only when the work is done), `"environment": {NAME: VALUE}`
(set for this call), and `"ahead": SECONDS` (photos seem this much older).

A file `JOB.case` names a case of the mocked service integrations, as in Step Functions Local. The job's execution is
started with it.

`injected.jsonl` lists the faults that were injected, and messages that are delivered for the third time or more. A
file `JOB.FUNCTION.ended` says that the function has finished for this job.
"""

import fcntl
import importlib
import json
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session

_NAME = os.environ["_HANDLER"]
_FUNCTION = _NAME.split(".")[0]
_PLANS = Path(os.environ["FAULT_PLANS"])
_JOB = re.compile(r'(?:uploads(?:/|%2F)|:execution:[^:"]+:)([0-9a-f]{32})')

_THROTTLED = {
    "s3": (503, "SlowDown"),
    "dynamodb": (400, "ProvisionedThroughputExceededException"),
    "sfn": (400, "ThrottlingException"),
    "rekognition": (400, "ThrottlingException"),
}
_REFUSED = {"s3": (403, "AccessDenied")}
# The answers to this call's next requests to AWS.
_requests: dict[str, Any] = {}


def _real() -> Any:
    module, name = _NAME.rsplit(".", 1)
    return getattr(importlib.import_module(module), name)


def _jobs(event: dict[str, Any]) -> list[str]:
    if "job_id" in event:
        return [str(event["job_id"])]
    if "detail" in event:
        return [str(event["detail"]["name"])]
    return list(dict.fromkeys(_JOB.findall(json.dumps(event))))


def _planned(job: str) -> dict[str, Any]:
    plan = _PLANS / f"{job}.{_FUNCTION}"
    if not plan.exists():
        return {}
    with plan.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        first, _, rest = file.read().partition("\n")
        file.seek(0)
        file.truncate()
        file.write(rest)
    return json.loads(first) if first else {}


def _next_step(event: dict[str, Any], jobs: list[str]) -> dict[str, Any]:
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    if "x-fault" in headers:
        return json.loads(headers["x-fault"])
    return next((step for step in map(_planned, jobs) if step), {})


def _tell(step: dict[str, Any], event: dict[str, Any], jobs: list[str]) -> None:
    line = {"function": _FUNCTION, "jobs": jobs, "deliveries": _deliveries(event), "step": step}
    with (_PLANS / "injected.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


def _deliveries(event: dict[str, Any]) -> int:
    """How often the queue has delivered this message; 0 for an event that no queue delivered."""
    counts = [record["attributes"]["ApproximateReceiveCount"] for record in event.get("Records", [])]
    return max(map(int, counts), default=0)


def _fail(step: dict[str, Any]) -> None:
    if "raise" in step:
        raise type(step["raise"], (Exception,), {})("planned by a test")
    if "exit" in step:
        os._exit(step["exit"])
    if "signal" in step:
        os.kill(os.getpid(), step["signal"])


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = os.environ.copy()
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _detecting(step: dict[str, Any]) -> Iterator[None]:
    if not step.keys() & {"finds", "imagines"}:
        yield
        return
    app, base, geometry = map(importlib.import_module, ("detect.app", "faceblur.detectors.base", "faceblur.geometry"))
    real = app.detector_named

    class Planned:
        def __init__(self, detector: Any) -> None:
            self.detector = detector

        def detect(self, *asked: Any) -> Any:
            if "finds" in step:
                found = base.Detection([], "embedded", "planned", 0, [])
            else:
                found = self.detector.detect(*asked)
            boxes = [geometry.Box(**box) for box in step.get("finds", step.get("imagines"))]
            return replace(found, boxes=[*found.boxes, *boxes])

    app.detector_named = lambda *args, **options: Planned(real(*args, **options))
    try:
        yield
    finally:
        app.detector_named = real


@contextmanager
def _ahead(seconds: float) -> Iterator[None]:
    storage = importlib.import_module("faceblur.jobs.storage")

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + timedelta(seconds=seconds)

    storage.datetime = Ahead
    try:
        yield
    finally:
        storage.datetime = datetime


def _answer_for_aws(request: Any, event_name: str, **_: Any) -> AWSResponse | None:
    service = event_name.split(".")[1]
    if _requests.get("service") != service or _requests["times"] == 0:
        return None
    if _requests["after"]:
        _requests["after"] -= 1
        return None
    _requests["times"] -= 1
    match _requests["answer"]:
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "reset":
            raise ConnectionClosedError(endpoint_url=request.url)
        case "throttled":
            status, code = _THROTTLED[service]
        case "refused":
            status, code = _REFUSED.get(service, (400, "AccessDeniedException"))
        case "broken":
            status, code = 500, "InternalServerError"
        case "lost":
            URLLib3Session().send(request)
            status, code = 500, "InternalServerError"
    # It names what was asked for, as AWS does when a permission is missing.
    message = f"planned by a test, for {urlsplit(request.url).path}"
    xml = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    body = xml if service == "s3" else json.dumps({"__type": code, "message": message})
    return AWSResponse(request.url, status, {}, _Body(body.encode()))


class _Body(BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def _in_its_case(params: dict[str, Any], **_: Any) -> None:
    case = _PLANS / f"{params['name']}.case"
    if case.exists():
        params["stateMachineArn"] += f"#{case.read_text()}"


boto3.setup_default_session()
boto3.DEFAULT_SESSION.events.register("before-send", _answer_for_aws)
boto3.DEFAULT_SESSION.events.register("provide-client-params.sfn.StartExecution", _in_its_case)


def handler(event: dict[str, Any], context: Any) -> Any:
    jobs = _jobs(event)
    step = _next_step(event, jobs)
    if step.keys() - {"environment", "ahead"} or _deliveries(event) >= 3:
        _tell(step, event, jobs)
    if not step.get("after"):
        _fail(step)
    emulator = os.getppid()
    while "wait_for" in step and not Path(step["wait_for"]).exists():
        if os.getppid() != emulator:
            os._exit(1)  # the stack is gone, and nobody waits for this one
        time.sleep(0.02)
    _requests.clear()
    _requests.update(step.get("aws", {}))
    try:
        with _environment(step.get("environment", {})), _ahead(step.get("ahead", 0)), _detecting(step):
            answer = _real()(event, context)
    finally:
        for job in jobs:
            (_PLANS / f"{job}.{_FUNCTION}.ended").touch()
    if step.get("after"):
        _fail(step)
    return answer
