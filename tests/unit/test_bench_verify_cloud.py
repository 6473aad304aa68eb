"""What `make verify-cloud` does when a step fails or somebody interrupts it, and what it asks of AWS."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber

from benchmarks.verify_cloud import __main__ as command
from benchmarks.verify_cloud import branches, figures, photos
from benchmarks.verify_cloud import target as target_module
from benchmarks.verify_cloud.steps import FAILED, NOT_HERE, OK, NotHere, Outcome, Seen, Step, carry_out, must
from benchmarks.verify_cloud.target import UPLOAD_SECONDS, Target
from faceblur_cli import project
from tests.support.stack.deployed import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

BEGAN = datetime(2026, 11, 29, tzinfo=UTC)
ABOUT = {"stack": "faceblur-verify-20261129", "region": "eu-west-1"}


class Removed(Target):
    """A target that counts its removals and deploys nothing."""

    removals = 0

    def deploy(self, _: Callable[[str], None]) -> str:
        return "deployed"

    def remove(self) -> str:
        self.removals += 1
        return "removed"


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch) -> Removed:
    monkeypatch.setattr(command, "_ignore_signals", lambda: None)
    for module in (photos, branches, figures):
        monkeypatch.setattr(module, "steps", lambda *_: [])
    return Removed("faceblur-verify-20261129")


def step(act: Callable[[], Any]) -> Step:
    return Step("it works", act)


def failing(error: BaseException) -> Callable[[], str]:
    def act() -> str:
        raise error

    return act


def results(outcomes: list[Outcome]) -> list[str]:
    return [outcome.result for outcome in outcomes]


def test_a_step_that_fails_is_written_down_and_the_others_go_on():
    outcomes: list[Outcome] = []
    acts = [failing(ValueError("no\nway")), failing(NotHere("no alarms")), lambda: "fine"]
    carry_out(map(step, acts), outcomes, lambda _: None)
    assert results(outcomes) == [FAILED, NOT_HERE, OK]
    assert [outcome.seen.sentence for outcome in outcomes] == ["ValueError: no way", "no alarms", "fine"]


def test_the_report_has_no_signed_link():
    outcomes: list[Outcome] = []
    link = "https://bucket.s3.amazonaws.com/results/1.jpg?X-Amz-Signature=0123"
    carry_out([step(failing(ValueError(f"403 for url '{link}' today")))], outcomes, lambda _: None)
    assert outcomes[0].seen.sentence == (
        "ValueError: 403 for url 'https://bucket.s3.amazonaws.com/results/1.jpg?…' today"
    )


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), SystemExit(1)])
def test_the_stack_is_deleted_after_an_interruption(
    target: Removed, monkeypatch: pytest.MonkeyPatch, interruption: BaseException
):
    monkeypatch.setattr(photos, "steps", lambda _: [step(failing(interruption)), step(lambda: "never reached")])
    outcomes: list[Outcome] = []
    with pytest.raises(type(interruption)):
        command.verify(target, outcomes, BEGAN)
    assert target.removals == 1
    assert results(outcomes) == [OK, FAILED, OK]
    assert outcomes[1].seen.sentence == "interrupted"


def test_the_stack_is_deleted_if_it_cannot_be_deployed(target: Removed, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(target, "deploy", failing(ValueError("rolled back")))
    monkeypatch.setattr(photos, "steps", lambda _: [step(lambda: "never reached")])
    outcomes: list[Outcome] = []
    command.verify(target, outcomes, BEGAN)
    assert target.removals == 1
    assert results(outcomes) == [FAILED, OK]


class Stacks:
    """A stand-in for CloudFormation's account: each name is a stack of somebody else."""

    def __init__(self, *names: str) -> None:
        self.names, self.removed = list(names), list[str]()


@pytest.fixture
def stacks(monkeypatch: pytest.MonkeyPatch) -> Stacks:
    account = Stacks()

    def remove(name: str, _: Any) -> list[Any]:
        account.removed.append(name)
        return []

    monkeypatch.setattr(
        target_module.removal, "find_stack", lambda _, name: {} if name not in account.names else {"": 1}
    )
    monkeypatch.setattr(target_module.removal, "remove_stack", remove)
    monkeypatch.setattr(command, "_ignore_signals", lambda: None)
    return account


