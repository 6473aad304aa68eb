"""The guarantees of the state machine's definition, beside those that `make lint` checks in every definition."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from typing import Any, get_type_hints

import pytest
from check_definition import TRANSIENT, service_of

from faceblur import config, contracts, errors
from faceblur.options import JobOptions
from tests.support.sources import ROOT, state_machine, template

STATES = state_machine()["States"]
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
MACHINE = template()["Resources"]["BlurImageStateMachine"]["Properties"]
each_task = pytest.mark.parametrize("name", TASKS)

# The tasks by the function that they call.
CALLS = {
    name: task["Arguments"]["FunctionName"].strip("${}").removesuffix("FunctionArn")
    for name, task in TASKS.items()
    if service_of(task["Resource"]) == "lambda"
}
each_call = pytest.mark.parametrize("name", CALLS)
DETECTIONS = [name for name, function in CALLS.items() if function == "Detect"]
each_detection = pytest.mark.parametrize("name", DETECTIONS)
ANSWERED = [name for name, function in CALLS.items() if function != "CompleteJob"]
each_answered_task = pytest.mark.parametrize("name", ANSWERED)


def payload(name: str) -> dict[str, Any]:
    """What a task sends to its function."""
    sent: dict[str, Any] = TASKS[name]["Arguments"]["Payload"]
    return sent


def folder(function: str) -> str:
    """The folder of a function: DrawPreview → draw_preview."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", function).lower()


# ---------------------------------------------------------------- the definition as a whole


def test_every_substitution_is_given_and_used():
    text = (ROOT / MACHINE["DefinitionUri"]).read_text()
    assert set(re.findall(r"\$\{(\w+)\}", text)) == MACHINE["DefinitionSubstitutions"].keys()


DEADLINE = "{% $millis() + 750000 %}"


def test_the_work_on_a_photo_may_take_as_long_as_the_functions_assume():
    """An attempt begins before the deadline, and ends by its own timeout."""
    longest = max(TASKS[name]["TimeoutSeconds"] for name in CALLS)
    assert (config.WORK_SECONDS - longest) * 1000 == 750_000


def test_the_time_of_the_work_begins_with_the_claim_and_anew_with_the_answer():
    given = {
        name: state["Assign"]["deadline"] for name, state in STATES.items() if "deadline" in state.get("Assign", {})
    }
    assert given == {"Claim the job": DEADLINE, "Ask a person": DEADLINE}


@each_call
def test_no_attempt_to_call_a_function_begins_after_the_deadline(name):
    """The arguments are evaluated for each attempt, and a failed evaluation is not retried."""
    assert payload(name)["job_id"] == (
        "{% $millis() < $deadline ? $job_id : $error('The time for this photo is over.') %}"
    )


def test_the_machine_outlasts_the_longest_review_and_the_work_before_and_after():
    longest_review = template()["Parameters"]["ReviewHours"]["MaxValue"] * 3600
    assert state_machine()["TimeoutSeconds"] > longest_review + 2 * config.WORK_SECONDS


@pytest.mark.parametrize("name", STATES)
def test_a_state_is_named_by_a_plain_phrase(name):
    assert re.fullmatch(r"[A-Z][a-z]+( [a-z]+)+\??", name)
    assert name.endswith("?") == (STATES[name]["Type"] == "Choice")


@each_call
def test_a_function_times_out_before_its_task(name):
    function = template()["Resources"][f"{CALLS[name]}Function"]["Properties"]
    assert function.get("Timeout", template()["Globals"]["Function"]["Timeout"]) < TASKS[name]["TimeoutSeconds"]


@each_call
def test_a_task_calls_the_function_that_its_substitution_names(name):
    assert MACHINE["DefinitionSubstitutions"][f"{CALLS[name]}FunctionArn"] == {
        "Fn::GetAtt": f"{CALLS[name]}Function.Arn"
    }


# ---------------------------------------------------------------- the contracts, in both directions


REQUESTS = {
    "Detect": contracts.DetectRequest,
    "Hide": contracts.HideRequest,
    "DrawPreview": contracts.PreviewRequest,
    "CompleteJob": contracts.CompleteRequest,
}
RESPONSES = {
    "Detect": contracts.DetectResponse,
    "Hide": contracts.HideResponse,
    "DrawPreview": contracts.PreviewResponse,
}
# What each variable of an execution holds, as far as the definition reads fields of it.
VARIABLES = {"boxes": contracts.StoredBoxes, "draft": contracts.Draft}


def reads(node: Any, prefix: str) -> set[str]:
    """The paths below a prefix, such as `$draft`, that the definition reads in a node."""
    return set(re.findall(re.escape(prefix) + r"\.([\w.]+)", json.dumps(node)))


