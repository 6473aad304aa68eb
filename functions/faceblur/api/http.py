"""What the API functions share: the router, errors as JSON `{code, message}`, and a job as clients see it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from faceblur import config
from faceblur.errors import InternalError, InvalidOptions, JobNotFound, NotSignedIn, RequestError, TooManyJobs
from faceblur.jobs.table import Job, Status, is_job_id
from faceblur.observability import job_refused, logger, tag_with_job

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

    from faceblur.jobs.storage import Photos

_STATUS_CODES: dict[type[RequestError], int] = {
    InvalidOptions: 400,
    NotSignedIn: 401,
    JobNotFound: 404,
    TooManyJobs: 429,
}


def router() -> APIGatewayRestResolver:
    """A router that answers every error as JSON, without a word of its insides."""
    app = APIGatewayRestResolver()

    @app.exception_handler([NotFoundError, Exception])  # type: ignore[untyped-decorator]
    def failed(error: Exception) -> Response[str]:
        # API Gateway takes for an id what the router takes for no path of ours, such as one with a NUL.
        if isinstance(error, NotFoundError):
            return refused(JobNotFound())
        if isinstance(error, RequestError):
            return refused(error)
        logger.exception("request failed")
        return answer(500, {"code": InternalError().code, "message": InternalError().message})

    return app


def refused(error: RequestError) -> Response[str]:
    """The answer to a request that is refused."""
    refusal = answer(_STATUS_CODES[type(error)], {"code": error.code, "message": error.message})
    if isinstance(error, TooManyJobs):
        job_refused()
        refusal.headers["Retry-After"] = str(seconds_to_midnight())
    return refusal


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


def caller(event: APIGatewayProxyEvent) -> str:
    """Who asks, as the authorizer says; empty in a deployment without sign-in.

    Raises NotSignedIn where the authorizer was not asked although it should be: whatever let the request through,
    it is not answered.
    """
    if not config.oidc_issuer():
        return ""
    authorizer = event["requestContext"].get("authorizer") or {}
    if not authorizer.get("owner"):
        raise NotSignedIn
    return str(authorizer["owner"])


def valid_job_id(job_id: str) -> str:
    """The job id of a path, tagged for the logs; raises JobNotFound if it cannot be one."""
    if not is_job_id(job_id):
        raise JobNotFound
    tag_with_job(job_id)
    return job_id


def job_body(job: Job, photos: Photos) -> dict[str, Any]:
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
        seen |= {name: job.outcome[name] for name in ("faces", "missed_at_first", "check_rounds", "warnings")}
        seen["receipt"] = {"url": photos.link(job.outcome["receipt"])}
        seen["result"] = {"url": photos.link(result.pop("key")), **result}
    if job.error:
        seen["error"] = job.error
    return seen


def seconds_to_midnight() -> int:
    """How long today still lasts, in UTC."""
    now = datetime.now(UTC)
    tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((tomorrow - now).total_seconds()) + 1


def moment(seconds: int) -> str:
    """A time in UTC, as ISO 8601."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
