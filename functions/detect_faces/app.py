"""Finds the faces in the uploaded photo (first pass), or those that a draft still shows (check)."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from faceblur import config
from faceblur.detectors.base import DetectionPass, Detector, StoredPhoto
from faceblur.detectors.check import Check
from faceblur.detectors.confidence import detect_at_confidence
from faceblur.detectors.registry import detector_named
from faceblur.detectors.warnings import warnings_to_report
from faceblur.errors import NoFacesFound, UploadReplaced
from faceblur.jobs.boxes import FoundBoxes, load_boxes, store_boxes
from faceblur.jobs.storage import digest, photos
from faceblur.jobs.table import jobs
from faceblur.observability import faces_found, logger, stage, tag_with_job, tracer
from faceblur.photo.styles import Region, style_of


@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point for the state machine.

    `{"job_id", "stage", "round", "key", "boxes", "options", "last_attempt"}`: `stage` is one of `jobs.table.STAGES`.
    Round 0 searches the photo, a later one a draft in which the faces of `boxes` are hidden. `last_attempt` says that
    this is the last try, in which a detector that is still unavailable may be left out.
    """
    job_id, round_, options = event["job_id"], event["round"], event["options"]
    tag_with_job(job_id)
    jobs().begin(job_id, event["stage"])
    photo = StoredPhoto(photos().read(event["key"]), photos().bucket, event["key"])
    detection_pass = DetectionPass.CHECK if round_ else DetectionPass.FIRST
    found = load_boxes(event["boxes"], photos()) if round_ else FoundBoxes(digest(photo.data), [])
    detector = detector_for(event, found)
    with stage(event["stage"], len(photo.data)) as measured:
        detection = detect_at_confidence(detector, photo, options["min_confidence"], detection_pass)
    # A service reads the photo in S3 itself. Its answer counts only if it was the photo that was read here.
    if detection_pass is DetectionPass.FIRST and detection.calls and digest(photos().read(event["key"])) != found.photo:
        raise UploadReplaced
    logger.info("searched for faces", round=round_, faces=len(detection.boxes), detector=detection.detector)
    if detection_pass is DetectionPass.FIRST:
        faces_found(len(detection.boxes))
        if not detection.boxes and options["on_no_faces"] == "fail":
            raise NoFacesFound
    found = found.plus(detection.boxes, round_)
    is_news = detection_pass is DetectionPass.FIRST or detection.boxes
    return {
        "boxes": store_boxes(job_id, found, jobs(), photos()) if is_news else event["boxes"],
        "warnings": warnings_to_report(detection.warnings, detection_pass),
        "stage": {
            "name": measured.name,
            "round": round_,
            "milliseconds": measured.milliseconds,
            "memory_mb": int(context.memory_limit_in_mb),
            "detector": detection.detector,
            "version": detection.version,
            "faces": len(detection.boxes),
            "calls": detection.calls,
        },
    }


def detector_for(event: dict[str, Any], hidden: FoundBoxes) -> Detector:
    """The detector of this deployment; for a check, one that finds only what is not covered."""
    detector = detector_named(config.face_detector(), last_attempt=event["last_attempt"])
    if event["round"] == 0:
        return detector
    style = style_of(event["options"])
    return Check(detector, [Region(each.box, style) for each in hidden.boxes])
