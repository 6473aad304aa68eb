"""What the web page repeats of the API: names, defaults and limits. It is in TypeScript and cannot import them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from faceblur.detectors.warnings import WarningCode
from faceblur.jobs.table import STAGES
from faceblur.options import JobOptions
from faceblur_cli import project

PAGE = project.ROOT / "frontend" / "src"
OPTIONS = JobOptions.model_json_schema()["properties"]


def declared(path: str, name: str) -> str:
    """What a file of the page declares under this name: the text between the outer brackets."""
    text = (PAGE / path).read_text()
    found = re.search(rf"\b{name}(?:: \w+)?(?: =|:) [{{[](.*?)[}}\]](?:;|,\n| as )", text, re.DOTALL)
    assert found, name
    return found[1]


def fields(text: str) -> dict[str, Any]:
    return {name: json.loads(value) for name, value in re.findall(r"(\w+): ([^,\s]+)", text)}


def names(text: str) -> list[str]:
    return re.findall(r'"(\w+)"', text)


def test_the_defaults_are_those_of_the_api() -> None:
    defaults = fields(declared("features/options/options.ts", "DEFAULTS"))
    assert defaults.pop("reduce") is False  # the page's own
    assert defaults == {name: OPTIONS[name]["default"] for name in defaults}


@pytest.mark.parametrize(("choices", "option"), [("STYLES", "style"), ("SHAPES", "shape"), ("OUTPUTS", "output")])
def test_the_choices_are_those_of_the_api(choices: str, option: str) -> None:
    assert names(declared("features/options/options.ts", choices)) == OPTIONS[option]["enum"]


@pytest.mark.parametrize(
    ("limits", "option"), [("PADDING", "padding"), ("STRENGTH", "strength"), ("CONFIDENCE", "min_confidence")]
)
def test_the_limits_are_those_of_the_api(limits: str, option: str) -> None:
    slider, schema = fields(declared("features/options/options.ts", limits)), OPTIONS[option]
    assert (slider["min"], slider["max"]) == (schema["minimum"], schema["maximum"])
    steps = (schema["default"] - slider["min"]) / slider["step"]
    assert steps == pytest.approx(round(steps)), "the slider cannot stand at the default"


def test_the_stages_are_those_of_a_job() -> None:
    assert names(declared("features/jobs/job.ts", "STAGES")) == [*STAGES, "finished"]


def test_every_warning_has_a_sentence() -> None:
    assert set(re.findall(r"^    (\w+):", declared("texts.ts", "warnings"), re.MULTILINE)) == set(WarningCode)
