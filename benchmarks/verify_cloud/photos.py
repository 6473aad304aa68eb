"""Tries the stack with photos: one of a person, one without people, and one failure of each kind."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

import httpx
from PIL import Image

from benchmarks.verify_cloud.steps import NotHere, Step, must
from faceblur_cli.waiting import wait_until
from faceblur_client import FaceblurError
from tests.support.pictures.photos import ASTRONAUT_FACE, astronaut, blank, flower, opened, without_its_end
from tests.support.pictures.remains import HIDDEN, shown
from tests.support.pictures.truth import in_pixels

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.verify_cloud.target import Target

PERSON, NOBODY = "one face", "nobody"
_GONE_SECONDS = 2 * 60


def steps(target: Target) -> list[Step]:
    """All that is tried with photos. The form that must expire is made first and used last."""
    expiring: dict[str, Any] = {}
    return [
        Step("an upload form is given out", lambda: _make_form(target, expiring)),
        Step("the face of a person is hidden", lambda: _hide_a_face(target)),
        Step("a picture without people stays as it is", lambda: _leave_alone(target)),
        Step("the page answers", lambda: _page_answers(target)),
        Step("what is no image: UnsupportedFormat", _failing(target, b"not an image", "UnsupportedFormat")),
        Step("half a JPEG: CorruptImage", _failing(target, without_its_end(astronaut()), "CorruptImage")),
        Step("8×8 pixels: ImageTooSmall", _failing(target, blank(8, 8), "ImageTooSmall")),
        Step("wrong options: InvalidOptions", lambda: _refuse_options(target)),
        Step("an aborted execution: Aborted", lambda: _abort(target)),
        Step("a job that is deleted while it runs is gone", lambda: _delete(target)),
        Step("an expired form: UploadExpired", lambda: _let_expire(target, expiring)),
    ]


def _start(target: Target, trying: str, photo: bytes, fields: dict[str, Any] | None = None) -> str:
    """Create a job and upload its photo; gives the job's id."""
    created = target.api.create_job(**fields or {})
    target.jobs[trying] = created["job_id"]
    _upload(target, created["upload"], photo)
    return str(created["job_id"])


def _upload(target: Target, form: dict[str, Any], photo: bytes) -> None:
    target.api.upload(form, photo)


def _completed(target: Target, trying: str, photo: bytes) -> tuple[dict[str, Any], Image.Image]:
    """A job that must complete with one result, whose digest is the receipt's; gives the job and the result."""
    api, job_id = target.api, _start(target, trying, photo)
    job = api.wait_for(job_id)
    result = api.download(job["result"]["url"])
    receipt = target.receipts[trying] = json.loads(api.download(job["receipt"]["url"]))
    digest = hashlib.sha256(result).hexdigest()
    must(receipt["output"]["sha256"] == digest, f"the receipt is of another result than the {digest} that was given")
    return job, opened(result).convert("RGB")


def _hide_a_face(target: Target) -> str:
    job, result = _completed(target, PERSON, astronaut())
    before = Image.open(BytesIO(astronaut())).convert("RGB")
    remains = shown(before, result, in_pixels(ASTRONAUT_FACE, before.size))
    seen = f"{job['hidden']['face']} face hidden, {job['check_rounds']} check; {remains:.2f} of its detail shows"
    must(job["hidden"]["face"] == 1 and remains < HIDDEN, seen)
    return seen


def _leave_alone(target: Target) -> str:
    job, _ = _completed(target, NOBODY, flower())
    seen = f"{job['hidden']['face']} faces hidden, warnings: {', '.join(job['warnings'])}"
    must(job["hidden"]["face"] == 0 and "NothingFound" in job["warnings"], seen)
    return seen


def _page_answers(target: Target) -> str:
    if "PageUrl" not in target.outputs:
        raise NotHere("the stack has no page")
    answer = httpx.get(target.outputs["PageUrl"], timeout=60)
    must(answer.status_code == httpx.codes.OK and "<html" in answer.text, f"status {answer.status_code}")
    return f"status {answer.status_code}, {len(answer.text)} characters"


def _failing(target: Target, photo: bytes, code: str) -> Callable[[], str]:
    """A job whose photo must fail with this code, and of which nothing may stay in S3."""

    def act() -> str:
        job_id = _start(target, code, photo)
        error = target.reaches(job_id, "FAILED")["error"]
        must(error["code"] == code, f"{error['code']}: {error['message']}")
        _until_erased(target, job_id)
        return str(error["message"])

    return act


def _refuse_options(target: Target) -> str:
    refused = _refusal(lambda: target.api.create_job(padding=7))
    must(refused.code == "InvalidOptions", f"{refused.code}: {refused.message}")
    return refused.message


def _abort(target: Target) -> str:
    job_id = _waiting_for_a_person(target, "Aborted")
    target.clients("stepfunctions").stop_execution(executionArn=target.execution(job_id)["executionArn"])
    error = target.reaches(job_id, "FAILED")["error"]
    must(error["code"] == "Aborted", f"{error['code']}: {error['message']}")
    _until_erased(target, job_id)
    return str(error["message"])


def _delete(target: Target) -> str:
    job_id = _waiting_for_a_person(target, "deleted")
    answer = target.request("DELETE", f"/jobs/{job_id}")
    must(answer.status_code == httpx.codes.NO_CONTENT, f"status {answer.status_code}")
    refused = _refusal(lambda: target.api.get_job(job_id))
    must(refused.code == "JobNotFound", f"{refused.code}: {refused.message}")
    _until_erased(target, job_id)
    wait_until(
        lambda: target.execution(job_id)["status"] != "RUNNING", _GONE_SECONDS, "its execution goes on", poll_seconds=1
    )
    return f"its execution is {target.execution(job_id)['status']}"


def _waiting_for_a_person(target: Target, trying: str) -> str:
    """A job in the middle of its execution, where it stays until something is done about it."""
    job_id = _start(target, trying, astronaut(), {"review": "always"})
    target.reaches(job_id, "AWAITING_REVIEW")
    return job_id


def _make_form(target: Target, expiring: dict[str, Any]) -> str:
    expiring |= target.api.create_job()
    return f"for {expiring['upload']['max_bytes']} bytes, until {expiring['upload']['expires_at']}"


def _let_expire(target: Target, expiring: dict[str, Any]) -> str:
    must(expiring, "there is no form")
    # S3 counts whole seconds, and its clock is not ours.
    end = datetime.fromisoformat(expiring["upload"]["expires_at"]) + timedelta(seconds=2)
    wait_until(lambda: datetime.now(UTC) > end, 10 * 60, "the form does not expire", poll_seconds=1)
    refused = _refusal(lambda: _upload(target, expiring["upload"], astronaut()))
    must(refused.code == "UploadExpired", f"{refused.code}: {refused.message}")
    job = target.reaches(expiring["job_id"], "FAILED")
    must(job["error"]["code"] == "UploadExpired", f"the job fails with {job['error']['code']}")
    return refused.message


def _refusal(act: Callable[[], object]) -> FaceblurError:
    """The refusal that an act must meet."""
    try:
        act()
    except FaceblurError as refused:
        return refused
    return FaceblurError("accepted", "it was not refused")


def _until_erased(target: Target, job_id: str) -> None:
    wait_until(lambda: not target.objects(job_id), _GONE_SECONDS, "its photos are not erased", poll_seconds=1)
