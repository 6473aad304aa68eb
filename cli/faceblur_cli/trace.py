"""Reads the history of an execution: its states with their durations, retries and errors."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from mypy_boto3_stepfunctions import SFNClient


@dataclass
class Visit:
    """One visit to a state."""

    state: str
    kind: str
    entered: datetime
    left: datetime | None = None
    attempts: int = 0
    errors: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float | None:
        """The duration of the visit; None until it ends."""
        return (self.left - self.entered).total_seconds() if self.left else None

    @property
    def retries(self) -> int:
        """How often the state's task was retried."""
        return max(self.attempts - 1, 0)


def visits(events: Iterable[dict[str, Any]]) -> list[Visit]:
    """The states that an execution went through, from its history; the state machine has no parallel branches."""
    seen: list[Visit] = []
    for event in events:
        kind = event["type"]
        if kind.endswith("StateEntered"):
            name = event["stateEnteredEventDetails"]["name"]
            seen.append(Visit(name, kind.removesuffix("StateEntered"), event["timestamp"]))
        elif kind.endswith("StateExited") or kind in {"ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"}:
            if seen and seen[-1].left is None:
                seen[-1].left = event["timestamp"]
        elif kind in {"TaskScheduled", "LambdaFunctionScheduled"}:
            seen[-1].attempts += 1
        elif kind in {"TaskFailed", "TaskTimedOut", "LambdaFunctionFailed", "LambdaFunctionTimedOut"}:
            seen[-1].errors.append(_error(event))
    return seen


def history(client: SFNClient, execution_arn: str) -> Iterator[dict[str, Any]]:
    """All events of an execution, in order."""
    for page in client.get_paginator("get_execution_history").paginate(executionArn=execution_arn):
        yield from page["events"]  # type: ignore[misc]


def last_execution(client: SFNClient, state_machine_arn: str, job_id: str) -> dict[str, Any]:
    """The description of a job's last execution. Raises ExecutionDoesNotExist if it has none.

    The name of a redo's execution is the name of the first execution with a number behind it.
    """
    first = first_execution(state_machine_arn, job_id)
    last: Any = client.describe_execution(executionArn=first)
    with suppress(client.exceptions.ExecutionDoesNotExist):
        for redo in count(1):
            last = client.describe_execution(executionArn=f"{first}-{redo}")
    return dict(last)


def first_execution(state_machine_arn: str, job_id: str) -> str:
    """The ARN of a job's first execution, which is named after the job."""
    return f"{state_machine_arn.replace(':stateMachine:', ':execution:')}:{job_id}"


def digest_of_id(job_id: str) -> str:
    """The digest that replaces a job's id in the functions' logs: the first 16 hexadecimal digits of its SHA-256."""
    return sha256(job_id.encode()).hexdigest()[:16]


def _error(event: dict[str, Any]) -> str:
    details: dict[str, Any] = next((value for name, value in event.items() if name.endswith("EventDetails")), {})
    return str(details.get("error", event["type"]))
