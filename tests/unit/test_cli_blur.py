"""`faceblur blur` against an API in memory."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from click.testing import CliRunner

from faceblur_cli import main
from faceblur_cli.folder.journal import NoJournal
from faceblur_cli.folder.one import Wishes
from faceblur_cli.folder.pace import Pace
from faceblur_cli.folder.report import Report
from faceblur_cli.folder.run import hide_all
from faceblur_cli.redo import redo
from faceblur_client import CallFailed, Client, Stopped, WrongAddress
from tests.support.counts import faces
from tests.support.standins.loopback import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

API = "http://api.test/v1"
DONE = {
    "status": "COMPLETED",
    "hidden": faces(2),
    "missed_at_first": 1,
    "kept": faces(0),
    "check_rounds": 2,
    "warnings": [],
    "reviewed": False,
    "result": {"url": "http://s3.test/result", "content_type": "image/jpeg"},
}


def client(*jobs: dict[str, object]) -> Client:
    """A client of an API whose job is in these states, one after the other."""
    shown = iter(jobs)

    def answer(request: httpx.Request) -> httpx.Response:
        match request.method, request.url.host, request.url.path:
            case "POST", "api.test", "/v1/jobs":
                form = {"url": "http://s3.test/upload", "fields": {"key": "uploads/0a"}, "max_bytes": 35_000_000}
                return httpx.Response(201, json={"job_id": "0a", "upload": form})
            case "POST", "s3.test", "/upload":
                return httpx.Response(204)
            case "POST", "api.test", "/v1/jobs/0a/redo":
                return httpx.Response(202, json={"job_id": "0a", "status": "PROCESSING"})
            case "GET", "api.test", "/v1/jobs/0a":
                return httpx.Response(200, json={"job_id": "0a"} | next(shown))
            case "GET", "s3.test", "/result":
                return httpx.Response(200, content=b"result")
        return httpx.Response(404, json={"code": "JobNotFound", "message": "There is no such job."})

    return Client(API, transport=httpx.MockTransport(answer))


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client does not wait."""
    monkeypatch.setattr(Client, "_pause", lambda *_: None)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "party.JPG"
    path.write_bytes(b"a photo")
    return path


def reports_of(api: Client, photos: list[Path], out: Path | None = None) -> list[Report]:
    reports: list[Report] = []

    def tell(report: Report) -> None:
        if report.is_final:
            reports.append(report)

    hide_all(photos, api, Pace(1, grows=False), NoJournal(), Wishes({}, out), tell)
    return reports


def test_the_result_is_stored_beside_its_photo(photo: Path) -> None:
    (report,) = reports_of(client({"status": "PROCESSING"}, DONE), [photo])
    assert report.output == str(photo.with_name("party.blurred.jpg"))
    assert photo.with_name("party.blurred.jpg").read_bytes() == b"result"
    assert (report.status, report.hidden, report.error, report.job_id) == ("COMPLETED", faces(2), None, "0a")
    assert (report.missed_at_first, report.check_rounds) == (1, 2)
    assert photo.read_bytes() == b"a photo"


@pytest.mark.parametrize(
    ("outcome", "summary"),
    [
        ({"hidden": faces(1), "missed_at_first": 0, "check_rounds": 1}, "1 face hidden; 1 check"),
        (
            {"hidden": {"face": 2, "plate": 1, "text": 0}, "missed_at_first": 0},
            "2 faces, 1 number plate hidden; 2 checks",
        ),
        (
            {"hidden": faces(0), "kept": faces(1)},
            "nothing hidden, 1 of them found by a check, 1 face kept visible; 2 checks",
        ),
        ({}, "2 faces hidden, 1 of them found by a check; 2 checks"),
        (
            {"hidden": faces(9), "missed_at_first": 7, "check_rounds": 5, "warnings": ["ChecksNotSettled"]},
            "9 faces hidden, 7 of them found by a check; 5 checks (ChecksNotSettled, please look)",
        ),
    ],
)
def test_the_summary_tells_what_the_checks_found(photo: Path, outcome: dict[str, object], summary: str) -> None:
    (report,) = reports_of(client(DONE | outcome), [photo])
    assert report.summary == f"{photo}: {summary} → {report.output}"


