"""The customer's webhook, to which events are posted (docs/events.md)."""

from __future__ import annotations

import hmac
import time
from functools import cache
from typing import TYPE_CHECKING

import boto3
import urllib3
from aws_lambda_powertools.utilities.parameters import GetParameterError, SSMProvider

from faceblur import config

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

SIGNATURE = "Faceblur-Signature"
# The first wait between two attempts, and the factor by which each wait is longer than the one before. The timeout of
# the function is added to each. The waits are 15 hours in all. The seventh wait is 11 hours, and SQS allows at most 12.
# After the eighth attempt there is no wait, because the queue gives the event up.
FIRST_WAIT_SECONDS, LONGER, ATTEMPTS = 10, 4, 8
# The timeout of the function.
FUNCTION_SECONDS = 30
# `connect` applies to each address of the webhook's name, and `read` to each piece of the answer. So the function may
# time out before the post does.
TIMEOUT = urllib3.Timeout(connect=5, read=10)
# A new secret is used after this time at the latest.
SECRET_SECONDS = 60


def signature(secret: str, timestamp: int, body: str) -> str:
    """The header that proves who has sent this body, and when (seconds since 1970).

    `v1` is the HMAC-SHA256 of "timestamp.body" in hexadecimal digits. The receiver refuses old timestamps, so nobody
    who has seen a post can repeat it.
    """
    signed = hmac.digest(secret.encode(), f"{timestamp}.{body}".encode(), "sha256")
    return f"t={timestamp},v1={signed.hex()}"


class Webhook:
    """The address of the webhook, its secret, and the queue of the events that wait for it."""

    def __init__(self, url: str, secret_name: str, secrets: SSMProvider, sqs: SQSClient, queue: str) -> None:
        """Use the secret with this name."""
        self._url, self._secret_name, self._secrets = url, secret_name, secrets
        self._sqs, self._queue = sqs, queue
        self._http = urllib3.PoolManager(timeout=TIMEOUT, retries=False)

    def deliver(self, body: str, receipt: str, attempt: int) -> str:
        """Post an event. Returns why the webhook did not take it; empty if it did.

        The next attempt is scheduled before the post, because the function may end during the post. An event that was
        taken is deleted from the queue, so there is no next attempt.
        """
        wait = FIRST_WAIT_SECONDS * LONGER ** (attempt - 1) if attempt < ATTEMPTS else 0
        self._sqs.change_message_visibility(
            QueueUrl=self._queue, ReceiptHandle=receipt, VisibilityTimeout=FUNCTION_SECONDS + wait
        )
        return self._post(body)

    def _post(self, body: str) -> str:
        """Why the webhook did not take an event; empty if it did. No reason names the address, which may be a secret.

        A redirect is not followed, because it would send the event to somebody else. The answer's body is not read.
        """
        try:
            secret = str(self._secrets.get(self._secret_name, max_age=SECRET_SECONDS, decrypt=True))
            headers = {"Content-Type": "application/json", SIGNATURE: signature(secret, int(time.time()), body)}
            answer = self._http.request(
                "POST", self._url, body=body.encode(), headers=headers, redirect=False, preload_content=False
            )
        except (GetParameterError, urllib3.exceptions.HTTPError) as error:
            return type(error).__name__
        answer.close()
        return "" if 200 <= answer.status < 300 else f"status {answer.status}"


@cache
def webhook() -> Webhook:
    """The webhook of this deployment."""
    url, secret_name, queue = config.webhook_url(), config.webhook_secret_name(), config.webhook_queue_url()
    secrets = SSMProvider(boto3_client=boto3.client("ssm"))
    return Webhook(url, secret_name, secrets, boto3.client("sqs"), queue)
