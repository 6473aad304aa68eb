from __future__ import annotations

import json
from copy import deepcopy

import pytest
from api_contract import validator
from sources import api_description, state_machine

from faceblur.receipts import MORE_TRANSITIONS, PRICES, TRANSITIONS, cost, receipt

FACE = {"left": 0.1, "top": 0.2, "width": 0.3, "height": 0.4, "confidence": 99.1, "found_by": "rekognition"}
MISSED = {"left": 0.7, "top": 0.7, "width": 0.1, "height": 0.1, "confidence": 55.0, "found_by": "embedded"}


def look(name: str, seconds: float, calls: int) -> dict[str, object]:
    return {
        "name": f"{name}_look",
        "milliseconds": round(seconds * 1000),
        "memory_mb": 2048,
        "detector": "rekognition+embedded",
        "version": "DetectFaces-2016-06-27 centerface-1",
        "faces": 1,
        "calls": calls,
    }


BLUR = {"name": "blur", "milliseconds": 1000, "memory_mb": 1024}
ONE_PASS = [look("first", 3, calls=5), BLUR, look("second", 1.5, calls=0)]
TWO_PASSES = [*ONE_PASS, BLUR, look("second", 1.5, calls=4)]


@pytest.fixture
def done(event):
    """What the state machine hands to its last task."""
    return event("update_job")


def documented(made):
    """The receipt as it is read again, which must be as the API's description says."""
    written = json.loads(json.dumps(made))
    validator(api_description()["components"]["schemas"]["Receipt"]).validate(written)
    return written


# ---------------------------------------------------------------- what it says


def test_the_whole_receipt_of_a_job(done):
    assert documented(receipt(done)) == {
        "job_id": "0f8fad5bd9cb469fa16570867728950e",
        "input": done["draft"]["input"],
        "output": done["draft"]["output"],
        "faces": [{**done["faces"][0], "look": "first"}],
        "hidden_with": {"style": "blur", "shape": "ellipse", "padding": 0.3, "strength": 1, "colour": "#000000"},
        "stripped": ["EXIF"],
        "warnings": [],
        "stages": done["stages"],
        "billable_calls": 0,
        "cost_estimate": {
            # 10 transitions for 0.00025, and 3008 MB for 1.11 s: 3.261 GB-s for 0.0000543438.
            "usd": 0.0003043,
            "prices_usd": {"detector_call": 0.001, "state_transition": 0.000025, "lambda_gb_second": 0.0000166667},
            "prices_as_of": "2026-11",
        },
    }


def test_every_face_says_who_found_it_and_in_which_look(done):
    made = documented(receipt(done | {"faces": [FACE], "missed": [MISSED], "stages": TWO_PASSES}))
    assert made["faces"] == [FACE | {"look": "first"}, MISSED | {"look": "second"}]


def test_how_the_faces_were_hidden_is_what_was_asked_for(done):
    asked = {"style": "solid", "shape": "box", "padding": 0.4, "strength": 3, "colour": "#12ab9F"}
    assert documented(receipt(done | {"options": done["options"] | asked}))["hidden_with"] == asked


def test_a_job_that_an_earlier_release_created_has_a_receipt_too(done):
    options = {name: value for name, value in done["options"].items() if name != "strength"}
    made = documented(receipt(done | {"options": options}))
    assert made["hidden_with"] == {"style": "blur", "shape": "ellipse", "padding": 0.3, "colour": "#000000"}


def test_a_photo_without_a_face_has_a_receipt_too(done):
    made = documented(receipt(done | {"faces": [], "warnings": ["NoFacesFound"]}))
    assert (made["faces"], made["warnings"]) == ([], ["NoFacesFound"])


def test_the_billable_calls_are_those_of_all_looks(done):
    assert receipt(done | {"stages": ONE_PASS})["billable_calls"] == 5
    assert receipt(done | {"stages": TWO_PASSES})["billable_calls"] == 9


def test_keys_and_entity_tags_stay_inside(done):
    text = json.dumps(receipt(done))
    assert not [inside for inside in (done["draft"]["etag"], "results/", "etag") if inside in text]


# ---------------------------------------------------------------- determinism


def timeless(made):
    """A receipt without times and what they cost."""
    made = deepcopy(made)
    del made["cost_estimate"]["usd"]
    for stage in made["stages"]:
        del stage["milliseconds"]
    return json.dumps(made)


def test_the_same_work_has_the_same_receipt_but_for_times_and_what_they_cost(done):
    slower = deepcopy(done)
    for stage in slower["stages"]:
        stage["milliseconds"] *= 2
    one, other = receipt(done), receipt(slower)
    assert one["cost_estimate"]["usd"] < other["cost_estimate"]["usd"]
    assert timeless(one) == timeless(other)
    assert json.dumps(receipt(deepcopy(done))) == json.dumps(one)


def test_making_a_receipt_changes_nothing(done):
    before = deepcopy(done)
    receipt(done)
    assert done == before


# ---------------------------------------------------------------- what it cost


def test_the_prices_are_those_of_the_lists():
    assert {
        "detector_call": pytest.approx(1 / 1000),
        "state_transition": pytest.approx(25 / 1_000_000),
        "lambda_gb_second": 0.0000166667,
    } == PRICES


def test_the_cost_of_a_job():
    # 5 calls: 0.005; 10 transitions: 0.00025; 2 GB for 3 s, 1 GB for 1 s, 2 GB for 1.5 s, 10 GB-s: 0.000166667.
    assert cost(ONE_PASS, looked_again=False) == pytest.approx(0.005416667, abs=1e-12)


def test_the_cost_of_a_job_in_which_the_second_look_found_a_face():
    # 9 calls: 0.009; 13 transitions: 0.000325; 14 GB-s: 0.0002333338.
    assert cost(TWO_PASSES, looked_again=True) == pytest.approx(0.0095583338, abs=1e-12)


@pytest.mark.parametrize(("missed", "stages", "usd"), [([], ONE_PASS, 0.0054167), ([MISSED], TWO_PASSES, 0.0095583)])
def test_a_receipt_says_what_the_job_cost(done, missed, stages, usd):
    assert documented(receipt(done | {"missed": missed, "stages": stages}))["cost_estimate"]["usd"] == usd


def way(choices: dict[str, int | None]) -> list[str]:
    """The states from the first to the last without an error; at each choice one of its rules, or the default."""
    states = state_machine()["States"]
    states_on_the_way = [state_machine()["StartAt"]]
    while states[states_on_the_way[-1]]["Type"] != "Succeed":
        state = states[states_on_the_way[-1]]
        rule = choices.get(states_on_the_way[-1])
        if state["Type"] != "Choice":
            states_on_the_way.append(state["Next"])
        else:
            states_on_the_way.append(state["Default"] if rule is None else state["Choices"][rule]["Next"])
    return states_on_the_way


def test_the_transitions_are_those_of_the_state_machine():
    """There is one into every state, and one to the end."""
    assert len(way({})) + 1 == TRANSITIONS
    assert len(way({"Was a face missed?": 0})) + 1 == TRANSITIONS + MORE_TRANSITIONS
