"""The boxes files in S3: the function `detect` writes all boxes found so far in a job, and `hide` reads them.

A file also holds the digest of the photo, so that boxes of one photo are never hidden in another. And it holds what a
decision says about later findings. The workflow's state carries only the key and the count of the boxes (`contracts`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from faceblur.detectors.base import DetectionPass
from faceblur.detectors.confidence import unsure
from faceblur.errors import TooMuchToHide
from faceblur.geometry import Box, BoxIndex, count_kinds
from faceblur.jobs.storage import withdraw_if_late
from faceblur.limits import MAX_BOXES
from faceblur.photo.styles import Region, style_of, wrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from faceblur.contracts import StoredBoxes
    from faceblur.jobs.storage import Photos
    from faceblur.jobs.table import Jobs
    from faceblur.limits import Kind

# `found_by` and the round of a box that a person drew.
PERSON = "person"
# A box lies in a place if at least this share of the box does.
INSIDE = 0.6
# Boxes of the same thing by two detectors have a larger intersection over union.
OVERLAP = 0.3
# The kinds that are lines of text. A plate's box is enlarged from its letters, which may be only 0.47 of it.
READ: set[Kind] = {"plate", "text"}
SAME_LINE = 0.4


@dataclass(frozen=True, slots=True)
class FoundBox:
    """A box and the round that found it: 0 is the first pass, 1…5 are the checks.

    A box that is not `hidden` stays visible by a decision. `style` holds the options of the job that differ for this
    box. `named` tells whether a decision named it. A new detection must not lose a named box.
    """

    box: Box
    round: int
    hidden: bool = True
    style: Mapping[str, Any] = field(default_factory=dict)
    named: bool = False

    @property
    def is_kept(self) -> bool:
        """Whether a detector found it and a decision keeps it visible."""
        return not self.hidden and self.box.found_by != PERSON

    def to_dict(self, id_: int) -> dict[str, Any]:
        """This box, under this id, as JSON carries it."""
        found_in = DetectionPass.CHECK if self.round else DetectionPass.FIRST
        told = {
            "id": id_,
            **self.box.to_dict(),
            "found_in": PERSON if self.box.found_by == PERSON else found_in,
            "round": self.round,
            "hidden": self.hidden,
        }
        if self.named:
            told["named"] = True
        if self.style:
            told["hidden_with"] = dict(self.style)
        return told

    @classmethod
    def from_dict(cls, box: Mapping[str, Any], ratio: float = 1.0) -> FoundBox:
        """The box that `to_dict` wrote, in a photo of this ratio."""
        return cls(
            Box.from_dict(box, ratio), box["round"], box["hidden"], box.get("hidden_with", {}), box.get("named", False)
        )


@dataclass(frozen=True, slots=True)
class FoundBoxes:
    """All boxes found so far, in their order, and the digest (`storage.digest`) of the upload.

    A box's id is its number in this order, from 1. `wraps` says that the photo's right edge continues at its left edge;
    a draft may have lost that metadata. `ratio` is the photo's width divided by its height (`Box.ratio`). A later
    finding stays visible if it lies in one of the `kept_places` and is of the same kind. With `only`, all later
    findings stay visible.
    """

    photo: Mapping[str, Any]
    boxes: Sequence[FoundBox]
    kept_places: Sequence[Box] = field(default_factory=list)
    only: bool = False
    wraps: bool = False
    ratio: float = 1.0

    @property
    def hidden(self) -> dict[Kind, int]:
        """The number of hidden boxes of each kind."""
        return count_kinds(each.box for each in self.boxes if each.hidden)

    @property
    def kept(self) -> dict[Kind, int]:
        """The number of boxes of each kind that stay visible by a decision."""
        return count_kinds(each.box for each in self.boxes if each.is_kept)

    @property
    def unsure(self) -> int:
        """The number of hidden boxes of which the detector was not sure, and which no decision names."""
        return unsure([each.box for each in self.boxes if each.hidden and not each.named])

    def plus(self, boxes: Sequence[Box], round_: int) -> FoundBoxes:
        """All these boxes and the boxes of another round."""
        return replace(self, boxes=[*self.boxes, *(FoundBox(box, round_) for box in boxes)])

    def regions(self, options: Mapping[str, Any]) -> list[Region]:
        """The regions to hide in a job with these options.

        In a photo that wraps around, a region that reaches beyond the left or right edge is repeated at the other edge.
        """
        regions = [Region(each.box, style_of({**options, **each.style})) for each in self.boxes if each.hidden]
        return [*regions, *(part for region in regions for part in wrapped(region))] if self.wraps else regions

    def keeper(self) -> Callable[[Box], bool]:
        """A function that tells whether a box found by a check stays visible by a decision.

        Two detectors place the same thing differently. So the box counts as the known box of its kind that overlaps it
        most. Other kinds in a kept box are hidden, such as the text on a kept face. But a text may be a known plate,
        and a plate a known text.
        """
        known = {id(each.box): each for each in self.boxes}
        boxes, places = BoxIndex(each.box for each in self.boxes), BoxIndex(self.kept_places)

        def keeps(box: Box) -> bool:
            near = (place for place in places.near(box) if may_be_same(place, box))
            if self.only or any(box.share_in(place) >= INSIDE for place in near):
                return True
            alike = (each for each in boxes.near(box) if may_be_same(each, box))
            nearest = max(alike, key=box.overlap, default=None)
            return nearest is not None and known[id(nearest)].is_kept and nearest.overlap(box) > OVERLAP

        return keeps

    def to_dict(self) -> dict[str, Any]:
        """These boxes for JSON."""
        return {
            "photo": self.photo,
            "boxes": [each.to_dict(id_) for id_, each in enumerate(self.boxes, 1)],
            "kept_places": [place.to_dict() for place in self.kept_places],
            "only": self.only,
            "wraps": self.wraps,
            "ratio": self.ratio,
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> FoundBoxes:
        """The boxes that `to_dict` wrote."""
        ratio = content["ratio"]
        return cls(
            content["photo"],
            [FoundBox.from_dict(box, ratio) for box in content["boxes"]],
            [Box.from_dict(place, ratio) for place in content["kept_places"]],
            content["only"],
            content["wraps"],
            ratio,
        )


def is_kept_by(place: Box, box: Box) -> bool:
    """Whether a kept place keeps this box visible: the box lies in the place, and is of its kind."""
    return place.kind == box.kind and box.share_in(place) >= INSIDE


def may_be_same(one: Box, other: Box) -> bool:
    """Whether two boxes may show the same thing, as far as their kinds tell.

    One detection may classify a line as text, and the next one as a plate. Then the boxes overlap closely.
    """
    return one.kind == other.kind or ({one.kind, other.kind} == READ and one.overlap(other) > SAME_LINE)


def store_boxes(job_id: str, found: FoundBoxes, jobs: Jobs, photos: Photos) -> StoredBoxes:
    """Store all boxes found so far.

    Raises TooMuchToHide if a job cannot hide that many. Raises JobNotFound, and leaves nothing, if the job is no longer
    being processed.
    """
    if len(found.boxes) > MAX_BOXES:
        raise TooMuchToHide
    key = photos.write_boxes(job_id, found.to_dict())
    withdraw_if_late(key, job_id, jobs, photos)
    return {"key": key, "count": sum(found.hidden.values())}


def load_boxes(stored: StoredBoxes, photos: Photos) -> FoundBoxes:
    """Load the boxes that `store_boxes` stored. Raises JobNotFound if they were erased."""
    return FoundBoxes.from_dict(photos.read_json(stored["key"]))
