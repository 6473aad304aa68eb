"""Every branch of the state machine over mocked task results: how the execution ends, and by which path.

Mocked results cannot show retries that succeed, roles and real payloads: test_blur_image.py has the deployed stack.
"""

from __future__ import annotations

import json
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from check_definition import successors

from faceblur import errors
from faceblur.contracts import NO_BOXES
from faceblur.detectors.warnings import WarningCode
from faceblur.options import JobOptions
from tests.support.mocked_results import returns, throws
from tests.support.sources import state_machine

if TYPE_CHECKING:
    from faceblur.contracts import (
        DetectResponse,
        ExecutionInput,
        HideResponse,
        PreviewResponse,
        RaisedError,
        ReviewAnswer,
        Stage,
    )
    from tests.support.mocked_results import MockedMachine

STATES = state_machine()["States"]
JOB_ID = "0f8fad5bd9cb469fa16570867728950e"
CLAIM, NO_JOB, KNOWN = "Claim the job", "No job waits for this photo", "Is it known what to hide?"
FIRST, PREVIEW, ASK, ANSWER = "Must a person look first?", "Draw a preview", "Ask a person", "Record the answer"
DETECT, HIDE, CHECK, MISSED = "Detect what to hide", "Hide what was found", "Check the result", "Was something missed?"
HIDE_MISSED, LAST = "Hide what was missed", "Was this the last round?"
KEEP, DELETE, RECORD, COMPLETED = "Keep the original?", "Delete the original", "Record the result", "Job completed"
RECORD_FAILURE = "Record the failure"
ONE = "Go on with one detector?"
FAILURE = ["What went wrong?", RECORD_FAILURE, "Job failed"]


INPUT: ExecutionInput = {"job_id": JOB_ID, "boxes": NO_BOXES, "unsure": 0, "reviewed": False, "warnings": []}
# The input of a redo with the known boxes.
AGAIN: ExecutionInput = INPUT | {"boxes": {"key": f"boxes/{JOB_ID}.json", "count": 1}}


def claimed(*, expires_in: int = 24 * 3600, **options: Any) -> dict[str, Any]:
    """The row of a claimed job with these options. It expires in `expires_in` seconds."""
    row = {
        "options": {"S": json.dumps(JobOptions(**options).model_dump())},
        "expires_at": {"N": str(int(time.time()) + expires_in)},
    }
    return returns({"Attributes": row})


def found(faces: int, boxes: int, *warnings: str, unsure: int = 0) -> dict[str, Any]:
    """A detection, or a check, that found this many faces. The file of boxes now hides `boxes` boxes."""
    stage: Stage = {
        "name": "stage",
        "round": 0,
        "milliseconds": 1,
        "memory_mb": 512,
        "detector": "embedded",
        "version": "1",
        "found": {"face": faces, "plate": 0, "text": 0},
        "calls": 0,
    }
    response: DetectResponse = {
        "boxes": {"key": f"boxes/{JOB_ID}.json", "count": boxes},
        "unsure": unsure,
        "warnings": list(warnings),
        "stage": stage,
    }
    return returns({"Payload": response})


def hidden() -> dict[str, Any]:
    """A draft."""
    response: HideResponse = {
        "draft": {
            "key": f"results/{JOB_ID}.jpg",
            "content_type": "image/jpeg",
            "bytes": 1,
            "width": 1,
            "height": 1,
            "stripped": [],
            "kept_metadata": [],
        },
        "stage": {"name": "stage", "round": 0, "milliseconds": 1, "memory_mb": 512},
    }
    return returns({"Payload": response})


def drawn() -> dict[str, Any]:
    """A preview."""
    response: PreviewResponse = {"preview": {"key": f"previews/{JOB_ID}.jpg", "width": 1, "height": 1}}
    return returns({"Payload": response})


def answered(boxes: int) -> dict[str, Any]:
    """A decision that hides this many boxes."""
    answer: ReviewAnswer = {"boxes": {"key": f"boxes/{JOB_ID}.decided.json", "count": boxes}}
    return returns(answer)


