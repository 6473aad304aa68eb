"""Signed-in users: the person or the program that a token of an OpenID Connect issuer names."""

from __future__ import annotations

import json
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import jwt

from faceblur import config
from faceblur.errors import NotSignedIn

if TYPE_CHECKING:
    from collections.abc import Collection

# Only signatures with a private key whose public key the issuer publishes. `none` is no signature. With HS256, anybody
# could sign with the published key.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
LEEWAY_SECONDS = 30  # how much the clocks may differ
TIMEOUT_SECONDS = 5  # for a request to the issuer
KEYS_SECONDS = 300  # how long the issuer's keys are kept
UNKNOWN_KEY_SECONDS = 30  # the shortest time between two requests for keys because of an unknown key


class Issuer:
    """An issuer of tokens, such as a Cognito user pool."""

    def __init__(self, url: str, audience: str, scope: str = "", clients: Collection[str] = ()) -> None:
        """Trust tokens that the issuer at this URL made for this audience, the client id of an application.

        Access tokens without an audience are trusted if the issuer made them for one of these clients and with this
        scope. If `scope` is empty, no token without an audience is trusted.
        """
        self._url, self._audience, self._scope, self._clients = url, audience, scope, clients
        self._keys: jwt.PyJWKClient | None = None

    def owner(self, token: str) -> str:
        """A pseudonym of the person or program that the token names. It is always the same, and reveals no name.

        Raises NotSignedIn, or an OSError or PyJWKClientConnectionError if the issuer does not answer.
        """
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key_of(token),
                algorithms=ALGORITHMS,
                issuer=self._url,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "sub"], "verify_aud": False},
            )
        except jwt.PyJWKClientConnectionError:
            raise
        except jwt.PyJWTError as error:
            raise NotSignedIn from error
        if not (self._is_for_us(claims) or self._is_of_a_program(claims)):
            raise NotSignedIn
        return sha256(f"{self._url} {claims['sub']}".encode()).hexdigest()[:32]

    def _is_for_us(self, claims: dict[str, Any]) -> bool:
        """Whether the issuer made the token for this application (RFC 7519, section 4.1.3)."""
        audience = claims.get("aud")
        return self._audience in (audience if isinstance(audience, list) else [audience])

    def _is_of_a_program(self, claims: dict[str, Any]) -> bool:
        """Whether it is an access token without an audience, such as Cognito's, of a client that may use this API."""
        scopes = claims.get("scope")
        return (
            bool(self._scope)
            and "aud" not in claims
            and claims.get("token_use") == "access"
            and claims.get("client_id") in self._clients
            and isinstance(scopes, str)
            and self._scope in scopes.split()
        )

    def _key_of(self, token: str) -> jwt.PyJWK:
        """The key that signed the token. If it is unknown, the issuer's keys are fetched again."""
        if self._keys is None:
            configuration = f"{self._url.rstrip('/')}/.well-known/openid-configuration"
            with urlopen(configuration, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - the template admits only https or this machine
                found = json.load(answer)
            self._keys = jwt.PyJWKClient(
                found["jwks_uri"],
                lifespan=KEYS_SECONDS,
                cooldown_duration=UNKNOWN_KEY_SECONDS,
                timeout=TIMEOUT_SECONDS,
            )
        return self._keys.get_signing_key_from_jwt(token)


@cache
def issuer() -> Issuer:
    """The issuer that this deployment trusts."""
    return Issuer(config.oidc_issuer(), config.oidc_audience(), config.oidc_scope(), config.oidc_clients())
