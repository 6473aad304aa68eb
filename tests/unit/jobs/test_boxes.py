from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from faceblur.detectors.text.lines import Line, boxes_of
from faceblur.detectors.text.plates import plate_around
from faceblur.errors import JobNotFound, TooMuchToHide
from faceblur.geometry import Box
from faceblur.jobs.boxes import READ, FoundBox, FoundBoxes, load_boxes, store_boxes
from faceblur.jobs.storage import digest, photos
from faceblur.jobs.table import Jobs, jobs
from faceblur.limits import KINDS, MAX_BOXES
from faceblur.options import JobOptions
from faceblur.photo import painting
from faceblur.photo.styles import Region, Style
from tests.support.counts import faces
from tests.support.pictures.masks import opacities, opaque
from tests.unit.conftest import execution_arn

JOB_ID = "0f8fad5bd9cb469fa16570867728950e"
FIRST = FoundBox(Box(0.1, 0.2, 0.3, 0.4, 99.1, "embedded", -12.5), 0)
MISSED = FoundBox(Box(0.7, 0.7, 0.1, 0.1, 55.0, "rekognition"), 3)
DRAWN = FoundBox(Box(0.4, 0.1, 0.1, 0.1, 100.0, "person", 30.0, turned=True), 0)
KEPT = FoundBox(Box(0.1, 0.2, 0.3, 0.4, 99.1, "embedded", -12.5), 0, hidden=False)
OPTIONS = JobOptions().model_dump()


def of(*faces):
    return FoundBoxes(digest(b"photo"), list(faces))


def test_boxes_are_read_as_they_were_stored(s3, add_job):
    boxes = store_boxes(add_job("PROCESSING"), of(FIRST, MISSED), jobs(), photos())
    assert boxes["count"] == 2
    assert load_boxes(boxes, photos()) == of(FIRST, MISSED)


def test_the_boxes_of_another_pass_are_added():
    assert of(FIRST).plus([MISSED.box], 3) == of(FIRST, MISSED)


@pytest.mark.parametrize(("found", "found_in"), [(FIRST, "first"), (MISSED, "check"), (DRAWN, "person")])
def test_a_box_tells_its_pass_and_its_round(found, found_in):
    told = json.loads(json.dumps(found.to_dict(7)))
    assert told == {
        "id": 7,
        **found.box.to_dict(),
        "found_in": found_in,
        "round": found.round,
        "hidden": True,
    }
    assert FoundBox.from_dict(told) == found


def test_a_box_with_a_style_of_its_own_tells_it():
    own = FoundBox(FIRST.box, 0, style={"style": "solid", "colour": "#ff0000"})
    told = json.loads(json.dumps(own.to_dict(1)))
    assert told["hidden_with"] == {"style": "solid", "colour": "#ff0000"}
    assert FoundBox.from_dict(told) == own


def test_a_box_that_a_decision_named_tells_it():
    named = FoundBox(FIRST.box, 0, named=True)
    assert named.to_dict(1)["named"] is True
    assert FoundBox.from_dict(named.to_dict(1)) == named


def test_the_hidden_faces_that_are_unsure_and_that_nobody_decided_about():
    box = replace(FIRST.box, confidence=50.1)
    found = of(FoundBox(box, 0), FoundBox(box, 1), FoundBox(box, 0, named=True), FoundBox(box, 0, hidden=False), FIRST)
    assert found.unsure == 2


def test_the_ids_of_boxes_are_their_numbers_and_more_boxes_do_not_change_them():
    boxes = of(FIRST, DRAWN).plus([MISSED.box], 3).to_dict()["boxes"]
    assert [(box["id"], box["found_in"]) for box in boxes] == [(1, "first"), (2, "person"), (3, "check")]


def test_the_rules_for_later_faces_are_stored_with_the_boxes(s3, add_job):
    found = replace(of(KEPT), kept_places=[DRAWN.box], only=True)
    assert load_boxes(store_boxes(add_job("PROCESSING"), found, jobs(), photos()), photos()) == found


def test_the_count_of_stored_boxes_is_that_of_the_hidden_ones(s3, add_job):
    assert store_boxes(add_job("PROCESSING"), of(KEPT, MISSED), jobs(), photos())["count"] == 1


