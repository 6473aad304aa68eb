"""The web page: served on this machine with the API, and published to the cloud."""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
from datetime import timedelta
from http import HTTPStatus
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from typing import ClassVar

import boto3
import httpx
import pytest

from faceblur_cli import project
from faceblur_cli.failures import Failure
from faceblur_cli.page import publish
from faceblur_cli.page.content import security_headers
from faceblur_cli.page.server import check_page, serve_page
from faceblur_cli.stack.aws import Stack
from tests.support.sources import template
from tests.support.stack.deployed import eventually
from tests.support.standins.loopback import LoopbackServer

pytestmark = pytest.mark.enable_socket
PHOTOS = "http://127.0.0.1:4566"


class Api(BaseHTTPRequestHandler):
    """An API that records the requests that it gets."""

    requests: ClassVar[list[tuple[str, str, bytes, str | None]]] = []

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.requests.append((self.command, self.path, body, self.headers.get("Content-Type")))
        self.send_response(HTTPStatus.NO_CONTENT if self.command == "DELETE" else HTTPStatus.CREATED)
        self.send_header("Content-Type", "application/json")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Server-Secret", "42")
        self.end_headers()
        if self.command != "DELETE":
            self.wfile.write(b'{"code": "it"}')

    do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def api_server():
    with LoopbackServer(Api) as server:
        yield server


def port_of(server):
    return int(server.url.rpartition(":")[2])


