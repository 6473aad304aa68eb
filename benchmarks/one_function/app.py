"""All the work of a photo in one function, beside which load.py shows the price of the state machine.

It runs the domain's own code as the functions do, and ends a job as they do; it has none of their retries, their claim
that keeps a second delivery out, or their record of what failed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3

from faceblur import config
from faceblur.anonymise import hide_faces
from faceblur.arrivals import arrivals
from faceblur.detectors import Detection, Look, StoredPhoto, confidence_for
from faceblur.detectors.embedded import EmbeddedDetector
from faceblur.drafts import digest, store_draft
from faceblur.endings import end_in_success
from faceblur.errors import ResidualFaces
from faceblur.jobs import Status, jobs
from faceblur.storage import photos, upload_key
from faceblur.styles import count_faces, regions_for, style_of

if TYPE_CHECKING:
    from faceblur.arrivals import Arrival


def handler(event: dict[str, Any], context: object) -> None:  # noqa: ARG001 - Lambda passes it
    """Entry point for the queue."""
    for message in event["Records"]:
        for photo in arrivals(message["body"]):
            work_on(photo)


def work_on(arrival: Arrival) -> None:
    """Hide the faces of one photo, from the upload to the completed job."""
    job_id, options = arrival.job_id, begin(arrival.job_id)
    photo = photos().read(upload_key(job_id), arrival.etag)
    found = look_at(photo, Look.FIRST, options)
    hidden = hide_faces(photo, regions_for(found.boxes, [], style_of(options)), options["output"])
    draft = store_draft(job_id, hidden, jobs(), photos())
    if options.get("second_look") and look_at(hidden.data, Look.SECOND, options).boxes:
        raise ResidualFaces
    done = {
        "job_id": job_id,
        "options": options,
        "faces": [box.to_dict() for box in found.boxes],
        "missed": [],
        "warnings": found.warnings,
        "draft": {
            "faces": count_faces(found.boxes, []),
            "input": digest(photo),
            "output": digest(hidden.data),
            **draft,
        },
        "stages": [],
    }
    end_in_success(done, jobs(), photos())


def begin(job_id: str) -> dict[str, Any]:
    """Say that the job is in work; gives its options, with `second_look` among them."""
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


def look_at(photo: bytes, look: Look, options: dict[str, Any]) -> Detection:
    """The faces in a photo's file."""
    stored = StoredPhoto(photo, config.photo_bucket(), "")
    return EmbeddedDetector().detect(stored, confidence_for(look, options["min_confidence"]), look)
