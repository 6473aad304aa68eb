"""Starts one execution for each upload, from S3's messages in SQS."""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from faceblur.errors import BudgetSpent
from faceblur.jobs.budget import budget
from faceblur.jobs.executions import workflow
from faceblur.jobs.storage import photos
from faceblur.jobs.table import jobs
from faceblur.jobs.uploads import job_ids_in, start_job
from faceblur.observability import entry_point, job_failed, logger, tag_with_job

processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def start_for(record: SQSRecord) -> None:
    """Start the execution of every upload in the message (Powertools passes it as `record`)."""
    for job_id in job_ids_in(record.body):
        tag_with_job(job_id)
        logger.info("photo arrived")
        try:
            start_job(job_id, jobs(), photos(), workflow(), budget())
        except BudgetSpent as error:
            job_failed(error.code)


@entry_point
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Entry point for the queue. Only failed messages are delivered again."""
    return process_partial_response(event, start_for, processor, context)
