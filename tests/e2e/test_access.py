"""Attacks on a stack with sign-in, and the answers to them."""

from __future__ import annotations

import json
import time
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.api_contract import assert_documented
from tests.support.pictures.photos import flower, grace_hopper
from tests.support.stack.command import faceblur
from tests.support.stack.deployed import Deployed, eventually, request
from tests.support.standins.issuer import FORGED, NOT_FOR_US

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.standins.issuer import Issuer

NOBODYS = "0" * 32
EVERY_REQUEST = [("POST", "/jobs"), ("GET", f"/jobs/{NOBODYS}"), ("DELETE", f"/jobs/{NOBODYS}")]


class Person:
    """A client of the API with a token."""

    def __init__(self, stack: Deployed, token: str) -> None:
        self.stack, self.token = stack, token

    def call(self, method: str, path: str, **content: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"} | content.pop("headers", {})
        return self.stack.call(method, path, headers=headers, **content)

    def create(self) -> dict[str, Any]:
        created = self.call("POST", "/jobs")
        assert created.status_code == 201, created.text
        job: dict[str, Any] = created.json()
        return job

    def ended(self, job_id: str) -> dict[str, Any]:
        def ended_job() -> dict[str, Any] | None:
            shown = self.call("GET", f"/jobs/{job_id}").json()
            return shown if shown.get("status") in {"COMPLETED", "FAILED"} else None

        return eventually(ended_job, f"the end of job {job_id}")


def an_hour_hence() -> int:
    """An expiry late enough for all tests of this module, even on a busy machine."""
    return int(time.time()) + 60 * 60


@pytest.fixture(scope="module")
def alice(deployed_with_sign_in: Deployed, issuer: Issuer) -> Person:
    return Person(deployed_with_sign_in, issuer.token("alice", exp=an_hour_hence()))


@pytest.fixture(scope="module")
def bob(deployed_with_sign_in: Deployed, issuer: Issuer) -> Person:
    return Person(deployed_with_sign_in, issuer.token("bob", exp=an_hour_hence()))


@pytest.fixture(scope="module")
def hers(alice: Person) -> dict[str, Any]:
    """A job of Alice's that is completed."""
    job = alice.create()
    assert alice.stack.upload(job, flower()).status_code == 204
    shown = alice.ended(job["job_id"])
    assert_documented("GET", "/jobs/{job_id}", 200, shown)
    assert shown["status"] == "COMPLETED"
    return shown


def assert_unharmed(alice: Person, job: dict[str, Any]) -> None:
    assert alice.call("GET", f"/jobs/{job['job_id']}").json()["status"] == "COMPLETED"
    assert len(alice.stack.objects(job["job_id"])) == 2


# ---------------------------------------------------------------- tokens


@pytest.mark.parametrize(("method", "path"), EVERY_REQUEST)
@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer x", "Basic YWxpY2U6c2VjcmV0", "Bearer a.b.c"])
def test_without_a_token(deployed_with_sign_in: Deployed, method: str, path: str, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    assert deployed_with_sign_in.call(method, path, headers=headers).status_code == 401


@pytest.mark.parametrize("forge", FORGED)
def test_a_forged_token(deployed_with_sign_in: Deployed, issuer: Issuer, forge: Callable[[Issuer], str]) -> None:
    forger = Person(deployed_with_sign_in, forge(issuer))
    for method, path in EVERY_REQUEST:
        assert forger.call(method, path).status_code == 401


@pytest.mark.parametrize("claims", NOT_FOR_US.values(), ids=NOT_FOR_US.keys())
def test_a_token_that_is_not_for_us(deployed_with_sign_in: Deployed, issuer: Issuer, claims: dict[str, Any]) -> None:
    assert Person(deployed_with_sign_in, issuer.token(**claims)).call("POST", "/jobs").status_code == 401


def test_two_tokens_at_once(alice: Person, bob: Person, hers: dict[str, Any]) -> None:
    both = [("Authorization", f"Bearer {person.token}") for person in (alice, bob)]
    assert alice.stack.call("GET", f"/jobs/{hers['job_id']}", headers=both).status_code == 401


def test_a_token_in_another_place(alice: Person, hers: dict[str, Any]) -> None:
    path = f"/jobs/{hers['job_id']}"
    for elsewhere in ({"params": {"Authorization": f"Bearer {alice.token}"}}, {"cookies": {"token": alice.token}}):
        headers = {"X-Authorization": f"Bearer {alice.token}"}
        assert alice.stack.call("GET", path, headers=headers, **elsewhere).status_code == 401


# ---------------------------------------------------------------- somebody else's job


def test_a_job_does_not_exist_for_others(alice: Person, bob: Person, hers: dict[str, Any]) -> None:
    for method in ("GET", "DELETE"):
        refused = bob.call(method, f"/jobs/{hers['job_id']}")
        unknown = bob.call(method, f"/jobs/{NOBODYS}")
        assert (refused.status_code, refused.json()) == (unknown.status_code, unknown.json())
        assert_documented(method, "/jobs/{job_id}", refused.status_code, refused.json())
        assert refused.status_code == 404
    assert_unharmed(alice, hers)


def test_headers_and_fields_cannot_change_the_owner(alice: Person, bob: Person, hers: dict[str, Any]) -> None:
    row = alice.stack.row(hers["job_id"])
    assert row is not None
    owner, path = row["owner"]["S"], f"/jobs/{hers['job_id']}"
    said: list[dict[str, Any]] = [
        {"headers": {"owner": owner, "X-Owner": owner, "principalId": owner, "X-Amzn-Principal": owner}},
        {"params": {"owner": owner, "requestContext": json.dumps({"authorizer": {"owner": owner}})}},
        {"cookies": {"owner": owner}},
    ]
    for content in said:
        assert bob.call("GET", path, **content).status_code == 404
        assert bob.call("DELETE", path, **content).status_code == 404
    body = {"owner": owner, "requestContext": {"authorizer": {"owner": owner}}}
    assert bob.call("POST", "/jobs", json=body).json()["code"] == "InvalidOptions"
    assert_unharmed(alice, hers)


def test_a_job_is_erased_by_its_owner(alice: Person) -> None:
    job = alice.create()
    assert alice.call("DELETE", f"/jobs/{job['job_id']}").status_code == 204
    assert alice.stack.row(job["job_id"]) is None


# ---------------------------------------------------------------- ids, paths, headers, bodies


@pytest.mark.parametrize(
    "path",
    [
        "/jobs/{id}%00",
        "/jobs/{id}%0a",
        "/jobs/{id}%0d%0aX-Owner:%20alice",
        "/jobs/{id}%20",
        "/jobs/%20{id}",
        "/jobs/{id};owner=alice",
        "/jobs/..%2f{id}",
        "/jobs/%2e%2e%2fjobs%2f{id}",
        "/jobs/uploads%2f{id}",
        "/jobs/{id}/../{id}",
        "/jobs//{id}",
        "/jobs/{id}/",
        "/jobs/{id}/uploads",
        "/jobs/{ID}",
        "/jobs/{id}{id}",
        "/jobs/*",
        "/jobs/%c0%ae%c0%ae",
        "/jobs/jobs%20of%202026-11-23",
        "/jobs/" + "a" * 3000,
    ],
)
def test_a_crafted_path(bob: Person, hers: dict[str, Any], path: str) -> None:
    tried = path.replace("{id}", hers["job_id"]).replace("{ID}", hers["job_id"].upper())
    for method in ("GET", "DELETE"):
        status, _, body = raw(bob, method, tried)
        assert status in {400, 403, 404}, body
        assert "status" not in json.loads(body)


def test_no_header_can_be_injected(bob: Person, origin: str) -> None:
    """No header of the answer contains a value that a client sent."""
    for value in ("https://evil.example%0d%0aSet-Cookie: owner=alice", "https://evil.example", "null"):
        status, headers, _ = raw(bob, "GET", f"/jobs/{NOBODYS}", Origin=value, X_Forwarded_Host="evil.example")
        assert status == 404
        assert headers["Access-Control-Allow-Origin"] == origin
        assert "evil" not in str(headers)
        assert "Set-Cookie" not in headers


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"style": "' + b"x" * 5_000_000 + b'"}', id="long"),
        pytest.param(b"[" * 200_000, id="deep"),
        pytest.param(b'{"style": ' * 50_000, id="deep in style"),
        pytest.param(json.dumps({f"option{number}": 1 for number in range(50_000)}).encode(), id="many"),
        pytest.param(b'{"padding": 1' + b"0" * 100_000 + b"}", id="large number"),
        pytest.param(b'{"padding": NaN}', id="no number"),
        pytest.param(b"\xff\xfe\x00", id="no text"),
    ],
)
def test_an_excessive_body(bob: Person, body: bytes) -> None:
    refused = bob.call("POST", "/jobs", content=body, headers={"Content-Type": "application/json"})
    assert refused.status_code in {400, 413}, refused.text
    if refused.status_code == 400:
        assert_documented("POST", "/jobs", 400, refused.json())
    assert len(refused.content) < 100_000


