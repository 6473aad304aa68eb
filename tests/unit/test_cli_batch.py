from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from faceblur_cli import batch, main
from faceblur_cli.failures import Failure
from faceblur_client import Client

API = "https://api.example.org/api"
ID = "6ba7b8109dad41d180b400c04fd430c8"
COUNTS = {"photos": 5000, "waiting": 0, "running": 0, "hidden": 4996, "failed": 4}
ENDED = {
    "batch_id": ID,
    "status": "COMPLETED",
    "counts": COUNTS,
    "without_faces": 6,
    "photos_a_minute": 500.0,
    "cost_usd": 2.61,
    "finished_at": "2025-06-01T12:13:00Z",
}


class Api:
    """Answers requests about one batch with these states, one after another."""

    def __init__(self, *states: dict[str, Any]) -> None:
        self._states = list(states)
        self.asked: list[tuple[str, str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else None
        self.asked.append((request.method, request.url.path.removeprefix("/api"), body))
        state = self._states.pop(0) if len(self._states) > 1 else self._states[0]
        return httpx.Response(state.pop("http", 200), json=state)


@pytest.fixture
def run(monkeypatch):
    """Run `faceblur batch` against these states; gives its result and the requests."""

    def call(states: list[dict[str, Any]], *arguments: str):
        api = Api(*states)
        client = Client(API, transport=httpx.MockTransport(api))
        monkeypatch.setattr(Client, "_pause", lambda *_: None)
        monkeypatch.setattr(main, "Client", lambda *_, **__: client)
        monkeypatch.setattr(batch, "_POLL_SECONDS", 0.0)
        return CliRunner().invoke(main.cli, ["batch", "--api", API, *arguments]), api.asked

    return call


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("s3://our-photos/2025/", {"bucket": "our-photos", "prefix": "2025/"}),
        ("s3://our-photos", {"bucket": "our-photos", "prefix": ""}),
        # Not also what is below 2025-private/.
        ("s3://our-photos/2025", {"bucket": "our-photos", "prefix": "2025/"}),
    ],
)
def test_an_address_is_a_bucket_and_a_prefix(address, expected):
    assert batch.place(address) == expected


@pytest.mark.parametrize("address", ["our-photos/2025", "s3://", "https://our-photos"])
def test_another_address_is_refused(address):
    with pytest.raises(Failure, match=r"s3://bucket/prefix/"):
        batch.place(address)


def test_a_batch_is_created_waited_for_and_summed_up(run):
    running = {"batch_id": ID, "status": "RUNNING"}
    result, asked = run([running, running, ENDED], "s3://in/a/", "s3://out/b/", "--receipts", "-o", "style=solid")
    source, target = {"bucket": "in", "prefix": "a/"}, {"bucket": "out", "prefix": "b/"}
    fields = {"style": "solid", "receipts": True, "source": source, "target": target}
    assert asked == [("POST", "/batches", fields), *[("GET", f"/batches/{ID}", None)] * 2]
    assert "4,996 of 5,000 hidden, 4 failed, 6 without faces, 500 a minute, 2.61 USD" in result.output
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"counts": COUNTS | {"failed": 0}, "without_faces": 0}, 0),
        ({"counts": COUNTS | {"failed": 0}}, 3),
        ({"counts": COUNTS | {"failed": 0, "waiting": 2}, "without_faces": 0}, 1),
        ({"status": "STOPPED", "counts": COUNTS | {"failed": 0}}, 1),
        ({}, 1),
    ],
)
def test_the_exit_code_says_how_it_went(run, changes, code):
    result, asked = run([ENDED | changes], "--status", ID, "--json")
    assert (result.exit_code, json.loads(result.output)["batch_id"]) == (code, ID)
    assert asked == [("GET", f"/batches/{ID}", None)]


def test_a_batch_is_started_again_and_not_waited_for(run):
    result, asked = run([{"batch_id": ID, "status": "RUNNING"}], "--redrive", ID, "--no-wait")
    assert asked == [("POST", f"/batches/{ID}/start", None)]
    assert result.exit_code == 0


def test_an_api_that_stays_away_ends_the_waiting(run, monkeypatch):
    monkeypatch.setattr(batch, "_PATIENCE_SECONDS", 0.0)
    result, _ = run([{"batch_id": ID, "status": "RUNNING"}, *({"http": 502} for _ in range(6))], "--redrive", ID)
    assert isinstance(result.exception, Failure)
    assert f"look at it later, with --status {ID}" in str(result.exception)


def test_an_api_that_cannot_answer_is_asked_again(run):
    running = {"batch_id": ID, "status": "RUNNING"}
    result, asked = run([running, {"http": 502}, ENDED], "--redrive", ID)
    assert (len(asked), result.exit_code) == (3, 1)


@pytest.mark.parametrize("arguments", [(), ("s3://in/",), ("s3://in/", "s3://out/", "--status", ID)])
def test_a_command_says_one_thing_to_do(run, arguments):
    result, asked = run([ENDED], *arguments)
    assert (result.exit_code, asked) == (2, [])
