"""DELETE /jobs/{job_id}: erases the job's row, photo, result and receipt, and stops its execution."""

from aws_lambda_powertools.event_handler import Response

from faceblur.api.http import answer, caller, router, valid_job_id
from faceblur.errors import JobNotFound
from faceblur.jobs.executions import workflow
from faceblur.jobs.storage import photos
from faceblur.jobs.table import Status, jobs
from faceblur.observability import entry_point, logger

app = router()


@app.delete("/jobs/<job_id>")
def delete_job(job_id: str) -> Response[str]:
    """Delete the row first, so that no running task can bring the job back."""
    job = jobs().delete(valid_job_id(job_id), caller(app.current_event))
    if not job:
        finish_deletion(job_id)
        raise JobNotFound
    try:
        # The execution of a completed job ends by itself at once. If it were stopped, it would count as a failure.
        if job.status is not Status.COMPLETED:
            # The first execution may have begun before it claims the job. Then the row does not name it.
            workflow().stop(job.execution or workflow().execution(job_id))
    finally:
        photos().erase(job_id)
    logger.info("job deleted")
    return answer(204)


def finish_deletion(job_id: str) -> None:
    """Stop and erase what an interrupted deletion left.

    A job without an execution has at most its upload and the file of its decision left. The next hourly sweep deletes
    both, because no row names them. So a request for an unknown job does not list objects in S3, which would cost more
    than everything else in it.
    """
    if workflow().stop_all(job_id):
        photos().erase(job_id)


handler = entry_point(app.resolve)
