"""GET /jobs/{job_id}: how a job stands, with a link to its result once it is completed."""

from functools import partial
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from faceblur.api import answer, asker, checked, described, router
from faceblur.jobs import jobs
from faceblur.observability import job_failed, logger, tracer
from faceblur.storage import photos

app = router()


@app.get("/jobs/<job_id>")
def get_job(job_id: str) -> Response[str]:
    """Show a job, settling it first if its time is over."""
    job = jobs().get_of(checked(job_id), asker(app.current_event))
    settled = jobs().settle(job, partial(photos().photo_arrived, job_id))
    if settled.error and not job.error:
        job_failed(settled.error["code"])
    return answer(200, described(settled, photos()))


@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point for API Gateway."""
    return app.resolve(event, context)
