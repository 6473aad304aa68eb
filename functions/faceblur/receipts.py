"""Receipts: what an auditor needs to trust a result. Deterministic but for the stages' times and what they cost."""

from __future__ import annotations

from typing import Any

# List prices in USD, us-east-1, on demand.
PRICES_AS_OF = "2026-11"
PRICES = {"detector_call": 0.001, "state_transition": 0.000025, "lambda_gb_second": 0.0000166667}
# Transitions of an execution without surprises, and those that hiding what was missed adds.
TRANSITIONS, MORE_TRANSITIONS = 10, 3

# The options that say how a face is hidden.
HOW = ("style", "shape", "padding", "strength", "colour")


def receipt(done: dict[str, Any]) -> dict[str, Any]:
    """The receipt of a completed job: `done` is what the state machine hands to its last task."""
    draft, stages = done["draft"], done["stages"]
    return {
        "job_id": done["job_id"],
        "input": draft["input"],
        "output": draft["output"],
        "faces": [
            *({**face, "look": "first"} for face in done["faces"]),
            *({**face, "look": "second"} for face in done["missed"]),
        ],
        # A job that an earlier release created says nothing of strength.
        "hidden_with": {name: done["options"][name] for name in HOW if name in done["options"]},
        "stripped": draft["result"]["stripped"],
        "warnings": done["warnings"],
        "stages": stages,
        "billable_calls": sum(stage.get("calls", 0) for stage in stages),
        "cost_estimate": {
            "usd": round(cost(stages, looked_again=bool(done["missed"])), 7),
            "prices_usd": PRICES,
            "prices_as_of": PRICES_AS_OF,
        },
    }


def cost(stages: list[dict[str, Any]], *, looked_again: bool) -> float:
    """What a job with these stages costs, in USD: billable calls, state transitions and the functions' time."""
    calls: int = sum(stage.get("calls", 0) for stage in stages)
    transitions = TRANSITIONS + (MORE_TRANSITIONS if looked_again else 0)
    gb_seconds: float = sum(stage["memory_mb"] / 1024 * stage["milliseconds"] / 1000 for stage in stages)
    return (
        calls * PRICES["detector_call"]
        + transitions * PRICES["state_transition"]
        + gb_seconds * PRICES["lambda_gb_second"]
    )
