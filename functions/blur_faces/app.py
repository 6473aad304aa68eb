"""Hides the faces of the uploaded photo and stores the draft of the result."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from faceblur.anonymise import hide_faces
from faceblur.drafts import digest, store_draft
from faceblur.faces import Box
from faceblur.jobs import jobs
from faceblur.observability import about, logger, stage, tracer
from faceblur.storage import photos
from faceblur.styles import count_faces, regions_for, style_of


@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point for the state machine: `{"job_id", "stage", "key", "etag", "options", "faces", "missed"}` → a draft.

    `stage` is one of `jobs.STAGES`; `faces` are those of the first look, `missed` those that the second look still
    found in an earlier draft.
    """
    about(event["job_id"])
    name = event.get("stage", "blur")  # which an execution that an earlier release began does not name
    jobs().begin(event["job_id"], name)
    faces, missed = ([Box.from_dict(face) for face in event[name]] for name in ("faces", "missed"))
    options = event["options"]
    style = style_of(options)
    photo = photos().read(event["key"], event["etag"])
    with stage(name, len(photo)) as measured:
        hidden = hide_faces(photo, regions_for(faces, missed, style), options["output"])
    logger.info("hid faces", faces=len(faces), missed=len(missed), bytes=len(hidden.data))
    return {
        "faces": count_faces(faces, missed),
        "input": digest(photo),
        "output": digest(hidden.data),
        **store_draft(event["job_id"], hidden, jobs(), photos()),
        "stage": {
            "name": measured.name,
            "milliseconds": measured.milliseconds,
            "memory_mb": int(context.memory_limit_in_mb),
        },
    }
