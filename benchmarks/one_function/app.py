"""All the work of a photo in one function, beside which load.py shows the price of the state machine.

It runs the domain's own code as the functions do, and ends a job as they do; it has none of their retries, their claim
that keeps a second delivery out, or their record of what failed.
"""

from __future__ import annotations

import json
from typing import Any

import boto3

from faceblur import config
from faceblur.anonymise import hide_faces
from faceblur.arrivals import arrivals
from faceblur.checks import Check
from faceblur.detectors import Look, StoredPhoto, look_for_faces
from faceblur.detectors.embedded import EmbeddedDetector
from faceblur.drafts import store_draft
from faceblur.endings import end_in_success
from faceblur.findings import Findings, store_findings
from faceblur.jobs import Status, jobs
from faceblur.storage import digest, photos, upload_key
from faceblur.styles import Region, style_of

CHECKS = 5  # at most, as in the state machine


def handler(event: dict[str, Any], context: object) -> None:  # noqa: ARG001 - Lambda passes it
    """Entry point for the queue."""
    for message in event["Records"]:
        for job_id in arrivals(message["body"]):
            work_on(job_id)


def work_on(job_id: str) -> None:
    """Hide the faces of one photo, from the upload to the completed job."""
    options = begin(job_id)
    photo = photos().read(upload_key(job_id))
    found = look_for_faces(EmbeddedDetector(), stored(photo), options["min_confidence"], Look.FIRST)
    findings = Findings(digest(photo), []).and_also(found.boxes, 0)
    hidden, rounds = hide_faces(photo, regions(findings, options), options["output"]), 0
    while options.get("checks") and rounds < CHECKS:
        rounds += 1
        check = Check(EmbeddedDetector(), regions(findings, options))
        missed = look_for_faces(check, stored(hidden.data), options["min_confidence"], Look.CHECK).boxes
        if not missed:
            break
        findings = findings.and_also(missed, rounds)
        hidden = hide_faces(photo, regions(findings, options), options["output"])
    done = {
        "job_id": job_id,
        "options": options,
        "boxes": store_findings(job_id, findings, jobs(), photos()),
        "check_rounds": rounds,
        "warnings": found.warnings,
        "draft": store_draft(job_id, hidden, jobs(), photos()),
        "stages": [],
    }
    end_in_success(done, jobs(), photos())


def begin(job_id: str) -> dict[str, Any]:
    """Say that the job is in work; gives its options, with `checks` among them."""
    row = (
        boto3.resource("dynamodb")
        .Table(config.jobs_table())
        .update_item(
            Key={"job_id": job_id},
            UpdateExpression="SET #status = :processing",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":processing": Status.PROCESSING},
            ReturnValues="ALL_NEW",
        )["Attributes"]
    )
    options: dict[str, Any] = json.loads(str(row["options"]))
    return options


def stored(photo: bytes) -> StoredPhoto:
    """A photo's file as detectors take it; this one does not ask where it lies."""
    return StoredPhoto(photo, config.photo_bucket(), "")


def regions(findings: Findings, options: dict[str, Any]) -> list[Region]:
    """The regions to hide."""
    return [Region(finding.box, style_of(options)) for finding in findings.faces]
