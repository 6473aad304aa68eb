"""The guarantees of the state machines of batches, beside those that `make lint` checks in every definition."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from check_definition import AWAITED, TRANSIENT, service_of

from faceblur import contracts, errors
from tests.support.sources import ROOT, state_machine, template

RESOURCES = template()["Resources"]
BATCH, PHOTO = state_machine("hide_batch")["States"], state_machine("hide_photo")["States"]
MAPS = {name: state for name, state in BATCH.items() if state["Type"] == "Map"}
each_map = pytest.mark.parametrize("name", MAPS)
CHILDREN = {f"{name}/{child}": task for name in MAPS for child, task in MAPS[name]["ItemProcessor"]["States"].items()}
TASKS = {name: state for name, state in (BATCH | PHOTO | CHILDREN).items() if state["Type"] == "Task"}
CALLS = {name: task for name, task in TASKS.items() if service_of(task["Resource"]) == "lambda"}
OURS = {error.__name__ for error in errors.TransientError.__subclasses__()}


def function_of(task: dict[str, Any]) -> dict[str, Any]:
    name = task["Arguments"]["FunctionName"].strip("${}").removesuffix("Arn")
    properties: dict[str, Any] = RESOURCES[name]["Properties"]
    return properties


@pytest.mark.parametrize("machine", ["HideBatchStateMachine", "HidePhotoStateMachine"])
def test_every_substitution_is_given_and_used(machine):
    properties = RESOURCES[machine]["Properties"]
    text = (ROOT / properties["DefinitionUri"]).read_text()
    assert set(re.findall(r"\$\{(\w+)\}", text)) == properties["DefinitionSubstitutions"].keys()


@pytest.mark.parametrize("name", CALLS)
def test_a_function_times_out_before_its_task(name):
    seconds = function_of(CALLS[name]).get("Timeout", template()["Globals"]["Function"]["Timeout"])
    assert seconds < CALLS[name]["TimeoutSeconds"]


@pytest.mark.parametrize("name", TASKS)
def test_a_task_is_retried_for_all_transient_errors(name):
    service = service_of(TASKS[name]["Resource"])
    retried = {error for retrier in TASKS[name]["Retry"] for error in retrier["ErrorEquals"]}
    expected = TRANSIENT[service] - OURS | ({"StorageUnavailable"} if service == "lambda" else set())
    assert retried - AWAITED["lambda"] == expected
    assert ("JobNotFinished" in retried) == (name == "Deliver the result")


@each_map
def test_the_maps_differ_in_their_source_alone(name):
    first = MAPS["Hide the photos of a folder"]
    differing = {field for field in first if MAPS[name][field] != first[field]}
    assert differing <= {"Comment", "Label", "ItemReader", "ItemSelector"}
    assert MAPS[name]["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}


@each_map
def test_a_map_makes_an_item_like_an_event_of_s3(name):
    selector = MAPS[name]["ItemSelector"]
    assert selector.keys() == {"id.$", "batch_id.$", "encoded", "detail"}
    assert selector["id.$"] == "$$.Execution.Name"
    assert selector["encoded"] == (name == "Hide the photos of an inventory")
    (key,) = selector["detail"]["object"].values()
    assert key == f"$$.Map.Item.Value.{'key' if name == 'Hide the photos of a list' else 'Key'}"


def test_every_kind_of_source_has_its_map():
    choice = BATCH["Where are the photos?"]
    kinds = {each["StringEquals"]: each["Next"] for each in choice["Choices"]}
    assert kinds.keys() == {"csv", "manifest"}
    assert {*kinds.values(), choice["Default"]} == MAPS.keys()


def test_the_input_of_a_photo_stays_the_input_of_every_state():
    for name, state in PHOTO.items():
        outputs = [state, *state.get("Catch", [])]
        for each in outputs:
            if each.get("Next", "Photo delivered") not in {
                "Photo delivered",
                "Was the photo delivered?",
                "Photo failed",
            }:
                assert each["Output"] == "{% $states.input %}", name


def test_a_job_of_a_batch_begins_as_any_other():
    given = PHOTO["Find and hide"]["Arguments"]
    assert given["Input"].keys() == contracts.ExecutionInput.__annotations__.keys()
    assert given["Input"]["boxes"] == contracts.NO_BOXES
    assert given["Name"] == given["Input"]["job_id"] == "{% $job_id %}"


def test_the_machines_read_just_what_the_functions_return():
    read = re.findall(r"\$states\.result\.Payload\.(\w+)", json.dumps([BATCH, PHOTO]))
    contracts_of_answers = (contracts.PreparedPhoto, contracts.DeliveredPhoto, contracts.ReportResponse)
    returned = {field for each in contracts_of_answers for field in each.__annotations__}
    assert set(read) == returned


def test_every_end_of_a_batch_but_the_good_one_is_reported_to_the_function_that_records_it():
    rule = RESOURCES["WriteReportFunction"]["Properties"]["Events"]["BatchStopped"]["Properties"]
    assert rule["Pattern"]["detail"]["status"] == ["FAILED", "TIMED_OUT", "ABORTED"]
    assert rule["InputPath"] == "$.detail"


def test_a_photo_outlasts_its_job_and_a_batch_its_photos():
    photo = state_machine("hide_photo")["TimeoutSeconds"]
    assert PHOTO["Find and hide"]["TimeoutSeconds"] < photo
    assert all(photo < child["TimeoutSeconds"] for child in CHILDREN.values())
    # Rows and files live for a day.
    assert state_machine("hide_batch")["TimeoutSeconds"] == 20 * 60 * 60
