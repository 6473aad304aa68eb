"""Receipts: what an auditor needs to trust a result. Deterministic but for the stages' times and what they cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from faceblur.jobs.boxes import FoundBoxes

# List prices in USD, us-east-1, on demand.
PRICES_AS_OF = "2026-11"
PRICES = {"detector_call": 0.001, "state_transition": 0.000025, "lambda_gb_second": 0.0000166667}
# The transitions of an execution in which the first check finds nothing. It has three stages; each further one is a
# task and the choice after it.
TRANSITIONS, STAGES, MORE_TRANSITIONS = 10, 3, 2

# The options that say how a face is hidden.
HOW = ("style", "shape", "padding", "strength", "colour")


def receipt(done: dict[str, Any], found: FoundBoxes, result: Mapping[str, Any]) -> dict[str, Any]:
    """The receipt of a completed job.

    `done` is what the state machine hands to its last task, `result` the digest of the result.
    """
    stages = done["stages"]
    return {
        "job_id": done["job_id"],
        "input": found.photo,
        "output": result,
        "boxes": [box.to_dict() for box in found.boxes],
        "check_rounds": done["check_rounds"],
        "hidden_with": {name: done["options"][name] for name in HOW},
        "stripped": done["draft"]["stripped"],
        "warnings": done["warnings"],
        "stages": stages,
        "billable_calls": sum(stage.get("calls", 0) for stage in stages),
        "cost_estimate": {
            "usd": round(cost(stages), 7),
            "prices_usd": PRICES,
            "prices_as_of": PRICES_AS_OF,
        },
    }


def cost(stages: Sequence[dict[str, Any]]) -> float:
    """What a job with these stages costs, in USD: billable calls, state transitions and the functions' time."""
    calls: int = sum(stage.get("calls", 0) for stage in stages)
    gb_seconds: float = sum(stage["memory_mb"] / 1024 * stage["milliseconds"] / 1000 for stage in stages)
    return (
        calls * PRICES["detector_call"]
        + transitions(len(stages)) * PRICES["state_transition"]
        + gb_seconds * PRICES["lambda_gb_second"]
    )


def transitions(stages: int) -> int:
    """How many state transitions a job of so many stages takes."""
    return TRANSITIONS + MORE_TRANSITIONS * (stages - STAGES)
