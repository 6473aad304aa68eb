"""Hides the faces of the uploaded photo and stores the draft of the result."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from faceblur.anonymise import hide_faces
from faceblur.drafts import store_draft
from faceblur.errors import UploadReplaced
from faceblur.findings import load_findings
from faceblur.jobs import jobs
from faceblur.observability import about, logger, stage, tracer
from faceblur.storage import digest, photos
from faceblur.styles import Region, style_of


@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point for the state machine: `{"job_id", "stage", "round", "key", "boxes", "options"}` → a draft.

    `stage` is one of `jobs.STAGES`; `boxes` says where the faces to hide are stored. Raises UploadReplaced
    if they were found in another photo.
    """
    about(event["job_id"])
    jobs().begin(event["job_id"], event["stage"])
    options, style = event["options"], style_of(event["options"])
    photo = photos().read(event["key"])
    findings = load_findings(event["boxes"], photos())
    if digest(photo) != findings.photo:
        raise UploadReplaced
    regions = [Region(finding.box, style) for finding in findings.faces]
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
