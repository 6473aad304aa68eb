"""Events on the customer's event bus about photos and batches that have ended (docs/events.md).

An event gives nobody access to a photo. It holds a digest in place of the id of a job or a batch, because whoever knows
the id sees the result. It names a photo's keys only if the photo came from the customer's own bucket.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from faceblur import config
from faceblur.errors import JobNotFound, StorageUnavailable
from faceblur.observability import digest_of_id, event_not_sent, logger, without_ids

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_events import EventBridgeClient

    from faceblur.errors import FaceblurError
    from faceblur.jobs.table import Job, Jobs

SOURCE = "faceblur"
ATTEMPTS = 3
_COUNTS = ("photos", "hidden", "failed", "waiting", "nothing_hidden", "usd")


class Events:
    """The event bus. Without a name there is none, and nothing is sent."""

    def __init__(self, client: EventBridgeClient, bus: str) -> None:
        """Use the bus with this name."""
        self._client, self._bus = client, bus

    @property
    def are_sent(self) -> bool:
        """Whether there is a bus."""
        return bool(self._bus)

    def job_ended(self, job: Job) -> None:
        """Tell how a job ended. If its photo is delivered, nothing is sent, because the delivery sends the event."""
        if not job.is_delivered:
            self.photo_ended(job.job_id, job.outcome, job.error, {})

    def photo_ended(
        self, job_id: str, outcome: Mapping[str, Any], error: Mapping[str, str] | None, where: Mapping[str, Any]
    ) -> None:
        """Tell that a photo failed with this error or, without an error, was hidden with this outcome.

        The fields of `where` are added.
        """
        detail = {"job": digest_of_id(job_id), **where}
        if error:
            self._send("Photo failed", detail | {"code": error["code"], "message": without_ids(error["message"])})
        else:
            counts = {name: outcome[name] for name in ("hidden", "missed_at_first", "kept", "warnings")}
            self._send("Photo hidden", detail | counts)

    def batch_finished(
        self, batch_id: str, status: str, outcome: Mapping[str, Any] | None, error: FaceblurError | None
    ) -> None:
        """Tell that a batch ended. There are no counts if its report could not be written."""
        counts = {name: told for name, told in (outcome or {}).items() if name in _COUNTS}
        detail = {"batch": digest_of_id(batch_id), "status": status, **counts}
        self._send("Batch finished", detail | (error.to_dict() if error else {}))

    def _send(self, kind: str, detail: dict[str, Any]) -> None:
        """Send an event. A failure is logged and counted, and raises nothing: no photo fails for want of an event.

        If the bus's answer is lost, the event is sent again. The bus gives it another `id`, but its `event_id` stays
        the same, so receivers recognise it.
        """
        if not self.are_sent:
            return
        detail = {"event_id": str(uuid4()), **detail}
        try:
            sent = any(self._put(kind, detail) for _ in range(ATTEMPTS))
        except (BotoCoreError, ClientError):
            logger.exception("event was not sent", kind=kind)
            sent = False
        if not sent:
            event_not_sent()

    def _put(self, kind: str, detail: dict[str, Any]) -> bool:
        """Put an event on the bus once. Returns whether the bus took it, which is in its answer: it raises no error."""
        entry = json.dumps({"stack": config.stack_name(), **detail})
        answer = self._client.put_events(
            Entries=[{"EventBusName": self._bus, "Source": SOURCE, "DetailType": kind, "Detail": entry}]
        )
        if answer["FailedEntryCount"]:
            logger.warning("event was refused", kind=kind, code=answer["Entries"][0].get("ErrorCode"))
        return not answer["FailedEntryCount"]


@cache
def events() -> Events:
    """The event bus of this deployment."""
    # All attempts together take less than the timeout of a function.
    settings = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=1, read_timeout=2)
    return Events(boto3.client("events", config=settings), config.event_bus_name())


def tell_end(job_id: str, jobs: Jobs) -> None:
    """Tell how the job ended. If the job was deleted, no event is sent."""
    if not events().are_sent:
        return
    try:
        events().job_ended(jobs.get(job_id))
    except JobNotFound:
        logger.info("no event was sent, because the job was deleted")
    except StorageUnavailable:
        logger.warning("event was not sent, because the job could not be read")
        event_not_sent()


def tell_delivery(
    job_id: str, job: Job | None, error: FaceblurError | None, where: Mapping[str, Any], jobs: Jobs
) -> None:
    """Tell once that a photo was delivered, or that it failed.

    The event has the job's own error, if there is one, and otherwise `error`. There is no job if the photo failed
    before its job was created. If the table does not answer, no event is sent.
    """
    if not events().are_sent:
        return
    try:
        if job and not jobs.mark_told(job_id):
            return
    except StorageUnavailable:
        logger.warning("event was not sent, because the job could not be marked")
        event_not_sent()
        return
    given = error.to_dict() if error else None
    events().photo_ended(job_id, job.outcome if job else {}, (job.error if job else None) or given, where)
