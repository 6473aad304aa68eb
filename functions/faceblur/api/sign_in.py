"""Signed-in users: the person that a token of an OpenID Connect issuer names."""

from __future__ import annotations

import json
from functools import cache
from hashlib import sha256
from typing import Any
from urllib.request import urlopen

import jwt

from faceblur import config
from faceblur.errors import NotSignedIn

# Only signatures with a private key, whose public key the issuer publishes. Not `none`, and not HS256: with HS256,
# anybody could sign with the published key.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
LEEWAY_SECONDS = 30  # by which the clocks may differ
TIMEOUT_SECONDS = 5  # of a request to the issuer
KEYS_SECONDS = 300  # for which the issuer's keys are kept
UNKNOWN_KEY_SECONDS = 30  # the shortest time between two requests for keys because of an unknown key


class Issuer:
    """An issuer of tokens, such as a Cognito user pool."""

    def __init__(self, url: str, audience: str) -> None:
        """Trust tokens that the issuer at this URL made for this audience, the client id of an application."""
        self._url, self._audience = url, audience
        self._keys: jwt.PyJWKClient | None = None

    def owner(self, token: str) -> str:
        """A pseudonym of the person that the token names. It is always the same and reveals nothing else.

        Raises NotSignedIn, or an OSError or PyJWKClientConnectionError if the issuer does not answer.
        """
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key_of(token),
                algorithms=ALGORITHMS,
                audience=self._audience,
                issuer=self._url,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.PyJWKClientConnectionError:
            raise
        except jwt.PyJWTError as error:
            raise NotSignedIn from error
        return sha256(f"{self._url} {claims['sub']}".encode()).hexdigest()[:32]

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
    return Issuer(config.oidc_issuer(), config.oidc_audience())
