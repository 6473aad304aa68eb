"""The web page: served on this machine together with the API, or published to a stack in the cloud."""

from __future__ import annotations

import json
import mimetypes
import re
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx

from faceblur_cli import project
from faceblur_cli.failures import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from faceblur_cli.local import Stack

DEFAULT_PORT = 8080
API, CONFIG = "/api", "config.json"
# All that the API has. Nothing else is forwarded: the embedded AWS at its address would show all photos.
_API_PATH = re.compile(r"/api(/jobs(/[\w-]{1,64})?(\?[\w=&%.+-]*)?)", re.ASCII)
# No other names, so that no foreign page can be brought here under a name of its own (DNS rebinding).
_HOST = re.compile(r"(127\.0\.0\.1|localhost)(:\d+)?")
MAX_BODY = 10_000_000  # bytes: API Gateway takes no more either
_FORWARDED = ("Content-Type", "Authorization")
_ANSWERED = ("Content-Type", "Cache-Control", "WWW-Authenticate")
# Vite names these files after what is in them; all others keep their names.
_ASSETS = "assets/"
_FOR_EVER, _ASK_EACH_TIME = "public, max-age=31536000, immutable", "no-cache"
# A page that is open asks for the files of its own build.
_KEPT = timedelta(days=1)


def security_headers(photos: str, issuers: str = "") -> dict[str, str]:
    """What a browser is told about the page: scripts, styles and requests of its own, and those to the photos' origin.

    Where people sign in, requests also go to the origins of their `issuers`. The template has CloudFront say the same.
    """
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": f"'self' blob: data: {photos}",
        "connect-src": f"'self' {photos} {issuers}".rstrip(),
        "worker-src": "'self'",
        "manifest-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }


def config(outputs: Mapping[str, str]) -> bytes:
    """The page's `config.json`: where the API is, and whom people sign in with if the stack asks for it."""
    about: dict[str, Any] = {"api": API}
    if "SignInIssuer" in outputs:
        about["signIn"] = {"issuer": outputs["SignInIssuer"], "clientId": outputs["SignInAudience"]}
    return json.dumps(about).encode()


@contextmanager
def served(stack: Stack, port: int) -> Iterator[str]:
    """Serve the built page, and the stack's API below /api, on the loopback interface; gives the address.

    Raises Failure if the page was not built or the port cannot be had.
    """
    headers = security_headers(stack.endpoint, stack.outputs.get("SignInOrigins", ""))
    handler = partial(_Handler, stack.api_url, headers, config(stack.outputs), directory=str(_built()))
    server = _listening(port, handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def check(port: int) -> None:
    """Raise Failure if the page was not built or the port cannot be had: better now than after the deployment."""
    _built()
    _listening(port, SimpleHTTPRequestHandler).server_close()


def publish(outputs: Mapping[str, str], s3: Any, cloudfront: Any) -> str:
    """Copy the built page into its bucket, have CloudFront forget the old one, and give the page's address.

    Files are added before the pages that name them; what the new page has no more is deleted when it is a day old.
    Raises Failure if the page was not built.
    """
    folder, bucket = _built(), outputs["PageBucketName"]
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    for key in sorted(files, key=lambda key: (not key.startswith(_ASSETS), key)):
        s3.put_object(
            Bucket=bucket,
            Key=key,
            Body=config(outputs) if key == CONFIG else files[key].read_bytes(),
            ContentType=mimetypes.guess_type(key)[0] or "application/octet-stream",
            CacheControl=_caching(key),
        )
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    for stored in [stored for page in pages for stored in page.get("Contents", [])]:
        if stored["Key"] not in files and stored["LastModified"] < datetime.now(UTC) - _KEPT:
            s3.delete_object(Bucket=bucket, Key=stored["Key"])
    cloudfront.create_invalidation(
        DistributionId=outputs["PageDistributionId"],
        InvalidationBatch={"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": str(time.time_ns())},
    )
    return outputs["PageUrl"]


def _built() -> Path:
    if not (project.PAGE / "index.html").exists():
        raise Failure("The web page is not built yet: `make page` does that.")
    return project.PAGE


def _listening(port: int, handler: Any) -> ThreadingHTTPServer:
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        raise Failure(f"Port {port}: {error.strerror}. Choose another one with --page-port.") from None


def _caching(path: str) -> str:
    return _FOR_EVER if path.startswith(_ASSETS) else _ASK_EACH_TIME


class _Handler(SimpleHTTPRequestHandler):
    """The page's files, and the API."""

    protocol_version = "HTTP/1.1"
    path = ""  # until a request was understood
    _status = HTTPStatus.OK

    def __init__(
        self, api_url: str, headers: Mapping[str, str], about: bytes, *connection: Any, directory: str
    ) -> None:
        self._api_url, self._security, self._about = api_url, headers, about
        super().__init__(*connection, directory=directory)

    def do_GET(self) -> None:
        if not self._is_for_us():
            self._refuse(HTTPStatus.MISDIRECTED_REQUEST)
            return
        if self.path.startswith(f"{API}/"):
            self._forward()
            return
        if self.path.split("?")[0] == f"/{CONFIG}":
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(self._about)))
            self.end_headers()
            self.wfile.write(self._about)
            return
        # The page's own addresses have no extension, its files do.
        if "." not in self.path.split("?")[0].rsplit("/", 1)[-1]:
            self.path = "/index.html"
        super().do_GET()

    def do_POST(self) -> None:
        self._forward()

    def do_DELETE(self) -> None:
        self._forward()

    def send_response(self, code: int, message: str | None = None) -> None:
        """Remember the status: what is not there today may be there tomorrow."""
        self._status = HTTPStatus(code)
        super().send_response(code, message)

    def end_headers(self) -> None:
        for name, value in self._security.items():
            self.send_header(name, value)
        if not self.path.startswith(f"{API}/"):
            found = self._status in (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED)
            self.send_header("Cache-Control", _caching(self.path.lstrip("/")) if found else _ASK_EACH_TIME)
        super().end_headers()

    def version_string(self) -> str:
        """Tell the server's name alone."""
        return "faceblur"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep silent: the paths hold jobs' ids, which are secrets."""

    def _is_for_us(self) -> bool:
        return _HOST.fullmatch(self.headers.get("Host", "")) is not None

    def _refuse(self, status: HTTPStatus) -> None:
        self.close_connection = True  # the request's body is not read
        self.send_error(status)

    def _forward(self) -> None:
        length, asked = self.headers.get("Content-Length", "0"), _API_PATH.fullmatch(self.path)
        if not self._is_for_us():
            self._refuse(HTTPStatus.MISDIRECTED_REQUEST)
            return
        if not asked:
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        if not length.isdecimal() or "Transfer-Encoding" in self.headers:
            self._refuse(HTTPStatus.LENGTH_REQUIRED)
            return
        if int(length) > MAX_BODY:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        try:
            answer = httpx.request(
                self.command,
                self._api_url + asked[1],
                content=self.rfile.read(int(length)),
                headers={name: self.headers[name] for name in _FORWARDED if name in self.headers},
                timeout=30,
                trust_env=False,
            )
        except httpx.TransportError:
            self.send_error(HTTPStatus.BAD_GATEWAY)
            return
        self.send_response(answer.status_code)
        for name in _ANSWERED:
            if name in answer.headers:
                self.send_header(name, answer.headers[name])
        if answer.status_code != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)
