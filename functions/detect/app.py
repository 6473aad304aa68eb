"""Finds what the job must hide in the upload, or what is still visible in a draft."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from faceblur import config
from faceblur.contracts import DetectRequest, DetectResponse, StoredBoxes, parse
from faceblur.detectors.base import Detection, DetectionPass, Detector, StoredPhoto
from faceblur.detectors.check import Check
from faceblur.detectors.confidence import detect_at_confidence, unsure
from faceblur.detectors.registry import detector_named
from faceblur.detectors.warnings import WarningCode, warnings_to_report
from faceblur.detectors.wrapped import WrappedDetector
from faceblur.errors import (
    CorruptImage,
    FaceblurError,
    NothingFound,
    PhotoTooExpensive,
    TransientError,
    UploadReplaced,
)
from faceblur.geometry import count_kinds
from faceblur.jobs.boxes import FoundBoxes, load_boxes, store_boxes
from faceblur.jobs.budget import budget
from faceblur.jobs.calls import Round, RoundCalls, questions_of, reserved_calls
from faceblur.jobs.decisions import decided, load_decision
from faceblur.jobs.storage import digest, photos
from faceblur.jobs.table import jobs
from faceblur.observability import entry_point, logger, stage, tag_with_job
from faceblur.photo import decode, panorama
from faceblur.photo.hide import check_output


@entry_point
def handler(event: dict[str, Any], context: LambdaContext) -> DetectResponse:
    """Entry point for the state machine. Raises BudgetSpent if the day's money does not pay for the detection."""
    request = parse(DetectRequest, event)
    tag_with_job(request.job_id)
    client = jobs().begin(request.job_id, request.stage)
    with budget().paid(client, context):
        return detect(request, client, context)


def detect(request: DetectRequest, client: str, context: LambdaContext) -> DetectResponse:
    """Find what the job must hide, and store the boxes. The budget of this client pays for calls.

    Raises ImageTooLarge before the detection if the result's format cannot hold the photo. Raises UploadReplaced if the
    upload was replaced during the detection. If the options say so, raises CorruptImage when pixels are missing, and
    NothingFound when nothing is found.
    """
    photo = StoredPhoto(photos().read(request.key), photos().bucket, request.key)
    detection_pass = DetectionPass.CHECK if request.boxes else DetectionPass.FIRST
    if request.boxes:
        found = load_boxes(request.boxes, photos())
    else:
        check_output(photo.data, request.options["output"])
        ratio = decode.inspect(photo.data).ratio
        found = FoundBoxes(digest(photo.data), [], wraps=panorama.wraps(photo.data), ratio=ratio)
    paid = paid_calls(request, client, photo, found)
    detector = detector_for(request, paid, found)
    with stage(request.stage, len(photo.data)) as measured:
        detection = detect_at_confidence(detector, photo, request.options["min_confidence"], detection_pass)
    # A detection service reads the photo from S3 by itself. Its answer is used only if both read the same photo.
    if detection_pass is DetectionPass.FIRST and detection.calls and digest(photos().read(request.key)) != found.photo:
        raise UploadReplaced
    # A draft is always complete, even if pixels of the photo are missing.
    must_be_complete = detection_pass is DetectionPass.CHECK or request.options["on_truncated"] == "fail"
    if must_be_complete and WarningCode.TRUNCATED_PHOTO in detection.warnings:
        raise CorruptImage
    found_here = count_kinds(detection.boxes)
    logger.info("searched the picture", round=request.round, found=found_here, detector=detection.detector)
    boxes = stored_boxes(request, found, detection)
    paid.forget()
    return {
        "boxes": boxes,
        "unsure": unsure(detection.boxes),
        "warnings": warnings_to_report(detection.warnings, detection_pass),
        "stage": {
            "name": measured.name,
            "round": request.round,
            "milliseconds": measured.milliseconds,
            "memory_mb": int(context.memory_limit_in_mb),
            "detector": detection.detector,
            "version": detection.version,
            "found": found_here,
            "calls": detection.calls,
        },
    }


def paid_calls(request: DetectRequest, client: str, photo: StoredPhoto, found: FoundBoxes) -> RoundCalls:
    """The paid calls of this round. The budget of this client pays for them."""
    questions = questions_of(request.options["kinds"], pictures=2 if found.wraps else 1)
    reserved = reserved_calls(request.round, questions, request.options["review"])
    round_ = Round(request.job_id, request.round, photo, reserved)
    return RoundCalls(round_, client, jobs(), photos(), budget())


def detector_for(request: DetectRequest, paid: RoundCalls, found: FoundBoxes) -> Detector:
    """The detector of this deployment. For a check, it finds only what the draft does not cover."""
    detector = detector_named(config.face_detector(), paid, goes_on_after(request), request.options["kinds"])
    if found.wraps:
        detector = WrappedDetector(detector)
    if request.boxes is None:
        return detector
    return Check(detector, found.regions(request.options), found.keeper())


def goes_on_after(request: DetectRequest) -> tuple[type[FaceblurError], ...]:
    """The errors of one of two detectors after which the request continues with the other detector alone."""
    may_cost_less = () if request.options["require_all_detectors"] else (PhotoTooExpensive,)
    return (*may_cost_less, TransientError) if request.leave_out_unavailable else may_cost_less


def stored_boxes(request: DetectRequest, found: FoundBoxes, detection: Detection) -> StoredBoxes:
    """Store all boxes. Returns the new file, or the request's own file if a check found nothing.

    Raises NothingFound if there are no boxes and the job's options ask for a failure then.
    """
    if request.boxes and not detection.boxes:
        return request.boxes
    found = found.plus(detection.boxes, request.round)
    if request.decision:
        found = decided(found, load_decision(request.decision, photos()))
    if not found.boxes and request.options["on_nothing_found"] == "fail":
        raise NothingFound
    return store_boxes(request.job_id, found, jobs(), photos())
