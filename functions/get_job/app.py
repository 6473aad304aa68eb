"""GET /jobs/{job_id}: a job's state, with a link to its result if it is completed, or what its reviewer needs."""

from functools import partial

from aws_lambda_powertools.event_handler import Response

from faceblur.api.http import answer, caller, job_body, router, valid_job_id
from faceblur.errors import JobNotFound
from faceblur.jobs.events import events
from faceblur.jobs.storage import photos
from faceblur.jobs.table import jobs
from faceblur.observability import entry_point, job_failed

app = router()


@app.get("/jobs/<job_id>")
def get_job(job_id: str) -> Response[str]:
    """Show a job. If its time is over, fail it first."""
    before = jobs().get_owned(valid_job_id(job_id), caller(app.current_event))
    job = jobs().fail_if_overdue(before, partial(photos().has_upload, job_id))
    if job.error and not before.error and (code := jobs().count_failure(job_id, job.execution)):
        job_failed(code)
        events().job_ended(job)
    try:
        body = job_body(job, photos())
    except JobNotFound:
        # The job waited for a review when it was read, and has ended since: its boxes are deleted.
        body = job_body(jobs().get(job_id), photos())
    return answer(200, body)


handler = entry_point(app.resolve)
