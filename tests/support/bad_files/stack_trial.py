"""Tries a file in a deployed stack: it uploads the file as any client does, and waits for the end of the job."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from faceblur import errors
from faceblur.limits import MAX_BYTES
from tests.support.api_contract import assert_documented
from tests.support.bad_files.catalogue import made
from tests.support.bad_files.trial import HIDDEN, Trial, traces
from tests.support.stack.deployed import eventually, request

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.support.stack.deployed import Deployed

REFUSED = "refused at the upload"
PHOTO_ERRORS = {error.__name__ for error in errors.PhotoError.__subclasses__()}
# Each job has a process or two of its own, and there are two processors.
AT_ONCE = 3


def tried_in(stack: Deployed, names: Iterable[str]) -> Iterator[Trial]:
    """Try these files, some at once."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(lambda name: one_tried(stack, name), names)


def one_tried(stack: Deployed, name: str) -> Trial:
    """Try a file."""
    photo = made(name)
    job = stack.create()
    uploaded = stack.upload(job, photo)
    if len(photo) > MAX_BYTES:
        return Trial(name, REFUSED, "" if "EntityTooLarge" in uploaded.text else uploaded.text)
    assert uploaded.status_code == 204, uploaded.text
    shown = stack.ended(job["job_id"])
    assert_documented("GET", "/jobs/{job_id}", 200, shown)
    return Trial(name, *(failed if shown["status"] == "FAILED" else completed)(stack, shown))


def failed(stack: Deployed, job: dict[str, Any]) -> tuple[str, str]:
    """How a failed job ended, and its defect."""
    code = job["error"]["code"]
    eventually(lambda: not stack.objects(job["job_id"]), f"the erasure of the photos of {job}")
    return code, "" if code in PHOTO_ERRORS else f"not the photo's fault: {job}, {stack.path(job['job_id'])}"


def completed(stack: Deployed, job: dict[str, Any]) -> tuple[str, str]:
    """How a completed job ended, and its defect."""
    kept = [key.partition("/")[0] for key in stack.objects(job["job_id"])]
    if sorted(kept) != ["receipts", "results"]:
        return HIDDEN, f"what is kept: {kept}"
    result = request("GET", job["result"]["url"]).content
    return HIDDEN, "the result holds something of the metadata" if traces(result) else ""
