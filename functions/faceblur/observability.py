"""The logger and metrics of all functions. The job's id is the correlation id."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from faceblur import config

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMESPACE = "faceblur"

logger = Logger(service=NAMESPACE, use_rfc3339=True)


def tag_with_job(job_id: str) -> None:
    """Add the job's id to the following logs of this invocation."""
    logger.set_correlation_id(job_id)


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


def faces_found(count: int) -> None:
    """Count the faces found in a photo."""
    _count("FacesFound", MetricUnit.Count, count)


def job_completed() -> None:
    """Count a completed job."""
    _count("JobsCompleted", MetricUnit.Count, 1)


def work_finished(seconds: float) -> None:
    """Count how long the work on a completed job took, since it began or since a person answered."""
    _count("WorkSeconds", MetricUnit.Seconds, seconds)


def job_failed(code: str) -> None:
    """Count a failed job by the code of its error."""
    _count("JobsFailed", MetricUnit.Count, 1, code=code)


def job_refused() -> None:
    """Count a job that was refused because the limit per day is reached."""
    _count("JobsRefused", MetricUnit.Count, 1)


def photos_swept(count: int) -> None:
    """Count the objects that a sweep deleted. A count of 0 shows that the sweep ran."""
    _count("PhotosSwept", MetricUnit.Count, count)


def _count(name: str, unit: MetricUnit, value: float, **dimensions: str) -> None:
    # Counted by stack, so that the alarms of one stack ignore the others in the account.
    with single_metric(name, unit, value, namespace=NAMESPACE) as metric:
        for dimension, measured in {"stack": config.stack_name(), **dimensions}.items():
            metric.add_dimension(dimension, measured)
