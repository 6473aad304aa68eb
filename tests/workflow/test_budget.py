"""The budget of a day in a deployed stack: which jobs it refuses, and that clients cannot misuse it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from faceblur import prices
from faceblur.errors import BudgetSpent
from faceblur.jobs.budget import Budget
from faceblur_cli.stack import sam
from tests.support.api_contract import assert_documented
from tests.support.pictures.photos import grace_hopper
from tests.support.stack.deployed import DETECT, FAILURE, Deployed, assert_failed, with_faults

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from faceblur_cli.stack.aws import Stack

# The budget pays for a few photos. While a task runs, it takes this much: two minutes of a large function.
DOLLARS, DOLLARS_PER_CLIENT = "0.05", "0.04"
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
ADDRESS, OTHER_ADDRESS = "192.0.2.10", "192.0.2.11"


@pytest.fixture(scope="module")
def frugal(built: Path, endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The deployed template with a budget of a few cents."""
    plans = tmp_path_factory.mktemp("plans")
    with with_faults(plans) as copy:
        name = "faceblur-frugal"
        parameters = (f"DollarsADay={DOLLARS}", f"DollarsADayPerClient={DOLLARS_PER_CLIENT}")
        yield Deployed(sam.deploy(endpoint, copy, name, parameters), plans, name)


@pytest.fixture
def ledger(mocked: Stack) -> Iterator[Any]:
    """A table of the embedded AWS, whose conditional writes are atomic; moto's are not."""
    resource = boto3.resource("dynamodb", endpoint_url=mocked.endpoint, region_name="us-east-1", **KEYS)
    yield resource.create_table(
        TableName="ledger",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "job_id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "job_id", "KeyType": "HASH"}],
    )
    resource.Table("ledger").delete()


def test_simultaneous_takes_do_not_exceed_a_limit_together(ledger: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("faceblur.jobs.budget.budget_refused", lambda _: None)
    limited = Budget(ledger, a_day=1000, a_day_per_client=600)

    def take(client: str) -> int:
        try:
            limited.take(client, 90)
        except BudgetSpent:
            return 0
        return 1

    with ThreadPoolExecutor(8) as pool:
        taken = sum(pool.map(take, ["alice", "bob"] * 20))
    rows = ledger.scan()["Items"]
    spent = {row["job_id"].partition(" by ")[2]: int(row["spent"]) for row in rows}
    assert spent[""] == spent["alice"] + spent["bob"] == 90 * taken
    assert (taken, max(spent["alice"], spent["bob"]) <= 600) == (11, True)


def post(stack: Deployed, address: str = ADDRESS, **headers: str) -> httpx.Response:
    """Ask for a job from this address. The embedded API Gateway takes it from a header; AWS's does not."""
    return stack.call("POST", "/jobs", json={}, headers={"X-Forwarded-For": address, **headers})


def created(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 201, response.text
    job: dict[str, Any] = response.json()
    return job


def client_of(stack: Deployed, job: dict[str, Any]) -> str:
    row = stack.row(job["job_id"])
    assert row is not None
    return str(row["client"]["S"])


def test_requests_without_photos_do_not_close_the_service(frugal: Deployed, request: pytest.FixtureRequest) -> None:
    """If a job were paid for when it is created, 160 such requests would spend the budget."""
    count = 3000 if request.config.getoption("in_full") else 200
    assert count * prices.JOB > float(DOLLARS) * prices.A_DOLLAR
    for number in range(count):
        forged = {"X-Faceblur-Viewer": f"198.51.100.{number % 250}", "X-Faceblur-Front": str(number)}
        last = created(post(frugal, **forged))
    assert client_of(frugal, last) == client_of(frugal, created(post(frugal)))
    job = created(post(frugal))
    assert frugal.upload(job, grace_hopper()).status_code == 204
    done = frugal.ended(job["job_id"])
    assert (done["status"], done["hidden"]["face"]) == ("COMPLETED", 1)


def test_a_job_is_refused_at_its_arrival_if_the_budget_does_not_suffice(frugal: Deployed) -> None:
    job = created(post(frugal))
    left = (prices.JOB + prices.WORK - 1) / prices.A_DOLLAR
    with frugal.spent(f"{float(DOLLARS) - left:.6f}"):
        assert frugal.upload(job, grace_hopper()).status_code == 204
        shown = frugal.ended(job["job_id"])
        assert_failed(frugal, shown, "BudgetSpent")
        assert frugal.execution(job["job_id"]) is None
        assert shown["error"]["message"] == "No more photos are taken today. Please try again tomorrow."

        refused = post(frugal)
        assert_documented("POST", "/jobs", 429, refused.json())
        assert (refused.status_code, refused.json()["code"]) == (429, "BudgetSpent")


def test_a_job_fails_if_others_spend_the_budget_during_its_review(frugal: Deployed) -> None:
    job_id = frugal.start(grace_hopper(), review="always")
    frugal.asked(job_id)
    with frugal.spent(DOLLARS):
        assert frugal.call("PUT", f"/jobs/{job_id}/review", json={}).status_code == 200
        path = ["Claim the job", "Is it known what to hide?", DETECT, "Must a person look first?"]
        path += ["Draw a preview", "Ask a person", "Record the answer", "Hide what was found", *FAILURE]
        assert_failed(frugal, frugal.ended(job_id), "BudgetSpent", path)


def test_one_client_does_not_spend_the_part_of_others(frugal: Deployed) -> None:
    with frugal.spent(DOLLARS_PER_CLIENT, client_of(frugal, created(post(frugal)))):
        forged = {"X-Faceblur-Viewer": OTHER_ADDRESS, "X-Faceblur-Front": "guess"}
        assert [post(frugal).status_code, post(frugal, **forged).status_code] == [429, 429]
        job = created(post(frugal, OTHER_ADDRESS))
        assert frugal.upload(job, grace_hopper()).status_code == 204
        assert frugal.ended(job["job_id"])["status"] == "COMPLETED"
