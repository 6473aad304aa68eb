"""The guarantees of the template, read from its source."""

from __future__ import annotations

import ast
import importlib
import json
import re
import subprocess
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from faceblur import config, errors, observability
from faceblur.api import clients
from faceblur.detectors.registry import detector_named
from faceblur.jobs.events import SOURCE
from tests.support.sources import ROOT, template
from tests.support.standins.paid import Paid

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RESOURCES = template()["Resources"]
GLOBALS = template()["Globals"]["Function"]


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    """Properties of the resources of a type, by name."""
    return {name: each["Properties"] for name, each in RESOURCES.items() if each["Type"] == kind}


FUNCTIONS = of_type("AWS::Serverless::Function")
MACHINES = of_type("AWS::Serverless::StateMachine")
each_function = pytest.mark.parametrize("name", FUNCTIONS)
EXECUTION_FAILED = "ExecutionFailed.Arn"


def verb(function: str) -> str:
    """The folder of a function: DetectFunction → detect."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", function.removesuffix("Function")).lower()


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def holds(condition: Any, parameters: dict[str, str]) -> bool:
    """Whether a condition of the template holds for these parameters."""
    ((function, arguments),) = condition.items()
    if function == "Fn::Not":
        return not holds(arguments[0], parameters)
    if function == "Fn::Or":
        return any(holds(each, parameters) for each in arguments)
    if function == "Fn::And":
        return all(holds(each, parameters) for each in arguments)
    if function == "Condition":
        return holds(template()["Conditions"][arguments], parameters)
    assert function == "Fn::Equals"
    left, right = (parameters[side["Ref"]] if isinstance(side, dict) else str(side) for side in arguments)
    return bool(left == right)


DEFAULTS = {name: str(each["Default"]) for name, each in template()["Parameters"].items()}


def chosen(node: Any, parameters: dict[str, str]) -> Any:
    """The value of an `!If` for these parameters, with the defaults of the others; None for no value."""
    if not (isinstance(node, dict) and "Fn::If" in node):
        return None if node == {"Ref": "AWS::NoValue"} else node
    name, then, otherwise = node["Fn::If"]
    condition = template()["Conditions"][name]
    return chosen(then if holds(condition, DEFAULTS | parameters) else otherwise, parameters)


def timeout(function: str) -> int:
    return FUNCTIONS[function].get("Timeout", GLOBALS["Timeout"])


# ---------------------------------------------------------------- the template as a whole


@pytest.mark.parametrize("section", ["Parameters", "Outputs"])
def test_every_parameter_and_output_is_described(section):
    assert all(re.fullmatch(r"\S.{10,}\.", each["Description"]) for each in template()[section].values())


@pytest.mark.parametrize("name", [*FUNCTIONS, *of_type("AWS::Serverless::LayerVersion")])
def test_every_function_and_layer_is_described(name):
    assert RESOURCES[name]["Properties"]["Description"].endswith(".")


def test_every_parameter_has_bounds_and_a_default():
    bounds = {"AllowedValues", "AllowedPattern", "MinValue"}
    assert all("Default" in each and bounds & each.keys() for each in template()["Parameters"].values())


def test_an_upload_form_is_valid_for_at_most_five_minutes():
    seconds = template()["Parameters"]["UploadSeconds"]
    assert (seconds["Default"], seconds["MaxValue"]) == (300, 300)


def test_every_parameter_is_used():
    text = json.dumps({name: section for name, section in template().items() if name != "Parameters"})
    for name in template()["Parameters"]:
        assert f'{{"Ref": "{name}"}}' in text or f"${{{name}}}" in text, name


def test_the_stack_has_every_output_that_the_command_reads():
    sources = "".join(path.read_text() for path in (ROOT / "cli").rglob("*.py"))
    asked = set(re.findall(r'outputs\["(\w+)"\]', sources))
    assert {"ApiUrl", "StateMachineArn", "FailedExecutionsQueueUrl"} <= asked <= template()["Outputs"].keys()


@pytest.mark.parametrize(
    ("queue", "function"),
    [("FailedUploadsQueue", "FailUploadFunction"), ("FailedExecutionsQueue", "FailJobFunction")],
)
def test_each_queue_of_failures_has_its_output_and_its_function(queue, function):
    assert template()["Outputs"][f"{queue}Url"]["Value"] == {"Ref": queue}
    (event,) = FUNCTIONS[function]["Events"].values()
    assert event["Properties"] == {
        "Queue": {"Fn::GetAtt": f"{queue}.Arn"},
        "BatchSize": 1,
        "ScalingConfig": {"MaximumConcurrency": 5},
    }


@pytest.mark.parametrize(
    ("given", "dollars"),
    [
        ({"OidcIssuer": ""}, "5"),
        ({"OidcIssuer": "https://issuer.example.org/"}, "25"),
        ({"DollarsADay": "0"}, {"Ref": "DollarsADay"}),
        ({"DollarsADay": "3.5", "OidcIssuer": "https://issuer.example.org/"}, {"Ref": "DollarsADay"}),
    ],
)
def test_each_day_has_a_budget_which_is_less_for_those_whom_nobody_knows(given, dollars):
    variables = GLOBALS["Environment"]["Variables"]
    assert chosen(variables["DOLLARS_A_DAY"], given) == dollars
    assert variables["DOLLARS_A_DAY_PER_CLIENT"] == {"Ref": "DollarsADayPerClient"}


@pytest.mark.parametrize("name", ["DollarsADay", "DollarsADayPerClient"])
def test_a_budget_is_a_decimal_number_or_nothing(name):
    parameter = template()["Parameters"][name]
    taken = [
        text for text in ("", "0", "0.001", "12.50", "-1", "1e3", "5 USD", ".5", "NaN") if matches(parameter, text)
    ]
    assert (parameter["Default"], taken) == ("", ["", "0", "0.001", "12.50"])


def matches(parameter: dict[str, Any], text: str) -> bool:
    return re.fullmatch(parameter["AllowedPattern"], text) is not None


# ---------------------------------------------------------------- whose request it is

SECRET = {"Ref": "ExecutionFailed"}


def test_the_secret_of_the_front_is_known_to_cloudfront_and_to_whoever_believes_it():
    for creates in ("CreateJobFunction", "CreateBatchFunction"):
        assert FUNCTIONS[creates]["Environment"]["Variables"]["FRONT_SECRET"] == SECRET
    origins = RESOURCES["PageDistribution"]["Properties"]["DistributionConfig"]["Origins"]
    headers = {origin["Id"]: origin.get("OriginCustomHeaders") for origin in origins}
    assert headers == {"page": None, "api": [{"HeaderName": clients.SECRET_HEADER, "HeaderValue": SECRET}]}
    for rule in RESOURCES["AddressLimit"]["Properties"]["Rules"]:
        scope = rule["Statement"]["RateBasedStatement"]["ScopeDownStatement"]
        match = scope.get("NotStatement", {}).get("Statement", scope)["ByteMatchStatement"]
        assert match["FieldToMatch"] == {"SingleHeader": {"Name": clients.SECRET_HEADER}}
        assert (match["SearchString"], match["PositionalConstraint"]) == (SECRET, "EXACTLY")


def test_the_secret_of_the_front_is_in_no_name_that_strangers_see():
    assert "Name" not in RESOURCES["ExecutionFailed"]["Properties"], "CloudFormation adds a random end to the name"
    assert "ExecutionFailed" not in str(template()["Outputs"])
    public = ("PhotoBucket", "Api", "PageAccess", "PageAddresses", "PageHeaders", "PageDistribution")
    for name in public:
        properties = dict(RESOURCES[name]["Properties"])
        if name == "PageDistribution":
            origins = properties["DistributionConfig"]["Origins"]
            shown = [{key: origin[key] for key in origin if key != "OriginCustomHeaders"} for origin in origins]
            properties = properties["DistributionConfig"] | {"Origins": shown}
        assert "ExecutionFailed" not in str(properties), name


def test_cloudfront_writes_the_viewers_address_over_what_the_viewer_sent():
    (behaviour,) = RESOURCES["PageDistribution"]["Properties"]["DistributionConfig"]["CacheBehaviors"]
    assert behaviour["FunctionAssociations"] == [
        {"EventType": "viewer-request", "FunctionARN": {"Fn::GetAtt": "PageViewers.FunctionARN"}}
    ]
    written = RESOURCES["PageViewers"]["Properties"]["FunctionCode"]
    assert f"request.headers['{clients.VIEWER_HEADER}'] = {{ value: network(event.viewer.ip) }};" in written


@pytest.mark.parametrize(
    ("viewer", "told"),
    [
        ("192.0.2.10", "192.0.2.10"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ("2001:0DB8:0001:ffff::6", "2001:db8:1::"),
        ("2001:db8::6", "2001:db8:0::"),
        ("2001::1:2:3:4:5:6", "2001:0:1::"),
        ("::1", "0:0:0::"),
        ("2001:db8:1::", "2001:db8:1::"),
        ("::ffff:192.0.2.10", "::ffff:192.0.2.10"),
    ],
)
def test_cloudfront_tells_the_network_of_an_ipv6_address_which_is_that_of_the_api(viewer, told):
    """The firewall compares what CloudFront tells, letter by letter."""
    event = json.dumps({"viewer": {"ip": viewer}, "request": {"headers": {clients.VIEWER_HEADER: {"value": "forged"}}}})
    script = f"{RESOURCES['PageViewers']['Properties']['FunctionCode']}\nconsole.log(JSON.stringify(handler({event})))"
    done = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"headers": {clients.VIEWER_HEADER: {"value": told}}}
    assert clients.network(told) == clients.network(viewer)


def test_each_request_is_counted_by_one_rule_of_the_firewall():
    direct, through = (
        rule["Statement"]["RateBasedStatement"] for rule in RESOURCES["AddressLimit"]["Properties"]["Rules"]
    )
    assert (direct["AggregateKeyType"], list(direct["ScopeDownStatement"])) == ("IP", ["NotStatement"])
    (key,) = through["CustomKeys"]
    assert (key["Header"]["Name"], list(through["ScopeDownStatement"])) == (
        clients.VIEWER_HEADER,
        ["ByteMatchStatement"],
    )
    assert {each["Limit"]["Ref"] for each in (direct, through)} == {"RequestsPerAddress"}
    assert {each["EvaluationWindowSec"] for each in (direct, through)} == {300}


def test_the_firewall_is_there_if_it_is_asked_for_and_keeps_no_samples():
    parts = [name for name, part in RESOURCES.items() if part["Type"].startswith("AWS::WAFv2")]
    assert {RESOURCES[name]["Condition"] for name in parts} == {"LimitsAddresses"}
    limit = RESOURCES["AddressLimit"]["Properties"]
    settings = [limit["VisibilityConfig"], *(rule["VisibilityConfig"] for rule in limit["Rules"])]
    assert not any(each["SampledRequestsEnabled"] for each in settings)
    parameter = template()["Parameters"]["RequestsPerAddress"]
    taken = [text for text in ("0", "9", "10", "1000", "", "-10") if matches(parameter, text)]
    assert (parameter["Default"], taken) == ("0", ["0", "10", "1000"])


def test_a_request_that_the_firewall_refused_can_be_repeated():
    answer = RESOURCES["Api"]["Properties"]["GatewayResponses"]["WAF_FILTERED"]
    assert answer["StatusCode"] == 429
    assert json.loads(answer["ResponseTemplates"]["application/json"])["code"] == "THROTTLED"


def test_no_output_has_the_name_of_a_parameter():
    """SAM would take the name as the parameter's value."""
    assert not template()["Outputs"].keys() & template()["Parameters"].keys()


