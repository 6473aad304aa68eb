"""Fails the jobs whose upload could not be handed to the state machine."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from faceblur.errors import InternalError
from faceblur.jobs.events import tell_end
from faceblur.jobs.storage import photos
from faceblur.jobs.table import Status, jobs
from faceblur.jobs.uploads import discard_unless_awaited, job_ids_in
from faceblur.observability import entry_point, job_failed, logger, tag_with_job


@entry_point
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Entry point for the queue of uploads that `start_workflow` could not process."""
    for message in event["Records"]:
        try:
            job_ids = job_ids_in(message["body"])
        except (ValueError, KeyError):
            logger.exception("not a message about uploads", message_id=message["messageId"])
            continue
        for job_id in job_ids:
            fail_upload(job_id)
            logger.error("upload could not be processed", message_id=message["messageId"])


def fail_upload(job_id: str) -> None:
    """Fail the job if it still waits for its upload, and delete the upload unless the job needs it.

    If the job is being processed, it was started after all, and its execution decides how it ends.
    """
    tag_with_job(job_id)
    jobs().fail(job_id, InternalError(), only_from=(Status.AWAITING_UPLOAD,))
    if code := jobs().count_failure(job_id):
        job_failed(code)
        tell_end(job_id, jobs())
    discard_unless_awaited(job_id, jobs(), photos())
