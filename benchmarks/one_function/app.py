"""All the work of a photo in one function, which load.py compares with the state machine.

It runs the same code of the domain as the functions do, and ends a job as they do. It has no retries, no claim that
refuses a second delivery, and no record of failures.
"""

from __future__ import annotations

import json
from typing import Any

import boto3

from faceblur import config
from faceblur.contracts import CompleteRequest
from faceblur.detectors.base import DetectionPass, StoredPhoto
from faceblur.detectors.check import Check
from faceblur.detectors.confidence import detect_at_confidence
from faceblur.detectors.embedded.detector import EmbeddedDetector
from faceblur.jobs.boxes import FoundBoxes, store_boxes
from faceblur.jobs.completion import complete_job
from faceblur.jobs.drafts import store_draft
from faceblur.jobs.storage import digest, photos, upload_key
from faceblur.jobs.table import Status, jobs
from faceblur.jobs.uploads import job_ids_in
from faceblur.photo.hide import hide_regions

CHECKS = 5  # at most, as in the state machine
EXECUTION = "one function"  # stands in the row where an execution's ARN would


def handler(event: dict[str, Any], context: object) -> None:  # noqa: ARG001 - Lambda passes it
    """Entry point for the queue."""
    for message in event["Records"]:
        for job_id in job_ids_in(message["body"]):
            work_on(job_id)


def work_on(job_id: str) -> None:
    """Hide the faces of one photo, from the upload to the completed job."""
    options = begin(job_id)
    photo = photos().read(upload_key(job_id))
    found = detect_at_confidence(EmbeddedDetector(), stored(photo), options["min_confidence"], DetectionPass.FIRST)
    findings = FoundBoxes(digest(photo), []).plus(found.boxes, 0)
    hidden, rounds = hide_regions(photo, findings.regions(options), options["output"]), 0
    while options.get("checks") and rounds < CHECKS:
        rounds += 1
        check = Check(EmbeddedDetector(), findings.regions(options), findings.keeper())
        missed = detect_at_confidence(check, stored(hidden.data), options["min_confidence"], DetectionPass.CHECK).boxes
        if not missed:
            break
        findings = findings.plus(missed, rounds)
        hidden = hide_regions(photo, findings.regions(options), options["output"])
    request = CompleteRequest(
        job_id=job_id,
        execution=EXECUTION,
        options=options,
        boxes=store_boxes(job_id, findings, jobs(), photos()),
        check_rounds=rounds,
        reviewed=False,
        warnings=[*found.warnings],
        draft=store_draft(job_id, hidden, jobs(), photos()),
        stages=[],
    )
    complete_job(request, jobs(), photos())


def begin(job_id: str) -> dict[str, Any]:
    """Say that the job is in work; gives its options, with `checks` among them."""
    row = (
        boto3.resource("dynamodb")
        .Table(config.jobs_table())
        .update_item(
            Key={"job_id": job_id},
            UpdateExpression="SET #status = :processing, execution_arn = :execution",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":processing": Status.PROCESSING, ":execution": EXECUTION},
            ReturnValues="ALL_NEW",
        )["Attributes"]
    )
    options: dict[str, Any] = json.loads(str(row["options"]))
    return options


def stored(photo: bytes) -> StoredPhoto:
    """A photo's file as detectors take it; this one does not ask where it lies."""
    return StoredPhoto(photo, config.photo_bucket(), "")