def test_every_method_of_the_api_is_throttled():
    (settings,) = RESOURCES["Api"]["Properties"]["MethodSettings"]
    assert settings == {
        "HttpMethod": "*",
        "ResourcePath": "/*",
        "ThrottlingRateLimit": {"Ref": "RequestsASecond"},
        "ThrottlingBurstLimit": {"Ref": "RequestsASecond"},
    }


def test_every_log_group_has_a_retention_time():
    groups = of_type("AWS::Logs::LogGroup")
    assert len(groups) == 1
    assert all(group["RetentionInDays"] == {"Ref": "LogRetentionDays"} for group in groups.values())


def test_everything_is_traced_and_the_functions_log():
    assert GLOBALS["Tracing"] == "Active"
    assert GLOBALS["LoggingConfig"] == {"LogGroup": {"Ref": "FunctionsLogGroup"}}
    assert RESOURCES["Api"]["Properties"]["TracingEnabled"] is True
    assert len(MACHINES) == 3
    for machine in MACHINES.values():
        assert machine["Tracing"] == {"Enabled": True}
        assert "Logging" not in machine  # its lines would name executions, and with them the ids of jobs


# ---------------------------------------------------------------- storage


LONGEST_STACK_NAME = "Ab" * 64
LONGEST_REGION = "ap-northeast-1"
PSEUDO = {
    "AWS::StackName": LONGEST_STACK_NAME,
    "AWS::Region": LONGEST_REGION,
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::StackId": f"arn:aws:cloudformation:{LONGEST_REGION}:123456789012:stack/{LONGEST_STACK_NAME}/"
    "51af3dc0-da77-11e4-872e-1234567db123",
}


def spelled_out(value: Any) -> Any:
    """What CloudFormation makes of a value that depends on nothing but the stack's name, id, account and region."""
    if isinstance(value, list):
        return [spelled_out(each) for each in value]
    if not isinstance(value, dict):
        return value
    ((function, given),) = value.items()
    if function == "Ref":
        return PSEUDO[given]
    if function == "Fn::Sub":
        text, more = given if isinstance(given, list) else (given, {})
        values = PSEUDO | {name: spelled_out(each) for name, each in more.items()}
        return re.sub(r"\$\{([\w:]+)\}", lambda found: values[found[1]], text)
    if function == "Fn::Select":
        return spelled_out(given[1])[int(given[0])]
    assert function == "Fn::Split"
    return spelled_out(given[1]).split(given[0])


# What AWS takes for the names that the template gives. CloudFormation shortens those that it gives itself.
NAMES = {
    ("PhotoBucket", "BucketName"): r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
    ("HideBatchStateMachine", "Name"): r"[\w-]{1,80}",
    ("Api", "Name"): r".{1,1024}",
    ("PageAccess", "OriginAccessControlConfig", "Name"): r"[\w-]{1,64}",
    ("PageAddresses", "Name"): r"[\w-]{1,64}",
    ("PageViewers", "Name"): r"[\w-]{1,64}",
    ("PageHeaders", "ResponseHeadersPolicyConfig", "Name"): r"[\w-]{1,128}",
    ("PageDistribution", "DistributionConfig", "Comment"): r".{1,128}",
    ("Dashboard", "DashboardName"): r"[\w-]{1,255}",
    ("FunctionsLogGroup", "LogGroupName"): r"[\w/.#-]{1,512}",
}


@pytest.mark.parametrize(("place", "taken"), NAMES.items(), ids=lambda given: given[0])
def test_the_longest_name_of_a_stack_makes_no_name_too_long(place, taken):
    resource, *below = place
    value = RESOURCES[resource]["Properties"]
    for key in below:
        value = value[key]
    assert re.fullmatch(taken, spelled_out(value))


def test_every_name_that_the_template_gives_is_looked_at():
    def below(node: Any, place: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for key, value in node.items() if isinstance(node, dict) else ():
            if key == "Name" or (
                key.endswith("Name") and key.removesuffix("Name") in {"Bucket", "Dashboard", "LogGroup"}
            ):
                yield (*place, key)
            yield from below(value, (*place, key))

    given = {place for name, each in RESOURCES.items() for place in below(each["Properties"], (name,))}
    assert given == {place for place in NAMES if place[-1] != "Comment"}


def test_the_bucket_keeps_no_versions():
    assert "VersioningConfiguration" not in RESOURCES["PhotoBucket"]["Properties"]


def test_nothing_in_the_bucket_is_public():
    bucket = RESOURCES["PhotoBucket"]["Properties"]
    assert bucket["PublicAccessBlockConfiguration"] == dict.fromkeys(
        ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"], True
    )
    (statement,) = RESOURCES["PhotoBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": False}})


def test_the_sweep_may_list_and_delete_photos_and_read_no_photo():
    may = MAY["SweepPhotosFunction"]
    assert set(may) == {"dynamodb:GetItem", "dynamodb:DeleteItem", "s3:DeleteObject", "s3:GetObject", "s3:ListBucket"}
    assert may["s3:GetObject"] == {LINES}


def test_everything_in_the_bucket_is_deleted_after_a_day():
    (rule,) = RESOURCES["PhotoBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", 1)
    assert "Prefix" not in rule
    assert rule["ExpirationInDays"] * 24 * 60 * 60 == config.JOB_LIFETIME_SECONDS


