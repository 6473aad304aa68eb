"""Writes a job's end: the result from the state machine, or a failure that only AWS saw.

Its callers: the state machine's last task; the queue of endings, which tells of executions that ended FAILED,
TIMED_OUT or ABORTED and of photos whose execution could not be started; and an operator who tells of such an execution.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from faceblur.errors import InternalError
from faceblur.jobs.completion import complete_job, ended_execution, error_of, fail_job
from faceblur.jobs.storage import photos
from faceblur.jobs.table import Status, jobs
from faceblur.jobs.uploads import discard_unless_awaited, job_ids_in
from faceblur.observability import job_completed, job_failed, logger, tag_with_job, tracer


def record_result(event: dict[str, Any]) -> None:
    """Complete the job, and write its receipt."""
    tag_with_job(event["job_id"])
    complete_job(event, jobs(), photos())
    job_completed()
    logger.info("job completed")


def record_ended_execution(event: dict[str, Any]) -> None:
    """Fail the job whose execution ended without a result."""
    detail = event["detail"]
    tag_with_job(detail["name"])
    error = error_of(detail["status"], detail.get("error"), detail.get("cause"))
    if fail_job(detail["name"], error, jobs(), photos()):
        job_failed(error.code)
    logger.warning("execution ended without a result", status=detail["status"], code=error.code)


def record_undeliverable(message: dict[str, Any]) -> None:
    """Fail the jobs whose photos could not be handed to the state machine."""
    try:
        waiting = job_ids_in(message["body"])
    except (ValueError, KeyError):
        logger.exception("not a message about photos", message_id=message["messageId"])
        return
    for job_id in waiting:
        tag_with_job(job_id)
        error = InternalError()
        # A job that is being processed got its execution after all, and ends with it.
        if fail_job(job_id, error, jobs(), photos(), only_from=(Status.AWAITING_UPLOAD,)):
            job_failed(error.code)
        discard_unless_awaited(job_id, jobs(), photos())
        logger.error("photo could not be processed", message_id=message["messageId"])


def record_ending(message: dict[str, Any]) -> None:
    """Record what a message of the queue of endings tells."""
    if ended := ended_execution(message["body"]):
        record_ended_execution(ended)
    else:
        record_undeliverable(message)


@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Entry point for the state machine, the queue of endings and an operator."""
    if "Records" in event:
        for message in event["Records"]:
            record_ending(message)
    elif event.get("source") == "aws.states":
        record_ended_execution(event)
    else:
        record_result(event)