def test_a_stack_of_somebody_else_is_neither_deployed_nor_deleted(stacks: Stacks, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(target_module, "_make", lambda *_: pytest.fail("deployed"))
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    stacks.names = ["faceblur-verify-1f0e7a2c"]
    outcomes: list[Outcome] = []
    command.verify(Target("faceblur-verify-1f0e7a2c", lambda _: None), outcomes, BEGAN)
    assert [outcome.seen.sentence for outcome in outcomes] == [
        "there is a stack faceblur-verify-1f0e7a2c already, of somebody else",
        "nothing was made",
    ]
    assert stacks.removed == []


def test_a_stack_whose_deployment_fails_is_deleted(stacks: Stacks, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(target_module, "_make", lambda *_: must(False, "make deploy ended with exit code 1"))
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    outcomes: list[Outcome] = []
    command.verify(Target("faceblur-verify-1f0e7a2c", lambda _: None), outcomes, BEGAN)
    assert results(outcomes) == [FAILED, OK]
    assert stacks.removed == ["faceblur-verify-1f0e7a2c"]


def test_two_people_at_the_prompt_verify_two_stacks(stacks: Stacks, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    names: list[str] = []

    def verify(target: Target, outcomes: list[Outcome], _: datetime) -> None:
        names.append(target.name)
        outcomes.append(Outcome("it works", OK, Seen("fine"), 1.0))

    monkeypatch.setattr(command, "conditions", lambda *_: ABOUT | {"AWS": "the cloud", "account": "…0000"})
    monkeypatch.setattr(command, "agreed", lambda: True)
    monkeypatch.setattr(command, "verify", verify)
    assert [command.main(tmp_path), command.main(tmp_path)] == [0, 0]
    assert names[0] != names[1]
    assert [len(name) for name in names] == [len("faceblur-verify-1f0e7a2c")] * 2


def test_an_interruption_ends_all_that_make_has_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A deployment that lives on would come after the deletion."""
    started = tmp_path / "started"
    (tmp_path / "make").write_text(f"#!/bin/sh\nsleep 600 &\necho $! >{started}\nwait\n")
    (tmp_path / "make").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    wait = subprocess.Popen.wait

    def interrupted(*_: Any) -> None:
        subprocess.Popen.wait = wait  # type: ignore[method-assign]
        eventually(lambda: started.exists() and started.read_text())
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "wait", interrupted)
    monkeypatch.setattr(Target, "exists", lambda _: False)
    with pytest.raises(KeyboardInterrupt):
        Target("faceblur-verify").deploy(print)
    eventually(lambda: has_ended(int(started.read_text())), "the end of what make started")


def has_ended(process: int) -> bool:
    """Whether a process has ended; its parent may not have noticed yet."""
    status = Path(f"/proc/{process}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"


def test_the_report_begins_with_what_failed():
    outcomes = [
        Outcome("a", OK, Seen("fine", {"Details": [{"x": 1}]}), 1.0),
        Outcome("b", FAILED, Seen("left: faceblur-photos-123456789012-eu-west-1"), 2.0),
    ]
    text = command.report(ABOUT, outcomes)
    assert text.startswith(
        "# Verification of faceblur-verify-20261129\n\n1 of 2 steps failed: b.\n\n|  |   |\n| --- | --- |\n"
    )
    assert "| b | **failed** | left: faceblur-photos-…-eu-west-1 | 2.0 |" in text
    assert "## Details\n\n| x |" in text


@pytest.mark.parametrize(("answer", "agrees"), [("yes", True), ("y", False), ("", False)])
def test_it_asks_unless_it_is_confirmed(monkeypatch: pytest.MonkeyPatch, answer: str, agrees: bool):
    monkeypatch.delenv("CONFIRM", raising=False)
    monkeypatch.setattr("builtins.input", lambda _: answer)
    assert command.agreed() is agrees
    monkeypatch.setenv("CONFIRM", "yes")
    assert command.agreed()


def test_without_a_terminal_it_names_confirm(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.delenv("CONFIRM", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert not command.agreed()
    assert "CONFIRM=yes" in capsys.readouterr().out


def test_it_costs_cents():
    assert 0.01 <= figures.most_usd() <= 0.20


def test_make_deploy_takes_the_stack_and_the_parameters_of_the_verification(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    given, file = tmp_path / "given.yaml", tmp_path / "parameters.yaml"
    given.write_text("UploadSeconds: 60\nWebPage: no\n")
    monkeypatch.setenv("PARAMETERS", str(given))
    file.write_text(target_module._parameters())
    complete = [sys.executable, project.ROOT / "parameters/complete", file]
    values = json.loads(subprocess.run(complete, capture_output=True, text=True, check=True).stdout)
    assert (values["UploadSeconds"], values["WebPage"]) == (str(UPLOAD_SECONDS), "no")

    arguments = ["STACK=faceblur-verify-20261129", f"PARAMETERS={file}", "CI=yes"]
    recipe = subprocess.run(
        ["make", "--dry-run", "deploy", *arguments], cwd=project.ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert f'parameters/complete --must-exist "{file}" ' in recipe
    assert "sam deploy --stack-name faceblur-verify-20261129 " in recipe
    assert "--no-confirm-changeset" in recipe


def tried(answers: list[dict[str, str]], detector: str = "rekognition") -> Outcome:
    """The step of the branches, when TestState gives these answers; boto3 validates the requests."""
    client = boto3.client("stepfunctions", region_name="eu-west-1")
    machine = {
        "stateMachineArn": "arn",
        "name": "blur",
        "definition": "{}",
        "roleArn": "arn",
        "type": "STANDARD",
        "creationDate": BEGAN,
    }
    outcomes: list[Outcome] = []
    with Stubber(client) as stub:
        stub.add_response("describe_state_machine", machine, {"stateMachineArn": "arn"})
        for answer in answers:
            stub.add_response("test_state", answer)
        target = Target("faceblur-verify", lambda _: client, {"StateMachineArn": "arn"}, {"FaceDetector": detector})
        carry_out(branches.steps(target), outcomes, lambda _: None)
    return outcomes[0]


KNOWS = {"status": "SUCCEEDED", "nextState": "known"}


def answer_to(case: branches.Case) -> dict[str, str]:
    return {"status": case.status} | ({"nextState": case.next} if case.next else {})


@pytest.mark.parametrize(
    ("detector", "cases"),
    [("rekognition", branches.CASES), ("both", branches.CASES + branches.CASES_OF_TWO_DETECTORS)],
)
def test_all_branches_are_asked_of_test_state(detector: str, cases: list[branches.Case]):
    outcome = tried([KNOWS, *map(answer_to, cases)], detector)
    assert (outcome.result, outcome.seen.sentence) == (OK, f"{len(cases)} cases by TestState")
    assert len(outcome.seen.tables["Branches by TestState"]) == len(cases)


def test_a_branch_that_leads_elsewhere_is_named():
    first, *others = map(answer_to, branches.CASES)
    outcome = tried([KNOWS, first | {"nextState": "Nowhere"}, *others])
    assert outcome.result == FAILED
    assert outcome.seen.sentence == (
        "Is it known what to hide?: SUCCEEDED Nowhere instead of SUCCEEDED Detect what to hide"
    )


def test_a_test_state_that_ignores_variables_is_not_used():
    assert tried([KNOWS | {"nextState": "unknown"}]).result == NOT_HERE


def test_what_must_hold_says_what_was_seen():
    outcomes: list[Outcome] = []
    carry_out([step(lambda: must(False, "2 faces found"))], outcomes, lambda _: None)
    assert (outcomes[0].result, outcomes[0].seen.sentence) == (FAILED, "2 faces found")


def test_every_case_is_json():
    for case in branches.CASES:
        json.dumps([branches.variables_of(case), branches.input_of(case), case.result])


def test_the_documentation_says_what_it_costs():
    text = (project.ROOT / "docs/deployment.md").read_text()
    assert f"costs at most ({figures.most_usd() * 100:.0f} cents)" in text
    assert f"| {figures.ALARM_METRICS} metrics that alarms watch" in (project.ROOT / "docs/costs.md").read_text()
