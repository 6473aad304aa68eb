"""Fast tests: no network, a fake AWS environment, and moto in the place of AWS."""

from __future__ import annotations

import functools
import json
import os
import ssl
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws
from moto.core.model_instances import reset_model_data
from moto.core.models import MockAWS, botocore_stubber

from faceblur.jobs import batch_files, batch_runs, batches, budget, events, executions, storage, webhook
from faceblur.jobs import table as jobs_table
from faceblur.jobs.boxes import FoundBox, FoundBoxes
from faceblur.observability import logger
from faceblur.options import JobOptions
from tests.support.counts import faces
from tests.support.privacy import private_in
from tests.support.quick_moto import add_bucket, add_table, make_quick

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient

    from faceblur.geometry import Box

EVENTS = Path(__file__).parents[1] / "events"
# The job that the events in tests/events speak of.
JOB_ID = "0f8fad5bd9cb469fa16570867728950e"
REGION = "eu-central-1"
BUCKET = "faceblur-photos-123456789012-eu-central-1"
TABLE = "faceblur-jobs"
STATE_MACHINE_ARN = "arn:aws:states:eu-central-1:123456789012:stateMachine:blur-image"
BATCH_MACHINE_ARN = "arn:aws:states:eu-central-1:123456789012:stateMachine:faceblur-hide-batch"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Block sockets here, and in `detection`, which imports this; a test of a wire protocol says `enable_socket`."""
    item.add_marker("disable_socket")


@pytest.fixture(scope="module", autouse=True)
def environment() -> Iterator[None]:
    """Give the functions their settings, and boto3 credentials that are good for nothing.

    A test changes them through its `monkeypatch`, which takes the changes back.
    """
    settings = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_SESSION_TOKEN": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "STACK_NAME": "faceblur",
        "PHOTO_BUCKET": BUCKET,
        "JOBS_TABLE": TABLE,
        "STATE_MACHINE_ARN": STATE_MACHINE_ARN,
        "BATCH_MACHINE_ARN": BATCH_MACHINE_ARN,
        "EVENT_BUS_NAME": "",
        "PHOTOS_AT_ONCE": "40",
        "SOURCE_BUCKET": "our-photos",
        "SOURCE_PREFIX": "in/",
        "TARGET_BUCKET": "our-hidden-photos",
        "TARGET_PREFIX": "out/",
        "TARGET_RECEIPTS": "no",
        "BUCKETS_WITHOUT_SIGN_IN": "no",
        "FACE_DETECTOR": "embedded",
        "CALLS_A_JOB": "60",
        "UPLOAD_SECONDS": "300",
        "ALLOWED_ORIGIN": "https://photos.example.org",
        "DOLLARS_A_DAY": "0",
        "DOLLARS_A_DAY_PER_CLIENT": "",
        "FRONT_SECRET": "51af3dc0-da77-11e4-872e-1234567db123",
        "OIDC_ISSUER": "",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in settings.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session", autouse=True)
def one_tls_context() -> Iterator[None]:
    """Load the certificates of the authorities once, not for each client of httpx: it takes longer than most tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", functools.cache(ssl.create_default_context))
        yield


class Clients(boto3.Session):
    """A session that makes each client and each table's resource once: to make one takes longer than most tests.

    Its clients send a fixed User-Agent, which botocore would compute for each request.
    """

    def __init__(self) -> None:
        super().__init__()
        self._session.set_default_client_config(Config(user_agent="tests"))
        self._made: dict[str, Any] = {}

    def client(self, service_name: str, **options: Any) -> Any:
        return self._once(super().client, "client", service_name, options)

    def resource(self, service_name: str, **options: Any) -> Any:
        return self._once(super().resource, "resource", service_name, options)

    def _once(self, make: Callable[..., Any], kind: str, service: str, options: dict[str, Any]) -> Any:
        settings = {name: vars(value) if isinstance(value, Config) else value for name, value in options.items()}
        variables = sorted((name, value) for name, value in os.environ.items() if name.startswith("AWS_"))
        key = repr((kind, service, settings, variables))
        if key not in self._made:
            made = make(service, **options)
            if kind == "resource":
                made.Table = functools.cache(made.Table)
            self._made[key] = made
        return self._made[key]


