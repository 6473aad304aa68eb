"""Signs in programs by the client credentials of OAuth 2 (RFC 6749, section 4.4)."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from faceblur_client.effects import OneByOne, Request, Steps, cannot_answer, send
from faceblur_client.errors import NotSignedIn, WrongAddress

if TYPE_CHECKING:
    import httpx

# A token is renewed this time before it expires, so that none expires on its way to the API.
MARGIN_SECONDS = 60.0


@dataclass(frozen=True)
class ClientCredentials:
    """The client credentials of a program that signs in as itself.

    `token_url` is the issuer's token endpoint. `scope` is the scope that the API requires (parameter `OidcScope`).
    """

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str


class TokenKeeper:
    """Provides the token for a call: a given token, or tokens that it fetches, keeps and renews."""

    def __init__(self, source: str | ClientCredentials | None) -> None:
        """Keep a token, or get tokens with these credentials; None for an API without sign-in.

        Raises NotSignedIn if the token cannot be valid.
        """
        self._credentials = source if isinstance(source, ClientCredentials) else None
        self._token = _valid_token(source) if isinstance(source, str) else None
        self._renewal = 0.0  # the time of the monotonic clock at which a fetched token is renewed

    @property
    def renewable(self) -> bool:
        """Whether another token can be fetched."""
        return self._credentials is not None

    def get(self, instead_of: str | None = None) -> Steps[str | None]:
        """The token; with credentials, another one than `instead_of`, which the API refused.

        Raises NotSignedIn, Unavailable and WrongAddress.
        """
        if not self.renewable or self._valid(instead_of):
            return self._token
        yield OneByOne(lambda: self._fetch(instead_of))
        return self._token

    def _valid(self, refused: str | None) -> bool:
        return self._token is not None and self._token != refused and time.monotonic() < self._renewal

    def _fetch(self, refused: str | None) -> Steps[None]:
        """Fetch a token, unless another call has just fetched one."""
        if self._credentials is None or self._valid(refused):
            return
        asked = time.monotonic()
        request = _token_request(self._credentials)
        response = yield from send(request)
        token, seconds = _token_of(request, response)
        self._token, self._renewal = token, asked + max(seconds - MARGIN_SECONDS, seconds / 2)


def _valid_token(token: str) -> str:
    """The token without white space around it, such as a file's last line break. Raises NotSignedIn."""
    token = token.strip()
    if not (token.isascii() and token.isprintable()):
        raise NotSignedIn("The token has characters that are not allowed in a token. Copy it again.")
    return token


def _token_request(credentials: ClientCredentials) -> Request:
    """The request of RFC 6749, section 4.4.2, with HTTP Basic authentication as in section 2.3.1."""
    fields = {"grant_type": "client_credentials", "scope": credentials.scope}
    login = (quote_plus(credentials.client_id), quote_plus(credentials.client_secret))
    return Request("POST", credentials.token_url, {"data": fields, "auth": login})


def _token_of(request: Request, response: httpx.Response) -> tuple[str, float]:
    """The token of an answer, and its seconds to live. Raises NotSignedIn, Unavailable and WrongAddress."""
    if response.is_server_error:
        raise cannot_answer(request, response)
    try:
        body = response.json()
        if response.is_client_error:
            raise NotSignedIn(
                f"The issuer refuses these client credentials: {body['error']}. Check them and the scope."
            )
        return str(body["access_token"]), float(body.get("expires_in", 0))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise WrongAddress(
            f"{request.host} does not answer as a token endpoint does ({response.status_code}). Check token_url."
        ) from None
