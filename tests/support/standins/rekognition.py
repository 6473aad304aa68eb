"""A stand-in for Amazon Rekognition: DetectFaces over its JSON 1.1 wire protocol, with answers that tests set.

In a test: `with Rekognition() as service: service.replies += [THROTTLED, [face(0.1, 0.1, 0.2, 0.2)]]`; clients
reach it through AWS_ENDPOINT_URL_REKOGNITION = `service.url`. As a program, in the folder above this one:
`python -m standins.rekognition PORT [BOXES.json]` answers every request with the boxes in the file, a list of
[left, top, width, height, confidence].
"""

from __future__ import annotations

import base64
import json
import sys
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.standins.loopback import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Callable

    Reply = list[dict[str, Any]] | "Refusal" | "Silence" | Callable[[dict[str, Any]], Any]


@dataclass(frozen=True)
class Refusal:
    """An error answer."""

    code: str
    status: int = 400
    message: str = "as the test has told"


@dataclass(frozen=True)
class Silence:
    """The connection is closed without an answer."""


THROTTLED = Refusal("ThrottlingException")
OVER_PROVISION = Refusal("ProvisionedThroughputExceededException")
BROKEN = Refusal("InternalServerError", 500)
SILENCE = Silence()


def face(left: float, top: float, width: float, height: float, confidence: float = 99.0) -> dict[str, Any]:
    """One entry of an answer's FaceDetails."""
    return {
        "BoundingBox": {"Left": left, "Top": top, "Width": width, "Height": height},
        "Confidence": confidence,
    }


class Rekognition(LoopbackServer):
    """The service: it gives each of `replies` once, in order, and then `default` to every further request.

    A reply is a list of faces, a Refusal, SILENCE, or a function of the request's Image that gives one of them.
    `images` keeps the Image of every request, its Bytes decoded.
    """

    def __init__(self, port: int = 0, default: Reply | None = None) -> None:
        """Listen on a loopback port, any free one by default."""
        self.default: Reply = default if default is not None else []
        self.replies: deque[Reply] = deque()
        self.images: list[dict[str, Any]] = []
        super().__init__(self._handler(), port)

    def reset(self) -> None:
        """Forget requests and replies."""
        self.default = []
        self.replies.clear()
        self.images.clear()

    def _reply(self, request: dict[str, Any]) -> Reply:
        image = request["Image"]
        if "Bytes" in image:
            image = {"Bytes": base64.b64decode(image["Bytes"], validate=True)}
        self.images.append(image)
        reply = self.replies.popleft() if self.replies else self.default
        while callable(reply):
            reply = reply(image)
        return reply

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers["X-Amz-Target"] != "RekognitionService.DetectFaces":
                    self._send(400, {"__type": "UnknownOperationException"})
                    return
                match service._reply(json.loads(body)):
                    case Silence():
                        self.close_connection = True
                    case Refusal(code, status, message):
                        self._send(status, {"__type": code, "message": message})
                    case faces:
                        self._send(200, {"FaceDetails": faces})

            def _send(self, status: int, answer: dict[str, Any]) -> None:
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


if __name__ == "__main__":
    boxes = json.loads(Path(sys.argv[2]).read_text()) if len(sys.argv) > 2 else []
    Rekognition(int(sys.argv[1]), [face(*box) for box in boxes]).serve_forever()
