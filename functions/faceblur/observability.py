"""The logger and metrics of all functions.

Whoever knows a job's id sees its result. So no log line holds an id. A digest of the id replaces it, and is the
correlation id.
"""

from __future__ import annotations

import functools
import json
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from faceblur import config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from faceblur.limits import Kind

NAMESPACE = "faceblur"
Answer = TypeVar("Answer")

_JOB_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")


def digest_of_id(job_id: str) -> str:
    """The digest that replaces a job's id in logs: the first 16 hexadecimal digits of the id's SHA-256."""
    return sha256(job_id.encode()).hexdigest()[:16]


def without_ids(text: str) -> str:
    """The text with each job's id replaced by its digest, as in `uploads/{digest}`."""
    return _JOB_ID.sub(lambda found: digest_of_id(found[0]), text)


def _line(fields: dict[str, Any]) -> str:
    return without_ids(json.dumps(fields, default=str))


logger = Logger(service=NAMESPACE, use_rfc3339=True, json_serializer=_line)


def entry_point(handler: Callable[[Any, LambdaContext], Answer]) -> Callable[..., Answer]:
    """Add Lambda's context to a handler's logs, and replace the ids of jobs in the text of an error that it raises.

    Lambda's runtime and the logger log the texts of that error and of its causes. Some texts of AWS contain keys and
    ARNs, and so ids.
    """

    @functools.wraps(handler)
    def guarded(event: Any, context: LambdaContext) -> Answer:
        try:
            return handler(event, context)
        except Exception as error:
            _take_ids_out_of(error)
            raise

    logged: Callable[..., Answer] = logger.inject_lambda_context(clear_state=True)(guarded)
    return logged


def _take_ids_out_of(error: BaseException | None) -> None:
    """Change the text of an error and of its causes. boto3's and this project's errors keep their text in `args`."""
    while error:
        error.args = tuple(without_ids(each) if isinstance(each, str) else each for each in error.args)
        error = error.__cause__ or error.__context__


def tag_with_job(job_id: str) -> None:
    """Add the digest of the job's id to the following logs of this invocation."""
    logger.set_correlation_id(digest_of_id(job_id))


@dataclass
class Stage:
    """A measured stage of a job. `milliseconds` is set when the stage is over."""

    name: str
    milliseconds: int = 0


@contextmanager
def stage(name: str, size: int) -> Iterator[Stage]:
    """Measure a stage of a job on a photo of `size` bytes."""
    measured, started = Stage(name), time.perf_counter()
    yield measured
    measured.milliseconds = round((time.perf_counter() - started) * 1000)
    _count("StageMilliseconds", MetricUnit.Milliseconds, measured.milliseconds, stage=name)
    _count("StageBytes", MetricUnit.Bytes, size, stage=name)


def found(counts: Mapping[Kind, int]) -> None:
    """Count by kind what was found in the photo of a completed job."""
    for kind, count in counts.items():
        _count("Found", MetricUnit.Count, count, kind=kind)


def job_completed() -> None:
    """Count a completed job."""
    _count("JobsCompleted", MetricUnit.Count, 1)


def work_finished(seconds: float) -> None:
    """Record how long the work on a completed job took, since it began or since a person answered."""
    _count("WorkSeconds", MetricUnit.Seconds, seconds)


def job_failed(code: str) -> None:
    """Count a failed job by the code of its error."""
    _count("JobsFailed", MetricUnit.Count, 1, code=code)


def budget_refused(limit: str) -> None:
    """Count a job that was refused because the budget of the `day` or of its `client` is spent."""
    _count("JobsRefused", MetricUnit.Count, 1, limit=limit)


def event_not_sent() -> None:
    """Count an event that the customer's event bus did not take."""
    _count("EventsNotSent", MetricUnit.Count, 1)


def photos_swept(count: int) -> None:
    """Count the objects that a sweep deleted. A count of 0 shows that the sweep ran."""
    _count("PhotosSwept", MetricUnit.Count, count)


def _count(name: str, unit: MetricUnit, value: float, **dimensions: str) -> None:
    # Counted by stack, so that the alarms of one stack ignore the others in the account.
    with single_metric(name, unit, value, namespace=NAMESPACE) as metric:
        for dimension, measured in {"stack": config.stack_name(), **dimensions}.items():
            metric.add_dimension(dimension, measured)
