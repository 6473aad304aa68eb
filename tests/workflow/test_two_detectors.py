"""Rekognition and the union of both detectors, in the deployed state machine."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.pictures.photos import astronaut, flower
from tests.support.pictures.plates import street_with_plate
from tests.support.stack.deployed import DETECT, FAILURE, assert_failed, function_name
from tests.support.standins.rekognition import BROKEN, THROTTLED, face, line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.stack.deployed import Deployed
    from tests.support.standins.rekognition import Rekognition


TO_DETECT, ONE = ["Claim the job", "Is it known what to hide?", DETECT], "Go on with one detector?"


@pytest.fixture
def stack(deployed_with_rekognition: Deployed, rekognition: Rekognition) -> Iterator[Deployed]:
    """The stack that asks the stand-in."""
    rekognition.reset()
    yield deployed_with_rekognition
    rekognition.reset()
    rekognition.default = []


@contextmanager
def set_to(stack: Deployed, **settings: str) -> Iterator[None]:
    """Have the stack's detection use these settings."""
    client, name = stack.stack.client("lambda"), function_name(stack, "DetectFunction")
    before = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    client.update_function_configuration(FunctionName=name, Environment={"Variables": before | settings})
    try:
        yield
    finally:
        client.update_function_configuration(FunctionName=name, Environment={"Variables": before})


@pytest.fixture(scope="class")
def asking_both(deployed_with_rekognition: Deployed) -> Iterator[None]:
    """Have the stack ask both detectors, as with `FaceDetector=both`."""
    stack = deployed_with_rekognition
    states, machine = stack.stack.client("stepfunctions"), stack.stack.outputs["StateMachineArn"]
    definition = states.describe_state_machine(stateMachineArn=machine)["definition"]
    assert "'rekognition' = 'both'" in definition
    asking = definition.replace("'rekognition' = 'both'", "'both' = 'both'")
    with set_to(stack, FACE_DETECTOR="both"):
        states.update_state_machine(stateMachineArn=machine, definition=asking)
        try:
            yield
        finally:
            states.update_state_machine(stateMachineArn=machine, definition=definition)


def receipt_of(stack: Deployed, job: dict[str, Any]) -> dict[str, Any]:
    stored = stack.stack.client("s3").get_object(Bucket=stack.bucket, Key=f"receipts/{job['job_id']}.json")
    receipt: dict[str, Any] = json.loads(stored["Body"].read())
    return receipt


def test_calls_are_counted(stack: Deployed) -> None:
    job = stack.run(flower())
    receipt = receipt_of(stack, job)
    assert receipt["billable_calls"] == sum(stage.get("calls", 0) for stage in receipt["stages"]) >= 2
    assert receipt["cost_estimate"]["usd"] > receipt["billable_calls"] * 0.001


PLATE = [(0.4, 0.7), (0.6, 0.7), (0.6, 0.75), (0.4, 0.75)]  # the corners of a line with the shape of a plate


def test_plates_are_found_hidden_checked_and_paid_beside_faces(stack: Deployed, rekognition: Rekognition) -> None:
    """The first call of DetectText is throttled, and the answer about faces, which is paid, is not asked for again."""
    rekognition.replies.append([face(0.3, 0.2, 0.2, 0.2)])
    rekognition.text_replies.extend([*[THROTTLED] * 3, line(PLATE, words=2)])
    job = stack.run(astronaut(), kinds=["face", "plate"])
    assert (job["status"], job["hidden"]) == ("COMPLETED", {"face": 1, "plate": 1, "text": 0})
    receipt = receipt_of(stack, job)
    assert {(box["kind"], box["found_by"]) for box in receipt["boxes"]} == {
        ("face", "rekognition"),
        ("plate", "rekognition"),
    }
    assert receipt["billable_calls"] == 4
    assert rekognition.asked == ["DetectFaces", *["DetectText"] * 4, "DetectFaces", "DetectText"]


def test_a_plate_that_the_first_look_missed_is_found_by_the_check(stack: Deployed, rekognition: Rekognition) -> None:
    rekognition.text_replies.extend([[], line(PLATE)])
    job = stack.run(astronaut(), kinds=["plate"])
    assert (job["status"], job["hidden"]["plate"], job["missed_at_first"]) == ("COMPLETED", 1, 1)
    assert set(rekognition.asked) == {"DetectText"}


def test_a_full_answer_makes_the_detector_ask_again_tile_by_tile(stack: Deployed, rekognition: Rekognition) -> None:
    hundred = [face(column / 12, row / 12, 0.04, 0.04) for row in range(10) for column in range(10)]
    rekognition.replies.append(hundred)
    rekognition.replies.extend([[face(0.8, 0.8, 0.1, 0.1)]] * 4)
    job = stack.run(flower())
    assert job["status"] == "COMPLETED"
    assert job["hidden"]["face"] > 100


