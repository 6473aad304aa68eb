"""What is posted to the customer's webhook, and what becomes of what it does not take."""

from __future__ import annotations

import json
import re
import time

import boto3
import pytest
import urllib3

from faceblur.jobs.webhook import (
    ATTEMPTS,
    FIRST_WAIT_SECONDS,
    FUNCTION_SECONDS,
    LONGER,
    SIGNATURE,
    TIMEOUT,
    signature,
    webhook,
)
from send_webhook.app import handler
from tests.support.sources import ROOT, template
from tests.support.standins.loopback import reserved_port
from tests.support.standins.receiver import Receiver

pytestmark = pytest.mark.enable_socket

SECRET_NAME, SECRET = "/faceblur/webhook", "whsec-example"
RESOURCES = template()["Resources"]


@pytest.fixture
def receiver():
    with Receiver() as served:
        yield served


@pytest.fixture
def deliver(aws, event, context, monkeypatch, receiver):
    """Deliver the event of tests/events from a queue; gives how long it is hidden there, None if it is gone.

    `to` is another address than the receiver's, `attempt` the number of the attempt.
    """
    sqs, ssm = boto3.client("sqs"), boto3.client("ssm")
    ssm.put_parameter(Name=SECRET_NAME, Value=SECRET, Type="SecureString")
    queue = sqs.create_queue(QueueName="webhook")["QueueUrl"]
    monkeypatch.setenv("WEBHOOK_SECRET_NAME", SECRET_NAME)
    monkeypatch.setenv("WEBHOOK_QUEUE_URL", queue)
    messages = event("send_webhook")
    message = messages["Records"][0]

    def call(attempt=1, to=None):
        monkeypatch.setenv("WEBHOOK_URL", to or f"{receiver.url}/hooks?token=hush")
        webhook.cache_clear()
        sqs.send_message(QueueUrl=queue, MessageBody=message["body"])
        (received,) = sqs.receive_message(QueueUrl=queue)["Messages"]
        message.update(receiptHandle=received["ReceiptHandle"])
        message["attributes"]["ApproximateReceiveCount"] = str(attempt)
        waits, before = [], len(receiver.posts)
        call.waits = waits

        def put_off(**asked):
            assert len(receiver.posts) == before  # the function may end during the post
            waits.append(asked["VisibilityTimeout"])

        monkeypatch.setattr(boto3.client("sqs"), "change_message_visibility", put_off)
        answer = handler(messages, context)
        (wait,) = waits
        if answer == {"batchItemFailures": []}:
            return None
        assert answer == {"batchItemFailures": [{"itemIdentifier": message["messageId"]}]}
        return wait - FUNCTION_SECONDS

    return call


def reasons(output):
    return [line["reason"] for line in output.logs if "reason" in line]


def test_a_signature_is_that_of_openssl():
    """printf '1764403200.{"detail-type": "Photo hidden"}' | openssl dgst -sha256 -hmac whsec-example"""
    digest = "b6f65e53ea8fdc4d65c9095cb19b6313146eb9ea948e930f1bf96705a617b1fa"
    assert signature(SECRET, 1764403200, '{"detail-type": "Photo hidden"}') == f"t=1764403200,v1={digest}"


def test_an_event_is_posted_as_the_bus_has_it_with_its_signature(deliver, receiver, event, output):
    before = int(time.time())
    assert deliver() is None
    (post,) = receiver.posts
    assert post.path == "/hooks?token=hush"
    assert post.body == event("send_webhook")["Records"][0]["body"]
    assert post.headers["Content-Type"] == "application/json"
    timestamp = int(post.headers[SIGNATURE].removeprefix("t=").partition(",")[0])
    assert before <= timestamp <= time.time()
    assert post.headers[SIGNATURE] == signature(SECRET, timestamp, post.body)
    assert output.logs == []


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 404, 410, 429, 500, 503])
def test_what_is_not_taken_is_tried_again(deliver, receiver, output, status):
    receiver.statuses.append(status)
    assert deliver() == FIRST_WAIT_SECONDS
    assert [post.path for post in receiver.posts] == ["/hooks?token=hush"]  # no redirect is followed
    assert reasons(output) == [f"status {status}"]


