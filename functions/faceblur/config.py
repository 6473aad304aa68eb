"""The settings of a function: constants, and typed values of the environment that are read on use."""

import os
from decimal import Decimal

JOB_LIFETIME_SECONDS = 24 * 60 * 60
LINK_SECONDS = 5 * 60
# How long an upload may wait for its execution. The queue's three attempts take minutes, and a backlog takes longer.
DELIVERY_SECONDS = 60 * 60
# How long an execution may work on a photo before it asks a person, and again after the answer. The margin is for the
# event that reports the execution's end.
WORK_SECONDS = 900
EXECUTION_MARGIN_SECONDS = 60


def stack_name() -> str:
    """The name of the stack to which this function belongs."""
    return os.environ["STACK_NAME"]


def photo_bucket() -> str:
    """The name of the bucket for uploads, boxes, results and receipts."""
    return os.environ["PHOTO_BUCKET"]


def jobs_table() -> str:
    """The name of the jobs table."""
    return os.environ["JOBS_TABLE"]


def event_bus_name() -> str:
    """The name of the customer's event bus that is told how photos and batches end; empty if there is none."""
    return os.environ["EVENT_BUS_NAME"]


def webhook_url() -> str:
    """The address to which events are posted."""
    return os.environ["WEBHOOK_URL"]


def webhook_secret_name() -> str:
    """The name of the SecureString in Parameter Store that holds the secret for signing posts to the webhook."""
    return os.environ["WEBHOOK_SECRET_NAME"]


def webhook_queue_url() -> str:
    """The queue of events that wait for the webhook."""
    return os.environ["WEBHOOK_QUEUE_URL"]


def state_machine_arn() -> str:
    """The ARN of the blur_image state machine."""
    return os.environ["STATE_MACHINE_ARN"]


def batch_machine_arn() -> str:
    """The ARN of the hide_batch state machine."""
    return os.environ["BATCH_MACHINE_ARN"]


def photos_at_once() -> int:
    """How many photos of a batch are worked on at once."""
    return int(os.environ["PHOTOS_AT_ONCE"])


def source_bucket() -> str:
    """The customer's bucket from which photos may come; empty if there is none."""
    return os.environ["SOURCE_BUCKET"]


def source_prefix() -> str:
    """The prefix of the keys of photos in the source bucket."""
    return os.environ["SOURCE_PREFIX"]


def target_bucket() -> str:
    """The customer's bucket to which results may go; empty if there is none."""
    return os.environ["TARGET_BUCKET"]


def target_prefix() -> str:
    """The prefix of the keys of results in the target bucket."""
    return os.environ["TARGET_PREFIX"]


def buckets_without_sign_in() -> bool:
    """Whether batches may use the customer's buckets although nobody signs in."""
    return os.environ["BUCKETS_WITHOUT_SIGN_IN"] == "yes"


def target_receipts() -> bool:
    """Whether the result of a photo that landed in the source has its receipt beside it."""
    return os.environ["TARGET_RECEIPTS"] == "yes"


def face_detector() -> str:
    """The detector of this deployment: embedded, rekognition or both."""
    return os.environ["FACE_DETECTOR"]


def calls_a_job() -> int:
    """How many calls of the paid detector a job may make."""
    return int(os.environ["CALLS_A_JOB"])


def upload_seconds() -> int:
    """The number of seconds for which an upload form is valid."""
    return int(os.environ["UPLOAD_SECONDS"])


def allowed_origin() -> str:
    """The origin of the web page that may call the API; `*` allows all."""
    return os.environ["ALLOWED_ORIGIN"]


def microdollars_a_day() -> int:
    """What all clients together may cost in a day (UTC), in millionths of a US dollar; 0 means no limit."""
    return _microdollars(os.environ["DOLLARS_A_DAY"])


def microdollars_a_day_per_client() -> int:
    """What each client may cost in a day, in microdollars; by default a fifth of what all clients may cost."""
    own = os.environ["DOLLARS_A_DAY_PER_CLIENT"]
    return _microdollars(own) if own else microdollars_a_day() // 5


def _microdollars(dollars: str) -> int:
    return int(Decimal(dollars) * 1_000_000)


def oidc_issuer() -> str:
    """The URL of the OpenID Connect issuer whose tokens are accepted; empty in a deployment without sign-in."""
    return os.environ["OIDC_ISSUER"]


def oidc_audience() -> str:
    """The audience for which the issuer's tokens must be made."""
    return os.environ["OIDC_AUDIENCE"]


def oidc_scope() -> str:
    """The scope that access tokens without an audience must have; empty if such tokens are not accepted."""
    return os.environ["OIDC_SCOPE"]


def oidc_clients() -> list[str]:
    """The ids of the clients whose access tokens need no audience."""
    return [client for client in os.environ["OIDC_CLIENTS"].split(",") if client]


def front_secret() -> str:
    """The secret in each request of the stack's own CloudFront. It proves that the viewer's address is not forged."""
    return os.environ["FRONT_SECRET"]