# ---------------------------------------------------------------- forms and links


def test_a_link_is_valid_for_one_file_and_a_limited_time(alice: Person, hers: dict[str, Any]) -> None:
    link = httpx.URL(hers["result"]["url"])
    assert request("GET", link).status_code == 200
    changed = [
        link.copy_with(path=f"/{alice.stack.bucket}/uploads/{hers['job_id']}"),
        link.copy_set_param("X-Amz-Expires", "86400"),
        link.copy_set_param("X-Amz-Signature", "0" * 64),
        link.copy_remove_param("X-Amz-Signature"),
        link.copy_with(query=None),
    ]
    for other in changed:
        # A link with a missing signature counts as malformed.
        assert request("GET", other).status_code in {400, 403}, other
    for method in ("PUT", "DELETE"):
        assert request(method, link, content=b"").status_code == 403
    assert_unharmed(alice, hers)


def test_a_form_is_valid_for_one_key(alice: Person) -> None:
    job = alice.create()
    form = job["upload"]
    for field, value in {
        "key": f"results/{job['job_id']}.jpg",
        "policy": form["fields"]["policy"][:-8] + "AAAAAA==",
        "x-amz-signature": "0" * 64,
    }.items():
        refused = request("POST", form["url"], data=form["fields"] | {field: value}, files={"file": flower()})
        assert refused.status_code == 403, field
    assert alice.stack.objects(job["job_id"]) == []


