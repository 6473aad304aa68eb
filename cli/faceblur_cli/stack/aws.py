"""The embedded AWS of this machine, for its clients: its credentials, and a stack that is deployed in it."""

import fcntl
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from faceblur_cli import project

REGION = "us-east-1"


def credentials() -> dict[str, str]:
    """The credentials of the embedded AWS's root user, as environment variables.

    Any web page in this machine's browser can reach the loopback interface, so each state folder has a random secret.
    """
    path = project.STATE / "secret"
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not (secret := file.read()):
            secret = secrets.token_urlsafe()
            file.write(secret)
    return {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": secret, "AWS_DEFAULT_REGION": REGION}


@dataclass(frozen=True)
class Stack:
    """A stack that is deployed in the embedded AWS at this endpoint."""

    endpoint: str
    outputs: Mapping[str, str]

    @property
    def api_url(self) -> str:
        """Address of the API."""
        return self.outputs["ApiUrl"]

    def client(self, service: str) -> Any:
        """A boto3 client for a service of the embedded AWS. It is made once, because that takes long."""
        if service not in self._clients:
            self._clients[service] = self._made_client(service)
        return self._clients[service]

    @cached_property
    def _clients(self) -> dict[str, Any]:
        return {}

    def _made_client(self, service: str) -> Any:
        # boto3 is imported here, because `make run` asks whether a stack runs before anything is installed.
        import boto3

        root = credentials()
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=root["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=root["AWS_SECRET_ACCESS_KEY"],
        )
