"""No state can outgrow what Step Functions holds. No catcher catches `States.DataLimitExceeded`, so it must not happen.

The largest values are made from the contracts. Every text in them is one of ours or is cut by us: the longest are the
versions of the networks and the names of a file's parts, which are far below LONGEST characters.
"""

from __future__ import annotations

import json
from typing import Any, get_type_hints

import pytest
from PIL import TiffTags

from faceblur import contracts
from faceblur.detectors.warnings import WarningCode
from faceblur.limits import KINDS
from faceblur.options import JobOptions
from faceblur.photo.metadata import MOST_NAMED
from tests.support.sources import state_machine

STATES = state_machine()["States"]
# "Task or state input and output" in the service quotas of Step Functions, in bytes of UTF-8.
LIMIT = 256 * 1024
# The longest `cause` in the API reference of Step Functions, in characters.
LONGEST_CAUSE = 32_768
LONGEST = 1_000
TEXT, NUMBER = "x" * LONGEST, -1.7976931348623157e308
CHECKS = 5


def size(value: Any) -> int:
    """The bytes that a value takes as JSON."""
    return len(json.dumps(value, ensure_ascii=False).encode())


def largest(contract: Any, **values: Any) -> dict[str, Any]:
    """A payload of this contract in which every text and number is as long as can be, with these values of others."""
    texts = {str: TEXT, int: NUMBER}
    return {name: values[name] if name in values else texts[hint] for name, hint in get_type_hints(contract).items()}


def longest_option(schema: dict[str, Any]) -> Any:
    """The value of an option that takes most bytes."""
    if "enum" in schema:
        return max(schema["enum"], key=len)
    if schema["type"] == "array":
        return schema["items"]["enum"]
    return {"string": TEXT, "boolean": False}.get(schema["type"], NUMBER)


OPTIONS = {name: longest_option(schema) for name, schema in JobOptions.model_json_schema()["properties"].items()}
WARNINGS = list(WarningCode)
COUNTS = dict.fromkeys(KINDS, NUMBER)
BOXES = largest(contracts.StoredBoxes)
DRAFT = largest(contracts.Draft, stripped=[TEXT] * MOST_NAMED, kept_metadata=OPTIONS["keep_metadata"])
# A detection and a draft, then as many checks as there may be, each followed by another draft. All but the detection
# comes once more after the decision of a person.
STAGES = [largest(contracts.Stage, found=COUNTS)] * (1 + 2 * (1 + 2 * CHECKS))
RESULT = {
    "job_id": TEXT,
    "execution": TEXT,
    "options": OPTIONS,
    "boxes": BOXES,
    "check_rounds": NUMBER,
    "reviewed": False,
    "warnings": WARNINGS,
    "draft": DRAFT,
    "stages": STAGES,
}
OUTCOME = {name: value for name, value in RESULT.items() if name != "stages"} | {"receipt": TEXT}
OUTCOME |= {"hidden": COUNTS, "kept": COUNTS}
# A job that is done again, as DynamoDB returns it. Its other fields are short; there are fewer than 50.
ROW = {
    "options": {"S": json.dumps(OPTIONS)},
    "outcome": {"S": json.dumps(OUTCOME)},
    "error": {"M": {"code": {"S": TEXT}, "message": {"S": TEXT}}},
} | {f"field {number}": {"S": TEXT} for number in range(50)}


@pytest.mark.parametrize(
    "state",
    [
        pytest.param(RESULT, id="all that is known, which goes to complete_job"),
        pytest.param({"Payload": {"draft": DRAFT, "stage": STAGES[0]}}, id="a draft"),
        pytest.param({"Payload": {"boxes": BOXES, "warnings": WARNINGS, "stage": STAGES[0]}}, id="a detection"),
        pytest.param({"Attributes": ROW}, id="a claimed row"),
        # Each character of a cause takes six bytes at most, as \u0000 does.
        pytest.param({"Error": TEXT, "Cause": "\0" * LONGEST_CAUSE}, id="an error"),
    ],
)
def test_the_largest_state_is_well_below_the_limit(state: dict[str, Any]) -> None:
    # What AWS adds to an answer, such as its headers, takes a few KB.
    assert size(state) < LIMIT - 16 * 1024


def test_what_goes_to_complete_job_is_all_that_an_execution_gathers() -> None:
    assert RESULT.keys() == STATES["Record the result"]["Arguments"]["Payload"].keys()


def test_there_are_as_many_checks_as_assumed() -> None:
    last = STATES["Was this the last round?"]
    assert all(f"$round >= {CHECKS}" in choice["Condition"] for choice in last["Choices"])


def test_the_names_of_tags_are_short() -> None:
    """TIFF has the longest names of what a photo loses; those of other formats are chunks' names, or ours."""
    assert max(len(tag.name) for tag in TiffTags.TAGS_V2.values()) < LONGEST / 10
