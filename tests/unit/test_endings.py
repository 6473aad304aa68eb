from __future__ import annotations

import pytest

from faceblur.endings import end_in_failure, error_of, with_warnings
from faceblur.errors import CorruptImage, InternalError
from faceblur.jobs import Status, jobs
from faceblur.storage import photos

JOB_ID = "0f8fad5bd9cb469fa16570867728950e"
BUCKET = "faceblur-photos-123456789012-eu-central-1"
UPLOAD = f"uploads/{JOB_ID}"
EVERYTHING = {UPLOAD, f"results/{JOB_ID}.jpg", f"receipts/{JOB_ID}.json"}


@pytest.fixture
def everything(s3, table):
    for key in EVERYTHING:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"photo")


# ---------------------------------------------------------------- warnings


def test_a_result_without_a_face_says_so():
    assert with_warnings({"faces": 0, "warnings": ["Doubt"]}) == {"faces": 0, "warnings": ["Doubt", "NoFacesFound"]}


def test_a_result_with_faces_keeps_its_warnings():
    assert with_warnings({"faces": 1, "warnings": ["Doubt"]}) == {"faces": 1, "warnings": ["Doubt"]}


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
def test_what_an_execution_ended_of(status, name, cause, code):
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
    end_in_failure(JOB_ID, CorruptImage(), jobs(), photos())
    assert jobs().get(JOB_ID).error == {"code": "CorruptImage", "message": CorruptImage.sentence}
    assert keys() == set()


def test_of_a_failed_job_that_keeps_its_original_that_stays(everything, keys, add_job):
    add_job("PROCESSING", options={"keep_original": True})
    end_in_failure(JOB_ID, CorruptImage(), jobs(), photos())
    assert keys() == {UPLOAD}


def test_a_failure_that_is_recorded_already_stays_as_it_is_and_is_cleaned_up(everything, keys, add_job):
    add_job("FAILED", error={"code": "TimedOut", "message": "Too long."})
    end_in_failure(JOB_ID, CorruptImage(), jobs(), photos())
    assert jobs().get(JOB_ID).error["code"] == "TimedOut"
    assert keys() == set()


def test_a_completed_job_is_left_alone(everything, keys, add_job):
    add_job("COMPLETED")
    end_in_failure(JOB_ID, CorruptImage(), jobs(), photos())
    assert jobs().get(JOB_ID).status is Status.COMPLETED
    assert keys() == EVERYTHING


def test_a_job_that_goes_on_is_left_alone(everything, keys, add_job):
    add_job("PROCESSING")
    end_in_failure(JOB_ID, InternalError(), jobs(), photos(), only_from=(Status.AWAITING_UPLOAD,))
    assert jobs().get(JOB_ID).status is Status.PROCESSING
    assert keys() == EVERYTHING


def test_of_a_job_that_does_not_exist_nothing_stays(everything, keys, row_of):
    end_in_failure(JOB_ID, InternalError(), jobs(), photos())
    assert keys() == set()
    assert row_of(JOB_ID) is None
