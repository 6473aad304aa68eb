"""The deployed state machine with real functions: the job, the API's answer, the path, and what is left in S3.

test_paths.py has every branch over mocked results. These tests cover what mocks cannot show: real payloads and errors,
retries that succeed, roles, deletion, and events from AWS.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from hashlib import md5, sha256
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, ImageChops, ImageStat

from faceblur_cli.trace import history
from tests.support.pictures.photos import animation, astronaut, blank, flower, png, without_its_end
from tests.support.pictures.plates import street_with_plate
from tests.support.stack.deployed import DETECT, FAILURE, Deployed, assert_failed, eventually, function_name, request
from tests.support.standins.rekognition import THROTTLED, Refusal, face
from tests.support.storm.plans import DETECTORS, TRANSIENT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.standins.rekognition import Rekognition

HIDE, CHECK, MISSED = "Hide what was found", "Check the result", "Was something missed?"
HIDE_MISSED, LAST = "Hide what was missed", "Was this the last round?"
RAISES: dict[str, Any] = {"raise": "KeyError"}
DIES_TWICE: list[dict[str, Any]] = [{"exit": 1}, {"exit": 1}]
TO_DETECT = ["Claim the job", "Is it known what to hide?", DETECT]
HAPPY = [
    *TO_DETECT,
    "Must a person look first?",
    HIDE,
    CHECK,
    MISSED,
    "Keep the original?",
    "Delete the original",
    "Record the result",
    "Job completed",
]
TO_HIDE = HAPPY[: HAPPY.index(HIDE) + 1]
TO_CHECK = HAPPY[: HAPPY.index(MISSED) + 1]
FROM_CHECK = HAPPY[HAPPY.index(MISSED) + 1 :]
AGAIN = [HIDE_MISSED, LAST, CHECK, MISSED]
NO_FACE: dict[str, Any] = {"finds": []}


class TestCompleted:
    def test_each_requested_kind_is_hidden(self, deployed: Deployed) -> None:
        photo, plate = street_with_plate(0)
        job = deployed.run(photo, kinds=["plate", "face"])
        assert (job["status"], job["options"]["kinds"]) == ("COMPLETED", ["plate", "face"])
        receipt = request("GET", job["receipt"]["url"]).json()
        boxes = [box for box in receipt["boxes"] if box["kind"] == "plate"]
        assert receipt["hidden"]["plate"] == job["hidden"]["plate"] == len(boxes) >= 1
        assert (receipt["kinds"], receipt["hidden"]["text"]) == (["plate", "face"], 0)
        result = Image.open(BytesIO(request("GET", job["result"]["url"]).content))
        changed = ImageChops.difference(Image.open(BytesIO(photo)).convert("L"), result.convert("L"))
        assert ImageStat.Stat(changed, plate).mean[0] > 20

    def test_a_face_is_found_and_hidden(self, deployed: Deployed) -> None:
        job = deployed.run(astronaut())
        assert (job["status"], job["hidden"]["face"], job["warnings"]) == ("COMPLETED", 1, [])
        assert deployed.path(job["job_id"]) == HAPPY
        assert (job["missed_at_first"], job["check_rounds"]) == (0, 1)
        assert_went_through(job, "detect", "hide", "check")
        row = deployed.row(job["job_id"])
        assert row is not None
        assert row["status"]["S"] == "COMPLETED"
        assert_products(deployed, job["job_id"])

    def test_the_receipt_states_what_was_done(self, deployed: Deployed) -> None:
        job = deployed.run(astronaut())
        receipt = request("GET", job["receipt"]["url"]).json()
        result = request("GET", job["result"]["url"]).content
        assert receipt["input"] == {"sha256": sha256(astronaut()).hexdigest(), "bytes": len(astronaut())}
        assert receipt["output"] == {"sha256": sha256(result).hexdigest(), "bytes": len(result)}
        assert [(box["found_by"], box["found_in"], box["round"]) for box in receipt["boxes"]] == [
            ("embedded", "first", 0)
        ]
        assert stages_of(receipt) == [("detect", 0), ("hide", 0), ("check", 1)]
        assert receipt["check_rounds"] == 1
        assert receipt["billable_calls"] == 0
        assert 0 < receipt["cost_estimate"]["usd"] < 0.01

    def test_the_history_holds_neither_a_box_nor_a_digest(self, deployed: Deployed) -> None:
        job = deployed.run(astronaut())
        result = request("GET", job["result"]["url"]).content
        told = told_of(deployed, job["job_id"])
        assert job["job_id"] in told
        assert "found_by" not in told
        assert not re.search(r"[0-9a-f]{64}", told)
        digests = [name(photo).hexdigest() for photo in (astronaut(), result) for name in (sha256, md5)]
        assert not [digest for digest in digests if digest[:12] in told]

    def test_no_face_completes_with_a_warning(self, deployed: Deployed) -> None:
        job = deployed.run(flower())
        assert (job["status"], job["hidden"]["face"], job["warnings"]) == ("COMPLETED", 0, ["NothingFound"])
        assert deployed.path(job["job_id"]) == HAPPY

    def test_the_original_stays_if_asked(self, deployed: Deployed) -> None:
        job_id = deployed.run(flower(), keep_original=1)["job_id"]
        assert deployed.path(job_id) == [state for state in HAPPY if state != "Delete the original"]
        boxes, *others = sorted(deployed.objects(job_id))
        assert boxes.startswith(f"boxes/{job_id}.")
        assert [key.partition("/")[0] for key in others] == ["receipts", "results", "uploads"]

    def test_a_face_that_the_detection_missed_is_hidden_and_the_draft_is_checked_again(
        self, deployed: Deployed
    ) -> None:
        job_id, form = waiting(deployed)
        deployed.plan(job_id, "detect", NO_FACE)
        deployed.upload(form, astronaut())
        job = deployed.ended(job_id)
        assert (job["status"], job["hidden"]["face"], job["missed_at_first"]) == ("COMPLETED", 1, 1)
        assert (job["check_rounds"], job["warnings"]) == (2, [])
        assert deployed.path(job_id) == [*TO_CHECK, *AGAIN, *FROM_CHECK]
        assert_went_through(job, "detect", "hide", "check", "hide_missed")
        receipt = request("GET", job["receipt"]["url"]).json()
        assert [(box["found_in"], box["round"]) for box in receipt["boxes"]] == [("check", 1)]
        assert stages_of(receipt) == [("detect", 0), ("hide", 0), ("check", 1), ("hide_missed", 1), ("check", 2)]
        assert_products(deployed, job_id)

    def test_the_finds_of_the_fifth_check_are_hidden_and_the_job_has_a_warning(self, deployed: Deployed) -> None:
        job_id, form = waiting(deployed, style="solid", colour="#ff00ff")
        found = [box(0.15 * number, 0.3) for number in range(6)]
        deployed.plan(job_id, "detect", *({"finds": [each]} for each in found))
        deployed.upload(form, flower())
        job = deployed.ended(job_id)
        assert (job["status"], job["hidden"]["face"], job["missed_at_first"]) == ("COMPLETED", 6, 5)
        assert (job["check_rounds"], job["warnings"]) == (5, ["ChecksNotSettled"])
        assert deployed.path(job_id) == [*TO_CHECK, *AGAIN * 4, HIDE_MISSED, LAST, *FROM_CHECK]
        receipt = request("GET", job["receipt"]["url"]).json()
        assert [box["round"] for box in receipt["boxes"]] == list(range(6))
        assert receipt["warnings"] == ["ChecksNotSettled"]
        before, after = opened(flower()), opened(request("GET", job["result"]["url"]).content)
        for each in found:
            corners = (each["left"], each["top"], each["left"] + each["width"], each["top"] + each["height"])
            assert difference(before, after, corners) > 30
        assert_products(deployed, job_id)

    def test_a_fifth_check_that_finds_nothing_gives_no_warning(self, deployed: Deployed) -> None:
        job_id, form = waiting(deployed)
        found = [[box(0.15 * number, 0.3)] for number in range(5)]
        deployed.plan(job_id, "detect", *({"finds": each} for each in (*found, [])))
        deployed.upload(form, flower())
        job = deployed.ended(job_id)
        assert (job["hidden"]["face"], job["missed_at_first"], job["check_rounds"], job["warnings"]) == (5, 4, 5, [])
        assert deployed.path(job_id) == [*TO_CHECK, *AGAIN * 4, *FROM_CHECK]

    def test_a_face_that_is_covered_does_not_count_as_missed(self, deployed: Deployed) -> None:
        job_id, form = waiting(deployed)
        deployed.plan(job_id, "detect", *[{"finds": [box(0.3, 0.3)]}] * 2)
        deployed.upload(form, flower())
        job = deployed.ended(job_id)
        assert (job["status"], job["hidden"]["face"], job["check_rounds"]) == ("COMPLETED", 1, 1)
        assert deployed.path(job_id) == HAPPY

    def test_thousands_of_faces_are_hidden_and_the_history_holds_none_of_their_boxes(self, deployed: Deployed) -> None:
        job_id, form = waiting(deployed)
        crowd = [box(0.01 * column, 0.02 * row, 0.006) for row in range(50) for column in range(100)]
        deployed.plan(job_id, "detect", {"finds": crowd[:-1]}, {"finds": crowd}, {"finds": crowd})
        deployed.upload(form, blank(2000, 1500))
        job = deployed.ended(job_id)
        assert (job["status"], job["hidden"]["face"], job["missed_at_first"]) == ("COMPLETED", 5000, 1)
        assert deployed.path(job_id) == [*TO_CHECK, *AGAIN, *FROM_CHECK]
        assert len(request("GET", job["receipt"]["url"]).json()["boxes"]) == 5000
        told = told_of(deployed, job_id)
        assert "found_by" not in told
        assert len(told) < 100_000
        assert_products(deployed, job_id)
        assert deployed.call("DELETE", f"/jobs/{job_id}").status_code == 204
        assert deployed.objects(job_id) == []


class TestFailed:
    def test_no_face_fails_if_asked(self, deployed: Deployed) -> None:
        job = deployed.run(flower(), on_nothing_found="fail")
        assert_failed(deployed, job, "NothingFound", [*TO_DETECT, *FAILURE])

    @pytest.mark.parametrize(
        ("photo", "code"),
        [
            pytest.param(b"", "CorruptImage", id="empty"),
            pytest.param(b"Not a photo at all.\n" * 100, "UnsupportedFormat", id="text"),
            pytest.param(without_its_end(astronaut()), "CorruptImage", id="truncated JPEG"),
            pytest.param(without_its_end(png(astronaut())), "CorruptImage", id="truncated PNG"),
            pytest.param(blank(10_001, 10_000), "ImageTooLarge", id="more than 100 megapixels"),
            pytest.param(blank(15, 200), "ImageTooSmall", id="less than 16 pixels a side"),
            pytest.param(animation("GIF"), "UnsupportedFormat", id="animated GIF"),
            pytest.param(animation("PNG"), "UnsupportedFormat", id="animated PNG"),
            pytest.param(animation("TIFF"), "UnsupportedFormat", id="TIFF of two pages"),
        ],
    )
    def test_a_bad_photo(self, deployed: Deployed, photo: bytes, code: str) -> None:
        assert_failed(deployed, deployed.run(photo), code, [*TO_DETECT, *FAILURE])

    def test_an_error_while_claiming(self, deployed: Deployed) -> None:
        job_id, _ = waiting(deployed)
        # An input that names no job: there is nothing to claim.
        deployed.stack.client("stepfunctions").start_execution(
            stateMachineArn=deployed.stack.outputs["StateMachineArn"],
            name=job_id,
            input="{}",
        )
        assert_failed(deployed, deployed.ended(job_id), "InternalError", ["Claim the job", *FAILURE])

    @pytest.mark.parametrize(
        ("function", "calls_before", "faults", "path", "code"),
        [
            ("detect", 0, [RAISES], TO_DETECT, "InternalError"),
            ("hide", 0, DIES_TWICE, TO_HIDE, "PhotoTooDemanding"),
            ("detect", 1, [RAISES], [*TO_HIDE, CHECK], "InternalError"),
            (
                "complete_job",
                0,
                DIES_TWICE,
                [state for state in HAPPY if state != "Job completed"],
                "PhotoTooDemanding",
            ),
        ],
    )
    def test_a_function_that_raises_or_dies(
        self,
        deployed: Deployed,
        function: str,
        calls_before: int,
        faults: list[dict[str, Any]],
        path: list[str],
        code: str,
    ) -> None:
        job_id, form = waiting(deployed)
        deployed.plan(job_id, function, *[{}] * calls_before, *faults)
        deployed.upload(form, flower())
        assert_failed(deployed, deployed.ended(job_id), code, [*path, *FAILURE])

    def test_a_function_that_dies_once(self, deployed: Deployed) -> None:
        job_id, form = waiting(deployed)
        deployed.plan(job_id, "hide", {"exit": 1})
        deployed.upload(form, flower())
        assert deployed.ended(job_id)["status"] == "COMPLETED"

    def test_an_error_in_the_second_check(self, deployed: Deployed) -> None:
        """The job has two drafts and two files of boxes by then."""
        job_id, form = waiting(deployed)
        deployed.plan(job_id, "detect", NO_FACE, {"finds": [box(0.3, 0.3)]}, {"raise": "KeyError"})
        deployed.upload(form, flower())
        assert_failed(deployed, deployed.ended(job_id), "InternalError", [*TO_CHECK, *AGAIN[:3], *FAILURE])

    def test_more_faces_than_a_job_can_hide(self, deployed: Deployed) -> None:
        job_id, form = waiting(deployed)
        crowd = [box(0.0001 * (number % 9000), 0.3, 0.00005) for number in range(20_001)]
        deployed.plan(job_id, "detect", {"finds": crowd})
        deployed.upload(form, flower())
        assert_failed(deployed, deployed.ended(job_id), "TooMuchToHide", [*TO_DETECT, *FAILURE])

    def test_a_function_that_takes_too_long(self, deployed: Deployed, tmp_path: Path) -> None:
        lambda_ = deployed.stack.client("lambda")
        name = function_name(deployed, "HideFunction")
        job_id, form = waiting(deployed)
        deployed.plan(job_id, "hide", {"wait_for": str(tmp_path / "never")})
        lambda_.update_function_configuration(FunctionName=name, Timeout=2)
        try:
            deployed.upload(form, flower())
            job = deployed.ended(job_id)
        finally:
            lambda_.update_function_configuration(FunctionName=name, Timeout=120)
        assert_failed(deployed, job, "TimedOut", [*TO_HIDE, *FAILURE])

    def test_a_task_that_takes_too_long(self, deployed: Deployed, tmp_path: Path) -> None:
        stepfunctions, arn = deployed.stack.client("stepfunctions"), deployed.stack.outputs["StateMachineArn"]
        definition = stepfunctions.describe_state_machine(stateMachineArn=arn)["definition"]
        hasty = json.loads(definition)
        hasty["States"][HIDE]["TimeoutSeconds"] = 1
        job_id, form = waiting(deployed)
        release = tmp_path / "release"
        deployed.plan(job_id, "hide", {"wait_for": str(release)})
        stepfunctions.update_state_machine(stateMachineArn=arn, definition=json.dumps(hasty))
        try:
            deployed.upload(form, flower())
            job = deployed.ended(job_id)
        finally:
            stepfunctions.update_state_machine(stateMachineArn=arn, definition=definition)
            release.touch()
        assert_failed(deployed, job, "TimedOut", [*TO_HIDE, *FAILURE])

    def test_a_photo_replaced_while_it_is_processed(self, deployed: Deployed, tmp_path: Path) -> None:
        release = tmp_path / "release"
        job_id, form = waiting(deployed)
        deployed.plan(job_id, "hide", {"wait_for": str(release)})
        deployed.upload(form, flower())
        eventually(lambda: deployed.path(job_id)[-1:] == [HIDE] if deployed.execution(job_id) else False)
        deployed.upload(form, astronaut())
        release.touch()
        assert_failed(deployed, deployed.ended(job_id), "UploadReplaced", [*TO_HIDE, *FAILURE])


class TestRetries:
    def test_detection_is_retried_after_every_transient_error(self, deployed: Deployed) -> None:
        transient = [*TRANSIENT, *DETECTORS]
        job_id, form = waiting(deployed)
        deployed.plan(job_id, "detect", *({"raise": error} for error in transient))
        deployed.upload(form, flower())
        job = deployed.ended(job_id)
        assert job["status"] == "COMPLETED"
        assert deployed.path(job_id) == HAPPY
        assert deployed.visits(job_id)[HAPPY.index(DETECT)].errors == transient

    @pytest.mark.parametrize(
        ("function", "calls_before", "state"),
        [("hide", 0, HIDE), ("detect", 1, CHECK), ("complete_job", 0, "Record the result")],
    )
    def test_every_task_survives_a_transient_error(
        self, deployed: Deployed, function: str, calls_before: int, state: str
    ) -> None:
        job_id, form = waiting(deployed)
        deployed.plan(job_id, function, *[{}] * calls_before, {"raise": "Lambda.ServiceException"})
        deployed.upload(form, flower())
        assert deployed.ended(job_id)["status"] == "COMPLETED"
        assert deployed.path(job_id) == HAPPY
        assert deployed.visits(job_id)[HAPPY.index(state)].retries == 1

    def test_an_outage_fails_the_job_in_the_end(self, deployed: Deployed) -> None:
        job_id, form = waiting(deployed)
        deployed.plan(job_id, "detect", *[{"raise": "DetectorUnavailable"}] * 20)
        deployed.upload(form, flower())
        job = deployed.ended(job_id)
        assert (job["status"], job["error"]["code"]) == ("FAILED", "DetectorUnavailable")
        assert deployed.visits(job_id)[HAPPY.index(DETECT)].retries == 7


class TestDelivery:
    def test_a_message_delivered_twice_does_its_work_once(self, deployed: Deployed) -> None:
        job = deployed.run(flower())
        before = deployed.visits(job["job_id"])
        deliver(deployed, job["job_id"])
        deliver(deployed, job["job_id"])
        settle_queue(deployed)
        assert deployed.visits(job["job_id"]) == before
        assert deployed.call("GET", f"/jobs/{job['job_id']}").json()["status"] == "COMPLETED"

    def test_an_upload_without_a_job_is_erased(self, deployed: Deployed) -> None:
        job_id, form = waiting(deployed)
        deployed.stack.client("dynamodb").delete_item(
            TableName=deployed.stack.outputs["JobsTableName"], Key={"job_id": {"S": job_id}}
        )
        assert deployed.upload(form, flower()).status_code == 204
        eventually(lambda: deployed.objects(job_id) == [])
        assert deployed.row(job_id) is None
        assert deployed.execution(job_id) is None

    def test_a_second_photo_for_a_finished_job_is_erased(self, deployed: Deployed) -> None:
        job_id, form = waiting(deployed)
        deployed.upload(form, flower())
        assert deployed.ended(job_id)["status"] == "COMPLETED"
        deployed.upload(form, astronaut())
        eventually(lambda: f"uploads/{job_id}" not in deployed.objects(job_id))
        settle_queue(deployed)
        assert_products(deployed, job_id)

    def test_a_message_that_cannot_be_processed_fails_its_job(self, deployed: Deployed) -> None:
        sqs, queue = deployed.stack.client("sqs"), deployed.stack.outputs["UploadQueueUrl"]
        job_id, form = waiting(deployed)
        deployed.plan(job_id, "start_workflow", *[{"raise": "RuntimeError"}] * 3)
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "1"})
        try:
            deployed.upload(form, flower())
            job = deployed.ended(job_id)
        finally:
            sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "180"})
        assert_failed(deployed, job, "InternalError")
        assert deployed.execution(job_id) is None

    def test_no_photo_before_the_form_expires(self, deployed_with_rekognition: Deployed) -> None:
        job_id, form = waiting(deployed_with_rekognition)
        expires = datetime.fromisoformat(form["upload"]["expires_at"])
        eventually(lambda: datetime.now(UTC) > expires + timedelta(seconds=1), "expiry")
        refused = deployed_with_rekognition.upload(form, flower())
        assert (refused.status_code, "expired" in refused.text.lower()) == (403, True)
        assert_failed(deployed_with_rekognition, deployed_with_rekognition.ended(job_id), "UploadExpired")
        assert deployed_with_rekognition.execution(job_id) is None


class TestReviewExpired:
    def test_a_job_that_nobody_reviews_fails_and_leaves_nothing(
        self, deployed_with_rekognition: Deployed, rekognition: Rekognition
    ) -> None:
        rekognition.reset()
        stack = deployed_with_rekognition
        job_id = stack.start(flower(), review="always")
        stack.asked(job_id)
        path = [*TO_DETECT, "Must a person look first?", "Draw a preview", "Ask a person", *FAILURE[1:]]
        assert_failed(stack, stack.ended(job_id), "ReviewExpired", path)
        late = stack.call("PUT", f"/jobs/{job_id}/review")
        assert (late.status_code, late.json()["code"]) == (409, "ReviewClosed")


class TestEndedByAws:
    def test_an_aborted_execution(self, deployed: Deployed, tmp_path: Path) -> None:
        job_id, release = held(deployed, tmp_path)
        deployed.stack.client("stepfunctions").stop_execution(executionArn=deployed.execution_arn(job_id))
        job = deployed.ended(job_id)
        release.touch()
        assert_failed(deployed, job, "Aborted")

    def test_a_timed_out_execution(self, deployed: Deployed, tmp_path: Path) -> None:
        job_id, release = held(deployed, tmp_path)
        arn = deployed.execution_arn(job_id)
        # No execution times out in the embedded AWS, so the test sends the event that AWS would send.
        detail = {"name": job_id, "status": "TIMED_OUT", "executionArn": arn}
        deployed.stack.client("sqs").send_message(
            QueueUrl=deployed.stack.outputs["FailedExecutionsQueueUrl"],
            MessageBody=json.dumps({"source": "aws.states", "detail": detail}),
        )
        eventually(lambda: deployed.call("GET", f"/jobs/{job_id}").json()["status"] == "FAILED", "the failure")
        release.touch()
        assert_failed(deployed, deployed.ended(job_id), "TimedOut")


class TestDeletion:
    def test_a_finished_job_leaves_nothing(self, deployed: Deployed) -> None:
        job = deployed.run(flower(), keep_original=1)
        assert deployed.call("DELETE", f"/jobs/{job['job_id']}").status_code == 204
        assert deployed.row(job["job_id"]) is None
        assert deployed.objects(job["job_id"]) == []
        again = deployed.call("GET", f"/jobs/{job['job_id']}")
        assert (again.status_code, again.json()["code"]) == (404, "JobNotFound")
        assert deployed.call("DELETE", f"/jobs/{job['job_id']}").status_code == 404

    def test_a_running_job_is_stopped_and_leaves_nothing(self, deployed: Deployed, tmp_path: Path) -> None:
        job_id, release = held(deployed, tmp_path)
        assert deployed.call("DELETE", f"/jobs/{job_id}").status_code == 204
        assert deployed.call("GET", f"/jobs/{job_id}").status_code == 404
        assert deployed.execution(job_id) == "ABORTED"
        release.touch()
        eventually(lambda: (deployed.plans / f"{job_id}.hide.ended").exists(), "the end of the task")
        assert deployed.objects(job_id) == []
        assert deployed.row(job_id) is None


class TestRekognition:
    def test_its_boxes_are_hidden(self, deployed_with_rekognition: Deployed, rekognition: Rekognition) -> None:
        rekognition.reset()
        rekognition.replies.extend([[face(0.25, 0.25, 0.2, 0.3)], []])
        job = deployed_with_rekognition.run(flower())
        assert (job["status"], job["hidden"]["face"]) == ("COMPLETED", 1)
        before, after = opened(flower()), opened(request("GET", job["result"]["url"]).content)
        assert difference(before, after, (0.25, 0.25, 0.45, 0.55)) > 10
        assert difference(before, after, (0.6, 0.6, 1.0, 1.0)) < 1

    def test_its_throttling_is_waited_out(self, deployed_with_rekognition: Deployed, rekognition: Rekognition) -> None:
        rekognition.reset()
        rekognition.replies.extend([THROTTLED] * 5)
        job = deployed_with_rekognition.run(flower())
        assert job["status"] == "COMPLETED"
        assert "DetectorThrottled" in deployed_with_rekognition.visits(job["job_id"])[HAPPY.index(DETECT)].errors

    def test_its_refusal_fails_the_job(self, deployed_with_rekognition: Deployed, rekognition: Rekognition) -> None:
        rekognition.reset()
        rekognition.replies.append(Refusal("AccessDeniedException", 400))
        job = deployed_with_rekognition.run(flower())
        assert_failed(deployed_with_rekognition, job, "InternalError", [*TO_DETECT, *FAILURE])


def box(left: float, top: float, side: float = 0.1) -> dict[str, Any]:
    """A face that the detector shall find."""
    return {"left": left, "top": top, "width": side, "height": side, "confidence": 90.0, "found_by": "embedded"}


def told_of(stack: Deployed, job_id: str) -> str:
    """The whole history of a job's execution, including its input."""
    client, arn = stack.stack.client("stepfunctions"), stack.execution_arn(job_id)
    return json.dumps([*history(client, arn), client.describe_execution(executionArn=arn)], default=str)


