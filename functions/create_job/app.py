"""POST /jobs: validates the options, writes the job's row and returns the form that uploads the photo."""

from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from faceblur import config
from faceblur.api.http import answer, caller, fields_of, iso_time, router
from faceblur.jobs.storage import photos
from faceblur.jobs.table import jobs
from faceblur.limits import MAX_BYTES
from faceblur.observability import logger, tag_with_job, tracer
from faceblur.options import parse_options

app = router()


@app.post("/jobs")
def create_job() -> Response[str]:
    """Create the job before its form, so that no upload can arrive before the row exists."""
    owner, options = caller(app.current_event), parse_options(fields_of(app.current_event.body))
    if most := config.jobs_a_day():
        jobs().count(most)
    job = jobs().create(options.model_dump(), config.upload_seconds(), owner)
    tag_with_job(job.job_id)
    form = photos().upload_form(job.job_id, config.upload_seconds())
    upload = {**form, "expires_at": iso_time(job.upload_expires_at), "max_bytes": MAX_BYTES}
    logger.info("job created")
    return answer(201, {"job_id": job.job_id, "status": job.status, "options": job.options, "upload": upload})


@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point for API Gateway."""
    return app.resolve(event, context)