def has(contract: Any, path: str) -> bool:
    """Whether a contract has the field at this path: `boxes.count` is the field `count` of the field `boxes`."""
    name, _, rest = path.partition(".")
    hints = get_type_hints(contract)
    return name in hints and (not rest or has(hints[name], rest))


@each_call
def test_a_task_sends_just_what_its_function_parses(name):
    assert list(payload(name)) == [field.name for field in fields(REQUESTS[CALLS[name]])]


@each_answered_task
def test_the_state_machine_reads_just_what_a_function_returns(name):
    read = reads(TASKS[name]["Assign"], "$states.result.Payload")
    contract = RESPONSES[CALLS[name]]
    assert all(has(contract, path) for path in read)
    assert {path.partition(".")[0] for path in read} == contract.__annotations__.keys()


@pytest.mark.parametrize("variable", VARIABLES)
def test_the_state_machine_reads_only_fields_that_its_variables_have(variable):
    read = reads(STATES, f"${variable}")
    assert read
    assert all(has(VARIABLES[variable], path) for path in read)


def test_the_state_machine_reads_only_options_that_a_job_has():
    read = reads(STATES, "$options")
    assert read == {"keep_original", "require_all_detectors", "review"}
    assert read <= JobOptions.model_fields.keys()


def test_a_caught_error_has_the_fields_that_the_state_machine_reads():
    for task in TASKS.values():
        caught = [catch["Output"] for catch in task["Catch"] if catch["Next"] == "What went wrong?"]
        assert set(caught) <= {"{% $states.errorOutput %}"}
    explanation = STATES["What went wrong?"]
    assert reads(explanation, "$states.input") == contracts.ErrorOutput.__annotations__.keys()
    assert (
        reads(explanation, "$parse($states.input.Cause)")
        == {"errorMessage"}
        <= contracts.RaisedError.__annotations__.keys()
    )


@each_call
def test_the_event_to_try_a_function_with_keeps_the_contract(name):
    event = json.loads((ROOT / "tests/events" / f"{folder(CALLS[name])}.json").read_text())
    request = REQUESTS[CALLS[name]](**event)
    assert getattr(request, "options", JobOptions().model_dump()) == JobOptions().model_dump()
    for variable, contract in VARIABLES.items():
        if value := event.get(variable):
            assert value.keys() == contract.__annotations__.keys()
    for stage in event.get("stages", []):
        assert contracts.Stage.__required_keys__ <= stage.keys() <= contracts.Stage.__annotations__.keys()


# ---------------------------------------------------------------- what the payloads say


def test_both_ways_to_hide_differ_only_in_their_stage_and_round():
    """They are two states so that a photo without a missed face needs no further transition."""
    first, again = (TASKS[name] for name in ("Hide what was found", "Hide what was missed"))
    assert {field for field in first if first[field] != again[field]} == {"Comment", "Arguments", "Next"}
    different = {
        field
        for field in payload("Hide what was found")
        if payload("Hide what was found")[field] != payload("Hide what was missed")[field]
    }
    assert different == {"stage", "round"}


def test_photos_and_links_stay_out_of_the_state():
    text = json.dumps(STATES)
    assert not re.search(r"presign|base64|\burl\b", text, re.IGNORECASE)


# ---------------------------------------------------------------- retries and failures


THROTTLED = "Lambda.TooManyRequestsException"
OURS = {error.__name__ for error in errors.TransientError.__subclasses__()}
# Our own errors that each function can raise and that may pass.
RAISES = {
    "Detect": {"StorageUnavailable", "DetectorThrottled", "DetectorUnavailable"},
    "Hide": {"StorageUnavailable"},
    "DrawPreview": {"StorageUnavailable"},
    "CompleteJob": {"StorageUnavailable"},
}


@each_task
def test_a_task_is_retried_for_all_transient_errors_of_its_service_and_of_its_function(name):
    retried = {error for retrier in TASKS[name]["Retry"] for error in retrier["ErrorEquals"]}
    assert retried == (TRANSIENT[service_of(TASKS[name]["Resource"])] - OURS) | RAISES.get(CALLS.get(name, ""), set())


@each_task
def test_only_a_throttled_function_is_retried_more_than_ten_times(name):
    for retrier in TASKS[name]["Retry"]:
        assert retrier["MaxAttempts"] <= (30 if retrier["ErrorEquals"] == [THROTTLED] else 10)


