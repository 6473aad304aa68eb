from __future__ import annotations

import json
import time
from contextlib import nullcontext
from dataclasses import replace

import pytest

from faceblur.contracts import CompleteRequest
from faceblur.detectors.warnings import WarningCode
from faceblur.errors import CorruptImage, InternalError, JobNotFound, StorageUnavailable
from faceblur.geometry import Box
from faceblur.jobs.boxes import FoundBox, FoundBoxes
from faceblur.jobs.completion import complete_job, erase_unneeded, error_of, fail_job
from faceblur.jobs.receipts import receipt
from faceblur.jobs.storage import Photos, digest, photos
from faceblur.jobs.table import Jobs, Status, jobs
from tests.support.counts import faces
from tests.unit.conftest import execution_arn, outcome_of

JOB_ID = "0f8fad5bd9cb469fa16570867728950e"
BUCKET = "faceblur-photos-123456789012-eu-central-1"
UPLOAD = f"uploads/{JOB_ID}"
RESULT = f"results/{JOB_ID}.9c56cc51b374c3ba.jpg"
BOXES = f"boxes/{JOB_ID}.8d1f0c2b9a7e6543.json"
EXECUTION = execution_arn(JOB_ID)
AGAIN = f"{EXECUTION}-1"
EVERYTHING = {UPLOAD, BOXES, RESULT, f"receipts/{JOB_ID}.json"}


@pytest.fixture
def everything(s3, table):
    for key in EVERYTHING:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"photo")


# ---------------------------------------------------------------- completing a job


RECEIPT = f"receipts/{JOB_ID}.json"
# Two faces of the first pass, and one that a check found.
FOUND = [
    FoundBox(Box(0.1, 0.1, 0.1, 0.1, 90.0, "embedded"), 0),
    FoundBox(Box(0.4, 0.1, 0.1, 0.1, 80.0, "embedded"), 0),
    FoundBox(Box(0.7, 0.7, 0.1, 0.1, 55.0, "embedded"), 1),
]


@pytest.fixture
def done(event, s3, table, store):
    """The payload of the last task: the detection found one face, and a check another."""
    boxes = store(*((found.box, found.round) for found in FOUND), photo=b"photo")
    result = photos().write_draft(JOB_ID, "jpg", b"result", "image/jpeg")
    request = CompleteRequest(**event("complete_job"))
    return replace(request, boxes=boxes, check_rounds=2, draft=request.draft | {"key": result})


@pytest.fixture
def written(s3):
    """The stored receipt."""
    return lambda: json.load(s3.get_object(Bucket=BUCKET, Key=RECEIPT)["Body"])


def test_the_outcome_of_a_completed_job(done, add_job):
    add_job("PROCESSING")
    complete_job(done, jobs(), photos())
    job = jobs().get(JOB_ID)
    assert job.status is Status.COMPLETED
    assert job.outcome == {
        "hidden": {"face": 3, "plate": 0, "text": 0},
        "missed_at_first": 1,
        "kept": {"face": 0, "plate": 0, "text": 0},
        "check_rounds": 2,
        "reviewed": False,
        "warnings": [],
        "options": done.options,
        "boxes": done.boxes,
        "result": done.draft,
        "receipt": RECEIPT,
    }


def test_a_job_counts_the_hidden_faces_and_the_kept_ones(done, add_job, s3):
    add_job("PROCESSING")
    kept = [replace(FOUND[0], hidden=False), FOUND[1], replace(FOUND[2], hidden=False)]
    s3.put_object(Bucket=BUCKET, Key=done.boxes["key"], Body=json.dumps(FoundBoxes(digest(b"photo"), kept).to_dict()))
    complete_job(done, jobs(), photos())
    outcome = jobs().get(JOB_ID).outcome
    assert (outcome["hidden"], outcome["kept"], outcome["missed_at_first"]) == (faces(1), faces(2), 0)


def test_a_completed_job_has_its_receipt(done, add_job, keys, written, s3):
    add_job("PROCESSING")
    complete_job(done, jobs(), photos())
    assert keys() == {done.draft["key"], RECEIPT}
    assert written() == receipt(done, FoundBoxes(digest(b"photo"), FOUND), digest(b"result"))
    assert s3.head_object(Bucket=BUCKET, Key=RECEIPT)["ContentType"] == "application/json"


