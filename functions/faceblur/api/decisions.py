"""Validates the decision in a request: what is hidden, and what stays visible."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from faceblur.errors import InvalidDecision
from faceblur.geometry import DECIMALS, Box
from faceblur.jobs.boxes import PERSON
from faceblur.jobs.decisions import Choice, Decision
from faceblur.limits import MAX_BOXES, MAX_RATIO, Kind
from faceblur.options import ColourField, PaddingField, ShapeField, StrengthField, StyleField, explain

FIELDS = ("keep", "hide", "only")

# The longest side of a rectangle, as a fraction of the photo's width or height. A turned rectangle may lie along the
# photo's longer side, or across its corners, while its width is measured by the shorter side. Its middle lies in the
# photo, so half of it may lie outside.
LONGEST = 2 * MAX_RATIO
Edge = Annotated[float, Field(ge=-LONGEST / 2, le=1)]
Extent = Annotated[float, Field(ge=10**-DECIMALS, le=LONGEST)]


class Strict(BaseModel):
    """Fields that may be missing, but not null."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _check_null(cls, fields: Any) -> Any:
        if isinstance(fields, dict) and (nulls := [str(name) for name, value in fields.items() if value is None]):
            raise ValueError(f"null is no value; leave {', '.join(nulls)} out")
        return fields


class _Entry(Strict):
    """A box, named by its id, or a place with its kind, named by a rectangle in fractions of the upright photo."""

    id: Annotated[int | None, Field(ge=1)] = None
    left: Edge | None = None
    top: Edge | None = None
    width: Extent | None = None
    height: Extent | None = None
    roll: Annotated[float, Field(ge=-180, le=180)] = 0.0
    kind: Kind | None = None

    @model_validator(mode="after")
    def _check_rectangle(self) -> _Entry:
        sides = [side is None for side in (self.left, self.top, self.width, self.height)]
        if any(sides) and not all(sides):
            raise ValueError("a rectangle needs left, top, width and height")
        if all(sides) and self.id is None:
            raise ValueError("name a box by its id, or a place by left, top, width and height")
        place, rounding = self.place(), 10**-DECIMALS
        if place and not all(
            -rounding <= middle <= 1 + rounding
            for middle in (place.left + place.width / 2, place.top + place.height / 2)
        ):
            raise ValueError("the middle of a rectangle lies in the photo")
        return self

    @model_validator(mode="after")
    def _check_kind(self) -> _Entry:
        if self.kind is not None and self.id is not None:
            raise ValueError("a box with an id has its kind already; leave kind out")
        return self

    def place(self) -> Box | None:
        """The rectangle as a box that a person drew; None if there is none."""
        if self.left is None or self.top is None or self.width is None or self.height is None:
            return None
        kind = self.kind or "face"
        return Box(self.left, self.top, self.width, self.height, 100.0, PERSON, self.roll, turned=True, kind=kind)


class _ToKeep(_Entry):
    """A box, named by its id, or all boxes of one kind that lie in a rectangle."""

    @model_validator(mode="after")
    def _check_either(self) -> _ToKeep:
        if self.id is not None and self.left is not None:
            raise ValueError("name a box by its id, or a place by a rectangle, not both")
        return self

    def choice(self) -> Choice:
        return Choice(self.id, self.place())


class _ToHide(_Entry):
    """A box, a place with its kind, or a box that moves to a place; and the options for hiding it."""

    style: StyleField | None = None
    shape: ShapeField | None = None
    padding: PaddingField | None = None
    strength: StrengthField | None = None
    colour: ColourField | None = None

    def choice(self) -> Choice:
        names = {"style", "shape", "padding", "strength", "colour"}
        return Choice(self.id, self.place(), self.model_dump(include=names, exclude_none=True))


class _Fields(Strict):
    """The decision of a request."""

    keep: Annotated[list[_ToKeep], Field(max_length=MAX_BOXES)] = []
    hide: Annotated[list[_ToHide], Field(max_length=MAX_BOXES)] = []
    only: Annotated[list[_ToHide] | None, Field(max_length=MAX_BOXES)] = None

    @model_validator(mode="after")
    def _check_only(self) -> _Fields:
        if "only" in self.model_fields_set and self.model_fields_set & {"keep", "hide"}:
            raise ValueError("only cannot be combined with keep or hide")
        return self


def split_fields(fields: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options and the decision in the fields of a request."""
    decision = {name: value for name, value in fields.items() if name in FIELDS}
    return {name: value for name, value in fields.items() if name not in FIELDS}, decision


def parse_decision(fields: dict[str, Any], *, ids: bool) -> Decision:
    """The decision in these fields. Without `ids`, no box may be named by its id, because the boxes are not known.

    Raises InvalidDecision, whose message names the first ten invalid fields.
    """
    try:
        parsed = _Fields.model_validate(fields)
    except ValidationError as error:
        raise InvalidDecision(explain(error, "unknown field")) from None
    only = parsed.only is not None
    keep = [entry.choice() for entry in parsed.keep]
    hide = [entry.choice() for entry in (parsed.only if parsed.only is not None else parsed.hide)]
    if not ids and any(choice.id is not None for choice in [*keep, *hide]):
        raise InvalidDecision(
            "The boxes of this job are not known yet, so they have no ids. Name places by rectangles."
        )
    return Decision(keep, hide, only)
