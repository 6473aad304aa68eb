"""Batches on a deployed stack: uploads, the customer's own buckets, photos that fail, and batches that are stopped."""

from __future__ import annotations

import csv
import io
import json
import re
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from faceblur import prices
from faceblur.jobs.batches import photo_id
from faceblur.observability import digest_of_id
from faceblur_cli.batch import wait_for
from faceblur_cli.folder.as_batch import hide_as_batch
from faceblur_cli.folder.journal import Journal
from faceblur_cli.folder.one import Wishes
from faceblur_cli.folder.walk import walk
from faceblur_cli.stack import sam
from faceblur_cli.stack.aws import Stack
from faceblur_client import Client
from tests.support.api_contract import assert_documented
from tests.support.pictures.photos import blank, grace_hopper
from tests.support.sources import ROOT
from tests.support.stack.deployed import Deployed, eventually, request, with_faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.standins.receiver import Receiver

SOURCE, TARGET = "our-photos", "our-hidden-photos"
BUS = "our-bus"
SECRET_NAME, SECRET = "/faceblur/webhook-of-batches", "whsec-of-the-batches"
NO_PHOTO = b"not a photo at all"
PHOTO = blank(64, 64)


@pytest.fixture(scope="module")
def batching(
    built: Path, endpoint: str, receiver: Receiver, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployed]:
    """The deployed template with the customer's own buckets, which exist before the deployment."""
    plans = tmp_path_factory.mktemp("plans")
    parameters = (
        f"SourceBucket={SOURCE}",
        "SourcePrefix=in/",
        f"TargetBucket={TARGET}",
        "TargetPrefix=out/",
        "TargetReceipts=yes",
        "BucketsWithoutSignIn=yes",
        "DollarsADay=5",
        f"EventBusName={BUS}",
        f"NotificationTopicArn={Stack(endpoint, {}).client('sns').create_topic(Name='ends')['TopicArn']}",
        f"WebhookUrl={receiver.url}/ends",
        f"WebhookSecretName={SECRET_NAME}",
    )
    ssm = Stack(endpoint, {}).client("ssm")
    ssm.put_parameter(Name=SECRET_NAME, Value=SECRET, Type="SecureString")
    with with_faults(plans) as copy:
        name = "faceblur-batches"
        stack = Deployed(sam.deploy(endpoint, copy, name, parameters), plans, name)
        s3 = stack.stack.client("s3")
        for bucket in (SOURCE, TARGET):
            s3.create_bucket(Bucket=bucket)
        s3.put_bucket_notification_configuration(
            Bucket=SOURCE, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        stack.stack.client("events").create_event_bus(Name=BUS)
        yield stack


@pytest.fixture
def told(batching: Deployed) -> Callable[[str], list[dict[str, Any]]]:
    """A function that returns the details of the events of a type that the customer's bus got during this test."""
    events, sqs = batching.stack.client("events"), batching.stack.client("sqs")
    queue = sqs.create_queue(QueueName="ends")["QueueUrl"]
    sqs.purge_queue(QueueUrl=queue)
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"source": ["faceblur"], "detail": {"stack": [batching.name]}}
    events.put_rule(Name="ends", EventBusName=BUS, EventPattern=json.dumps(pattern))
    events.put_targets(Rule="ends", EventBusName=BUS, Targets=[{"Id": "ends", "Arn": arn}])
    received: list[dict[str, Any]] = []

    def receive(kind: str) -> list[dict[str, Any]]:
        messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            received.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return [event["detail"] for event in received if event["detail-type"] == kind]

    return receive


def call(stack: Deployed, method: str, path: str, status: int, **content: Any) -> Any:
    """Send a request to the API of batches. Expect this status, and an answer that fits the API's description."""
    answer = stack.call(method, path, **content)
    assert answer.status_code == status, answer.text
    parts = path.split("/")
    described = "/".join(["", "batches", *["{batch_id}"][: len(parts) - 2], *parts[3:]])
    body = answer.json() if answer.text else None
    assert_documented(method, described, status, body)
    return body


def create(stack: Deployed, **fields: Any) -> dict[str, Any]:
    created: dict[str, Any] = call(stack, "POST", "/batches", 201, json=fields)
    return created