@pytest.fixture(scope="session")
def clients() -> Clients:
    """The clients of all tests."""
    return Clients()


@pytest.fixture(scope="session")
def moto() -> Iterator[MockAWS]:
    """Moto, started once; it stands in for AWS only in the tests that ask for `aws`."""
    with mock_aws() as started, pytest.MonkeyPatch.context() as patch:
        make_quick(patch)
        botocore_stubber.enabled = False
        yield started


@pytest.fixture(autouse=True)
def shared_clients(environment: None, clients: Clients, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have boto3 give the clients of all tests, and let no test see what another one's functions keep."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", clients)
    yield
    for made_once in (
        jobs_table.jobs,
        jobs_table.jobs_table,
        budget.budget,
        events.events,
        webhook.webhook,
        storage.photos,
        executions.workflow,
        batches.batches,
        batch_files.batch_files,
        batch_runs.batch_machine,
    ):
        made_once.cache_clear()


@pytest.fixture
def listen() -> Iterator[Callable[[Any, str, Callable[..., Any]], None]]:
    """Have a function called at an event of a boto3 client until the test ends: the client is that of all tests."""
    with ExitStack() as registered:

        def register(client: Any, event: str, function: Callable[..., Any]) -> None:
            client.meta.events.register_first(event, function)
            registered.callback(client.meta.events.unregister, event, function)

        yield register


@pytest.fixture
def aws(shared_clients: None, moto: MockAWS) -> Iterator[None]:
    """Replace AWS by moto, in which there is nothing yet."""
    moto.reset()
    reset_model_data()
    botocore_stubber.enabled = True
    yield
    botocore_stubber.enabled = False


@pytest.fixture
def s3(aws: None) -> S3Client:
    """S3 with the bucket of photos."""
    add_bucket(BUCKET, REGION)
    return boto3.client("s3")


@pytest.fixture
def table(aws: None) -> Table:
    """The jobs table."""
    add_table(TABLE, "job_id", REGION)
    return boto3.resource("dynamodb").Table(TABLE)


@pytest.fixture
def states(aws: None) -> SFNClient:
    """Step Functions with the state machine; its executions stay RUNNING."""
    client = boto3.client("stepfunctions")
    made = client.create_state_machine(
        name="blur-image",
        roleArn="arn:aws:iam::123456789012:role/blur-image",
        definition='{"StartAt": "Wait", "States": {"Wait": {"Type": "Succeed"}}}',
    )
    assert made["stateMachineArn"] == STATE_MACHINE_ARN
    return client


@pytest.fixture
def add_job(table: Table) -> Callable[..., str]:
    """Write a job's row as it is in the middle of its life; gives its id."""

    def add(status: str = "AWAITING_UPLOAD", job_id: str = JOB_ID, **changes: Any) -> str:
        now = int(time.time())
        options = JobOptions().model_dump() | changes.pop("options", {})
        row = {
            "job_id": job_id,
            "status": status,
            "options": json.dumps(options),
            "created_at": now,
            "upload_expires_at": now + 300,
            "expires_at": now + 86_400,
        }
        if status != "AWAITING_UPLOAD":
            row |= {"execution_arn": execution_arn(job_id), "working_since": now}
        if status == "AWAITING_REVIEW":
            row |= {
                "review_token": "AQCEAAAAKgAAAAMAAAAA",
                "review_boxes": json.dumps({"key": f"boxes/{job_id}.8d1f0c2b9a7e6543.json", "count": 1}),
                "preview": json.dumps({"key": f"previews/{job_id}.51b374c3ba9c56cc.jpg", "width": 1024, "height": 768}),
                "review_expires_at": now + 3600,
            }
        if status == "COMPLETED":
            row["outcome"] = json.dumps(outcome_of(job_id) | changes.pop("outcome", {}))
        table.put_item(Item=row | changes)
        return job_id

    return add


@pytest.fixture
def row_of(table: Table) -> Callable[[str], dict[str, Any] | None]:
    """Read a job's row as DynamoDB has it."""
    return lambda job_id: table.get_item(Key={"job_id": job_id}).get("Item")


@pytest.fixture
def keys(s3: S3Client) -> Callable[[], set[str]]:
    """The keys of everything in the bucket."""
    return lambda: {entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])}