@each_call
def test_a_throttled_function_is_waited_for_as_long_as_an_execution_may_take(name):
    (retrier,) = [retrier for retrier in TASKS[name]["Retry"] if THROTTLED in retrier["ErrorEquals"]]
    waits = [
        min(retrier["IntervalSeconds"] * retrier["BackoffRate"] ** attempt, retrier["MaxDelaySeconds"])
        for attempt in range(retrier["MaxAttempts"])
    ]
    # With full jitter, the average wait is half as long.
    assert 0.8 * config.WORK_SECONDS < sum(waits) / 2 < config.WORK_SECONDS
    assert retrier == {
        "ErrorEquals": [THROTTLED],
        "IntervalSeconds": 2,
        "MaxAttempts": 30,
        "BackoffRate": 2,
        "MaxDelaySeconds": 60,
        "JitterStrategy": "FULL",
    }


@each_call
def test_a_function_that_ended_is_tried_once_more(name):
    """Another photo may have filled its memory, or its process may have been killed."""
    (retrier,) = [retrier for retrier in TASKS[name]["Retry"] if "Runtime.ExitError" in retrier["ErrorEquals"]]
    ended = {"Lambda.Unknown", "Runtime.ExitError", "Runtime.OutOfMemory", "Runtime.Unknown", "MemoryError"}
    assert (set(retrier["ErrorEquals"]), retrier["MaxAttempts"]) == (ended, 1)


def test_retriers_with_equal_parameters_are_one():
    for task in TASKS.values():
        parameters = [json.dumps(retrier | {"ErrorEquals": []}, sort_keys=True) for retrier in task["Retry"]]
        assert len(set(parameters)) == len(parameters)


@each_detection
def test_no_count_of_retries_decides_whether_a_detector_is_left_out(name):
    """The count holds the retries of all retriers, such as those of a throttled function."""
    assert payload(name)["leave_out_unavailable"] == "{% $leave_out_unavailable %}"
    assert "RetryCount" not in json.dumps(STATES)
    assert TASKS[name]["Assign"]["leave_out_unavailable"] is False


@each_task
def test_every_error_is_recorded_and_fails_the_execution(name):
    everything = TASKS[name]["Catch"][-1]
    assert everything["ErrorEquals"] == ["States.ALL"]
    failure = ["What went wrong?", "Record the failure", "Job failed"]
    assert everything["Next"] == ("Job failed" if name == "Record the failure" else failure[0])
    assert {choice["Next"] for choice in STATES[failure[0]]["Choices"]} == {failure[1]}
    assert STATES[failure[1]]["Next"] == failure[2]
    assert STATES[failure[2]]["Type"] == "Fail"


def test_every_other_catch_ends_in_failure_at_once_unless_one_detector_will_do():
    for name, task in TASKS.items():
        for catch in task["Catch"][:-1]:
            ends = STATES[catch["Next"]]["Type"] == "Fail" or catch["Next"] == "Record the failure"
            assert ends or (name in DETECTIONS and catch["Next"] == "Go on with one detector?"), name


# ---------------------------------------------------------------- asking a person


def test_an_execution_gets_just_the_input_that_it_reads():
    assert reads(STATES["Claim the job"], "$states.input") == contracts.ExecutionInput.__annotations__.keys()


def test_the_state_machine_reads_just_what_an_answer_has():
    assert reads(TASKS["Ask a person"]["Assign"], "$states.result") == contracts.ReviewAnswer.__annotations__.keys()


def test_the_token_goes_into_the_row_and_nowhere_else():
    found = [name for name in STATES if "Task.Token" in json.dumps(STATES[name])]
    assert found == ["Ask a person"]
    values = TASKS["Ask a person"]["Arguments"]["ExpressionAttributeValues"]
    assert [name for name, value in values.items() if "Token" in json.dumps(value)] == [":token"]


def test_a_review_that_nobody_answers_has_its_own_error():
    timeout, _ = TASKS["Ask a person"]["Catch"]
    assert timeout["ErrorEquals"] == ["States.Timeout"]
    assert timeout["Assign"]["error"] == {"code": "ReviewExpired", "message": errors.ReviewExpired.sentence}


def test_the_row_tells_the_end_at_which_the_execution_stops_waiting():
    ask = TASKS["Ask a person"]
    assert ask["TimeoutSeconds"] == "{% $review_seconds %}"
    end = ask["Arguments"]["ExpressionAttributeValues"][":end"]["N"]
    assert "$millis() / 1000 + $review_seconds" in end


def test_the_work_before_a_review_is_shorter_than_what_the_wait_leaves_of_the_job():
    assert "- 900" in TASKS["Claim the job"]["Assign"]["review_seconds"]
    assert config.WORK_SECONDS <= 900