def stages_of(receipt: dict[str, Any]) -> list[tuple[str, int]]:
    """The names and rounds of a receipt's stages."""
    return [(stage["name"], stage["round"]) for stage in receipt["stages"]]


def assert_went_through(job: dict[str, Any], *stages: str) -> None:
    """The job shows these stages in this order, and the time when it finished."""
    progress = job["progress"]
    assert list(progress) == [*stages, "finished"]
    assert sorted(progress.values()) == list(progress.values())


def assert_products(stack: Deployed, job_id: str, *more: str) -> None:
    """S3 holds the receipt, one result and these objects of a completed job, and nothing else."""
    receipt, result, *rest = stack.objects(job_id)
    assert receipt == f"receipts/{job_id}.json"
    assert result.startswith(f"results/{job_id}.")
    assert rest == list(more)


def opened(photo: bytes) -> Image.Image:
    """The photo's pixels."""
    return Image.open(BytesIO(photo)).convert("RGB")


def difference(before: Image.Image, after: Image.Image, box: tuple[float, float, float, float]) -> float:
    """The mean difference, in levels of 0…255, between two pictures within a box in fractions."""
    pixels = tuple(round(part * side) for part, side in zip(box, before.size * 2, strict=True))
    return sum(ImageStat.Stat(ImageChops.difference(before.crop(pixels), after.crop(pixels))).mean) / 3