def test_jobs_expire_by_the_attribute_that_create_job_writes():
    ttl = RESOURCES["JobsTable"]["Properties"]["TimeToLiveSpecification"]
    assert ttl == {"AttributeName": "expires_at", "Enabled": True}


# ---------------------------------------------------------------- queues


def test_a_visibility_timeout_is_six_times_the_timeout_of_its_function():
    assert RESOURCES["UploadQueue"]["Properties"]["VisibilityTimeout"] == 6 * timeout("StartWorkflowFunction")
    assert RESOURCES["FailedUploadsQueue"]["Properties"]["VisibilityTimeout"] == 6 * timeout("FailUploadFunction")
    assert RESOURCES["FailedExecutionsQueue"]["Properties"]["VisibilityTimeout"] == 6 * timeout("FailJobFunction")
    assert RESOURCES["WebhookQueue"]["Properties"]["VisibilityTimeout"] == 6 * timeout("SendWebhookFunction")


def test_an_upload_that_cannot_be_processed_fails_its_job_and_a_failure_that_cannot_be_recorded_is_kept():
    def redrive(queue: str) -> tuple[str, int]:
        policy = RESOURCES[queue]["Properties"]["RedrivePolicy"]
        return policy["deadLetterTargetArn"]["Fn::GetAtt"], policy["maxReceiveCount"]

    assert redrive("UploadQueue") == ("FailedUploadsQueue.Arn", 3)
    assert redrive("FailedUploadsQueue") == redrive("FailedExecutionsQueue") == ("FailuresDlq.Arn", 5)
    two_weeks = 14 * 24 * 60 * 60
    assert redrive("WebhookQueue") == ("NotificationsDlq.Arn", 8)
    for queue in ("FailedUploadsQueue", "FailedExecutionsQueue", "FailuresDlq", "WebhookQueue", "NotificationsDlq"):
        assert RESOURCES[queue]["Properties"]["MessageRetentionPeriod"] == two_weeks


def test_only_failed_messages_are_delivered_again():
    for function in ("StartWorkflowFunction", "SendWebhookFunction"):
        (source,) = FUNCTIONS[function]["Events"].values()
        assert source["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_every_execution_that_ends_without_a_result_is_reported():
    rule = RESOURCES["ExecutionFailed"]["Properties"]
    assert rule["EventPattern"]["detail"] == {
        "status": ["FAILED", "TIMED_OUT", "ABORTED"],
        "stateMachineArn": [{"Ref": "BlurImageStateMachine"}],
    }
    assert [target["Arn"] for target in rule["Targets"]] == [{"Fn::GetAtt": "FailedExecutionsQueue.Arn"}]


@pytest.mark.parametrize(
    ("policy", "service", "source"),
    [
        ("UploadQueuePolicy", "s3.amazonaws.com", "PhotoBucket"),
        ("FailedExecutionsQueuePolicy", "events.amazonaws.com", EXECUTION_FAILED),
        ("WebhookQueuePolicy", "events.amazonaws.com", "EndsToWebhook.Arn"),
    ],
)
def test_only_its_own_source_may_send_to_a_queue(policy, service, source):
    (statement,) = RESOURCES[policy]["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Principal"], statement["Action"]) == ({"Service": service}, "sqs:SendMessage")
    arn = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
    if source == "PhotoBucket":
        # The policy spells out the bucket's name, because the bucket is created after its queue.
        assert spelled_out(arn) == f"arn:aws:s3:::{spelled_out(RESOURCES['PhotoBucket']['Properties']['BucketName'])}"
    else:
        assert named(arn) == source


# ---------------------------------------------------------------- notifications


NOTIFIED = {
    "EventBusName": "our-bus",
    "NotificationTopicArn": "arn:aws:sns:eu-central-1:123456789012:ends",
    "WebhookUrl": "https://hooks.example.org/faceblur",
    "WebhookSecretName": "/faceblur/webhook",
}
NOTIFYING = {"EndsToTopic", "EndsToWebhook", "NotificationsDlq", "NotificationsDlqPolicy", "NotificationsAlarm"}
TO_WEBHOOK = {"EndsToWebhook", "WebhookQueue", "WebhookQueuePolicy", "SendWebhookFunction"}


@pytest.mark.parametrize(
    ("parameters", "there"),
    [
        ({}, set()),
        ({"EventBusName": "our-bus"}, set()),
        (NOTIFIED | {"WebhookUrl": "", "WebhookSecretName": ""}, NOTIFYING - {"EndsToWebhook"}),
        (NOTIFIED | {"NotificationTopicArn": ""}, (NOTIFYING | TO_WEBHOOK) - {"EndsToTopic"}),
        (NOTIFIED, NOTIFYING | TO_WEBHOOK),
    ],
)
def test_what_notifies_is_there_if_it_is_asked_for(parameters, there):
    assert refused(parameters) == []
    conditional = {name: RESOURCES[name]["Condition"] for name in NOTIFYING | TO_WEBHOOK}
    assert {name for name in conditional if holds({"Condition": conditional[name]}, DEFAULTS | parameters)} == there


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"EventBusName": ""}, "EventBusName"),
        ({"WebhookSecretName": ""}, "WebhookSecretName"),
        ({"WebhookUrl": ""}, "WebhookUrl"),
    ],
)
def test_notifications_take_a_bus_and_a_webhook_a_secret(changed, said):
    (reason,) = refused(NOTIFIED | changed)
    assert reason.startswith(f"Set {said} too")


@pytest.mark.parametrize(("rule", "target"), [("EndsToTopic", "topic"), ("EndsToWebhook", "webhook")])
def test_a_rule_passes_on_what_this_stack_told_and_keeps_what_it_cannot_deliver(rule, target):
    properties = RESOURCES[rule]["Properties"]
    assert properties["EventPattern"] == {"source": [SOURCE], "detail": {"stack": [{"Ref": "AWS::StackName"}]}}
    assert properties["EventBusName"] == {"Ref": "EventBusName"}
    arn = {"topic": {"Ref": "NotificationTopicArn"}, "webhook": {"Fn::GetAtt": "WebhookQueue.Arn"}}[target]
    dead_letters = {"Arn": {"Fn::GetAtt": "NotificationsDlq.Arn"}}
    assert properties["Targets"] == [{"Id": target, "Arn": arn, "DeadLetterConfig": dead_letters}]


def test_only_these_rules_may_send_to_their_dead_letters():
    (statement,) = RESOURCES["NotificationsDlqPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    rules = [chosen(arn, NOTIFIED) for arn in statement["Condition"]["ArnEquals"]["aws:SourceArn"]]
    assert rules == [{"Fn::GetAtt": "EndsToTopic.Arn"}, {"Fn::GetAtt": "EndsToWebhook.Arn"}]


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("", True),
        ("https://hooks.example.org/faceblur?token=1", True),
        ("https://hooks.example.org", True),
        ("http://127.0.0.1:8000/hooks", True),
        ("http://hooks.example.org", False),
        ("http://127.0.0.1:8000@hooks.example.org", False),
        ("https://somebody:secret@hooks.example.org/", False),
        ("file:///etc/passwd", False),
        ("https://hooks.example.org/ https://other.example.org/", False),
    ],
)
def test_a_webhook_uses_tls_or_the_loopback_interface(url, taken):
    assert matches(template()["Parameters"]["WebhookUrl"], url) == taken


def test_the_secret_of_the_webhook_is_given_by_its_name_alone():
    parameter = template()["Parameters"]["WebhookSecretName"]
    names = ("", "/faceblur/webhook", "/hook", "hook", "/", "/a//b", "/a b")
    taken = [name for name in names if matches(parameter, name)]
    assert taken == ["", "/faceblur/webhook", "/hook"]
    assert "WebhookSecretName" not in str(template()["Outputs"])


# ---------------------------------------------------------------- the customer's own key


WITH_A_KEY = {"KmsKeyArn": "arn:aws:kms:eu-central-1:123456789012:key/0f8fad5b-d9cb-469f-a165-70867728950e"}
WITHOUT = {"KmsKeyArn": ""}
KEY = {"Ref": "KmsKeyArn"}


@pytest.mark.parametrize("name", of_type("AWS::SQS::Queue"))
def test_every_queue_is_encrypted(name):
    queue = RESOURCES[name]["Properties"]
    kept_by = [
        (chosen(queue["SqsManagedSseEnabled"], key), chosen(queue["KmsMasterKeyId"], key))
        for key in (WITHOUT, WITH_A_KEY)
    ]
    assert kept_by == [(True, None), (None, KEY)]


