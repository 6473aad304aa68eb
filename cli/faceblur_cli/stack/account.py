"""Whether AWS can be asked: a region is chosen, and AWS takes the credentials."""

import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from faceblur_cli.failures import Failure

_NO_REGION = "There is no region. Choose one: export AWS_DEFAULT_REGION=eu-central-1"
_NO_CREDENTIALS = "There are no AWS credentials. Sign in (aws sso login), or choose a profile: export AWS_PROFILE=NAME"


def check() -> None:
    """Raise Failure, which says what to do, if the environment has no region or no credentials that AWS takes."""
    try:
        session = boto3.session.Session()
        if session.region_name is None:
            raise Failure(_NO_REGION)
        # Everybody may ask this.
        session.client("sts").get_caller_identity()
    except NoCredentialsError as error:
        raise Failure(_NO_CREDENTIALS) from error
    except (BotoCoreError, ClientError) as error:
        raise Failure(f"AWS does not take the credentials: {error}") from error


def _main() -> None:
    """`make deploy` asks before it builds."""
    try:
        check()
    except Failure as failure:
        sys.exit(f"faceblur: {failure}")


if __name__ == "__main__":
    _main()
