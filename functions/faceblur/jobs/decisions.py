"""Decisions about what is hidden, and how they change the boxes of a job.

The decision that comes with a new job lies in S3, beside the boxes, until the photo is searched.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from faceblur.errors import InvalidDecision
from faceblur.geometry import Box, BoxIndex
from faceblur.jobs.boxes import INSIDE, PERSON, FoundBox, is_kept_by

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from faceblur.jobs.boxes import FoundBoxes
    from faceblur.jobs.storage import Photos

# If a place and a box have a larger intersection over union than this, the place is that box, sent back by a client.
SAME = 0.9


@dataclass(frozen=True, slots=True)
class Choice:
    """A box by its `id`, a `place` in the photo, or both: then the box moves to the place.

    `style` holds the options of the job that differ for it.
    """

    id: int | None = None
    place: Box | None = None
    style: Mapping[str, Any] = field(default_factory=dict)

    def in_photo(self, ratio: float) -> Choice:
        """This choice in a photo of this ratio."""
        return replace(self, place=replace(self.place, ratio=ratio)) if self.place else self

    def to_dict(self) -> dict[str, Any]:
        """This choice as JSON carries it."""
        return {"id": self.id, "place": self.place.to_dict() if self.place else None, "style": dict(self.style)}

    @classmethod
    def from_dict(cls, choice: Mapping[str, Any]) -> Choice:
        """The choice that `to_dict` wrote."""
        return cls(choice["id"], Box.from_dict(choice["place"]) if choice["place"] else None, choice["style"])


@dataclass(frozen=True, slots=True)
class Decision:
    """What stays visible and what is hidden. With `only`, nothing but `hide` is hidden."""

    keep: Sequence[Choice] = field(default_factory=list)
    hide: Sequence[Choice] = field(default_factory=list)
    only: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether it decides nothing."""
        return not (self.keep or self.hide or self.only)

    def in_photo(self, ratio: float) -> Decision:
        """This decision about a photo of this ratio (`Box.ratio`), which tells where its turned places lie."""
        keep, hide = ([each.in_photo(ratio) for each in choices] for choices in (self.keep, self.hide))
        return replace(self, keep=keep, hide=hide)

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
    """The boxes after a decision. Boxes that it does not name stay as they are; with `only` they become visible.

    What this decision hides is hidden, even if this or an earlier decision keeps it. Raises InvalidDecision if the
    decision names a box that the job does not have.
    """
    if decision.is_empty:
        return found
    _check_ids(decision, len(found.boxes))
    decision = decision.in_photo(found.ratio)
    boxes = _Boxes(found.boxes)
    if decision.only:
        boxes.show_all()
    for choice in decision.keep:
        boxes.show(choice)
    for choice in decision.hide:
        boxes.hide(choice)
    earlier = [] if decision.only else [place for place in found.kept_places if not boxes.hid_in(place)]
    places = [choice.place for choice in decision.keep if choice.id is None and choice.place]
    kept_places = [*earlier, *places, *boxes.shown_drawings]
    return replace(found, boxes=boxes.boxes, kept_places=kept_places, only=decision.only)


def _check_ids(decision: Decision, boxes: int) -> None:
    """Raise InvalidDecision if the decision names an id above the number of boxes."""
    for name, choices in (("keep", decision.keep), ("only" if decision.only else "hide", decision.hide)):
        for number, choice in enumerate(choices):
            if choice.id is not None and choice.id > boxes:
                raise InvalidDecision(f"{name}.{number}: this job has no box with the id {choice.id}")


class _Boxes:
    """The boxes of a job while a decision changes them."""

    def __init__(self, boxes: Sequence[FoundBox]) -> None:
        self.boxes = list(boxes)
        self.shown_drawings: list[Box] = []
        self._hidden_now = BoxIndex()
        self._numbers = {id(each.box): number for number, each in enumerate(boxes)}
        self._index = BoxIndex(each.box for each in boxes)

    def show_all(self) -> None:
        self.boxes = [replace(each, hidden=False) for each in self.boxes]

    def show(self, choice: Choice) -> None:
        """Show what a choice names. A place names only boxes of its own kind.

        If a person drew a box and shows it again, its place is kept too, so that no check hides what lies there.
        """
        for number in self._named(choice):
            found = self.boxes[number]
            if choice.place and not is_kept_by(choice.place, found.box):
                continue
            self.boxes[number] = replace(found, hidden=False, named=True)
            if found.box.found_by == PERSON:
                self.shown_drawings.append(found.box)

    def hide(self, choice: Choice) -> None:
        """Hide what a choice names. A place gets a box of its own, unless it is an existing box."""
        named = self._named(choice)
        for number in named:
            found = self.boxes[number]
            self._hidden_now.add(found.box)
            self.boxes[number] = replace(found, hidden=True, style={**found.style, **choice.style}, named=True)
        if choice.place is None:
            return
        if choice.id is not None:
            self._move(named[0], choice.place)
        elif not any(self._is_same(number, choice.place) for number in named):
            self.boxes.append(FoundBox(choice.place, 0, style=choice.style, named=True))

    def hid_in(self, place: Box) -> bool:
        """Whether the decision hides something that this place keeps."""
        return any(is_kept_by(place, box) for box in self._hidden_now.near(place))

    def _named(self, choice: Choice) -> list[int]:
        """The numbers of the boxes that a choice names: by its id, or because they lie in its place."""
        if choice.id is not None:
            return [choice.id - 1]
        if choice.place is None:
            return []
        near = [box for box in self._index.near(choice.place) if box.share_in(choice.place) >= INSIDE]
        return sorted(self._numbers[id(box)] for box in near)

    def _is_same(self, number: int, place: Box) -> bool:
        """Whether the place is the box with this number, sent back by a client. Then both are of the same kind."""
        box = self.boxes[number].box
        return box.kind == place.kind and box.overlap(place) > SAME

    def _move(self, number: int, place: Box) -> None:
        """Move a box to another place. It keeps its detector."""
        found = self.boxes[number]
        box = replace(place, found_by=found.box.found_by, confidence=found.box.confidence, kind=found.box.kind)
        self.boxes[number] = replace(found, box=box)


def store_decision(key: str, decision: Decision, photos: Photos) -> None:
    """Store a decision about a photo that is not searched yet, under the key that the job's row names."""
    photos.write_json(key, decision.to_dict())


def load_decision(key: str, photos: Photos) -> Decision:
    """Load the decision that `store_decision` stored. Raises JobNotFound if it was erased."""
    return Decision.from_dict(photos.read_json(key))
