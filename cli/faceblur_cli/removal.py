"""Removes a stack with everything in it, and tells what is left of it."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

from faceblur_cli.failures import Failure
from faceblur_cli.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Clients = Callable[[str], Any]

# CloudFront takes up to a quarter of an hour to delete a distribution.
_DELETE_SECONDS = 45 * 60
# Deleted queues and state machines stay visible for about a minute.
_GONE_SECONDS = 3 * 60
# A request or a function that ends late may write into a bucket that was just emptied.
_TRIES = 3
_OBJECTS_A_REQUEST = 1000
# The error codes of AWS for a resource that does not exist.
_GONE = {
    "404", "NoSuchBucket", "NoSuchEntity", "ResourceNotFoundException", "StateMachineDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist",
}  # fmt: skip
# How to ask for a resource, by its type: the service, the request and the parameter that names the resource.
_REQUESTS = {
    "AWS::S3::Bucket": ("s3", "head_bucket", "Bucket"),
    "AWS::Lambda::Function": ("lambda", "get_function", "FunctionName"),
    "AWS::DynamoDB::Table": ("dynamodb", "describe_table", "TableName"),
    "AWS::SQS::Queue": ("sqs", "get_queue_attributes", "QueueUrl"),
    "AWS::StepFunctions::StateMachine": ("stepfunctions", "describe_state_machine", "stateMachineArn"),
    "AWS::IAM::Role": ("iam", "get_role", "RoleName"),
    "AWS::Logs::LogGroup": ("logs", "describe_log_streams", "logGroupName"),
}


class Thing(NamedTuple):
    """Something that a stack made: its type, its name in AWS (or address, or ARN), and its name in the template."""

    kind: str
    name: str
    logical_id: str


def remove_stack(stack_name: str, clients: Clients) -> list[Thing]:
    """Stop a stack's executions, empty its buckets, and delete it. Returns what is left of it; nothing without a stack.

    `clients` makes the client of a service, as `boto3.client` does. Everything in the stack is lost. Raises Failure if
    AWS cannot delete the stack, or has not deleted it after 45 minutes.
    """
    cloudformation = clients("cloudformation")
    if not (stack := find_stack(cloudformation, stack_name)):
        return []
    things = things_of(cloudformation, stack_name)
    for attempt in range(1, _TRIES + 1):
        _stop_and_empty(things, clients)
        # Use the stack's id, because AWS does not know the name of a deleted stack.
        if _deleted(cloudformation, stack["StackId"], last=attempt == _TRIES):
            break
    return _left_of(things, clients)


def find_stack(cloudformation: Any, stack_name: str) -> dict[str, Any] | None:
    """The stack as CloudFormation describes it; None if there is none."""
    try:
        return dict(cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0])
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        return None


def things_of(cloudformation: Any, stack_name: str) -> list[Thing]:
    """The resources of a stack."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack_name)
    return [
        Thing(resource["ResourceType"], resource["PhysicalResourceId"], resource["LogicalResourceId"])
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource.get("PhysicalResourceId") and resource["ResourceStatus"] != "DELETE_COMPLETE"
    ]


def _stop_and_empty(things: list[Thing], clients: Clients) -> None:
    """Stop all executions, because a state machine is deleted only after they have ended, and empty all buckets."""
    for kind, name, _ in things:
        with _unless_gone():
            if kind == "AWS::StepFunctions::StateMachine":
                _stop_executions(clients("stepfunctions"), name)
    for kind, name, _ in things:
        with _unless_gone():
            if kind == "AWS::S3::Bucket":
                _empty(clients("s3"), name)


def _stop_executions(stepfunctions: Any, state_machine_arn: str) -> None:
    pages = stepfunctions.get_paginator("list_executions")
    for page in pages.paginate(stateMachineArn=state_machine_arn, statusFilter="RUNNING"):
        for execution in page["executions"]:
            stepfunctions.stop_execution(executionArn=execution["executionArn"], cause="The stack is being deleted.")


def _empty(s3: Any, bucket: str) -> None:
    """Delete all objects of a bucket, their old versions too."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, MaxKeys=_OBJECTS_A_REQUEST):
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if found:
            objects = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]
            answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
            if refused := answer.get("Errors"):
                raise Failure(f"S3 does not delete {refused[0]['Key']} in {bucket}: {refused[0].get('Message')}")


def _deleted(cloudformation: Any, stack_id: str, *, last: bool) -> bool:
    """Delete the stack, and wait. Returns whether AWS could. If it could not on the last try, raises Failure."""

    def ended() -> Any:
        stack = cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]
        return stack if stack["StackStatus"] in {"DELETE_COMPLETE", "DELETE_FAILED"} else None

    cloudformation.delete_stack(StackName=stack_id)
    complaint = f"CloudFormation has not deleted the stack after {_DELETE_SECONDS // 60} minutes. Look at its events."
    stack = wait_until(ended, _DELETE_SECONDS, complaint, poll_seconds=2)
    if stack["StackStatus"] == "DELETE_COMPLETE":
        return True
    if last:
        raise Failure(f"CloudFormation cannot delete the stack: {stack.get('StackStatusReason', 'look at its events')}")
    return False


def _left_of(things: list[Thing], clients: Clients) -> list[Thing]:
    """The things that still exist after all had time to go. The log group of a late function is deleted again."""
    left = [thing for thing in things if thing.kind in _REQUESTS]

    def all_gone() -> bool:
        left[:] = [thing for thing in left if _exists(thing, clients)]
        return not left

    for kind, name, _ in left:
        if kind == "AWS::Logs::LogGroup":
            with _unless_gone():
                clients("logs").delete_log_group(logGroupName=name)
    with suppress(Failure):
        wait_until(all_gone, _GONE_SECONDS, "something is left", poll_seconds=2)
    return left


def _exists(thing: Thing, clients: Clients) -> bool:
    service, request, parameter = _REQUESTS[thing.kind]
    with _unless_gone():
        getattr(clients(service), request)(**{parameter: thing.name})
        return True
    return False


@contextmanager
def _unless_gone() -> Iterator[None]:
    """Go on after the block if AWS says that the thing in it does not exist."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in _GONE:
            raise
