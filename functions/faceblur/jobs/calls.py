"""The paid calls of one look at a job's photo: counted and paid before they are made, remembered if the look fails.

A job's share is CALLS_A_JOB. The answers of a look that failed lie in S3 beside the boxes, and are erased with them.
"""

from __future__ import annotations

from dataclasses import astuple
from functools import cached_property
from typing import TYPE_CHECKING

from faceblur import config, prices
from faceblur.errors import JobNotFound, PhotoTooExpensive
from faceblur.geometry import Box
from faceblur.jobs.storage import withdraw_if_late

if TYPE_CHECKING:
    from collections.abc import Mapping

    from faceblur.jobs.budget import Budget
    from faceblur.jobs.storage import Photos
    from faceblur.jobs.table import Jobs


class LookCalls:
    """The calls of one look (`detectors.base.PaidCalls`), whatever number of attempts it takes."""

    def __init__(self, job_id: str, look: int, client: str, jobs: Jobs, photos: Photos, budget: Budget) -> None:
        """Count the calls of this job, for which the budget of `client` pays. `look` is the number of the look, 0…5."""
        self._job_id = job_id
        self._look = look
        self._jobs = jobs
        self._client = client
        self._photos = photos
        self._budget = budget
        self._used: set[str] = set()

    @property
    def left(self) -> int:
        """How many calls the job may still make; those of earlier attempts count once their answers are used."""
        unused = len(self._answers) - len(self._used)
        return config.calls_a_job() - self._jobs.get(self._job_id).calls + unused

    def take(self, number: int) -> None:
        """Count and pay calls before they are made.

        Raises PhotoTooExpensive if the job may not make so many, and BudgetSpent if the day's money does not suffice.
        """
        if not number:
            return
        if not self._jobs.count_calls(self._job_id, number, config.calls_a_job()):
            raise PhotoTooExpensive
        self._budget.take(self._client, number * prices.REKOGNITION_CALL)

    def give_back(self, number: int) -> None:
        """Count these calls no longer: the service did not answer them."""
        if not number:
            return
        self._budget.refund(self._client, number * prices.REKOGNITION_CALL)
        self._jobs.count_calls(self._job_id, -number, config.calls_a_job())

    def remembered(self, request: str) -> list[Box] | None:
        """The answer to a request with this digest; None if there is none."""
        answer = self._answers.get(request)
        if answer is not None:
            self._used.add(request)
        return answer

    def keep(self, answers: Mapping[str, list[Box]]) -> None:
        """Remember these answers by their requests' digests. Raises JobNotFound if the job has ended."""
        kept = {**self._answers, **answers}
        content = {request: [list(astuple(box)[:5]) for box in answer] for request, answer in kept.items()}
        key = self._photos.write_answers(self._job_id, self._look, content)
        withdraw_if_late(key, self._job_id, self._jobs, self._photos)

    @cached_property
    def _answers(self) -> dict[str, list[Box]]:
        try:
            content = self._photos.read_answers(self._job_id, self._look)
        except JobNotFound:
            return {}
        return {request: [Box(*box) for box in answer] for request, answer in content.items()}
