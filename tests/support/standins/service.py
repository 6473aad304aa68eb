"""A stand-in for the API and its storage. Every job ends at once, and the photo's content determines how."""

from __future__ import annotations

import itertools
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any

import httpx

from tests.support.counts import faces
from tests.support.standins.loopback import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from faceblur_client import Client

# A JPEG's first bytes, so that the command takes it for a photo.
JPEG = b"\xff\xd8\xff\xe0"
# Contents of a photo with which no face is found, or the job fails.
EMPTY, BAD = b"nobody", b"damaged"
OUTCOME = {"missed_at_first": 0, "kept": faces(0), "check_rounds": 1, "reviewed": False}


class Service:
    """The stack, as clients see it. `hidden` are the photos that were uploaded, in order."""

    def __init__(self, url: str = "http://service.test") -> None:
        self.url = url
        self.created: list[dict[str, Any]] = []
        self.hidden: list[bytes] = []
        # A function that may answer instead of this service.
        self.instead: Callable[[httpx.Request], httpx.Response | None] = lambda _: None
        # The uploads of each batch by their keys, and those that were started. A batch takes no more than `of_a_batch`.
        self.batches: dict[str, dict[str, bytes]] = {}
        self.started: list[str] = []
        self.of_a_batch = sys.maxsize
        self._jobs: dict[str, bytes] = {}
        self._ids, self._batch_ids = itertools.count(1), (f"b{letter}" for letter in ascii_lowercase)
        self._lock = threading.Lock()

    def answer(self, request: httpx.Request) -> httpx.Response:
        """The answer of the API or the storage."""
        return self.instead(request) or self._answer(request)

    def client(self, **options: Any) -> Client:
        """A client of this stack."""
        from faceblur_client import Client

        return Client(self.url, transport=httpx.MockTransport(self.answer), **options)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        match request.method, request.url.path.split("/")[1:]:
            case "POST", ["jobs"]:
                return self._create(json.loads(request.read()))
            case "POST", ["upload", job_id]:
                return self._take(job_id, _file(request.read()))
            case "POST", ["batches"]:
                self.created.append(json.loads(request.read()))
                batch_id = next(self._batch_ids)
                self.batches[batch_id] = {}
                return httpx.Response(201, json={"batch_id": batch_id, "status": "AWAITING_PHOTOS"})
            case "POST", ["batches", batch_id, "form"]:
                form = {"url": f"{self.url}/in/{batch_id}", "fields": {"key": f"{batch_id}/in/${{filename}}"}}
                return httpx.Response(200, json=form | {"max_bytes": 35_000_000})
            case "POST", ["in", batch_id]:
                self.batches[batch_id][_key(request.read())] = _file(request.read())
                return httpx.Response(204)
            case "POST", ["batches", batch_id, "start"]:
                self.started.append(batch_id)
                return httpx.Response(202, json={"batch_id": batch_id, "status": "RUNNING"})
            case "GET" | "DELETE", ["batches", batch_id] if batch_id not in self.batches:
                return httpx.Response(404, json={"code": "BatchNotFound", "message": "There is no such batch."})
            case "GET", ["batches", batch_id] if batch_id not in self.started:
                return httpx.Response(200, json={"batch_id": batch_id, "status": "AWAITING_PHOTOS"})
            case "GET", ["batches", batch_id]:
                report = {"jsonl": {"url": f"{self.url}/report/{batch_id}"}}
                return httpx.Response(200, json={"batch_id": batch_id, "status": "COMPLETED", "report": report})
            case "GET", ["report", batch_id]:
                return httpx.Response(200, text="".join(self._lines(batch_id)))
            case "DELETE", ["batches", batch_id]:
                del self.batches[batch_id]
                return httpx.Response(204)
            case "GET", ["jobs", job_id] if job_id in self._jobs:
                return httpx.Response(200, json=self._job(job_id))
            case "GET", ["result", job_id]:
                return httpx.Response(200, content=b"hidden " + self._jobs[job_id])
            case "GET", ["receipt", job_id]:
                return httpx.Response(200, json={"job_id": job_id})
            case "DELETE", ["jobs", job_id] if job_id in self._jobs:
                del self._jobs[job_id]
                return httpx.Response(204)
        return httpx.Response(404, json={"code": "JobNotFound", "message": "There is no such job."})

    def _create(self, options: dict[str, Any]) -> httpx.Response:
        with self._lock:
            job_id = f"{next(self._ids):032x}"
            self.created.append(options)
        form = {"url": f"{self.url}/upload/{job_id}", "fields": {"key": "photo"}, "max_bytes": 35_000_000}
        return httpx.Response(201, json={"job_id": job_id, "upload": form})

    def _lines(self, batch_id: str) -> Iterator[str]:
        """The report of a batch, whose photos are hidden."""
        for key, photo in sorted(self.batches[batch_id].items())[: self.of_a_batch]:
            job_id = f"{next(self._ids):032x}"
            self._jobs[job_id] = photo
            yield json.dumps({"key": key, "job_id": job_id, "status": self._job(job_id)["status"]}) + "\n"

    def _take(self, job_id: str, photo: bytes) -> httpx.Response:
        with self._lock:
            self._jobs[job_id] = photo
            self.hidden.append(photo)
        return httpx.Response(204)

    def _job(self, job_id: str) -> dict[str, Any]:
        photo = self._jobs[job_id]
        if BAD in photo:
            error = {"code": "CorruptImage", "message": "This photo is damaged."}
            return {"job_id": job_id, "status": "FAILED", "error": error}
        count = 0 if EMPTY in photo else 1
        return OUTCOME | {
            "job_id": job_id,
            "status": "COMPLETED",
            "hidden": faces(count),
            "warnings": [] if count else ["NothingFound"],
            "result": {"url": f"{self.url}/result/{job_id}", "content_type": "image/jpeg"},
            "receipt": {"url": f"{self.url}/receipt/{job_id}"},
        }


class ServedService(Service):
    """The same on a loopback port, within a `with` block or until interrupted."""

    def __init__(self, port: int = 0) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def answer(handler) -> None:  # noqa: N805 - self is the service
                body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
                answer = self.answer(httpx.Request(handler.command, self.url + handler.path, content=body))
                handler.send_response(answer.status_code)
                handler.send_header("Content-Length", str(len(answer.content)))
                handler.end_headers()
                handler.wfile.write(answer.content)

            do_GET = do_POST = do_DELETE = answer  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        self.server = LoopbackServer(Handler, port)
        super().__init__(self.server.url)


def _file(form: bytes) -> bytes:
    """The file of a form, which is its last part."""
    boundary = form.partition(b"\r\n")[0]
    return form.rpartition(b"\r\n" + boundary)[0].rpartition(b"\r\n" + boundary)[2].partition(b"\r\n\r\n")[2]


def _key(form: bytes) -> str:
    """The field `key` of a form."""
    return form.partition(b'name="key"\r\n\r\n')[2].partition(b"\r\n")[0].decode()


if __name__ == "__main__":
    served = ServedService(int(sys.argv[1]))
    served.server.serve_forever()