def upload(form: dict[str, Any], photos: dict[str, bytes]) -> None:
    """Post photos by a batch's form, under these names."""
    folder = form["fields"]["key"].removesuffix("${filename}")
    for name, photo in photos.items():
        fields = {**form["fields"], "key": folder + name}
        assert request("POST", form["url"], data=fields, files={"file": ("photo", photo)}).status_code == 204


def started(stack: Deployed, photos: dict[str, bytes], **fields: Any) -> str:
    """Upload these photos as a batch, and start it. Returns the batch's id."""
    batch = create(stack, **fields)
    upload(batch["upload"], photos)
    start(stack, batch["batch_id"])
    return str(batch["batch_id"])


def start(stack: Deployed, batch_id: str) -> None:
    assert call(stack, "POST", f"/batches/{batch_id}/start", 202)["status"] == "RUNNING"


def ended(stack: Deployed, batch_id: str) -> dict[str, Any]:
    """The batch once it has ended."""

    def poll() -> dict[str, Any] | None:
        shown: dict[str, Any] = call(stack, "GET", f"/batches/{batch_id}", 200)
        return shown if shown["status"] != "RUNNING" else None

    return eventually(poll, f"the end of batch {batch_id}", 180)


def lines(batch: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The lines of the batch's report by the last part of their keys. Checks that both reports have the same lines."""
    told = [json.loads(line) for line in request("GET", batch["report"]["jsonl"]["url"]).text.splitlines()]
    rows = list(csv.DictReader(io.StringIO(request("GET", batch["report"]["csv"]["url"]).text)))
    assert [(row["key"], row["status"], row["code"]) for row in rows] == [
        (line["key"], line["status"], line["code"]) for line in told
    ]
    return {line["key"].rpartition("/")[2]: line for line in told}


def statuses(batch: dict[str, Any]) -> dict[str, str]:
    return {name: line["code"] or line["status"] for name, line in lines(batch).items()}


def counts(photos: int, *, hidden: int, failed: int = 0) -> dict[str, int]:
    return {"photos": photos, "waiting": 0, "running": 0, "hidden": hidden, "failed": failed}


def keys(stack: Deployed, bucket: str, prefix: str = "") -> list[str]:
    listed = stack.stack.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return sorted(entry["Key"] for entry in listed)


def hidden_so_far(stack: Deployed, batch_id: str) -> int:
    """The number of hidden photos of a batch, according to its lines."""
    stored = keys(stack, stack.bucket, f"batches/{batch_id}/lines/")
    return sum(json.loads(read(stack, stack.bucket, key))["status"] == "COMPLETED" for key in stored)


def land(stack: Deployed, key: str, photo: bytes) -> None:
    """Store a photo in the customer's bucket."""
    stack.stack.client("s3").put_object(Bucket=SOURCE, Key=key, Body=photo)


def read(stack: Deployed, bucket: str, key: str) -> bytes:
    data: bytes = stack.stack.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return data


def execution_of(stack: Deployed, batch_id: str, number: int = 1) -> str:
    machine = stack.stack.outputs["BatchMachineArn"]
    return f"{machine.replace(':stateMachine:', ':execution:')}:{batch_id}-{number}"


def hold(stack: Deployed, batch_id: str, name: str, until: Path) -> str:
    """Let the detection in this photo of a batch wait until the file exists. Returns the id of the photo's job."""
    job_id = photo_id(f"{batch_id}-1", f"batches/{batch_id}/in/{name}")
    stack.plan(job_id, "detect", {"wait_for": str(until)})
    return job_id


def test_a_batch_of_uploads_is_hidden_and_started_again_for_failed_photos(batching: Deployed) -> None:
    photos = {"one.jpg": grace_hopper(), "sub/two.jpg": PHOTO, "bad.jpg": NO_PHOTO}
    batch_id = started(batching, photos, style="solid")
    batch = ended(batching, batch_id)
    assert (batch["status"], batch["counts"]) == ("COMPLETED", counts(3, hidden=2, failed=1))
    assert batch["nothing_hidden"] == 1
    assert batch["cost_usd"] > 0
    assert statuses(batch) == {"one.jpg": "COMPLETED", "two.jpg": "COMPLETED", "bad.jpg": "UnsupportedFormat"}
    first = lines(batch)
    shown = batching.shown(first["one.jpg"]["job_id"])
    assert (shown["hidden"]["face"], shown["options"]["style"]) == (1, "solid")
    assert request("GET", shown["result"]["url"]).content.startswith(b"\xff\xd8")
    # The uploads of hidden photos are deleted. The photo that failed can be tried again.
    assert keys(batching, batching.bucket, f"batches/{batch_id}/in/") == [f"batches/{batch_id}/in/bad.jpg"]
    assert not any(
        line["job_id"] in key for line in first.values() for key in keys(batching, batching.bucket, "uploads/")
    )

    upload(call(batching, "POST", f"/batches/{batch_id}/form", 200), {"bad.jpg": PHOTO})
    start(batching, batch_id)
    batch = ended(batching, batch_id)
    assert (batch["status"], batch["counts"]) == ("COMPLETED", counts(3, hidden=3))
    again = lines(batch)
    assert {name for name in first if first[name]["job_id"] != again[name]["job_id"]} == {"bad.jpg"}
    assert batching.execution(again["one.jpg"]["job_id"]) == "SUCCEEDED"


def test_the_command_sends_a_large_folder_as_a_batch(batching: Deployed, tmp_path: Path) -> None:
    folder, out = tmp_path / "photos", tmp_path / "out"
    folder.mkdir()
    out.mkdir()
    for name, photo in {"one.jpg": grace_hopper(), "two.png": PHOTO, "bad.jpg": b"\xff\xd8\xff" + NO_PHOTO}.items():
        (folder / name).write_bytes(photo)
    wishes = Wishes({"style": "solid"}, out)
    with Client(batching.stack.api_url) as client, Journal(out, resume=True) as journal:
        wait = partial(wait_for, client, show=lambda _: None)
        hide_as_batch([folder], client, journal, wishes, wait, lambda _: None, enough=3)
        begun = {
            found.name: bool(journal.begun_job(found.name, wishes.state(found.path.stat())))
            for found in walk([folder], out)
        }
    assert begun == {"bad.jpg": False, "one.jpg": True, "two.png": True}


def test_a_batch_in_which_too_many_photos_fail_is_given_up(batching: Deployed) -> None:
    photos = {"good.jpg": PHOTO, "bad.jpg": NO_PHOTO, "empty.jpg": b""}
    batch = ended(batching, started(batching, photos, tolerated_failures=40))
    assert (batch["status"], batch["error"]["code"]) == ("FAILED", "TooManyFailed")
    assert batch["counts"] == counts(3, hidden=1, failed=2)
    assert statuses(batch)["bad.jpg"] == "UnsupportedFormat"


def test_a_batch_that_an_operator_stops_is_started_again_for_the_rest(batching: Deployed, tmp_path: Path) -> None:
    batch = create(batching)
    batch_id, go = batch["batch_id"], tmp_path / "go"
    upload(batch["upload"], {"quick.jpg": PHOTO, "slow.jpg": PHOTO})
    job_id = hold(batching, batch_id, "slow.jpg", go)
    start(batching, batch_id)
    call(batching, "POST", f"/batches/{batch_id}/start", 409)
    call(batching, "POST", f"/batches/{batch_id}/form", 409)

    def counted() -> dict[str, int] | None:
        """The counts once they include the hidden photo, which they do soon after its line is stored."""
        counts: dict[str, int] = call(batching, "GET", f"/batches/{batch_id}", 200)["counts"]
        return counts if counts["hidden"] == 1 else None

    shown = eventually(counted, "the count of the hidden photo")
    assert shown == {"photos": 2, "waiting": 0, "running": 1, "hidden": 1, "failed": 0}
    batching.stack.client("stepfunctions").stop_execution(executionArn=execution_of(batching, batch_id))
    stopped = ended(batching, batch_id)
    assert (stopped["status"], stopped["error"]["code"]) == ("STOPPED", "Aborted")
    assert stopped["counts"] == {"photos": 2, "waiting": 1, "running": 0, "hidden": 1, "failed": 0}
    # In the embedded AWS, photos that a map has begun continue after a stop.
    go.touch()
    eventually(lambda: hidden_so_far(batching, batch_id) == 2)
    start(batching, batch_id)
    batch = ended(batching, batch_id)
    assert (batch["status"], statuses(batch)) == ("COMPLETED", {"quick.jpg": "COMPLETED", "slow.jpg": "COMPLETED"})
    assert lines(batch)["slow.jpg"]["job_id"] == job_id


def test_a_batch_is_stopped_when_the_budget_is_spent_and_can_be_started_again(batching: Deployed) -> None:
    batch = create(batching)
    batch_id = batch["batch_id"]
    upload(batch["upload"], {"one.jpg": PHOTO})
    # This pays for the start, but not for a photo.
    with batching.spent(f"{5 - prices.start_of_a_batch(40) / prices.A_DOLLAR:.6f}"):
        start(batching, batch_id)
        stopped = ended(batching, batch_id)
        assert (stopped["status"], stopped["error"]["code"]) == ("STOPPED", "BudgetSpent")
        assert call(batching, "POST", f"/batches/{batch_id}/start", 429)["code"] == "BudgetSpent"
    start(batching, batch_id)
    batch = ended(batching, batch_id)
    assert (batch["status"], statuses(batch)) == ("COMPLETED", {"one.jpg": "COMPLETED"})


def test_nothing_stays_of_a_batch_that_is_deleted_while_it_runs(batching: Deployed, tmp_path: Path) -> None:
    batch = create(batching)
    batch_id, go = batch["batch_id"], tmp_path / "go"
    upload(batch["upload"], {"quick.jpg": PHOTO, "slow.jpg": PHOTO})
    slow = hold(batching, batch_id, "slow.jpg", go)
    quick = photo_id(f"{batch_id}-1", f"batches/{batch_id}/in/quick.jpg")
    start(batching, batch_id)
    eventually(lambda: hidden_so_far(batching, batch_id) == 1)
    call(batching, "DELETE", f"/batches/{batch_id}", 204)
    call(batching, "GET", f"/batches/{batch_id}", 404)
    call(batching, "DELETE", f"/batches/{batch_id}", 404)
    assert batching.row(quick) is None
    go.touch()
    eventually(lambda: batching.row(slow) is None, "the erasure of a job of a deleted batch")
    eventually(lambda: not batching.objects(batch_id) + batching.objects(slow) + batching.objects(quick))


def test_a_photo_that_lands_in_the_source_is_hidden_under_the_same_key(batching: Deployed) -> None:
    name = 'trip to Genève/photo +"1".jpg'
    land(batching, f"in/{name}", grace_hopper())
    land(batching, "elsewhere/photo.jpg", grace_hopper())
    land(batching, "in/folder/", b"")
    receipt = f"out/{name}.receipt.json"
    eventually(lambda: receipt in keys(batching, TARGET), "the result of a photo that landed")
    result = read(batching, TARGET, f"out/{name}")
    assert result != grace_hopper()
    assert json.loads(read(batching, TARGET, receipt))["output"]["bytes"] == len(result)
    assert read(batching, SOURCE, f"in/{name}") == grace_hopper()
    assert keys(batching, TARGET, "out/") == [f"out/{name}", receipt]


def test_a_list_of_photos_is_hidden_from_bucket_to_bucket(batching: Deployed) -> None:
    land(batching, "in/listed/a.png", PHOTO)
    land(batching, "in/list.csv", b"key\nin/listed/a.png\nin/listed/missing.jpg\nelsewhere/b.jpg\n")
    fields = {"source": {"bucket": SOURCE, "prefix": "in/listed/", "csv": "in/list.csv"}, "tolerated_failures": 90}
    batch = ended(batching, create(batching, **fields, target={"bucket": TARGET, "prefix": "out/list/"})["batch_id"])
    assert (batch["status"], batch["counts"]) == ("COMPLETED", counts(3, hidden=1, failed=2))
    assert statuses(batch) == {"a.png": "COMPLETED", "missing.jpg": "UploadReplaced", "b.jpg": "SourceNotAllowed"}
    assert keys(batching, TARGET, "out/list/") == [lines(batch)["a.png"]["result"]]
    assert batching.call("GET", f"/jobs/{lines(batch)['a.png']['job_id']}").status_code == 404
    assert "in/listed/a.png" in keys(batching, SOURCE)


def test_a_batch_whose_source_is_missing_or_not_allowed_has_an_error(batching: Deployed) -> None:
    source = {"bucket": SOURCE, "csv": "in/no-list.csv"}
    batch = ended(batching, create(batching, source=source)["batch_id"])
    assert (batch["status"], batch["error"]["code"]) == ("FAILED", "SourceUnreadable")
    for fields in ({"source": {"bucket": TARGET}}, {"source": {"bucket": SOURCE, "prefix": ""}}, {"target": source}):
        status = 400 if "csv" in fields.get("target", {}) else 403
        call(batching, "POST", "/batches", status, json=fields)


def test_the_bus_gets_an_event_for_each_end_of_a_photo_or_a_batch(
    batching: Deployed, told: Callable[[str], list[dict[str, Any]]]
) -> None:
    job_id = batching.run(grace_hopper())["job_id"]
    (hidden,) = eventually(lambda: told("Photo hidden"), "the event of a job")
    assert (hidden["job"], hidden["hidden"]["face"]) == (digest_of_id(job_id), 1)

    failed_id = batching.run(NO_PHOTO)["job_id"]
    (failed,) = eventually(lambda: told("Photo failed"), "the event of a job that failed")
    assert (failed["job"], failed["code"]) == (digest_of_id(failed_id), "UnsupportedFormat")

    land(batching, "in/told.jpg", grace_hopper())
    _, landed = eventually(
        lambda: told("Photo hidden")[1:] and told("Photo hidden"), "the event of a photo that landed"
    )
    assert landed["source"] == {"bucket": SOURCE, "key": "in/told.jpg"}
    assert landed["target"] == {"bucket": TARGET, "key": "out/told.jpg"}
    assert "out/told.jpg" in keys(batching, TARGET)

    batch_id = started(batching, {"one.png": PHOTO, "bad.jpg": NO_PHOTO})
    (batch,) = eventually(lambda: told("Batch finished"), "the event of a batch", 180)
    assert (batch["batch"], batch["status"]) == (digest_of_id(batch_id), "COMPLETED")
    assert (batch["photos"], batch["hidden"], batch["failed"]) == (2, 1, 1)
    assert [len(told(kind)) for kind in ("Photo hidden", "Photo failed", "Batch finished")] == [3, 2, 1]


def test_a_topic_gets_the_events_of_the_bus(batching: Deployed) -> None:
    sns, sqs = batching.stack.client("sns"), batching.stack.client("sqs")
    queue = sqs.create_queue(QueueName="subscribed")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    (topic,) = [each["TopicArn"] for each in sns.list_topics()["Topics"] if each["TopicArn"].endswith(":ends")]
    allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed | {"Resource": arn}]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    job_id = batching.run(NO_PHOTO)["job_id"]
    (message,) = eventually(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"), "the message of the topic")
    event = json.loads(message["Body"])
    assert (event["detail-type"], event["detail"]["job"]) == ("Photo failed", digest_of_id(job_id))


def test_a_webhook_gets_signed_events_and_refused_events_again(batching: Deployed, receiver: Receiver) -> None:
    _, code = re.findall(r"```python\n(.*?)```", (ROOT / "docs/events.md").read_text(), re.DOTALL)
    document: dict[str, Any] = {}
    exec(code, document)
    eventually(lambda: waiting_for_the_webhook(batching) == 0, "the delivery of earlier events")
    receiver.posts.clear()
    receiver.statuses.append(307)
    job_id = batching.run(NO_PHOTO)["job_id"]
    posts = eventually(lambda: receiver.posts[1:] and receiver.posts, "the second attempt")
    assert [post.path for post in posts] == ["/ends"] * 2  # the redirect was not followed
    events = [document["verified"](post.headers["Faceblur-Signature"], post.body.encode(), SECRET) for post in posts]
    assert len({event["id"] for event in events}) == 1
    assert len({post.headers["Faceblur-Signature"] for post in posts}) == 2
    assert (events[0]["detail"]["job"], events[0]["detail"]["code"]) == (digest_of_id(job_id), "UnsupportedFormat")
    eventually(lambda: waiting_for_the_webhook(batching) == 0, "the end of the delivery")
    logs = batching.stack.client("logs").filter_log_events(logGroupName=batching.stack.outputs["FunctionsLogGroupName"])
    assert SECRET not in json.dumps([logs["events"], batching.stack.outputs])


def waiting_for_the_webhook(stack: Deployed) -> int:
    """The number of events that wait for the webhook or are being posted."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    queue = stack.stack.outputs["WebhookQueueUrl"]
    attributes = stack.stack.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)
