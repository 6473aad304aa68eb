"""Deletes photos that jobs no longer need, and objects older than a job's lifetime.

S3's lifecycle rule alone may delete them a day later.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from faceblur.jobs.batch_files import batch_files
from faceblur.jobs.batches import batches
from faceblur.jobs.storage import photos
from faceblur.jobs.sweep import sweep
from faceblur.jobs.table import jobs
from faceblur.observability import entry_point, logger, photos_swept


@entry_point
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Entry point for the schedule."""
    swept = sweep(jobs(), photos(), batches(), batch_files())
    photos_swept(swept)
    logger.info("swept", photos=swept)
