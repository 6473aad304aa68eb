"""Posts the events in the webhook's queue to the webhook."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from faceblur.jobs.webhook import webhook
from faceblur.observability import entry_point, logger


@entry_point
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point for the queue. An event that the webhook does not take stays in the queue."""
    failures = []
    for message in event["Records"]:
        attempt = int(message["attributes"]["ApproximateReceiveCount"])
        if refusal := webhook().deliver(message["body"], message["receiptHandle"], attempt):
            logger.warning("event was not taken by the webhook", reason=refusal, attempt=attempt)
            failures.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failures}
