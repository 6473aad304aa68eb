"""Redos: a completed job is done again, with other options or another decision."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from faceblur import prices
from faceblur.contracts import NO_BOXES
from faceblur.errors import InternalError, JobNotFinished, OriginalDeleted
from faceblur.geometry import Box
from faceblur.jobs.boxes import PERSON, is_kept_by, load_boxes, store_boxes
from faceblur.jobs.decisions import Choice, Decision, store_decision
from faceblur.jobs.reviews import apply
from faceblur.jobs.storage import new_decision_key, withdraw_if_late
from faceblur.jobs.table import Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from faceblur.contracts import ExecutionInput
    from faceblur.jobs.boxes import FoundBox, FoundBoxes
    from faceblur.jobs.budget import Budget
    from faceblur.jobs.executions import Workflow
    from faceblur.jobs.storage import Photos
    from faceblur.jobs.table import Job, Jobs
    from faceblur.limits import Kind

WHOLE_PHOTO = Box(0.0, 0.0, 1.0, 1.0, 100.0, PERSON)
# Warnings that each run computes anew, from its boxes and its checks. All others come from the detection.
_GIVEN_ANEW = {"NothingFound", "ChecksNotSettled"}
# The warning that a decision answers.
_ANSWERED = {"BelowConfidence"}


@dataclass(frozen=True, slots=True)
class Redo:
    """The input of a redo: all options of the job, and its boxes with the decision.

    `detect` tells whether the photo is searched again. `reviewed` tells whether a person decided what is hidden.
    """

    options: dict[str, Any]
    found: FoundBoxes
    decision: Decision
    detect: bool
    reviewed: bool


def require_repeatable(job: Job, photos: Photos) -> None:
    """Raise JobNotFinished if the job is not completed, and OriginalDeleted if its photo is no longer kept."""
    if job.status is not Status.COMPLETED:
        raise JobNotFinished
    if not job.keeps_original or not photos.has_upload(job.job_id):
        raise OriginalDeleted


def detects_again(job: Job, options: Mapping[str, Any]) -> bool:
    """Whether these options need another detection, because they differ in what it finds."""
    return options["min_confidence"] != job.options["min_confidence"] or set(options["kinds"]) != set(
        job.options["kinds"]
    )


def plan_redo(job: Job, options: dict[str, Any], decision: Decision, photos: Photos, *, ask: bool) -> Redo:
    """The redo of a repeatable job. With `ask`, a person is asked again, even if a person decided before.

    Raises InvalidDecision if the decision names an unknown box, or adds more boxes than a job can have.
    """
    found = load_boxes(job.outcome["boxes"], photos)
    if detects_again(job, options):
        return Redo(options, found, _for_new_boxes(decision, found, job.options["kinds"]), detect=True, reviewed=False)
    reviewed = not ask and (job.outcome["reviewed"] or not decision.is_empty)
    after = found if decision.is_empty else apply(decision, found)
    return Redo(options, after, decision, detect=False, reviewed=reviewed)


def begin_redo(job: Job, redo: Redo, jobs: Jobs, photos: Photos, workflow: Workflow, budget: Budget) -> None:
    """Hand the job to a new execution, and start it. Raises JobNotFinished if the job has changed since it was read.

    Raises BudgetSpent if the day's money does not pay for it and its work. Raises JobNotFound, and leaves no decision
    and no boxes, if it is deleted meanwhile.
    """
    execution = workflow.execution(job.job_id, job.redos + 1)
    decision_key = new_decision_key(job.job_id) if redo.detect and not redo.decision.is_empty else ""
    day = budget.take(job.client, prices.JOB, leaving=prices.WORK)
    try:
        jobs.redo(job, redo.options, execution, decision_key)
    except JobNotFinished:
        budget.refund(job.client, prices.JOB, day)
        raise
    try:
        if decision_key:
            store_decision(decision_key, redo.decision, photos)
            withdraw_if_late(decision_key, job.job_id, jobs, photos)
        boxes = NO_BOXES if redo.detect else store_boxes(job.job_id, redo.found, jobs, photos)
        given: ExecutionInput = {
            "job_id": job.job_id,
            "boxes": boxes,
            "unsure": 0 if redo.detect else redo.found.unsure,
            "reviewed": redo.reviewed,
            "warnings": [] if redo.detect else _warnings(job, redo),
        }
        workflow.redo(execution, given)
    except Exception:
        jobs.fail(job.job_id, InternalError(), execution)
        raise


def _warnings(job: Job, redo: Redo) -> list[str]:
    """The warnings of the detection that still hold."""
    gone = _GIVEN_ANEW if redo.decision.is_empty else _GIVEN_ANEW | _ANSWERED
    return [warning for warning in job.outcome["warnings"] if warning not in gone]


def _for_new_boxes(decision: Decision, found: FoundBoxes, kinds: Sequence[Kind]) -> Decision:
    """The decision for a new detection: this decision, and the earlier ones where this one does not contradict them.

    `kinds` are the kinds of the earlier detection. An earlier decision with `only` does not apply to other kinds.
    """
    if decision.only:
        return decision
    decision = decision.in_photo(found.ratio)
    if found.only and decision.is_empty:
        everything = [Choice(place=replace(WHOLE_PHOTO, kind=kind)) for kind in kinds]
        return Decision(everything, [_place(each) for each in found.boxes if each.hidden])
    chosen = [each for each in found.boxes if each.hidden and each.named]
    hide = [_place(each) for each in chosen if not _is_kept(each, decision)]
    keep = [Choice(place=place) for place in found.kept_places]
    keep += [Choice(place=each.box) for each in found.boxes if each.is_kept]
    return Decision([*keep, *decision.keep], [*hide, *decision.hide])


def _place(found: FoundBox) -> Choice:
    return Choice(place=found.box, style=found.style)


def _is_kept(found: FoundBox, decision: Decision) -> bool:
    return any(choice.place and is_kept_by(choice.place, found.box) for choice in decision.keep)
