"""Shared code of the API's functions: the router, errors as JSON `{code, message}`, and the body of a job."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from faceblur import config
from faceblur.errors import (
    BatchNotFound,
    BatchNotReady,
    BudgetSpent,
    FaceblurError,
    InternalError,
    InvalidDecision,
    InvalidOptions,
    JobNotFinished,
    JobNotFound,
    NotSignedIn,
    OriginalDeleted,
    RequestError,
    ReviewClosed,
    RouteNotFound,
    SourceNotAllowed,
)
from faceblur.jobs.table import Job, Review, Status, is_job_id
from faceblur.observability import logger, tag_with_job

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

    from faceblur.jobs.storage import Photos

_STATUS_CODES: dict[type[FaceblurError], int] = {
    InvalidOptions: 400,
    InvalidDecision: 400,
    SourceNotAllowed: 403,
    NotSignedIn: 401,
    RouteNotFound: 404,
    JobNotFound: 404,
    BatchNotFound: 404,
    BatchNotReady: 409,
    JobNotFinished: 409,
    ReviewClosed: 409,
    OriginalDeleted: 409,
    BudgetSpent: 429,
}


def router() -> APIGatewayRestResolver:
    """A router that answers every error as JSON. Unexpected errors reveal no details."""
    app = APIGatewayRestResolver()

    @app.exception_handler([NotFoundError, Exception])  # type: ignore[untyped-decorator]
    def failed(error: Exception) -> Response[str]:
        # API Gateway accepts ids for which the router finds no path, for example an id with a NUL.
        if isinstance(error, NotFoundError):
            return refused(JobNotFound())
        if isinstance(error, RequestError | BudgetSpent):
            return refused(error)
        logger.exception("request failed")
        return answer(500, InternalError().to_dict())

    return app


def refused(error: RequestError | BudgetSpent) -> Response[str]:
    """The answer to a refused request."""
    refusal = answer(_STATUS_CODES[type(error)], error.to_dict())
    if isinstance(error, BudgetSpent):
        # A page of another origin can read only the headers that this header names.
        refusal.headers |= {
            "Retry-After": str(seconds_to_midnight()),
            "Access-Control-Expose-Headers": "Retry-After",
        }
    return refusal


def answer(status: int, body: dict[str, Any] | None = None) -> Response[str]:
    """A JSON answer, or an empty one. It is never cached, and only the page's origin may read it."""
    return Response(
        status_code=status,
        content_type=content_types.APPLICATION_JSON,
        body=json.dumps(body) if body is not None else "",
        headers={"Cache-Control": "no-store", "Access-Control-Allow-Origin": config.allowed_origin()},
    )


def fields_of(body: str | None) -> dict[str, Any]:
    """The JSON object in a request's body; empty if there is no body. Raises InvalidOptions."""
    try:
        fields = json.loads(body or "{}")
    except (ValueError, RecursionError):
        raise InvalidOptions("The request's body is not valid JSON.") from None
    if not isinstance(fields, dict):
        raise InvalidOptions("The request's body must be a JSON object of options.")
    return fields


def caller(event: APIGatewayProxyEvent) -> str:
    """The owner that the authorizer named; empty in a deployment without sign-in.

    Raises NotSignedIn if the authorizer named none. So a mistake in the API's configuration cannot bypass sign-in.
    """
    if not config.oidc_issuer():
        return ""
    authorizer = event["requestContext"].get("authorizer") or {}
    if not authorizer.get("owner"):
        raise NotSignedIn
    return str(authorizer["owner"])


def valid_job_id(job_id: str) -> str:
    """The id of a job in a path. Tags the logs with it. Raises JobNotFound if it is not a job's id."""
    if not is_job_id(job_id):
        raise JobNotFound
    tag_with_job(job_id)
    return job_id


def job_body(job: Job, photos: Photos) -> dict[str, Any]:
    """A job as the API shows it. Only a job with a checked result has links to it.

    A job that is being done again has links to its last result.

    Raises JobNotFound if the job was waiting for a review, and has ended since it was read.
    """
    body: dict[str, Any] = {
        "job_id": job.job_id,
        "status": job.status,
        "options": job.options,
        "created_at": iso_time(job.created_at),
        "expires_at": iso_time(job.expires_at),
        "progress": job.progress,
    }
    if job.review:
        body["review"] = _review_body(job.review, photos)
    if job.status is Status.COMPLETED:
        told = ("hidden", "missed_at_first", "check_rounds", "kept", "reviewed", "warnings")
        body |= {name: job.outcome[name] for name in told}
    if job.status is not Status.FAILED and job.outcome:
        result = dict(job.outcome["result"])
        body["receipt"] = {"url": photos.link(job.outcome["receipt"])}
        body["result"] = {"url": photos.link(result.pop("key")), **result}
    if job.keeps_original and job.redo_until is not None:
        body["redo_until"] = iso_time(job.redo_until)
    if job.error:
        body["redo_error" if job.status is Status.COMPLETED else "error"] = job.error
    return body


def _review_body(review: Review, photos: Photos) -> dict[str, Any]:
    """What a person needs for a decision. The token is left out, because clients must not have it."""
    preview = review.preview
    return {
        "expires_at": iso_time(review.expires_at),
        "preview": {"url": photos.link(preview["key"]), "width": preview["width"], "height": preview["height"]},
        "boxes": photos.read_json(review.boxes["key"])["boxes"],
    }


def continued_body(job_id: str, options: dict[str, Any]) -> dict[str, Any]:
    """A job that continues, or is being done again, as the API shows it."""
    return {"job_id": job_id, "status": Status.PROCESSING, "options": options}


def seconds_to_midnight() -> int:
    """The seconds until midnight, UTC, rounded up."""
    now = datetime.now(UTC)
    tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((tomorrow - now).total_seconds()) + 1


def iso_time(seconds: int) -> str:
    """Seconds since the epoch as ISO 8601 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