def test_photos_are_encrypted():
    (rule,) = RESOURCES["PhotoBucket"]["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    by = rule["ServerSideEncryptionByDefault"]
    kept_by = [
        (chosen(by["SSEAlgorithm"], key), chosen(by["KMSMasterKeyID"], key), chosen(rule["BucketKeyEnabled"], key))
        for key in (WITHOUT, WITH_A_KEY)
    ]
    assert kept_by == [("AES256", None, None), ("aws:kms", KEY, True)]


def test_jobs_are_encrypted():
    by = RESOURCES["JobsTable"]["Properties"]["SSESpecification"]
    assert (by["SSEEnabled"], by["SSEType"]) == (True, "KMS")
    assert [chosen(by["KMSMasterKeyId"], key) for key in (WITHOUT, WITH_A_KEY)] == [None, KEY]


def policies(name: str) -> list[dict[str, Any]]:
    """The policies of a role. A role that may only write logs and traces has none."""
    return RESOURCES[name]["Properties"].get("Policies", [])


def granted(name: str, parameters: dict[str, str]) -> set[str]:
    """What a role may do with these parameters."""
    given = [chosen(statement, parameters) for policy in policies(name) for statement in policy["Statement"]]
    return {action for statement in given if statement for action in as_list(statement["Action"])}


def test_only_roles_that_need_the_customers_key_may_use_it():
    for name in (*FUNCTIONS, *MACHINES):
        without, with_it = granted(name, WITHOUT), granted(name, WITH_A_KEY)
        # Reading tables, queues and objects needs Decrypt. Storing an object needs GenerateDataKey too.
        reads = any(action.startswith(("dynamodb:", "ssm:")) or action == "s3:GetObject" for action in without)
        writes = "s3:PutObject" in without
        expected = {"kms:Decrypt"} if reads else set()
        assert with_it - without == expected | ({"kms:GenerateDataKey"} if writes else set()), name


@pytest.mark.parametrize(
    ("parameter", "arn", "other"),
    [
        ("KmsKeyArn", WITH_A_KEY["KmsKeyArn"], "arn:aws:kms:eu-central-1:123456789012:alias/photos"),
        ("AlarmTopicArn", "arn:aws:sns:eu-central-1:123456789012:on-call", "on-call@example.org"),
        ("NotificationTopicArn", "arn:aws:sns:eu-central-1:123456789012:ends", "ends"),
    ],
)
def test_an_arn_parameter_takes_an_arn_or_nothing(parameter, arn, other):
    pattern = template()["Parameters"][parameter]["AllowedPattern"]
    assert [bool(re.fullmatch(pattern, text)) for text in ("", arn, other)] == [True, True, False]


# ---------------------------------------------------------------- the page's domain


DOMAIN = {"PageDomain": "photos.example.org", "PageCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/1"}


def test_a_domain_is_served_with_its_certificate_and_is_the_pages_address():
    distribution = RESOURCES["PageDistribution"]["Properties"]["DistributionConfig"]
    url = template()["Outputs"]["PageUrl"]["Value"]["Fn::Sub"][1]["Domain"]
    assert chosen(distribution["Aliases"], DOMAIN) == [{"Ref": "PageDomain"}]
    assert chosen(distribution["ViewerCertificate"], DOMAIN)["AcmCertificateArn"] == {"Ref": "PageCertificateArn"}
    assert chosen(url, DOMAIN) == {"Ref": "PageDomain"}
    assert chosen(distribution["Aliases"], DEFAULTS) is None
    assert chosen(distribution["ViewerCertificate"], DEFAULTS) == {"CloudFrontDefaultCertificate": True}
    assert chosen(url, DEFAULTS) == {"Fn::GetAtt": "PageDistribution.DomainName"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"PageCertificateArn": ""}, "PageCertificateArn"),
        ({"PageDomain": ""}, "PageDomain"),
        ({"WebPage": "no"}, "WebPage"),
    ],
)
def test_a_domain_takes_a_certificate_and_a_page(changed, said):
    assert refused(DEFAULTS | DOMAIN) == []
    (reason,) = refused(DEFAULTS | DOMAIN | changed)
    assert f"Set {said} t" in reason


# ---------------------------------------------------------------- sign-in


OPEN = {"OidcIssuer": ""}
WITH_SIGN_IN = {"OidcIssuer": "https://issuer.example.org/", "OidcAudience": "faceblur-page"}
METHODS = [
    (event["Properties"]["Path"], event["Properties"]["Method"].lower())
    for function in FUNCTIONS.values()
    for event in function.get("Events", {}).values()
    if event["Type"] == "Api"
]


def described_api() -> dict[str, Any]:
    return RESOURCES["Api"]["Properties"]["DefinitionBody"]


@pytest.mark.parametrize(("path", "method"), METHODS)
def test_with_an_issuer_the_authorizer_is_called_before_every_method(path, method):
    security = described_api()["paths"][path][method]["security"]
    assert chosen(security, OPEN) == []
    assert chosen(security, WITH_SIGN_IN) == [{"SignIn": []}]


def test_with_an_issuer_there_is_an_authorizer():
    schemes = described_api()["securityDefinitions"]
    assert chosen(schemes, OPEN) is None
    (scheme,) = chosen(schemes, WITH_SIGN_IN).values()
    assert (scheme["in"], scheme["name"]) == ("header", "Authorization")
    assert "${AuthorizeFunction.Arn}" in scheme["x-amazon-apigateway-authorizer"]["authorizerUri"]["Fn::Sub"]
    conditional = [name for name in RESOURCES if RESOURCES[name].get("Condition") == "SignsIn"]
    assert conditional == ["AuthorizeFunction", "ApiMayAuthorize"]


def test_an_expired_token_is_cached_for_at_most_a_minute():
    (scheme,) = chosen(described_api()["securityDefinitions"], WITH_SIGN_IN).values()
    assert scheme["x-amazon-apigateway-authorizer"]["authorizerResultTtlInSeconds"] == 60


@pytest.mark.parametrize(
    ("header", "asked"),
    [
        ("Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln-_", True),
        ("Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", True),
        ("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", False),
        ("Basic YWxpY2U6c2VjcmV0", False),
        ("Bearer a.b.c d", False),
    ],
)
def test_the_authorizer_gets_only_headers_that_look_like_tokens(header, asked):
    (scheme,) = chosen(described_api()["securityDefinitions"], WITH_SIGN_IN).values()
    pattern = scheme["x-amazon-apigateway-authorizer"]["identityValidationExpression"]
    assert bool(re.fullmatch(pattern, header)) == asked


@pytest.mark.parametrize(
    ("issuer", "taken"),
    [
        ("", True),
        ("https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI", True),
        ("https://faceblur.eu.auth0.com/", True),
        ("http://127.0.0.1:8000", True),
        ("http://issuer.example.org", False),
        ("http://127.0.0.1:8000@issuer.example.org", False),
        ("file:///etc/passwd", False),
        ("https://issuer.example.org/?a=b", False),
        ("https://issuer.example.org https://other.example.org", False),
    ],
)
def test_an_issuer_uses_tls_or_the_loopback_interface(issuer, taken):
    assert bool(re.fullmatch(template()["Parameters"]["OidcIssuer"]["AllowedPattern"], issuer)) == taken


def test_an_issuer_without_an_audience_is_refused():
    assert refused(WITH_SIGN_IN) == []
    (reason,) = refused(WITH_SIGN_IN | {"OidcAudience": ""})
    assert "OidcAudience" in reason


@pytest.mark.parametrize(
    ("scope", "clients", "taken"), [("", "", True), ("a/b", "c,d", True), ("a/b", "", False), ("", "c", False)]
)
def test_programs_need_a_scope_and_a_list_of_clients(scope, clients, taken):
    programs = {"OidcScope": scope, "OidcClients": clients}
    assert (refused(WITH_SIGN_IN | programs) == []) == taken
    assert (refused(OPEN | programs) == []) == (scope == clients == "")


@pytest.mark.parametrize(
    ("parameter", "taken", "other"),
    [("OidcScope", "https://faceblur.example.org/hide", "two scopes"), ("OidcClients", "a1,b-2", "a1,,b-2")],
)
def test_programs_are_named_as_tokens_name_them(parameter, taken, other):
    pattern = template()["Parameters"][parameter]["AllowedPattern"]
    assert [bool(re.fullmatch(pattern, text)) for text in ("", taken, other)] == [True, True, False]


def test_every_function_of_the_api_knows_the_issuer():
    answering = [name for name, function in FUNCTIONS.items() if "Api" in str(function.get("Events"))]
    assert len(answering) == 8
    for name in answering:
        assert FUNCTIONS[name]["Environment"]["Variables"]["OIDC_ISSUER"] == {"Ref": "OidcIssuer"}


