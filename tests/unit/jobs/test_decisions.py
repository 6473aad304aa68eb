from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest

from faceblur.errors import InvalidDecision, JobNotFound
from faceblur.geometry import Box
from faceblur.jobs.boxes import FoundBox, FoundBoxes
from faceblur.jobs.decisions import Choice, Decision, decided, load_decision, store_decision
from faceblur.jobs.storage import digest, new_decision_key, photos
from tests.support.counts import faces

JOB_ID = "0f8fad5bd9cb469fa16570867728950e"
LEFT, MIDDLE, RIGHT = (FoundBox(Box(left, 0.3, 0.1, 0.2, 80, "embedded"), 0) for left in (0.1, 0.4, 0.7))
FOUND = FoundBoxes(digest(b"photo"), [LEFT, MIDDLE, RIGHT])


def place(left: float, top: float = 0.3, width: float = 0.1, height: float = 0.2, roll: float = 0) -> Box:
    return Box(left, top, width, height, 100, "person", roll, turned=True)


def hidden(found: FoundBoxes) -> list[bool]:
    return [each.hidden for each in found.boxes]


def test_an_empty_decision_changes_nothing():
    assert Decision().is_empty
    assert decided(FOUND, Decision()) == FOUND


@pytest.mark.parametrize("decision", [Decision(keep=[Choice(1)]), Decision(hide=[Choice(1)]), Decision(only=True)])
def test_a_decision_that_decides_something(decision):
    assert not decision.is_empty


def test_a_face_is_kept_by_its_id():
    assert hidden(decided(FOUND, Decision(keep=[Choice(2)]))) == [True, False, True]


def test_a_face_that_is_kept_by_its_id_was_named_and_keeps_nothing_inside_it():
    """Its box may surround another face, which no person has looked at."""
    kept = decided(FOUND, Decision(keep=[Choice(2)]))
    assert [each.named for each in kept.boxes] == [False, True, False]
    assert not kept.keeper()(Box(0.42, 0.35, 0.03, 0.06, 60))


def test_a_kept_face_is_hidden_again():
    kept = decided(FOUND, Decision(keep=[Choice(2), Choice(3)]))
    assert hidden(decided(kept, Decision(hide=[Choice(3)]))) == [True, False, True]


def test_a_place_keeps_the_faces_inside_it_now_and_later():
    kept = decided(FOUND, Decision(keep=[Choice(place=place(0.35, 0.2, 0.5, 0.5))]))
    assert hidden(kept) == [True, False, False]
    assert kept.keeper()(Box(0.5, 0.3, 0.05, 0.1, 60))
    assert not kept.keeper()(Box(0.2, 0.3, 0.05, 0.1, 60))


@pytest.mark.parametrize("sent", ["as it lies", "as its bounds"])
def test_a_place_keeps_a_sideways_line_now_and_later_and_no_neighbour(sent):
    ratio = 0.5
    # 0.4 of the photo's height long and 0.02 high, one beside the other.
    line, neighbour = (
        Box(x - 0.4, 0.49, 0.8, 0.02, 80, "embedded", 90, turned=True, kind="text", ratio=ratio) for x in (0.4, 0.46)
    )
    found = FoundBoxes(digest(b"photo"), [FoundBox(line, 0), FoundBox(neighbour, 0)], ratio=ratio)
    found = FoundBoxes.from_dict(json.loads(json.dumps(found.to_dict())))
    as_sent = line if sent == "as it lies" else replace(line.bounds, roll=0.0, turned=True)
    kept = decided(found, Decision(keep=[Choice(place=replace(as_sent, found_by="person", ratio=1.0))]))
    assert hidden(kept) == [False, True]
    assert [kept.keeper()(replace(box, left=box.left + 0.002)) for box in (line, neighbour)] == [True, False]


def test_of_two_sideways_lines_the_kept_one_keeps_itself_alone():
    line, neighbour = (
        Box(x - 0.4, 0.49, 0.8, 0.02, 80, "embedded", 90, turned=True, kind="text", ratio=0.5) for x in (0.4, 0.46)
    )
    kept = decided(FoundBoxes(digest(b"photo"), [FoundBox(line, 0)], ratio=0.5), Decision(keep=[Choice(1)]))
    assert [kept.keeper()(box) for box in (line, neighbour)] == [True, False]


