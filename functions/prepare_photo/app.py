"""Creates the job of one photo of a batch, and copies the photo to the job's upload key."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from faceblur.contracts import PreparedPhoto
from faceblur.errors import BudgetSpent, PhotoError
from faceblur.jobs.batch_files import batch_files
from faceblur.jobs.batch_photos import photo_of, prepare_photo
from faceblur.jobs.batches import batches
from faceblur.jobs.budget import budget
from faceblur.jobs.storage import photos
from faceblur.jobs.table import jobs
from faceblur.observability import entry_point, job_failed, logger, tag_with_job


@entry_point
def handler(event: dict[str, Any], context: LambdaContext) -> PreparedPhoto:
    """Entry point for the state machine. Raises the errors of `prepare_photo`."""
    photo = photo_of(event["photo"])
    try:
        job_id = prepare_photo(photo, batches(), jobs(), photos(), batch_files(), budget())
    except (BudgetSpent, PhotoError) as error:
        job_failed(error.code)
        raise
    if job_id:
        tag_with_job(job_id)
        logger.info("photo prepared")
    return {"job_id": job_id}
