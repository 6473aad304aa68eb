"""Hides the faces of the uploaded photo and stores the draft of the result."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from faceblur.errors import UploadReplaced
from faceblur.jobs.boxes import load_boxes
from faceblur.jobs.results import store_draft
from faceblur.jobs.storage import digest, photos
from faceblur.jobs.table import jobs
from faceblur.observability import logger, stage, tag_with_job, tracer
from faceblur.photo.hide import hide_faces
from faceblur.photo.styles import Region, style_of


@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point for the state machine: `{"job_id", "stage", "round", "key", "boxes", "options"}` → a draft.

    `stage` is one of `jobs.table.STAGES`; `boxes` says where the faces to hide are stored. Raises UploadReplaced
    if they were found in another photo.
    """
    tag_with_job(event["job_id"])
    jobs().begin(event["job_id"], event["stage"])
    options, style = event["options"], style_of(event["options"])
    photo = photos().read(event["key"])
    found = load_boxes(event["boxes"], photos())
    if digest(photo) != found.photo:
        raise UploadReplaced
    regions = [Region(each.box, style) for each in found.boxes]
    with stage(event["stage"], len(photo)) as measured:
        hidden = hide_faces(photo, regions, options["output"])
    logger.info("hid faces", round=event["round"], faces=len(regions), bytes=len(hidden.data))
    return {
        "result": store_draft(event["job_id"], hidden, jobs(), photos()),
        "stage": {
            "name": measured.name,
            "round": event["round"],
            "milliseconds": measured.milliseconds,
            "memory_mb": int(context.memory_limit_in_mb),
        },
    }
