"""POST /batches and below: creates batches, renews their upload forms, and starts them."""

from typing import Any

from aws_lambda_powertools.event_handler import Response

from faceblur import config, prices
from faceblur.api.batches import batch_body, form_body, parse_batch, valid_batch_id
from faceblur.api.clients import client_of
from faceblur.api.http import answer, caller, fields_of, router
from faceblur.jobs.batch_files import batch_files
from faceblur.jobs.batch_runs import batch_machine, start_batch
from faceblur.jobs.batches import batches
from faceblur.jobs.budget import budget
from faceblur.jobs.storage import photos
from faceblur.observability import entry_point, logger

app = router()


@app.post("/batches")
def create_batch() -> Response[str]:
    """Create a batch. It starts at once if its photos are in a bucket; otherwise a form uploads them."""
    owner = caller(app.current_event)
    client = client_of(app.current_event, owner)
    batch = parse_batch(fields_of(app.current_event.body), owner, client)
    start = prices.start_of_a_batch(config.photos_at_once())
    budget().require(client, start + prices.JOB + prices.BATCHED + prices.WORK)
    batches().create(batch)
    logger.info("batch created")
    if not batch.takes_uploads:
        return answer(201, _started(batch.batch_id, owner))
    return answer(
        201, batch_body(batch, {}, photos()) | {"upload": form_body(batch, config.upload_seconds(), batch_files())}
    )


@app.post("/batches/<batch_id>/form")
def renew_form(batch_id: str) -> Response[str]:
    """Give a new upload form."""
    batch = batches().get_owned(valid_batch_id(batch_id), caller(app.current_event))
    return answer(200, form_body(batch, config.upload_seconds(), batch_files()))


@app.post("/batches/<batch_id>/start")
def start(batch_id: str) -> Response[str]:
    """Start a batch, or start it again for the photos that are not hidden."""
    return answer(202, _started(valid_batch_id(batch_id), caller(app.current_event)))


def _started(batch_id: str, owner: str) -> dict[str, Any]:
    """The body of a batch that was started."""
    batch = batches().get_owned(batch_id, owner)
    start_batch(batch, config.photos_at_once(), batches(), batch_machine(), budget())
    logger.info("batch started")
    return batch_body(batches().get(batch_id), {}, photos())


handler = entry_point(app.resolve)
