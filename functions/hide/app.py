"""Hides what was found in the upload, and stores the draft."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from faceblur.contracts import HideRequest, HideResponse, parse
from faceblur.errors import UploadReplaced
from faceblur.jobs.boxes import load_boxes
from faceblur.jobs.budget import budget
from faceblur.jobs.drafts import store_draft
from faceblur.jobs.storage import digest, photos
from faceblur.jobs.table import jobs
from faceblur.observability import entry_point, logger, stage, tag_with_job
from faceblur.photo.hide import hide_regions


@entry_point
def handler(event: dict[str, Any], context: LambdaContext) -> HideResponse:
    """Entry point for the state machine. Raises BudgetSpent if the day's money does not pay for the work."""
    request = parse(HideRequest, event)
    tag_with_job(request.job_id)
    client = jobs().begin(request.job_id, request.stage)
    with budget().paid(client, context):
        return hide(request, context)


def hide(request: HideRequest, context: LambdaContext) -> HideResponse:
    """Hide what was found, and store the draft. Raises UploadReplaced if the boxes were found in another photo."""
    photo = photos().read(request.key)
    found = load_boxes(request.boxes, photos())
    if digest(photo) != found.photo:
        raise UploadReplaced
    regions = found.regions(request.options)
    with stage(request.stage, len(photo)) as measured:
        hidden = hide_regions(photo, regions, request.options["output"], request.options["keep_metadata"])
    logger.info("hid what was found", round=request.round, hidden=found.hidden, bytes=len(hidden.data))
    return {
        "draft": store_draft(request.job_id, hidden, jobs(), photos()),
        "stage": {
            "name": measured.name,
            "round": request.round,
            "milliseconds": measured.milliseconds,
            "memory_mb": int(context.memory_limit_in_mb),
        },
    }