@pytest.mark.parametrize(
    ("content_type", "extension"),
    [
        ("image/jpeg", "jpg"),
        ("image/png", "png"),
        ("image/webp", "webp"),
        ("image/avif", "avif"),
        ("image/tiff", "tif"),
        ("image/bmp", "bmp"),
    ],
)
def test_the_result_has_the_extension_of_its_format(photo: Path, content_type: str, extension: str) -> None:
    result = {"url": "http://s3.test/result", "content_type": content_type}
    (report,) = reports_of(client(DONE | {"result": result}), [photo])
    assert report.output == str(photo.with_name(f"party.blurred.{extension}"))


def test_photos_with_the_same_name_get_numbered_results(photo: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / photo.name
    other.parent.mkdir()
    other.write_bytes(b"another photo")
    reports = reports_of(client(DONE, DONE), [photo, other], tmp_path / "out")
    assert [report.output for report in reports] == [
        str(tmp_path / "out" / "party.blurred.jpg"),
        str(tmp_path / "out" / "party.blurred-2.jpg"),
    ]


def test_a_failed_job_is_reported_and_leaves_no_file(photo: Path, tmp_path: Path) -> None:
    error = {"code": "CorruptImage", "message": "This photo is damaged."}
    (report,) = reports_of(client({"status": "FAILED", "error": error}), [photo])
    assert (report.status, report.error, report.output) == ("FAILED", error, None)
    assert list(tmp_path.iterdir()) == [photo]


def test_a_failed_download_leaves_no_file(photo: Path, tmp_path: Path) -> None:
    gone = DONE | {"result": {"url": "http://s3.test/gone", "content_type": "image/jpeg"}}
    (report,) = reports_of(client(gone), [photo])
    assert report.status == "FAILED"
    assert list(tmp_path.iterdir()) == [photo]


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (httpx.Response(401, json={}), "NotSignedIn", "FACEBLUR_TOKEN"),
        (
            httpx.Response(429, json={"code": "BudgetSpent", "message": "Try again tomorrow."}),
            "BudgetSpent",
            "tomorrow",
        ),
        (httpx.Response(503), "Unavailable", "cannot answer"),
        (httpx.Response(200, text="<html>"), "WrongAddress", "Check the API's address"),
    ],
)
def test_what_concerns_all_photos_ends_the_run(photo: Path, answer: httpx.Response, code: str, words: str) -> None:
    with pytest.raises(CallFailed, match=words) as caught:
        reports_of(Client(API, transport=httpx.MockTransport(lambda _: answer)), [photo])
    assert caught.value.code == code


class Storage(BaseHTTPRequestHandler):
    """A storage that refuses what comes to a presigned address, in the way that the address names."""

    def answer(self) -> None:
        kind = self.path.partition("?")[0]
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if kind == "/cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut")
        elif kind == "/garbled":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\ncut")
        elif kind == "/redirected":
            self.send_response(307)
            self.send_header("Location", self.path)
            self.end_headers()
        elif kind != "/silent":
            self.send_error(int(kind[1:]))

    do_GET = do_POST = answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


REFUSALS = [
    ("403", "403 Forbidden"),
    ("500", "cannot answer at the moment (500)"),
    ("redirected", "307 Temporary Redirect"),
    ("silent", "127.0.0.1 cannot be reached"),
    ("cut", "127.0.0.1 cannot be reached"),
    ("garbled", "127.0.0.1 cannot be reached"),
]


