from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace

import pytest

from faceblur.contracts import CompleteRequest
from faceblur.geometry import Box
from faceblur.jobs.boxes import FoundBox, FoundBoxes
from faceblur.jobs.receipts import cost, receipt, transitions
from faceblur.jobs.storage import digest
from tests.support.api_contract import validator
from tests.support.counts import faces
from tests.support.sources import api_description, state_machine

FACE = FoundBox(Box(0.1, 0.2, 0.3, 0.4, 99.1, "rekognition", 12.5), 0)
MISSED = FoundBox(Box(0.7, 0.7, 0.1, 0.1, 55.0, "embedded"), 1)

PHOTO, RESULT = digest(b"photo"), digest(b"result")


def detection(name: str, round_: int, seconds: float, calls: int) -> dict[str, object]:
    return {
        "name": name,
        "round": round_,
        "milliseconds": round(seconds * 1000),
        "memory_mb": 2048,
        "detector": "rekognition+embedded",
        "version": "DetectFaces-2016-06-27 centerface-1",
        "found": faces(1),
        "calls": calls,
    }


def hiding(name: str, round_: int) -> dict[str, object]:
    return {"name": name, "round": round_, "milliseconds": 1000, "memory_mb": 1024}


ONE_CHECK = [detection("detect", 0, 3, calls=5), hiding("hide", 0), detection("check", 1, 1.5, calls=0)]
TWO_CHECKS = [*ONE_CHECK, hiding("hide_missed", 1), detection("check", 2, 1.5, calls=4)]


@pytest.fixture
def done(event):
    """The payload of the last task."""
    return CompleteRequest(**event("complete_job"))


def documented(made):
    """The receipt as it is read again, which must be as the API's description says."""
    written = json.loads(json.dumps(made))
    validator(api_description()["components"]["schemas"]["Receipt"]).validate(written)
    return written


def receipt_of(done, *faces):
    return receipt(done, FoundBoxes(PHOTO, faces), RESULT)


# ---------------------------------------------------------------- what it says


def test_the_whole_receipt_of_a_job(done):
    assert documented(receipt_of(done, FACE)) == {
        "job_id": "0f8fad5bd9cb469fa16570867728950e",
        "input": PHOTO,
        "output": RESULT,
        "kinds": ["face"],
        "hidden": faces(1),
        "kept": faces(0),
        "boxes": [{"id": 1, **FACE.box.to_dict(), "found_in": "first", "round": 0, "hidden": True}],
        "kept_places": [],
        "only": False,
        "check_rounds": 1,
        "hidden_with": {"style": "blur", "shape": "ellipse", "padding": 0.24, "strength": 1, "colour": "#000000"},
        "stripped": ["EXIF"],
        "kept_metadata": ["credit"],
        "warnings": [],
        "stages": done.stages,
        "billable_calls": 0,
        "cost_estimate": {
            # 12 transitions for 0.0003, and 3008 MB for 1.11 s: 3.261 GB-s for 0.0000543438.
            "usd": 0.0003543,
            "prices_usd": {"detector_call": 0.001, "state_transition": 0.000025, "lambda_gb_second": 0.0000166667},
            "prices_as_of": "2026-11",
        },
    }


def test_the_receipt_names_where_a_check_hid_nothing(done):
    found = FoundBoxes(
        PHOTO, [], kept_places=[Box(0.1, 0.2, 0.3, 0.4, 100, "person", 15, turned=True, kind="text")], only=True
    )
    made = documented(receipt(done, found, RESULT))
    assert (made["kept_places"], made["only"]) == (
        [{"left": 0.1, "top": 0.2, "width": 0.3, "height": 0.4, "roll": 15, "kind": "text"}],
        True,
    )


def test_every_box_names_its_detector_and_its_round(done):
    made = documented(receipt_of(replace(done, stages=TWO_CHECKS, check_rounds=2), FACE, MISSED))
    assert made["boxes"] == [
        FACE.box.to_dict() | {"id": 1, "found_in": "first", "round": 0, "hidden": True},
        MISSED.box.to_dict() | {"id": 2, "found_in": "check", "round": 1, "hidden": True},
    ]
    assert made["check_rounds"] == 2


