"""POST /jobs/{job_id}/redo: does a completed job again, with other options or another decision."""

from aws_lambda_powertools.event_handler import Response

from faceblur.api.decisions import parse_decision, split_fields
from faceblur.api.http import answer, caller, continued_body, fields_of, router, valid_job_id
from faceblur.jobs.budget import budget
from faceblur.jobs.executions import workflow
from faceblur.jobs.redos import begin_redo, detects_again, plan_redo, require_repeatable
from faceblur.jobs.storage import photos
from faceblur.jobs.table import jobs
from faceblur.observability import entry_point, logger
from faceblur.options import parse_options

app = router()


@app.post("/jobs/<job_id>/redo")
def redo_job(job_id: str) -> Response[str]:
    """Do the job again. Options that the request does not name keep their values."""
    job = jobs().get_owned(valid_job_id(job_id), caller(app.current_event))
    changes, decision_fields = split_fields(fields_of(app.current_event.body))
    require_repeatable(job, photos())
    options = parse_options(job.options | changes).model_dump()
    decision = parse_decision(decision_fields, ids=not detects_again(job, options))
    redo = plan_redo(job, options, decision, photos(), ask="review" in changes)
    begin_redo(job, redo, jobs(), photos(), workflow(), budget())
    logger.info("job is done again")
    return answer(202, continued_body(job_id, options))


handler = entry_point(app.resolve)
