"""The template, the state machine and the description of the API, as the tests read them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "template.yaml"


class CloudFormationLoader(yaml.CSafeLoader):
    """Reads CloudFormation's tags, too; in C, which takes a tenth of the time."""

    def construct_intrinsic(self, tag: str, node: yaml.Node) -> dict[str, Any]:
        """The long form of a tag."""
        construct = {"scalar": self.construct_scalar, "sequence": self.construct_sequence}[node.id]
        arguments = {"deep": True} if node.id == "sequence" else {}
        return {tag if tag in {"Ref", "Condition"} else f"Fn::{tag}": construct(node, **arguments)}


CloudFormationLoader.add_multi_constructor("!", CloudFormationLoader.construct_intrinsic)


@cache
def template() -> dict[str, Any]:
    """The SAM template; its tags are spelled out: `!GetAtt A.Arn` is `{"Fn::GetAtt": "A.Arn"}`."""
    return yaml.load(TEMPLATE.read_text(), CloudFormationLoader)


@cache
def state_machine(name: str = "blur_image") -> dict[str, Any]:
    """The definition of a state machine, before substitution."""
    return json.loads((ROOT / f"statemachine/{name}.asl.json").read_text())


@cache
def api_description() -> dict[str, Any]:
    """The description of the API."""
    return yaml.load((ROOT / "docs/openapi.yaml").read_text(), yaml.CSafeLoader)


def evaluated(arguments: Any, values: dict[str, Any]) -> Any:
    """A state's arguments, each JSONata expression replaced by its value in `values`."""
    if isinstance(arguments, dict):
        return {name: evaluated(value, values) for name, value in arguments.items()}
    if isinstance(arguments, str) and arguments.startswith("{%"):
        return values[arguments.removeprefix("{%").removesuffix("%}").strip()]
    return arguments