@pytest.mark.parametrize(
    ("faces", "given", "warnings"),
    [
        (1, [], []),
        (0, [], ["NothingFound"]),
        (1, ["DarkPhoto"], ["DarkPhoto"]),
        (0, ["OneDetectorOnly", "DarkPhoto"], ["DarkPhoto", "NothingFound", "OneDetectorOnly"]),
        (0, ["NothingFound"], ["NothingFound"]),
        (1, ["OneDetectorOnly", "DarkPhoto", "OneDetectorOnly"], ["DarkPhoto", "OneDetectorOnly"]),
    ],
)
def test_every_warning_is_given_once_and_that_there_is_no_face_is_one(
    done, add_job, written, store, faces, given, warnings
):
    add_job("PROCESSING")
    boxes = store(*[(FOUND[0].box, 0)] * faces)
    complete_job(replace(done, warnings=given, boxes=boxes), jobs(), photos())
    assert jobs().get(JOB_ID).outcome["warnings"] == written()["warnings"] == warnings


def test_that_there_is_no_face_is_a_warning_by_its_name():
    assert WarningCode.NOTHING_FOUND == "NothingFound"


def test_completing_again_is_harmless(done, add_job, keys, written):
    add_job("PROCESSING")
    assert complete_job(done, jobs(), photos()) == jobs().get(JOB_ID)
    once, first = jobs().get(JOB_ID), written()
    assert complete_job(done, jobs(), photos()) is None
    assert (jobs().get(JOB_ID), written(), keys()) == (once, first, {done.draft["key"], RECEIPT})


def test_completing_again_after_another_try_has_erased_the_boxes_is_harmless(done, add_job, keys, s3):
    """The other try was too slow to be heard of, and not yet through with erasing."""
    add_job("PROCESSING")
    complete_job(done, jobs(), photos())
    s3.put_object(Bucket=BUCKET, Key=UPLOAD, Body=b"photo")
    assert done.boxes["key"] not in keys()
    assert complete_job(done, jobs(), photos()) is None
    assert keys() == {done.draft["key"], RECEIPT}
    assert jobs().get(JOB_ID).status is Status.COMPLETED


@pytest.mark.parametrize("hours", [0, 1])
def test_an_older_payload_changes_nothing_that_is_published(done, add_job, keys, written, hours):
    """Such as one sent by hand, of an earlier round's draft."""
    add_job("PROCESSING")
    published = replace(done, options=done.options | {"keep_original": hours})
    complete_job(published, jobs(), photos())
    once, receipt_once, keys_once = jobs().get(JOB_ID), written(), keys()
    older = replace(published, draft=done.draft | {"key": f"results/{JOB_ID}.0123456789abcdef.jpg"}, check_rounds=1)
    # Without its boxes, the repetition of what is done counts as done.
    with pytest.raises(JobNotFound) if hours else nullcontext():
        complete_job(older, jobs(), photos())
    assert (jobs().get(JOB_ID), written(), keys()) == (once, receipt_once, keys_once)


def test_a_late_task_leaves_the_receipt_of_a_job_that_is_being_done_again(done, add_job, keys):
    add_job("PROCESSING")
    kept = replace(done, options=done.options | {"keep_original": 1})
    job = complete_job(kept, jobs(), photos())
    jobs().redo(job, job.options, AGAIN)
    with pytest.raises(JobNotFound):
        complete_job(kept, jobs(), photos())
    assert RECEIPT in keys()


def test_a_job_in_work_whose_boxes_are_gone_is_not_completed(done, add_job, keys):
    add_job("PROCESSING")
    photos().withdraw(done.boxes["key"])
    with pytest.raises(JobNotFound):
        complete_job(done, jobs(), photos())
    assert jobs().get(JOB_ID).status is Status.PROCESSING
    assert keys() == {done.draft["key"]}


def test_a_deleted_job_gets_no_receipt(done, keys, row_of):
    with pytest.raises(JobNotFound):
        complete_job(done, jobs(), photos())
    assert keys() == {done.boxes["key"], done.draft["key"]}  # which its deletion has yet to erase
    assert row_of(JOB_ID) is None


def test_a_job_deleted_while_its_receipt_is_written_leaves_nothing(done, add_job, keys, row_of, monkeypatch):
    """The deletion comes between the receipt's writing and the job's completion, and misses the receipt."""
    add_job("PROCESSING")
    complete = Jobs.complete

    def deleted_before(self, job_id, *recorded):
        assert RECEIPT in keys()
        self.delete(job_id, "")
        complete(self, job_id, *recorded)

    monkeypatch.setattr(Jobs, "complete", deleted_before)
    with pytest.raises(JobNotFound):
        complete_job(done, jobs(), photos())
    assert RECEIPT not in keys()
    assert row_of(JOB_ID) is None


