"""The paid calls of one round. They are counted and paid before they are made, and remembered if the round fails.

A round is the first detection of a job or one of its checks, with all its attempts. A job may make CALLS_A_JOB calls.
The answers of a failed round lie in S3 beside the boxes until the round succeeds, and are erased with the boxes.
"""

from __future__ import annotations

from dataclasses import astuple
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from faceblur import config, prices
from faceblur.detectors.base import Answer
from faceblur.errors import JobNotFound, PhotoTooExpensive, UploadReplaced
from faceblur.geometry import Box
from faceblur.jobs.storage import digest, withdraw_if_late

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from faceblur.detectors.base import StoredPhoto
    from faceblur.jobs.budget import Budget
    from faceblur.jobs.storage import Photos
    from faceblur.jobs.table import Jobs
    from faceblur.limits import Kind

CHECKS = 5  # at most, of a result; the state machine counts them


class Round(NamedTuple):
    """A round of a job, and the photo or draft that it searches.

    `number` is 0 for the first detection, and 1…5 for checks. `reserved` is the number of calls that the round should
    leave to later ones (`reserved_calls`).
    """

    job_id: str
    number: int
    photo: StoredPhoto
    reserved: int


def reserved_calls(number: int, questions: int, review: str) -> int:
    """The least number of calls that a job may still need after the first question of a round.

    Each round asks one call for each of its `questions` (`questions_of`). Five checks follow the first round, and with
    `review` "when_unsure" five more may follow a review. A round after the review reserves these as well, because
    nothing tells it that the review is over.
    """
    checks = CHECKS - number + (CHECKS if review == "when_unsure" else 0)
    return checks * questions + questions - 1


def questions_of(kinds: Collection[Kind], pictures: int) -> int:
    """The least number of questions of a round: one for faces, and one for text and plates, in each of its pictures.

    A panorama is searched as two pictures.
    """
    return pictures * len({kind == "face" for kind in kinds})


class RoundCalls:
    """The calls of one round in all its attempts (`detectors.base.PaidCalls`)."""

    def __init__(self, round_: Round, client: str, jobs: Jobs, photos: Photos, budget: Budget) -> None:
        """Count the calls of this round, for which the budget of `client` pays."""
        self._round = round_
        self.reserved = round_.reserved
        self._jobs = jobs
        self._client = client
        self._photos = photos
        self._budget = budget
        self._day = ""
        self._used: set[str] = set()
        self._has_file = False

    @property
    def left(self) -> int:
        """How many calls the job may still make. A remembered answer counts as a call once it is used.

        So each attempt at a round begins with the same number of calls, and asks about the same areas.
        """
        unused = len(self._answers) - len(self._used)
        return config.calls_a_job() - self._jobs.get(self._round.job_id).calls + unused

    def take(self, number: int) -> None:
        """Count and pay this number of calls before they are made. After an error, none is counted.

        Raises PhotoTooExpensive if the job may not make that many, and BudgetSpent if the day's money does not suffice.
        """
        if not number:
            return
        if not self._count(number):
            raise PhotoTooExpensive
        try:
            self._day = self._budget.take(self._client, number * prices.REKOGNITION_CALL)
        except Exception:
            self._count(-number)
            raise

    def give_back(self, number: int) -> None:
        """Take back this number of the calls that were counted and paid last, because they cost nothing."""
        if not number:
            return
        try:
            self._count(-number)
        finally:
            self._budget.refund(self._client, number * prices.REKOGNITION_CALL, self._day)

    def remembered(self, request: str) -> Answer | None:
        """The answer to a request with this digest; None if there is none."""
        answer = self._answers.get(request)
        if answer is not None:
            self._used.add(request)
        return answer

    def keep(self, answers: Mapping[str, Answer]) -> None:
        """Remember these answers by their requests' digests.

        Raises UploadReplaced if the photo in S3 was replaced or deleted, because the service may have read another one.
        Raises JobNotFound if the job has ended.
        """
        kept = {**self._answers, **answers}
        if not kept:
            return
        job_id, number, photo, _ = self._round
        if self._photos.read(photo.key) != photo.data:
            raise UploadReplaced
        content = {request: [list(map(astuple, answer.boxes)), answer.is_full] for request, answer in kept.items()}
        key = self._photos.write_answers(job_id, number, {"photo": digest(photo.data), "answers": content})
        self._has_file = True
        withdraw_if_late(key, job_id, self._jobs, self._photos)

    def forget(self) -> None:
        """Erase the answers after the round has succeeded. A later round with the same number begins without them."""
        if self._has_file:
            self._photos.withdraw_answers(self._round.job_id, self._round.number)

    def _count(self, number: int) -> bool:
        return self._jobs.count_calls(self._round.job_id, number, config.calls_a_job())

    @cached_property
    def _answers(self) -> dict[str, Answer]:
        """The answers that earlier attempts kept. Answers about another photo or draft are ignored."""
        job_id, number, photo, _ = self._round
        try:
            content = self._photos.read_answers(job_id, number)
        except JobNotFound:
            return {}
        self._has_file = True
        if content["photo"] != digest(photo.data):
            return {}
        return {
            request: Answer([Box(*box) for box in boxes], is_full)
            for request, (boxes, is_full) in content["answers"].items()
        }
