"""The logs of all functions hold no job id, and nothing that leads to one: whoever knows an id sees the result."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from faceblur_cli.trace import digest_of_id
from tests.support.pictures.photos import flower
from tests.support.stack.deployed import assert_failed, eventually

if TYPE_CHECKING:
    from tests.support.stack.deployed import Deployed

REFUSED: dict[str, Any] = {"aws": {"service": "s3", "answer": "refused", "after": 0, "times": 99}}
BROKEN: dict[str, Any] = {"aws": {"service": "s3", "answer": "broken", "after": 0, "times": 99}}


def lines(stack: Deployed) -> list[str]:
    """All lines that the functions and Lambda have logged in this stack."""
    pages = stack.stack.client("logs").get_paginator("filter_log_events")
    group = stack.stack.outputs["FunctionsLogGroupName"]
    return [event["message"] for page in pages.paginate(logGroupName=group) for event in page["events"]]


def completed(stack: Deployed) -> str:
    """A job that completes, and is done again."""
    job_id = stack.run(flower(), keep_original=1)["job_id"]
    assert stack.call("POST", f"/jobs/{job_id}/redo", json={"style": "solid"}).status_code == 202
    eventually(lambda: stack.execution(f"{job_id}-1") == "SUCCEEDED", "the end of the redo")
    return str(job_id)


def failed(stack: Deployed, fault: dict[str, Any]) -> str:
    """A job that fails because of an S3 error. The text of the error names the key."""
    created = stack.create()
    stack.plan(created["job_id"], "hide", *[fault] * 9)
    stack.upload(created, flower())
    job = stack.ended(created["job_id"])
    assert_failed(stack, job, job["error"]["code"])
    return str(created["job_id"])


def deleted(stack: Deployed) -> str:
    """A job that is deleted at the second attempt. At the first, S3 refuses."""
    job_id = stack.run(flower())["job_id"]
    refused = stack.call("DELETE", f"/jobs/{job_id}", headers={"X-Fault": json.dumps(REFUSED)})
    assert refused.status_code == 500
    assert stack.call("DELETE", f"/jobs/{job_id}").status_code in {204, 404}
    return str(job_id)


def test_the_logs_hold_digests_of_ids_and_no_id_no_key_and_no_link(deployed: Deployed) -> None:
    jobs = [completed(deployed), failed(deployed, REFUSED), failed(deployed, BROKEN), deleted(deployed)]

    def logged() -> str | None:
        """All lines, once the last of each kind is there."""
        text = "\n".join(lines(deployed))
        there = all(digest_of_id(job_id) in text for job_id in jobs)
        return text if there and "execution ended without a result" in text else None

    text = eventually(logged, "the logs")
    # Texts of errors are logged, with digests in place of ids.
    assert re.search(rf"planned by a test, for \S*/uploads/{digest_of_id(jobs[1])}", text)
    assert not [job_id for job_id in jobs if job_id in text]
    assert not re.search(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])", text)
    assert not re.search(r"x-amz-(?:signature|credential|security-token)|AWSAccessKeyId", text, re.IGNORECASE)
