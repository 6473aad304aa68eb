"""Tries the branches of the deployed state machine one state at a time, by TestState with mocked results.

https://docs.aws.amazon.com/step-functions/latest/dg/test-state-isolation.html: each case names a state, the variables
and the input that it finds, and what its task returns or throws. No task runs. TestState says what comes next.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.verify_cloud.steps import NotHere, Seen, Step, Wrong

if TYPE_CHECKING:
    from benchmarks.verify_cloud.target import Target

SUCCEEDED, CAUGHT, RETRIED = "SUCCEEDED", "CAUGHT_ERROR", "RETRIABLE"
JOB_ID = "0f8fad5bd9cb469fa16570867728950e"
KNOWN, FIRST, MISSED = "Is it known what to hide?", "Must a person look first?", "Was something missed?"
CLAIM, DETECT, HIDE, CHECK = "Claim the job", "Detect what to hide", "Hide what was found", "Check the result"
PREVIEW, ASK, ANSWER = "Draw a preview", "Ask a person", "Record the answer"
ONE_DETECTOR = "Go on with one detector?"
LAST, KEEP, DELETE = "Was this the last round?", "Keep the original?", "Delete the original"
HIDE_MISSED, RECORD = "Hide what was missed", "Record the result"
WRONG, FAILURE, FAILED = "What went wrong?", "Record the failure", "Job failed"

BOXES = {"key": f"boxes/{JOB_ID}.json", "count": 1}
STAGE = {"name": "detect", "round": 0, "milliseconds": 1, "memory_mb": 512, "found": {"face": 0, "plate": 0, "text": 0}}
FOUND = {"Payload": {"boxes": BOXES, "unsure": 0, "warnings": [], "stage": STAGE}}
OPTIONS = {"review": "never", "keep_original": 0, "require_all_detectors": False}
ERROR = {"code": "InternalError", "message": "Something went wrong on our side. Please try again."}


class Case(NamedTuple):
    """A visit to a state, and what must come of it."""

    state: str
    next: str | None
    variables: dict[str, Any] = {}  # noqa: RUF012 - nobody writes into it
    input: Any = None
    result: Any = None
    error: tuple[str, str] | None = None
    retries: int = 0
    status: str = SUCCEEDED


def caught(state: str, error: str, next_state: str, cause: str = "") -> Case:
    """A task that still throws this error after all its retries."""
    return Case(state, next_state, error=(error, cause), retries=30, status=CAUGHT)


def retried(state: str, error: str) -> Case:
    """A task that throws this error the first time."""
    return Case(state, None, error=(error, ""), status=RETRIED)


def wrong(error: str, cause: str = "") -> Case:
    """The state that explains an error to people."""
    return Case(WRONG, FAILURE, input={"Error": error, "Cause": cause})


CASES = [
    Case(KNOWN, DETECT, {"boxes": {"key": "", "count": 0}}),
    Case(KNOWN, HIDE),
    Case(KNOWN, PREVIEW, {"options": OPTIONS | {"review": "always"}}),
    Case(KNOWN, HIDE, {"options": OPTIONS | {"review": "always"}, "reviewed": True}),
    Case(FIRST, HIDE),
    Case(FIRST, PREVIEW, {"options": OPTIONS | {"review": "always"}}),
    Case(MISSED, KEEP),
    Case(MISSED, HIDE_MISSED, {"missed": 1}),
    Case(MISSED, PREVIEW, {"options": OPTIONS | {"review": "when_unsure"}, "unsure": 1}),
    Case(LAST, CHECK, {"round": 4}),
    Case(LAST, KEEP, {"round": 5}),
    Case(LAST, PREVIEW, {"options": OPTIONS | {"review": "when_unsure"}, "round": 5}),
    Case(KEEP, DELETE),
    Case(KEEP, RECORD, {"options": OPTIONS | {"keep_original": 1}}),
    Case(KEEP, RECORD, {"again": True}),
    Case(ONE_DETECTOR, WRONG, {"leave_out_unavailable": True}),
    Case(ONE_DETECTOR, WRONG, {"options": OPTIONS | {"require_all_detectors": True}}),
    wrong("States.Timeout"),
    wrong("Runtime.OutOfMemory"),
    wrong("CorruptImage", json.dumps({"errorType": "CorruptImage", "errorMessage": "This photo is damaged."})),
    wrong("Lambda.AWSLambdaException"),
    Case(DETECT, FIRST, result=FOUND),
    Case(CHECK, MISSED, result=FOUND),
    Case(DELETE, RECORD, result={}),
    Case(FAILURE, FAILED, result={}),
    Case(ASK, ANSWER, result={"boxes": BOXES}),
    caught(ASK, "States.Timeout", FAILURE),
    caught(CLAIM, "DynamoDB.ConditionalCheckFailedException", "No job waits for this photo"),
    caught(CLAIM, "DynamoDB.ThrottlingException", WRONG),
    caught(FAILURE, "DynamoDB.ThrottlingException", FAILED),
    caught(DETECT, "DetectorThrottled", ONE_DETECTOR),
    caught(CHECK, "DetectorUnavailable", ONE_DETECTOR),
    *(caught(state, "StorageUnavailable", WRONG) for state in (DETECT, PREVIEW, HIDE, CHECK, HIDE_MISSED, RECORD)),
    *(caught(state, "CorruptImage", WRONG) for state in (DETECT, HIDE)),
    *(retried(state, "StorageUnavailable") for state in (DETECT, PREVIEW, HIDE, CHECK, HIDE_MISSED, RECORD)),
    *(retried(state, "Lambda.TooManyRequestsException") for state in (DETECT, PREVIEW, HIDE, CHECK, RECORD)),
    *(retried(state, "DetectorThrottled") for state in (DETECT, CHECK)),
    retried(CLAIM, "DynamoDB.ThrottlingException"),
    retried(DELETE, "S3.SdkClientException"),
]
# In a deployment with two detectors, one of which was away.
CASES_OF_TWO_DETECTORS = [
    Case(ONE_DETECTOR, DETECT, {"failed_stage": "detect"}),
    Case(ONE_DETECTOR, CHECK, {"failed_stage": "check"}),
]


def variables_of(case: Case) -> dict[str, Any]:
    """All variables as the state finds them: those of a job with one face, and the case's own."""
    of_a_job = {
        "job_id": JOB_ID,
        "options": OPTIONS,
        "decision": "",
        "again": False,
        "boxes": BOXES,
        "reviewed": False,
        "warnings": [],
        "deadline": int(time.time() + 3600) * 1000,
        "stages": [],
        "unsure": 0,
        "review_seconds": 3600,
        "round": 0,
        "missed": 0,
        "preview": {"key": f"previews/{JOB_ID}.jpg", "width": 1, "height": 1},
        "draft": {"key": f"results/{JOB_ID}.jpg"},
        "error": ERROR,
        "leave_out_unavailable": False,
        "failed_stage": "detect",
    }
    return of_a_job | case.variables


