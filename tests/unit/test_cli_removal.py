"""Removing a stack: what stands in the way is taken away first, and what is left is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from faceblur_cli import main, removal
from faceblur_cli.failures import Failure
from faceblur_cli.removal import Thing, remove_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result
    from mypy_boto3_s3 import S3Client

    from tests.unit.conftest import Clients

NAME, ID = "faceblur", "arn:aws:cloudformation:eu-central-1:123456789012:stack/faceblur/1"
BUCKET = "faceblur-photos-123456789012-eu-central-1"


class CloudFormation:
    """CloudFormation with one stack that has one bucket; the deletions give what they are told to."""

    def __init__(self, *deletions: Callable[[], str]) -> None:
        self.deletions, self.status = list(deletions), "CREATE_COMPLETE"

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        if not self.deletions and self.status == "CREATE_COMPLETE":
            error = {"Code": "ValidationError", "Message": f"Stack with id {StackName} does not exist"}
            raise ClientError({"Error": error}, "DescribeStacks")
        assert StackName == (NAME if self.status == "CREATE_COMPLETE" else ID)
        return {"Stacks": [{"StackId": ID, "StackStatus": self.status, "StackStatusReason": "the bucket is not empty"}]}

    def get_paginator(self, operation: str) -> CloudFormation:
        assert operation == "list_stack_resources"
        return self

    def paginate(self, StackName: str) -> list[dict[str, Any]]:  # noqa: N803
        assert StackName == NAME
        bucket = {
            "ResourceType": "AWS::S3::Bucket",
            "PhysicalResourceId": BUCKET,
            "LogicalResourceId": "PhotoBucket",
            "ResourceStatus": "CREATE_COMPLETE",
        }
        return [{"StackResourceSummaries": [bucket]}]

    def delete_stack(self, StackName: str) -> None:  # noqa: N803
        assert StackName == ID
        self.status = self.deletions.pop(0)()


@pytest.fixture
def delete_bucket(s3: S3Client) -> Callable[[], str]:
    """Deletes the bucket as CloudFormation does: only if it is empty."""

    def delete() -> str:
        try:
            s3.delete_bucket(Bucket=BUCKET)
        except ClientError:
            return "DELETE_FAILED"
        return "DELETE_COMPLETE"

    return delete


def removed(cloudformation: CloudFormation, clients: Clients) -> list[Thing]:
    made = {"cloudformation": cloudformation}
    return remove_stack(NAME, lambda service: made.get(service) or clients.client(service))


def test_a_bucket_is_emptied_of_all_versions(s3: S3Client, clients: Clients, delete_bucket: Callable[[], str]):
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for key in ("uploads/1", "uploads/1", "results/1.jpg"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"photo")
    s3.delete_object(Bucket=BUCKET, Key="results/1.jpg")
    assert removed(CloudFormation(delete_bucket), clients) == []
    assert s3.list_buckets()["Buckets"] == []


def test_a_photo_that_arrives_meanwhile_is_deleted_by_another_try(
    s3: S3Client, clients: Clients, delete_bucket: Callable[[], str]
):
    def arrives() -> str:
        s3.put_object(Bucket=BUCKET, Key="results/late.jpg", Body=b"photo")
        return delete_bucket()

    assert removed(CloudFormation(arrives, delete_bucket), clients) == []


def test_a_stack_that_cannot_be_deleted_is_a_failure(s3: S3Client, clients: Clients):
    with pytest.raises(Failure, match="cannot delete the stack: the bucket is not empty"):
        removed(CloudFormation(*[lambda: "DELETE_FAILED"] * 3), clients)


def test_what_is_left_is_told(s3: S3Client, clients: Clients, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(removal, "_GONE_SECONDS", 0)
    left = removed(CloudFormation(lambda: "DELETE_COMPLETE"), clients)
    assert left == [Thing("AWS::S3::Bucket", BUCKET, "PhotoBucket")]


def test_without_a_stack_nothing_happens(clients: Clients):
    assert removed(CloudFormation(), clients) == []


def test_an_answer_that_is_not_about_existence_is_raised(aws: None):
    def forbidden(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DescribeStacks")

    cloudformation = boto3.client("cloudformation")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cloudformation, "describe_stacks", forbidden)
        with pytest.raises(ClientError, match="AccessDenied"):
            remove_stack(NAME, lambda _: cloudformation)


# ---------------------------------------------------------------- the command


STACK = {"Resources": {"PhotoBucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "photos-of-a-stack"}}}}


@pytest.fixture
def photos(aws: None) -> S3Client:
    """A stack `photos` with a bucket that holds a photo; gives the client of S3."""
    boto3.client("cloudformation").create_stack(StackName="photos", TemplateBody=json.dumps(STACK))
    s3 = boto3.client("s3")
    s3.put_object(Bucket="photos-of-a-stack", Key="uploads/1", Body=b"photo")
    return s3


def deleted(*options: str, typed: str = "") -> Result:
    return CliRunner().invoke(main.cli, ["delete", "--stack-name", *options], input=f"{typed}\n")


@pytest.mark.parametrize(("options", "typed"), [(["photos", "--yes"], ""), (["photos"], "photos")])
def test_the_command_deletes_a_stack_with_its_photos(photos: S3Client, options: list[str], typed: str):
    result = deleted(*options, typed=typed)
    assert (result.exit_code, result.exception) == (0, None)
    assert "with all photos, jobs and logs" in result.stderr
    assert result.stdout == "The stack photos is deleted, and nothing of it is left.\n"
    assert photos.list_buckets()["Buckets"] == []


@pytest.mark.parametrize("typed", ["", "yes", "photo"])
def test_the_command_deletes_nothing_without_the_name(photos: S3Client, typed: str):
    assert deleted("photos", typed=typed).exit_code == 1
    assert [bucket["Name"] for bucket in photos.list_buckets()["Buckets"]] == ["photos-of-a-stack"]


def test_the_command_says_that_there_is_no_such_stack(aws: None):
    assert str(deleted("photos", "--yes").exception).startswith("There is no stack photos in account 123456789012, ")


def test_the_command_lists_what_is_left_and_fails(photos: S3Client, monkeypatch: pytest.MonkeyPatch):
    left = [Thing("AWS::S3::Bucket", "photos-of-a-stack", "PhotoBucket")]
    monkeypatch.setattr(removal, "remove_stack", lambda *_: left)
    result = deleted("photos", "--yes")
    assert result.exit_code == 1
    assert result.stdout == "left: AWS::S3::Bucket photos-of-a-stack\n"
