"""`make load` compares the state machine with one function. That function does the whole job, with as many checks."""

from __future__ import annotations

import json

import pytest

from benchmarks import folder, load, real_tools
from benchmarks.one_function import app
from faceblur.detectors.base import Detection, DetectionPass
from faceblur.geometry import Box
from tests.support.pictures.photos import astronaut
from tests.support.sources import ROOT, CloudFormationLoader, state_machine, yaml

JOB_ID = "0f8fad5bd9cb469fa16570867728950e"
BUCKET = "faceblur-photos-123456789012-eu-central-1"
FACE, OTHER = Box(0.3, 0.1, 0.2, 0.3, 99.0), Box(0.7, 0.7, 0.1, 0.1, 90.0)


class Detector:
    """Finds one face in the photo, and the faces `left_over` in drafts."""

    def __init__(self, left_over):
        self.passes, self.left_over = [], left_over

    def detect(self, *arguments):
        detection_pass = arguments[-1]
        self.passes.append(detection_pass)
        return Detection(
            [FACE] if detection_pass is DetectionPass.FIRST else list(self.left_over), "embedded", "1", 0, []
        )


@pytest.fixture
def run(event, s3, add_job, monkeypatch):
    """Have the function process a photo's message. Returns the passes of its detector."""

    def call(options=None, left_over=()):
        add_job(options=options or {})
        s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=astronaut())
        detector = Detector(left_over)
        monkeypatch.setattr(app, "EmbeddedDetector", lambda: detector)
        app.handler(event("start_workflow"), None)
        return detector.passes

    return call


@pytest.mark.parametrize(
    ("options", "left_over", "passes", "faces"),
    [
        ({}, [], [DetectionPass.FIRST], 1),
        ({"checks": True}, [], [DetectionPass.FIRST, DetectionPass.CHECK], 1),
        ({"checks": True}, [FACE], [DetectionPass.FIRST, DetectionPass.CHECK], 1),
        ({"checks": True}, [OTHER], [DetectionPass.FIRST, DetectionPass.CHECK, DetectionPass.CHECK], 2),
    ],
    ids=["no check", "nothing missed", "nothing but what is hidden", "missed once"],
)
def test_it_does_all_that_the_state_machine_does(run, row_of, keys, options, left_over, passes, faces):
    assert run(options, left_over) == passes
    row = row_of(JOB_ID)
    outcome = json.loads(row["outcome"])
    assert (row["status"], outcome["hidden"]["face"], outcome["check_rounds"]) == ("COMPLETED", faces, len(passes) - 1)
    assert keys() == {outcome["result"]["key"], outcome["receipt"]}


@pytest.mark.parametrize(("left_over", "checks"), [([], 1), ([OTHER], 2)], ids=["nothing missed", "missed once"])
def test_alone_detector_and_codec_do_the_same(monkeypatch, left_over, checks):
    detector = Detector(left_over)
    monkeypatch.setattr(folder, "EmbeddedDetector", lambda: detector)
    folder.hide_alone(astronaut())
    assert detector.passes == [DetectionPass.FIRST, *[DetectionPass.CHECK] * checks]


@pytest.mark.parametrize("checks", [app.CHECKS, real_tools.CHECKS], ids=["one function", "real photos"])
def test_the_benchmarks_make_as_many_checks_as_the_state_machine(checks):
    *_, last = state_machine()["States"]["Was this the last round?"]["Choices"]
    assert last["Condition"] == f"{{% $round >= {checks} %}}"


def test_its_template_calls_it_for_as_many_photos_at_once_as_there_are_clients():
    template = yaml.load((ROOT / "benchmarks/one_function/template.yaml").read_text(), CloudFormationLoader)
    function = template["Resources"]["OneFunction"]["Properties"]
    module, name = function["Handler"].split(".")
    assert (module, getattr(app, name)) == ("app", app.handler)
    assert function["Events"]["PhotoArrived"]["Properties"]["ScalingConfig"] == {"MaximumConcurrency": load.CLIENTS}


def test_of_the_state_machine_the_check_alone_is_left_out():
    machine = json.loads(load.without_check(json.dumps(state_machine())))
    deployed, hide = state_machine()["States"], "Hide what was found"
    assert {name for name, state in machine["States"].items() if state != deployed[name]} == {hide}
    assert machine["States"][hide] == deployed[hide] | {"Next": "Keep the original?"}
