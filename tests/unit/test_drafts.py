from __future__ import annotations

from dataclasses import replace

import pytest

from faceblur.anonymise import HiddenPhoto
from faceblur.drafts import digest, store_draft
from faceblur.errors import JobNotFound
from faceblur.jobs import Jobs, jobs
from faceblur.storage import photos

JOB_ID = "0f8fad5bd9cb469fa16570867728950e"
HIDDEN = HiddenPhoto(data=b"photo", content_type="image/png", extension="png", width=40, height=30, stripped=["EXIF"])
# With the first 16 digits of the SHA-256 of `photo`.
KEY = f"results/{JOB_ID}.55c64d0fcd6f9d5f.png"


def test_a_draft_and_how_it_is_described(s3, keys, add_job):
    draft = store_draft(add_job("PROCESSING"), HIDDEN, jobs(), photos())
    assert keys() == {KEY}
    assert photos().read(KEY, draft.pop("etag")) == b"photo"
    assert draft == {
        "result": {
            "key": KEY,
            "content_type": "image/png",
            "bytes": 5,
            "width": 40,
            "height": 30,
            "stripped": ["EXIF"],
        }
    }


def test_how_a_file_is_named():
    sha256 = "55c64d0fcd6f9d5f7c828093857e3fdfda68478bb4e9bd24d481ef391c7804e8"
    assert digest(b"photo") == {"sha256": sha256, "bytes": 5}


def test_the_same_draft_again_takes_its_own_place(s3, keys, add_job):
    job_id = add_job("PROCESSING")
    first = store_draft(job_id, HIDDEN, jobs(), photos())
    second = store_draft(job_id, HIDDEN, jobs(), photos())
    assert first == second
    assert len(keys()) == 1


def test_another_draft_leaves_the_first_as_it_is(s3, keys, add_job):
    job_id = add_job("PROCESSING")
    first = store_draft(job_id, HIDDEN, jobs(), photos())
    second = store_draft(job_id, replace(HIDDEN, data=b"another"), jobs(), photos())
    assert keys() == {first["result"]["key"], second["result"]["key"]}
    assert len(keys()) == 2
    assert photos().read(KEY, first["etag"]) == b"photo"


@pytest.fixture
def published(add_job, s3):
    """A completed job, whose result is `photo`; gives its entity tag."""
    job_id = add_job("PROCESSING")
    draft = store_draft(job_id, HIDDEN, jobs(), photos())
    jobs().complete(job_id, {"result": draft["result"]})
    return draft["etag"]


def test_a_straggler_after_the_end_is_withdrawn_and_the_result_stays(keys, published):
    with pytest.raises(JobNotFound):
        store_draft(JOB_ID, replace(HIDDEN, data=b"with a face that was missed"), jobs(), photos())
    assert keys() == {KEY}
    assert photos().read(KEY, published) == b"photo"


def test_a_straggler_that_made_the_very_result_leaves_it_in_place(keys, published):
    """Hiding the same faces twice gives the same bytes, and so the same key."""
    store_draft(JOB_ID, HIDDEN, jobs(), photos())
    assert keys() == {KEY}
    assert photos().read(KEY, published) == b"photo"


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
    """The deletion comes between the draft's storing and the look at the row, and misses the draft."""
    job_id = add_job("PROCESSING")
    look = Jobs.get

    def deleted_before_the_look(self, job_id):
        assert keys() == {KEY}
        self.delete(job_id, "")
        return look(self, job_id)

    monkeypatch.setattr(Jobs, "get", deleted_before_the_look)
    with pytest.raises(JobNotFound):
        store_draft(job_id, HIDDEN, jobs(), photos())
    assert keys() == set()
