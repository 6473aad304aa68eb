"""Clients: those among whom the money of a day is shared."""

from __future__ import annotations

import hmac
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

from faceblur import config
from faceblur.jobs.budget import budget

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

# CloudFront writes both, over what a viewer may have sent: its function the first, its origin's settings the second.
VIEWER_HEADER, SECRET_HEADER = "x-faceblur-viewer", "x-faceblur-front"
# A home or a small office gets a /48 at most, and usually less (RFC 6177), and may use any address in it. CloudFront's
# function tells this network too, for the firewall.
IPV6_PREFIX = 48


def client_of(event: APIGatewayProxyEvent, owner: str) -> str:
    """The client that pays for what this request begins: its owner, or a pseudonym of the address it came from.

    Empty where no client has a limit.
    """
    return owner or budget().pseudonym(network(address_of(event)))


def address_of(event: APIGatewayProxyEvent) -> str:
    """The address that a request came from. Nobody can forge it.

    API Gateway sees it, or the stack's own CloudFront, which says so in a header. Only CloudFront knows the secret.
    """
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    said = headers.get(SECRET_HEADER)
    if said and hmac.compare_digest(said.encode(), config.front_secret().encode()):
        return str(headers.get(VIEWER_HEADER, ""))
    return str((event["requestContext"].get("identity") or {}).get("sourceIp") or "")


def network(address: str) -> str:
    """What one client has of this address: all of it, or the network of an IPv6 address.

    What is no address stays as it is: those clients share one limit.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ip_network((parsed, IPV6_PREFIX), strict=False))