def test_the_check_sees_the_draft_mirrored(stack: Deployed, rekognition: Rekognition) -> None:
    rekognition.replies.extend([[], [face(0.1, 0.1, 0.2, 0.2)]])
    job = stack.run(astronaut())
    assert (job["status"], job["hidden"]["face"], job["missed_at_first"]) == ("COMPLETED", 1, 1)
    (found,) = receipt_of(stack, job)["boxes"]
    assert (found["found_in"], found["round"], found["left"]) == ("check", 1, pytest.approx(0.7, abs=0.01))


def test_a_job_over_its_share_of_calls_fails(stack: Deployed) -> None:
    with set_to(stack, CALLS_A_JOB="1"):
        job = stack.run(flower())
    begin = ["Claim the job", "Is it known what to hide?", DETECT, "Must a person look first?"]
    assert_failed(stack, job, "PhotoTooExpensive", [*begin, "Hide what was found", "Check the result", *FAILURE])


def test_a_throttle_in_the_middle_repeats_no_paid_call(stack: Deployed, rekognition: Rekognition) -> None:
    hundred = [face(column / 12, row / 12, 0.04, 0.04) for row in range(10) for column in range(10)]
    rekognition.replies.append(hundred)
    rekognition.replies.extend([[]] * 2 + [THROTTLED] * 6)
    job = stack.run(flower())
    assert job["status"] == "COMPLETED"
    assert sum("S3Object" in image for image in rekognition.images) == 1
    # The first detection sends the photo and its quarters, and the check sends the draft.
    assert receipt_of(stack, job)["billable_calls"] == 5 + 1


@pytest.mark.usefixtures("asking_both")
class TestBoth:
    def test_text_found_by_either_detector_is_hidden(self, stack: Deployed, rekognition: Rekognition) -> None:
        rekognition.text_replies.append(line(PLATE))
        job = stack.run(street_with_plate(0)[0], kinds=["text"])
        assert job["status"] == "COMPLETED"
        assert {box["found_by"] for box in receipt_of(stack, job)["boxes"]} == {"embedded", "rekognition"}

    def test_faces_found_by_either_detector_are_hidden(self, stack: Deployed, rekognition: Rekognition) -> None:
        rekognition.replies.append([face(0.05, 0.75, 0.2, 0.2)])
        job = stack.run(astronaut())
        assert (job["status"], job["hidden"]["face"]) == ("COMPLETED", 2)
        found = receipt_of(stack, job)["boxes"]
        assert {face["found_by"] for face in found} == {"embedded", "rekognition"}

    def test_a_face_found_by_both_detectors_counts_once(self, stack: Deployed, rekognition: Rekognition) -> None:
        alone = stack.run(astronaut())
        (box,) = receipt_of(stack, alone)["boxes"]
        rekognition.replies.append([face(box["left"], box["top"], box["width"], box["height"])])
        together = stack.run(astronaut())
        assert (alone["hidden"]["face"], together["hidden"]["face"]) == (1, 1)

    def test_an_outage_of_one_detector_fails_the_job(self, stack: Deployed, rekognition: Rekognition) -> None:
        rekognition.default = BROKEN
        job = stack.run(astronaut())
        assert_failed(stack, job, "DetectorUnavailable", [*TO_DETECT, ONE, *FAILURE])

    def test_a_job_that_may_go_on_with_one_detector_warns_of_it(
        self, stack: Deployed, rekognition: Rekognition
    ) -> None:
        rekognition.default = BROKEN
        job = stack.run(astronaut(), require_all_detectors=False)
        assert (job["status"], job["hidden"]["face"]) == ("COMPLETED", 1)
        assert "OneDetectorOnly" in job["warnings"]
        assert stack.path(job["job_id"])[:5] == [*TO_DETECT, ONE, DETECT]

    def test_a_throttled_function_drops_no_detector(self, stack: Deployed) -> None:
        """Its retries are no sign that a detector is away."""
        created = stack.create(require_all_detectors=False)
        throttled: list[dict[str, Any]] = [{"raise": "Lambda.TooManyRequestsException"}] * 8
        stack.plan(created["job_id"], "detect", *throttled, {"raise": "DetectorUnavailable"})
        stack.upload(created, astronaut())
        job = stack.ended(created["job_id"])
        assert job["status"] == "COMPLETED"
        assert "OneDetectorOnly" not in job["warnings"]
        assert ONE not in stack.path(job["job_id"])
