from __future__ import annotations

import json
import re
import socket
import threading
from datetime import timedelta
from http import HTTPStatus
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import httpx
import pytest

from faceblur_cli import page, project
from faceblur_cli.failures import Failure
from faceblur_cli.local import Stack
from tests.support.sources import template

pytestmark = pytest.mark.enable_socket
PHOTOS = "http://127.0.0.1:4566"


class Api(BaseHTTPRequestHandler):
    """An API that tells what it was asked."""

    def answer(self) -> None:
        asked = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.command, self.path, asked, self.headers.get("Content-Type")))
        self.send_response(HTTPStatus.NO_CONTENT if self.command == "DELETE" else HTTPStatus.CREATED)
        self.send_header("Content-Type", "application/json")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Server-Secret", "42")
        self.end_headers()
        if self.command != "DELETE":
            self.wfile.write(b'{"code": "it"}')

    do_GET = do_POST = do_DELETE = answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def api():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def built(tmp_path, monkeypatch):
    """A built page, with a file beside it."""
    (tmp_path / "secret.txt").write_text("secret")
    dist = tmp_path / "dist"
    monkeypatch.setattr(project, "PAGE", dist)
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<h1>faceblur</h1>")
    (dist / "config.json").write_text('{"api": "/api"}')
    (dist / "assets/page-1a2b.js").write_text("export {}")
    return dist


@pytest.fixture
def served(api, built):
    """A client of the served page."""
    stack = Stack(PHOTOS, {"ApiUrl": f"http://127.0.0.1:{api.server_port}/stage"})
    with page.served(stack, 0) as address, httpx.Client(base_url=address, trust_env=False) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/?lang=en", "/somewhere/else"])
def test_every_address_of_the_page_is_the_page(served, path):
    answer = served.get(path)
    assert (answer.status_code, answer.text) == (200, "<h1>faceblur</h1>")
    assert answer.headers["Content-Type"] == "text/html"
    assert answer.headers["Cache-Control"] == "no-cache"


ISSUER = {"SignInIssuer": "https://issuer.example.org/", "SignInAudience": "faceblur-page"}


def test_the_page_is_told_whom_people_sign_in_with(api, built):
    outputs = {"ApiUrl": "", "SignInOrigins": "https://issuer.example.org https://tokens.example.org"} | ISSUER
    with page.served(Stack(PHOTOS, outputs), 0) as address:
        answer = httpx.get(f"{address}/config.json?1", trust_env=False)
    assert answer.json() == {
        "api": "/api",
        "signIn": {"issuer": "https://issuer.example.org/", "clientId": "faceblur-page"},
    }
    assert answer.headers["Content-Type"] == "application/json"
    policy = answer.headers["Content-Security-Policy"]
    assert f"connect-src 'self' {PHOTOS} https://issuer.example.org https://tokens.example.org;" in policy


def test_without_sign_in_the_page_is_told_where_the_api_is_and_no_more(served):
    assert served.get("/config.json").json() == {"api": "/api"}


def test_files_that_are_named_after_their_content_are_kept(served):
    answer = served.get("/assets/page-1a2b.js")
    assert answer.headers["Content-Type"] == "text/javascript"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert served.get("/config.json").headers["Cache-Control"] == "no-cache"


def test_what_is_not_there_is_not_kept(served):
    answer = served.get("/assets/page-gone.js")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (404, "no-cache")