def test_a_place_keeps_its_kind_alone():
    """The badge of somebody whose face is kept stays hidden."""
    badge = replace(MIDDLE, box=replace(MIDDLE.box, top=0.4, height=0.05, kind="text"))
    both = replace(FOUND, boxes=[MIDDLE, badge])
    assert hidden(decided(both, Decision(keep=[Choice(place=place(0.35, 0.2, 0.2, 0.4))]))) == [False, True]
    of_text = replace(place(0.35, 0.2, 0.2, 0.4), kind="text")
    assert hidden(decided(both, Decision(keep=[Choice(place=of_text)]))) == [True, False]


def test_a_kept_place_stays_when_something_of_another_kind_in_it_is_hidden():
    kept = decided(FOUND, Decision(keep=[Choice(place=place(0.35, 0.2, 0.2, 0.4))]))
    badge = replace(place(0.42, 0.35, 0.05, 0.02), kind="text")
    with_badge = decided(kept, Decision(hide=[Choice(place=badge)]))
    assert with_badge.hidden == {"face": 2, "plate": 0, "text": 1}
    assert with_badge.keeper()(Box(0.5, 0.25, 0.04, 0.1, 60))


def test_a_place_of_another_kind_than_the_box_in_it_gets_a_box_of_its_own():
    """An oval over a face leaves the corners of a plate at the same place visible."""
    plate = replace(place(0.4), kind="plate")
    after = decided(FOUND, Decision(hide=[Choice(place=plate)]))
    assert after.boxes[3].box == plate
    assert after.hidden == {"face": 3, "plate": 1, "text": 0}


def test_a_place_of_a_text_keeps_no_plate():
    """A check may take one for the other. A decision says what it means."""
    plate, text = (replace(MIDDLE.box, kind=kind) for kind in ("plate", "text"))
    after = decided(replace(FOUND, boxes=[FoundBox(plate, 0)]), Decision(keep=[Choice(place=text)]))
    assert hidden(after) == [True]


def test_what_is_hidden_wins_over_what_is_kept():
    both = Decision(keep=[Choice(1), Choice(2)], hide=[Choice(2)])
    assert hidden(decided(FOUND, both)) == [False, True, True]


def test_a_drawn_place_gets_a_box_of_its_own():
    drawn = place(0.85, 0.1, 0.05, 0.08, 20)
    style = {"style": "solid"}
    assert decided(FOUND, Decision(hide=[Choice(place=drawn, style=style)])).boxes == [
        *FOUND.boxes,
        FoundBox(drawn, 0, style=style, named=True),
    ]


def test_a_place_that_is_the_box_of_a_face_is_that_face():
    again = decided(FOUND, Decision(hide=[Choice(place=place(0.4), style={"style": "pixelate"})]))
    assert again.boxes == [LEFT, replace(MIDDLE, style={"style": "pixelate"}, named=True), RIGHT]


def test_a_place_around_a_kept_face_hides_the_face_and_the_place():
    kept = decided(FOUND, Decision(keep=[Choice(2)]))
    around = decided(kept, Decision(hide=[Choice(place=place(0.35, 0.2, 0.2, 0.4))]))
    assert hidden(around) == [True, True, True, True]


def test_a_face_moves_and_keeps_its_id():
    moved = decided(FOUND, Decision(hide=[Choice(2, place(0.42, 0.31), {"shape": "box"})]))
    box = replace(place(0.42, 0.31), found_by="embedded", confidence=80)
    assert moved.boxes[1] == FoundBox(box, 0, style={"shape": "box"}, named=True)
    assert len(moved.boxes) == 3


def test_a_moved_plate_stays_a_plate_and_a_drawn_one_is_one():
    plate = replace(MIDDLE, box=replace(MIDDLE.box, kind="plate"))
    drawn = replace(place(0.1, 0.9, 0.1, 0.05), kind="plate")
    after = decided(replace(FOUND, boxes=[plate]), Decision(hide=[Choice(1, place(0.42, 0.31)), Choice(place=drawn)]))
    assert after.hidden == {"face": 0, "plate": 2, "text": 0}


def test_a_moved_face_that_is_shown_again_stays_visible():
    moved = decided(FOUND, Decision(hide=[Choice(2, place(0.42, 0.31))]))
    shown = decided(moved, Decision(keep=[Choice(2)]))
    assert shown.kept == faces(1)
    assert shown.keeper()(replace(MIDDLE.box, found_by="rekognition"))


