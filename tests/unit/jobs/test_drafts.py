from __future__ import annotations

from dataclasses import replace

import pytest

from faceblur.errors import JobNotFound
from faceblur.jobs.drafts import store_draft
from faceblur.jobs.storage import photos
from faceblur.jobs.table import Jobs, jobs
from faceblur.photo.hide import HiddenPhoto
from tests.unit.conftest import execution_arn

JOB_ID = "0f8fad5bd9cb469fa16570867728950e"
HIDDEN = HiddenPhoto(
    data=b"photo",
    content_type="image/png",
    extension="png",
    width=40,
    height=30,
    stripped=["EXIF"],
    kept_metadata=["time"],
)


def test_a_stored_draft_and_its_description(s3, keys, add_job):
    draft = store_draft(add_job("PROCESSING"), HIDDEN, jobs(), photos())
    key = draft.pop("key")
    assert keys() == {key}
    assert photos().read(key) == b"photo"
    assert draft == {
        "content_type": "image/png",
        "bytes": 5,
        "width": 40,
        "height": 30,
        "stripped": ["EXIF"],
        "kept_metadata": ["time"],
    }


def test_another_draft_leaves_the_first_as_it_is(s3, keys, add_job):
    job_id = add_job("PROCESSING")
    first = store_draft(job_id, HIDDEN, jobs(), photos())
    second = store_draft(job_id, replace(HIDDEN, data=b"another"), jobs(), photos())
    assert keys() == {first["key"], second["key"]}
    assert len(keys()) == 2
    assert photos().read(first["key"]) == b"photo"


@pytest.mark.parametrize("data", [b"photo", b"with a face that was missed"])
def test_a_straggler_after_the_end_is_withdrawn_and_the_result_stays(s3, keys, add_job, data):
    job_id = add_job("PROCESSING")
    result = store_draft(job_id, HIDDEN, jobs(), photos())
    jobs().complete(job_id, execution_arn(job_id), {"result": result}, 0)
    with pytest.raises(JobNotFound):
        store_draft(job_id, replace(HIDDEN, data=data), jobs(), photos())
    assert keys() == {result["key"]}
    assert photos().read(result["key"]) == b"photo"


@pytest.mark.parametrize("status", ["AWAITING_UPLOAD", "COMPLETED", "FAILED"])
def test_a_job_that_is_not_in_work_gets_no_draft(s3, keys, add_job, status):
    with pytest.raises(JobNotFound):
        store_draft(add_job(status), HIDDEN, jobs(), photos())
    assert keys() == set()


def test_a_deleted_job_gets_no_draft(s3, table, keys):
    with pytest.raises(JobNotFound):
        store_draft(JOB_ID, HIDDEN, jobs(), photos())
    assert keys() == set()


def test_a_job_deleted_while_its_draft_is_stored_leaves_nothing(s3, table, keys, add_job, monkeypatch):
    """The job is deleted after the draft was stored and before the row is read, so the deletion misses the draft."""
    job_id = add_job("PROCESSING")
    find = Jobs.find

    def deleted_before_the_lookup(self, job_id):
        assert len(keys()) == 1
        self.delete(job_id, "")
        return find(self, job_id)

    monkeypatch.setattr(Jobs, "find", deleted_before_the_lookup)
    with pytest.raises(JobNotFound):
        store_draft(job_id, HIDDEN, jobs(), photos())
    assert keys() == set()