def test_changed_parameters_reach_the_stage_that_serves_the_api():
    assert RESOURCES["Api"]["Properties"]["AlwaysDeploy"] is True


def test_the_api_gateway_refuses_strangers_with_our_own_error():
    answer = RESOURCES["Api"]["Properties"]["GatewayResponses"]["UNAUTHORIZED"]
    body = json.loads(answer["ResponseTemplates"]["application/json"])
    assert body == {"code": errors.NotSignedIn().code, "message": errors.NotSignedIn().message}
    assert answer["ResponseParameters"]["Headers"]["WWW-Authenticate"] == "'Bearer'"


def test_the_api_gateway_refuses_an_unknown_address_with_our_own_error():
    answer = RESOURCES["Api"]["Properties"]["GatewayResponses"]["MISSING_AUTHENTICATION_TOKEN"]
    body = json.loads(answer["ResponseTemplates"]["application/json"])
    assert body == {"code": errors.RouteNotFound().code, "message": errors.RouteNotFound().message}
    assert answer["StatusCode"] == 404


def test_a_page_of_another_origin_may_use_every_method():
    allowed = RESOURCES["Api"]["Properties"]["Cors"]["AllowMethods"].strip("'").lower().split(",")
    assert set(allowed) == {method for _, method in METHODS} | {"options"}


def test_a_review_waits_for_at_most_twenty_hours():
    """The job, and all that belongs to it, lives for a day."""
    hours = template()["Parameters"]["ReviewHours"]
    assert (hours["Default"], hours["MaxValue"]) == (20, 20)
    assert hours["MinValue"] > 0


def test_a_page_of_another_origin_may_send_its_token():
    assert RESOURCES["Api"]["Properties"]["Cors"]["AllowHeaders"] == "'Content-Type,Authorization'"


# ---------------------------------------------------------------- limits of concurrency


def test_detections_reserve_no_concurrency_unless_a_parameter_asks_for_it():
    reserved = FUNCTIONS["DetectFunction"]["ReservedConcurrentExecutions"]
    asked = [chosen(reserved, {"MaxConcurrentDetections": most}) for most in ("0", "20")]
    assert asked == [None, {"Ref": "MaxConcurrentDetections"}]


def test_a_burst_of_uploads_leaves_concurrency_to_the_api():
    arrived = FUNCTIONS["StartWorkflowFunction"]["Events"]["PhotoArrived"]["Properties"]
    assert arrived["ScalingConfig"] == {"MaximumConcurrency": 5}


# ---------------------------------------------------------------- alarms and the dashboard


ALARMS = of_type("AWS::CloudWatch::Alarm")
GUIDE = (ROOT / "docs/alarms.md").read_text()


def anchors(page: str) -> set[str]:
    """The anchors that a web page gives to the headings of a document."""
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", ALARMS)
def test_every_alarm_has_its_section(name):
    (anchor,) = re.findall(r"docs/alarms\.md#([\w-]+)\.$", ALARMS[name]["AlarmDescription"])
    assert anchor in anchors(GUIDE)


@pytest.mark.parametrize("name", ALARMS)
def test_the_section_of_an_alarm_names_it_and_says_what_to_do_first(name):
    (section,) = [part for part in GUIDE.split("\n## ") if f"`{name}`:" in part]
    (anchor,) = anchors("## " + section)
    assert ALARMS[name]["AlarmDescription"].endswith(f"#{anchor}.")
    assert section.count("**First**,") == 1


def test_no_two_alarms_share_a_section():
    sections = [alarm["AlarmDescription"].rpartition("#")[2] for alarm in ALARMS.values()]
    assert len(set(sections)) == len(sections) == 15


@pytest.mark.parametrize("name", ALARMS)
def test_alarms_notify_the_topic_if_there_is_one(name):
    for actions in (ALARMS[name]["AlarmActions"], ALARMS[name]["OKActions"]):
        assert chosen(actions, {"AlarmTopicArn": ""}) is None
        assert chosen(actions, {"AlarmTopicArn": "arn"}) == [{"Ref": "AlarmTopicArn"}]


@pytest.mark.parametrize("name", ALARMS)
def test_missing_data_raises_the_alarm_of_the_sweep_alone(name):
    assert ALARMS[name]["TreatMissingData"] == ("breaching" if name == "SweepAlarm" else "notBreaching")