def raises(code: str) -> dict[str, Any]:
    """A function that raises an error of ours: Lambda puts its sentence into JSON."""
    error: RaisedError = {"errorType": code, "errorMessage": sentence(code)}
    return throws(code, json.dumps(error))


def sentence(code: str) -> str:
    text: str = getattr(errors, code).sentence
    return text


DONE = returns({})
OURS = sorted(
    error.__name__
    for error in (*errors.PhotoError.__subclasses__(), *errors.TransientError.__subclasses__(), errors.JobNotFound)
)
# The error names of Lambda and its emulators for a function that ended, and of Python for a lack of memory.
ENDED = ["Lambda.Unknown", "Runtime.ExitError", "Runtime.OutOfMemory", "Runtime.Unknown", "MemoryError"]
# A photo with one face that no check finds missed.
HAPPY = {
    CLAIM: [claimed()],
    DETECT: [found(1, 1)],
    HIDE: [hidden()],
    CHECK: [found(0, 1)],
    DELETE: [DONE],
    RECORD: [DONE],
}
HAPPY_UNTIL_CHECK = {task: HAPPY[task] for task in (CLAIM, DETECT, HIDE)}
PATH = [CLAIM, KNOWN, DETECT, FIRST, HIDE, CHECK, MISSED, KEEP, DELETE, RECORD, COMPLETED]
TO_CHECK = PATH[: PATH.index(MISSED) + 1]
FROM_HIDE = PATH[PATH.index(HIDE) :]
REVIEW = [PREVIEW, ASK, ANSWER]
REVIEWED = {PREVIEW: [drawn()], ASK: [answered(1)], ANSWER: [DONE]}


class Case(NamedTuple):
    """The results of the tasks, the path that follows, the error's code if the job fails, and the execution's input."""

    results: dict[str, list[dict[str, Any]]]
    path: list[str]
    code: str | None = None
    given: ExecutionInput = INPUT


def missed(*faces: int, keep_original: int = 0) -> Case:
    """Consecutive checks that find these numbers of faces."""
    last = [HIDE_MISSED, LAST] if faces[-1] else []
    rounds = sum(count > 0 for count in faces)
    end = [KEEP, RECORD, COMPLETED] if keep_original else [KEEP, DELETE, RECORD, COMPLETED]
    path = [*TO_CHECK, *[HIDE_MISSED, LAST, CHECK, MISSED] * (len(faces) - 1), *last, *end]
    checks = [found(count, 1 + sum(faces[: number + 1])) for number, count in enumerate(faces)]
    results = HAPPY | {CLAIM: [claimed(keep_original=keep_original)], CHECK: checks, HIDE_MISSED: [hidden()] * rounds}
    return Case({task: results[task] for task in results if task in path}, path)


def fails(task: str, failure: dict[str, Any], code: str) -> Case:
    """A photo whose tasks succeed until this one fails."""
    return fails_on(Case(HAPPY, PATH), task, failure, code)


def fails_on(case: Case, task: str, failure: dict[str, Any], code: str, ending: list[str] = FAILURE) -> Case:
    """A case whose tasks succeed until this one fails."""
    path = case.path[: case.path.index(task) + 1]
    results = {state: case.results[state] for state in path if state in case.results}
    return Case(results | {task: [failure], RECORD_FAILURE: [DONE]}, [*path, *ending], code, case.given)


def asked(detection: dict[str, Any], *checks: dict[str, Any]) -> Case:
    """With `when_unsure`, a person is asked after these checks, and the check after the answer finds nothing."""
    rounds = len(checks) - 1
    last = payload(checks[-1])["stage"]["found"]["face"] > 0
    results = {
        **HAPPY,
        **REVIEWED,
        CLAIM: [claimed(review="when_unsure")],
        DETECT: [detection],
        HIDE: [hidden()] * 2,
        CHECK: [*checks, found(0, 1)],
        HIDE_MISSED: [hidden()] * (rounds + last),
    }
    path = [
        *TO_CHECK,
        *[HIDE_MISSED, LAST, CHECK, MISSED] * rounds,
        *[HIDE_MISSED, LAST] * last,
        *REVIEW,
        *FROM_HIDE,
    ]
    return Case({task: results[task] for task in results if task in path}, path)


