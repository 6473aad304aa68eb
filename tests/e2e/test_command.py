"""The `faceblur` command with real photos and a deployed stack."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from faceblur_cli.folder.journal import NAME
from faceblur_cli.trace import digest_of_id
from tests.support.api_contract import assert_documented
from tests.support.pictures.photos import ASTRONAUT_FACE, astronaut, flower, grace_hopper
from tests.support.pictures.remains import HIDDEN, shown
from tests.support.pictures.truth import in_pixels
from tests.support.pictures.visible import faces_in
from tests.support.stack.command import FACEBLUR, faceblur, served
from tests.support.stack.deployed import eventually, request

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER_PHOTOS = 8


@pytest.fixture(scope="module")
def api(environment: dict[str, str]) -> Iterator[str]:
    """The API of a stack that `faceblur up` serves, until `faceblur down` stops it."""
    with served(environment) as (process, about):
        yield about["outputs"]["ApiUrl"]
        assert faceblur(environment, "down").returncode == 0
        assert process.wait(60) == 0
        assert process.stderr is not None
        assert "faceblur is up" in process.stderr.read()


@pytest.fixture
def photos(tmp_path: Path) -> dict[str, Path]:
    made = {"astronaut.jpg": astronaut(), "hopper.jpg": grace_hopper(), "text.jpg": b"not a photo"}
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
    return {name: tmp_path / name for name in made}


def test_faces_in_several_photos_are_hidden(
    api: str, environment: dict[str, str], photos: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    finished = faceblur(environment, "blur", photos["astronaut.jpg"], photos["hopper.jpg"], "--out", out, "--json")
    reports = [json.loads(line) for line in finished.stdout.splitlines()]
    assert finished.returncode == 0
    for report in reports:
        assert (report["hidden"]["face"], report["missed_at_first"], report["check_rounds"]) == (1, 0, 1)
        (face,) = faces_in(Path(report["photo"]).read_bytes())
        before, after = (Image.open(report[name]).convert("RGB") for name in ("photo", "output"))
        assert shown(before, after, in_pixels(face, before.size)) < HIDDEN


def test_one_bad_photo_does_not_stop_the_others(api: str, environment: dict[str, str], photos: dict[str, Path]) -> None:
    finished = faceblur(environment, "blur", photos["text.jpg"], photos["hopper.jpg"], "--json")
    # The lines are in the order in which the photos ended.
    reports = {Path(report["photo"]).name: report for report in map(json.loads, finished.stdout.splitlines())}
    bad, good = reports["text.jpg"], reports["hopper.jpg"]
    assert finished.returncode == 1
    assert (bad["status"], bad["error"]["code"], bad["output"]) == ("FAILED", "UnsupportedFormat", None)
    assert (good["status"], good["error"]) == ("COMPLETED", None)


def test_a_run_continues_after_it_was_killed(api: str, environment: dict[str, str], tmp_path: Path) -> None:
    photos, out, report = tmp_path / "photos", tmp_path / "out", tmp_path / "report.csv"
    names = [f"{number % 2}/{number}.jpg" for number in range(FOLDER_PHOTOS)]
    for name in names:
        (photos / name).parent.mkdir(parents=True, exist_ok=True)
        # Each file differs: bytes after the end of a JPEG do not change its pixels.
        (photos / name).write_bytes(astronaut() + name.encode())
    (photos / "broken.jpg").write_bytes(grace_hopper()[:2000])
    (photos / "video.mp4").write_bytes(b"\0\0\0\x18ftypisom\0\0\0\0isommp41")

    def lines() -> list[dict[str, object]]:
        journal = out / NAME
        written = journal.read_text().splitlines(keepends=True) if journal.exists() else []
        return [json.loads(line) for line in written if line.endswith("\n")]

    def stored() -> set[object]:
        return {line["path"] for line in lines() if line.get("result")}

    command = [FACEBLUR, "blur", photos, "--out", out, "--api", api, "--json"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as killed:

        def has_two_results() -> bool:
            assert killed.poll() is None, killed.communicate()
            return len(stored()) >= 2

        eventually(has_two_results, "two results")
        killed.send_signal(signal.SIGKILL)
    before = stored()
    assert len(before) < FOLDER_PHOTOS

    finished = faceblur(environment, "blur", photos, "--out", out, "--api", api, "--json", "--report", report)
    assert finished.returncode == 1, finished.stderr
    assert f"{FOLDER_PHOTOS} hidden, 1 failed, 1 skipped" in finished.stderr
    told = {line["photo"]: line for line in map(json.loads, finished.stdout.splitlines())}
    assert len(told) == len(finished.stdout.splitlines()) == FOLDER_PHOTOS + 2
    assert told[str(photos / "broken.jpg")]["error"]["code"] == "CorruptImage"
    assert told[str(photos / "video.mp4")]["skipped"] == "This is a video."
    for name in names:
        line = told[str(photos / name)]
        assert (line["status"], line["hidden"]["face"], line["output"]) == ("COMPLETED", 1, str(out / name))
        assert line["done_before"] or name not in before
        original, result = (Image.open(path).convert("RGB") for path in (photos / name, out / name))
        assert shown(original, result, in_pixels(ASTRONAUT_FACE, original.size)) < HIDDEN
    begun = [line["path"] for line in lines() if "job_id" in line and line["path"] in names]
    ended = [line["path"] for line in lines() if line.get("result")]
    assert sorted(begun) == sorted(ended) == sorted(names), "nothing was done twice"
    files = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert files == {*names, NAME}
    with report.open(newline="") as file:
        assert {row["photo"]: row["status"] for row in csv.DictReader(file)} == {
            photo: line["status"] for photo, line in told.items()
        }


def test_a_trace_shows_the_states(api: str, environment: dict[str, str], photos: dict[str, Path]) -> None:
    report = json.loads(faceblur(environment, "blur", photos["text.jpg"], "--json").stdout)
    finished = faceblur(environment, "trace", report["job_id"])
    assert finished.returncode == 0
    for words in ("FAILED", "Claim the job", "Detect what to hide", "UnsupportedFormat", "Job failed"):
        assert words in finished.stdout
    assert f"logs: {digest_of_id(report['job_id'])}" in finished.stdout
    rows = [json.loads(line) for line in faceblur(environment, "trace", report["job_id"], "--json").stdout.splitlines()]
    assert [row["state"] for row in rows][-1] == "Job failed"


def test_a_trace_of_an_unknown_job_is_an_error(api: str, environment: dict[str, str]) -> None:
    finished = faceblur(environment, "trace", "0" * 32)
    assert finished.returncode == 1
    assert "There is no execution for job" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_second_stack_is_refused(api: str, environment: dict[str, str]) -> None:
    finished = faceblur(environment, "up", "--port", "0")
    assert finished.returncode == 1
    assert "is running already" in " ".join(finished.stderr.split())


def test_the_api_works_with_plain_http_requests(api: str) -> None:
    created = request("POST", f"{api}/jobs", json={"style": "solid"})
    assert_documented("POST", "/jobs", created.status_code, created.json())
    job, form = created.json(), created.json()["upload"]
    assert request("POST", form["url"], data=form["fields"], files={"file": flower()}).status_code == 204

    def ended() -> dict[str, Any] | None:
        shown = request("GET", f"{api}/jobs/{job['job_id']}")
        assert_documented("GET", "/jobs/{job_id}", shown.status_code, shown.json())
        return shown.json() if shown.json()["status"] in {"COMPLETED", "FAILED"} else None

    shown = eventually(ended)
    result = request("GET", shown["result"]["url"])
    assert (result.status_code, result.headers["content-type"]) == (200, "image/jpeg")
    assert request("DELETE", f"{api}/jobs/{job['job_id']}").status_code == 204
    assert request("GET", shown["result"]["url"]).status_code == 404


def test_an_upload_must_match_its_form(api: str) -> None:
    form = request("POST", f"{api}/jobs").json()["upload"]
    too_large = request("POST", form["url"], data=form["fields"], files={"file": b"x" * (form["max_bytes"] + 1)})
    assert (too_large.status_code, "EntityTooLarge" in too_large.text) == (400, True)
    elsewhere = request("POST", form["url"], data=form["fields"] | {"key": "uploads/else"}, files={"file": flower()})
    assert elsewhere.status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "code"),
    [
        ("POST", "/jobs", {"json": {"style": "invisible"}}, 400, "InvalidOptions"),
        ("POST", "/jobs", {"json": {"padding": 9}}, 400, "InvalidOptions"),
        ("POST", "/jobs", {"json": {"colour_of_hair": "red"}}, 400, "InvalidOptions"),
        ("POST", "/jobs", {"json": [1]}, 400, "InvalidOptions"),
        ("POST", "/jobs", {"content": b"{"}, 400, "InvalidOptions"),
        ("GET", f"/jobs/{'0' * 32}", {}, 404, "JobNotFound"),
        ("GET", "/jobs/nonsense", {}, 404, "JobNotFound"),
        ("DELETE", f"/jobs/{'0' * 32}", {}, 404, "JobNotFound"),
    ],
)
def test_requests_that_the_api_refuses(
    api: str, method: str, path: str, content: dict[str, Any], status: int, code: str
) -> None:
    response = request(method, api + path, **content)
    assert (response.status_code, response.json()["code"]) == (status, code)
    template = "/jobs" if path == "/jobs" else "/jobs/{job_id}"
    assert_documented(method, template, response.status_code, response.json())
