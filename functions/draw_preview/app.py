"""Draws the preview of an upload for the person who decides what is hidden."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from faceblur.contracts import PreviewRequest, PreviewResponse, parse
from faceblur.jobs.budget import budget
from faceblur.jobs.storage import photos, withdraw_if_late
from faceblur.jobs.table import jobs
from faceblur.observability import entry_point, logger, tag_with_job
from faceblur.photo.preview import draw_preview


@entry_point
def handler(event: dict[str, Any], context: LambdaContext) -> PreviewResponse:
    """Entry point for the state machine. Raises BudgetSpent if the day's money does not pay for the work."""
    request = parse(PreviewRequest, event)
    tag_with_job(request.job_id)
    with budget().paid(jobs().client_of(request.job_id), context):
        return store_preview(request)


def store_preview(request: PreviewRequest) -> PreviewResponse:
    """Draw the preview and store it. Raises JobNotFound, and leaves nothing, if the job is no longer processed."""
    preview = draw_preview(photos().read(request.key))
    key = photos().write_preview(request.job_id, preview.data)
    withdraw_if_late(key, request.job_id, jobs(), photos())
    logger.info("drew a preview", bytes=len(preview.data))
    return {"preview": {"key": key, "width": preview.width, "height": preview.height}}
