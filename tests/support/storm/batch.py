"""A batch among the jobs of a storm: it is started again until nothing but bad photos has failed, and then deleted."""

from __future__ import annotations

import json
import time
from itertools import cycle, islice
from random import Random
from typing import TYPE_CHECKING, Any

import httpx

from faceblur.jobs.batches import photo_id
from tests.support.pictures import photos
from tests.support.stack.deployed import eventually
from tests.support.storm.plans import faulty_read
from tests.support.storm.portraits import Portrait, no_photos, portraits
from tests.support.storm.storm import FAULTY_READ
from tests.support.storm.verdict import LEFT, LOST, PENDING, TWICE, VISIBLE, WRONG_CODE, WRONG_RESULT, Complaint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.storm.storm import Storm

STARTS = 8
BATCH_SECONDS = 600  # the longest time for one start
ANSWER_SECONDS = 300  # how long a request is repeated until it succeeds; a restart takes less


class BatchInAStorm:
    """The client of one batch."""

    def __init__(self, storm: Storm, count: int) -> None:
        """Create a batch of this many photos, upload them, and start it."""
        self._storm, self._random, self.starts = storm, Random(storm.seed), 0
        created = self._call("POST", "/batches", json={"tolerated_failures": 100})
        self.batch_id = str(created["batch_id"])
        self._folder = created["upload"]["fields"]["key"].removesuffix("${filename}")
        kinds = islice(cycle([*portraits(), *no_photos()]), count)
        self._photos = {f"{self._folder}{number:04}": portrait for number, portrait in enumerate(kinds)}
        for key, portrait in self._photos.items():
            self._upload(created["upload"], key, portrait)
        self._start()

    def complaints(self) -> list[Complaint]:
        """Start the batch again until nothing but bad photos has failed; look at every result, and delete all."""
        for _ in range(STARTS):
            shown = self._ended()
            if shown["status"] == "RUNNING":
                found = [Complaint(PENDING, "", f"the batch still runs after {BATCH_SECONDS} seconds")]
                break
            lines = self._lines(shown)
            wrong = [line for line in lines if line["code"] != self._photos[line["key"]].code]
            if shown["status"] == "COMPLETED" and not wrong and len(lines) == len(self._photos):
                found = [*self._look_at(lines)]
                break
            self._start()
        else:
            found = [Complaint(PENDING, "", f"the batch is {shown['status']} after {STARTS} starts")]
            found += [Complaint(WRONG_CODE, line["job_id"], f"{line['code']} in a batch") for line in wrong]
            found += [Complaint(LOST, "", "a photo of the batch has no line")] * (len(self._photos) - len(lines))
        self._storm.of_batches |= {
            photo_id(f"{self.batch_id}-{start}", key) for start in range(1, self.starts + 1) for key in self._photos
        }
        return found + self._delete()

    def _look_at(self, lines: list[dict[str, Any]]) -> Iterator[Complaint]:
        if twice := len(lines) - len({line["key"] for line in lines}):
            yield Complaint(TWICE, "", f"{twice} photos have two lines")
        for line in lines:
            portrait = self._photos[line["key"]]
            if portrait.code:
                continue
            link = self._storm.show(line["job_id"]).json()["result"]["url"]
            picture = photos.opened(self._storm.cloud.http.get(link).content).convert("RGB")
            if picture.size != portrait.size or not portrait.is_itself_elsewhere(picture):
                yield Complaint(WRONG_RESULT, line["job_id"], "another picture, in a batch")
            elif visible := portrait.visible(picture):
                yield Complaint(VISIBLE, line["job_id"], f"in a batch: {visible}")

    def _delete(self) -> list[Complaint]:
        """Delete the batch, and complain of what is left in its folder."""
        gone = {httpx.codes.NO_CONTENT, httpx.codes.NOT_FOUND}
        eventually(lambda: self._ask("DELETE").status_code in gone, "the deletion of the batch", ANSWER_SECONDS)
        s3, bucket = self._storm.cloud.s3, self._storm.cloud.deployed.bucket
        left = s3.list_objects_v2(Bucket=bucket, Prefix=f"batches/{self.batch_id}/").get("Contents", [])
        return [Complaint(LEFT, "", entry["Key"]) for entry in left]

    def _ended(self) -> dict[str, Any]:
        """The batch after its end, or after BATCH_SECONDS. Then it may still be RUNNING."""
        deadline = time.time() + BATCH_SECONDS
        while True:
            shown = self._call("GET", f"/batches/{self.batch_id}")
            if shown["status"] != "RUNNING" or time.time() > deadline:
                return shown
            time.sleep(0.5)

    def _lines(self, shown: dict[str, Any]) -> list[dict[str, Any]]:
        if "report" not in shown:
            return []
        text = self._storm.cloud.http.get(shown["report"]["jsonl"]["url"]).text
        return [json.loads(line) for line in text.splitlines()]

    def _start(self) -> None:
        """Start the batch. An answer that is lost is asked for again; then the batch may be running already."""
        started = {httpx.codes.ACCEPTED, httpx.codes.CONFLICT}
        eventually(lambda: self._ask("POST", "/start").status_code in started, "a start of the batch", ANSWER_SECONDS)
        self.starts += 1

    def _upload(self, form: dict[str, Any], key: str, portrait: Portrait) -> None:
        fields, files = form["fields"] | {"key": key}, {"file": ("photo", portrait.data)}
        post = self._storm.cloud.http.post
        answer = self._storm.cloud.persistently(lambda: post(form["url"], data=fields, files=files))
        answer.raise_for_status()

    def _call(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        """The API's answer. The API fails at times, so the request is repeated."""
        steps = iter([faulty_read(self._random)] if self._random.random() < FAULTY_READ else [])

        def ask() -> httpx.Response | None:
            answer = self._storm.ask(method, path, next(steps, None), **content)
            return None if answer.is_server_error else answer

        answered: dict[str, Any] = eventually(ask, f"{method} {path}", ANSWER_SECONDS).raise_for_status().json()
        return answered

    def _ask(self, method: str, more: str = "") -> httpx.Response:
        return self._storm.ask(method, f"/batches/{self.batch_id}{more}")
