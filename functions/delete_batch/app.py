"""DELETE /batches/{batch_id}: stops the batch and erases it with all its photos, results and receipts."""

import time

from aws_lambda_powertools.event_handler import Response

from faceblur.api.batches import valid_batch_id
from faceblur.api.http import answer, caller, router
from faceblur.errors import BatchNotFound
from faceblur.jobs.batch_erasure import erase_batch
from faceblur.jobs.batch_files import batch_files
from faceblur.jobs.batch_runs import batch_machine
from faceblur.jobs.batches import batches
from faceblur.jobs.storage import photos
from faceblur.jobs.table import jobs
from faceblur.observability import entry_point, logger

app = router()
# API Gateway waits for 29 seconds. The next hourly sweep erases the rest.
ERASING_SECONDS = 20


@app.delete("/batches/<batch_id>")
def delete_batch(batch_id: str) -> Response[str]:
    """Delete the row first. Without it, no photo is begun, and each task that is still running erases its own job."""
    batch = batches().delete(valid_batch_id(batch_id), caller(app.current_event))
    if not batch:
        raise BatchNotFound
    if batch.execution:
        batch_machine().stop(batch.execution, "Deleted")
    erased = erase_batch(batch_id, jobs(), photos(), batch_files(), time.time() + ERASING_SECONDS)
    logger.info("batch deleted", erased=erased)
    return answer(204)


handler = entry_point(app.resolve)