@pytest.fixture
def requests(api_server):
    """The requests that the API gets in this test."""
    Api.requests.clear()
    return Api.requests


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder of a built page, with a file beside it."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "secret.txt").write_text("secret")
    dist = folder / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<h1>faceblur</h1>")
    (dist / "config.json").write_text('{"api": "/api"}')
    (dist / "assets/page-1a2b.js").write_text("export {}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(project, "PAGE", dist)
        yield dist


@pytest.fixture(scope="module")
def served(api_server, built):
    """A client of the served page, which keeps no connection."""
    stack = Stack(PHOTOS, {"ApiUrl": f"{api_server.url}/stage"})
    limits = httpx.Limits(max_keepalive_connections=0)
    with serve_page(stack, 0) as address, httpx.Client(base_url=address, trust_env=False, limits=limits) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/?lang=en", "/somewhere/else"])
def test_addresses_without_an_extension_show_the_page(served, path):
    answer = served.get(path)
    assert (answer.status_code, answer.text) == (200, "<h1>faceblur</h1>")
    assert answer.headers["Content-Type"] == "text/html"
    assert answer.headers["Cache-Control"] == "no-cache"


ISSUER = {"SignInIssuer": "https://issuer.example.org/", "SignInAudience": "faceblur-page"}


def test_the_pages_configuration_names_the_issuer(built):
    outputs = {"ApiUrl": "", "SignInOrigins": "https://issuer.example.org https://tokens.example.org"} | ISSUER
    with serve_page(Stack(PHOTOS, outputs), 0) as address:
        answer = httpx.get(f"{address}/config.json?1", trust_env=False)
    assert answer.json() == {
        "api": "/api",
        "signIn": {"issuer": "https://issuer.example.org/", "clientId": "faceblur-page"},
    }
    assert answer.headers["Content-Type"] == "application/json"
    policy = answer.headers["Content-Security-Policy"]
    assert f"connect-src 'self' {PHOTOS} https://issuer.example.org https://tokens.example.org;" in policy


def test_without_sign_in_the_configuration_names_the_api_only(served):
    assert served.get("/config.json").json() == {"api": "/api"}


def test_only_files_with_a_digest_in_their_name_are_cached(served):
    answer = served.get("/assets/page-1a2b.js")
    assert answer.headers["Content-Type"] == "text/javascript"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert served.get("/config.json").headers["Cache-Control"] == "no-cache"


def test_a_missing_file_is_not_cached(served):
    answer = served.get("/assets/page-gone.js")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (404, "no-cache")


def raw(served, path, method="GET", **headers):
    """The status of the answer to a request whose path no library has normalised."""
    connection = HTTPConnection("127.0.0.1", served.base_url.port)
    connection.putrequest(method, path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize("path", ["/../secret.txt", "/%2e%2e/secret.txt", "/assets/../../secret.txt"])
def test_files_outside_the_page_are_not_served(served, built, path):
    assert (built.parent / "secret.txt").read_text() == "secret"
    assert raw(served, path) == 404


@pytest.mark.parametrize(
    "path",
    [
        "/api/../bucket?list-type=2",
        "/api/jobs/../../../bucket/uploads",
        "/api/jobs/%2e%2e/%2e%2e",
        "/api//bucket",
        "/api/other",
        "/api/jobs/0a/more",
        "/api/jobs/%00",
        "/api/",
    ],
)
def test_only_paths_of_the_api_are_forwarded(served, requests, path):
    assert raw(served, path) == 404
    assert requests == []


def test_another_path_gets_a_code(served):
    answer = served.get("/api/other")
    assert (answer.status_code, answer.json()["code"]) == (404, "RouteNotFound")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8080", ""])
def test_requests_for_another_host_are_refused(served, requests, host):
    assert raw(served, "/", Host=host) == 421
    assert raw(served, "/api/jobs", "POST", Host=host) == 421
    assert requests == []


def test_bytes_that_are_no_request_get_400(served, capfd):
    with socket.create_connection(("127.0.0.1", served.base_url.port)) as connection:
        connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert b"400" in connection.recv(1000)
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("path", ["/", "/api/jobs", "/api/other", "/gone.js"])
def test_every_answer_has_the_security_headers(served, path):
    headers = served.get(path).headers
    assert {name: headers[name] for name in security_headers(PHOTOS)} == security_headers(PHOTOS)


def test_the_policy_allows_no_inline_script(served):
    policy = dict(part.split(" ", 1) for part in served.get("/").headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["connect-src"] == f"'self' {PHOTOS}"


def test_requests_to_the_api_are_forwarded(served, requests):
    answer = served.post("/api/jobs?a=b", json={"style": "solid"})
    assert (answer.status_code, answer.json()) == (201, {"code": "it"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Server-Secret" not in answer.headers
    assert served.get("/api/jobs/0a").status_code == 201
    assert served.put("/api/jobs/0a/review", json={}).status_code == 201
    assert served.post("/api/jobs/0a/redo").status_code == 201
    assert served.delete("/api/jobs/0a").status_code == 204
    assert requests == [
        ("POST", "/stage/jobs?a=b", b'{"style":"solid"}', "application/json"),
        ("GET", "/stage/jobs/0a", b"", None),
        ("PUT", "/stage/jobs/0a/review", b"{}", "application/json"),
        ("POST", "/stage/jobs/0a/redo", b"", None),
        ("DELETE", "/stage/jobs/0a", b"", None),
    ]


def test_only_small_bodies_for_the_api_are_accepted(served, requests):
    assert served.post("/", content=b"x").status_code == 404
    assert served.post("/api/jobs", content=b"x" * 10_000_001).status_code == 413
    assert served.post("/api/jobs", content=iter([b"of no known length"])).status_code == 411
    assert requests == []


def test_a_negative_length_is_refused(served, requests):
    assert raw(served, "/api/jobs", "POST", Content_Length="-1") == 411
    assert requests == []


def test_an_api_that_does_not_answer_gives_502(built):
    with serve_page(Stack(PHOTOS, {"ApiUrl": "http://127.0.0.1:9"}), 0) as address:
        assert httpx.get(f"{address}/api/jobs/0a", trust_env=False).status_code == 502


def test_an_api_that_is_too_slow_gives_504(built, monkeypatch):
    def slow(*_, **__):
        raise httpx.ReadTimeout("slow")

    with serve_page(Stack(PHOTOS, {"ApiUrl": "http://127.0.0.1:9"}), 0) as address:
        monkeypatch.setattr(httpx, "request", slow)
        assert httpx.get(f"{address}/api/jobs/0a", trust_env=False).status_code == 504


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HT",
        b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{",
        b"GET / HTTP/1.1\r\n",
    ],
    ids=["nothing", "half a line", "half a body", "half a head"],
)
def test_clients_that_leave_are_no_news(served, capfd, sent):
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", served.base_url.port)) as client:
            client.sendall(sent)
            # Closing it now resets the connection.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    eventually(lambda: not any("process_request_thread" in thread.name for thread in threading.enumerate()))
    assert capfd.readouterr().err == ""


def test_a_fault_of_the_server_is_one_line_without_a_path(built, capfd, monkeypatch):
    def faulty(_):
        raise ValueError("/api/jobs/a-secret-id")

    monkeypatch.setattr("faceblur_cli.page.server._Handler._send_file", faulty)
    with serve_page(Stack(PHOTOS, {"ApiUrl": ""}), 0) as address, pytest.raises(httpx.RemoteProtocolError):
        httpx.get(address, trust_env=False)
    assert capfd.readouterr().err == "faceblur: the page's server met ValueError\n"


def test_a_port_in_use_is_refused(api_server, built):
    with (
        pytest.raises(Failure, match=f"Port {port_of(api_server)}: Address already in use"),
        serve_page(Stack(PHOTOS, {"ApiUrl": ""}), port_of(api_server)),
    ):
        pass


def test_a_page_that_is_not_built_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(project, "PAGE", tmp_path)
    with pytest.raises(Failure, match="make page"), serve_page(Stack(PHOTOS, {"ApiUrl": ""}), 0):
        pass
    with pytest.raises(Failure, match="make page"):
        check_page(0)


def test_a_port_in_use_is_refused_before_the_deployment(api_server, built):
    check_page(0)
    with pytest.raises(Failure, match=f"Port {port_of(api_server)}"):
        check_page(port_of(api_server))


# ---------------------------------------------------------------- published to the cloud


@pytest.fixture
def cloud(built, aws):
    """A stack in the cloud with an older page in its bucket."""
    s3, cloudfront = boto3.client("s3", region_name="us-east-1"), boto3.client("cloudfront")
    s3.create_bucket(Bucket="page")
    for key in ("index.html", "assets/page-old.js"):
        s3.put_object(Bucket="page", Key=key, Body=b"old")
    origins = {"Quantity": 1, "Items": [{"Id": "page", "DomainName": "page.s3.amazonaws.com"}]}
    origins["Items"][0]["S3OriginConfig"] = {"OriginAccessIdentity": ""}
    made = cloudfront.create_distribution(
        DistributionConfig={
            "CallerReference": "1",
            "Comment": "",
            "Enabled": True,
            "Origins": origins,
            "DefaultCacheBehavior": {"TargetOriginId": "page", "ViewerProtocolPolicy": "https-only"},
        }
    )
    id_ = made["Distribution"]["Id"]
    return s3, cloudfront, {"PageBucketName": "page", "PageDistributionId": id_, "PageUrl": "https://page.test"}


def test_the_page_is_published(cloud, built, monkeypatch):
    s3, cloudfront, outputs = cloud
    monkeypatch.setattr(publish, "_KEEP_OLD_FILES", timedelta(0))
    assert publish.publish(outputs, s3, cloudfront) == "https://page.test"
    stored = {entry["Key"]: s3.get_object(Bucket="page", Key=entry["Key"]) for entry in listed(s3)}
    assert {key: (of["ContentType"], of["CacheControl"]) for key, of in stored.items()} == {
        "assets/page-1a2b.js": ("text/javascript", "public, max-age=31536000, immutable"),
        "config.json": ("application/json", "no-cache"),
        "index.html": ("text/html", "no-cache"),
    }
    assert stored["index.html"]["Body"].read() == b"<h1>faceblur</h1>"
    assert stored["config.json"]["Body"].read() == b'{"api": "/api"}'
    invalidations = cloudfront.list_invalidations(DistributionId=outputs["PageDistributionId"])
    assert invalidations["InvalidationList"]["Quantity"] == 1


def test_the_published_configuration_names_the_issuer(cloud, built):
    s3, cloudfront, outputs = cloud
    publish.publish(outputs | ISSUER, s3, cloudfront)
    config = json.loads(s3.get_object(Bucket="page", Key="config.json")["Body"].read())
    assert config["signIn"] == {"issuer": "https://issuer.example.org/", "clientId": "faceblur-page"}


def test_files_of_the_last_build_are_kept_for_pages_that_are_open(cloud, built):
    s3, cloudfront, outputs = cloud
    publish.publish(outputs, s3, cloudfront)
    assert "assets/page-old.js" in {entry["Key"] for entry in listed(s3)}


def test_the_template_has_the_same_security_headers():
    headers = template()["Resources"]["PageHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]
    security = headers["SecurityHeadersConfig"]
    text, values = security["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Sub"]
    here = security_headers("${Photos}", "${Issuers}")
    assert text == here.pop("Content-Security-Policy")
    assert re.findall(r"https://\S+", values["Photos"]["Fn::Sub"])
    assert security["ReferrerPolicy"]["ReferrerPolicy"] == here.pop("Referrer-Policy")
    assert security["FrameOptions"]["FrameOption"] == here.pop("X-Frame-Options")
    assert "ContentTypeOptions" in security
    assert here.pop("X-Content-Type-Options") == "nosniff"
    assert {item["Header"]: item["Value"] for item in headers["CustomHeadersConfig"]["Items"]} == here


def listed(s3):
    return s3.list_objects_v2(Bucket="page")["Contents"]
