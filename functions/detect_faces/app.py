"""Finds the faces in the uploaded photo (first look), or those that a draft of the result still shows (check)."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from faceblur import config
from faceblur.checks import Check
from faceblur.detectors import Detector, Look, StoredPhoto, detector_named, look_for_faces
from faceblur.detectors.doubts import worth_saying
from faceblur.errors import NoFacesFound, UploadReplaced
from faceblur.findings import Findings, load_findings, store_findings
from faceblur.jobs import jobs
from faceblur.observability import about, faces_found, logger, stage, tracer
from faceblur.storage import digest, photos
from faceblur.styles import Region, style_of


@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point for the state machine.

    `{"job_id", "stage", "round", "key", "boxes", "options", "last_resort"}`: `stage` is one of `jobs.STAGES`.
    Round 0 looks at the photo, a later one at a draft in which the faces of `boxes` are hidden. `last_resort` says that
    this is the last try, and a detector that is still unavailable may be left out.
    """
    job_id, round_, options = event["job_id"], event["round"], event["options"]
    about(job_id)
    jobs().begin(job_id, event["stage"])
    photo = StoredPhoto(photos().read(event["key"]), photos().bucket, event["key"])
    look = Look.CHECK if round_ else Look.FIRST
    findings = load_findings(event["boxes"], photos()) if round_ else Findings(digest(photo.data), [])
    detector = detector_for(event, findings)
    with stage(event["stage"], len(photo.data)) as measured:
        found = look_for_faces(detector, photo, options["min_confidence"], look)
    # A service reads the photo in S3 itself. Its answer counts only if it was the photo that was read here.
    if look is Look.FIRST and found.calls and digest(photos().read(event["key"])) != findings.photo:
        raise UploadReplaced
    logger.info("looked for faces", round=round_, faces=len(found.boxes), detector=found.detector)
    if look is Look.FIRST:
        faces_found(len(found.boxes))
        if not found.boxes and options["on_no_faces"] == "fail":
            raise NoFacesFound
    findings = findings.and_also(found.boxes, round_)
    is_news = look is Look.FIRST or found.boxes
    return {
        "boxes": store_findings(job_id, findings, jobs(), photos()) if is_news else event["boxes"],
        "warnings": worth_saying(found.warnings, look),
        "stage": {
            "name": measured.name,
            "round": round_,
            "milliseconds": measured.milliseconds,
            "memory_mb": int(context.memory_limit_in_mb),
            "detector": found.detector,
            "version": found.version,
            "faces": len(found.boxes),
            "calls": found.calls,
        },
    }


def detector_for(event: dict[str, Any], hidden: Findings) -> Detector:
    """The detector of this deployment; for a check, one that finds only what is not covered."""
    detector = detector_named(config.face_detector(), last_resort=event["last_resort"])
    if event["round"] == 0:
        return detector
    style = style_of(event["options"])
    return Check(detector, [Region(finding.box, style) for finding in hidden.faces])
