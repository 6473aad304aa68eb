"""`faceblur_client`, blocking and async, against an API in memory and servers that break off."""

from __future__ import annotations

import asyncio
import itertools
import threading
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from io import BytesIO
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import faceblur_client
from faceblur_client import (
    AsyncClient,
    BudgetSpent,
    CallFailed,
    Client,
    ClientCredentials,
    FaceblurError,
    InvalidOptions,
    JobFailed,
    NotSignedIn,
    Stopped,
    Unavailable,
    WrongAddress,
)
from tests.support.standins.issuer import AUDIENCE, MACHINE, SCOPE, SECRET, Issuer
from tests.support.standins.loopback import LoopbackServer, reserved_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.enable_socket  # an event loop has a pair of them
API = "http://api.test/v1"
SIGNATURE = "X-Amz-Signature=5ec2e7"
DONE = {
    "job_id": "0a",
    "status": "COMPLETED",
    "hidden": {"face": 2, "plate": 0, "text": 0},
    "kept": {"face": 1, "plate": 0, "text": 0},
    "warnings": ["BelowConfidence"],
    "result": {"url": f"http://s3.test/result?{SIGNATURE}", "content_type": "image/jpeg"},
    "receipt": {"url": f"http://s3.test/receipt?{SIGNATURE}"},
}
WORKING = {"job_id": "0a", "status": "PROCESSING"}
FORM = {"url": "http://s3.test/upload", "fields": {"key": "uploads/0a"}, "max_bytes": 35_000_000}
GONE = httpx.Response(404, json={"code": "JobNotFound", "message": "There is no such job."})


class Blocking:
    """An AsyncClient whose methods are called as those of a Client."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.inner = AsyncClient(*arguments, **options)
        self._runner = asyncio.Runner()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            return self._runner.run(getattr(self.inner, name)(*arguments, **options))

        return call

    def close(self) -> None:
        self._runner.run(self.inner.close())
        self._runner.close()


@dataclass
class Clock:
    """A clock that advances by the pauses, and by nothing else."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)
    at_each_pause: Callable[[], None] = lambda: None

    def monotonic(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        self.at_each_pause()


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of both clients, so that no test waits."""
    clock = Clock()

    async def pause(_: AsyncClient, seconds: float) -> None:
        clock.pause(seconds)

    monkeypatch.setattr(Client, "_pause", lambda _, seconds: clock.pause(seconds))
    monkeypatch.setattr(AsyncClient, "_pause", pause)
    for module in ("steps", "credentials"):
        monkeypatch.setattr(f"faceblur_client.{module}.time", clock)
    return clock


@pytest.fixture(params=[Client, Blocking], ids=["blocking", "async"])
def connect(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Make a client of either kind."""
    made: list[Any] = []

    def make(*arguments: Any, **options: Any) -> Any:
        made.append(request.param(*arguments, **options))
        return made[-1]

    yield make
    for client in made:
        client.close()


def copy(answer: httpx.Response) -> httpx.Response:
    """The same answer, unread: httpx ties each to one client."""
    return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


@dataclass
class Answers:
    """Gives these answers, one after the other, and keeps the requests."""

    answers: Iterator[httpx.Response | Exception | dict[str, Any]]
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = next(self.answers)
        if isinstance(answer, Exception):
            raise answer
        return copy(answer) if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)


@pytest.fixture
def answering(connect: Callable[..., Any]) -> Callable[..., tuple[Any, Answers]]:
    """A client of an API that gives these answers."""

    def make(*answers: Any, **options: Any) -> tuple[Any, Answers]:
        given = Answers(iter(answers))
        return connect(API, transport=httpx.MockTransport(given), **options), given

    return make


