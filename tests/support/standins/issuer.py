"""An OpenID Connect issuer on this machine: its discovery document, its keys, tokens that it signs, and forged ones."""

from __future__ import annotations

import base64
import json
import secrets
import time
from functools import cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.standins.loopback import LoopbackServer

AUDIENCE = "faceblur-page"
# A program that signs in by itself, its secret, and the scope that it may ask for.
MACHINE, SECRET, SCOPE = "faceblur-machine", "a:b/c+d %", "faceblur/hide"


@cache
def key_named(name: str) -> rsa.RSAPrivateKey:
    """The key with this name, the same for all issuers of a process: to make one takes longer than most tests."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Issuer(LoopbackServer):
    """Serves its public keys on the loopback interface within a `with` block."""

    def __init__(self) -> None:
        self.keys: dict[str, rsa.RSAPrivateKey] = {}
        self.asked: list[str] = []
        self.codes: dict[str, dict[str, str]] = {}
        self.known_as = ""
        self.rotate("first")
        super().__init__(self._handler())

    @property
    def name(self) -> str:
        """The address in tokens and documents: that of the server, unless clients use another address."""
        return self.known_as or self.url

    def rotate(self, key: str) -> None:
        """Replace all keys by a new one."""
        self.keys = {key: key_named(key)}

    def token(self, subject: str = "alice", **changes: Any) -> str:
        """A token; claims can be changed, or left out with None."""
        (name, key), now = next(iter(self.keys.items())), int(time.time())
        claims = {"iss": self.name, "aud": AUDIENCE, "sub": subject, "iat": now, "exp": now + 300} | changes
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(kept, key, algorithm="RS256", headers={"kid": name})

    def access_token(self, **changes: Any) -> str:
        """A program's access token as Cognito makes it: without an audience."""
        claims = {"aud": None, "client_id": MACHINE, "token_use": "access", "scope": SCOPE}
        return self.token(MACHINE, **claims | changes)

    def authorize(self, question: dict[str, str]) -> str:
        """Sign Alice in without asking for a password. Returns the redirect address, with a code."""
        assert (question["client_id"], question["response_type"]) == (AUDIENCE, "code")
        assert question["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe()
        self.codes[code] = question
        return f"{question['redirect_uri']}?{urlencode({'code': code, 'state': question['state']})}"

    def sign_in(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """The status and the answer to a program that shows its credentials (RFC 6749, sections 2.3.1, 4.4 and 5.2)."""
        scheme, _, login = authorization.partition(" ")
        client, _, secret = base64.b64decode(login).decode().partition(":")
        if scheme != "Basic" or (unquote_plus(client), unquote_plus(secret)) != (MACHINE, SECRET):
            return 401, {"error": "invalid_client"}
        if form["scope"] != SCOPE:
            return 400, {"error": "invalid_scope"}
        # A machine may ask twice in a second, and its tokens must differ.
        token = self.access_token(jti=secrets.token_hex())
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": 300}

    def exchange(self, form: dict[str, str]) -> dict[str, Any]:
        """The tokens for a code. It works once, and only with the verifier of its challenge (RFC 7636)."""
        question = self.codes.pop(form["code"])
        assert form["redirect_uri"] == question["redirect_uri"]
        assert encoded(sha256(form["code_verifier"].encode()).digest()) == question["code_challenge"]
        return {"id_token": self.token(), "access_token": "opaque", "token_type": "Bearer", "expires_in": 300}

    def _documents(self) -> dict[str, Any]:
        keys = [
            json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
            | {"kid": name, "use": "sig", "alg": "RS256"}
            for name, key in self.keys.items()
        ]
        about = {
            "issuer": self.name,
            "jwks_uri": f"{self.name}/keys",
            "authorization_endpoint": f"{self.name}/authorize",
            "token_endpoint": f"{self.name}/token",
        }
        return {"/.well-known/openid-configuration": about, "/keys": {"keys": keys}}

    def _handler(issuer) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - the handler has a self of its own
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path, _, question = self.path.partition("?")
                issuer.asked.append(path)
                if path == "/authorize":
                    self.send_response(302)
                    self.send_header("Location", issuer.authorize(dict(parse_qsl(question))))
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                else:
                    self.say(issuer._documents()[path])

            def do_POST(self) -> None:
                issuer.asked.append(self.path)
                form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                if form["grant_type"] == "client_credentials":
                    self.say(*reversed(issuer.sign_in(form, self.headers["Authorization"])))
                else:
                    self.say(issuer.exchange(form))

            def say(self, answer: dict[str, Any], status: int = 200) -> None:
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Access-Control-Allow-Origin", "*")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


# ---------------------------------------------------------------- what others try


def unsigned(issuer: Issuer) -> str:
    """A token with the algorithm `none`."""
    return jwt.encode(jwt.decode(issuer.token(), options={"verify_signature": False}), None, algorithm="none")


def unsigned_with_a_key_id(issuer: Issuer) -> str:
    """The same, but its header names the issuer's key."""
    header, claims, _ = issuer.token().split(".")
    return f"{part(json.loads(base64.urlsafe_b64decode(header + '==')) | {'alg': 'none'})}.{claims}."


def signed_with_the_public_key(issuer: Issuer) -> str:
    """A token signed with HMAC, with the public key as the shared secret."""
    ((name, key),) = issuer.keys.items()
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    signed = f"{part({'alg': 'HS256', 'kid': name})}.{issuer.token().split('.')[1]}"
    algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    return f"{signed}.{encoded(algorithm.sign(signed.encode(), public))}"


def of_another_key(issuer: Issuer) -> str:
    """A correct token, but signed by somebody else."""
    key = key_named("somebody else's")
    claims = jwt.decode(issuer.token(), options={"verify_signature": False})
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": next(iter(issuer.keys))})


def with_a_key_of_its_own(issuer: Issuer) -> str:
    """A token whose header has the key to check it with."""
    key = key_named("somebody else's")
    own = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    claims = jwt.decode(issuer.token(), options={"verify_signature": False})
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": next(iter(issuer.keys)), "jwk": own})


def changed_after_signing(issuer: Issuer) -> str:
    """Bob's signature under Alice's claims."""
    header, _, signature = issuer.token("bob").split(".")
    return f"{header}.{issuer.token('alice').split('.')[1]}.{signature}"


def part(content: dict[str, Any]) -> str:
    return encoded(json.dumps(content).encode())


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


FORGED = [
    unsigned,
    unsigned_with_a_key_id,
    signed_with_the_public_key,
    of_another_key,
    with_a_key_of_its_own,
    changed_after_signing,
]

# Claims of tokens that the issuer signed, but not for this application or this time.
NOT_FOR_US: dict[str, dict[str, Any]] = {
    "expired": {"exp": int(time.time()) - 3600},
    "good for ever": {"exp": None},
    "not yet": {"nbf": int(time.time()) + 3600},
    "for another application": {"aud": "somebody-else"},
    "for nobody": {"aud": None},
    "of another issuer": {"iss": "https://issuer.example.org"},
    "of no issuer": {"iss": None},
    "about nobody": {"sub": None},
}

# Claims of programs' tokens that the issuer signed, but not for this API.
NOT_FOR_PROGRAMS: dict[str, dict[str, Any]] = {
    "expired": {"exp": int(time.time()) - 3600},
    "good for ever": {"exp": None},
    "of another issuer": {"iss": "https://issuer.example.org"},
    "of a program that is not listed": {"client_id": "somebody-else"},
    "of no program": {"client_id": None},
    "of several programs": {"client_id": [MACHINE]},
    "no access token": {"token_use": "id"},
    "of no use": {"token_use": None},
    "with another scope": {"scope": "faceblur/look"},
    "with a longer scope": {"scope": f"{SCOPE}s other/{SCOPE}"},
    "with no scope": {"scope": None},
    "with a list of scopes": {"scope": [SCOPE]},
    "for another application": {"aud": "somebody-else"},
    "for no application": {"aud": []},
}
