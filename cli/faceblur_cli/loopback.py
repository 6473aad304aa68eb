"""Requests to the servers of this machine."""

import ssl
from functools import cache
from typing import Any

import httpx


def request(method: str, url: str | httpx.URL, **content: Any) -> httpx.Response:
    """Send a request to a server of this machine, past any proxy. Raises httpx's errors."""
    return httpx.request(method, url, verify=_no_certificates(), trust_env=False, **content)


@cache
def _no_certificates() -> ssl.SSLContext:
    """An SSL context without certificates. httpx would read all of them for each request, which takes 30 ms."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
