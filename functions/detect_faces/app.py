"""Finds the faces in the uploaded photo (first look), or in the result (second look)."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from faceblur import config
from faceblur.detectors import Look, StoredPhoto, detector_named, look_for_faces
from faceblur.detectors.doubts import worth_saying
from faceblur.errors import NoFacesFound
from faceblur.jobs import jobs
from faceblur.observability import about, faces_found, logger, stage, tracer
from faceblur.storage import photos


@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point for the state machine: `{"job_id", "stage", "key", "etag", "look", "options", "last_resort"}`.

    `stage` is one of `jobs.STAGES`; `last_resort` says that this is the last try, and a detector that is still
    unavailable may be left out.
    """
    about(event["job_id"])
    look, options = Look(event["look"]), event["options"]
    # An execution that an earlier release began names no stage.
    name = event.get("stage", f"{look}_look")
    jobs().begin(event["job_id"], name)
    photo = StoredPhoto(photos().read(event["key"], event["etag"]), photos().bucket, event["key"])
    detector = detector_named(config.face_detector(), last_resort=event["last_resort"])
    with stage(name, len(photo.data)) as measured:
        found = look_for_faces(detector, photo, options["min_confidence"], look)
    logger.info("looked for faces", look=look, faces=len(found.boxes), detector=found.detector)
    if look is Look.FIRST:
        faces_found(len(found.boxes))
        if not found.boxes and options["on_no_faces"] == "fail":
            raise NoFacesFound
    return {
        "faces": [box.to_dict() for box in found.boxes],
        "warnings": worth_saying(found.warnings, look),
        "stage": {
            "name": measured.name,
            "milliseconds": measured.milliseconds,
            "memory_mb": int(context.memory_limit_in_mb),
            "detector": found.detector,
            "version": found.version,
            "faces": len(found.boxes),
            "calls": found.calls,
        },
    }