def test_what_lies_under_a_drawn_box_that_is_shown_again_stays_visible():
    drawn = decided(FOUND, Decision(hide=[Choice(place=place(0.85, 0.1))]))
    shown = decided(drawn, Decision(keep=[Choice(4)]))
    assert shown.keeper()(Box(0.86, 0.12, 0.08, 0.15, 90))
    assert not shown.keeper()(Box(0.2, 0.8, 0.1, 0.1, 90))


def test_a_kept_place_ends_when_a_face_in_it_is_hidden():
    kept = decided(
        FOUND, Decision(keep=[Choice(place=place(0.35, 0.2, 0.2, 0.4)), Choice(place=place(0.6, 0, 0.4, 1))])
    )
    hidden_again = decided(kept, Decision(hide=[Choice(2)]))
    assert not hidden_again.keeper()(Box(0.5, 0.25, 0.04, 0.1, 60))
    assert hidden_again.keeper()(Box(0.9, 0.7, 0.04, 0.1, 60))


def test_an_empty_decision_does_not_end_only():
    only = decided(FOUND, Decision(hide=[Choice(2)], only=True))
    assert decided(only, Decision()) == only


def test_each_place_in_a_crowd_is_compared_with_its_neighbours_only(monkeypatch):
    compared, share_in, side = Counter(), Box.share_in, 40

    def counted(self, other):
        compared["boxes"] += 1
        return share_in(self, other)

    monkeypatch.setattr(Box, "share_in", counted)
    boxes = [
        FoundBox(Box(column / side, row / side, 0.6 / side, 0.6 / side, 80, "embedded"), 0)
        for row in range(side)
        for column in range(side)
    ]
    crowd = FoundBoxes(digest(b"photo"), boxes)
    kept = decided(crowd, Decision(keep=[Choice(place=each.box) for each in boxes]))
    assert (kept.kept, kept.hidden) == (faces(side**2), faces(0))
    keeps = kept.keeper()
    assert all(keeps(each.box) for each in boxes)
    assert compared["boxes"] < 20 * len(boxes)


def test_the_fields_of_a_style_add_up():
    solid = decided(FOUND, Decision(hide=[Choice(1, style={"style": "solid"})]))
    red = decided(solid, Decision(hide=[Choice(1, style={"colour": "#ff0000"})]))
    assert red.boxes[0].style == {"style": "solid", "colour": "#ff0000"}


def test_only_these_faces_are_hidden():
    only = decided(FOUND, Decision(hide=[Choice(2), Choice(place=place(0.9))], only=True))
    assert hidden(only) == [False, True, False, True]
    assert only.keeper()(Box(0.2, 0.8, 0.1, 0.1, 90))


def test_only_nothing():
    assert hidden(decided(FOUND, Decision(only=True))) == [False, False, False]


def test_a_later_decision_ends_only():
    only = decided(FOUND, Decision(hide=[Choice(2)], only=True))
    later = decided(only, Decision(hide=[Choice(1)]))
    assert hidden(later) == [True, True, False]
    assert not later.keeper()(Box(0.2, 0.8, 0.1, 0.1, 90))


@pytest.mark.parametrize(
    ("decision", "named"),
    [
        (Decision(keep=[Choice(1), Choice(4)]), "keep.1"),
        (Decision(hide=[Choice(4)]), "hide.0"),
        (Decision(hide=[Choice(4)], only=True), "only.0"),
        (Decision(hide=[Choice(99, place(0.1))]), "hide.0"),
    ],
)
def test_an_id_that_the_job_does_not_have(decision, named):
    with pytest.raises(InvalidDecision, match=rf"^{named}: this job has no box with the id"):
        decided(FOUND, decision)


def test_a_decision_is_read_as_it_was_stored(s3, keys):
    decision = Decision([Choice(place=place(0.1))], [Choice(2), Choice(3, place(0.5, roll=-30), {"style": "solid"})])
    key = new_decision_key(JOB_ID)
    store_decision(key, decision, photos())
    assert load_decision(key, photos()) == decision
    assert keys() == {key}
    assert json.loads(json.dumps(decision.to_dict())) == decision.to_dict()


def test_a_decision_is_erased_with_its_job(s3, keys):
    key = new_decision_key(JOB_ID)
    store_decision(key, Decision(only=True), photos())
    photos().erase(JOB_ID)
    assert keys() == set()
    with pytest.raises(JobNotFound):
        load_decision(key, photos())


def test_each_decision_about_a_job_has_a_key_of_its_own():
    """So a late deletion of an earlier one does not take the next one away."""
    assert new_decision_key(JOB_ID) != new_decision_key(JOB_ID)
