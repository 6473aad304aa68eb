"""Turns the job to COMPLETED and writes its receipt."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from faceblur.contracts import CompleteRequest, parse
from faceblur.jobs.completion import complete_job
from faceblur.jobs.storage import photos
from faceblur.jobs.table import jobs
from faceblur.observability import entry_point, found, job_completed, logger, tag_with_job, work_finished


@entry_point
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Entry point for the state machine's last task. Raises JobNotFound if the job was deleted or has failed."""
    request = parse(CompleteRequest, event)
    tag_with_job(request.job_id)
    job = complete_job(request, jobs(), photos())
    if job:
        job_completed()
        found({kind: count + job.outcome["kept"][kind] for kind, count in job.outcome["hidden"].items()})
        if job.work_seconds is not None:
            work_finished(job.work_seconds)
    logger.info("job completed")