@pytest.fixture
def store(s3: S3Client) -> Callable[..., dict[str, Any]]:
    """Store boxes and the rounds in which they were found; gives what the workflow's state says of them."""

    def write(*found: tuple[Box, int], photo: bytes = b"photo") -> dict[str, Any]:
        boxes = FoundBoxes(storage.digest(photo), [FoundBox(box, round_) for box, round_ in found])
        return {"key": storage.photos().write_boxes(JOB_ID, boxes.to_dict()), "count": sum(boxes.hidden.values())}

    return write


@pytest.fixture
def event() -> Callable[[str], dict[str, Any]]:
    """Read an event of tests/events by its name."""
    return lambda name: json.loads((EVENTS / f"{name}.json").read_text())


@pytest.fixture
def context() -> SimpleNamespace:
    """Lambda's context of an invocation."""
    return SimpleNamespace(
        function_name="faceblur-Function",
        function_version="$LATEST",
        memory_limit_in_mb="512",
        invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:faceblur-Function",
        aws_request_id="8b7c2d4e-5f60-4a31-9c8d-1e2f3a4b5c6d",
        get_remaining_time_in_millis=lambda: 30_000,
    )


class Output:
    """A function's log: lines of JSON. Some of them are metrics."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._text = ""

    @property
    def text(self) -> str:
        """All of it."""
        self._text += self._capsys.readouterr().out
        return self._text

    @property
    def logs(self) -> list[dict[str, Any]]:
        """The log's entries."""
        return [line for line in self._lines() if "_aws" not in line]

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """The metrics in CloudWatch's embedded metric format, values in lists made plain."""
        return [
            {name: value[0] if isinstance(value, list) else value for name, value in line.items()}
            for line in self._lines()
            if "_aws" in line
        ]

    def _lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


class Stdout:
    """Standard output as it is at the moment: pytest puts another one in its place for each phase of a test."""

    def __init__(self, recorded: list[str]) -> None:
        self._recorded = recorded

    def write(self, text: str) -> None:
        self._recorded.append(text)
        sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


@pytest.fixture(autouse=True)
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """All that the functions log in a test, in which nothing must be private.

    The logger, which took standard output when it was made, follows pytest's changes of it.
    """
    told: list[str] = []
    monkeypatch.setattr(logger.registered_handler, "stream", Stdout(told))
    yield told
    assert private_in("\n".join(told)) == {}


@pytest.fixture
def output(capsys: pytest.CaptureFixture[str]) -> Output:
    """Read what the functions log and count."""
    return Output(capsys)


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, Any]]:
    """Turn sign-in on; gives what of an event tells who asks."""
    monkeypatch.setenv("OIDC_ISSUER", "https://issuer.example.org")
    return lambda owner: {"requestContext": {"authorizer": {"owner": owner}}}


def outcome_of(job_id: str) -> dict[str, Any]:
    """What the row of a completed job says about its result."""
    return {
        "hidden": faces(1),
        "missed_at_first": 0,
        "check_rounds": 1,
        "kept": faces(0),
        "reviewed": False,
        "warnings": [],
        "boxes": {"key": f"boxes/{job_id}.8d1f0c2b9a7e6543.json", "count": 1},
        "receipt": f"receipts/{job_id}.json",
        "result": {
            "key": f"results/{job_id}.9c56cc51b374c3ba.jpg",
            "content_type": "image/jpeg",
            "bytes": 198_212,
            "width": 1024,
            "height": 768,
            "stripped": ["EXIF"],
            "kept_metadata": ["credit"],
        },
    }


def execution_arn(job_id: str) -> str:
    """ARN of a job's execution."""
    return f"{STATE_MACHINE_ARN.replace(':stateMachine:', ':execution:')}:{job_id}"
