"""Reviews, with and without an answer, and redos in the deployed stack."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageStat

from faceblur_cli.stack import sam
from faceblur_cli.stack.emulator import emulator
from faceblur_cli.stack.recovery import recover
from tests.support.pictures.photos import astronaut, flower, png
from tests.support.pictures.plates import street_with_plate
from tests.support.stack.deployed import Deployed, assert_failed, eventually, request, with_faults
from tests.support.standins.loopback import reserved_port

if TYPE_CHECKING:
    from pathlib import Path

CLAIM, KNOWN, DETECT = "Claim the job", "Is it known what to hide?", "Detect what to hide"
REVIEW = ["Draw a preview", "Ask a person", "Record the answer"]
FROM_HIDE = ["Hide what was found", "Check the result", "Was something missed?", "Keep the original?"]
RECORD = ["Record the result", "Job completed"]
ALWAYS = {"review": "always"}


def put(stack: Deployed, job_id: str, **decision: Any) -> tuple[int, dict[str, Any]]:
    """Answer a job's review: the status and the body."""
    answer = stack.call("PUT", f"/jobs/{job_id}/review", json=decision)
    return answer.status_code, answer.json()


def redo(stack: Deployed, job_id: str, **changes: Any) -> tuple[int, dict[str, Any]]:
    """Ask to do a job again: the status and the body."""
    answer = stack.call("POST", f"/jobs/{job_id}/redo", json=changes)
    return answer.status_code, answer.json()


def token_of(stack: Deployed, job_id: str) -> str:
    """The token with which the job's execution waits."""
    row = stack.row(job_id)
    assert row is not None
    return str(row["review_token"]["S"])


def pixels(photo: bytes) -> bytes:
    """The photo's pixels."""
    return Image.open(BytesIO(photo)).convert("RGB").tobytes()


def inside(box: dict[str, Any], place: dict[str, float], *, share: float) -> bool:
    """Whether more than this share of the place lies in the box."""
    across = min(box["left"] + box["width"], place["left"] + place["width"]) - max(box["left"], place["left"])
    down = min(box["top"] + box["height"], place["top"] + place["height"]) - max(box["top"], place["top"])
    return max(across, 0) * max(down, 0) > share * place["width"] * place["height"]


def result_of(job: dict[str, Any]) -> bytes:
    """The result of a job."""
    return request("GET", job["result"]["url"]).content