def service(**changes: httpx.Response) -> httpx.MockTransport:
    """An API and a storage where all goes well, but for the changes by path."""

    def answer(request: httpx.Request) -> httpx.Response:
        match request.method, request.url.host, request.url.path:
            case _, _, path if path.rpartition("/")[2] in changes:
                return copy(changes[path.rpartition("/")[2]])
            case "POST", "api.test", "/v1/jobs":
                return httpx.Response(201, json={"job_id": "0a", "upload": FORM})
            case "POST", "s3.test", "/upload":
                return httpx.Response(204)
            case "GET", "api.test", "/v1/jobs/0a":
                return httpx.Response(200, json=DONE)
            case "GET", "s3.test", "/result":
                return httpx.Response(200, content=b"result")
            case "GET", "s3.test", "/receipt":
                return httpx.Response(200, json={"billable_calls": 3})
        return copy(GONE)

    return httpx.MockTransport(answer)


def seen_by(transport: httpx.MockTransport) -> tuple[list[httpx.Request], httpx.MockTransport]:
    """The requests that a transport gets."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        request.read()
        requests.append(request)
        return transport.handle_request(request)

    return requests, httpx.MockTransport(answer)


# ---------------------------------------------------------------- one photo


@pytest.mark.parametrize("kind", ["path", "text", "bytes", "file", "stream"])
def test_a_photo_becomes_a_result(connect: Callable[..., Any], tmp_path: Path, kind: str) -> None:
    path = tmp_path / "the secret name.jpg"
    path.write_bytes(b"a photo")
    stream = BytesIO(b"a photo")
    stream.seekable = lambda: kind != "stream"  # type: ignore[method-assign]
    photo = {"path": path, "text": str(path), "bytes": b"a photo"}.get(kind, stream)
    requests, transport = seen_by(service())
    statuses: list[tuple[str, str]] = []
    result = connect(API, transport=transport).hide(
        photo, style="solid", on_status=lambda job, status: statuses.append((job, status))
    )
    assert (result.job_id, result.hidden["face"], result.kept["face"]) == ("0a", 2, 1)
    assert (result.warnings, result.content_type) == (("BelowConfidence",), "image/jpeg")
    assert (result.content, result.receipt, result.job) == (b"result", {"billable_calls": 3}, DONE)
    assert statuses == [("0a", "COMPLETED")]
    assert requests[0].content == b'{"style": "solid"}'
    assert b"a photo" in requests[1].content
    assert requests[1].content.index(b'name="key"') < requests[1].content.index(b'name="file"')
    assert b"secret" not in requests[1].content
    result.save(tmp_path / "hidden.jpg")
    assert (tmp_path / "hidden.jpg").read_bytes() == b"result"


def test_a_result_shows_no_link(connect: Callable[..., Any]) -> None:
    shown = repr(connect(API, transport=service()).hide(b"a photo"))
    assert "0a" in shown
    assert "s3.test" not in shown


def test_a_photo_that_is_missing(connect: Callable[..., Any], tmp_path: Path) -> None:
    requests, transport = seen_by(service())
    with pytest.raises(FileNotFoundError):
        connect(API, transport=transport).hide(tmp_path / "none.jpg")
    assert requests == []  # no job waits for it


def test_the_token_goes_to_the_api_only(connect: Callable[..., Any]) -> None:
    requests, transport = seen_by(service())
    connect(API, transport=transport, token="a.b.c").hide(b"a photo")
    sent = {(request.url.host, request.headers.get("Authorization")) for request in requests}
    assert sent == {("api.test", "Bearer a.b.c"), ("s3.test", None)}


def test_the_other_calls(answering: Callable[..., tuple[Any, Answers]]) -> None:
    gone = httpx.Response(204)
    client, seen = answering(WORKING, WORKING, gone, gone, WORKING, WORKING, WORKING, WORKING)
    assert client.redo_job("0a", style="solid") == WORKING
    assert client.review("0a", keep=[{"id": 1}]) == WORKING
    assert client.delete_job("0a") is None
    assert client.delete_batch("0b") is None
    assert client.create_batch(style="solid") == client.renew_form("0b") == client.start_batch("0b") == WORKING
    assert client.get_batch("0b") == WORKING
    assert [(request.method, request.url.path, request.content) for request in seen.requests] == [
        ("POST", "/v1/jobs/0a/redo", b'{"style": "solid"}'),
        ("PUT", "/v1/jobs/0a/review", b'{"keep": [{"id": 1}]}'),
        ("DELETE", "/v1/jobs/0a", b""),
        ("DELETE", "/v1/batches/0b", b""),
        ("POST", "/v1/batches", b'{"style": "solid"}'),
        ("POST", "/v1/batches/0b/form", b""),
        ("POST", "/v1/batches/0b/start", b""),
        ("GET", "/v1/batches/0b", b""),
    ]


def test_options_may_have_the_names_of_arguments(answering: Callable[..., tuple[Any, Answers]]) -> None:
    """The API refuses them in its own words."""
    client, seen = answering(httpx.Response(201, json={"job_id": "0a", "upload": FORM}), httpx.Response(204))
    client.submit(b"a photo", photo=1, self=2)
    assert seen.requests[0].content == b'{"photo": 1, "self": 2}'


def test_both_clients_have_the_same_methods() -> None:
    """But for `stop`: tasks are cancelled."""

    def public(client: type) -> set[str]:
        return {name for name in vars(client) if not name.startswith("_")}

    assert public(Client) - public(AsyncClient) == {"stop"}
    assert public(AsyncClient) <= public(Client)


def test_what_the_package_says_it_has() -> None:
    assert all(hasattr(faceblur_client, name) for name in faceblur_client.__all__)


@pytest.mark.parametrize("token", ["a.b.c\n", " a.b.c"])
def test_a_token_may_be_read_from_a_file(answering: Callable[..., tuple[Any, Answers]], token: str) -> None:
    client, seen = answering(DONE, token=token)
    client.get_job("0a")
    assert seen.requests[0].headers["Authorization"] == "Bearer a.b.c"


@pytest.mark.parametrize("token", ["a\nb", "é", "a\x00"])
def test_what_is_no_token(connect: Callable[..., Any], token: str) -> None:
    with pytest.raises(NotSignedIn):
        connect(API, token=token)


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "InvalidOptions", InvalidOptions),
        (400, "InvalidDecision", InvalidOptions),
        (401, "NotSignedIn", NotSignedIn),
        (404, "RouteNotFound", CallFailed),
        (404, "JobNotFound", JobFailed),
        (409, "JobNotFinished", JobFailed),
        (409, "ReviewClosed", JobFailed),
        (409, "OriginalDeleted", JobFailed),
        (429, "BudgetSpent", BudgetSpent),
        (413, "REQUEST_TOO_LARGE", CallFailed),
    ],
)
def test_refusals(
    answering: Callable[..., tuple[Any, Answers]], clock: Clock, status: int, code: str, error: type[FaceblurError]
) -> None:
    client, _ = answering(httpx.Response(status, json={"code": code, "message": "No."}))
    with pytest.raises(FaceblurError) as caught:
        client.redo_job("0a")
    assert (type(caught.value), caught.value.code) == (error, code)
    assert clock.slept == []


def test_what_concerns_one_photo_is_told_from_what_concerns_all() -> None:
    of_all = (InvalidOptions, NotSignedIn, BudgetSpent, Unavailable, WrongAddress, Stopped)
    assert all(issubclass(error, CallFailed) for error in of_all)
    assert not issubclass(JobFailed, CallFailed)


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, b"bytes"], ids=["NaN", "set", "bytes"])
def test_options_that_json_cannot_say(answering: Callable[..., tuple[Any, Answers]], value: object) -> None:
    client, seen = answering()
    with pytest.raises(InvalidOptions, match="JSON"):
        client.hide(b"a photo", padding=value)
    assert seen.requests == []


@pytest.mark.parametrize("address", ["", "api.test", "ftp://api.test", "http://", "http://api.test:port", "/v1"])
def test_what_is_no_address(connect: Callable[..., Any], address: str) -> None:
    with pytest.raises(WrongAddress):
        connect(address)


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(200, text="<html>"), httpx.Response(403, text="forbidden"), httpx.Response(200, json=[])],
    ids=["a page", "a proxy's refusal", "a list"],
)
def test_an_address_that_is_no_api(answering: Callable[..., tuple[Any, Answers]], answer: httpx.Response) -> None:
    client, _ = answering(answer)
    with pytest.raises(WrongAddress, match="does not answer as faceblur's API does"):
        client.create_job()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("<Error><Code>EntityTooLarge</Code></Error>", "ImageTooLarge"),
        ("<Error><Code>AccessDenied</Code><Message>Policy expired.</Message></Error>", "UploadExpired"),
        ("<Error><Code>AccessDenied</Code></Error>", "UploadRefused"),
    ],
)
def test_uploads_that_the_storage_refuses(
    answering: Callable[..., tuple[Any, Answers]], answer: str, code: str
) -> None:
    client, _ = answering(httpx.Response(403, text=answer))
    with pytest.raises(JobFailed) as caught:
        client.upload(FORM, b"a photo")
    assert caught.value.code == code


def test_a_photo_that_is_too_large_is_told_the_limit_of_its_form(
    answering: Callable[..., tuple[Any, Answers]],
) -> None:
    client, _ = answering(httpx.Response(400, text="EntityTooLarge"))
    with pytest.raises(JobFailed, match="larger than 35 MB"):
        client.upload(FORM, b"a photo")


@pytest.mark.parametrize("photo", [b"a photo", BytesIO(b"a photo")], ids=["bytes", "file"])
def test_a_file_that_is_too_large_is_not_sent(answering: Callable[..., tuple[Any, Answers]], photo: Any) -> None:
    client, seen = answering(httpx.Response(204))
    with pytest.raises(JobFailed) as caught:
        client.upload(FORM | {"max_bytes": 6}, photo)
    assert (caught.value.code, seen.requests) == ("ImageTooLarge", [])
    client.upload(FORM | {"max_bytes": 7}, photo)
    assert b"a photo" in seen.requests[0].content


EXPIRED = httpx.Response(403, text="<Code>AccessDenied</Code><Message>Policy expired.</Message>")


def created(job_id: str) -> httpx.Response:
    return httpx.Response(201, json={"job_id": job_id, "upload": FORM})


def test_an_expired_form_is_renewed_by_a_new_job(answering: Callable[..., tuple[Any, Answers]]) -> None:
    client, seen = answering(created("0a"), EXPIRED, created("0b"), httpx.Response(204))
    assert client.submit(BytesIO(b"a photo")) == "0b"
    assert all(b"a photo" in seen.requests[number].content for number in (1, 3))


def test_forms_are_not_renewed_for_ever(answering: Callable[..., tuple[Any, Answers]]) -> None:
    client, _ = answering(*[created("0a"), EXPIRED] * 3)
    with pytest.raises(JobFailed) as caught:
        client.submit(b"a photo")
    assert caught.value.code == "UploadExpired"


# ---------------------------------------------------------------- temporary errors

TEMPORARY = {
    "429": httpx.Response(429, json={"message": "Too Many Requests"}),
    "502": httpx.Response(502),
    "503": httpx.Response(503, text="try again"),
    "504": httpx.Response(504),
    "refused": httpx.ConnectError("refused"),
    "slow": httpx.ReadTimeout("slow"),
    "broken off": httpx.RemoteProtocolError("Server disconnected"),
    "damaged": httpx.DecodingError("no gzip"),
}


@pytest.mark.parametrize("error", TEMPORARY.values(), ids=TEMPORARY.keys())
def test_temporary_errors_are_tried_again(
    answering: Callable[..., tuple[Any, Answers]], clock: Clock, error: httpx.Response | Exception
) -> None:
    client, seen = answering(error, error, created("0a"))
    assert client.create_job()["job_id"] == "0a"
    assert len(seen.requests) == 3
    assert len(clock.slept) == 2


@pytest.mark.parametrize("error", TEMPORARY.values(), ids=TEMPORARY.keys())
def test_an_error_that_lasts(
    answering: Callable[..., tuple[Any, Answers]], clock: Clock, error: httpx.Response | Exception
) -> None:
    client, seen = answering(*[error] * 6)
    with pytest.raises(Unavailable, match=r"api\.test"):
        client.create_job()
    assert len(seen.requests) == 6
    assert all(0 <= slept <= 0.5 * 2**number for number, slept in enumerate(clock.slept))
    assert len(set(clock.slept)) == 5  # jitter


def test_an_error_without_words_is_named(answering: Callable[..., tuple[Any, Answers]]) -> None:
    client, _ = answering(*[httpx.ReadTimeout("")] * 6)
    with pytest.raises(Unavailable, match="cannot be reached: ReadTimeout"):
        client.get_job("0a")


def test_an_error_within_the_service_is_not_repeated(
    answering: Callable[..., tuple[Any, Answers]], clock: Clock
) -> None:
    client, _ = answering(httpx.Response(500, json={"code": "InternalError", "message": "Something went wrong."}))
    with pytest.raises(Unavailable, match=r"cannot answer at the moment \(500\)"):
        client.create_job()
    assert clock.slept == []


def test_a_server_may_ask_for_patience(answering: Callable[..., tuple[Any, Answers]], clock: Clock) -> None:
    client, _ = answering(httpx.Response(429, headers={"Retry-After": "7"}), DONE)
    assert client.get_job("0a") == DONE
    assert 7 <= clock.slept[0] <= 7.5


def test_nobody_waits_for_hours(answering: Callable[..., tuple[Any, Answers]], clock: Clock) -> None:
    client, _ = answering(httpx.Response(503, headers={"Retry-After": "3600"}))
    with pytest.raises(Unavailable):
        client.get_job("0a")
    assert clock.slept == []


@pytest.mark.parametrize("value", ["", "soon", "-1", "Wed, 21 Oct 2026 07:28:00 GMT", "²"])
def test_other_ways_to_ask_for_patience(
    answering: Callable[..., tuple[Any, Answers]], clock: Clock, value: str
) -> None:
    client, _ = answering(httpx.Response(429, headers=[(b"Retry-After", value.encode())]), DONE)
    assert client.get_job("0a") == DONE
    assert clock.slept[0] <= 0.5


@pytest.mark.parametrize("name", ["429", "503", "refused"])
def test_what_cannot_have_been_done_is_repeated(answering: Callable[..., tuple[Any, Answers]], name: str) -> None:
    client, seen = answering(TEMPORARY[name], WORKING, TEMPORARY[name], WORKING)
    assert client.redo_job("0a") == client.review("0a") == WORKING
    assert len(seen.requests) == 4


@pytest.mark.parametrize("name", ["502", "504", "slow", "broken off"])
def test_what_may_have_been_done_is_not_repeated(answering: Callable[..., tuple[Any, Answers]], name: str) -> None:
    """A second redo would be refused, or would cost a second time; a second decision too."""
    client, seen = answering(TEMPORARY[name], TEMPORARY[name])
    for call in (client.redo_job, client.review):
        with pytest.raises(Unavailable):
            call("0a")
    assert len(seen.requests) == 2


@pytest.mark.parametrize("status", [403, 500])
@pytest.mark.parametrize("cause", ["result", "receipt"])
def test_no_error_shows_a_link(connect: Callable[..., Any], status: int, cause: str) -> None:
    client = connect(API, transport=service(**{cause: httpx.Response(status)}))
    with pytest.raises(FaceblurError) as caught:
        client.hide(b"a photo")
    shown = "".join(traceback.format_exception(caught.value))
    assert SIGNATURE not in shown
    assert ("s3.test" in shown) == (status == 500)


def test_a_link_that_cannot_be_reached_is_not_shown(answering: Callable[..., tuple[Any, Answers]]) -> None:
    client, _ = answering(*[httpx.ConnectError("refused")] * 6)
    with pytest.raises(Unavailable) as caught:
        client.download(DONE["result"]["url"])  # type: ignore[index]
    assert SIGNATURE not in "".join(traceback.format_exception(caught.value))


# ---------------------------------------------------------------- waiting


@pytest.mark.parametrize("error", TEMPORARY.values(), ids=TEMPORARY.keys())
def test_an_api_that_is_away_does_not_end_the_waiting(
    answering: Callable[..., tuple[Any, Answers]], error: httpx.Response | Exception
) -> None:
    client, _ = answering(WORKING, *[error] * 8, DONE)
    statuses: list[str] = []
    assert client.wait_for("0a", lambda _, status: statuses.append(status)) == DONE
    assert statuses == ["PROCESSING", "COMPLETED"]


@pytest.mark.parametrize(("seconds", "most_requests"), [(0.5, 4), (2.7, 15), (12, 30), (100, 80)])
def test_the_end_of_a_job_is_seen_soon_with_few_requests(
    connect: Callable[..., Any], clock: Clock, seconds: float, most_requests: int
) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=WORKING if clock.now < seconds else DONE)

    connect(API, transport=httpx.MockTransport(answer)).wait_for("0a")
    assert clock.now - seconds <= min(max(0.2, seconds / 10), 2.0)
    assert len(clock.slept) <= most_requests


@pytest.mark.parametrize("seconds", [1.1, 2.7, 12.0])
def test_after_a_job_the_next_ones_need_fewer_requests(
    connect: Callable[..., Any], clock: Clock, seconds: float
) -> None:
    begun, asked = 0.0, 0

    def answer(_: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        return httpx.Response(200, json=WORKING if clock.now - begun < seconds else DONE)

    client, requests, late = connect(API, transport=httpx.MockTransport(answer)), [], []
    for _ in range(5):
        begun, asked = clock.now, 0
        client.wait_for("0a")
        requests.append(asked)
        late.append(clock.now - begun - seconds)
    assert sum(requests[1:]) <= 2 * requests[0]
    assert max(late) <= min(max(0.2, seconds / 10), 2.0)


def test_after_a_short_job_the_next_one_is_seen_at_once(connect: Callable[..., Any], clock: Clock) -> None:
    seconds, begun = 0.05, 0.0

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=WORKING if clock.now - begun < seconds else DONE)

    client = connect(API, transport=httpx.MockTransport(answer))
    client.wait_for("0a")
    begun, waits = clock.now, len(clock.slept)
    seconds = 0.0
    client.wait_for("0b")
    assert clock.slept[waits:] == [pytest.approx(0.16)]


def test_a_job_that_takes_far_less_than_the_last_one_is_seen_within_two_seconds(
    connect: Callable[..., Any], clock: Clock
) -> None:
    done = 60.0

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=WORKING if clock.now < done else DONE)

    client = connect(API, transport=httpx.MockTransport(answer))
    client.wait_for("0a")
    begun = done = clock.now
    client.wait_for("0b")
    assert clock.now - begun <= 2.0


def test_a_deleted_job_ends_the_waiting_at_once(answering: Callable[..., tuple[Any, Answers]], clock: Clock) -> None:
    client, _ = answering(GONE)
    with pytest.raises(JobFailed, match="no such job") as caught:
        client.wait_for("0a")
    assert (caught.value.code, clock.slept) == ("JobNotFound", [])


def test_a_job_that_fails_says_why(answering: Callable[..., tuple[Any, Answers]]) -> None:
    error = {"code": "CorruptImage", "message": "This photo is damaged."}
    client, _ = answering({"status": "FAILED", "error": error})
    with pytest.raises(JobFailed) as caught:
        client.wait_for("0a")
    assert (
        {"code": caught.value.code, "message": caught.value.message} == error == error | {"message": str(caught.value)}
    )


@pytest.mark.parametrize("answer", [WORKING, httpx.ConnectError("refused")], ids=["continues", "cannot be reached"])
def test_the_waiting_ends_after_20_minutes(connect: Callable[..., Any], clock: Clock, answer: Any) -> None:
    given = Answers(itertools.repeat(answer))
    with pytest.raises(JobFailed) as caught:
        connect(API, transport=httpx.MockTransport(given)).wait_for("0a")
    assert caught.value.code == "TimedOut"
    assert 20 * 60 <= clock.now < 20 * 60 + 20


def test_the_waiting_for_a_person_does_not_count(connect: Callable[..., Any], clock: Clock) -> None:
    statuses: list[str] = []

    def answers() -> Iterator[Any]:
        while clock.now < 25 * 60:  # a job's own work may take 20 minutes
            yield {"status": "AWAITING_REVIEW"}
        yield from (WORKING, DONE)

    client = connect(API, transport=httpx.MockTransport(Answers(answers())))
    client.wait_for("0a", lambda _, status: statuses.append(status))
    assert statuses == ["AWAITING_REVIEW", "PROCESSING", "COMPLETED"]


@pytest.mark.parametrize("answer", [WORKING, httpx.Response(503)], ids=["continues", "cannot answer"])
def test_a_stop_ends_the_waiting(clock: Clock, answer: Any) -> None:
    client = Client(API, transport=httpx.MockTransport(Answers(itertools.repeat(answer))))
    clock.at_each_pause = lambda: client.stop() if len(clock.slept) == 3 else None
    with pytest.raises(Stopped):
        client.wait_for("0a")
    assert len(clock.slept) == 3
    with pytest.raises(Stopped):
        client.hide(b"a photo")


def test_a_stop_wakes_those_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the pauses are real
    asked = threading.Event()

    def answer(_: httpx.Request) -> httpx.Response:
        asked.set()
        return httpx.Response(503, headers={"Retry-After": "60"})

    client = Client(API, transport=httpx.MockTransport(answer))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.wait_for, "0a")
        assert asked.wait(60)
        client.stop()
        assert isinstance(waiting.exception(timeout=50), Stopped)


# ---------------------------------------------------------------- real servers


class Server(LoopbackServer):
    """Breaks some connections off after it has read the request, then answers with a completed job."""

    def __init__(self, broken: int = 0) -> None:
        self.broken, self.requests = broken, 0
        super().__init__(self._handler())

    def _handler(server) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - the handler has a self of its own
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()

            def do_GET(self) -> None:
                server.requests += 1
                if server.requests <= server.broken:
                    self.close_connection = True
                    return
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b'{"job_id": "0a", "status": "COMPLETED"}')

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def test_connections_that_break_off(connect: Callable[..., Any], tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"a photo" * 100_000)
    with Server(broken=3) as server:
        client = connect(server.url)
        assert client.create_job()["job_id"] == "0a"
        server.requests = 0
        client.upload(FORM | {"url": server.url}, photo)
    assert server.requests == 4


def test_nobody_listens(connect: Callable[..., Any], clock: Clock) -> None:
    with reserved_port() as port, pytest.raises(Unavailable, match="cannot be reached"):
        connect(f"http://127.0.0.1:{port}").create_job()
    assert len(clock.slept) == 5


# ---------------------------------------------------------------- programs that sign in


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as served:
        yield served


def credentials(issuer: Issuer, **changes: str) -> ClientCredentials:
    given = {"client_id": MACHINE, "client_secret": SECRET, "scope": SCOPE, "token_url": f"{issuer.url}/token"}
    return ClientCredentials(**given | changes)


class Door:
    """An API in front of a real issuer's token endpoint: it takes the tokens that are not withdrawn."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.withdrawn: set[str] = set()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.host != "api.test":
            with httpx.Client() as network:
                return copy(
                    network.send(
                        httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
                    )
                )
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.tokens.append(token)
        return httpx.Response(401, json={}) if token in self.withdrawn | {""} else httpx.Response(200, json=DONE)