def raw(served, path, method="GET", **headers):
    """The status of the answer to a request for a path that no library has put in order before."""
    connection = HTTPConnection("127.0.0.1", served.base_url.port)
    connection.putrequest(method, path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize("path", ["/../secret.txt", "/%2e%2e/secret.txt", "/assets/../../secret.txt"])
def test_no_file_beside_the_page(served, built, path):
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
def test_nothing_but_the_api_is_forwarded(served, api, path):
    assert raw(served, path) == 404
    assert api.asked == []


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8080", ""])
def test_the_page_has_no_other_name(served, api, host):
    assert raw(served, "/", Host=host) == 421
    assert raw(served, "/api/jobs", "POST", Host=host) == 421
    assert api.asked == []


def test_a_request_that_is_none(served, capfd):
    with socket.create_connection(("127.0.0.1", served.base_url.port)) as connection:
        connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert b"400" in connection.recv(1000)
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("path", ["/", "/api/jobs", "/api/other", "/gone.js"])
def test_every_answer_carries_the_security_headers(served, path):
    headers = served.get(path).headers
    assert {name: headers[name] for name in page.security_headers(PHOTOS)} == page.security_headers(PHOTOS)


def test_the_policy_allows_no_inline_script(served):
    policy = dict(part.split(" ", 1) for part in served.get("/").headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["connect-src"] == f"'self' {PHOTOS}"


def test_the_api_answers_at_the_pages_address(served, api):
    answer = served.post("/api/jobs?a=b", json={"style": "solid"})
    assert (answer.status_code, answer.json()) == (201, {"code": "it"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Server-Secret" not in answer.headers
    assert served.get("/api/jobs/0a").status_code == 201
    assert served.delete("/api/jobs/0a").status_code == 204
    assert api.asked == [
        ("POST", "/stage/jobs?a=b", b'{"style":"solid"}', "application/json"),
        ("GET", "/stage/jobs/0a", b"", None),
        ("DELETE", "/stage/jobs/0a", b"", None),
    ]


def test_only_the_api_takes_more_than_questions(served, api):
    assert served.post("/", content=b"x").status_code == 404
    assert served.post("/api/jobs", content=b"x" * 10_000_001).status_code == 413
    assert served.post("/api/jobs", content=iter([b"of no known length"])).status_code == 411
    assert api.asked == []


def test_a_body_of_less_than_nothing(served, api):
    assert raw(served, "/api/jobs", "POST", Content_Length="-1") == 411
    assert api.asked == []


def test_an_api_that_is_gone(api, built):
    with page.served(Stack(PHOTOS, {"ApiUrl": "http://127.0.0.1:9"}), 0) as address:
        assert httpx.get(f"{address}/api/jobs/0a", trust_env=False).status_code == 502


def test_a_port_that_is_taken(api, built):
    with (
        pytest.raises(Failure, match=f"Port {api.server_port}: Address already in use"),
        page.served(Stack(PHOTOS, {"ApiUrl": ""}), api.server_port),
    ):
        pass


def test_a_page_that_is_not_built(built):
    (built / "index.html").unlink()
    with pytest.raises(Failure, match="make page"), page.served(Stack(PHOTOS, {"ApiUrl": ""}), 0):
        pass
    with pytest.raises(Failure, match="make page"):
        page.check(0)


def test_a_port_that_is_taken_is_told_before_the_deployment(api, built):
    page.check(0)
    with pytest.raises(Failure, match=f"Port {api.server_port}"):
        page.check(api.server_port)


# ---------------------------------------------------------------- in the cloud


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
    monkeypatch.setattr(page, "_KEPT", timedelta(0))
    assert page.publish(outputs, s3, cloudfront) == "https://page.test"
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


def test_a_page_is_published_with_its_issuer(cloud, built):
    s3, cloudfront, outputs = cloud
    page.publish(outputs | ISSUER, s3, cloudfront)
    about = json.loads(s3.get_object(Bucket="page", Key="config.json")["Body"].read())
    assert about["signIn"] == {"issuer": "https://issuer.example.org/", "clientId": "faceblur-page"}


def test_a_page_that_is_open_still_finds_its_files_after_a_new_one_is_published(cloud, built):
    s3, cloudfront, outputs = cloud
    page.publish(outputs, s3, cloudfront)
    assert "assets/page-old.js" in {entry["Key"] for entry in listed(s3)}


def test_the_cloud_says_the_same_about_the_page():
    headers = template()["Resources"]["PageHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]
    security = headers["SecurityHeadersConfig"]
    text, values = security["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Sub"]
    here = page.security_headers("${Photos}", "${Issuers}")
    assert text == here.pop("Content-Security-Policy")
    assert re.findall(r"https://\S+", values["Photos"]["Fn::Sub"])
    assert security["ReferrerPolicy"]["ReferrerPolicy"] == here.pop("Referrer-Policy")
    assert security["FrameOptions"]["FrameOption"] == here.pop("X-Frame-Options")
    assert "ContentTypeOptions" in security
    assert here.pop("X-Content-Type-Options") == "nosniff"
    assert {item["Header"]: item["Value"] for item in headers["CustomHeadersConfig"]["Items"]} == here


def listed(s3):
    return s3.list_objects_v2(Bucket="page")["Contents"]