def waiting(stack: Deployed, **options: Any) -> tuple[str, dict[str, Any]]:
    """A job that waits for its photo: its id, and what the API answered."""
    created = stack.create(**options)
    return created["job_id"], created


def held(stack: Deployed, folder: Path) -> tuple[str, Path]:
    """A job whose hide task waits until a file exists. Returns the job's id and the path of the file."""
    release = folder / "release"
    job_id, form = waiting(stack)
    stack.plan(job_id, "hide", {"wait_for": str(release)})
    stack.upload(form, flower())
    eventually(
        lambda: bool(stack.execution(job_id)) and stack.path(job_id)[-1:] == [HIDE], "the task to hide the faces"
    )
    return job_id, release


def deliver(stack: Deployed, job_id: str) -> None:
    """Send S3's message about the job's photo once more."""
    record = {"s3": {"bucket": {"name": stack.bucket}, "object": {"key": f"uploads/{job_id}"}}}
    stack.stack.client("sqs").send_message(
        QueueUrl=stack.stack.outputs["UploadQueueUrl"], MessageBody=json.dumps({"Records": [record]})
    )


def settle_queue(stack: Deployed) -> None:
    """Wait until every message of the queue is processed."""
    counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    sqs, queue = stack.stack.client("sqs"), stack.stack.outputs["UploadQueueUrl"]
    eventually(
        lambda: set(sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=counts)["Attributes"].values()) == {"0"}
    )