def test_a_program_signs_in_once(connect: Callable[..., Any], issuer: Issuer) -> None:
    door = Door()
    client = connect(API, token=credentials(issuer), transport=httpx.MockTransport(door))
    assert client.get_job("0a") == client.get_job("0a") == DONE
    assert issuer.asked == ["/token"]
    assert len(set(door.tokens)) == 1


def test_a_token_is_renewed_before_its_end(connect: Callable[..., Any], issuer: Issuer, clock: Clock) -> None:
    door = Door()
    client = connect(API, token=credentials(issuer), transport=httpx.MockTransport(door))
    for now, fetched in ((0, 1), (239, 1), (241, 2)):  # it is good for 300 seconds
        clock.now = now
        client.get_job("0a")
        assert len(issuer.asked) == fetched


def test_a_token_that_is_withdrawn_is_renewed_once(connect: Callable[..., Any], issuer: Issuer) -> None:
    door = Door()
    client = connect(API, token=credentials(issuer), transport=httpx.MockTransport(door))
    client.get_job("0a")
    door.withdrawn.update(door.tokens)
    assert client.get_job("0a") == DONE
    assert len(issuer.asked) == 2


def test_an_api_that_takes_no_token_is_not_asked_for_ever(connect: Callable[..., Any], issuer: Issuer) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        return Door()(request) if request.url.host != "api.test" else httpx.Response(401, json={})

    client = connect(API, token=credentials(issuer), transport=httpx.MockTransport(refuse))
    with pytest.raises(NotSignedIn):
        client.get_job("0a")
    assert issuer.asked == ["/token"] * 2


