"""`parameters/complete`: the values of all parameters for a deployment."""

from __future__ import annotations

import json
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


def test_without_a_file_or_with_an_empty_one_all_values_are_defaults(file, tmp_path, capsys):
    assert complete(file("# nothing\n"), BUILT) == DEFAULTS | BUILT
    assert capsys.readouterr().err == ""
    assert complete(tmp_path / "none.yaml", BUILT) == DEFAULTS | BUILT
    told = capsys.readouterr().err
    assert "none.yaml: all parameters get their defaults" in told
    assert "needs no sign-in" in told


def test_a_file_that_was_asked_for_must_exist(tmp_path):
    with pytest.raises(SystemExit, match=r"There is no file .*none.yaml\."):
        complete(tmp_path / "none.yaml", BUILT, must_exist=True)


@pytest.mark.parametrize(("given", "ends"), [(["PARAMETERS=no-such.yaml"], True), (["STACK=no-such"], False)])
def test_make_deploy_asks_for_a_file_that_is_given(given, ends):
    """The recipe alone is read: it passes `--must-exist` only for a file that somebody named."""
    recipe = subprocess.run(
        ["make", "--dry-run", "deploy", *given], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert ('parameters/complete --must-exist "no-such.yaml"' in recipe) is ends


def test_make_deploy_looks_at_parameters_and_account_before_its_set_up():
    """Also if the name of the file has a space."""
    recipe = subprocess.run(
        ["make", "--dry-run", "--always-make", "deploy", "PARAMETERS=my stack.yaml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    steps = [
        'parameters/complete --must-exist "my stack.yaml"',
        "parameters/account",
        ".tools/sam",
        "npm",
        "sam deploy",
    ]
    found = [recipe.index(step) for step in steps]
    assert found == sorted(found)


def test_a_folder_is_no_file_of_parameters(tmp_path):
    with pytest.raises(SystemExit, match="Is a directory"):
        complete(tmp_path, BUILT)


@pytest.fixture
def account(monkeypatch, tmp_path):
    """`parameters/account` where nothing is set of AWS, on a machine that is not in AWS."""
    for name in ("REGION", "DEFAULT_REGION", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "PROFILE"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    for name in ("CONFIG_FILE", "SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(f"AWS_{name}", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return runpy.run_path(str(ROOT / "parameters/account"))["main"]


def test_a_deployment_needs_a_region(account):
    with pytest.raises(SystemExit, match="Set AWS_DEFAULT_REGION"):
        account()


@pytest.mark.parametrize(
    ("environment", "said"), [({}, "Unable to locate credentials"), ({"AWS_PROFILE": "elsewhere"}, "elsewhere")]
)
def test_a_deployment_needs_credentials(environment, said, account, monkeypatch):
    for name, value in ({"AWS_DEFAULT_REGION": "eu-central-1"} | environment).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=f"does not take your credentials: .*{said}"):
        account()


def test_a_deployment_tells_its_account_and_region(aws, account, monkeypatch, capsys):
    for name, value in {"DEFAULT_REGION": "eu-central-1", "ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    account()
    assert "account 123456789012, eu-central-1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("JobsPerDay: 7\n", "no parameter JobsPerDay"),
        ("PythonRuntime: python3.13\n", "PythonRuntime is python3.13, but this machine builds for python3.12"),
        ("Architecture: x86_64\n", "Architecture is x86_64"),
        ("FaceDetector=both\n", "one `Name: value` a line"),
        ("CallsAJob: {a: 1}\n", "CallsAJob must have one value"),
        ("CallsAJob: [\n", "faceblur.yaml"),
        ("OidcOrigins: [https://a.example, [x]]\n", "OidcOrigins must have one value"),
        ("CallsAJob: 7\nCallsAJob: 8\n", "CallsAJob is there twice"),
        ("!Sub CallsAJob: 7\n", "!Sub means nothing here"),
        ("CallsAJob: !Ref Calls\n", "!Ref means nothing here"),
        ("!Ref {CallsAJob: 7}\n", "!Ref means nothing here"),
        ("[CallsAJob]: 7\n", "unhashable key"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(text, said, file):
    with pytest.raises(SystemExit, match=said) as refused:
        complete(file(text), BUILT)
    assert "\n" not in str(refused.value)


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