@pytest.mark.parametrize("status", ["AWAITING_UPLOAD", "FAILED"])
def test_a_job_that_is_not_in_work_gets_no_receipt(done, add_job, keys, status):
    add_job(status)
    with pytest.raises(JobNotFound):
        complete_job(done, jobs(), photos())
    assert RECEIPT not in keys()
    assert jobs().get(JOB_ID).status == status


def test_a_job_whose_receipt_cannot_be_written_is_not_completed(done, add_job, monkeypatch):
    add_job("PROCESSING")

    def unavailable(self, job_id, receipt):
        raise StorageUnavailable

    monkeypatch.setattr(Photos, "write_receipt", unavailable)
    with pytest.raises(StorageUnavailable):
        complete_job(done, jobs(), photos())
    assert jobs().get(JOB_ID).status is Status.PROCESSING


@pytest.mark.parametrize("hours", [0, 3])
def test_a_completed_job_leaves_its_result_and_what_it_can_be_done_again_with(done, add_job, s3, keys, hours):
    """The upload was posted again after the original was deleted; the other draft is the first, or a straggler's."""
    others = {"results/another.jpg", f"uploads/{JOB_ID}0"}
    for key in {UPLOAD, RESULT, f"results/{JOB_ID}.0123456789abcdef.jpg", f"results/{JOB_ID}.png", *others}:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"photo")
    add_job("PROCESSING", options={"keep_original": hours})
    complete_job(replace(done, options=done.options | {"keep_original": hours}), jobs(), photos())
    left = {UPLOAD, done.boxes["key"]} if hours else set()
    assert keys() == {done.draft["key"], RECEIPT, *left, *others}
    assert jobs().get(JOB_ID).redo_until == pytest.approx(time.time() + hours * 3600, abs=120)


def test_nothing_is_swept_before_the_job_is_completed(done, add_job, s3, keys, monkeypatch):
    s3.put_object(Bucket=BUCKET, Key=UPLOAD, Body=b"photo")
    add_job("PROCESSING")

    def unavailable(self, *recorded):
        raise StorageUnavailable

    monkeypatch.setattr(Jobs, "complete", unavailable)
    with pytest.raises(StorageUnavailable):
        complete_job(done, jobs(), photos())
    assert {UPLOAD, done.boxes["key"]} <= keys()


def test_a_sweep_that_broke_off_is_made_up_for_when_the_task_is_tried_again(
    done, add_job, everything, keys, monkeypatch
):
    add_job("PROCESSING")

    def unavailable(self, keys):
        raise StorageUnavailable

    with monkeypatch.context() as broken:
        broken.setattr(Photos, "delete", unavailable)
        with pytest.raises(StorageUnavailable):
            complete_job(done, jobs(), photos())
    complete_job(done, jobs(), photos())
    assert keys() == {done.draft["key"], RECEIPT}


# ---------------------------------------------------------------- what an execution died of


@pytest.mark.parametrize(
    ("status", "name", "cause", "code"),
    [
        ("FAILED", "CorruptImage", "Broken in two.", "CorruptImage"),
        ("FAILED", "JobNotFound", "No job waits for this photo.", "JobNotFound"),
        ("FAILED", "States.Runtime", "{insides}", "InternalError"),
        ("FAILED", "annotations", None, "InternalError"),
        ("FAILED", "ClassVar", None, "InternalError"),
        ("FAILED", None, None, "InternalError"),
        ("TIMED_OUT", None, None, "TimedOut"),
        ("TIMED_OUT", "CorruptImage", "an earlier error", "TimedOut"),
        ("ABORTED", None, None, "Aborted"),
        ("ABORTED", "Deleted", None, "Aborted"),
    ],
)
def test_why_an_execution_ended(status, name, cause, code):
    assert error_of(status, name, cause).code == code


def test_a_known_error_keeps_its_sentence_or_gets_that_of_its_class():
    assert error_of("FAILED", "CorruptImage", "Broken in two.").message == "Broken in two."
    assert error_of("FAILED", "CorruptImage", None).message == CorruptImage.sentence


