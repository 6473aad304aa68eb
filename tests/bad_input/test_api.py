"""Requests that Schemathesis makes from the API's description, and hostile ones that no honest client sends."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import schemathesis
from hypothesis import HealthCheck, assume, settings

from faceblur.api.decisions import FIELDS
from tests.support.api_contract import assert_documented
from tests.support.sources import api_description

if TYPE_CHECKING:
    from tests.support.stack.deployed import Deployed

API = schemathesis.openapi.from_dict(api_description())
API.config.generation.update(deterministic=True)
API.config.update(request_timeout=60)  # a function may start cold, on a busy machine
# To methods that are not described, API Gateway answers 404, as the description has it.
API.config.checks.update(excluded_check_names=["unsupported_method"])
# What is answered to each method.
ANSWERS = {"POST": {201, 202, 400, 404, 409}, "GET": {200, 404}, "PUT": {200, 400, 404, 409}, "DELETE": {204, 404}}
SIDES = ("left", "top", "width", "height")
JOB = "0f8fad5bd9cb469fa16570867728950e"

NO_IDS = [
    "..",
    "../jobs",
    "%2e%2e",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "..%5c..%5cwindows",
    f"{JOB}%00",
    f"{JOB}%0a",
    f"{JOB}%0d%0aSet-Cookie:%20a=b",
    f"{JOB}%20",
    f"%20{JOB}",
    f"{JOB}/",
    f"{JOB}/..",
    f"{JOB}/result",
    f"{JOB};admin=1",
    f"{JOB}?job_id={JOB}",
    f"{JOB}%3Fjob_id={JOB}",
    f"{JOB}.json",
    f"{JOB},{JOB}",
    f"uploads%2f{JOB}",
    JOB.upper(),
    JOB[:-1],
    JOB + "0",
    "*",
    "%25",
    "%",
    "%zz",
    "%ff%fe",
    "%C2%84",
    "%F0%9F%98%80",
    "%EF%BC%90" * 32,
    "$%7Bjndi:ldap:127.0.0.1%7D",
    "'%20OR%20'1'='1",
    "%7B%22S%22:%22x%22%7D",
    "__proto__",
    "null",
    "0" * 4000,
]

HEADERS = [
    b"X-Junk: " + b"a" * 30_000,
    b"X-Junk: " + bytes(range(128, 256)),
    b"X-Forwarded-Host: example.org\r\nX-Forwarded-For: 127.0.0.1, ::1, junk",
    b"X-HTTP-Method-Override: DELETE",
    b"Content-Type: " + b"multipart/form-data; boundary=" + b"-" * 500,
    b"Content-Type: application/json; charset=utf-7",
    b"Content-Encoding: gzip",
    b"Accept: application/xml;q=x, */*;q=-1",
    b"Origin: null",
    b"Cookie: " + b"a=b; " * 500,
    b"Authorization: Bearer junk",
    b"X-Amzn-Trace-Id: Root=junk;Sampled=1",
    b"\r\n".join(b"X-Junk-%d: %d" % (n, n) for n in range(90)),
]

BODIES = [
    b"",
    b"null",
    b"[]",
    b'"x"',
    b"0",
    b"{",
    b"\xff\xfe{\0}\0",
    b"\xef\xbb\xbf{}",
    b"{" * 100_000,
    b"[" * 100_000,
    b'{"style": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    b'{"padding": 1e999}',
    b'{"padding": NaN}',
    b'{"padding": ' + b"9" * 5_000 + b"}",
    b'{"colour": "' + b"#" * 1_000_000 + b'"}',
    b'{"__class__": {"__init__": 1}, "style": "blur"}',
    b'{"style": "blur", "style": "solid"}',
    b'{"style": "\\ud800"}',
    b'{"\\ud800": 1}',
    b"{" + b",".join(b'"a%d": 1' % n for n in range(20_000)) + b"}",
    b'{"style": "' + b"x" * 5_000_000 + b'"}',
]


def rectangles_of(body: Any) -> list[dict[str, Any]]:
    """The complete rectangles in the decision of a request."""
    lists = [body.get(name) for name in FIELDS] if isinstance(body, dict) else []
    entries = [entry for each in lists if isinstance(each, list) for entry in each if isinstance(entry, dict)]
    return [entry for entry in entries if all(isinstance(entry.get(side), int | float) for side in SIDES)]


def has_its_middle_in_the_photo(rectangle: dict[str, Any]) -> bool:
    """What the API demands of a rectangle, and a schema cannot say: a sum of two fields has a limit."""
    middles = (rectangle[edge] + rectangle[extent] / 2 for edge, extent in (("left", "width"), ("top", "height")))
    return all(0 <= middle <= 1 for middle in middles)


@API.parametrize()
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    # How long it takes to make examples says something about the machine alone.
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
def test_every_answer_is_as_it_is_described(case: schemathesis.Case, deployed: Deployed) -> None:
    assume(all(map(has_its_middle_in_the_photo, rectangles_of(case.body))))
    response = case.call_and_validate(base_url=deployed.stack.api_url)
    if case.method in ANSWERS:
        assert response.status_code in ANSWERS[case.method]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/jobs"), ("GET", "/nonsense"), ("PATCH", f"/jobs/{JOB}"), ("GET", f"/jobs/{JOB}/review"), ("GET", "/")],
)
def test_an_unknown_address(deployed: Deployed, method: str, path: str) -> None:
    answer = deployed.call(method, path)
    assert (answer.status_code, answer.json()["code"]) == (404, "RouteNotFound")
    assert answer.json()["message"].endswith(".")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_tricks_with_ids(deployed: Deployed, method: str) -> None:
    statuses = {job_id: sent(deployed, method, f"/jobs/{job_id}")[0] for job_id in NO_IDS}
    # The gateway refuses a path that it does not know.
    assert {job_id: status for job_id, status in statuses.items() if status not in {400, 403, 404}} == {}


def test_junk_in_headers(deployed: Deployed) -> None:
    for header in HEADERS:
        status, answer = sent(deployed, "POST", "/jobs", b"{}", header)
        assert status in {201, 400, 413, 431}, (header[:80], status, answer)
        assert b"junk" not in answer.lower()


def test_junk_in_bodies(deployed: Deployed) -> None:
    for body in BODIES:
        status, answer = sent(deployed, "POST", "/jobs", body)
        assert status in {201, 400, 413}, (body[:80], status, answer)
        if status in ANSWERS["POST"]:
            assert_documented("POST", "/jobs", status, json.loads(answer.partition(b"\r\n\r\n")[2]))


@pytest.mark.parametrize("method", ["PUT", "PATCH", "HEAD", "TRACE", "CONNECT", "PROPFIND", "JUNK"])
def test_other_methods(deployed: Deployed, method: str) -> None:
    for path in ("/jobs", f"/jobs/{JOB}"):
        assert sent(deployed, method, path)[0] in {400, 403, 404, 405, 501}


def sent(stack: Deployed, method: str, path: str, body: bytes = b"", header: bytes = b"X-None: 1") -> tuple[int, bytes]:
    """Send these bytes as a request. Returns the answer's status and the whole answer."""
    address = urlsplit(stack.stack.api_url)
    request = b"\r\n".join(
        (
            f"{method} {address.path}{path} HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close".encode(),
            f"Content-Length: {len(body)}".encode(),
            header,
            b"",
            body,
        )
    )
    answer = b""
    with socket.create_connection((address.hostname, address.port or 80), timeout=60) as connection:
        connection.sendall(request)
        while part := connection.recv(1 << 16):
            answer += part
    return int(answer.split(b" ", 2)[1]), answer