def test_the_receipt_names_the_style_that_the_job_asked_for(done):
    asked = {"style": "solid", "shape": "box", "padding": 0.4, "strength": 3, "colour": "#12ab9F"}
    assert documented(receipt_of(replace(done, options=done.options | asked), FACE))["hidden_with"] == asked


def test_a_photo_without_a_face_has_a_receipt_too(done):
    made = documented(receipt_of(replace(done, warnings=["NothingFound"])))
    assert (made["boxes"], made["warnings"]) == ([], ["NothingFound"])


def test_billable_calls_are_summed_over_all_passes(done):
    assert receipt_of(replace(done, stages=ONE_CHECK), FACE)["billable_calls"] == 5
    assert receipt_of(replace(done, stages=TWO_CHECKS), FACE)["billable_calls"] == 9


def test_keys_stay_inside(done):
    text = json.dumps(receipt_of(done, FACE))
    assert not [inside for inside in ("results/", "boxes/", "receipts/") if inside in text]


# ---------------------------------------------------------------- determinism


def timeless(made):
    """A receipt without times and what they cost."""
    made = deepcopy(made)
    del made["cost_estimate"]["usd"]
    for stage in made["stages"]:
        del stage["milliseconds"]
    return json.dumps(made)


def test_receipts_of_the_same_work_differ_only_in_times_and_their_cost(done):
    slower = deepcopy(done)
    for stage in slower.stages:
        stage["milliseconds"] *= 2
    one, other = receipt_of(done, FACE), receipt_of(slower, FACE)
    assert one["cost_estimate"]["usd"] < other["cost_estimate"]["usd"]
    assert timeless(one) == timeless(other)
    assert json.dumps(receipt_of(deepcopy(done), FACE)) == json.dumps(one)


def test_making_a_receipt_changes_nothing(done):
    before = deepcopy(done)
    receipt_of(done, FACE)
    assert done == before


# ---------------------------------------------------------------- what it cost


def test_the_cost_of_a_job():
    # 5 calls: 0.005; 12 transitions: 0.0003; 2 GB for 3 s, 1 GB for 1 s, 2 GB for 1.5 s, 10 GB-s: 0.000166667.
    assert cost(ONE_CHECK) == pytest.approx(0.005466667, abs=1e-12)


def test_the_cost_of_a_job_in_which_the_first_check_found_a_face():
    # 9 calls: 0.009; 16 transitions: 0.0004; 14 GB-s: 0.0002333338.
    assert cost(TWO_CHECKS) == pytest.approx(0.0096333338, abs=1e-12)


@pytest.mark.parametrize(("stages", "usd"), [(ONE_CHECK, 0.0054667), (TWO_CHECKS, 0.0096333)])
def test_a_receipt_says_what_the_job_cost(done, stages, usd):
    assert documented(receipt_of(replace(done, stages=stages), FACE))["cost_estimate"]["usd"] == usd


def way(missed: int) -> list[str]:
    """The states from the first to the last without an error, if the first checks find something so many times."""
    states, rounds = state_machine()["States"], 0
    passed = [state_machine()["StartAt"]]
    while states[passed[-1]]["Type"] != "Succeed":
        state = states[passed[-1]]
        rounds += passed[-1] == "Check the result"
        match passed[-1]:
            case "Was something missed?":
                passed.append(state["Choices"][0]["Next"] if rounds <= missed else state["Default"])
            case "Was this the last round?":
                passed.append(state["Choices"][-1]["Next"] if rounds == 5 else state["Default"])
            case _:
                passed.append(state["Default"] if state["Type"] == "Choice" else state["Next"])
    return passed


@pytest.mark.parametrize("missed", range(6))
def test_the_transitions_are_those_of_the_state_machine(missed):
    """There is one into every state, and one to the end."""
    states = state_machine()["States"]
    stages = [name for name in way(missed) if "stage" in states[name].get("Arguments", {}).get("Payload", {})]
    assert len(way(missed)) + 1 == transitions(len(stages))
