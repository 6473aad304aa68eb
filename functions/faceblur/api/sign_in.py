"""Who asks: the person whom a token of an OpenID Connect issuer names."""

from __future__ import annotations

import json
from functools import cache
from hashlib import sha256
from typing import Any
from urllib.request import urlopen

import jwt

from faceblur import config
from faceblur.errors import NotSignedIn

# Signatures with a private key, of which the issuer publishes the public half. Never `none`, and never HS256: with
# that, who knows the published key could sign.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
LEEWAY_SECONDS = 30  # by which clocks may differ
PATIENCE_SECONDS = 5
KEYS_SECONDS = 300
UNKNOWN_KEY_SECONDS = 30  # at the earliest after which the keys are fetched anew because of a key that is not known


class Issuer:
    """An issuer of tokens, such as a Cognito user pool."""

    def __init__(self, url: str, audience: str) -> None:
        """Trust the tokens that the issuer at this address made for this audience, an application's client id."""
        self._url, self._audience = url, audience
        self._keys: jwt.PyJWKClient | None = None

    def owner(self, token: str) -> str:
        """A name for the person whom the token is about: always the same one, and telling nothing else.

        Raises NotSignedIn; an OSError or a PyJWKClientConnectionError if the issuer does not answer.
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
        """The key that signed the token; a new one, which the issuer has since last time, is fetched."""
        if self._keys is None:
            about = f"{self._url.rstrip('/')}/.well-known/openid-configuration"
            with urlopen(about, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310 - https, or this machine: the template admits no other
                found = json.load(answer)
            self._keys = jwt.PyJWKClient(
                found["jwks_uri"],
                lifespan=KEYS_SECONDS,
                cooldown_duration=UNKNOWN_KEY_SECONDS,
                timeout=PATIENCE_SECONDS,
            )
        return self._keys.get_signing_key_from_jwt(token)


@cache
def issuer() -> Issuer:
    """The issuer that this deployment trusts."""
    return Issuer(config.oidc_issuer(), config.oidc_audience())
