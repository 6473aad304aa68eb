"""The handler under which the tests run every function: it first does what a test has planned for this call.

A plan is a file `JOB.FUNCTION` with a JSON object a line, one for each coming call:
`{"raise": NAME}` an error of that name, `{"exit": CODE}` the end of the process, `{"wait_for": PATH}` waiting
until that file is there, `{"return": VALUE}` an answer instead of the function's own, `{"set": {NAME: VALUE}}` other
settings of faceblur.config during the call, `{}` nothing.
A file `JOB.FUNCTION.ended` says that the function has come to an end for that job.
"""

import fcntl
import importlib
import json
import os
import re
import time
from pathlib import Path
from typing import Any

_NAME = os.environ["_HANDLER"]
_FUNCTION = _NAME.split(".")[0]
_PLANS = Path(os.environ["FAULT_PLANS"])


def _real() -> Any:
    module, name = _NAME.rsplit(".", 1)
    return getattr(importlib.import_module(module), name)


def _job(event: dict[str, Any]) -> str:
    if "job_id" in event:
        return str(event["job_id"])
    if "detail" in event:
        return str(event["detail"]["name"])
    found = re.search(r"uploads(?:/|%2F)([0-9a-f]{32})", json.dumps(event))
    return found.group(1) if found else ""


def _next_step(job: str) -> dict[str, Any]:
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


def handler(event: dict[str, Any], context: Any) -> Any:
    step = _next_step(_job(event))
    if "raise" in step:
        raise type(step["raise"], (Exception,), {})("planned by a test")
    if "exit" in step:
        os._exit(step["exit"])
    if "return" in step:
        return step["return"]
    while "wait_for" in step and not Path(step["wait_for"]).exists():
        time.sleep(0.02)
    config = importlib.import_module("faceblur.config")
    before = {name: getattr(config, name) for name in step.get("set", {})}
    vars(config).update(step.get("set", {}))
    try:
        return _real()(event, context)
    finally:
        vars(config).update(before)
        (_PLANS / f"{_job(event)}.{_FUNCTION}.ended").touch()
