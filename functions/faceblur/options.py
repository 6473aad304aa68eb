"""The options of a job: names, ranges and defaults."""

from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from faceblur.errors import InvalidOptions
from faceblur.limits import (
    DEFAULT_CONFIDENCE,
    DEFAULT_PADDING,
    KINDS,
    MAX_HOURS_KEPT,
    MAX_STRENGTH,
    MIN_PADDING,
    MIN_STRENGTH,
    Kind,
    MetadataKind,
    OutputFormat,
    Shape,
    StyleKind,
)


def _as_integer(value: Any) -> Any:
    """Convert 2.0 to 2, because JSON does not distinguish them."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _without_repetition(values: list[Any]) -> list[Any]:
    if len(values) > len(set(values)):
        raise ValueError("each may be named once")
    return values


StyleField = Annotated[
    StyleKind,
    Field(description="How something is hidden: softly blurred, pixelated, or covered in one colour."),
]
ShapeField = Annotated[
    Shape,
    Field(description="Outline of a hidden face: an oval that follows the head, a rounded box, or a box."),
]
PaddingField = Annotated[
    float,
    Field(
        ge=MIN_PADDING,
        le=1.0,
        description=(
            "What is hidden around a face, on each side, as a fraction of the face's width and height; around a plate "
            "or a text, of its height."
        ),
    ),
]
StrengthField = Annotated[
    int,
    Field(
        ge=MIN_STRENGTH,
        le=MAX_STRENGTH,
        description="How strongly blur and pixelate hide. Even the lowest strength cannot be undone.",
    ),
    BeforeValidator(_as_integer),
]
ColourField = Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$", description="Colour of the solid style, as #rrggbb.")]


class JobOptions(BaseModel):
    """The options of a job, as `POST /jobs` takes them."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    kinds: Annotated[
        list[Kind],
        Field(
            min_length=1,
            max_length=len(KINDS),
            description="What is found and hidden: faces, number plates, and any other text.",
            json_schema_extra={"uniqueItems": True},
        ),
        AfterValidator(_without_repetition),
    ] = ["face"]
    style: StyleField = "blur"
    shape: ShapeField = "ellipse"
    padding: PaddingField = DEFAULT_PADDING
    strength: StrengthField = MIN_STRENGTH
    colour: ColourField = "#000000"
    min_confidence: Annotated[
        float,
        Field(ge=0, le=100, description="How sure the detector must be. A lower value finds more."),
    ] = DEFAULT_CONFIDENCE
    output: Annotated[
        OutputFormat,
        Field(description="File format of the result; `same` keeps the photo's own."),
    ] = "same"
    keep_metadata: Annotated[
        list[MetadataKind],
        Field(
            max_length=len(get_args(MetadataKind)),
            description=(
                "Kinds of metadata that the result keeps, if the photo has them; each is written afresh, and "
                "everything else is left out."
            ),
            json_schema_extra={"uniqueItems": True},
        ),
        AfterValidator(_without_repetition),
    ] = []
    on_nothing_found: Annotated[
        Literal["complete", "fail"],
        Field(description="Whether a photo in which nothing is found completes or fails the job."),
    ] = "complete"
    on_truncated: Annotated[
        Literal["complete", "fail"],
        Field(description="Whether a photo in which pixels are missing completes or fails the job."),
    ] = "fail"
    require_all_detectors: Annotated[
        bool,
        Field(
            description="Whether the job fails if one of two detectors stays unavailable, or goes on with the other."
        ),
    ] = True
    keep_original: Annotated[
        int,
        Field(
            ge=0,
            le=MAX_HOURS_KEPT,
            description=(
                "How many hours the uploaded photo is kept after its result is checked, so that the job can be done "
                "again."
            ),
        ),
        BeforeValidator(_as_integer),
    ] = 0
    review: Annotated[
        Literal["never", "always", "when_unsure"],
        Field(description="Whether a person decides what is hidden before the result is published."),
    ] = "never"


# These limits keep the answer short.
_MOST_NAMED, _LONGEST_NAME = 10, 40


def parse_options(fields: dict[str, Any]) -> JobOptions:
    """Validate the fields of a request. Raises InvalidOptions, whose message names the first ten invalid fields."""
    try:
        return JobOptions.model_validate(fields)
    except ValidationError as error:
        unknown = f"unknown option; known are {', '.join(JobOptions.model_fields)}"
        raise InvalidOptions(explain(error, unknown)) from None


def explain(error: ValidationError, unknown: str) -> str:
    """The message about a request's first ten invalid fields. `unknown` is the text for a field that is not known."""
    named = [_sentence(detail, unknown) for detail in error.errors()[:_MOST_NAMED]]
    more = error.error_count() - len(named)
    return "; ".join([*named, f"and {more} more"] if more else named)


def _sentence(detail: Any, unknown: str) -> str:
    field = ".".join(str(part) for part in detail["loc"])[:_LONGEST_NAME]
    if detail["type"] == "extra_forbidden":
        return f"{field}: {unknown}"
    message = detail["msg"].removeprefix("Value error, ")
    return f"{field}: {message[0].lower()}{message[1:]}" if field else message
