"""`parameters/complete`: the values of all parameters for a deployment."""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import textwrap

import pytest

from tests.support.sources import ROOT, template

complete = runpy.run_path(str(ROOT / "parameters/complete"))["complete"]
DEFAULTS = {name: str(each["Default"]) for name, each in template()["Parameters"].items()}
BUILT = {"PythonRuntime": "python3.12", "Architecture": "arm64"}


@pytest.fixture
def file(tmp_path):
    def write(text: str):
        path = tmp_path / "faceblur.yaml"
        path.write_text(text)
        return path

    return write


def test_what_the_file_leaves_out_has_the_default(file):
    assert complete(file("CallsAJob: 7\n"), BUILT) == DEFAULTS | BUILT | {"CallsAJob": "7"}


def test_every_value_is_text_as_it_is_written(file):
    values = complete(file("WebPage: no\nReviewHours: 0.50\nAllowedOrigin: '*'\n"), BUILT)
    assert (values["WebPage"], values["ReviewHours"], values["AllowedOrigin"]) == ("no", "0.50", "*")


def test_a_value_can_be_a_list_or_empty(file):
    values = complete(file("OidcOrigins: [https://a.example, https://b.example]\nOidcIssuer:\n"), BUILT)
    assert (values["OidcOrigins"], values["OidcIssuer"]) == ("https://a.example,https://b.example", "")


def test_with_an_empty_file_all_values_are_defaults(file, capsys):
    assert complete(file("# nothing\n"), BUILT) == DEFAULTS | BUILT
    assert capsys.readouterr().err == ""


def test_without_the_file_of_the_stack_it_says_that_the_api_will_be_open(tmp_path, capsys):
    assert complete(tmp_path / "none.yaml", BUILT, if_present=True) == DEFAULTS | BUILT
    said = capsys.readouterr().err
    assert "none.yaml: all parameters get their defaults" in said
    assert "open to everybody, without sign-in" in said


@pytest.mark.parametrize(("name", "said"), [("none.yaml", "No such file"), ("", "Is a directory")])
def test_a_file_that_somebody_names_must_be_there(name, said, tmp_path):
    with pytest.raises(SystemExit, match=rf"{said}.*PARAMETERS=FILE"):
        complete(tmp_path / name, BUILT)


@pytest.mark.parametrize(
    ("variables", "arguments"),
    [
        ([], '--if-present "parameters/faceblur.yaml"'),
        (["STACK=other"], '--if-present "parameters/other.yaml"'),
        (["PARAMETERS=mine.yaml"], '"mine.yaml"'),
    ],
)
def test_make_lets_only_the_file_of_the_stack_be_missing(variables, arguments):
    environment = {name: value for name, value in os.environ.items() if name != "PARAMETERS"}
    recipe = subprocess.run(
        ["make", "--dry-run", "deploy", *variables],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert f"parameters/complete {arguments} PythonRuntime=" in recipe


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("JobsPerDay: 7\n", "no parameter JobsPerDay"),
        ("PythonRuntime: python3.13\n", "PythonRuntime is python3.13, but this machine builds for python3.12"),
        ("Architecture: x86_64\n", "Architecture is x86_64"),
        ("FaceDetector=both\n", "one `Name: value` a line"),
        ("CallsAJob: {a: 1}\n", "CallsAJob must have one value"),
        ("OidcOrigins: [https://a.example, [x]]\n", "OidcOrigins must have one value, or a list of values"),
        ("CallsAJob: 1\nDollarsADay: 2\nCallsAJob: 3\n", "faceblur.yaml: CallsAJob is there more than once"),
        ("!Name x: 1\n", "no parameter None"),
        ("CallsAJob: [\n", "faceblur.yaml"),
    ],
)
def test_what_cannot_be_meant_is_refused(text, said, file):
    with pytest.raises(SystemExit, match=said):
        complete(file(text), BUILT)


EXAMPLES = [
    textwrap.dedent(block)
    for document in ("deployment.md", "sign-in.md")
    for block in re.findall(
        r"^ *```yaml\n(.*?)^ *```", (ROOT / "docs" / document).read_text(), re.DOTALL | re.MULTILINE
    )
]


def test_the_documents_have_examples():
    assert len(EXAMPLES) >= 2


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_of_the_documents_are_files_of_parameters(example, file):
    values = complete(file(example), BUILT)
    assert values != DEFAULTS | BUILT


def test_the_output_is_what_sam_reads(file, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["complete", str(file("CallsAJob: 7\n")), "Architecture=arm64"])
    runpy.run_path(str(ROOT / "parameters/complete"), run_name="__main__")
    assert json.loads(capsys.readouterr().out) == DEFAULTS | {"CallsAJob": "7", "Architecture": "arm64"}
