"""The authorizer of the API: it lets signed-in users pass and names them as owners."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from faceblur.api.sign_in import issuer
from faceblur.errors import NotSignedIn
from faceblur.observability import entry_point, logger


@entry_point
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point for API Gateway. The policy is for all paths, because API Gateway reuses it for other requests.

    API Gateway answers 401 if the error's message is exactly "Unauthorized".
    """
    try:
        owner = issuer().owner(event["authorizationToken"].removeprefix("Bearer "))
    except NotSignedIn:
        logger.info("not signed in")
        raise Exception("Unauthorized") from None
    api, stage = event["methodArn"].split("/")[:2]
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": f"{api}/{stage}/*"}
    return {
        "principalId": owner,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"owner": owner},
    }
