"""Compares the API's real answers with their description, `docs/openapi.yaml`."""

from __future__ import annotations

from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from tests.support.sources import api_description


def assert_documented(method: str, path_template: str, status: int, json_body: Any) -> None:
    """Fail unless this answer to `method` (such as "GET") of this path fits the description, field by field.

    `json_body` is the decoded body, None for an empty one. A status that is not described must fit `default`. Fields
    that are not described are not allowed.
    """
    responses = api_description()["paths"][path_template][method.lower()]["responses"]
    response = responses.get(str(status), responses["default"])
    if "$ref" in response:
        response = api_description()["components"]["responses"][response["$ref"].rpartition("/")[2]]
    if "content" not in response:
        assert json_body is None, f"{method} {path_template} {status} is described without a body"
        return
    schema = response["content"]["application/json"]["schema"]
    validator(schema).validate(json_body)


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """A validator of one of the description's schemas, in which every object is closed."""
    return Draft202012Validator(
        {"$id": "urn:schema", **closed(absolute(schema))},
        registry=registry(),
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


@cache
def registry() -> Registry:
    """A registry with the description, which resolves its references."""
    document = DRAFT202012.create_resource(closed(absolute(api_description())))
    return Registry().with_resource("urn:api", document)


def absolute(node: Any) -> Any:
    """The node with absolute references, which work outside the description."""
    if isinstance(node, list):
        return [absolute(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {name: f"urn:api{value}" if name == "$ref" else absolute(value) for name, value in node.items()}


def closed(node: Any) -> Any:
    """The schema, changed to refuse fields that are not described."""
    if isinstance(node, list):
        return [closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {name: closed(value) for name, value in node.items()}
    if node.get("type") == "object":
        node.setdefault("additionalProperties", False)
    return node
