from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceblur.api.http import fields_of
from faceblur.detectors.base import DetectionPass
from faceblur.detectors.confidence import confidence_for
from faceblur.errors import InvalidOptions
from faceblur.limits import DEFAULT_PADDING, MIN_PADDING, MIN_STRENGTH
from faceblur.options import JobOptions, parse_options
from faceblur.photo.styles import rgb


def refusal(fields: dict[str, object]) -> str:
    with pytest.raises(InvalidOptions) as caught:
        parse_options(fields)
    return caught.value.message


def test_the_defaults():
    assert parse_options({}).model_dump() == {
        "kinds": ["face"],
        "style": "blur",
        "shape": "ellipse",
        "padding": DEFAULT_PADDING,
        "strength": MIN_STRENGTH,
        "colour": "#000000",
        "min_confidence": 50.0,
        "output": "same",
        "keep_metadata": [],
        "on_nothing_found": "complete",
        "on_truncated": "fail",
        "require_all_detectors": True,
        "keep_original": 0,
        "review": "never",
    }


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("kinds", [["face"], ["plate", "text"], ["text", "face", "plate"]]),
        ("style", ["blur", "pixelate", "solid"]),
        ("shape", ["ellipse", "rounded", "box"]),
        ("output", ["same", "jpeg", "png", "webp", "avif"]),
        ("keep_metadata", [[], ["credit"], ["time", "position", "camera", "credit", "panorama"]]),
        ("on_nothing_found", ["complete", "fail"]),
        ("on_truncated", ["complete", "fail"]),
        ("require_all_detectors", [True, False]),
        ("keep_original", [0, 20, 3.0]),
        ("review", ["never", "always", "when_unsure"]),
        ("colour", ["#000000", "#ffffff", "#FFFFFF", "#12aB9f"]),
        ("padding", [MIN_PADDING, 0.5, 1, 1.0]),
        ("strength", [1, 2, 3, 2.0]),
        ("min_confidence", [0, 0.0, 50, 100]),
    ],
)
def test_what_is_allowed(name, allowed):
    assert [getattr(parse_options({name: value}), name) for value in allowed] == allowed


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("kinds", [], "at least 1 item"),
        ("kinds", ["face", "face"], "each may be named once"),
        ("kinds", "face", "valid list"),
        ("style", "Blur", "'blur', 'pixelate' or 'solid'"),
        ("style", ["blur"], "'blur', 'pixelate' or 'solid'"),
        ("style", None, "'blur', 'pixelate' or 'solid'"),
        ("shape", "circle", "'ellipse', 'rounded' or 'box'"),
        ("output", "gif", "'same', 'jpeg', 'png', 'webp' or 'avif'"),
        ("output", "JPEG", "'same', 'jpeg', 'png', 'webp' or 'avif'"),
        ("colour", "red", "'^#[0-9a-fA-F]{6}$'"),
        ("colour", "#fff", "'^#[0-9a-fA-F]{6}$'"),
        ("colour", "000000", "'^#[0-9a-fA-F]{6}$'"),
        ("colour", "#0000000", "'^#[0-9a-fA-F]{6}$'"),
        ("colour", "#00000g", "'^#[0-9a-fA-F]{6}$'"),
        ("colour", "#000000\n", "'^#[0-9a-fA-F]{6}$'"),
        ("colour", "#٠٠٠٠٠٠", "'^#[0-9a-fA-F]{6}$'"),
        ("colour", 0, "valid string"),
        ("colour", None, "valid string"),
        ("keep_metadata", "credit", "valid list"),
        ("keep_metadata", ["time", "time"], "each may be named once"),
        ("on_nothing_found", True, "'complete' or 'fail'"),
        ("on_truncated", "ignore", "'complete' or 'fail'"),
        ("keep_original", True, "valid integer"),
        ("keep_original", -1, "greater than or equal to 0"),
        ("keep_original", 21, "less than or equal to 20"),
        ("keep_original", 0.5, "valid integer"),
        ("review", True, "'never', 'always' or 'when_unsure'"),
        ("require_all_detectors", "no", "valid boolean"),
        ("require_all_detectors", None, "valid boolean"),
        ("padding", MIN_PADDING - 0.001, f"greater than or equal to {MIN_PADDING}"),
        ("padding", 1.01, "less than or equal to 1"),
        ("padding", float("nan"), "less than or equal to 1"),
        ("padding", float("inf"), "less than or equal to 1"),
        ("padding", 10**400, "valid number"),
        ("padding", "0.2", "valid number"),
        ("padding", True, "valid number"),
        ("strength", 0, "greater than or equal to 1"),
        ("strength", 4, "less than or equal to 3"),
        ("strength", 1.5, "valid integer"),
        ("strength", "2", "valid integer"),
        ("strength", True, "valid integer"),
        ("min_confidence", -1, "greater than or equal to 0"),
        ("min_confidence", 100.5, "less than or equal to 100"),
    ],
)
def test_a_refusal_names_the_field_and_what_is_allowed(name, value, says):
    message = refusal({name: value})
    assert message.startswith(f"{name}: ")
    assert says in message


def test_a_refusal_of_an_unknown_option_names_those_that_are_known():
    message = refusal({"color": "red"})
    assert message == f"color: unknown option; known are {', '.join(JobOptions.model_fields)}"


def test_a_refusal_is_short_for_any_request():
    with pytest.raises(InvalidOptions) as many:
        parse_options({f"option{number}": 1 for number in range(10_000)})
    assert many.value.message.endswith("; and 9990 more")
    with pytest.raises(InvalidOptions) as long:
        parse_options({"x" * 1_000_000: 1})
    assert max(len(many.value.message), len(long.value.message)) < 3000


def test_a_refusal_names_every_wrong_field():
    message = refusal({"padding": 7, "style": "mosaic", "colour": "red", "color": "red"})
    names = [part.split(":")[0] for part in message.split("; ") if ":" in part]
    assert names == ["style", "padding", "colour", "color"]


values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=3,
)


@given(st.dictionaries(st.sampled_from(sorted(JobOptions.model_fields)) | st.text(), values, max_size=3))
def test_all_fields_are_either_refused_or_in_range(fields):
    try:
        options = parse_options(fields)
    except InvalidOptions:
        return
    assert set(fields) <= set(JobOptions.model_fields)
    assert MIN_PADDING <= options.padding <= 1
    assert 0 <= options.min_confidence <= 100
    assert all(0 <= level <= 255 for level in rgb(options.colour))
    assert parse_options(json.loads(json.dumps(options.model_dump()))) == options


def test_a_refusal_names_the_kinds_of_metadata():
    message = refusal({"keep_metadata": ["time", "serial"]})
    assert message == ("keep_metadata.1: input should be 'time', 'position', 'camera', 'credit' or 'panorama'")


def test_the_default_confidence_is_that_which_a_check_never_goes_below():
    assert JobOptions().min_confidence == confidence_for(DetectionPass.CHECK, 0)


@pytest.mark.parametrize("body", [None, "", "{}"])
def test_a_request_without_fields(body):
    assert fields_of(body) == {}


@pytest.mark.parametrize("body", ["{", "padding=1", '{"padding": }', "[" * 100_000, "1" * 5_000])
def test_a_body_that_is_no_json(body):
    with pytest.raises(InvalidOptions, match="not valid JSON"):
        fields_of(body)


@pytest.mark.parametrize("body", ["[]", "null", "1", '"blur"', "true"])
def test_a_body_that_is_no_object(body):
    with pytest.raises(InvalidOptions, match="must be a JSON object"):
        fields_of(body)
