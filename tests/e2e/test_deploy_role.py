"""The role of deploy-role.yaml: it can deploy, update and delete a stack, and has no further rights.

The embedded AWS checks a caller's own requests against its role, but not the requests that CloudFormation makes for the
caller. So the second half checks for each resource of the template that the role allows the requests of AWS's handlers.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from faceblur_cli import project
from faceblur_cli.removal import things_of
from faceblur_cli.stack.aws import REGION, Stack
from tests.support.sources import ROOT, TEMPLATE, template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ACCOUNT = "000000000000"
STACK = "faceblur-by-role"
PARAMETERS = (
    "PythonRuntime=provided.al2023",
    "FaceDetector=embedded",
    "WebPage=no",
    f"Architecture={project.architecture()}",
    "EventBusName=our-bus",
    f"NotificationTopicArn=arn:aws:sns:{REGION}:{ACCOUNT}:ends",
    "WebhookUrl=https://hooks.example.org/faceblur",
    "WebhookSecretName=/faceblur/webhook",
)
INLINE_POLICIES = 10240  # characters, the quota of IAM for one role

# By type of resource: the form of its ARN, and the actions of CloudFormation's handlers (`handlers` in the schema of
# the resource provider). Actions for properties that the template does not use are left out.
HANDLERS = {
    "AWS::ApiGateway::Deployment": (
        "apigateway:{region}::/restapis/1a2b/deployments/3c",
        "apigateway:POST GET PATCH PUT DELETE",
    ),
    "AWS::ApiGateway::RestApi": ("apigateway:{region}::/restapis/1a2b", "apigateway:POST GET PATCH PUT DELETE"),
    "AWS::ApiGateway::Stage": (
        "apigateway:{region}::/restapis/1a2b/stages/api",
        "apigateway:POST GET PATCH PUT DELETE",
    ),
    "AWS::CloudFront::Distribution": (
        "cloudfront::{account}:distribution/E1A2B3",
        "cloudfront:CreateDistribution GetDistribution GetDistributionConfig UpdateDistribution DeleteDistribution "
        "TagResource UntagResource ListTagsForResource",
    ),
    "AWS::CloudFront::Function": (
        "cloudfront::{account}:function/{given}",
        "cloudfront:CreateFunction PublishFunction DescribeFunction GetFunction UpdateFunction DeleteFunction",
    ),
    "AWS::CloudFront::OriginAccessControl": (
        "cloudfront::{account}:origin-access-control/E1A2B3",
        "cloudfront:CreateOriginAccessControl GetOriginAccessControl UpdateOriginAccessControl "
        "DeleteOriginAccessControl",
    ),
    "AWS::CloudFront::ResponseHeadersPolicy": (
        "cloudfront::{account}:response-headers-policy/0f8fad5b",
        "cloudfront:CreateResponseHeadersPolicy GetResponseHeadersPolicy UpdateResponseHeadersPolicy "
        "DeleteResponseHeadersPolicy",
    ),
    "AWS::CloudWatch::Alarm": (
        "cloudwatch:{region}:{account}:alarm:{name}",
        "cloudwatch:PutMetricAlarm DescribeAlarms DeleteAlarms TagResource UntagResource ListTagsForResource",
    ),
    "AWS::CloudWatch::Dashboard": (
        "cloudwatch::{account}:dashboard/{stack}-{region}",
        "cloudwatch:PutDashboard GetDashboard DeleteDashboards",
    ),
    "AWS::DynamoDB::Table": (
        "dynamodb:{region}:{account}:table/{name}",
        "dynamodb:CreateTable DescribeTable UpdateTable DeleteTable DescribeTimeToLive UpdateTimeToLive "
        "DescribeContinuousBackups DescribeContributorInsights DescribeKinesisStreamingDestination GetResourcePolicy "
        "ListTagsOfResource TagResource UntagResource",
    ),
    "AWS::Events::Rule": (
        "events:{region}:{account}:rule/{bus}{name}",
        "events:PutRule DescribeRule DeleteRule PutTargets RemoveTargets ListTargetsByRule TagResource UntagResource "
        "ListTagsForResource",
    ),
    "AWS::IAM::Role": (
        "iam::{account}:role/{name}",
        "iam:CreateRole GetRole UpdateRole UpdateRoleDescription UpdateAssumeRolePolicy DeleteRole PutRolePolicy "
        "GetRolePolicy DeleteRolePolicy ListRolePolicies AttachRolePolicy DetachRolePolicy ListAttachedRolePolicies "
        "TagRole UntagRole PassRole",
    ),
    "AWS::Lambda::EventSourceMapping": (
        "lambda:{region}:{account}:event-source-mapping:0f8fad5b",
        "lambda:CreateEventSourceMapping GetEventSourceMapping UpdateEventSourceMapping DeleteEventSourceMapping "
        "TagResource UntagResource ListTags",
    ),
    "AWS::Lambda::Function": (
        "lambda:{region}:{account}:function:{name}",
        "lambda:CreateFunction GetFunction UpdateFunctionCode UpdateFunctionConfiguration DeleteFunction "
        "PutFunctionConcurrency DeleteFunctionConcurrency GetFunctionCodeSigningConfig GetRuntimeManagementConfig "
        "TagResource UntagResource ListTags",
    ),
    "AWS::Lambda::LayerVersion": (
        "lambda:{region}:{account}:layer:OnnxLayer1a2b3c",
        "lambda:PublishLayerVersion GetLayerVersion DeleteLayerVersion",
    ),
    "AWS::Lambda::Permission": (
        "lambda:{region}:{account}:function:{stack}-CreateJobFunction-1A2B",
        "lambda:AddPermission RemovePermission GetPolicy",
    ),
    "AWS::Logs::LogGroup": (
        "logs:{region}:{account}:log-group:/faceblur/{stack}/functions",
        "logs:CreateLogGroup DescribeLogGroups DeleteLogGroup PutRetentionPolicy DeleteRetentionPolicy "
        "GetDataProtectionPolicy TagResource UntagResource ListTagsForResource",
    ),
    "AWS::S3::Bucket": (
        "s3:::{given}",
        "s3:CreateBucket ListBucket DeleteBucket PutBucketTagging GetBucketTagging PutEncryptionConfiguration "
        "GetEncryptionConfiguration PutBucketCORS GetBucketCORS PutLifecycleConfiguration GetLifecycleConfiguration "
        "PutBucketNotification GetBucketNotification PutBucketOwnershipControls GetBucketOwnershipControls "
        "PutBucketPublicAccessBlock GetBucketPublicAccessBlock GetBucketAcl GetBucketLogging GetBucketVersioning "
        "GetBucketWebsite GetBucketObjectLockConfiguration GetBucketMetadataTableConfiguration "
        "GetAccelerateConfiguration GetAnalyticsConfiguration GetIntelligentTieringConfiguration "
        "GetInventoryConfiguration GetMetricsConfiguration GetReplicationConfiguration",
    ),
    "AWS::S3::BucketPolicy": ("s3:::{given}", "s3:PutBucketPolicy GetBucketPolicy DeleteBucketPolicy"),
    "AWS::SQS::Queue": (
        "sqs:{region}:{account}:{name}",
        "sqs:CreateQueue GetQueueUrl GetQueueAttributes SetQueueAttributes DeleteQueue TagQueue UntagQueue "
        "ListQueueTags",
    ),
    "AWS::SQS::QueuePolicy": ("sqs:{region}:{account}:{stack}-UploadQueue-1A2B", "sqs:SetQueueAttributes"),
    # If the template does not, CloudFormation names it after the template alone.
    "AWS::StepFunctions::StateMachine": (
        "states:{region}:{account}:stateMachine:{machine}",
        "states:CreateStateMachine DescribeStateMachine UpdateStateMachine DeleteStateMachine TagResource "
        "UntagResource ListTagsForResource",
    ),
    "AWS::WAFv2::WebACL": (
        "wafv2:{region}:{account}:regional/webacl/{logical_id}-1A2B3C4D5E6F/0f8fad5b",
        "wafv2:CreateWebACL GetWebACL UpdateWebACL DeleteWebACL TagResource UntagResource ListTagsForResource",
    ),
    "AWS::WAFv2::WebACLAssociation": (
        "apigateway:{region}::/restapis/1a2b/stages/api",
        "wafv2:AssociateWebACL DisassociateWebACL GetWebACLForResource apigateway:SetWebACL",
    ),
}  # fmt: skip
# The further actions of `sam deploy`, `faceblur publish` and `faceblur delete`.
SAM_BUCKET = "s3:::aws-sam-cli-managed-default-samclisourcebucket-1a2b"
TOOLS = {
    "cloudformation:{region}:{account}:stack/{stack}/0f8fad5b": (
        "cloudformation:CreateChangeSet DescribeChangeSet ExecuteChangeSet DescribeStacks DescribeStackEvents "
        "GetTemplate GetTemplateSummary ListStackResources DeleteStack TagResource UntagResource"
    ),
    "cloudformation:{region}:{account}:stack/aws-sam-cli-managed-default/0f8fad5b": (
        "cloudformation:CreateChangeSet DescribeChangeSet ExecuteChangeSet DescribeStacks DescribeStackEvents"
    ),
    "cloudformation:{region}:aws:transform/Serverless-2016-10-31": "cloudformation:CreateChangeSet",
    SAM_BUCKET: (
        "s3:CreateBucket PutBucketVersioning PutEncryptionConfiguration PutBucketPublicAccessBlock PutBucketPolicy "
        "PutBucketTagging ListBucket"
    ),
    f"{SAM_BUCKET}/faceblur/1a2b": "s3:GetObject PutObject",
    "s3:::{stack}-pagebucket-1a2b/index.html": "s3:PutObject DeleteObject DeleteObjectVersion",
    "cloudfront::{account}:distribution/E1A2B3": "cloudfront:CreateInvalidation",
    "s3:::faceblur-photos-0f8fad5b": "s3:ListBucketVersions",
    "s3:::faceblur-photos-0f8fad5b/uploads/1": "s3:DeleteObject DeleteObjectVersion",
    "states:{region}:{account}:stateMachine:BlurImageStateMachine-1A2B": "states:ListExecutions",
    "states:{region}:{account}:stateMachine:hide-batch-0f8f": "states:ListExecutions",
    "states:{region}:{account}:stateMachine:HidePhotoStateMachine-1A2B": "states:ListExecutions",
    "states:{region}:{account}:execution:BlurImageStateMachine-1A2B:0f8f": "states:StopExecution",
    "states:{region}:{account}:execution:hide-batch-0f8f:6ba7-1": "states:StopExecution",
    "states:{region}:{account}:execution:HidePhotoStateMachine-1A2B:6ba7": "states:StopExecution",
    "logs:{region}:{account}:log-group:/faceblur/{stack}/functions": "logs:DescribeLogStreams",
}


@pytest.fixture(scope="module")
def root(endpoint: str) -> Stack:
    """The embedded AWS with the rights of its owner, and with the role deployed."""
    stack = Stack(endpoint, {})
    cloudformation = stack.client("cloudformation")
    cloudformation.create_stack(
        StackName="deploy-role", TemplateBody=(ROOT / "deploy-role.yaml").read_text(), Capabilities=["CAPABILITY_IAM"]
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName="deploy-role", WaiterConfig={"Delay": 1})
    (described,) = cloudformation.describe_stacks(StackName="deploy-role")["Stacks"]
    return Stack(endpoint, {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]})


@pytest.fixture(scope="module")
def environment(root: Stack) -> dict[str, str]:
    """The environment of somebody who has taken the role."""
    session = root.client("sts").assume_role(RoleArn=root.outputs["RoleArn"], RoleSessionName="deploys")["Credentials"]
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return own | {
        "AWS_ENDPOINT_URL": root.endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
        "AWS_SESSION_TOKEN": session["SessionToken"],
        "SAM_CLI_TELEMETRY": "0",
        # The functions' code is compressed once for all of them.
        "SAM_CLI_BETA_PACKAGE_PERFORMANCE": "1",
        "SAM_CLI_POLL_DELAY": "0.5",
    }


@pytest.fixture(scope="module")
def clients(environment: dict[str, str]) -> Callable[[str], Any]:
    """Makes clients of somebody who has taken the role."""
    session = boto3.Session(
        environment["AWS_ACCESS_KEY_ID"],
        environment["AWS_SECRET_ACCESS_KEY"],
        environment["AWS_SESSION_TOKEN"],
        REGION,
    )
    return lambda service: session.client(service, endpoint_url=environment["AWS_ENDPOINT_URL"])  # type: ignore[call-overload]


def run(environment: dict[str, str], *command: str | Path) -> str:
    """The output of a command, which must succeed."""
    ran = subprocess.run(
        command, cwd=project.ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def deploy(environment: dict[str, str], *parameters: str) -> None:
    """Run `sam deploy` of the template with the role. There is no build, because no function is called."""
    endpoint = f"AwsEndpointUrl={environment['AWS_ENDPOINT_URL']}"
    configuration = [f"--config-file={ROOT / 'samconfig.toml'}", "--config-env=local"]
    options = [*configuration, f"--template-file={TEMPLATE}", f"--stack-name={STACK}"]
    run(environment, project.SAM, "deploy", *options, "--parameter-overrides", endpoint, *PARAMETERS, *parameters)


def make_bucket_of_sam(root: Stack, environment: dict[str, str]) -> None:
    """Make the bucket for uploads as `sam deploy` does, but without its policy, which requires TLS."""
    python, make = project.SAM.with_name("python"), "from samcli.lib.bootstrap.bootstrap import manage_stack"
    run(environment, python, "-c", f"{make}; manage_stack(None, '{REGION}')")
    s3 = root.client("s3")
    (bucket,) = [each["Name"] for each in s3.list_buckets()["Buckets"] if each["Name"].startswith("aws-sam-cli-")]
    s3.delete_bucket_policy(Bucket=bucket)


def test_with_the_role_a_stack_is_deployed_updated_and_deleted(root: Stack, environment: dict[str, str]) -> None:
    cloudformation = root.client("cloudformation")
    make_bucket_of_sam(root, environment)
    deploy(environment)
    deploy(environment, "ReviewHours=2")
    (described,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    assert described["StackStatus"] == "UPDATE_COMPLETE"
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    root.client("s3").put_object(Bucket=outputs["PhotoBucketName"], Key="results/1.jpg", Body=b"a photo")
    kinds = {thing.kind for thing in things_of(cloudformation, STACK)}
    assert kinds <= HANDLERS.keys()
    printed = run(environment, Path(sys.executable).with_name("faceblur"), "delete", "--stack-name", STACK, "--yes")
    assert printed == f"The stack {STACK} is deleted, and nothing of it is left.\n"
    with pytest.raises(ClientError, match="does not exist"):
        cloudformation.describe_stacks(StackName=STACK)


def test_the_role_cannot_change_stacks_of_other_names(root: Stack, clients: Callable[[str], Any]) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        clients("cloudformation").delete_stack(StackName="payroll")
    with pytest.raises(ClientError, match="AccessDenied"):
        clients("iam").put_role_policy(RoleName="payroll", PolicyName="all", PolicyDocument="{}")


# ---------------------------------------------------------------- the requests of CloudFormation with the role


@pytest.fixture(scope="module")
def documents(root: Stack) -> list[dict[str, Any]]:
    """The policies of the role."""
    iam, name = root.client("iam"), root.outputs["RoleArn"].rpartition("/")[2]
    names = iam.list_role_policies(RoleName=name)["PolicyNames"]
    return [iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"] for policy in names]


def actions(text: str) -> Iterator[str]:
    """The actions of a text such as `s3:GetObject PutObject`."""
    service = ""
    for word in text.split():
        service, action = word.split(":") if ":" in word else (service, word)
        yield f"{service}:{action}"


def arn(pattern: str, **names: str) -> str:
    """An ARN of this account and region."""
    return "arn:aws:" + pattern.format(account=ACCOUNT, region=REGION, **names)


def calls(stack: str) -> list[tuple[str, str]]:
    """Each action that a stack of this name needs, and the ARN of its resource."""
    found = [(action, arn(pattern, stack=stack)) for pattern, text in TOOLS.items() for action in actions(text)]
    for logical_id, resource in template()["Resources"].items():
        for kind in expanded(resource["Type"]):
            pattern, text = HANDLERS[kind]
            names = {
                "name": f"{stack}-{logical_id}-1A2B3C4D5E6F",
                "stack": stack,
                "bus": "our-bus/" if "EventBusName" in resource["Properties"] else "",
                "logical_id": logical_id,
                "machine": given_name(logical_id) or f"{logical_id}-1A2B3C4D5E6F",
                "given": given_name(logical_id.removesuffix("Policy")) or f"{stack}-pagebucket-1a2b",
            }
            found += [(action, arn(pattern, **names)) for action in actions(text)]
    return found


def given_name(logical_id: str) -> str | None:
    """The name that the template gives to a bucket, a machine or a function of CloudFront, with a UUID; else None."""
    properties = template()["Resources"].get(logical_id, {}).get("Properties", {})
    name = properties.get("BucketName") or properties.get("Name")
    return re.sub(r"\$\{(Uuid|Id)\}", "0f8fad5b", name["Fn::Sub"][0]) if name and "Fn::Sub" in name else None


def expanded(kind: str) -> list[str]:
    """The types of the resources that SAM makes from a resource of this type."""
    return {
        "AWS::Serverless::Api": [f"AWS::ApiGateway::{part}" for part in ("RestApi", "Deployment", "Stage")],
        "AWS::Serverless::Function": [
            "AWS::Lambda::Function", "AWS::Lambda::Permission", "AWS::Lambda::EventSourceMapping", "AWS::IAM::Role",
            "AWS::Events::Rule",
        ],
        "AWS::Serverless::LayerVersion": ["AWS::Lambda::LayerVersion"],
        "AWS::Serverless::StateMachine": ["AWS::StepFunctions::StateMachine", "AWS::IAM::Role"],
    }.get(kind, [kind])  # fmt: skip


def allowed(documents: list[dict[str, Any]], action: str, resource: str) -> bool:
    """Whether a statement allows this, if its condition is met."""
    return any(
        any(fnmatchcase(action, pattern) for pattern in as_list(statement["Action"]))
        and any(fnmatchcase(resource, pattern) for pattern in as_list(statement["Resource"]))
        for document in documents
        for statement in document["Statement"]
    )


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("stack", ["faceblur", "faceblur-verify-1f0e7a2c"])
def test_the_role_allows_all_actions_that_resources_need(documents: list[dict[str, Any]], stack: str) -> None:
    assert [call for call in calls(stack) if not allowed(documents, *call)] == []


def test_the_role_allows_no_other_actions(documents: list[dict[str, Any]]) -> None:
    needed = {action for action, _ in calls("faceblur")}
    granted = {
        action for each in documents for statement in each["Statement"] for action in as_list(statement["Action"])
    }
    assert [action for action in granted if not any(fnmatchcase(other, action) for other in needed)] == []


def test_named_resources_are_limited_to_the_stacks_names(documents: list[dict[str, Any]]) -> None:
    named = [call for call in calls("payroll") if "payroll" in call[1]]
    # These list resources, or validate a template, before there is a stack with a name.
    unnamed = {"logs:DescribeLogGroups", "cloudwatch:DescribeAlarms", "cloudformation:GetTemplateSummary"}
    assert len(named) > 100
    assert {action for action, resource in named if allowed(documents, action, resource)} == unnamed


def test_only_functions_state_machines_and_rules_get_roles(documents: list[dict[str, Any]]) -> None:
    conditions = [
        statement.get("Condition")
        for document in documents
        for statement in document["Statement"]
        if "iam:PassRole" in as_list(statement["Action"])
    ]
    services = ["lambda.amazonaws.com", "states.amazonaws.com", "events.amazonaws.com"]
    assert conditions == [{"StringEquals": {"iam:PassedToService": services}}]


def test_the_policies_fit_a_role(documents: list[dict[str, Any]]) -> None:
    assert sum(len(json.dumps(document, separators=(",", ":"))) for document in documents) <= INLINE_POLICIES