def test_the_storage_refuses_requests_without_a_signature(alice: Person, hers: dict[str, Any]) -> None:
    bucket = f"{alice.stack.stack.endpoint}/{alice.stack.bucket}"
    for key in ["", *(f"/{key}" for key in alice.stack.objects(hers["job_id"]))]:
        assert request("GET", bucket + key).status_code == 403
    assert request("PUT", f"{bucket}/uploads/{NOBODYS}", content=flower()).status_code == 403


# ---------------------------------------------------------------- the budget


def test_only_a_client_that_has_spent_its_part_is_refused(alice: Person, bob: Person) -> None:
    her_row = alice.stack.row(alice.create()["job_id"])
    assert her_row is not None
    with alice.stack.spent("5", her_row["client"]["S"]):
        refused = alice.call("POST", "/jobs")
        assert_documented("POST", "/jobs", 429, refused.json())
        assert refused.json()["code"] == "BudgetSpent"
        assert 1 <= int(refused.headers["Retry-After"]) <= 24 * 60 * 60
        bob.create()
    alice.create()


# ---------------------------------------------------------------- the command


def test_the_command_with_and_without_a_token(alice: Person, environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "hopper.jpg").write_bytes(grace_hopper())
    arguments = ("blur", tmp_path / "hopper.jpg", "--api", alice.stack.stack.api_url, "--json")
    refused = faceblur(environment, *arguments)
    assert (refused.returncode, "requires sign-in" in refused.stderr) == (1, True)
    report = json.loads(faceblur(environment | {"FACEBLUR_TOKEN": alice.token}, *arguments).stdout)
    assert (report["status"], report["hidden"]["face"]) == ("COMPLETED", 1)


# ---------------------------------------------------------------- last, since the issuer has other keys from then on


def test_keys_are_rotated(deployed_with_sign_in: Deployed, issuer: Issuer) -> None:
    withdrawn = issuer.token("carol")  # unused until now, because the API accepts a verified token for a minute
    issuer.rotate("second")
    carol = Person(deployed_with_sign_in, issuer.token("carol"))
    # For unknown keys, the API asks the issuer at most every half minute, so that forged tokens put no load on it.
    eventually(lambda: carol.call("POST", "/jobs").status_code == 201, "the new key")
    assert Person(deployed_with_sign_in, withdrawn).call("POST", "/jobs").status_code == 401


def raw(person: Person, method: str, path: str, **headers: str) -> tuple[int, Any, str]:
    """The answer to a request whose path is sent unchanged, because HTTP libraries would normalise it."""
    address = urlsplit(person.stack.stack.api_url)
    connection = HTTPConnection(address.netloc, timeout=30)
    try:
        connection.putrequest(method, address.path + path)
        connection.putheader("Authorization", f"Bearer {person.token}")
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()