def test_an_unknown_error_shows_nothing_of_its_insides():
    assert error_of("FAILED", "States.Runtime", "secret").message == InternalError.sentence


# ---------------------------------------------------------------- failing a job


@pytest.mark.parametrize("status", ["AWAITING_UPLOAD", "PROCESSING"])
def test_of_a_failed_job_nothing_stays(everything, keys, add_job, status):
    add_job(status)
    fail_job(JOB_ID, EXECUTION, CorruptImage(), jobs(), photos())
    assert jobs().get(JOB_ID).error == {"code": "CorruptImage", "message": CorruptImage.sentence}
    assert keys() == set()


def test_of_a_failed_job_not_even_the_original_stays(everything, keys, add_job):
    add_job("PROCESSING", options={"keep_original": 3})
    fail_job(JOB_ID, EXECUTION, CorruptImage(), jobs(), photos())
    assert keys() == set()


def test_a_failure_that_is_recorded_already_stays_as_it_is_and_is_cleaned_up(everything, keys, add_job):
    add_job("FAILED", error={"code": "TimedOut", "message": "Too long."})
    fail_job(JOB_ID, EXECUTION, CorruptImage(), jobs(), photos())
    assert jobs().get(JOB_ID).error["code"] == "TimedOut"
    assert keys() == set()


@pytest.mark.parametrize(("seconds", "left"), [(-1, set()), (3600, {UPLOAD, BOXES})])
def test_a_completed_job_stays_so_and_is_cleaned_up(everything, keys, add_job, s3, seconds, left):
    """The task that completed it died before it erased boxes, the first draft, and an upload that was posted again."""
    s3.put_object(Bucket=BUCKET, Key=f"results/{JOB_ID}.0123456789abcdef.jpg", Body=b"draft")
    add_job("COMPLETED", redo_until=int(time.time()) + seconds)
    fail_job(JOB_ID, EXECUTION, CorruptImage(), jobs(), photos())
    assert jobs().get(JOB_ID).status is Status.COMPLETED
    assert keys() == {RESULT, RECEIPT, *left}


def test_a_redo_that_fails_leaves_the_job_as_it_was(everything, keys, add_job, s3):
    for key in (f"results/{JOB_ID}.0123456789abcdef.jpg", f"receipts/{JOB_ID}-1.json"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"of the redo")
    outcome, until = json.dumps(outcome_of(JOB_ID)), int(time.time()) + 3600
    add_job("PROCESSING", execution_arn=AGAIN, fallback_status="COMPLETED", outcome=outcome, redo_until=until)
    fail_job(JOB_ID, AGAIN, CorruptImage(), jobs(), photos())
    job = jobs().get(JOB_ID)
    assert (job.status, job.error["code"], job.outcome) == (Status.COMPLETED, "CorruptImage", outcome_of(JOB_ID))
    assert keys() == {RESULT, RECEIPT, UPLOAD, BOXES}


def test_a_late_failure_of_another_execution_changes_nothing(everything, keys, add_job, row_of):
    row = row_of(add_job("PROCESSING", execution_arn=AGAIN, fallback_status="COMPLETED"))
    fail_job(JOB_ID, EXECUTION, CorruptImage(), jobs(), photos())
    assert row_of(JOB_ID) == row
    assert keys() == EVERYTHING


@pytest.mark.parametrize("status", ["AWAITING_UPLOAD", "PROCESSING", "AWAITING_REVIEW"])
def test_an_unfinished_job_needs_everything(everything, keys, add_job, status):
    add_job(status)
    assert erase_unneeded(JOB_ID, jobs(), photos()).status == status
    assert keys() == EVERYTHING


def test_a_straggler_takes_the_receipt_of_its_job_not_away(done, add_job, keys):
    """Its execution has completed the job, which is being done again by now."""
    add_job("PROCESSING")
    complete_job(done, jobs(), photos())
    add_job("PROCESSING", execution_arn=AGAIN, outcome=json.dumps(jobs().get(JOB_ID).outcome))
    with pytest.raises(JobNotFound):
        complete_job(replace(done, boxes=done.boxes), jobs(), photos())
    assert {RECEIPT, done.draft["key"]} <= keys()


def test_of_a_job_that_does_not_exist_nothing_stays(everything, keys, row_of):
    fail_job(JOB_ID, EXECUTION, InternalError(), jobs(), photos())
    assert keys() == set()
    assert row_of(JOB_ID) is None