def test_a_kept_face_and_a_drawn_box_that_was_taken_back():
    taken_back = replace(DRAWN, hidden=False)
    found = of(KEPT, MISSED, taken_back)
    assert (found.hidden, found.kept) == (faces(1), faces(1))
    assert not found.keeper()(taken_back.box)


def test_only_hidden_boxes_become_regions_each_in_its_style():
    own = FoundBox(MISSED.box, 3, style={"style": "solid", "padding": 0.5})
    regions = of(KEPT, own, DRAWN).regions(OPTIONS)
    assert regions == [Region(own.box, Style("solid", padding=0.5)), Region(DRAWN.box, Style())]


@pytest.mark.parametrize("middle", [19, 24, 40, 56, 512, 968, 984, 1000, 1005])
@pytest.mark.parametrize("padding", [0.12, 0.24, 1.0])
@pytest.mark.parametrize("shape", ["ellipse", "rounded", "box"])
@pytest.mark.parametrize("turned", [False, True])
def test_the_paint_of_a_panorama_goes_on_beyond_its_seam(middle, padding, shape, turned):
    size = (1024, 512)
    box = Box(31 / 64, 3 / 8, 1 / 32, 1 / 8, 99.0, roll=80.0 if turned else 0.0, turned=turned)
    # With a little less padding, because rounding may move the edge of the paint by a pixel.
    expected = opaque(size, Region(box, Style(shape=shape, padding=padding - 0.02)))
    expected = np.roll(expected, middle - 512, axis=1)
    found = FoundBoxes(digest(b"photo"), [FoundBox(replace(box, left=middle / 1024 - 1 / 64), 0)], wraps=True)
    regions = found.regions(OPTIONS | {"shape": shape, "padding": padding})
    painted = np.any([opaque(size, region) for region in regions], axis=0)
    assert not (expected & ~painted).any()
    picture = Image.new("RGB", size, "white")
    painting.paint(picture, regions)
    for region in regions:
        picture.paste("white", mask=Image.fromarray(opacities(size, region) > 0))
    assert picture.getextrema() == ((255, 255),) * 3


@pytest.mark.parametrize(
    ("box", "kept"),
    [
        (KEPT.box, True),
        (
            replace(KEPT.box, left=0.15, top=0.25, found_by="rekognition"),
            True,
        ),  # another detector places it differently
        (replace(KEPT.box, left=0.3), False),  # a neighbour, whose box overlaps by a fifth
        (MISSED.box, False),
    ],
)
def test_a_check_leaves_out_kept_faces_only(box, kept):
    assert of(KEPT, MISSED).keeper()(box) is kept


@pytest.mark.parametrize("kept", KINDS)
@pytest.mark.parametrize("found", KINDS)
@pytest.mark.parametrize("share", [1, 0.7])
def test_what_is_kept_is_kept_alone(kept, found, share):
    """A text on a kept face is hidden, and so is a face on a kept plate, however much they overlap.

    A text and a plate are the same if their boxes nearly are.
    """
    box = replace(KEPT.box, width=KEPT.box.width * share, kind=found)
    by_its_box = of(FoundBox(replace(KEPT.box, kind=kept), 0, hidden=False))
    by_its_place = replace(of(), kept_places=[replace(KEPT.box, kind=kept)])
    assert by_its_box.keeper()(box) is by_its_place.keeper()(box) is (found == kept or {found, kept} == READ)


@pytest.mark.parametrize(("kept", "found"), [("plate", "text"), ("text", "plate")])
def test_a_text_that_overlaps_a_kept_plate_little_is_another_one(kept, found):
    beside = replace(KEPT.box, left=KEPT.box.left + 0.45 * KEPT.box.width, kind=found)
    around = replace(KEPT.box, width=0.9, height=0.8, kind=kept)
    assert not of(FoundBox(replace(KEPT.box, kind=kept), 0, hidden=False)).keeper()(beside)
    assert not replace(of(), kept_places=[around]).keeper()(replace(KEPT.box, kind=found))


def test_the_kept_letters_of_a_plate_keep_the_plate_around_them():
    letters = Line(500, 500, 140, 100, 0, 0.9)
    size = (1000, 1000)
    (text,), (plate,) = (
        boxes_of([line], size, kind, lambda _: 90)
        for line, kind in ((letters, "text"), (plate_around(letters), "plate"))
    )
    assert of(FoundBox(text, 0, hidden=False)).keeper()(plate)
    assert of(FoundBox(plate, 0, hidden=False)).keeper()(text)