class TestReview:
    def test_there_is_no_result_before_the_answer_and_a_kept_face_is_bit_identical(self, deployed: Deployed) -> None:
        photo = png(astronaut())
        job_id = deployed.start(photo, **ALWAYS)
        asked = deployed.asked(job_id)
        assert "result" not in asked
        assert not [key for key in deployed.objects(job_id) if key.startswith(("results/", "receipts/"))]
        (box,) = asked["review"]["boxes"]
        assert (box["id"], box["hidden"], box["found_by"]) == (1, True, "embedded")
        preview = request("GET", asked["review"]["preview"]["url"])
        size = asked["review"]["preview"]["width"], asked["review"]["preview"]["height"]
        assert Image.open(BytesIO(preview.content)).size == size
        assert datetime.fromisoformat(asked["review"]["expires_at"]) > datetime.now(UTC)
        token = token_of(deployed, job_id)

        status, body = put(deployed, job_id, keep=[{"id": 1}])

        assert (status, body["status"]) == (200, "PROCESSING")
        assert deployed.shown(job_id)["status"] != "AWAITING_REVIEW"
        job = deployed.ended(job_id)
        assert (job["status"], job["hidden"]["face"], job["kept"]["face"], job["reviewed"]) == ("COMPLETED", 0, 1, True)
        assert pixels(result_of(job)) == pixels(photo)
        path = [CLAIM, KNOWN, DETECT, "Must a person look first?", *REVIEW, *FROM_HIDE, "Delete the original", *RECORD]
        assert deployed.path(job_id) == path
        row = deployed.row(job_id)
        assert row is not None
        assert "review_token" not in row
        assert token not in json.dumps([asked, body, job])
        assert deployed.objects(job_id) == [f"receipts/{job_id}.json", next(iter(results(deployed, job_id)))]
        assert put(deployed, job_id, keep=[{"id": 1}])[1]["code"] == "ReviewClosed"

    def test_the_first_of_two_answers_counts(self, deployed: Deployed) -> None:
        job_id = deployed.start(png(astronaut()), **ALWAYS)
        deployed.asked(job_id)
        assert put(deployed, job_id)[0] == 200
        second = put(deployed, job_id, only=[])
        assert (second[0], second[1]["code"]) == (409, "ReviewClosed")
        job = deployed.ended(job_id)
        assert (job["hidden"]["face"], job["kept"]["face"], job["reviewed"]) == (1, 0, True)

    def test_a_place_drawn_by_hand_is_hidden(self, deployed: Deployed) -> None:
        job_id = deployed.start(png(flower()), review="when_unsure")
        assert deployed.asked(job_id)["review"]["boxes"] == []
        place = {"left": 0.4, "top": 0.4, "width": 0.2, "height": 0.2, "style": "solid"}
        assert put(deployed, job_id, hide=[place])[0] == 200
        job = deployed.ended(job_id)
        assert (job["status"], job["hidden"]["face"], job["warnings"]) == ("COMPLETED", 1, [])
        result = Image.open(BytesIO(result_of(job))).convert("RGB")
        assert result.getpixel((result.width // 2, result.height // 2)) == (0, 0, 0)
        (box,) = request("GET", job["receipt"]["url"]).json()["boxes"]
        assert (box["found_by"], box["found_in"], box["round"]) == ("person", "person", 0)

    def test_a_wrong_answer_changes_nothing(self, deployed: Deployed) -> None:
        job_id = deployed.start(flower(), **ALWAYS)
        deployed.asked(job_id)
        before = deployed.row(job_id), deployed.objects(job_id)
        status, body = put(deployed, job_id, keep=[{"id": 7}])
        assert (status, body["code"]) == (400, "InvalidDecision")
        assert (deployed.row(job_id), deployed.objects(job_id)) == before
        assert deployed.call("DELETE", f"/jobs/{job_id}").status_code == 204

    def test_a_job_deleted_while_it_waits_leaves_nothing(self, deployed: Deployed) -> None:
        job_id = deployed.start(flower(), **ALWAYS)
        deployed.asked(job_id)
        assert deployed.call("DELETE", f"/jobs/{job_id}").status_code == 204
        assert deployed.execution(job_id) == "ABORTED"
        assert deployed.row(job_id) is None
        eventually(lambda: deployed.objects(job_id) == [], "the erasure")
        status, body = put(deployed, job_id)
        assert (status, body["code"]) == (404, "JobNotFound")

    def test_a_job_that_was_not_asked_takes_no_answer(self, deployed: Deployed) -> None:
        job = deployed.run(flower())
        status, body = put(deployed, job["job_id"])
        assert (status, body["code"]) == (409, "ReviewClosed")

    def test_an_answer_whose_last_write_was_lost_still_lets_the_job_go_on(self, deployed: Deployed) -> None:
        job_id = deployed.start(flower(), **ALWAYS)
        deployed.asked(job_id)
        fault = {"aws": {"service": "dynamodb", "answer": "refused", "after": 2, "times": 1}}
        answer = deployed.call("PUT", f"/jobs/{job_id}/review", headers={"X-Fault": json.dumps(fault)})
        assert answer.status_code == 500
        assert deployed.ended(job_id)["reviewed"] is True

    def test_the_logs_hold_no_token(self, deployed: Deployed) -> None:
        job_id = deployed.start(flower(), **ALWAYS)
        deployed.asked(job_id)
        token = token_of(deployed, job_id)
        put(deployed, job_id)
        deployed.ended(job_id)
        logs, group = deployed.stack.client("logs"), deployed.stack.outputs["FunctionsLogGroupName"]
        events = logs.filter_log_events(logGroupName=group)["events"]
        assert not [event for event in events if token in event["message"]]


def results(stack: Deployed, job_id: str) -> list[str]:
    """The keys of the job's drafts and results."""
    return [key for key in stack.objects(job_id) if key.startswith("results/")]


def finished(stack: Deployed, job_id: str, redos: int = 1) -> dict[str, Any]:
    """The job after its redo has ended."""
    job = stack.ended(job_id)
    eventually(lambda: stack.execution(f"{job_id}-{redos}") in {"SUCCEEDED", "FAILED"}, "the end of the redo")
    return job


class TestRedo:
    def test_the_same_faces_in_another_style(self, deployed: Deployed) -> None:
        first = deployed.run(png(astronaut()), keep_original=1)
        job_id, before = first["job_id"], result_of(first)
        assert datetime.fromisoformat(first["redo_until"]) > datetime.now(UTC)
        status, body = redo(deployed, job_id, style="solid", colour="#ff00ff")
        assert (status, body["status"], body["options"]["style"]) == (202, "PROCESSING", "solid")
        job = finished(deployed, job_id)
        assert (job["status"], job["hidden"]["face"], job["options"]["style"]) == ("COMPLETED", 1, "solid")
        assert "redo_error" not in job
        assert deployed.path(f"{job_id}-1") == [CLAIM, KNOWN, *FROM_HIDE, *RECORD]
        assert pixels(result_of(job)) != pixels(before)
        eventually(lambda: len(results(deployed, job_id)) == 1, "the erasure of the first result")
        again = redo(deployed, job_id, keep=[{"id": 1}], keep_original=0)
        assert again[0] == 202
        job = finished(deployed, job_id, 2)
        assert (job["hidden"]["face"], job["kept"]["face"], job["reviewed"]) == (0, 1, True)
        assert "redo_until" not in job
        refused = redo(deployed, job_id, style="blur")
        assert (refused[0], refused[1]["code"]) == (409, "OriginalDeleted")

    def test_a_redo_that_fails_keeps_the_last_result(self, deployed: Deployed) -> None:
        first = deployed.run(png(astronaut()), keep_original=1)
        job_id, before = first["job_id"], result_of(first)
        deployed.plan(job_id, "hide", {"raise": "KeyError"})
        assert redo(deployed, job_id, style="solid")[0] == 202
        job = finished(deployed, job_id)
        assert (job["status"], job["redo_error"]["code"]) == ("COMPLETED", "InternalError")
        assert (job["options"], job["hidden"]["face"]) == (first["options"], 1)
        assert result_of(job) == before
        assert request("GET", job["receipt"]["url"]).json()["job_id"] == job_id
        assert redo(deployed, job_id, style="pixelate")[0] == 202
        job = finished(deployed, job_id, 2)
        assert (job["options"]["style"], "redo_error" in job) == ("pixelate", False)

    def test_earlier_decisions_apply_to_a_new_detection(self, deployed: Deployed) -> None:
        place = {"left": 0.7, "top": 0.7, "width": 0.2, "height": 0.2}
        first = deployed.run(png(astronaut()), keep_original=1, hide=[place])
        job_id = first["job_id"]
        assert first["hidden"]["face"] == 2
        assert redo(deployed, job_id, min_confidence=60, keep=[{"id": 1}])[1]["code"] == "InvalidDecision"
        assert redo(deployed, job_id, min_confidence=60)[0] == 202
        job = finished(deployed, job_id)
        assert (job["status"], job["hidden"]["face"]) == ("COMPLETED", 2)
        assert DETECT in deployed.path(f"{job_id}-1")

    def test_a_kept_face_keeps_no_plate_and_the_check_hides_what_a_small_box_leaves(self, deployed: Deployed) -> None:
        photo, plate = street_with_plate(0)
        left, top, right, bottom = plate.getbbox()
        width, height = plate.size
        around = {"left": left / width, "top": top / height, "width": (right - left) / width}
        around["height"] = (bottom - top) / height
        first = deployed.run(photo, kinds=["plate"], keep_original=1, keep=[around])
        job_id = first["job_id"]
        assert (first["hidden"]["plate"] > 0, first["kept"]) == (True, {"face": 0, "plate": 0, "text": 0})
        (box,) = [
            box for box in request("GET", first["receipt"]["url"]).json()["boxes"] if inside(box, around, share=0.5)
        ]
        half = around | {"width": around["width"] / 2, "padding": 0.1}
        assert redo(deployed, job_id, style="solid", shape="box", hide=[half | {"id": box["id"]}])[0] == 202
        job = finished(deployed, job_id)
        assert (job["status"], job["missed_at_first"] > 0) == ("COMPLETED", True)
        result = Image.open(BytesIO(result_of(job))).convert("L")
        assert ImageStat.Stat(result, plate).mean[0] < 25

    def test_a_person_is_asked_again_with_the_last_result_at_hand(self, deployed: Deployed) -> None:
        first = deployed.run(png(astronaut()), keep_original=1)
        job_id = first["job_id"]
        assert redo(deployed, job_id, review="always")[0] == 202
        asked = deployed.asked(job_id)
        assert len(asked["review"]["boxes"]) == 1
        assert result_of(asked) == result_of(first)
        assert put(deployed, job_id, only=[])[0] == 200
        assert finished(deployed, job_id)["hidden"]["face"] == 0
        assert deployed.path(f"{job_id}-1") == [CLAIM, KNOWN, *REVIEW, *FROM_HIDE, *RECORD]

    def test_a_redo_deleted_while_it_waits_leaves_nothing(self, deployed: Deployed) -> None:
        job_id = deployed.run(flower(), keep_original=1)["job_id"]
        assert redo(deployed, job_id, review="always")[0] == 202
        deployed.asked(job_id)
        assert deployed.call("DELETE", f"/jobs/{job_id}").status_code == 204
        assert deployed.execution(f"{job_id}-1") == "ABORTED"
        eventually(lambda: deployed.objects(job_id) == [], "the erasure")

    def test_a_job_that_is_not_completed_is_not_done_again(self, deployed: Deployed) -> None:
        job_id = deployed.create()["job_id"]
        status, body = redo(deployed, job_id, style="solid")
        assert (status, body["code"]) == (409, "JobNotFinished")


def test_a_restart_ends_the_jobs_that_wait(built: Path, tmp_path: Path) -> None:
    """The first job fails and leaves nothing. The other job is in a redo and keeps its last result."""
    plans, state = tmp_path / "plans", tmp_path / "aws"
    plans.mkdir()
    with reserved_port() as port, with_faults(plans) as copy:
        with emulator(port, state, SFN_WAIT_SCALE="0") as endpoint:
            stack = Deployed(sam.deploy(endpoint, copy), plans)
            waiting = stack.start(flower(), **ALWAYS)
            again = stack.run(flower(), keep_original=1)["job_id"]
            assert redo(stack, again, review="always")[0] == 202
            for job_id in (waiting, again):
                stack.asked(job_id)
        with emulator(port, state, SFN_WAIT_SCALE="0"):
            late = put(stack, waiting)
            assert (late[0], late[1]["code"]) == (409, "ReviewClosed")
            recover(stack.stack)
            assert_failed(stack, stack.ended(waiting), "Aborted")
            job = stack.ended(again)
            assert (job["status"], job["redo_error"]["code"]) == ("COMPLETED", "Aborted")
            assert request("GET", job["result"]["url"]).status_code == 200
