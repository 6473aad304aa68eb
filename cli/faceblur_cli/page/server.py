"""Serves the built web page on this machine, and the stack's API below /api, so that both have one address."""

import json
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from faceblur_cli import loopback, ports
from faceblur_cli.page.content import API, CONFIG, NO_CACHE, built_page, cache_control, config, security_headers
from faceblur_cli.stack.aws import Stack

# All paths of the API. Nothing else is forwarded: below the API's host, the embedded AWS serves all photos.
_API_PATH = re.compile(r"/api(/jobs(/[\w-]{1,64}(/review|/redo)?)?(\?[\w=&%.+-]*)?)", re.ASCII)
# Other host names are refused, so that no other site can reach this server under its own name (DNS rebinding).
_HOST = re.compile(r"(127\.0\.0\.1|localhost)(:\d+)?")
# The API's answer to any other path.
_NO_ROUTE = json.dumps(
    {
        "code": "RouteNotFound",
        "message": "There is nothing at this address. The API's description lists every path and method.",
    }
).encode()
_MAX_BODY = 10_000_000  # bytes, as in API Gateway
_REQUEST_HEADERS = ("Content-Type", "Authorization")
_RESPONSE_HEADERS = ("Content-Type", "Cache-Control", "WWW-Authenticate")


@contextmanager
def serve_page(stack: Stack, port: int) -> Iterator[str]:
    """Serve the page and the stack's API on the loopback interface for the block. Returns the address.

    Raises Failure if the page is not built or the port cannot be used.
    """
    headers = security_headers(stack.endpoint, stack.outputs.get("SignInOrigins", ""))
    handler = partial(_Handler, stack.api_url, headers, config(stack.outputs), directory=str(built_page()))
    ports.check(port, "--page-port")
    server = _Server(("127.0.0.1", port), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def check_page(port: int) -> None:
    """Raise Failure if the page is not built or the port cannot be used. Called before the deployment begins."""
    built_page()
    ports.check(port, "--page-port")


class _Server(ThreadingHTTPServer):
    # The number of connections that wait to be accepted. With the default of 5, clients are refused at busy moments.
    request_queue_size = 128

    def handle_error(self, *_: Any) -> None:
        """Print the error in one line, without a path. If the client has left, print nothing."""
        error = sys.exception()
        if not isinstance(error, ConnectionError | TimeoutError):
            sys.stderr.write(f"faceblur: the page's server met {type(error).__name__}\n")


class _Handler(SimpleHTTPRequestHandler):
    """Answers with the page's files, and forwards requests to the API."""

    protocol_version = "HTTP/1.1"
    timeout = 60  # seconds that a client may be silent
    path = ""  # until a request has been parsed
    _status = HTTPStatus.OK

    def __init__(
        self, api_url: str, security: Mapping[str, str], config: bytes, *connection: Any, directory: str
    ) -> None:
        self._api_url, self._security, self._config = api_url, security, config
        super().__init__(*connection, directory=directory)

    def do_GET(self) -> None:
        if self.path.startswith(f"{API}/"):
            self._forward()
        elif self._is_for_this_host():
            self._send_file()

    def do_POST(self) -> None:
        self._forward()

    do_PUT = do_DELETE = do_POST  # noqa: N815 - http.server asks for these names

    def send_response(self, code: int, message: str | None = None) -> None:
        """Remember the status for the Cache-Control header."""
        self._status = HTTPStatus(code)
        super().send_response(code, message)

    def end_headers(self) -> None:
        for name, value in self._security.items():
            self.send_header(name, value)
        if not self.path.startswith(f"{API}/"):
            # A missing file must not be cached: it may exist tomorrow.
            found = self._status in (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED)
            self.send_header("Cache-Control", cache_control(self.path.lstrip("/")) if found else NO_CACHE)
        super().end_headers()

    def version_string(self) -> str:
        """The Server header, without the versions of Python and its server."""
        return "faceblur"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing: the paths contain job ids, which are secrets."""

    def _send_file(self) -> None:
        file = self.path.split("?")[0]
        if file == f"/{CONFIG}":
            self.send_response(HTTPStatus.OK)
            self._send(self._config, {"Content-Type": "application/json"})
            return
        # Files have an extension. All other addresses are the page's own and show index.html.
        if "." not in file.rsplit("/", 1)[-1]:
            self.path = "/index.html"
        super().do_GET()

    def _forward(self) -> None:
        if not self._is_for_this_host():
            return
        length, api_path = self.headers.get("Content-Length", "0"), _API_PATH.fullmatch(self.path)
        if not api_path:
            self.close_connection = True  # the request's body has not been read
            self.send_response(HTTPStatus.NOT_FOUND)
            self._send(_NO_ROUTE, {"Content-Type": "application/json"})
        elif not length.isdecimal() or "Transfer-Encoding" in self.headers:
            self._refuse(HTTPStatus.LENGTH_REQUIRED)
        elif int(length) > _MAX_BODY:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        else:
            self._call_api(api_path[1], self.rfile.read(int(length)))

    def _call_api(self, path: str, body: bytes) -> None:
        headers = {name: self.headers[name] for name in _REQUEST_HEADERS if name in self.headers}
        try:
            answer = loopback.request(self.command, self._api_url + path, content=body, headers=headers, timeout=30)
        except httpx.TimeoutException:
            self.send_error(HTTPStatus.GATEWAY_TIMEOUT)
            return
        except httpx.RequestError:
            self.send_error(HTTPStatus.BAD_GATEWAY)
            return
        self.send_response(answer.status_code)
        self._send(answer.content, {name: answer.headers[name] for name in _RESPONSE_HEADERS if name in answer.headers})

    def _send(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Send the headers and the body after the status line."""
        for name, value in headers.items():
            self.send_header(name, value)
        if self._status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _is_for_this_host(self) -> bool:
        """Whether the request names this host; refuses it if not."""
        if _HOST.fullmatch(self.headers.get("Host", "")):
            return True
        self._refuse(HTTPStatus.MISDIRECTED_REQUEST)
        return False

    def _refuse(self, status: HTTPStatus) -> None:
        self.close_connection = True  # the request's body has not been read
        self.send_error(status)
