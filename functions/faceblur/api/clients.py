"""Clients: each may spend a part of the day's budget."""

from __future__ import annotations

import hmac
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

from faceblur import config
from faceblur.jobs.budget import budget

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

# CloudFront sets both headers, and replaces what a viewer sent. Its function sets the first, and the settings of its
# origin the second.
VIEWER_HEADER, SECRET_HEADER = "x-faceblur-viewer", "x-faceblur-front"
# A home or a small office gets at most a /48 (RFC 6177), and may use any address in it. CloudFront's function sends the
# same network to the firewall.
IPV6_PREFIX = 48


def client_of(event: APIGatewayProxyEvent, owner: str) -> str:
    """The client that pays for what this request begins: the owner, or a pseudonym of the sender's address.

    Empty where no client has a limit.
    """
    return owner or budget().pseudonym(network(address_of(event)))


def address_of(event: APIGatewayProxyEvent) -> str:
    """The address from which a request came. Nobody can forge it.

    API Gateway sees the sender's address. If the sender is the stack's own CloudFront, a header has the viewer's
    address. That header counts only with a secret that CloudFront alone knows.
    """
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    said = headers.get(SECRET_HEADER)
    if said and hmac.compare_digest(said.encode(), config.front_secret().encode()):
        return str(headers.get(VIEWER_HEADER, ""))
    return str((event["requestContext"].get("identity") or {}).get("sourceIp") or "")


def network(address: str) -> str:
    """The network of an IPv6 address, because one client may use all of it. Any other text stays as it is.

    Clients whose text is not an address share one limit.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ip_network((parsed, IPV6_PREFIX), strict=False))
