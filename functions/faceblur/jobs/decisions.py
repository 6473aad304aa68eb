"""Decisions about who is hidden, and how they change the boxes of a job.

The decision that comes with a new job waits in S3, beside the boxes, until its faces are found.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from faceblur.errors import InvalidDecision
from faceblur.geometry import Box
from faceblur.jobs.boxes import INSIDE, FoundBox

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from faceblur.jobs.boxes import FoundBoxes
    from faceblur.jobs.storage import Photos

# A place whose intersection over union with a face's box is larger is that box, sent back by a client.
SAME = 0.9


@dataclass(frozen=True, slots=True)
class Choice:
    """A face by its `id`, a `place` in the photo, or both: then the face's box moves to the place.

    `style` holds the options of the job that differ for it.
    """

    id: int | None = None
    place: Box | None = None
    style: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """This choice as JSON carries it."""
        return {"id": self.id, "place": self.place.to_dict() if self.place else None, "style": dict(self.style)}

    @classmethod
    def from_dict(cls, choice: Mapping[str, Any]) -> Choice:
        """The choice that `to_dict` wrote."""
        return cls(choice["id"], Box.from_dict(choice["place"]) if choice["place"] else None, choice["style"])


@dataclass(frozen=True, slots=True)
class Decision:
    """Which faces stay visible and which are hidden. With `only`, nothing but `hide` is hidden."""

    keep: Sequence[Choice] = field(default_factory=list)
    hide: Sequence[Choice] = field(default_factory=list)
    only: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether it decides nothing."""
        return not (self.keep or self.hide or self.only)

    def to_dict(self) -> dict[str, Any]:
        """This decision as JSON carries it."""
        return {
            "keep": [choice.to_dict() for choice in self.keep],
            "hide": [choice.to_dict() for choice in self.hide],
            "only": self.only,
        }

    @classmethod
    def from_dict(cls, decision: Mapping[str, Any]) -> Decision:
        """The decision that `to_dict` wrote."""
        keep, hide = ([Choice.from_dict(choice) for choice in decision[name]] for name in ("keep", "hide"))
        return cls(keep, hide, decision["only"])


def decided(found: FoundBoxes, decision: Decision) -> FoundBoxes:
    """The boxes after a decision. Those that it does not name stay as they are, unless it is about these only.

    What it hides wins over what it keeps. Raises InvalidDecision if it names a face that the job does not have.
    """
    _check_ids(decision, len(found.boxes))
    boxes = [replace(each, hidden=False) for each in found.boxes] if decision.only else list(found.boxes)
    for choice in decision.keep:
        for index in _named(choice, boxes):
            boxes[index] = replace(boxes[index], hidden=False)
    for choice in decision.hide:
        _hide(choice, boxes)
    places = [choice.place for choice in decision.keep if choice.id is None and choice.place]
    kept_places = places if decision.only else [*found.kept_places, *places]
    return replace(found, boxes=boxes, kept_places=kept_places, only=decision.only)


def _check_ids(decision: Decision, faces: int) -> None:
    """Raise InvalidDecision if the decision names a face by an id that none of so many faces has."""
    for name, choices in (("keep", decision.keep), ("only" if decision.only else "hide", decision.hide)):
        for number, choice in enumerate(choices):
            if choice.id is not None and choice.id > faces:
                raise InvalidDecision(f"{name}.{number}: this job has no face with the id {choice.id}")


def _named(choice: Choice, boxes: Sequence[FoundBox]) -> list[int]:
    """The indices of the boxes that a choice names: by its id, or because they lie in its place."""
    if choice.id is not None:
        return [choice.id - 1]
    return [index for index, each in enumerate(boxes) if choice.place and each.box.share_in(choice.place) >= INSIDE]


def _hide(choice: Choice, boxes: list[FoundBox]) -> None:
    """Hide what a choice names. A place gets a box of its own, unless it is the box of a face."""
    named = _named(choice, boxes)
    for index in named:
        style = {**boxes[index].style, **choice.style}
        boxes[index] = replace(boxes[index], hidden=True, style=style)
    if choice.place is None:
        return
    if choice.id is not None:
        boxes[named[0]] = replace(boxes[named[0]], box=choice.place)
    elif not any(boxes[index].box.overlap(choice.place) > SAME for index in named):
        boxes.append(FoundBox(choice.place, 0, style=choice.style))


def store_decision(key: str, decision: Decision, photos: Photos) -> None:
    """Store a decision about faces that are not found yet, under the key that the job's row names."""
    photos.write_decision(key, decision.to_dict())


def load_decision(key: str, photos: Photos) -> Decision:
    """Load the decision that `store_decision` stored. Raises JobNotFound if it was erased."""
    return Decision.from_dict(photos.read_decision(key))