def test_threads_fetch_one_token(issuer: Issuer) -> None:
    """Issuers charge for each."""
    client = Client(API, token=credentials(issuer), transport=httpx.MockTransport(Door()))
    with ThreadPoolExecutor(8) as pool:
        assert Counter(map(str, pool.map(client.get_job, ["0a"] * 32))) == {str(DONE): 32}
    assert issuer.asked == ["/token"]


def test_tasks_fetch_one_token(issuer: Issuer) -> None:
    async def ask() -> list[dict[str, Any]]:
        async with AsyncClient(API, token=credentials(issuer), transport=httpx.MockTransport(Door())) as client:
            return await asyncio.gather(*[client.get_job("0a") for _ in range(32)])

    assert asyncio.run(ask()) == [DONE] * 32
    assert issuer.asked == ["/token"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"client_secret": "guessed"}, "invalid_client"),
        ({"client_id": AUDIENCE}, "invalid_client"),
        ({"scope": "faceblur/all"}, "invalid_scope"),
    ],
)
def test_an_issuer_that_refuses(
    connect: Callable[..., Any], issuer: Issuer, changes: dict[str, str], reason: str
) -> None:
    client = connect(API, token=credentials(issuer, **changes), transport=httpx.MockTransport(Door()))
    with pytest.raises(NotSignedIn, match=reason):
        client.get_job("0a")


@pytest.mark.parametrize("answer", [httpx.Response(200, text="<html>"), {}, [1], httpx.Response(404, text="no")])
def test_an_address_that_is_no_issuer(answering: Callable[..., tuple[Any, Answers]], answer: Any) -> None:
    given = httpx.Response(200, json=answer) if isinstance(answer, list) else answer
    client, _ = answering(given, token=ClientCredentials("http://issuer.test/token", "id", "secret", "scope"))
    with pytest.raises(WrongAddress, match="token_url"):
        client.get_job("0a")


def test_an_issuer_that_cannot_answer_is_tried_again(
    answering: Callable[..., tuple[Any, Answers]], clock: Clock
) -> None:
    client, seen = answering(
        httpx.Response(503),
        {"access_token": "a.b.c", "expires_in": 300},
        DONE,
        token=ClientCredentials("http://issuer.test/token", "id", "secret", "scope"),
    )
    assert client.get_job("0a") == DONE
    assert seen.requests[-1].headers["Authorization"] == "Bearer a.b.c"
    assert len(clock.slept) == 1


def test_the_secret_is_not_shown() -> None:
    assert "hush" not in repr(ClientCredentials("http://issuer.test/token", "id", "hush", "scope"))
