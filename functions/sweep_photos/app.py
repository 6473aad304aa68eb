"""Deletes photos that jobs need no more, and objects older than a job's lifetime.

S3's lifecycle rule may take a day longer.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from faceblur import config
from faceblur.jobs.completion import erase_unneeded
from faceblur.jobs.storage import photos
from faceblur.jobs.table import jobs
from faceblur.observability import logger, photos_swept, tracer


@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Entry point for the schedule."""
    swept = photos().sweep(config.JOB_LIFETIME_SECONDS)
    # Many photos were deleted by now. Those that are left belong to jobs of this day.
    for job_id in list(photos().uploaded()):
        erase_unneeded(job_id, jobs(), photos())
    photos_swept(swept)
    logger.info("swept", photos=swept)
