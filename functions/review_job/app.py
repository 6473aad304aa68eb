"""PUT /jobs/{job_id}/review: takes a person's decision, and lets the job go on."""

from aws_lambda_powertools.event_handler import Response

from faceblur.api.decisions import parse_decision
from faceblur.api.http import answer, caller, continued_body, fields_of, router, valid_job_id
from faceblur.errors import InvalidDecision, InvalidOptions
from faceblur.jobs.executions import workflow
from faceblur.jobs.reviews import answer_review
from faceblur.jobs.storage import photos
from faceblur.jobs.table import jobs
from faceblur.observability import entry_point, logger

app = router()


@app.put("/jobs/<job_id>/review")
def review_job(job_id: str) -> Response[str]:
    """Take the decision. An empty one hides the boxes as the review shows them."""
    job = jobs().get_owned(valid_job_id(job_id), caller(app.current_event))
    try:
        decision = parse_decision(fields_of(app.current_event.body), ids=True)
    except InvalidOptions as error:
        raise InvalidDecision(error.message) from None
    answer_review(job, decision, jobs(), photos(), workflow())
    logger.info("review answered")
    return answer(200, continued_body(job_id, job.options))


handler = entry_point(app.resolve)