def done_again(case: Case) -> Case:
    """The same case in a redo. It deletes no original."""
    ((claim,), path) = case.results[CLAIM], [state for state in case.path if state != DELETE]
    row = claim["Return"]["Attributes"] | {"fallback_status": {"S": "COMPLETED"}, "decision": {"S": ""}}
    results = {task: case.results[task] for task in case.results if task != DELETE}
    return case._replace(results=results | {CLAIM: [returns({"Attributes": row})]}, path=path)


def payload(result: dict[str, Any]) -> Any:
    """The result of the function behind a mocked task."""
    return result["Return"]["Payload"]


ALWAYS = Case(
    HAPPY | REVIEWED | {CLAIM: [claimed(review="always")]}, [*PATH[: PATH.index(FIRST) + 1], *REVIEW, *FROM_HIDE]
)
WITHOUT_DETECTION = {task: HAPPY[task] for task in HAPPY if task != DETECT}
ALWAYS_ONE_MORE = [found(1, boxes) for boxes in range(2, 7)]
AWAY = ["DetectorThrottled", "DetectorUnavailable"]
ONCE = Case(HAPPY, PATH)
ONE_WILL_DO = HAPPY | {CLAIM: [claimed(require_all_detectors=False)]}


CASES = {
    "a face is found and hidden": Case(HAPPY, PATH),
    "no face is found": Case(HAPPY | {DETECT: [found(0, 0)], CHECK: [found(0, 0)]}, PATH),
    "the original is kept": missed(0, keep_original=3),
    "the first check finds a missed face": missed(1, 0),
    "four checks find missed faces, and the fifth finds none": missed(2, 1, 1, 3, 0),
    "the fifth check finds a face too, which is hidden without another check": missed(1, 1, 1, 1, 1),
    "the fifth check finds a face too, and the original is kept": missed(1, 1, 1, 1, 1, keep_original=3),
    "a person looks first": ALWAYS,
    "a person looks first, and keeps every face": ALWAYS._replace(
        results=ALWAYS.results | {ASK: [answered(0)], CHECK: [found(0, 0, "BelowConfidence", unsure=2)]}
    ),
    "nobody is asked about a sure result": Case(HAPPY | {CLAIM: [claimed(review="when_unsure")]}, PATH),
    "no review without the option": Case(
        HAPPY | {DETECT: [found(1, 1, "BelowConfidence", unsure=1)], CHECK: [found(0, 1, unsure=1)]}, PATH
    ),
    "a person is asked because no face was found": asked(found(0, 0), found(0, 0)),
    "a person is asked because likely faces stay visible": asked(found(1, 1, "BelowConfidence"), found(0, 1)),
    "a person is asked because the detection was not sure of a face": asked(found(1, 1, unsure=1), found(0, 1)),
    "a person is asked because a check was not sure of a face": asked(found(1, 1), found(1, 2, unsure=1), found(0, 2)),
    "a person is asked because the checks do not settle": asked(found(1, 1), *ALWAYS_ONE_MORE),
    "nobody answers": fails_on(ALWAYS, ASK, throws("States.Timeout"), "ReviewExpired", FAILURE[1:]),
    **{f"an unforeseen error: {task}": fails_on(ALWAYS, task, throws("KeyError"), "InternalError") for task in REVIEW},
    "the job was deleted before anybody was asked": fails_on(
        ALWAYS, ASK, throws("DynamoDb.ConditionalCheckFailedException"), "InternalError"
    ),
    "the faces are known": Case(WITHOUT_DETECTION, [CLAIM, KNOWN, *FROM_HIDE], given=AGAIN),
    "the faces are known, and a person looks first": Case(
        WITHOUT_DETECTION | REVIEWED | {CLAIM: [claimed(review="always")]},
        [CLAIM, KNOWN, *REVIEW, *FROM_HIDE],
        given=AGAIN,
    ),
    "the faces are known, and a person has looked": Case(
        WITHOUT_DETECTION | {CLAIM: [claimed(review="always")]},
        [CLAIM, KNOWN, *FROM_HIDE],
        given=AGAIN | {"reviewed": True},
    ),
    "the faces are known, and their detection was not sure": Case(
        WITHOUT_DETECTION
        | REVIEWED
        | {CLAIM: [claimed(review="when_unsure")], HIDE: [hidden()] * 2, CHECK: [found(0, 1)] * 2},
        [CLAIM, KNOWN, HIDE, CHECK, MISSED, *REVIEW, *FROM_HIDE],
        given=AGAIN | {"unsure": 1},
    ),
    "a job is done again with another detection, and its original stays until the result is recorded": done_again(
        Case(HAPPY, PATH)
    ),
    "a redo whose result cannot be recorded": fails_on(
        done_again(Case(HAPPY, PATH)), RECORD, throws("KeyError"), "InternalError"
    ),
    "no job waits for the photo": Case(
        {CLAIM: [throws("DynamoDB.ConditionalCheckFailedException")]}, [CLAIM, NO_JOB], "JobNotFound"
    ),
    **{
        f"an unforeseen error: {task}": fails(task, throws("KeyError"), "InternalError")
        for task in (CLAIM, DETECT, HIDE, CHECK, DELETE, RECORD)
    },
    **{
        f"a task that takes too long: {task}": fails(task, throws("States.Timeout"), "TimedOut")
        for task in (CLAIM, DETECT, HIDE, CHECK, DELETE, RECORD)
    },
    **{
        f"an error while a missed face is hidden: {code}": Case(
            HAPPY_UNTIL_CHECK | {CHECK: [found(1, 2)], HIDE_MISSED: [throws(error)], RECORD_FAILURE: [DONE]},
            [*TO_CHECK, HIDE_MISSED, *FAILURE],
            code,
        )
        for error, code in (("KeyError", "InternalError"), ("States.Timeout", "TimedOut"))
    },
    "an error in the second check": Case(
        HAPPY_UNTIL_CHECK | {CHECK: [found(1, 2), throws("KeyError")], HIDE_MISSED: [hidden()], RECORD_FAILURE: [DONE]},
        [*TO_CHECK, HIDE_MISSED, LAST, CHECK, *FAILURE],
        "InternalError",
    ),
    **{f"an error of ours: {code}": fails(DETECT, raises(code), code) for code in OURS if code not in AWAY},
    **{f"a detector is away: {code}": fails_on(ONCE, DETECT, raises(code), code, [ONE, *FAILURE]) for code in AWAY},
    "a detector is away in the check": fails_on(
        ONCE, CHECK, raises("DetectorUnavailable"), "DetectorUnavailable", [ONE, *FAILURE]
    ),
    "one of two detectors is away in the detection": Case(
        ONE_WILL_DO | {DETECT: [raises("DetectorThrottled"), found(1, 1)]}, [*PATH[:3], ONE, *PATH[2:]]
    ),
    "one of two detectors is away in the check": Case(
        ONE_WILL_DO | {CHECK: [raises("DetectorUnavailable"), found(0, 1)]}, [*PATH[:6], ONE, *PATH[5:]]
    ),
    "one of two detectors is away in every look": Case(
        ONE_WILL_DO
        | {
            DETECT: [raises("DetectorUnavailable"), found(1, 1)],
            CHECK: [raises("DetectorUnavailable"), found(0, 1)],
        },
        [*PATH[:3], ONE, *PATH[2:6], ONE, *PATH[5:]],
    ),
    "both detectors are away in the detection": Case(
        {
            CLAIM: ONE_WILL_DO[CLAIM],
            DETECT: [raises("DetectorThrottled"), raises("DetectorUnavailable")],
            RECORD_FAILURE: [DONE],
        },
        [*PATH[:3], ONE, DETECT, ONE, *FAILURE],
        "DetectorUnavailable",
    ),
    "both detectors are away in the check": Case(
        {task: ONE_WILL_DO[task] for task in (CLAIM, DETECT, HIDE)}
        | {CHECK: [raises("DetectorUnavailable"), raises("DetectorThrottled")], RECORD_FAILURE: [DONE]},
        [*PATH[:6], ONE, CHECK, ONE, *FAILURE],
        "DetectorThrottled",
    ),
    **{
        f"an error of ours: {task}": fails(task, raises("StorageUnavailable"), "StorageUnavailable")
        for task in (HIDE, CHECK, RECORD)
    },
    **{
        f"an error of Lambda: {error}": fails(HIDE, throws(error), code)
        for error, code in (
            ("Lambda.TooManyRequestsException", "InternalError"),
            ("Sandbox.Timedout", "TimedOut"),
        )
    },
    **{f"a function that ended: {error}": fails(HIDE, throws(error), "PhotoTooDemanding") for error in ENDED},
    **{
        f"a function that ended: {task}": fails(task, throws("Runtime.ExitError"), "PhotoTooDemanding")
        for task in (DETECT, CHECK, RECORD)
    },
    "a failure that cannot be recorded": fails(DETECT, raises("CorruptImage"), "CorruptImage")._replace(
        results={
            CLAIM: [claimed()],
            DETECT: [raises("CorruptImage")],
            RECORD_FAILURE: [throws("DynamoDB.ConditionalCheckFailedException")],
        }
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_path_through_the_state_machine(blur_image: MockedMachine, name: str) -> None:
    results, path, code, given = CASES[name]
    execution = blur_image.run(given, results)
    assert execution.path == path
    if code is None:
        assert (execution.status, execution.error) == ("SUCCEEDED", None)
    else:
        cause = "No job waits for this photo." if path[-1] == NO_JOB else sentence(code)
        assert (execution.status, execution.error, execution.cause) == ("FAILED", code, cause)


def test_the_cases_take_every_way_out_of_every_state() -> None:
    taken = {step for case in CASES.values() for step in pairwise(case.path)}
    assert taken == {(name, target) for name, state in STATES.items() for target in successors(state)}


def test_a_task_is_retried_as_often_as_its_retrier_says(blur_image: MockedMachine) -> None:
    execution = blur_image.run(INPUT, CASES["a detector is away: DetectorUnavailable"].results)
    assert execution.visits[PATH.index(DETECT)].retries == 7


@pytest.mark.parametrize("look", [DETECT, CHECK])
def test_only_a_deployment_with_two_detectors_goes_on_with_one(with_one_detector: MockedMachine, look: str) -> None:
    once = Case(ONE_WILL_DO, PATH)
    results, path, code, given = fails_on(
        once, look, raises("DetectorUnavailable"), "DetectorUnavailable", [ONE, *FAILURE]
    )
    execution = with_one_detector.run(given, results)
    assert (execution.path, execution.error) == (path, code)


@pytest.mark.parametrize("case", ["one of two detectors is away in the check", "a face is found and hidden"])
def test_the_next_look_asks_both_detectors_again(blur_image: MockedMachine, case: str) -> None:
    assert blur_image.run(INPUT, CASES[case].results).variables["leave_out_unavailable"] is False


def test_the_one_detector_is_tried_as_often_as_both(blur_image: MockedMachine) -> None:
    execution = blur_image.run(INPUT, CASES["both detectors are away in the detection"].results)
    assert [visit.retries for visit in execution.visits if visit.state == DETECT] == [7, 7]


@pytest.mark.parametrize("error", ENDED)
def test_a_function_that_ended_is_tried_once_more(blur_image: MockedMachine, error: str) -> None:
    execution = blur_image.run(INPUT, CASES[f"a function that ended: {error}"].results)
    assert execution.visits[PATH.index(HIDE)].retries == 1


@pytest.mark.parametrize("task", [DETECT, HIDE, CHECK, RECORD])
def test_no_attempt_begins_after_the_deadline(hasty: MockedMachine, task: str) -> None:
    """The mocked error would be retried."""
    results, path, *_ = fails(task, raises("StorageUnavailable"), "TimedOut")
    execution = hasty.run(INPUT, results)
    assert execution.path == path
    assert (execution.error, execution.cause) == ("TimedOut", sentence("TimedOut"))
    assert execution.visits[path.index(task)].retries == 0


def test_the_receipt_is_made_from_every_stage_and_the_last_boxes_and_draft(blur_image: MockedMachine) -> None:
    """Without a stage, the receipt's cost would be too low. With an earlier round's boxes, a face would be missing."""
    first, second = found(1, 2, "CROWD"), found(0, 2, "DETECTOR_LEFT_OUT")
    detected, hidden_first, hidden_again = found(1, 1, "TILED"), hidden(), hidden()
    payload(hidden_again)["draft"]["key"] = f"results/{JOB_ID}.second.jpg"
    stages = [detected, hidden_first, first, hidden_again, second]
    for number, result in enumerate(stages):
        payload(result)["stage"]["milliseconds"] = number
    results = HAPPY | {DETECT: [detected], HIDE: [hidden_first], CHECK: [first, second], HIDE_MISSED: [hidden_again]}

    known = blur_image.run(INPUT, results).variables
    del known["review_seconds"]  # it depends on the time of day

    assert known == {
        "boxes": payload(second)["boxes"],
        "decision": "",
        "draft": payload(hidden_again)["draft"],
        "leave_out_unavailable": False,
        "options": JobOptions().model_dump(),
        "reviewed": False,
        "round": 2,
        "stages": [payload(result)["stage"] for result in stages],
        "warnings": ["TILED", "CROWD", "DETECTOR_LEFT_OUT"],
    }


def test_a_warning_of_several_looks_is_reported_once(blur_image: MockedMachine) -> None:
    """This also limits the size of the state."""
    checks = [found(1, 2, "OneDetectorOnly"), found(0, 2, "OneDetectorOnly", "BelowConfidence")]
    results = HAPPY | {DETECT: [found(1, 1, "OneDetectorOnly")], CHECK: checks, HIDE_MISSED: [hidden()]}
    known = blur_image.run(INPUT, results).variables
    assert known["warnings"] == ["OneDetectorOnly", "BelowConfidence"]


@pytest.mark.parametrize(
    ("faces", "warnings"),
    [((0,), []), ((1, 0), []), ((1, 1, 1, 1, 0), []), ((1, 1, 1, 1, 1), [WarningCode.CHECKS_NOT_SETTLED])],
)
def test_a_job_whose_fifth_check_found_a_face_says_so(
    blur_image: MockedMachine, faces: tuple[int, ...], warnings: list[str]
) -> None:
    """No check follows the last pass of hiding."""
    known = blur_image.run(INPUT, missed(*faces).results).variables
    assert (known["round"], known["warnings"]) == (len(faces), warnings)


def test_a_decision_counts_its_own_checks_and_settles_what_did_not_settle(blur_image: MockedMachine) -> None:
    case = asked(found(1, 1, "DarkPhoto"), *ALWAYS_ONE_MORE)
    known = blur_image.run(INPUT, case.results | {CHECK: [*ALWAYS_ONE_MORE, found(0, 1)]}).variables
    assert (known["round"], known["warnings"], known["reviewed"]) == (1, ["DarkPhoto"], True)
    assert known["boxes"] == payload(found(0, 1))["boxes"]
    assert len(known["stages"]) == 14


@pytest.mark.parametrize(
    ("hours", "seconds"), [(24, 20 * 3600), (21, 20 * 3600), (10, 10 * 3600 - 900), (0.25, 1), (0, 1)]
)
def test_a_review_ends_before_its_job_expires(blur_image: MockedMachine, hours: float, seconds: int) -> None:
    results = HAPPY | {CLAIM: [claimed(expires_in=int(hours * 3600))]}
    waits = blur_image.run(INPUT, results).variables["review_seconds"]
    assert seconds - 60 <= waits <= seconds


def test_the_row_tells_whether_a_decision_waits_for_the_faces(blur_image: MockedMachine) -> None:
    key = f"boxes/{JOB_ID}.0a.decision.json"
    row = claimed()["Return"]["Attributes"] | {"decision": {"S": key}}
    known = blur_image.run(INPUT, HAPPY | {CLAIM: [returns({"Attributes": row})]}).variables
    assert known["decision"] == key
