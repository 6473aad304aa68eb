"""Writes the reports of a batch whose execution ends, and records the end of the batch."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from faceblur.contracts import ReportResponse
from faceblur.errors import BatchNotFound, InternalError
from faceblur.jobs.batch_files import batch_files
from faceblur.jobs.batch_runs import batch_machine, finish_batch, give_up_batch
from faceblur.jobs.batches import batches
from faceblur.observability import entry_point, logger


@entry_point
def handler(event: dict[str, Any], context: LambdaContext) -> ReportResponse:
    """Entry point for the state machine, and for EventBridge's events about executions that have ended.

    An execution that ended as FAILED has called this function before. If there is no report by then, none can be
    written, so the batch is failed without one.
    """
    if event["status"] == "FAILED" and "stopDate" in event:
        give_up_batch(event["executionArn"], batches())
        return {"code": InternalError().code}
    try:
        batch = finish_batch(
            event["executionArn"], event["status"], event.get("error") or "", batches(), batch_machine(), batch_files()
        )
    except BatchNotFound:
        batch = None
    if batch:
        logger.info("batch finished", status=batch.status)
    return {"code": batch.error["code"] if batch and batch.error else ""}
