"""Deployments into the embedded AWS with a parameters file, under the longest name that a stack may have."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from faceblur_cli.stack import sam
from tests.support.pictures.photos import astronaut
from tests.support.stack.deployed import Deployed, with_faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

complete = runpy.run_path(str(Path(__file__).parents[2] / "parameters/complete"))["complete"]
NAME = "Faceblur-" + "Abcdefg-" * 14 + "Abcdefg"
ON_THIS_MACHINE = "FaceDetector: embedded\nWebPage: no\n"


@pytest.fixture(scope="module")
def deploy(built: Path, endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Deployed]]:
    """Deploy with this file of parameters."""
    folder = tmp_path_factory.mktemp("parameters")
    with with_faults(folder) as deployable:

        def with_parameters(text: str) -> Deployed:
            (folder / "stack.yaml").write_text(ON_THIS_MACHINE + text)
            build = {"PythonRuntime": "provided.al2023", "AwsEndpointUrl": endpoint}
            (folder / "all.yaml").write_text(json.dumps(complete(folder / "stack.yaml", build)))
            return Deployed(sam.deploy(endpoint, deployable, NAME, [f"file://{folder / 'all.yaml'}"]), folder, NAME)

        yield with_parameters


def parameters_of(stack: Deployed) -> dict[str, Any]:
    (described,) = stack.stack.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"]
    return {each["ParameterKey"]: each["ParameterValue"] for each in described["Parameters"]}


def test_the_longest_name_works_and_a_parameter_that_the_file_leaves_out_has_its_default(
    deploy: Callable[[str], Deployed],
) -> None:
    assert len(NAME) == 128
    first = parameters_of(deploy("CallsAJob: 50\nOidcOrigins: [https://a.example, https://b.example]\n"))
    assert (first["CallsAJob"], first["OidcOrigins"]) == ("50", "https://a.example,https://b.example")
    again = deploy("")
    second = parameters_of(again)
    assert (second["CallsAJob"], second["OidcOrigins"]) == ("60", "")
    assert again.run(astronaut())["status"] == "COMPLETED"
