"""All dependencies are pinned and listed, and their licences allow shipping them."""

from __future__ import annotations

import re
import runpy

import pytest
import yaml

from tests.support.sources import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
LOCKS = [
    *(ROOT / "requirements").glob("*.txt"),
    ROOT / "functions/requirements.txt",
    ROOT / "layers/onnx/requirements.txt",
    ROOT / "layers/onnx/networks.txt",
]
each_workflow = pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)


@each_workflow
def test_every_action_is_pinned_by_its_commit_and_says_its_version(workflow):
    used = re.findall(r"uses: (.+)", workflow.read_text())
    ours = [use for use in used if use.startswith("./")]
    assert used
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use) for use in used if use not in ours)
    assert all((ROOT / use).exists() for use in ours)


def test_an_action_has_one_version_throughout():
    uses = set(re.findall(r"uses: ([\w./-]+@[0-9a-f]{40})", "".join(path.read_text() for path in WORKFLOWS)))
    names = [use.partition("@")[0] for use in uses]
    assert len(names) == len(set(names)) > 3


@each_workflow
def test_a_job_may_do_only_what_it_says(workflow):
    described = yaml.safe_load(workflow.read_text())
    assert described["permissions"] == {}
    for name, job in described["jobs"].items():
        rights = job["permissions"].items()
        may_deploy = {("contents", "read"), ("id-token", "write")}
        deploys = workflow.name in {"deploy.yml", "stage.yml"}
        assert rights <= (may_deploy if deploys else {("contents", "read")}), name


def test_what_the_workflows_make_is_in_the_makefile():
    text = "".join(path.read_text() for path in WORKFLOWS)
    asked = {*re.findall(r"run: make (\w+)", text), *re.findall(r"- target: (\w+)", text)}
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    expected = {"lint", "scan", "audit", "test", "deploy", "smoke", "chaos", "fuzz", "privileges", "mutants"}
    assert expected == asked <= targets


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_package_is_locked_with_its_digests(lock):
    text = re.sub(r"^#.*\n", "", lock.read_text(), flags=re.MULTILINE)
    packages = re.split(r"\n(?=[\w-])", text)
    assert all(
        re.match(r"[\w.-]+(\[[\w, -]+\])?==[\w.]+.*--hash=sha256:[0-9a-f]{64}", package, re.DOTALL)
        for package in packages
    )


def test_every_exception_of_the_scan_has_its_reason():
    skipped = (ROOT / ".checkov.yaml").read_text().partition("skip-check:\n")[2].splitlines()
    assert skipped
    assert [line for line in skipped if not re.fullmatch(r"  - CKV_AWS_\d+ # [^:]{10,}: .{10,}", line)] == []


def test_all_that_is_shipped_is_listed_with_its_licence():
    """If this fails, `make licences` writes the page again; read what is new in it."""
    licences = runpy.run_path(str(ROOT / "requirements/licences"))["page"]()
    assert (ROOT / "docs/licences.md").read_text() == licences
    assert not re.search(r"(?<!L)GPL", licences)
