"""Receipts, with which an auditor can verify a result.

Two runs on the same photo differ in the stages' times, in the cost, and in the digest of the result, whose paint has
random noise.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from faceblur import prices

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from faceblur.contracts import CompleteRequest, Stage
    from faceblur.geometry import Box
    from faceblur.jobs.boxes import FoundBoxes

# In USD.
PRICES = {
    "detector_call": round(prices.REKOGNITION_CALL / prices.A_DOLLAR, 10),
    "state_transition": round(prices.STATE_TRANSITION / prices.A_DOLLAR, 10),
    "lambda_gb_second": round(prices.GB_SECOND / prices.A_DOLLAR, 10),
}
# The transitions of an execution with three stages, in which the first check finds nothing. Each further stage adds a
# task and a choice. A review adds a few more.
TRANSITIONS, STAGES, MORE_TRANSITIONS = 12, 3, 2

# The options that determine how something is hidden.
STYLE_OPTIONS = ("style", "shape", "padding", "strength", "colour")


def receipt(request: CompleteRequest, found: FoundBoxes, result: Mapping[str, Any]) -> dict[str, Any]:
    """The receipt of a completed job; `result` is the digest of the result.

    A digest has the SHA-256 of a file and its length in bytes. `input` is the photo's, and `output` the result's.
    """
    return {
        "job_id": request.job_id,
        "input": found.photo,
        "output": result,
        "kinds": request.options["kinds"],
        "hidden": found.hidden,
        "kept": found.kept,
        "boxes": found.to_dict()["boxes"],
        "kept_places": [kept_place(place) for place in found.kept_places],
        "only": found.only,
        "check_rounds": request.check_rounds,
        "hidden_with": {name: request.options[name] for name in STYLE_OPTIONS},
        "stripped": request.draft["stripped"],
        "kept_metadata": request.draft["kept_metadata"],
        "warnings": request.warnings,
        "stages": request.stages,
        "billable_calls": billable_calls(request.stages),
        "cost_estimate": {
            "usd": round(cost(request.stages), 7),
            "prices_usd": PRICES,
            "prices_as_of": prices.AS_OF,
        },
    }


def kept_place(place: Box) -> dict[str, Any]:
    """A place as a rectangle in fractions of the photo, turned by its roll, and the kind that stays visible there."""
    box = replace(place, roll=place.tilt).to_dict()
    return {name: box[name] for name in ("left", "top", "width", "height", "roll", "kind")}


def billable_calls(stages: Sequence[Stage]) -> int:
    """The number of calls of a detection service in these stages."""
    return sum(stage.get("calls", 0) for stage in stages)


def cost(stages: Sequence[Stage]) -> float:
    """The cost in USD of a job with these stages: billable calls, state transitions and the functions' time."""
    gb_seconds = sum(stage["memory_mb"] / 1024 * stage["milliseconds"] / 1000 for stage in stages)
    return (
        billable_calls(stages) * PRICES["detector_call"]
        + transitions(len(stages)) * PRICES["state_transition"]
        + gb_seconds * PRICES["lambda_gb_second"]
    )


def transitions(stages: int) -> int:
    """The number of state transitions of a job with this many stages."""
    return TRANSITIONS + MORE_TRANSITIONS * (stages - STAGES)
