from __future__ import annotations

import time

import pytest

from authorize.app import handler
from faceblur.api import sign_in
from tests.support.standins.issuer import AUDIENCE, FORGED, MACHINE, NOT_FOR_PROGRAMS, NOT_FOR_US, SCOPE, Issuer

pytestmark = pytest.mark.enable_socket
METHOD = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3/api/GET/jobs/0a"


@pytest.fixture
def issuer(monkeypatch):
    with Issuer() as served:
        monkeypatch.setenv("OIDC_ISSUER", served.url)
        monkeypatch.setenv("OIDC_AUDIENCE", AUDIENCE)
        monkeypatch.setenv("OIDC_SCOPE", SCOPE)
        monkeypatch.setenv("OIDC_CLIENTS", f"another-machine,{MACHINE}")
        sign_in.issuer.cache_clear()
        yield served
    sign_in.issuer.cache_clear()


@pytest.fixture
def ask(issuer, context):
    """Ask the authorizer with a token."""

    def call(token):
        return handler({"type": "TOKEN", "authorizationToken": f"Bearer {token}", "methodArn": METHOD}, context)

    return call


def test_signed_in_users_may_use_the_api(ask, issuer):
    policy = ask(issuer.token())
    (statement,) = policy["policyDocument"]["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Action": "execute-api:Invoke",
        "Resource": "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3/api/*",
    }
    assert policy["principalId"] == policy["context"]["owner"]


def test_an_owner_is_always_the_same_and_tells_nobody_who(ask, issuer, output):
    alice, again, bob = (ask(issuer.token(name))["context"]["owner"] for name in ("alice", "alice", "bob"))
    assert alice == again != bob
    assert "alice" not in alice
    assert "alice" not in output.text


@pytest.mark.parametrize("forge", FORGED)
def test_forged_tokens(ask, issuer, forge):
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        ask(forge(issuer))


@pytest.mark.parametrize("claims", NOT_FOR_US.values(), ids=NOT_FOR_US.keys())
def test_tokens_that_are_not_for_us(ask, issuer, claims):
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        ask(issuer.token(**claims))


@pytest.mark.parametrize(
    "claims",
    [{}, {"scope": f"openid {SCOPE} other"}, {"client_id": "another-machine"}, {"sub": "alice"}],
    ids=["of a program", "of several scopes", "of another program", "of a person through a program"],
)
def test_programs_may_use_the_api(ask, issuer, claims):
    assert ask(issuer.access_token(**claims))["context"]["owner"]


def test_a_program_is_an_owner_of_its_own(ask, issuer):
    machine, again, alice = (
        ask(token)["context"]["owner"]
        for token in (issuer.access_token(), issuer.access_token(jti="2"), issuer.token())
    )
    assert machine == again != alice


@pytest.mark.parametrize("claims", NOT_FOR_PROGRAMS.values(), ids=NOT_FOR_PROGRAMS.keys())
def test_programs_tokens_that_are_not_for_us(ask, issuer, claims):
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        ask(issuer.access_token(**claims))


@pytest.mark.parametrize("scope", [SCOPE, "", None])
def test_without_a_scope_no_token_needs_no_audience(ask, issuer, monkeypatch, scope):
    monkeypatch.setenv("OIDC_SCOPE", "")
    sign_in.issuer.cache_clear()
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        ask(issuer.access_token(scope=scope))
    assert ask(issuer.token())


@pytest.mark.parametrize("client", [MACHINE, "", None])
def test_without_clients_no_token_needs_no_audience(ask, issuer, monkeypatch, client):
    monkeypatch.setenv("OIDC_CLIENTS", "")
    sign_in.issuer.cache_clear()
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        ask(issuer.access_token(client_id=client))


def test_the_audience_may_be_one_of_several(ask, issuer):
    assert ask(issuer.token(aud=["somebody-else", AUDIENCE]))


@pytest.mark.parametrize("claims", [{"exp": -20}, {"nbf": 20}, {"iat": 20}], ids=["expired", "not yet", "issued later"])
def test_clocks_may_differ_by_half_a_minute(ask, issuer, claims):
    """The issuer's clock and ours are not the same, and a token is used as soon as it is made."""
    assert ask(issuer.token(**{name: int(time.time()) + seconds for name, seconds in claims.items()}))


@pytest.mark.parametrize("claims", [{"exp": -60}, {"nbf": 90}], ids=["expired", "not yet"])
def test_no_token_is_good_for_a_minute_longer(ask, issuer, claims):
    """Whoever was locked out would stay signed in for as long as clocks are forgiven."""
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        ask(issuer.token(**{name: int(time.time()) + seconds for name, seconds in claims.items()}))


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "....", "é"])
def test_what_is_no_token(ask, token):
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        ask(token)


def test_a_new_key_is_learnt_and_a_withdrawn_one_is_not_trusted_for_ever(ask, issuer, monkeypatch):
    monkeypatch.setattr(sign_in, "UNKNOWN_KEY_SECONDS", 0)
    old = issuer.token()
    assert ask(old)
    issuer.rotate("second")
    assert ask(issuer.token())
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        ask(old)


def test_the_keys_are_fetched_once(ask, issuer):
    for _ in range(3):
        ask(issuer.token())
    assert issuer.asked == ["/.well-known/openid-configuration", "/keys"]


def test_unknown_keys_do_not_cause_a_request_to_the_issuer_each_time(ask, issuer):
    ask(issuer.token())
    issuer.rotate("unknown")
    for _ in range(3):
        with pytest.raises(Exception, match=r"^Unauthorized$"):
            ask(issuer.token())
    assert issuer.asked.count("/keys") == 1


def test_an_issuer_that_does_not_answer_lets_nobody_in(ask, issuer, monkeypatch):
    token = issuer.token()
    monkeypatch.setenv("OIDC_ISSUER", "http://127.0.0.1:9")
    with pytest.raises(OSError, match="refused"):
        ask(token)
