from __future__ import annotations

import json

import pytest

from faceblur.errors import JobNotFound, TooManyFaces
from faceblur.geometry import Box
from faceblur.jobs.boxes import FoundBox, FoundBoxes, load_boxes, store_boxes
from faceblur.jobs.storage import digest, photos
from faceblur.jobs.table import Jobs, jobs
from faceblur.limits import MAX_FACES

JOB_ID = "0f8fad5bd9cb469fa16570867728950e"
FIRST = FoundBox(Box(0.1, 0.2, 0.3, 0.4, 99.1, "embedded", -12.5), 0)
MISSED = FoundBox(Box(0.7, 0.7, 0.1, 0.1, 55.0, "rekognition"), 3)


def of(*faces):
    return FoundBoxes(digest(b"photo"), list(faces))


def test_boxes_are_read_as_they_were_stored(s3, add_job):
    boxes = store_boxes(add_job("PROCESSING"), of(FIRST, MISSED), jobs(), photos())
    assert boxes["count"] == 2
    assert load_boxes(boxes, photos()) == of(FIRST, MISSED)


def test_the_boxes_of_another_pass_are_added():
    assert of(FIRST).plus([MISSED.box], 3) == of(FIRST, MISSED)


@pytest.mark.parametrize(("found", "found_in"), [(FIRST, "first"), (MISSED, "check")])
def test_a_box_tells_its_pass_and_its_round(found, found_in):
    told = json.loads(json.dumps(found.to_dict()))
    assert told == {**found.box.to_dict(), "found_in": found_in, "round": found.round}
    assert FoundBox.from_dict(told) == found


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


def test_as_many_as_a_job_can_hide_are_a_file_of_three_megabytes(s3, add_job):
    longest = FoundBox(Box(1 / 3, 2 / 3, 1 / 7, 1 / 9, 200 / 3, "rekognition", -400 / 3), 5)
    boxes = store_boxes(add_job("PROCESSING"), of(*[longest] * MAX_FACES), jobs(), photos())
    assert 2e6 < len(json.dumps(photos().read_boxes(boxes["key"]), separators=(",", ":"))) < 3.5e6
    assert boxes["count"] == MAX_FACES
    assert len(json.dumps(boxes)) < 100


def test_more_than_a_job_can_hide(s3, keys, add_job):
    with pytest.raises(TooManyFaces):
        store_boxes(add_job("PROCESSING"), of(*[FIRST] * (MAX_FACES + 1)), jobs(), photos())
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
    get = Jobs.get

    def ended_before_the_look(self, job_id):
        assert len(keys()) == 1
        self.delete(job_id, "") if end == "delete" else self.complete(job_id, {})
        return get(self, job_id)

    monkeypatch.setattr(Jobs, "get", ended_before_the_look)
    with pytest.raises(JobNotFound):
        store_boxes(job_id, of(FIRST), jobs(), photos())
    assert keys() == set()


def test_boxes_that_are_erased(s3):
    with pytest.raises(JobNotFound):
        load_boxes({"key": f"boxes/{JOB_ID}.0123456789abcdef.json", "count": 1}, photos())