def watched(alarm: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The metrics of an alarm: namespace, name and dimensions."""
    parts = [chosen(part, WITH_SIGN_IN | NOTIFIED) for part in alarm.get("Metrics", [])]
    for metric in [part["MetricStat"]["Metric"] for part in parts if "MetricStat" in part] or [alarm]:
        yield metric["Namespace"], metric["MetricName"], {each["Name"]: each["Value"] for each in metric["Dimensions"]}


def test_the_throttles_of_every_function_are_watched():
    alarms = [ALARMS[f"{part}ThrottledAlarm"] for part in ("Workflow", "Api", "Batch")]
    seen = [dimensions["FunctionName"]["Ref"] for alarm in alarms for _, _, dimensions in watched(alarm)]
    assert sorted(seen) == sorted(FUNCTIONS)


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_watches_no_more_metrics_than_cloudwatch_takes(name):
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html"""
    assert len(list(watched(ALARMS[name]))) <= 10


OURS = [
    (name, metric, dimensions)
    for name in ALARMS
    for namespace, metric, dimensions in watched(ALARMS[name])
    if namespace == observability.NAMESPACE
]


@pytest.mark.parametrize(("name", "metric", "dimensions"), OURS, ids=[name for name, _, _ in OURS])
def test_every_metric_of_ours_that_is_watched_is_counted(name, metric, dimensions):
    counted = (ROOT / "functions/faceblur/observability.py").read_text()
    assert f'_count("{metric}", ' in counted
    assert dimensions.pop("stack") == {"Ref": "AWS::StackName"}
    if code := dimensions.pop("code", None):
        assert issubclass(getattr(errors, code), errors.FaceblurError)
    assert dimensions.pop("limit", "day") == "day"
    assert dimensions == {}


def test_the_alarm_of_the_api_watches_the_api_by_its_name():
    ((_, _, dimensions),) = watched(ALARMS["ApiErrorsAlarm"])
    api = RESOURCES["Api"]["Properties"]
    assert dimensions == {"ApiName": api["Name"], "Stage": api["StageName"]}


def test_the_alarm_of_the_sweep_waits_for_two_hourly_sweeps():
    schedule = FUNCTIONS["SweepPhotosFunction"]["Events"]["EveryHour"]["Properties"]["Schedule"]
    alarm = ALARMS["SweepAlarm"]
    assert (schedule, alarm["Period"], alarm["EvaluationPeriods"]) == ("rate(1 hour)", 60 * 60, 2)


def test_the_dashboard_is_json_and_names_only_resources_that_exist():
    body, conditional = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(body)["widgets"]
    asked = {name.partition(".")[0] for name in re.findall(r"\$\{([^!}]+)\}", body)} - {"AWS::Region", "AWS::StackName"}
    assert asked <= RESOURCES.keys() | conditional.keys()
    shown = asked | {chosen(conditional["NotificationsAlarmArn"], NOTIFIED)["Fn::GetAtt"].removesuffix(".Arn")}
    assert ALARMS.keys() <= shown
    assert chosen(conditional["NotificationsAlarmArn"], DEFAULTS) == {"Fn::GetAtt": "EventsNotSentAlarm.Arn"}
    places = {(widget["x"], widget["y"]) for widget in widgets}
    assert len(places) == len(widgets)


# ---------------------------------------------------------------- functions


def test_every_function_has_a_folder_and_every_folder_a_function():
    folders = {app.parent.name for app in (ROOT / "functions").glob("*/app.py")}
    assert {verb(name) for name in FUNCTIONS} == folders


@each_function
def test_the_handler_exists(name):
    module, _, function = FUNCTIONS[name]["Handler"].rpartition(".")
    assert module == f"{verb(name)}.app"
    assert callable(getattr(importlib.import_module(module), function))


@each_function
def test_every_function_has_an_event_to_try_it_with(name):
    assert json.loads((ROOT / "tests" / "events" / f"{verb(name)}.json").read_text())


def test_every_event_is_for_a_function():
    names = tuple(verb(name) for name in FUNCTIONS)
    events = {file.stem for file in (ROOT / "tests" / "events").iterdir()} - {"env"}
    assert [event for event in events if not event.startswith(names)] == []


@each_function
def test_a_function_declares_just_the_variables_that_it_reads(name):
    declared = FUNCTIONS[name].get("Environment", {}).get("Variables", {}).keys()
    assert declared == read_by(verb(name)) - GLOBALS["Environment"]["Variables"].keys()


def test_the_variables_of_all_functions_are_read():
    read = set().union(*(read_by(verb(name)) for name in FUNCTIONS))
    # These are read by boto3, by Powertools and by onnxruntime.
    by_libraries = {"AWS_ENDPOINT_URL", "POWERTOOLS_LOG_LEVEL", "ORT_DISABLE_TELEMETRY"}
    assert GLOBALS["Environment"]["Variables"].keys() - by_libraries <= read


def test_no_function_sends_telemetry():
    assert GLOBALS["Environment"]["Variables"]["ORT_DISABLE_TELEMETRY"] == "1"


def test_the_environment_is_read_in_one_place():
    readers = [path for path in (ROOT / "functions").rglob("*.py") if "environ" in path.read_text()]
    ours = {path.relative_to(ROOT / "functions").as_posix() for path in readers}
    # Lambda itself states the memory, and thereby the number of processors.
    assert ours == {"faceblur/config.py", "faceblur/detectors/embedded/network.py"}


def read_by(folder: str) -> set[str]:
    """The environment variables that a function and the modules that it imports read through config."""
    settings = {
        function.name: variable
        for function in parsed(ROOT / "functions/faceblur/config.py").body
        if isinstance(function, ast.FunctionDef)
        for variable in re.findall(r"environ\['(\w+)'\]", ast.unparse(function))
    }
    calls = set().union(*map(calls_of_config, imported_by(ROOT / "functions" / folder / "app.py")))
    assert calls <= settings.keys()
    return {settings[call] for call in calls}


@cache
def calls_of_config(module: Path) -> set[str]:
    """The functions of config that a module calls."""
    return set(re.findall(r"config\.(\w+)\(\)", ast.unparse(parsed(module))))


def imported_by(start: Path) -> set[Path]:
    """A module of functions/ and all our own modules that it imports, directly or indirectly."""
    found, left = set(), {start}
    while left:
        module = left.pop()
        found.add(module)
        left |= imports(module) - found
    return found


@cache
def imports(module: Path) -> set[Path]:
    """The modules of functions/ that this one imports."""
    imported: set[Path] = set()
    for node in ast.walk(parsed(module)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            path = ROOT / "functions" / name.replace(".", "/")
            imported |= {file for file in (path.with_suffix(".py"), path / "__init__.py") if file.exists()}
    return imported


@cache
def parsed(module: Path) -> ast.Module:
    """A module without the imports that only the type checker needs."""

    class Running(ast.NodeTransformer):
        def visit_If(self, node: ast.If) -> ast.AST | None:
            return None if ast.unparse(node.test) == "TYPE_CHECKING" else self.generic_visit(node)

    return Running().visit(ast.parse(module.read_text()))


# ---------------------------------------------------------------- the detectors


# For each detector, the layers of detect and whether it may call Rekognition.
DETECTORS = {
    "rekognition": ([], True),
    "embedded": ([{"Ref": "OnnxLayer"}], False),
    "both": ([{"Ref": "OnnxLayer"}], True),
}


def test_the_parameter_offers_these_detectors():
    assert set(template()["Parameters"]["FaceDetector"]["AllowedValues"]) == DETECTORS.keys()


@pytest.mark.parametrize("detector", DETECTORS)
def test_every_detector_has_what_it_needs_and_no_more(detector):
    parameters = {"FaceDetector": detector}
    function = FUNCTIONS["DetectFunction"]
    allowed = [chosen(each, parameters) for policy in function["Policies"] for each in policy["Statement"]]
    actions = {action for each in allowed if each for action in as_list(each["Action"])}
    may_ask = {"rekognition:DetectFaces", "rekognition:DetectText"} & actions
    layers, asks = DETECTORS[detector]
    assert (chosen(function["Layers"], parameters), len(may_ask)) == (layers, 2 if asks else 0)


# MB: the most that a new account may give a function, and what decoding a photo of 100 megapixels needs.
MOST_MEMORY, MEMORY_TO_DECODE = 3008, 2048


@pytest.mark.parametrize("detector", DETECTORS)
def test_the_embedded_networks_get_the_most_memory_that_a_new_account_has(detector):
    memory = chosen(FUNCTIONS["DetectFunction"]["MemorySize"], {"FaceDetector": detector})
    assert memory == (MEMORY_TO_DECODE if detector == "rekognition" else MOST_MEMORY)


@pytest.mark.parametrize("detector", DETECTORS)
@each_function
def test_a_new_account_can_deploy_every_function(name, detector):
    memory = chosen(FUNCTIONS[name].get("MemorySize", GLOBALS["MemorySize"]), {"FaceDetector": detector})
    assert 128 <= memory <= MOST_MEMORY


RUNTIMES = template()["Parameters"]["PythonRuntime"]["AllowedValues"]


def refused(parameters: dict[str, str]) -> list[str]:
    """The reasons for which CloudFormation refuses these parameters: the assertions that they break."""
    return [
        assertion["AssertDescription"]
        for rule in template()["Rules"].values()
        if holds(rule["RuleCondition"], DEFAULTS | parameters)
        for assertion in rule["Assertions"]
        if not holds(assertion["Assert"], DEFAULTS | parameters)
    ]


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("detector", DETECTORS)
def test_the_embedded_networks_are_refused_where_their_library_does_not_load(detector, runtime):
    broken = refused({"FaceDetector": detector, "PythonRuntime": runtime})
    if detector != "rekognition" and runtime == "python3.11":
        (reason,) = broken
        assert "python3.12" in reason
    else:
        assert broken == []


def test_the_runtime_of_the_rule_is_one_of_the_parameter():
    assert "python3.11" in RUNTIMES


OWN = {"SourceBucket": "our-photos", "TargetBucket": "our-hidden-photos"}


def test_a_source_needs_a_target_in_another_bucket():
    assert refused(OWN) == refused({"TargetBucket": "our-hidden-photos"}) == []
    assert len(refused(OWN | {"TargetBucket": ""})) == 1
    (reason,) = refused(OWN | {"TargetBucket": "our-photos"})
    assert "another bucket" in reason


def test_without_buckets_of_ones_own_there_are_no_resources_and_no_rights_for_them():
    conditional = [name for name, each in RESOURCES.items() if each.get("Condition") in {"HasSource", "HasTarget"}]
    assert conditional == ["PhotoLanded", "PhotoLandedRole"]
    for name in (*FUNCTIONS, *MACHINES):
        given = [chosen(each, DEFAULTS) for policy in policies(name) for each in policy["Statement"]]
        assert not {"SourceBucket", "TargetBucket"} & set(re.findall(r"\w+", json.dumps(given))), name


def test_nothing_may_write_the_source():
    for name in (*FUNCTIONS, *MACHINES):
        for statement in statements(name):
            if "SourceBucket" in json.dumps(statement["Resource"]):
                assert set(as_list(statement["Action"])) <= {"s3:GetObject", "s3:ListBucket"}


def test_a_photo_that_lands_in_the_source_is_hidden_by_the_machine_of_the_batches():
    rule = RESOURCES["PhotoLanded"]["Properties"]
    assert rule["EventPattern"]["detail"] == {
        "bucket": {"name": [{"Ref": "SourceBucket"}]},
        "object": {"key": [{"prefix": {"Ref": "SourcePrefix"}}]},
    }
    (target,) = rule["Targets"]
    assert target["Arn"] == {"Ref": "HidePhotoStateMachine"}
    assert "Input" not in json.dumps(target)  # the machine reads the event as it is


def test_a_copy_reports_no_upload():
    """Otherwise the photo of a batch would be started twice."""
    (queue,) = RESOURCES["PhotoBucket"]["Properties"]["NotificationConfiguration"]["QueueConfigurations"]
    assert queue["Event"] == "s3:ObjectCreated:Post"


def test_the_defaults_are_not_refused():
    assert refused(DEFAULTS) == []


def test_the_layer_is_there_only_where_it_is_used():
    assert RESOURCES["OnnxLayer"]["Condition"] == FUNCTIONS["DetectFunction"]["Layers"]["Fn::If"][0]


def test_the_layer_is_for_detect_alone():
    assert [name for name, function in FUNCTIONS.items() if "Layers" in function] == ["DetectFunction"]
    assert "Layers" not in GLOBALS


def test_every_detector_is_known_to_the_functions():
    # This needs neither the layer nor the service: a detector uses them with its first photo.
    for name in DETECTORS:
        assert callable(detector_named(name, Paid(), ()).detect)


# ---------------------------------------------------------------- policies

TABLE = "JobsTable.Arn"
BUCKET = "PhotoBucket.Arn"
UPLOADS = "${PhotoBucket.Arn}/uploads/*"
BOXES = "${PhotoBucket.Arn}/boxes/*"
PREVIEWS = "${PhotoBucket.Arn}/previews/*"
RESULTS = "${PhotoBucket.Arn}/results/*"
RECEIPTS = "${PhotoBucket.Arn}/receipts/*"
EXECUTIONS = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:${BlurImageStateMachine.Name}:*"
_STATES = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}"
PHOTO_EXECUTIONS = f"{_STATES}:execution:${{HidePhotoStateMachine.Name}}:*"
BATCH_MACHINE = f"{_STATES}:stateMachine:hide-batch-${{Id}}"
BATCH_EXECUTIONS = f"{_STATES}:execution:hide-batch-${{Id}}:*"
# A map of the machine runs as executions of the machine, whose names have that of the map.
MAP_CHILDREN = f"{_STATES}:execution:hide-batch-${{Id}}/*"
MAP_RUNS = f"{_STATES}:mapRun:hide-batch-${{Id}}/*"
BATCHES = "${PhotoBucket.Arn}/batches/*"
BATCH_UPLOADS, LINES, REPORTS, MAP_RESULTS = (
    f"{BATCHES}/in/*",
    f"{BATCHES}/lines/*",
    f"{BATCHES}/report.*",
    f"{BATCHES}/map/*",
)
SOURCE_BUCKET = "arn:${AWS::Partition}:s3:::${SourceBucket}"
SOURCE_OBJECTS = "arn:${AWS::Partition}:s3:::${SourceBucket}/${SourcePrefix}*"
TARGET_OBJECTS = "arn:${AWS::Partition}:s3:::${TargetBucket}/${TargetPrefix}*"
TOLD = {"events:PutEvents": {"arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/${EventBusName}"}}
WAITING_RULE = (
    "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}"
    ":rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"
)
WAITS_FOR_EXECUTIONS = {f"events:{action}": {WAITING_RULE} for action in ("PutTargets", "PutRule", "DescribeRule")}
TRACES = {
    f"xray:{action}": {"*"}
    for action in ("PutTraceSegments", "PutTelemetryRecords", "GetSamplingRules", "GetSamplingTargets")
}

# Everything that each role may do, except writing its logs and traces.
MAY = {
    "AuthorizeFunction": {},
    "CreateJobFunction": {
        "dynamodb:GetItem": {TABLE},
        "dynamodb:PutItem": {TABLE},
        "dynamodb:UpdateItem": {TABLE},
        "s3:PutObject": {UPLOADS, BOXES},
    },
    "GetJobFunction": {
        **TOLD,
        "dynamodb:GetItem": {TABLE},
        "dynamodb:UpdateItem": {TABLE},
        "s3:GetObject": {BOXES, PREVIEWS, RESULTS, RECEIPTS},
        "s3:ListBucket": {BUCKET},
    },
    "ReviewJobFunction": {
        "dynamodb:GetItem": {TABLE},
        "dynamodb:UpdateItem": {TABLE},
        "s3:DeleteObject": {BOXES},
        "s3:GetObject": {BOXES},
        "s3:ListBucket": {BUCKET},
        "s3:PutObject": {BOXES},
        "states:SendTaskSuccess": {"BlurImageStateMachine"},
    },
    "RedoJobFunction": {
        "dynamodb:GetItem": {TABLE},
        "dynamodb:UpdateItem": {TABLE},
        "s3:DeleteObject": {BOXES},
        "s3:GetObject": {BOXES},
        "s3:ListBucket": {BUCKET},
        "s3:PutObject": {BOXES},
        "states:StartExecution": {"BlurImageStateMachine"},
    },
    "DeleteJobFunction": {
        "dynamodb:DeleteItem": {TABLE},
        "s3:DeleteObject": {UPLOADS, BOXES, PREVIEWS, RESULTS, RECEIPTS},
        "s3:ListBucket": {BUCKET},
        "states:StopExecution": {EXECUTIONS},
    },
    "StartWorkflowFunction": {
        **TOLD,
        "dynamodb:GetItem": {TABLE},
        "dynamodb:UpdateItem": {TABLE},
        "s3:DeleteObject": {UPLOADS},
        "states:StartExecution": {"BlurImageStateMachine"},
    },
    "DetectFunction": {
        "dynamodb:GetItem": {TABLE},
        "dynamodb:UpdateItem": {TABLE},
        "rekognition:DetectFaces": {"*"},
        "rekognition:DetectText": {"*"},
        "s3:DeleteObject": {BOXES},
        "s3:GetObject": {UPLOADS, BOXES, RESULTS},
        "s3:ListBucket": {BUCKET},
        "s3:PutObject": {BOXES},
    },
    "HideFunction": {
        "dynamodb:GetItem": {TABLE},
        "dynamodb:UpdateItem": {TABLE},
        "s3:DeleteObject": {RESULTS},
        "s3:GetObject": {UPLOADS, BOXES},
        "s3:ListBucket": {BUCKET},
        "s3:PutObject": {RESULTS},
    },
    "DrawPreviewFunction": {
        "dynamodb:GetItem": {TABLE},
        "dynamodb:UpdateItem": {TABLE},
        "s3:DeleteObject": {PREVIEWS},
        "s3:GetObject": {UPLOADS},
        "s3:ListBucket": {BUCKET},
        "s3:PutObject": {PREVIEWS},
    },
    "CompleteJobFunction": {
        **TOLD,
        "dynamodb:GetItem": {TABLE},
        "dynamodb:UpdateItem": {TABLE},
        "s3:DeleteObject": {UPLOADS, BOXES, PREVIEWS, RESULTS, RECEIPTS},
        "s3:GetObject": {BOXES, RESULTS},
        "s3:ListBucket": {BUCKET},
        "s3:PutObject": {RECEIPTS},
    },
    "FailJobFunction": {
        **TOLD,
        "dynamodb:GetItem": {TABLE},
        "dynamodb:UpdateItem": {TABLE},
        "s3:DeleteObject": {UPLOADS, BOXES, PREVIEWS, RESULTS, RECEIPTS},
        "s3:ListBucket": {BUCKET},
    },
    "FailUploadFunction": {
        **TOLD,
        "dynamodb:GetItem": {TABLE},
        "dynamodb:UpdateItem": {TABLE},
        "s3:DeleteObject": {UPLOADS},
    },
    "SweepPhotosFunction": {
        "dynamodb:DeleteItem": {TABLE},
        "dynamodb:GetItem": {TABLE},
        "s3:DeleteObject": {"${PhotoBucket.Arn}/*"},
        "s3:GetObject": {LINES},
        "s3:ListBucket": {BUCKET},
    },
    "CreateBatchFunction": {
        "dynamodb:GetItem": {TABLE},
        "dynamodb:PutItem": {TABLE},
        "dynamodb:UpdateItem": {TABLE},
        "s3:PutObject": {BATCH_UPLOADS},
        "states:StartExecution": {"HideBatchStateMachine"},
    },
    "GetBatchFunction": {
        **TOLD,
        "dynamodb:GetItem": {TABLE},
        "dynamodb:UpdateItem": {TABLE},
        "s3:GetObject": {LINES, REPORTS},
        "s3:ListBucket": {BUCKET},
        "states:DescribeExecution": {BATCH_EXECUTIONS},
        "states:DescribeMapRun": {MAP_RUNS},
        "states:ListMapRuns": {BATCH_EXECUTIONS},
    },
    "DeleteBatchFunction": {
        "dynamodb:DeleteItem": {TABLE},
        "dynamodb:GetItem": {TABLE},
        "s3:DeleteObject": {UPLOADS, BOXES, PREVIEWS, RESULTS, RECEIPTS, BATCHES},
        "s3:GetObject": {LINES},
        "s3:ListBucket": {BUCKET},
        "states:StopExecution": {BATCH_EXECUTIONS},
    },
    "PreparePhotoFunction": {
        "dynamodb:DeleteItem": {TABLE},
        "dynamodb:GetItem": {TABLE},
        "dynamodb:PutItem": {TABLE},
        "dynamodb:UpdateItem": {TABLE},
        "s3:DeleteObject": {UPLOADS, BOXES, PREVIEWS, RESULTS, RECEIPTS},
        "s3:GetObject": {BATCH_UPLOADS, LINES, SOURCE_OBJECTS},
        "s3:ListBucket": {BUCKET, SOURCE_BUCKET},
        "s3:PutObject": {UPLOADS, LINES},
    },
    "DeliverPhotoFunction": {
        **TOLD,
        "dynamodb:DeleteItem": {TABLE},
        "dynamodb:GetItem": {TABLE},
        "dynamodb:UpdateItem": {TABLE},
        "s3:DeleteObject": {UPLOADS, BOXES, PREVIEWS, RESULTS, RECEIPTS, BATCHES},
        "s3:GetObject": {RESULTS, RECEIPTS, LINES},
        "s3:ListBucket": {BUCKET},
        "s3:PutObject": {LINES, TARGET_OBJECTS},
        "states:StopExecution": {BATCH_EXECUTIONS},
    },
    "WriteReportFunction": {
        **TOLD,
        "dynamodb:GetItem": {TABLE},
        "dynamodb:UpdateItem": {TABLE},
        "s3:DeleteObject": {BATCHES},
        "s3:GetObject": {LINES},
        "s3:ListBucket": {BUCKET},
        "s3:PutObject": {REPORTS},
        "states:DescribeExecution": {BATCH_EXECUTIONS},
        "states:DescribeMapRun": {MAP_RUNS},
        "states:ListMapRuns": {BATCH_EXECUTIONS},
    },
    "SendWebhookFunction": {
        "sqs:ChangeMessageVisibility": {"WebhookQueue.Arn"},
        "ssm:GetParameter": {
            "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter${WebhookSecretName}"
        },
    },
    "HideBatchStateMachine": {
        "lambda:InvokeFunction": {"WriteReportFunction.Arn"},
        "s3:AbortMultipartUpload": {MAP_RESULTS},
        "s3:GetObject": {MAP_RESULTS, SOURCE_OBJECTS},
        "s3:ListBucket": {BUCKET, SOURCE_BUCKET},
        "s3:ListMultipartUploadParts": {MAP_RESULTS},
        "s3:PutObject": {MAP_RESULTS},
        "states:DescribeExecution": {MAP_CHILDREN, PHOTO_EXECUTIONS},
        "states:StartExecution": {BATCH_MACHINE, "HidePhotoStateMachine"},
        "states:StopExecution": {MAP_CHILDREN, PHOTO_EXECUTIONS},
        **WAITS_FOR_EXECUTIONS,
        **TRACES,
    },
    "HidePhotoStateMachine": {
        "lambda:InvokeFunction": {"PreparePhotoFunction.Arn", "DeliverPhotoFunction.Arn"},
        "states:DescribeExecution": {EXECUTIONS},
        "states:StartExecution": {"BlurImageStateMachine"},
        "states:StopExecution": {EXECUTIONS},
        **WAITS_FOR_EXECUTIONS,
        **TRACES,
    },
    "BlurImageStateMachine": {
        "dynamodb:UpdateItem": {TABLE},
        "lambda:InvokeFunction": {
            "DetectFunction.Arn",
            "HideFunction.Arn",
            "DrawPreviewFunction.Arn",
            "CompleteJobFunction.Arn",
        },
        "s3:DeleteObject": {UPLOADS},
        **TRACES,
    },
}

# The folders that each function may list; None for all. A function that reads photos or boxes may list all: only then
# does S3 answer 404 for a missing object instead of 403. The sweep lists everything.
MAY_LIST = {
    "DetectFunction": None,
    "HideFunction": None,
    "DrawPreviewFunction": None,
    "GetJobFunction": None,
    "ReviewJobFunction": None,
    "RedoJobFunction": None,
    "DeleteJobFunction": ["boxes/*", "previews/*", "results/*", "receipts/*"],
    "FailJobFunction": ["boxes/*", "previews/*", "results/*", "receipts/*"],
    "CompleteJobFunction": None,
    "SweepPhotosFunction": None,
    "GetBatchFunction": ["batches/*"],
    "DeleteBatchFunction": ["boxes/*", "previews/*", "results/*", "receipts/*", "batches/*"],
    "PreparePhotoFunction": None,
    "DeliverPhotoFunction": ["boxes/*", "previews/*", "results/*", "receipts/*", "batches/*"],
    "WriteReportFunction": ["batches/*"],
    # Of the photos' bucket. It may list all of the customer's source.
    "HideBatchStateMachine": ["batches/*"],
}


def statements(name: str) -> list[dict[str, Any]]:
    """The statements of a role's policies, including conditional ones."""
    found = []
    for policy in policies(name):
        for statement in policy["Statement"]:
            branches = statement["Fn::If"][1:] if "Fn::If" in statement else [statement]
            found += [branch for branch in branches if branch != {"Ref": "AWS::NoValue"}]
    return found


def named(resource: Any) -> str:
    """A resource of a policy as text; in the cloud, if it depends on that."""
    resource = chosen(resource, {})
    if isinstance(resource, dict):
        resource = next(iter(resource.values()))
    return resource[0] if isinstance(resource, list) else resource


def test_each_role_may_do_this_and_nothing_else():
    may: dict[str, dict[str, set[str]]] = {}
    for name in (*FUNCTIONS, *MACHINES):
        may[name] = {}
        for statement in statements(name):
            assert statement["Effect"] == "Allow"
            if as_list(statement["Resource"]) == [KEY]:
                continue  # tested above
            for action in as_list(statement["Action"]):
                may[name].setdefault(action, set()).update(map(named, as_list(statement["Resource"])))
    assert may == MAY


def test_as_few_functions_as_possible_read_originals_and_write_receipts():
    def functions_with(action: str, what: str) -> set[str]:
        return {name for name, may in MAY.items() if what in may.get(action, ())}

    assert functions_with("s3:GetObject", UPLOADS) == {
        "DetectFunction",
        "HideFunction",
        "DrawPreviewFunction",
    }
    assert functions_with("s3:GetObject", PREVIEWS) == {"GetJobFunction"}
    assert functions_with("s3:GetObject", RECEIPTS) == {"GetJobFunction", "DeliverPhotoFunction"}
    assert functions_with("s3:PutObject", RECEIPTS) == {"CompleteJobFunction"}
    assert functions_with("s3:PutObject", RESULTS) == {"HideFunction"}
    decisions = {"ReviewJobFunction", "RedoJobFunction"}
    assert functions_with("s3:PutObject", BOXES) == {"CreateJobFunction", "DetectFunction", *decisions}
    readers = {"DetectFunction", "HideFunction", "CompleteJobFunction", "GetJobFunction"}
    assert functions_with("s3:GetObject", BOXES) == readers | decisions


def test_listing_is_narrowed_to_folders():
    folders = {
        name: statement["Condition"]["StringLike"]["s3:prefix"] if "Condition" in statement else None
        for name in (*FUNCTIONS, *MACHINES)
        for statement in statements(name)
        if "s3:ListBucket" in as_list(statement["Action"]) and named(statement["Resource"]) == BUCKET
    }
    assert folders == MAY_LIST


def test_every_statement_has_an_id_that_says_what_it_permits():
    sids = [statement.get("Sid", "") for name in (*FUNCTIONS, *MACHINES) for statement in statements(name)]
    assert all(re.fullmatch(r"([A-Z][a-z]*){2,}", sid) for sid in sids)


def policy_documents() -> Iterator[dict[str, Any]]:
    def below(node: Any) -> Iterator[dict[str, Any]]:
        if isinstance(node, dict):
            if "Effect" in node:
                yield node
            for value in node.values():
                yield from below(value)
        elif isinstance(node, list):
            for value in node:
                yield from below(value)

    return below(RESOURCES)


def test_no_statement_permits_every_action_or_every_resource():
    without_resources = ("rekognition:DetectFaces", "rekognition:DetectText", "xray:")
    allowed = [statement for statement in policy_documents() if statement["Effect"] == "Allow"]
    assert len(allowed) > len(FUNCTIONS)
    for statement in allowed:
        actions = as_list(statement["Action"])
        assert not [action for action in actions if "*" in action], statement
        # A role says in its own policy who may take it.
        if "*" in as_list(statement.get("Resource", [])):
            assert all(action.startswith(without_resources) for action in actions), statement


@each_function
def test_every_function_has_a_role_of_its_own_with_written_policies(name):
    assert "Role" not in FUNCTIONS[name]
    assert all("Statement" in policy for policy in policies(name))
