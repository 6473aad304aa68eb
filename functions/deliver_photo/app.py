"""Copies the result of one photo of a batch to its target, and writes down how the photo ended."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from faceblur.contracts import DeliveredPhoto
from faceblur.jobs.batch_files import batch_files
from faceblur.jobs.batch_photos import deliver_photo, photo_of, record_failure
from faceblur.jobs.batch_runs import batch_machine
from faceblur.jobs.batches import batches, photo_id
from faceblur.jobs.storage import photos
from faceblur.jobs.table import jobs
from faceblur.observability import entry_point, job_failed, logger, tag_with_job


@entry_point
def handler(event: dict[str, Any], context: LambdaContext) -> DeliveredPhoto:
    """Entry point for the state machine. Raises the errors of `deliver_photo`.

    If the event names an `error`, the handler only records that the photo failed with it.
    """
    photo = photo_of(event["photo"])
    tag_with_job(photo_id(photo.run, photo.key))
    if not event["error"]:
        deliver_photo(photo, batches(), jobs(), photos(), batch_files())
        logger.info("photo delivered")
        return {"code": ""}
    recorded = record_failure(photo, event["error"], batches(), jobs(), photos(), batch_files(), batch_machine())
    if recorded.counts:
        job_failed(recorded.code)
        logger.error("photo was not delivered", code=recorded.code)
    return {"code": recorded.code}