@pytest.mark.enable_socket
@pytest.mark.parametrize(("refusal", "reason"), REFUSALS)
@pytest.mark.parametrize("at_upload", [True, False], ids=["upload", "download"])
def test_no_error_tells_a_presigned_address(
    photo: Path, tmp_path: Path, refusal: str, reason: str, at_upload: bool
) -> None:
    """Who has the address of a photo has the photo."""
    if at_upload and refusal in {"cut", "garbled"}:
        refusal, reason = "503", "cannot answer at the moment (503)"
    with LoopbackServer(Storage) as storage:
        address = f"{storage.url}/{refusal}?X-Amz-Signature=secret"

        def answer(request: httpx.Request) -> httpx.Response:
            if request.url.host != "api.test":
                return httpx.HTTPTransport().handle_request(request)
            if request.method == "POST":
                upload = {"url": address, "fields": {"policy": "secret"}, "max_bytes": 35_000_000}
                return httpx.Response(201, json={"job_id": "0a", "upload": upload})
            return httpx.Response(200, json=DONE | {"result": {"url": address, "content_type": "image/jpeg"}})

        def without_upload(request: httpx.Request) -> httpx.Response:
            uploads = request.method == "POST" and request.url.host != "api.test"
            return httpx.Response(204) if uploads else answer(request)

        api = Client(API, transport=httpx.MockTransport(answer if at_upload else without_upload))
        try:
            told = json.dumps([asdict(report) for report in reports_of(api, [photo])])
        except CallFailed as error:
            told = error.message
    assert reason in told
    assert "secret" not in told
    assert list(tmp_path.iterdir()) == [photo]


def test_an_address_that_is_none(photo: Path) -> None:
    form = {"url": "http://s3.test:secret/", "fields": {}, "max_bytes": 35_000_000}
    created = httpx.Response(201, json={"job_id": "0a", "upload": form})
    with pytest.raises(
        WrongAddress, match=re.escape("The API uses an address that is not valid. Check the API's address.")
    ):
        reports_of(Client(API, transport=httpx.MockTransport(lambda _: created)), [photo])


def test_a_photo_that_cannot_be_read(photo: Path) -> None:
    photo.unlink()
    (report,) = reports_of(client(DONE), [photo])
    assert report.error is not None
    assert report.error["code"] == "PhotoUnreadable"


def test_an_interrupt_ends_the_waiting_for_all_jobs(photo: Path) -> None:
    def interrupt(_: Report) -> None:
        raise KeyboardInterrupt

    api = client(DONE)
    with pytest.raises(KeyboardInterrupt):
        hide_all([photo], api, Pace(1, grows=False), NoJournal(), Wishes({}), interrupt)
    with pytest.raises(Stopped):
        api.wait_for("0a")


@pytest.mark.parametrize(
    ("warnings", "reviewed", "look"),
    [
        ([], False, False),
        (["DarkPhoto"], False, False),
        (["NothingFound"], False, True),
        (["BelowConfidence"], False, True),
        (["ChecksNotSettled", "DarkPhoto"], False, True),
        (["NothingFound"], True, False),
        (["ChecksNotSettled"], True, True),
    ],
)
def test_results_at_which_somebody_should_look(photo: Path, warnings: list[str], reviewed: bool, look: bool) -> None:
    (report,) = reports_of(client(DONE | {"warnings": warnings, "reviewed": reviewed}), [photo])
    assert report.needs_inspection is look
    assert ("please look" in report.summary) is look


def test_a_job_is_done_again(tmp_path: Path) -> None:
    report = redo(client({"status": "PROCESSING"}, DONE), "0a", tmp_path / "new", {"style": "solid"}, lambda _: None)
    assert report.error is None
    assert report.output == str(tmp_path / "new" / "0a.blurred.jpg")


def test_a_redo_that_fails_stores_nothing(tmp_path: Path) -> None:
    error = {"code": "TimedOut", "message": "This photo took too long to process."}
    report = redo(client(DONE | {"redo_error": error}), "0a", tmp_path, {}, lambda _: None)
    assert (report.status, report.error, report.output) == ("FAILED", error, None)
    assert list(tmp_path.iterdir()) == []


