"""Turns the job of an execution that ended without a result to FAILED."""

import json
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from faceblur.jobs.completion import error_of, fail_job
from faceblur.jobs.events import tell_end
from faceblur.jobs.execution_names import id_in
from faceblur.jobs.storage import photos
from faceblur.jobs.table import jobs
from faceblur.observability import entry_point, job_failed, logger, tag_with_job


@entry_point
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Entry point for the queue of EventBridge's events about executions that failed, timed out or were stopped."""
    for message in event["Records"]:
        execution = json.loads(message["body"])["detail"]
        job_id = id_in(execution["name"])
        tag_with_job(job_id)
        error = error_of(execution["status"], execution.get("error"), execution.get("cause"))
        fail_job(job_id, execution["executionArn"], error, jobs(), photos())
        if code := jobs().count_failure(job_id, execution["executionArn"]):
            job_failed(code)
            tell_end(job_id, jobs())
        logger.warning("execution ended without a result", status=execution["status"], code=error.code)
