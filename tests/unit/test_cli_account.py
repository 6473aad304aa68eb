"""`make deploy` finds a missing region, and credentials that AWS does not take, before it builds."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import ClientError

from faceblur_cli.failures import Failure
from faceblur_cli.stack import account
from tests.support.sources import ROOT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment that has nothing of AWS, on a machine that is not in AWS."""
    for name in ("REGION", "DEFAULT_REGION", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "PROFILE"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    for name in ("CONFIG_FILE", "SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(f"AWS_{name}", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


def test_without_a_region_it_says_how_to_choose_one(credentials: None):
    with pytest.raises(Failure, match="export AWS_DEFAULT_REGION="):
        account.check()


def test_without_credentials_it_says_how_to_sign_in(region: None):
    with pytest.raises(Failure, match="There are no AWS credentials"):
        account.check()


def test_a_profile_that_does_not_exist_is_named(region: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_PROFILE", "elsewhere")
    with pytest.raises(Failure, match="elsewhere"):
        account.check()


def test_credentials_that_aws_refuses_are_refused(region: None, credentials: None, monkeypatch: pytest.MonkeyPatch):
    class Refusing:
        def get_caller_identity(self) -> None:
            error = {"Code": "ExpiredToken", "Message": "The security token is expired"}
            raise ClientError({"Error": error}, "GetCallerIdentity")

    monkeypatch.setattr(boto3.session.Session, "client", lambda *_: Refusing())
    with pytest.raises(Failure, match=r"does not take the credentials: .*expired"):
        account.check()


def test_with_both_it_says_nothing(aws: None, region: None, credentials: None):
    account.check()


def test_make_deploy_asks_before_it_builds():
    recipe = subprocess.run(
        ["make", "--dry-run", "deploy"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert 0 < recipe.index("faceblur_cli.stack.account") < recipe.index("bin/sam build")
