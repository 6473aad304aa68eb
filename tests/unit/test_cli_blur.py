"""`faceblur blur` against an API that answers from memory."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
import pytest

from faceblur_cli.blur import Report, blur_photos
from faceblur_cli.client import ApiClient, JobFailed, Unavailable, refused_upload
from faceblur_cli.failures import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

API = "http://api.test/v1"
DONE = {
    "status": "COMPLETED",
    "faces": 2,
    "missed_at_first": 1,
    "check_rounds": 2,
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


@dataclass
class Clock:
    """A clock that goes on by what is slept, and by nothing else."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)
    at_each_sleep: Callable[[], None] = lambda: None

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        self.at_each_sleep()


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The client's clock, so that no test waits."""
    clock = Clock()
    monkeypatch.setattr("faceblur_cli.client.time", clock)
    return clock


def polled(answers: Iterator[httpx.Response | Exception]) -> ApiClient:
    """A client of an API that answers so when it is asked how a job stands."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert (request.method, request.url.path) == ("GET", "/v1/jobs/0a")
        given = next(answers)
        if isinstance(given, Exception):
            raise given
        return given

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
    assert (report.missed_at_first, report.check_rounds) == (1, 2)
    assert photo.read_bytes() == b"a photo"


@pytest.mark.parametrize(
    ("outcome", "summary"),
    [
        ({"faces": 1, "missed_at_first": 0, "check_rounds": 1}, "1 face hidden; 1 check"),
        ({}, "2 faces hidden, 1 of them found by a check; 2 checks"),
        (
            {"faces": 9, "missed_at_first": 7, "check_rounds": 5, "warnings": ["ChecksNotSettled"]},
            "9 faces hidden, 7 of them found by a check; 5 checks (ChecksNotSettled)",
        ),
    ],
)
def test_the_summary_tells_what_the_checks_found(photo: Path, outcome: dict[str, object], summary: str) -> None:
    (report,) = blurred(client(DONE | outcome), [photo])
    assert report.summary == f"{photo}: {summary} → {report.output}"


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
    [lambda _: httpx.Response(200, text="<html>"), lambda _: httpx.Response(403, text="forbidden")],
    ids=["a page", "a proxy's refusal"],
)
def test_an_address_that_is_no_api(answer: Callable[[httpx.Request], httpx.Response]) -> None:
    with pytest.raises(Failure, match="does not answer as faceblur's API"):
        ApiClient(API, httpx.MockTransport(answer)).create_job({})


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_an_api_that_has_no_answer_just_now(status: int) -> None:
    api = ApiClient(API, httpx.MockTransport(lambda _: httpx.Response(status, text="try again")))
    with pytest.raises(Unavailable, match=rf"does not answer just now \({status}\)"):
        api.create_job({})


def test_a_token_goes_to_the_api_and_nowhere_else(photo: Path) -> None:
    asked: list[tuple[str, str | None]] = []
    inner = client(DONE)._http._transport

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.url.host, request.headers.get("Authorization")))
        return inner.handle_request(request)

    (report,) = blurred(ApiClient(API, httpx.MockTransport(answer), token="a.b.c"), [photo])
    assert report.error is None
    assert set(asked) == {("api.test", "Bearer a.b.c"), ("s3.test", None)}


def test_an_api_that_asks_for_sign_in(photo: Path) -> None:
    (report,) = blurred(ApiClient(API, httpx.MockTransport(lambda _: httpx.Response(401, json={}))), [photo])
    assert report.error is not None
    assert (report.error["code"], "FACEBLUR_TOKEN" in report.error["message"]) == ("NotSignedIn", True)


def test_a_quota_that_is_spent(photo: Path) -> None:
    refusal = {"code": "TooManyJobs", "message": "No more photos are taken today. Please try again tomorrow."}
    (report,) = blurred(ApiClient(API, httpx.MockTransport(lambda _: httpx.Response(429, json=refusal))), [photo])
    assert report.error == refusal


def test_an_api_that_cannot_be_reached(photo: Path) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    (report,) = blurred(ApiClient(API, httpx.MockTransport(refuse)), [photo])
    assert report.error is not None
    assert "cannot be reached" in report.error["message"]


HICCUPS = [
    httpx.Response(503, text="try again"),
    httpx.Response(429, json={"message": "Too Many Requests"}),
    httpx.ConnectError("refused"),
    httpx.ReadTimeout("slow"),
]


@pytest.mark.parametrize("hiccup", HICCUPS, ids=["503", "429", "refused", "slow"])
def test_a_hiccup_while_a_job_is_followed_is_waited_out(clock: Clock, hiccup: httpx.Response | Exception) -> None:
    working, done = httpx.Response(200, json={"status": "PROCESSING"}), httpx.Response(200, json=DONE)
    seen: list[str] = []
    job = polled(iter([working, hiccup, hiccup, done])).follow("0a", seen.append)
    assert job == DONE
    assert seen == ["PROCESSING", "COMPLETED"]
    assert clock.slept == [0.2, 2.0, 2.0]


@pytest.mark.parametrize(("seconds", "asked"), [(0.5, 4), (2.7, 15), (12, 30), (100, 80)])
def test_the_end_of_a_job_is_seen_soon_by_asking_seldom(clock: Clock, seconds: float, asked: int) -> None:
    def answers() -> Iterator[httpx.Response]:
        while clock.now < seconds:
            yield httpx.Response(200, json={"status": "PROCESSING"})
        yield httpx.Response(200, json=DONE)

    polled(answers()).follow("0a", lambda _: None)
    assert clock.now - seconds <= min(max(0.2, seconds / 10), 2.0)
    assert len(clock.slept) <= asked


def test_a_job_that_is_gone_is_not_waited_for(clock: Clock) -> None:
    gone = httpx.Response(404, json={"code": "JobNotFound", "message": "There is no such job."})
    with pytest.raises(JobFailed) as caught:
        polled(iter([gone])).follow("0a", lambda _: None)
    assert (caught.value.code, clock.slept) == ("JobNotFound", [])


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(200, json={"status": "PROCESSING"}), httpx.ConnectError("refused")],
    ids=["a job that goes on", "an API that is away"],
)
def test_patience_comes_to_an_end(clock: Clock, answer: httpx.Response | Exception) -> None:
    with pytest.raises(JobFailed) as caught:
        polled(itertools.repeat(answer)).follow("0a", lambda _: None)
    assert caught.value.code == "TimedOut"
    assert 20 * 60 <= clock.now < 20 * 60 + 3
    assert max(clock.slept) == 2.0


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(200, json={"status": "PROCESSING"}), httpx.Response(503)],
    ids=["a job that goes on", "an API that is away"],
)
def test_giving_up_ends_the_following(clock: Clock, answer: httpx.Response) -> None:
    api = polled(itertools.repeat(answer))
    clock.at_each_sleep = lambda: api.give_up() if len(clock.slept) == 3 else None
    with pytest.raises(JobFailed):
        api.follow("0a", lambda _: None)
    assert len(clock.slept) == 3


def test_an_interrupt_gives_all_jobs_up(photo: Path) -> None:
    def interrupt(_: Report) -> None:
        raise KeyboardInterrupt

    api = client(DONE)
    with pytest.raises(KeyboardInterrupt):
        blur_photos(api, [photo], None, {}, 1, interrupt)
    with pytest.raises(JobFailed):
        api.follow("0a", lambda _: None)


def test_a_report_is_json() -> None:
    from dataclasses import asdict

    assert json.loads(json.dumps(asdict(Report("a.jpg"))))["status"] == "WAITING"
