"""Logger, tracer and metrics that every function shares; the job's id is the correlation id."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from faceblur import config

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMESPACE = "faceblur"

logger = Logger(service=NAMESPACE, use_rfc3339=True)
tracer = Tracer(service=NAMESPACE)


def tag_with_job(job_id: str) -> None:
    """Tag what this invocation logs and traces from here on with the job it is about."""
    logger.set_correlation_id(job_id)
    tracer.put_annotation("job_id", job_id)


@dataclass
class Stage:
    """A stage of a job as it was measured; the milliseconds are there when it is over."""

    name: str
    milliseconds: int = 0


@contextmanager
def stage(name: str, size: int) -> Iterator[Stage]:
    """Measure a stage of the job: its milliseconds, and the bytes of the photo it works on."""
    measured, started = Stage(name), time.perf_counter()
    yield measured
    measured.milliseconds = round((time.perf_counter() - started) * 1000)
    _count("StageMilliseconds", MetricUnit.Milliseconds, measured.milliseconds, stage=name)
    _count("StageBytes", MetricUnit.Bytes, size, stage=name)


def faces_found(count: int) -> None:
    """Count the faces that were found in a photo."""
    _count("FacesFound", MetricUnit.Count, count)


def job_completed() -> None:
    """Count a job that came to its result."""
    _count("JobsCompleted", MetricUnit.Count, 1)


def job_failed(code: str) -> None:
    """Count a job that failed, by the code of its error."""
    _count("JobsFailed", MetricUnit.Count, 1, code=code)


def job_refused() -> None:
    """Count a job that was not created because today has had as many as it may."""
    _count("JobsRefused", MetricUnit.Count, 1)


def photos_swept(count: int) -> None:
    """Count what a sweep has deleted; also a sweep that found nothing counts, so that a missing one is seen."""
    _count("PhotosSwept", MetricUnit.Count, count)


def _count(name: str, unit: MetricUnit, value: float, **dimensions: str) -> None:
    # By stack: the alarms of one must not hear of another in the same account.
    with single_metric(name, unit, value, namespace=NAMESPACE) as metric:
        for dimension, of in {"stack": config.stack_name(), **dimensions}.items():
            metric.add_dimension(dimension, of)