def test_a_redo_that_is_refused(tmp_path: Path) -> None:
    report = redo(client(), "0b", tmp_path, {}, lambda _: None)
    assert report.error is not None
    assert report.error["code"] == "JobNotFound"


# ---------------------------------------------------------------- the command


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """The fields that a command sends; its job has the outcome DONE, and no face was found."""
    fields: list[dict[str, Any]] = []
    inner = client({"status": "AWAITING_REVIEW"}, DONE | {"warnings": ["NothingFound"]})._http._transport

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and request.url.host == "api.test":
            fields.append(json.loads(request.content))
        return inner.handle_request(request)

    monkeypatch.setattr(
        main, "Client", lambda _, **options: Client(API, transport=httpx.MockTransport(answer), **options)
    )
    return fields


def run(*arguments: str) -> Any:
    return CliRunner().invoke(main.cli, [*arguments, "--api", API])


def test_places_and_ids_of_faces(asked: list[dict[str, Any]], tmp_path: Path) -> None:
    run("redo", "0a", "--out", str(tmp_path), "-o", "style=solid", "--keep", "3", "--hide", "0.1,0.2,0.3,.4")
    assert asked == [
        {
            "style": "solid",
            "keep": [{"id": 3}],
            "hide": [{"left": 0.1, "top": 0.2, "width": 0.3, "height": 0.4}],
        }
    ]


def test_several_kinds_are_named_in_a_list(asked: list[dict[str, Any]], photo: Path) -> None:
    run("blur", str(photo), "-o", "kinds=face,plate", "-o", 'keep_metadata=["time"]')
    assert asked == [{"kinds": ["face", "plate"], "keep_metadata": ["time"]}]


def test_only_these_places(asked: list[dict[str, Any]], photo: Path) -> None:
    run("blur", str(photo), "--only", "0,0,1,0.5")
    assert asked == [{"only": [{"left": 0.0, "top": 0.0, "width": 1.0, "height": 0.5}]}]


def test_a_place_may_say_its_kind(asked: list[dict[str, Any]], photo: Path) -> None:
    run("blur", str(photo), "--keep", "0,0,1,0.5,plate")
    assert asked == [{"keep": [{"left": 0.0, "top": 0.0, "width": 1.0, "height": 0.5, "kind": "plate"}]}]


@pytest.mark.parametrize("place", ["", "1,2", "a,b,c,d", "0.1,0.2,0.3,0.4,0.5", "0,0,1,1,car", "-1"])
def test_a_place_that_is_none(asked: list[dict[str, Any]], photo: Path, place: str) -> None:
    outcome = run("blur", str(photo), f"--hide={place}")
    assert outcome.exit_code == 2
    assert "LEFT,TOP,WIDTH,HEIGHT" in outcome.output
    assert asked == []


def test_a_result_at_which_somebody_should_look_ends_with_3(asked: list[dict[str, Any]], photo: Path) -> None:
    assert run("blur", str(photo)).exit_code == 3


def test_a_review_opens_the_editor_of_the_page(
    asked: list[dict[str, Any]], photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(main, "_has_screen", lambda: True)
    monkeypatch.setattr(main.webbrowser, "open", opened.append)
    run("blur", str(photo), "--review", "--page", "https://page.test/")
    assert asked == [{"review": "always"}]
    assert opened == ["https://page.test/#job=0a"]


def test_a_review_through_an_api_needs_the_page(asked: list[dict[str, Any]], photo: Path) -> None:
    outcome = run("blur", str(photo), "--review")
    assert "--page" in str(outcome.exception)
    assert asked == []


def test_a_report_is_json() -> None:
    assert json.loads(json.dumps(asdict(Report("a.jpg"))))["status"] == "WAITING"