def test_what_covers_a_kept_face_does_not_hide_it_from_its_keeper():
    text = FoundBox(replace(KEPT.box, kind="text"), 0)
    assert of(text, KEPT).keeper()(replace(KEPT.box, left=0.12))
    assert not of(text, KEPT).keeper()(text.box)


def test_a_hidden_face_whose_paint_is_too_small_is_not_taken_for_its_kept_neighbour():
    beside = FoundBox(replace(KEPT.box, left=0.2), 0)
    assert not of(KEPT, beside).keeper()(replace(beside.box, left=0.19))
    assert of(KEPT, beside).keeper()(replace(KEPT.box, left=0.11))


@pytest.mark.parametrize(("left", "kept"), [(0.43, True), (0.46, False)])
def test_a_place_keeps_faces_of_which_most_lies_inside(left, kept):
    found = replace(of(), kept_places=[Box(0, 0, 0.5, 0.5, 100, "person")])
    assert found.keeper()(Box(left, 0.1, 0.1, 0.1, 90)) is kept


def test_a_job_about_these_faces_only_keeps_every_other():
    assert replace(of(), only=True).keeper()(MISSED.box)


def test_no_box_is_stored_too(s3, add_job):
    boxes = store_boxes(add_job("PROCESSING"), of(), jobs(), photos())
    assert boxes["count"] == 0
    assert load_boxes(boxes, photos()) == of()


def test_more_boxes_leave_the_earlier_ones_as_they_are(s3, keys, add_job):
    job_id = add_job("PROCESSING")
    first = store_boxes(job_id, of(FIRST), jobs(), photos())
    more = store_boxes(job_id, of(FIRST, MISSED), jobs(), photos())
    assert keys() == {first["key"], more["key"]}
    assert load_boxes(first, photos()) == of(FIRST)


def test_as_many_as_a_job_can_hide_are_a_file_of_four_megabytes(s3, add_job):
    longest = FoundBox(Box(1 / 3, 2 / 3, 1 / 7, 1 / 9, 200 / 3, "rekognition", -400 / 3), 5)
    boxes = store_boxes(add_job("PROCESSING"), of(*[longest] * MAX_BOXES), jobs(), photos())
    assert 3e6 < len(json.dumps(photos().read_json(boxes["key"]), separators=(",", ":"))) < 4.5e6
    assert boxes["count"] == MAX_BOXES
    assert len(json.dumps(boxes)) < 100


def test_more_than_a_job_can_hide(s3, keys, add_job):
    with pytest.raises(TooMuchToHide):
        store_boxes(add_job("PROCESSING"), of(*[FIRST] * (MAX_BOXES + 1)), jobs(), photos())
    assert keys() == set()


@pytest.mark.parametrize("status", ["AWAITING_UPLOAD", "COMPLETED", "FAILED"])
def test_a_job_that_is_not_in_work_gets_no_boxes(s3, keys, add_job, status):
    with pytest.raises(JobNotFound):
        store_boxes(add_job(status), of(FIRST), jobs(), photos())
    assert keys() == set()


def test_a_deleted_job_gets_no_boxes(s3, table, keys):
    with pytest.raises(JobNotFound):
        store_boxes(JOB_ID, of(FIRST), jobs(), photos())
    assert keys() == set()


@pytest.mark.parametrize("end", ["delete", "complete"])
def test_a_job_that_ends_while_its_boxes_are_stored_leaves_none(s3, keys, add_job, monkeypatch, end):
    """The job ends after the boxes were stored and before the row is read, so its end misses the boxes."""
    job_id = add_job("PROCESSING")
    find = Jobs.find

    def ended_before_the_lookup(self, job_id):
        assert len(keys()) == 1
        self.delete(job_id, "") if end == "delete" else self.complete(job_id, execution_arn(job_id), {}, 0)
        return find(self, job_id)

    monkeypatch.setattr(Jobs, "find", ended_before_the_lookup)
    with pytest.raises(JobNotFound):
        store_boxes(job_id, of(FIRST), jobs(), photos())
    assert keys() == set()


def test_boxes_that_are_erased(s3):
    with pytest.raises(JobNotFound):
        load_boxes({"key": f"boxes/{JOB_ID}.0123456789abcdef.json", "count": 1}, photos())
