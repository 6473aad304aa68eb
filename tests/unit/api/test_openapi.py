from __future__ import annotations

import re

import pytest
from jsonschema import ValidationError
from openapi_spec_validator import OpenAPIV31SpecValidator

from faceblur import config, limits
from faceblur.detectors.warnings import WarningCode
from faceblur.errors import BudgetSpent, InternalError, JobEnded, PhotoError, RequestError, TransientError
from faceblur.jobs.receipts import STYLE_OPTIONS
from faceblur.jobs.storage import photos
from faceblur.jobs.table import STAGES, Status
from faceblur.options import JobOptions
from faceblur.photo.hide import FILES
from tests.support.api_contract import assert_documented, validator
from tests.support.sources import api_description, template

SCHEMAS = api_description()["components"]["schemas"]
METHODS = ("get", "post", "put", "patch", "delete")


def operations():
    return [
        pytest.param(path, method, operation, id=f"{method} {path}")
        for path, item in api_description()["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def without_titles(schema):
    """Pydantic's schema, without the titles that it derives from the names."""
    if not isinstance(schema, dict):
        return schema
    return {
        name: {key: without_titles(value) for key, value in inner.items()}
        if name == "properties"
        else without_titles(inner)
        for name, inner in schema.items()
        if name != "title"
    }


def examples(node):
    """Every (schema, example) of the description's requests and answers."""
    if isinstance(node, dict):
        if "schema" in node:
            for name, example in node.get("examples", {}).items():
                yield pytest.param(node["schema"], example["value"], id=name)
        for value in node.values():
            yield from examples(value)
    elif isinstance(node, list):
        for value in node:
            yield from examples(value)


def test_the_description_is_valid():
    OpenAPIV31SpecValidator(api_description()).validate()


def test_the_options_are_those_that_the_functions_take():
    assert SCHEMAS["JobOptions"] == without_titles(JobOptions.model_json_schema())


def test_the_kinds_are_those_that_the_functions_know():
    assert SCHEMAS["Kind"]["enum"] == SCHEMAS["Counts"]["required"] == list(SCHEMAS["Counts"]["properties"])
    assert SCHEMAS["Kind"]["enum"] == list(limits.KINDS)


def test_a_job_has_all_options():
    assert SCHEMAS["AppliedOptions"]["required"] == list(JobOptions.model_fields)


def test_paths_and_methods_are_those_of_the_template():
    deployed = {
        (event["Properties"]["Path"], event["Properties"]["Method"].lower())
        for resource in template()["Resources"].values()
        for event in resource["Properties"].get("Events", {}).values()
        if event["Type"] == "Api"
    }
    described = {
        (path, method) for path, item in api_description()["paths"].items() for method in item if method in METHODS
    }
    assert described == deployed


def test_the_address_is_that_of_the_template():
    stage = template()["Resources"]["Api"]["Properties"]["StageName"]
    assert [server["url"].rpartition("/")[2] for server in api_description()["servers"]] == [stage, stage]


def test_every_status_of_a_job_is_described():
    mapping = SCHEMAS["Job"]["discriminator"]["mapping"]
    assert set(mapping) == set(Status)
    for status, reference in mapping.items():
        allowed = SCHEMAS[reference.rpartition("/")[2]]["properties"]["status"]
        assert status in allowed.get("enum", [allowed.get("const")])


def test_the_limits_are_those_of_the_functions():
    created = api_description()["paths"]["/jobs"]["post"]["responses"]["201"]
    example = created["content"]["application/json"]["examples"]["created"]["value"]
    assert example["upload"]["max_bytes"] == limits.MAX_BYTES
    assert config.LINK_SECONDS == 5 * 60
    for linked in ("Result", "ReceiptLink"):
        assert "valid for five minutes" in SCHEMAS[linked]["properties"]["url"]["description"]


def test_the_limits_of_a_photo_are_those_of_the_functions():
    """The web page takes its limits from the description."""
    assert api_description()["x-photo-limits"] == {
        "max_bytes": limits.MAX_BYTES,
        "max_pixels": limits.MAX_PIXELS,
        "min_side": limits.MIN_SIDE,
        "max_ratio": limits.MAX_RATIO,
        "max_boxes": limits.MAX_BOXES,
    }
    assert SCHEMAS["Receipt"]["properties"]["boxes"]["maxItems"] == limits.MAX_BOXES


def test_the_stages_of_a_job_are_described_in_their_order():
    """The web page shows the stages in the order of the description."""
    assert list(SCHEMAS["Progress"]["properties"]) == [*STAGES, "finished"]


def code_names(*families):
    """The names of the errors in these families, which are the codes of the API."""
    return {error.__name__ for family in families for error in family.__subclasses__()}


def test_the_codes_of_a_failed_job_are_those_of_the_functions():
    code = SCHEMAS["JobError"]["properties"]["code"]
    assert set(code["enum"]) == code_names(PhotoError, TransientError, JobEnded)
    assert set(re.findall(r"`(\w+)`", code["description"])) == set(code["enum"])


def test_the_codes_of_a_refused_request_are_those_of_the_functions():
    code = SCHEMAS["RequestErrorCode"]
    assert set(code["enum"]) == code_names(RequestError) | {BudgetSpent.__name__, InternalError.__name__}
    assert set(re.findall(r"`(\w+)`", code["description"])) == set(code["enum"])


def test_every_warning_is_described():
    warnings = SCHEMAS["CompletedJob"]["properties"]["warnings"]
    assert set(warnings["items"]["enum"]) == set(WarningCode)
    assert set(re.findall(r"`(\w+)`", warnings["description"])) == set(WarningCode)


def test_a_receipt_tells_the_options_that_say_how_a_face_is_hidden():
    described = SCHEMAS["HiddenWith"]["properties"]
    assert described == {name: {"$ref": f"#/components/schemas/JobOptions/properties/{name}"} for name in STYLE_OPTIONS}


def test_only_a_job_that_is_completed_or_done_again_has_links():
    described = {
        name for name, schema in SCHEMAS.items() if {"result", "receipt"} & schema.get("properties", {}).keys()
    }
    assert described == {"CompletedJob", "UnfinishedJob", "JobInReview"}
    assert {name for name in described if {"result", "receipt"} & set(SCHEMAS[name]["required"])} == {"CompletedJob"}


def test_the_media_types_are_those_of_the_results():
    described = SCHEMAS["Result"]["properties"]["content_type"]["enum"]
    assert described == [content_type for _, content_type in FILES.values()]


def test_the_form_in_the_example_has_the_fields_of_a_real_one(environment):
    created = api_description()["paths"]["/jobs"]["post"]["responses"]["201"]
    example = created["content"]["application/json"]["examples"]["created"]["value"]["upload"]["fields"]
    assert example.keys() == photos().upload_form("a", 300)["fields"].keys()


@pytest.mark.parametrize(("path", "method", "operation"), operations())
def test_every_operation_is_described(path, method, operation):
    assert operation["summary"]
    assert operation["description"]
    assert {"500", "default"} < operation["responses"].keys()


def target_of(schema):
    """A schema, or what it refers to."""
    target = api_description() if "$ref" in schema else schema
    for name in schema.get("$ref", "#").split("/")[1:]:
        target = target[name]
    return target


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_field_is_described(name):
    assert SCHEMAS[name]["description"]
    for field, schema in SCHEMAS[name].get("properties", {}).items():
        assert target_of(schema)["description"], field


@pytest.mark.parametrize(("schema", "example"), list(examples(api_description())))
def test_every_example_is_true(schema, example):
    validator(schema).validate(example)


def test_every_answer_with_a_body_has_an_example():
    bodies = [
        media
        for owner in (*(operation.values[2] for operation in operations()), api_description()["components"])
        for response in owner["responses"].values()
        for media in response.get("content", {}).values()
    ]
    assert len(bodies) == 20
    assert all(media["examples"] for media in bodies)


# ---------------------------------------------------------------- the helper that the other tests use


JOB = {
    "job_id": "0f8fad5bd9cb469fa16570867728950e",
    "status": "PROCESSING",
    "options": JobOptions().model_dump(),
    "created_at": "2025-06-01T12:00:00Z",
    "expires_at": "2025-06-02T12:00:00Z",
    "progress": {},
}


def test_a_described_answer_passes():
    assert_documented("GET", "/jobs/{job_id}", 200, JOB)
    assert_documented("DELETE", "/jobs/{job_id}", 204, None)
    assert_documented("POST", "/jobs", 429, {"code": "THROTTLED", "message": "Too Many Requests"})


@pytest.mark.parametrize(
    "body",
    [
        JOB | {"execution_arn": "arn"},
        JOB | {"status": "COMPLETED"},
        JOB | {"status": "AWAITING_REVIEW"},
        JOB | {"error": {"code": "TimedOut", "message": "Too long."}},
        JOB | {"created_at": "yesterday"},
        JOB | {"options": {"style": "blur"}},
        JOB | {"options": JOB["options"] | {"colour": "red"}},
        JOB | {"options": JOB["options"] | {"color": "red"}},
        JOB | {"receipt": {"link": "https://example.org/receipt"}},
        {name: value for name, value in JOB.items() if name != "expires_at"},
        None,
    ],
)
def test_an_undescribed_answer_does_not_pass(body):
    with pytest.raises(ValidationError):
        assert_documented("GET", "/jobs/{job_id}", 200, body)


def test_an_error_with_the_code_of_another_status_does_not_pass():
    with pytest.raises(ValidationError):
        assert_documented("GET", "/jobs/{job_id}", 404, {"code": "InvalidOptions", "message": "No."})


def test_a_body_where_none_is_described_does_not_pass():
    with pytest.raises(AssertionError):
        assert_documented("DELETE", "/jobs/{job_id}", 204, {})
