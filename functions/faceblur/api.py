"""What the API functions share: the router, errors as JSON `{code, message}`, and a job as clients see it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from faceblur import config
from faceblur.errors import InternalError, InvalidOptions, JobNotFound, RequestError
from faceblur.jobs import Job, Status, is_job_id
from faceblur.observability import about, logger

if TYPE_CHECKING:
    from faceblur.storage import Photos

_STATUS_CODES: dict[type[RequestError], int] = {InvalidOptions: 400, JobNotFound: 404}


def router() -> APIGatewayRestResolver:
    """A router that answers every error as JSON, without a word of its insides."""
    app = APIGatewayRestResolver()

    @app.exception_handler(Exception)  # type: ignore[untyped-decorator]
    def failed(error: Exception) -> Response[str]:
        # A path with what no id has in it, which the resolver does not take for one.
        if isinstance(error, NotFoundError):
            error = JobNotFound()
        if isinstance(error, RequestError):
            return answer(_STATUS_CODES[type(error)], {"code": error.code, "message": error.message})
        logger.exception("request failed")
        return answer(500, {"code": InternalError().code, "message": InternalError().message})

    return app


def answer(status: int, body: dict[str, Any] | None = None) -> Response[str]:
    """A JSON answer, or an empty one; never cached, readable by the page's origin alone."""
    return Response(
        status_code=status,
        content_type=content_types.APPLICATION_JSON,
        body=json.dumps(body) if body is not None else "",
        headers={"Cache-Control": "no-store", "Access-Control-Allow-Origin": config.allowed_origin()},
    )


def fields_of(body: str | None) -> dict[str, Any]:
    """The JSON object in a request's body, empty if there is none; raises InvalidOptions."""
    try:
        fields = json.loads(body or "{}")
    except (ValueError, RecursionError):
        raise InvalidOptions("The request's body is not valid JSON.") from None
    if not isinstance(fields, dict):
        raise InvalidOptions("The request's body must be a JSON object of options.")
    return fields


def checked(job_id: str) -> str:
    """The job id of a path, tagged for the logs; raises JobNotFound if it cannot be one."""
    if not is_job_id(job_id):
        raise JobNotFound
    about(job_id)
    return job_id


def described(job: Job, photos: Photos) -> dict[str, Any]:
    """A job as the API shows it; only a COMPLETED one has a link to its result."""
    seen: dict[str, Any] = {
        "job_id": job.job_id,
        "status": job.status,
        "options": job.options,
        "created_at": moment(job.created_at),
        "expires_at": moment(job.expires_at),
        "progress": job.progress,
    }
    if job.status is Status.COMPLETED:
        result = dict(job.outcome["result"])
        seen |= {name: job.outcome[name] for name in ("faces", "second_look_faces", "warnings")}
        seen["receipt"] = {"url": photos.link(job.outcome["receipt"])}
        seen["result"] = {"url": photos.link(result.pop("key")), **result}
    if job.error:
        seen["error"] = job.error
    return seen


def moment(seconds: int) -> str:
    """A time in UTC, as ISO 8601."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
