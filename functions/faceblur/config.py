"""The environment of a function as typed settings, each read when it is first asked for."""

import os

JOB_LIFETIME_SECONDS = 24 * 60 * 60
LINK_SECONDS = 5 * 60
# How long a photo may wait for its execution: the queue's three tries take minutes, a backlog longer.
DELIVERY_SECONDS = 60 * 60
# The state machine's own TimeoutSeconds and a margin for the event that reports it.
EXECUTION_SECONDS = 900
EXECUTION_MARGIN_SECONDS = 60


def stack_name() -> str:
    """Name of the stack that this function is part of."""
    return os.environ["STACK_NAME"]


def photo_bucket() -> str:
    """Name of the bucket that holds uploads, results and receipts."""
    return os.environ["PHOTO_BUCKET"]


def jobs_table() -> str:
    """Name of the jobs table."""
    return os.environ["JOBS_TABLE"]


def state_machine_arn() -> str:
    """ARN of the blur_image state machine."""
    return os.environ["STATE_MACHINE_ARN"]


def face_detector() -> str:
    """Which detector this deployment uses."""
    return os.environ["FACE_DETECTOR"]


def upload_seconds() -> int:
    """For how many seconds an upload form is valid."""
    return int(os.environ["UPLOAD_SECONDS"])


def allowed_origin() -> str:
    """Origin of the web page that may call the API; `*` for any."""
    return os.environ["ALLOWED_ORIGIN"]


def jobs_a_day() -> int:
    """How many jobs may be created from midnight to midnight, UTC; 0 for any number."""
    return int(os.environ["JOBS_A_DAY"])


def oidc_issuer() -> str:
    """Address of the OpenID Connect issuer whose tokens let people in; empty in a deployment without sign-in."""
    return os.environ["OIDC_ISSUER"]


def oidc_audience() -> str:
    """The audience for which that issuer's tokens must be made."""
    return os.environ["OIDC_AUDIENCE"]