def test_every_wait_is_longer_and_after_the_last_attempt_there_is_none(deliver, receiver):
    receiver.statuses.extend([500] * ATTEMPTS)
    waits = [deliver(attempt) for attempt in range(1, ATTEMPTS + 1)]
    assert waits == [10, 40, 160, 640, 2560, 10240, 40960, 0]
    assert round(sum(waits) / 3600) == 15
    assert max(waits) + FUNCTION_SECONDS <= 12 * 60 * 60  # the most that SQS takes
    assert RESOURCES["WebhookQueue"]["Properties"]["RedrivePolicy"]["maxReceiveCount"] == ATTEMPTS
    assert waits[1] == FIRST_WAIT_SECONDS * LONGER


def test_a_webhook_that_nobody_serves_is_tried_again_and_not_named_in_the_log(deliver, output):
    with reserved_port() as port:
        assert deliver(to=f"http://127.0.0.1:{port}/hooks?token=hush") == FIRST_WAIT_SECONDS
    assert reasons(output) == ["NewConnectionError"]
    assert "hush" not in output.text
    assert SECRET not in output.text


def test_without_its_secret_nothing_is_posted(deliver, receiver, output, monkeypatch):
    monkeypatch.setenv("WEBHOOK_SECRET_NAME", "/faceblur/another")
    assert deliver() == FIRST_WAIT_SECONDS
    assert receiver.posts == []
    assert reasons(output) == ["GetParameterError"]


def test_a_post_to_one_address_ends_before_the_function_does():
    assert "Timeout" not in RESOURCES["SendWebhookFunction"]["Properties"]
    assert template()["Globals"]["Function"]["Timeout"] == FUNCTION_SECONDS
    assert isinstance(TIMEOUT, urllib3.Timeout)
    assert TIMEOUT.connect_timeout + TIMEOUT.read_timeout < FUNCTION_SECONDS


def test_a_receiver_has_as_long_as_the_document_says():
    assert "within ten seconds" in (ROOT / "docs/events.md").read_text()
    assert TIMEOUT.read_timeout >= 10


def test_an_event_is_put_off_although_the_function_ends_during_the_post(deliver, monkeypatch):
    """A name with many addresses that do not answer outlasts the function."""

    class Ended(BaseException):
        pass

    def end(*_, **__):
        raise Ended

    monkeypatch.setattr(urllib3.PoolManager, "request", end)
    with pytest.raises(Ended):
        deliver()
    assert deliver.waits == [FUNCTION_SECONDS + FIRST_WAIT_SECONDS]


# ---------------------------------------------------------------- the receiver's side, as the document has it


@pytest.fixture(scope="module")
def verified():
    _, code = re.findall(r"```python\n(.*?)```", (ROOT / "docs/events.md").read_text(), re.DOTALL)
    names = {}
    exec(code, names)
    return names["verified"]


def test_the_code_of_the_document_takes_what_we_sign(verified, deliver, receiver):
    deliver()
    (post,) = receiver.posts
    assert verified(post.headers[SIGNATURE], post.body.encode(), SECRET) == json.loads(post.body)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_the_code_of_the_document_refuses_what_is_old_or_from_the_future(verified, seconds):
    with pytest.raises(ValueError, match="old"):
        verified(signature(SECRET, int(time.time()) + seconds, "{}"), b"{}", SECRET)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "v1=00",
        "t=now,v1=00",
        "t={now}",
        "t={now},v1=00",
        "t={now},v1=é",
    ],
)
def test_the_code_of_the_document_refuses_what_we_did_not_sign(verified, header):
    with pytest.raises(ValueError, match="signature"):
        verified(header.replace("{now}", str(int(time.time()))), b"{}", SECRET)


@pytest.mark.parametrize(("secret", "body"), [("another", "{}"), (SECRET, "[]")])
def test_the_code_of_the_document_refuses_another_secret_and_another_body(verified, secret, body):
    with pytest.raises(ValueError, match="signature"):
        verified(signature(secret, int(time.time()), body), b"{}", SECRET)
