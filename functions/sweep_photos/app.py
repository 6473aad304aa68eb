"""Deletes objects older than the lifetime of a job. S3's lifecycle rule may take a day longer."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from faceblur import config
from faceblur.jobs.storage import photos
from faceblur.observability import logger, photos_swept, tracer


@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Entry point for the schedule."""
    swept = photos().sweep(config.JOB_LIFETIME_SECONDS)
    photos_swept(swept)
    logger.info("swept", photos=swept)
