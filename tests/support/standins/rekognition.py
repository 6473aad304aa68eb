"""A stand-in for Amazon Rekognition: DetectFaces and DetectText over its JSON 1.1 wire protocol, with set answers.

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


ANSWERS = {"DetectFaces": "FaceDetails", "DetectText": "TextDetections"}

LEAST_WORD = 80.0  # the service's default

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


def line(
    corners: list[tuple[float, float]], words: int = 1, confidence: float = 99.0, text: str = "AB 123 CD"
) -> list[dict[str, Any]]:
    """The entries of an answer's TextDetections about a line with these corners, clockwise from where it begins."""
    polygon = [{"X": x, "Y": y} for x, y in corners]
    entry = {"DetectedText": text, "Confidence": confidence, "Geometry": {"Polygon": polygon}}
    return [entry | {"Type": "LINE", "Id": 0}, *([entry | {"Type": "WORD", "ParentId": 0}] * words)]


def shown(operation: str, request: dict[str, Any], found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entries of an answer, without those that the request filters out."""
    if operation != "DetectText":
        return found
    least = request.get("Filters", {}).get("WordFilter", {}).get("MinConfidence", LEAST_WORD)
    return [entry for entry in found if entry["Confidence"] >= least]


class Rekognition(LoopbackServer):
    """The service: it gives each of `replies` once, in order, and then `default` to every further request.

    These are for DetectFaces; `text_replies` and `text_default` are for DetectText. A reply is a list of faces or of
    text's entries, a Refusal, SILENCE, or a function of the request's Image that gives one of them. `images` keeps the
    Image of every request, its Bytes decoded, and `asked` the operation of each. Of text, it leaves out what is below
    the request's WordFilter, and below 80 without one.
    """

    def __init__(self, port: int = 0, default: Reply | None = None) -> None:
        """Listen on a loopback port, any free one by default."""
        self.default: Reply = default if default is not None else []
        self.replies: deque[Reply] = deque()
        self.text_default: Reply = []
        self.text_replies: deque[Reply] = deque()
        self.images: list[dict[str, Any]] = []
        self.asked: list[str] = []
        super().__init__(self._handler(), port)

    def reset(self) -> None:
        """Forget requests and replies."""
        self.default = self.text_default = []
        for kept in (self.replies, self.text_replies, self.images, self.asked):
            kept.clear()

    def _reply(self, operation: str, request: dict[str, Any]) -> Reply:
        image = request["Image"]
        if "Bytes" in image:
            image = {"Bytes": base64.b64decode(image["Bytes"], validate=True)}
        self.images.append(image)
        self.asked.append(operation)
        of_faces = operation == "DetectFaces"
        replies, default = (self.replies, self.default) if of_faces else (self.text_replies, self.text_default)
        reply = replies.popleft() if replies else default
        while callable(reply):
            reply = reply(image)
        return reply

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                operation = self.headers["X-Amz-Target"].removeprefix("RekognitionService.")
                if operation not in ANSWERS:
                    self._send(400, {"__type": "UnknownOperationException"})
                    return
                request = json.loads(body)
                match service._reply(operation, request):
                    case Silence():
                        self.close_connection = True
                    case Refusal(code, status, message):
                        self._send(status, {"__type": code, "message": message})
                    case found:
                        self._send(200, {ANSWERS[operation]: shown(operation, request, found)})

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