def input_of(case: Case) -> Any:
    """What the state gets: the case's own input, else that of an execution."""
    return case.input or {"job_id": JOB_ID, "boxes": BOXES, "unsure": 0, "reviewed": False, "warnings": []}


def steps(target: Target) -> list[Step]:
    """One step for all branches."""
    return [Step("the branches of the state machine lead where they must", lambda: _try_all(target))]


def _try_all(target: Target) -> Seen:
    client = target.clients("stepfunctions")
    machine = client.describe_state_machine(stateMachineArn=target.outputs["StateMachineArn"])
    _assert_knows_variables(client, machine["roleArn"])
    of_detectors = CASES_OF_TWO_DETECTORS if target.parameters["FaceDetector"] == "both" else []
    rows = [_tried(client, machine, case) for case in (*CASES, *of_detectors)]
    astray = [row for row in rows if row["came"] != row["expected"]]
    if astray:
        raise Wrong("; ".join(f"{row['state']}: {row['came']} instead of {row['expected']}" for row in astray))
    return Seen(f"{len(rows)} cases by TestState", {"Branches by TestState": rows})


def _tried(client: Any, machine: dict[str, Any], case: Case) -> dict[str, Any]:
    answer = client.test_state(
        definition=machine["definition"],
        roleArn=machine["roleArn"],
        stateName=case.state,
        input=json.dumps(input_of(case)),
        variables=json.dumps(variables_of(case)),
        **_mock(case),
    )
    return {
        "state": case.state,
        "given": case.error[0] if case.error else json.dumps(case.input or case.variables),
        "expected": f"{case.status} {case.next or ''}".strip(),
        "came": f"{answer['status']} {answer.get('nextState', '')}".strip(),
    }


def _mock(case: Case) -> dict[str, Any]:
    """What a task gives; the other states take no mock."""
    if case.error:
        error, cause = case.error
        mock: dict[str, Any] = {"errorOutput": {"error": error, "cause": cause}}
    elif case.result is not None:
        # Not validated: a function's payload has no schema that AWS could know.
        mock = {"result": json.dumps(case.result), "fieldValidationMode": "NONE"}
    else:
        return {}
    context = {
        "Execution": {"Id": f"arn:aws:states:us-east-1:123456789012:execution:blur:{JOB_ID}", "Name": JOB_ID},
        "Task": {"Token": "token"},
    }
    given = {"mock": mock, "context": json.dumps(context)}
    return given | ({"stateConfiguration": {"retrierRetryCount": case.retries}} if case.error else {})


def _assert_knows_variables(client: Any, role: str) -> None:
    """Raise NotHere if TestState ignores variables: then every answer of it would be about another state."""
    choice = {"Type": "Choice", "Choices": [{"Condition": "{% $known %}", "Next": "known"}], "Default": "unknown"}
    states = {"choice": choice, "known": {"Type": "Succeed"}, "unknown": {"Type": "Succeed"}}
    answer = client.test_state(
        definition=json.dumps({"QueryLanguage": "JSONata", "StartAt": "choice", "States": states}),
        roleArn=role,
        stateName="choice",
        input="{}",
        variables=json.dumps({"known": True}),
    )
    if answer.get("nextState") != "known":
        raise NotHere("its TestState ignores variables")
