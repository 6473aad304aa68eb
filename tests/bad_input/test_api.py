"""The API under what Schemathesis makes of its description, and under what no description allows."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest
import schemathesis
from api_contract import assert_documented
from hypothesis import HealthCheck, settings
from sources import api_description

if TYPE_CHECKING:
    from deployed import Deployed

API = schemathesis.openapi.from_dict(api_description())
API.config.generation.update(deterministic=True, database="none")
# What the functions answer; all else is the gateway's, which refuses.
ANSWERS = {"POST": {201, 400}, "GET": {200, 404}, "DELETE": {204, 404}}
JOB = "0" * 32


@API.parametrize()
@settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_it_is_described(case: schemathesis.Case, deployed: Deployed) -> None:
    case.call_and_validate(base_url=deployed.stack.api_url)
