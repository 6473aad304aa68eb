"""A webhook on this machine, which keeps the posts that it gets."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

from tests.support.standins.loopback import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Post:
    """A request: its path, its headers by their names, and its body."""

    path: str
    headers: Mapping[str, str]
    body: str


class Receiver(LoopbackServer):
    """Answers with each of `statuses` once, in order, and then with 200. `posts` keeps every request."""

    def __init__(self) -> None:
        self.statuses: deque[int] = deque()
        self.posts: list[Post] = []
        super().__init__(self._handler())

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                receiver.posts.append(Post(self.path, dict(self.headers), body))
                status = receiver.statuses.popleft() if receiver.statuses else 200
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", f"{receiver.url}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler
