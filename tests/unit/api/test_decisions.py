from __future__ import annotations

from dataclasses import replace

import pytest

from faceblur.api.decisions import parse_decision, split_fields
from faceblur.errors import InvalidDecision
from faceblur.geometry import Box
from faceblur.jobs.decisions import Choice, Decision
from faceblur.limits import MAX_BOXES

PLACE = {"left": 0.1, "top": 0.2, "width": 0.3, "height": 0.4}
DRAWN = Box(0.1, 0.2, 0.3, 0.4, 100, "person", turned=True)


def parsed(**fields):
    return parse_decision(fields, ids=True)


def test_the_fields_of_a_decision_are_not_options():
    fields = {"style": "solid", "keep": [], "hide": [PLACE], "only": None}
    assert split_fields(fields) == ({"style": "solid"}, {"keep": [], "hide": [PLACE], "only": None})


def test_no_fields_decide_nothing():
    assert parsed() == Decision()


def test_faces_and_places():
    assert parsed(keep=[{"id": 3}, PLACE], hide=[{"id": 1}, PLACE | {"roll": -20}]) == Decision(
        keep=[Choice(3), Choice(place=DRAWN)],
        hide=[Choice(1), Choice(place=Box(0.1, 0.2, 0.3, 0.4, 100, "person", -20, turned=True))],
    )


def test_a_style_of_its_own_has_the_named_fields_only():
    style = {"style": "solid", "shape": "box", "padding": 0.5, "strength": 2, "colour": "#123456"}
    assert parsed(hide=[{"id": 1} | style]).hide[0].style == style
    assert parsed(hide=[PLACE | {"shape": "box"}]).hide[0].style == {"shape": "box"}


def test_a_face_that_moves():
    assert parsed(hide=[PLACE | {"id": 7}]).hide == [Choice(7, DRAWN)]


def test_a_place_says_what_it_shows():
    decision = parsed(keep=[PLACE | {"kind": "text"}], hide=[PLACE | {"kind": "plate"}])
    assert [choice.place for choice in decision.keep] == [replace(DRAWN, kind="text")]
    assert [choice.place for choice in decision.hide] == [replace(DRAWN, kind="plate")]


def test_a_sideways_line_of_a_tall_photo_is_taken_back_as_it_was_found():
    found = {"left": -0.85624, "top": 0.48, "width": 2.61612, "height": 0.02, "roll": -90}
    line = Box(-0.85624, 0.48, 2.61612, 0.02, 100, "person", -90, turned=True)
    assert parsed(keep=[found], hide=[found]) == Decision([Choice(place=line)], [Choice(place=line)])


def test_only():
    assert parsed(only=[{"id": 1}]) == Decision(hide=[Choice(1)], only=True)
    assert parsed(only=[]) == Decision(only=True)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"keep": {}}, "keep"),
        ({"keep": [1]}, "keep.0"),
        ({"keep": [{}]}, "keep.0"),
        ({"keep": [{"id": 0}]}, "keep.0.id"),
        ({"keep": [{"id": "1"}]}, "keep.0.id"),
        ({"keep": [{"id": True}]}, "keep.0.id"),
        ({"keep": [PLACE | {"id": 1}]}, "keep.0"),
        ({"keep": [PLACE | {"roll": 181}]}, "keep.0.roll"),
        ({"keep": [PLACE | {"kind": "car"}]}, "keep.0.kind"),
        ({"keep": [{"id": 1, "kind": "plate"}]}, "keep.0"),
        ({"hide": [PLACE | {"kind": "car"}]}, "hide.0.kind"),
        ({"hide": [{"id": 1, "kind": "plate"}]}, "hide.0"),
        ({"keep": [{"left": 0.1}]}, "keep.0"),
        ({"hide": [{"id": 1, "left": 0.1}]}, "hide.0"),
        ({"hide": [PLACE | {"left": 1.1}]}, "hide.0.left"),
        ({"hide": [PLACE | {"left": -0.2}]}, "hide.0: the middle of a rectangle lies in the photo"),
        ({"keep": [PLACE | {"top": 0.9}]}, "keep.0: the middle of a rectangle lies in the photo"),
        ({"hide": [PLACE | {"width": 0}]}, "hide.0.width"),
        ({"hide": [PLACE | {"width": 5e-324}]}, "hide.0.width"),
        ({"only": [], "keep": []}, "only cannot be combined"),
        ({"hide": [PLACE | {"height": 401}]}, "hide.0.height"),
        ({"hide": [PLACE | {"top": float("nan")}]}, "hide.0.top"),
        ({"hide": [PLACE | {"roll": 181}]}, "hide.0.roll"),
        ({"hide": [{"id": 1, "style": "sepia"}]}, "hide.0.style"),
        ({"hide": [{"id": 1, "padding": 0.05}]}, "hide.0.padding"),
        ({"hide": [{"id": 1, "output": "png"}]}, "hide.0.output: unknown field"),
        ({"hide": [{"id": 1}] * (MAX_BOXES + 1)}, "hide"),
        ({"show": []}, "show: unknown field"),
        ({"only": None}, "null is no value; leave only out"),
        ({"keep": [{"id": None}]}, "keep.0: null is no value; leave id out"),
        ({"hide": [{"id": 1, "style": None}]}, "hide.0: null is no value; leave style out"),
        ({"only": [{"id": 1}], "keep": [{"id": 2}]}, "only cannot be combined"),
        ({"only": [], "hide": [{"id": 2}]}, "only cannot be combined"),
    ],
)
def test_fields_that_are_not_valid_are_named(fields, named):
    with pytest.raises(InvalidDecision) as refused:
        parse_decision(fields, ids=True)
    assert refused.value.message.startswith(named)


@pytest.mark.parametrize("field", ["keep", "hide", "only"])
def test_the_faces_of_a_new_job_have_no_ids(field):
    with pytest.raises(InvalidDecision, match="have no ids"):
        parse_decision({field: [{"id": 1}]}, ids=False)
