"""`make invoke`: its events, its command and its errors. That it runs a function is tried where Docker runs."""

from __future__ import annotations

import json
import subprocess

import pytest

from faceblur_cli.failures import Failure
from tests.support import invoke
from tests.support.sources import template

MADE_ID = "1" * 32
MADE = {
    "execution": f"arn:aws:states:us-east-1:000000000000:stateMachine:made:{MADE_ID}",
    "boxes": {"key": f"boxes/{MADE_ID}.aa.json", "count": 2},
    "result": {"key": f"results/{MADE_ID}.bb.jpg", "content_type": "image/jpeg"},
}


def test_every_function_can_be_called():
    functions = {name for name, each in template()["Resources"].items() if each["Type"] == "AWS::Serverless::Function"}
    assert {invoke.logical_id(verb) for verb in invoke.FUNCTIONS} == functions


@pytest.mark.parametrize("verb", invoke.JOBS)
def test_the_event_of_a_function_is_about_the_job_that_was_made_for_it(verb):
    text = json.dumps(invoke.event_for(verb, MADE_ID, MADE))
    assert invoke.SAMPLE not in text
    assert MADE_ID in text


@pytest.mark.parametrize("verb", invoke.BATCHES)
def test_the_event_of_a_function_is_about_the_batch_that_was_made_for_it(verb):
    text = json.dumps(invoke.event_for_batch(verb, MADE_ID, "arn:aws:states:us-east-1:000000000000:stateMachine:made"))
    assert invoke.SAMPLE_BATCH not in text
    assert MADE_ID in text
    assert "faceblur-hide-batch" not in text


def test_a_task_gets_what_was_made_of_its_job():
    completing = invoke.event_for("complete_job", MADE_ID, MADE)
    assert (completing["execution"], completing["boxes"], completing["draft"]) == (
        MADE["execution"],
        MADE["boxes"],
        MADE["result"],
    )
    assert MADE["execution"] in json.dumps(invoke.event_for("fail_job", MADE_ID, MADE))
    # The first search has no boxes to begin with.
    assert invoke.event_for("detect", MADE_ID, MADE)["boxes"] is None


def test_the_build_is_linked_as_it_is(tmp_path):
    """`sam build` puts functions with the same code into one folder, and names it in the built template."""
    build, folder = tmp_path / "build", tmp_path / "copy"
    for name in ("DetectFunction-Shared/app.py", "DetectFunction-Shared/bootstrap", "OnnxLayer/python/x"):
        (build / name).parent.mkdir(parents=True, exist_ok=True)
        (build / name).write_text("code")
    (build / "template.yaml").write_text("CodeUri: DetectFunction-Shared")
    folder.mkdir()
    invoke.link_build(build, folder)
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()) == [
        "DetectFunction-Shared/app.py",
        "OnnxLayer/python/x",
        "template.yaml",
    ]


def test_sam_calls_the_function_of_this_build(tmp_path):
    command = invoke.command("detect", tmp_path, pull=True)
    assert command[1:4] == ["local", "invoke", "DetectFunction"]
    assert f"--template={tmp_path / 'template.yaml'}" in command
    assert f"--env-vars={tmp_path / 'env.json'}" in command
    assert f"--event={tmp_path / 'event.json'}" in command
    assert "--skip-pull-image" not in command
    assert "--skip-pull-image" in invoke.command("detect", tmp_path, pull=False)


def test_the_authorizer_gets_the_parameters_that_turn_it_on(tmp_path):
    command = " ".join(invoke.command("authorize", tmp_path, pull=True))
    assert " OidcIssuer=http" in command
    assert " OidcAudience=" in command


@pytest.mark.parametrize(
    ("output", "raised"),
    [
        ('{"level": "INFO"}\n{"statusCode": 200}\n', False),
        ("null\n", False),
        ('{"errorMessage": "x", "errorType": "JobNotFound"}', True),
        ("", True),
        ("Error: no image", True),
    ],
)
def test_an_error_of_the_function_is_an_error_of_the_command(output, raised):
    assert invoke.raised(output) is raised


@pytest.mark.parametrize(
    ("config", "host"),
    [
        ([{"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.9"}], "172.17.0.9"),
        ([{"Subnet": "172.18.0.0/16"}], "172.18.0.1"),
    ],
)
def test_containers_reach_this_machine_at_the_address_of_the_bridge(config, host, monkeypatch):
    monkeypatch.setattr(invoke.platform, "system", lambda: "Linux")
    monkeypatch.setattr(invoke, "_docker", lambda *_: json.dumps(config))
    assert invoke.host_of_containers() == host


def test_without_docker_there_is_one_clear_line(monkeypatch, capsys):
    def no_docker(*_: object, **__: object) -> None:
        raise FileNotFoundError("docker")

    monkeypatch.setattr(subprocess, "run", no_docker)
    assert invoke.run(["detect"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "runs in a container, and Docker is not here" in line


def test_docker_that_does_not_run_is_one_clear_line(monkeypatch, capsys):
    answer = subprocess.CompletedProcess([], 1, "", "Cannot connect to the Docker daemon.\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: answer)
    assert invoke.run(["detect"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "Docker does not run: Cannot connect" in line


def test_without_a_stack_it_says_how_to_start_one(monkeypatch):
    monkeypatch.setattr(invoke, "host_of_containers", lambda: invoke.DOCKER_DESKTOP)
    monkeypatch.setattr(invoke.holder, "running_stack", lambda: None)
    with pytest.raises(Failure, match="make run"):
        invoke.main("get_job")


def test_an_unknown_function_is_answered_with_the_list():
    with pytest.raises(Failure, match=r"no function 'blur'.*detect"):
        invoke.main("blur")
