"""POST /jobs: validates the options, writes the job's row and returns the form that uploads the photo."""

from aws_lambda_powertools.event_handler import Response

from faceblur import config, prices
from faceblur.api.clients import client_of
from faceblur.api.decisions import parse_decision, split_fields
from faceblur.api.http import answer, caller, fields_of, iso_time, router
from faceblur.jobs.budget import budget
from faceblur.jobs.decisions import store_decision
from faceblur.jobs.storage import new_decision_key, photos
from faceblur.jobs.table import jobs, new_job_id
from faceblur.limits import MAX_BYTES
from faceblur.observability import entry_point, logger, tag_with_job
from faceblur.options import parse_options

app = router()


@app.post("/jobs")
def create_job() -> Response[str]:
    """Create the job before its form, so that no upload can arrive before the row and the decision exist."""
    owner = caller(app.current_event)
    fields, decision_fields = split_fields(fields_of(app.current_event.body))
    options, decision = parse_options(fields), parse_decision(decision_fields, ids=False)
    client = client_of(app.current_event, owner)
    budget().require(client, prices.JOB + prices.WORK)
    job_id = new_job_id()
    tag_with_job(job_id)
    key = "" if decision.is_empty else new_decision_key(job_id)
    job = jobs().create(job_id, options.model_dump(), config.upload_seconds(), owner, client, key)
    if key:
        store_decision(key, decision, photos())
    form = photos().upload_form(job_id, config.upload_seconds())
    upload = {**form, "expires_at": iso_time(job.upload_expires_at), "max_bytes": MAX_BYTES}
    logger.info("job created")
    return answer(201, {"job_id": job_id, "status": job.status, "options": job.options, "upload": upload})


handler = entry_point(app.resolve)
