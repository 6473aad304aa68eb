"""The payloads that the state machine and its tasks exchange.

A handler parses its request once, by `parse`; the state machine reads the response. AWS keeps these payloads in the
history of the execution for 90 days, and a state holds at most 256 KiB. So they carry keys, counts and options, but
never a box, a digest or a link.

A test compares every field with the definition of the state machine, in both directions.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from faceblur.limits import Kind  # noqa: TC001 - tests read the types of the fields

if TYPE_CHECKING:
    from collections.abc import Mapping


class StoredBoxes(TypedDict):
    """The file in S3 with all boxes found so far; `count` is the number of hidden boxes."""

    key: str
    count: int


# No boxes are known yet. JSONata's engines treat null differently, so the variables of an execution never hold null.
NO_BOXES: StoredBoxes = {"key": "", "count": 0}


class Draft(TypedDict):
    """A picture in S3 in which everything found so far is hidden.

    `stripped` names the metadata that was left out, and `kept_metadata` the kinds of metadata that were kept.
    """

    key: str
    content_type: str
    bytes: int
    width: int
    height: int
    stripped: list[str]
    kept_metadata: list[str]


class _MeasuredStage(TypedDict):
    name: str
    round: int
    milliseconds: int
    memory_mb: int


class Stage(_MeasuredStage, total=False):
    """A stage of the job, as the receipt reports it. Only a detection and a check have the fields below.

    `found` is how many of each kind the stage found.
    """

    detector: str
    version: str
    found: dict[Kind, int]
    calls: int


class ExecutionInput(TypedDict):
    """The input of an execution.

    A redo with the same boxes has these `boxes`, the number `unsure` of boxes of which the detector was not sure, and
    the `warnings` of the detection. All other executions have NO_BOXES. `reviewed` tells whether a person decided what
    is hidden.
    """

    job_id: str
    boxes: StoredBoxes
    unsure: int
    reviewed: bool
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class DetectRequest:
    """Asks the function `detect` to find the kinds in the options in the picture under `key`.

    Round 0 searches the upload. Rounds 1 to 5 check a draft for what is not in `boxes`.
    `stage` is one of `jobs.table.STAGES`. With `leave_out_unavailable`, one of two detectors is left out if it is not
    available. `decision` is the key of a decision, which the first detection applies; empty if there is none.
    """

    job_id: str
    stage: str
    round: int
    key: str
    boxes: StoredBoxes | None
    decision: str
    options: dict[str, Any]
    leave_out_unavailable: bool


class DetectResponse(TypedDict):
    """All boxes found so far, and the warnings and the stage of this round.

    `unsure` is the number of this round's boxes of which the detector was not sure.
    """

    boxes: StoredBoxes
    unsure: int
    warnings: list[str]
    stage: Stage


@dataclass(frozen=True, slots=True)
class HideRequest:
    """Asks the function `hide` to hide `boxes` in the upload under `key`."""

    job_id: str
    stage: str
    round: int
    key: str
    boxes: StoredBoxes
    options: dict[str, Any]


class HideResponse(TypedDict):
    """The draft, and the stage of this round."""

    draft: Draft
    stage: Stage


class StoredPreview(TypedDict):
    """A small copy of the upload in S3, in which nothing is hidden, and its size in pixels."""

    key: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class PreviewRequest:
    """Asks `draw_preview` for a preview of the upload under `key`."""

    job_id: str
    key: str


class PreviewResponse(TypedDict):
    """The preview."""

    preview: StoredPreview


class ReviewAnswer(TypedDict):
    """The answer of `review_job` to the execution that waits: the file of boxes after the decision."""

    boxes: StoredBoxes


@dataclass(frozen=True, slots=True)
class CompleteRequest:
    """Asks `complete_job` to publish the last draft as the result.

    `execution` is the ARN of the execution that asks. `reviewed` tells whether a person decided what is hidden.
    """

    job_id: str
    execution: str
    options: dict[str, Any]
    boxes: StoredBoxes
    check_rounds: int
    reviewed: bool
    warnings: list[str]
    draft: Draft
    stages: list[Stage]


@dataclass(frozen=True, slots=True)
class PhotoOfABatch:
    """A photo on which an execution of hide_photo works.

    `run` is the name of the execution of hide_batch, or the id of the event that reported the photo's arrival; then
    `batch_id` is empty. `key` is the key of the photo.
    """

    run: str
    batch_id: str
    key: str


class PreparedPhoto(TypedDict):
    """The job of a photo; empty if the photo is already hidden, or if the key is a folder."""

    job_id: str


class DeliveredPhoto(TypedDict):
    """The code of the error with which the photo failed; empty if it was delivered."""

    code: str


class ReportResponse(TypedDict):
    """The code of the error with which the batch ended; empty if there is none."""

    code: str


Request = TypeVar("Request", DetectRequest, HideRequest, PreviewRequest, CompleteRequest)


def parse(kind: type[Request], event: Mapping[str, Any]) -> Request:
    """The request of this kind in a function's event. Raises TypeError if a field without a default is missing.

    Unknown fields are left out. An execution keeps the definition with which it began, so after an upgrade the event
    may have fields that this release no longer knows.
    """
    known = {field.name for field in fields(kind)}
    return kind(**{name: value for name, value in event.items() if name in known})


class ErrorOutput(TypedDict):
    """The error output of a Catch. If a function raised the error, `Cause` is a `RaisedError` as JSON."""

    Error: str
    Cause: str


class RaisedError(TypedDict):
    """An error that a function raised, as the Lambda runtime reports it."""

    errorType: str
    errorMessage: str
