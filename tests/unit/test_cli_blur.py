"""`faceblur blur` against an API that answers from memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest

from faceblur_cli.blur import Report, blur_photos
from faceblur_cli.client import ApiClient, JobFailed, refused_upload
from faceblur_cli.failures import Failure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

API = "http://api.test/v1"
DONE = {
    "status": "COMPLETED",
    "faces": 2,
    "warnings": [],
    "result": {"url": "http://s3.test/result", "content_type": "image/jpeg"},
}


def client(*jobs: dict[str, object], upload_status: int = 204, upload_answer: str = "") -> ApiClient:
    """A client of an API that shows a job in these states, one after the other."""
    shown = iter(jobs)

    def answer(request: httpx.Request) -> httpx.Response:
        match request.method, request.url.host, request.url.path:
            case "POST", "api.test", "/v1/jobs":
                form = {"url": "http://s3.test/upload", "fields": {"key": "uploads/0a"}}
                return httpx.Response(201, json={"job_id": "0a", "upload": form})
            case "POST", "s3.test", "/upload":
                return httpx.Response(upload_status, text=upload_answer)
            case "GET", "api.test", "/v1/jobs/0a":
                return httpx.Response(200, json={"job_id": "0a"} | next(shown))
            case "GET", "s3.test", "/result":
                return httpx.Response(200, content=b"blurred")
        return httpx.Response(404, json={"code": "JobNotFound", "message": "There is no such job."})

    return ApiClient(API, httpx.MockTransport(answer))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "party.JPG"
    path.write_bytes(b"a photo")
    return path


def blurred(api: ApiClient, photos: list[Path], out: Path | None = None) -> list[Report]:
    return blur_photos(api, photos, out, {}, 1, lambda _: None)


def test_the_result_lies_beside_its_photo(photo: Path) -> None:
    (report,) = blurred(client({"status": "PROCESSING"}, DONE), [photo])
    assert report.output == str(photo.with_name("party.blurred.jpg"))
    assert photo.with_name("party.blurred.jpg").read_bytes() == b"blurred"
    assert (report.status, report.faces, report.error, report.job_id) == ("COMPLETED", 2, None, "0a")
    assert photo.read_bytes() == b"a photo"


def test_photos_of_one_name_get_results_of_their_own(photo: Path, tmp_path: Path) -> None:
    reports = blurred(client(DONE, DONE), [photo, photo], tmp_path / "out")
    assert [report.output for report in reports] == [
        str(tmp_path / "out" / "party.blurred.jpg"),
        str(tmp_path / "out" / "party.blurred-2.jpg"),
    ]


def test_a_failed_job_is_reported_and_leaves_no_file(photo: Path, tmp_path: Path) -> None:
    error = {"code": "CorruptImage", "message": "This photo is damaged."}
    (report,) = blurred(client({"status": "FAILED", "error": error}), [photo])
    assert (report.status, report.error, report.output) == ("FAILED", error, None)
    assert list(tmp_path.iterdir()) == [photo]


def test_a_failed_download_leaves_no_file(photo: Path, tmp_path: Path) -> None:
    gone = DONE | {"result": {"url": "http://s3.test/gone", "content_type": "image/jpeg"}}
    (report,) = blurred(client(gone), [photo])
    assert report.status == "FAILED"
    assert list(tmp_path.iterdir()) == [photo]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("<Error><Code>EntityTooLarge</Code></Error>", "ImageTooLarge"),
        ("<Error><Code>AccessDenied</Code><Message>Policy expired.</Message></Error>", "UploadExpired"),
        ("<Error><Code>AccessDenied</Code></Error>", "UploadRefused"),
    ],
)
def test_what_s3_refuses_gets_a_code_and_a_sentence(photo: Path, answer: str, code: str) -> None:
    (report,) = blurred(client(upload_status=403, upload_answer=answer), [photo])
    assert report.error is not None
    assert report.error["code"] == code == refused_upload(answer).code


def test_an_unknown_job_is_told_by_its_code() -> None:
    with pytest.raises(JobFailed, match="no such job") as caught:
        client().get_job("0b")
    assert caught.value.code == "JobNotFound"


@pytest.mark.parametrize(
    "answer",
    [lambda _: httpx.Response(200, text="<html>"), lambda _: httpx.Response(502, text="bad gateway")],
    ids=["a page", "a proxy's error"],
)
def test_an_address_that_is_no_api(answer: Callable[[httpx.Request], httpx.Response]) -> None:
    with pytest.raises(Failure, match="does not answer as faceblur's API"):
        ApiClient(API, httpx.MockTransport(answer)).create_job({})


def test_an_api_that_cannot_be_reached(photo: Path) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    (report,) = blurred(ApiClient(API, httpx.MockTransport(refuse)), [photo])
    assert report.error is not None
    assert "cannot be reached" in report.error["message"]


def test_a_report_is_json() -> None:
    from dataclasses import asdict

    assert json.loads(json.dumps(asdict(Report("a.jpg"))))["status"] == "WAITING"
