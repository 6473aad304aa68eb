"""GET /batches/{batch_id}: a batch's state, its counts, and a link to its report."""

from aws_lambda_powertools.event_handler import Response

from faceblur.api.batches import batch_body, valid_batch_id
from faceblur.api.http import answer, caller, router
from faceblur.jobs.batch_files import batch_files
from faceblur.jobs.batch_runs import batch_machine, fail_if_abandoned, progress
from faceblur.jobs.batches import BatchStatus, batches
from faceblur.jobs.storage import photos
from faceblur.observability import entry_point

app = router()


@app.get("/batches/<batch_id>")
def get_batch(batch_id: str) -> Response[str]:
    """Show a batch. If its execution ended without a report, fail the batch first."""
    found = batches().get_owned(valid_batch_id(batch_id), caller(app.current_event))
    batch = fail_if_abandoned(found, batches(), batch_machine())
    running = batch.status is BatchStatus.RUNNING
    told = progress(batch, batch_machine(), batch_files()) if running else batch.outcome
    return answer(200, batch_body(batch, told, photos()))


handler = entry_point(app.resolve)
