"""What the template and the state machine promise, read from the sources."""

from __future__ import annotations

import ast
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from faceblur import config, errors, observability
from faceblur.detectors.registry import detector_named
from faceblur.detectors.warnings import WarningCode
from faceblur.jobs.table import STAGES
from faceblur.options import JobOptions
from tests.support.sources import ROOT, TEMPLATE, state_machine, template

if TYPE_CHECKING:
    from collections.abc import Iterator

RESOURCES = template()["Resources"]
GLOBALS = template()["Globals"]["Function"]
STATES = state_machine()["States"]
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    """Properties of the resources of a type, by name."""
    return {name: each["Properties"] for name, each in RESOURCES.items() if each["Type"] == kind}


FUNCTIONS = of_type("AWS::Serverless::Function")
MACHINES = of_type("AWS::Serverless::StateMachine")
each_function = pytest.mark.parametrize("name", FUNCTIONS)
each_task = pytest.mark.parametrize("name", TASKS)


def verb(function: str) -> str:
    """The folder of a function: DetectFacesFunction → detect_faces."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", function.removesuffix("Function")).lower()


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def holds(condition: Any, parameters: dict[str, str]) -> bool:
    """Whether a condition of the template holds for these parameters."""
    ((function, arguments),) = condition.items()
    if function == "Fn::Not":
        return not holds(arguments[0], parameters)
    assert function == "Fn::Equals"
    left, right = (parameters[side["Ref"]] if isinstance(side, dict) else str(side) for side in arguments)
    return bool(left == right)


DEFAULTS = {name: str(each["Default"]) for name, each in template()["Parameters"].items()}


def chosen(node: Any, parameters: dict[str, str]) -> Any:
    """What an `!If` comes to for these parameters and the defaults of the others; None for no value."""
    if not (isinstance(node, dict) and "Fn::If" in node):
        return None if node == {"Ref": "AWS::NoValue"} else node
    name, then, otherwise = node["Fn::If"]
    condition = template()["Conditions"][name]
    return chosen(then if holds(condition, DEFAULTS | parameters) else otherwise, parameters)


def timeout(function: str) -> int:
    return FUNCTIONS[function].get("Timeout", GLOBALS["Timeout"])


# ---------------------------------------------------------------- the template as a whole


def test_cfn_lint_finds_nothing():
    lint = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), TEMPLATE], capture_output=True, text=True, check=False
    )
    assert (lint.returncode, lint.stdout) == (0, "")


@pytest.mark.parametrize("section", ["Parameters", "Outputs"])
def test_everything_for_people_is_described(section):
    assert all(re.fullmatch(r"\S.{10,}\.", each["Description"]) for each in template()[section].values())


@pytest.mark.parametrize("name", [*FUNCTIONS, *of_type("AWS::Serverless::LayerVersion")])
def test_every_function_and_layer_is_described(name):
    assert RESOURCES[name]["Properties"]["Description"].endswith(".")


def test_every_parameter_has_bounds_and_a_default():
    bounds = {"AllowedValues", "AllowedPattern", "MinValue"}
    assert all("Default" in each and bounds & each.keys() for each in template()["Parameters"].values())


def test_the_form_is_valid_for_five_minutes_at_most():
    seconds = template()["Parameters"]["UploadSeconds"]
    assert (seconds["Default"], seconds["MaxValue"]) == (300, 300)


def test_every_parameter_is_used():
    text = json.dumps({name: section for name, section in template().items() if name != "Parameters"})
    for name in template()["Parameters"]:
        assert f'{{"Ref": "{name}"}}' in text or f"${{{name}}}" in text, name


def test_there_is_an_output_for_all_that_the_command_asks_of_a_stack():
    sources = "".join(path.read_text() for path in (ROOT / "cli").rglob("*.py"))
    asked = set(re.findall(r'outputs\["(\w+)"\]', sources))
    assert {"ApiUrl", "StateMachineArn", "EndingsQueueUrl"} <= asked <= template()["Outputs"].keys()


def test_the_output_names_the_queue_to_which_ends_are_told():
    assert template()["Outputs"]["EndingsQueueUrl"]["Value"] == {"Ref": "EndingsQueue"}
    (event,) = FUNCTIONS["UpdateJobFunction"]["Events"].values()
    assert event["Properties"] == {
        "Queue": {"Fn::GetAtt": "EndingsQueue.Arn"},
        "BatchSize": 1,
        "ScalingConfig": {"MaximumConcurrency": 5},
    }


def test_a_day_has_a_quota_unless_it_is_turned_off():
    quota = template()["Parameters"]["JobsADay"]
    assert (quota["Default"], quota["MinValue"]) == (10_000, 0)


def test_no_output_has_the_name_of_a_parameter():
    """Sam takes such a name for the parameter's value."""
    assert not template()["Outputs"].keys() & template()["Parameters"].keys()


def test_every_method_of_the_api_is_throttled():
    (settings,) = RESOURCES["Api"]["Properties"]["MethodSettings"]
    assert settings == {
        "HttpMethod": "*",
        "ResourcePath": "/*",
        "ThrottlingRateLimit": {"Ref": "RequestsASecond"},
        "ThrottlingBurstLimit": 100,
    }


def test_every_log_group_forgets():
    groups = of_type("AWS::Logs::LogGroup")
    assert len(groups) == 2
    assert all(group["RetentionInDays"] == {"Ref": "LogRetentionDays"} for group in groups.values())


def test_everything_is_traced_and_logged():
    assert GLOBALS["Tracing"] == "Active"
    assert GLOBALS["LoggingConfig"] == {"LogGroup": {"Ref": "FunctionsLogGroup"}}
    assert RESOURCES["Api"]["Properties"]["TracingEnabled"] is True
    (machine,) = MACHINES.values()
    assert machine["Tracing"] == {"Enabled": True}
    assert (machine["Logging"]["Level"], machine["Logging"]["IncludeExecutionData"]) == ("ALL", False)


# ---------------------------------------------------------------- storage


def test_what_is_deleted_from_the_bucket_is_gone():
    assert "VersioningConfiguration" not in RESOURCES["PhotoBucket"]["Properties"]


def test_nothing_in_the_bucket_is_public():
    bucket = RESOURCES["PhotoBucket"]["Properties"]
    assert bucket["PublicAccessBlockConfiguration"] == dict.fromkeys(
        ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"], True
    )
    (statement,) = RESOURCES["PhotoBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": False}})


def test_everything_in_the_bucket_is_swept_away_by_a_role_that_can_do_no_more():
    assert set(MAY["SweepPhotosFunction"]) == {"s3:DeleteObject", "s3:ListBucket"}


def test_everything_in_the_bucket_goes_after_a_day():
    (rule,) = RESOURCES["PhotoBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", 1)
    assert "Prefix" not in rule
    assert rule["ExpirationInDays"] * 24 * 60 * 60 == config.JOB_LIFETIME_SECONDS


def test_jobs_expire_by_the_attribute_that_they_are_given():
    ttl = RESOURCES["JobsTable"]["Properties"]["TimeToLiveSpecification"]
    assert ttl == {"AttributeName": "expires_at", "Enabled": True}


# ---------------------------------------------------------------- queues


def test_a_message_is_hidden_for_six_times_as_long_as_its_function_may_take():
    assert RESOURCES["UploadQueue"]["Properties"]["VisibilityTimeout"] == 6 * timeout("StartWorkflowFunction")
    assert RESOURCES["EndingsQueue"]["Properties"]["VisibilityTimeout"] == 6 * timeout("UpdateJobFunction")


def test_a_photo_that_cannot_be_delivered_is_an_ending_and_an_ending_that_cannot_be_recorded_is_kept():
    def redrive(queue: str) -> tuple[str, int]:
        policy = RESOURCES[queue]["Properties"]["RedrivePolicy"]
        return policy["deadLetterTargetArn"]["Fn::GetAtt"], policy["maxReceiveCount"]

    assert redrive("UploadQueue") == ("EndingsQueue.Arn", 3)
    assert redrive("EndingsQueue") == ("EndingsDlq.Arn", 5)
    two_weeks = 14 * 24 * 60 * 60
    assert RESOURCES["EndingsDlq"]["Properties"]["MessageRetentionPeriod"] == two_weeks


def test_only_the_messages_that_failed_are_delivered_again():
    arrived = FUNCTIONS["StartWorkflowFunction"]["Events"]["PhotoArrived"]["Properties"]
    assert arrived["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_every_end_without_a_result_is_heard_of():
    rule = RESOURCES["ExecutionEnded"]["Properties"]
    assert rule["EventPattern"]["detail"] == {
        "status": ["FAILED", "TIMED_OUT", "ABORTED"],
        "stateMachineArn": [{"Ref": "BlurImageStateMachine"}],
    }
    assert [target["Arn"] for target in rule["Targets"]] == [{"Fn::GetAtt": "EndingsQueue.Arn"}]


@pytest.mark.parametrize(
    ("policy", "service", "source"),
    [("UploadQueuePolicy", "s3.amazonaws.com", "PhotoBucket"), ("EndingsQueuePolicy", "events.amazonaws.com", "rule")],
)
def test_only_its_own_source_may_send_to_a_queue(policy, service, source):
    (statement,) = RESOURCES[policy]["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Principal"], statement["Action"]) == ({"Service": service}, "sqs:SendMessage")
    arn = named(statement["Condition"]["ArnEquals"]["aws:SourceArn"])
    # The bucket is named rather than referred to, since it comes after its queue.
    expected = RESOURCES["PhotoBucket"]["Properties"]["BucketName"]["Fn::Sub"]
    assert arn.removeprefix("arn:${AWS::Partition}:s3:::") == (expected if source == "PhotoBucket" else EXECUTION_ENDED)


# ---------------------------------------------------------------- a key of one's own


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
    """A role's policies; one that may only write its log and its traces has none."""
    return RESOURCES[name]["Properties"].get("Policies", [])


def granted(name: str, parameters: dict[str, str]) -> set[str]:
    """What a role may do with these parameters."""
    given = [chosen(statement, parameters) for policy in policies(name) for statement in policy["Statement"]]
    return {action for statement in given if statement for action in as_list(statement["Action"])}


def test_a_key_of_ones_own_may_be_used_only_where_there_is_one_and_only_by_those_that_need_it():
    for name in (*FUNCTIONS, *MACHINES):
        without, with_it = granted(name, WITHOUT), granted(name, WITH_A_KEY)
        # Tables, queues and objects are read with Decrypt; storing an object asks for a key to do so.
        reads = any(action.startswith("dynamodb:") for action in without)
        writes = "s3:PutObject" in without
        expected = {"kms:Decrypt"} if reads else set()
        assert with_it - without == expected | ({"kms:GenerateDataKey"} if writes else set()), name


@pytest.mark.parametrize(
    ("parameter", "arn", "other"),
    [
        ("KmsKeyArn", WITH_A_KEY["KmsKeyArn"], "arn:aws:kms:eu-central-1:123456789012:alias/photos"),
        ("AlarmTopicArn", "arn:aws:sns:eu-central-1:123456789012:on-call", "on-call@example.org"),
    ],
)
def test_an_arn_is_one_or_nothing(parameter, arn, other):
    pattern = template()["Parameters"][parameter]["AllowedPattern"]
    assert [bool(re.fullmatch(pattern, text)) for text in ("", arn, other)] == [True, True, False]


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
def test_the_authorizer_is_asked_before_every_method_if_there_is_an_issuer(path, method):
    security = described_api()["paths"][path][method]["security"]
    assert chosen(security, OPEN) == []
    assert chosen(security, WITH_SIGN_IN) == [{"SignIn": []}]


def test_the_authorizer_is_there_if_there_is_an_issuer():
    schemes = described_api()["securityDefinitions"]
    assert chosen(schemes, OPEN) is None
    (scheme,) = chosen(schemes, WITH_SIGN_IN).values()
    assert (scheme["in"], scheme["name"]) == ("header", "Authorization")
    assert "${AuthorizeFunction.Arn}" in scheme["x-amazon-apigateway-authorizer"]["authorizerUri"]["Fn::Sub"]
    conditional = [name for name in RESOURCES if RESOURCES[name].get("Condition") == "SignsIn"]
    assert conditional == ["AuthorizeFunction", "ApiMayAuthorize"]


def test_a_token_is_not_taken_for_long_after_it_expired():
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
def test_only_what_looks_like_a_token_is_looked_at(header, asked):
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
def test_an_issuer_is_reached_by_tls_or_on_this_machine(issuer, taken):
    assert bool(re.fullmatch(template()["Parameters"]["OidcIssuer"]["AllowedPattern"], issuer)) == taken


def test_an_issuer_without_an_audience_is_refused():
    assert refused(WITH_SIGN_IN) == []
    (reason,) = refused(WITH_SIGN_IN | {"OidcAudience": ""})
    assert "OidcAudience" in reason


def test_all_who_answer_know_whether_one_must_be_signed_in():
    for name in ("CreateJobFunction", "GetJobFunction", "DeleteJobFunction"):
        assert FUNCTIONS[name]["Environment"]["Variables"]["OIDC_ISSUER"] == {"Ref": "OidcIssuer"}


def test_other_values_of_parameters_reach_the_stage_that_serves_the_api():
    assert RESOURCES["Api"]["Properties"]["AlwaysDeploy"] is True


def test_what_the_api_gateway_says_to_strangers_is_what_the_functions_say():
    answer = RESOURCES["Api"]["Properties"]["GatewayResponses"]["UNAUTHORIZED"]
    body = json.loads(answer["ResponseTemplates"]["application/json"])
    assert body == {"code": errors.NotSignedIn().code, "message": errors.NotSignedIn().message}
    assert answer["ResponseParameters"]["Headers"]["WWW-Authenticate"] == "'Bearer'"


def test_a_page_elsewhere_may_send_its_token():
    assert RESOURCES["Api"]["Properties"]["Cors"]["AllowHeaders"] == "'Content-Type,Authorization'"


# ---------------------------------------------------------------- limits of concurrency


def test_photos_are_looked_at_without_a_limit_of_their_own_unless_it_is_asked_for():
    reserved = FUNCTIONS["DetectFacesFunction"]["ReservedConcurrentExecutions"]
    asked = [chosen(reserved, {"MaxConcurrentDetections": most}) for most in ("0", "20")]
    assert asked == [None, {"Ref": "MaxConcurrentDetections"}]


def test_a_burst_of_uploads_leaves_the_accounts_concurrency_to_others():
    arrived = FUNCTIONS["StartWorkflowFunction"]["Events"]["PhotoArrived"]["Properties"]
    assert arrived["ScalingConfig"] == {"MaximumConcurrency": 5}


# ---------------------------------------------------------------- alarms and the dashboard


ALARMS = of_type("AWS::CloudWatch::Alarm")
OPERATIONS = (ROOT / "docs/operations.md").read_text()


def anchors(page: str) -> set[str]:
    """The anchors of a page's headings, as they are made on the web."""
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", ALARMS)
def test_every_alarm_has_its_page(name):
    (anchor,) = re.findall(r"docs/operations\.md#([\w-]+)\.$", ALARMS[name]["AlarmDescription"])
    assert anchor in anchors(OPERATIONS)


def test_no_two_alarms_share_a_page():
    pages = [alarm["AlarmDescription"].rpartition("#")[2] for alarm in ALARMS.values()]
    assert len(set(pages)) == len(pages) == 11


@pytest.mark.parametrize("name", ALARMS)
def test_alarms_are_told_to_the_topic_if_there_is_one(name):
    for actions in (ALARMS[name]["AlarmActions"], ALARMS[name]["OKActions"]):
        assert chosen(actions, {"AlarmTopicArn": ""}) is None
        assert chosen(actions, {"AlarmTopicArn": "arn"}) == [{"Ref": "AlarmTopicArn"}]


@pytest.mark.parametrize("name", ALARMS)
def test_what_is_not_measured_is_no_alarm_but_for_the_sweep(name):
    assert ALARMS[name]["TreatMissingData"] == ("breaching" if name == "SweepAlarm" else "notBreaching")


def watched(alarm: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The metrics of an alarm: namespace, name and dimensions."""
    parts = [chosen(part, WITH_SIGN_IN) for part in alarm.get("Metrics", [])]
    for metric in [part["MetricStat"]["Metric"] for part in parts if "MetricStat" in part] or [alarm]:
        yield metric["Namespace"], metric["MetricName"], {each["Name"]: each["Value"] for each in metric["Dimensions"]}


def test_every_function_that_is_throttled_is_seen():
    seen = [dimensions["FunctionName"]["Ref"] for _, _, dimensions in watched(ALARMS["FunctionsThrottledAlarm"])]
    assert sorted(seen) == sorted(FUNCTIONS)


OURS = [
    (name, metric, dimensions)
    for name in ALARMS
    for namespace, metric, dimensions in watched(ALARMS[name])
    if namespace == observability.NAMESPACE
]


@pytest.mark.parametrize(("name", "metric", "dimensions"), OURS, ids=[name for name, _, _ in OURS])
def test_what_is_watched_of_ours_is_what_is_counted(name, metric, dimensions):
    counted = (ROOT / "functions/faceblur/observability.py").read_text()
    assert f'_count("{metric}", ' in counted
    assert dimensions.pop("stack") == {"Ref": "AWS::StackName"}
    if code := dimensions.pop("code", None):
        assert issubclass(getattr(errors, code), errors.FaceblurError)
    assert dimensions == {}


def test_the_api_is_known_by_the_name_that_its_alarm_asks_for():
    ((_, _, dimensions),) = watched(ALARMS["ApiErrorsAlarm"])
    api = RESOURCES["Api"]["Properties"]
    assert dimensions == {"ApiName": api["Name"], "Stage": api["StageName"]}


def test_a_sweep_is_missed_after_two_of_its_hours():
    schedule = FUNCTIONS["SweepPhotosFunction"]["Events"]["EveryHour"]["Properties"]["Schedule"]
    alarm = ALARMS["SweepAlarm"]
    assert (schedule, alarm["Period"], alarm["EvaluationPeriods"]) == ("rate(1 hour)", 60 * 60, 2)


def test_the_dashboard_is_json_about_resources_that_exist():
    body, conditional = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(body)["widgets"]
    asked = {name.partition(".")[0] for name in re.findall(r"\$\{([^!}]+)\}", body)} - {"AWS::Region", "AWS::StackName"}
    assert asked <= RESOURCES.keys() | conditional.keys()
    assert ALARMS.keys() <= asked
    places = {(widget["x"], widget["y"]) for widget in widgets}
    assert len(places) == len(widgets)


# ---------------------------------------------------------------- functions


def test_the_functions_are_those_that_have_a_folder():
    folders = {app.parent.name for app in (ROOT / "functions").glob("*/app.py")}
    assert {verb(name) for name in FUNCTIONS} == folders


@each_function
def test_the_handler_is_there(name):
    module, _, function = FUNCTIONS[name]["Handler"].rpartition(".")
    assert module == f"{verb(name)}.app"
    assert callable(getattr(importlib.import_module(module), function))


@each_function
def test_there_is_an_event_to_try_it_with(name):
    assert json.loads((ROOT / "tests" / "events" / f"{verb(name)}.json").read_text())


def test_every_event_is_for_a_function():
    names = tuple(verb(name) for name in FUNCTIONS)
    events = {file.stem for file in (ROOT / "tests" / "events").iterdir()} - {"env"}
    assert [event for event in events if not event.startswith(names)] == []


@each_function
def test_it_declares_just_what_it_reads_from_the_environment(name):
    declared = FUNCTIONS[name].get("Environment", {}).get("Variables", {}).keys()
    assert declared == read_by(verb(name)) - GLOBALS["Environment"]["Variables"].keys()


def test_what_all_functions_are_given_is_read():
    read = set().union(*(read_by(verb(name)) for name in FUNCTIONS))
    # These are read by boto3, by Powertools and by onnxruntime.
    by_libraries = {"AWS_ENDPOINT_URL", "POWERTOOLS_LOG_LEVEL", "ORT_DISABLE_TELEMETRY"}
    assert GLOBALS["Environment"]["Variables"].keys() - by_libraries <= read


def test_no_function_sends_telemetry():
    assert GLOBALS["Environment"]["Variables"]["ORT_DISABLE_TELEMETRY"] == "1"


def test_the_environment_is_read_in_one_place():
    readers = [path for path in (ROOT / "functions").rglob("*.py") if "environ" in path.read_text()]
    ours = {path.relative_to(ROOT / "functions").as_posix() for path in readers}
    # How much memory it has, and so how many processors, is Lambda's to say.
    assert ours == {"faceblur/config.py", "faceblur/detectors/embedded/network.py"}


def read_by(folder: str) -> set[str]:
    """Environment variables that a function reads: through config, in any of the modules that it imports."""
    settings = {
        function.name: variable
        for function in parsed(ROOT / "functions/faceblur/config.py").body
        if isinstance(function, ast.FunctionDef)
        for variable in re.findall(r"environ\['(\w+)'\]", ast.unparse(function))
    }
    calls = set()
    for module in imported_by(ROOT / "functions" / folder / "app.py"):
        calls |= set(re.findall(r"config\.(\w+)\(\)", ast.unparse(parsed(module))))
    assert calls <= settings.keys()
    return {settings[call] for call in calls}


def imported_by(start: Path) -> set[Path]:
    """A module of functions/ and all those of ours that it imports, however deep."""
    found, left = set(), {start}
    while left:
        module = left.pop()
        found.add(module)
        left |= set(imports(module)) - found
    return found


def imports(module: Path) -> Iterator[Path]:
    for node in ast.walk(parsed(module)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            path = ROOT / "functions" / name.replace(".", "/")
            yield from (file for file in (path.with_suffix(".py"), path / "__init__.py") if file.exists())


def parsed(module: Path) -> ast.Module:
    """A module without what is imported for types alone."""

    class Running(ast.NodeTransformer):
        def visit_If(self, node: ast.If) -> ast.AST | None:
            return None if ast.unparse(node.test) == "TYPE_CHECKING" else self.generic_visit(node)

    return Running().visit(ast.parse(module.read_text()))


# ---------------------------------------------------------------- who finds the faces


# What detect_faces is given for each detector: the layer with the model, and leave to ask Rekognition.
DETECTORS = {
    "rekognition": ([], True),
    "embedded": ([{"Ref": "OnnxLayer"}], False),
    "both": ([{"Ref": "OnnxLayer"}], True),
}


def test_the_detectors_are_those_that_can_be_chosen():
    assert set(template()["Parameters"]["FaceDetector"]["AllowedValues"]) == DETECTORS.keys()


@pytest.mark.parametrize("detector", DETECTORS)
def test_every_detector_has_what_it_needs_and_no_more(detector):
    parameters = {"FaceDetector": detector}
    function = FUNCTIONS["DetectFacesFunction"]
    allowed = [chosen(each, parameters) for policy in function["Policies"] for each in policy["Statement"]]
    may_ask = "rekognition:DetectFaces" in [action for each in allowed if each for action in as_list(each["Action"])]
    assert (chosen(function["Layers"], parameters), may_ask) == DETECTORS[detector]


# MB: what a new account may give one function, and what the look at a photo of 100 megapixels takes.
MOST_MEMORY, MEMORY_TO_DECODE = 3008, 2048


@pytest.mark.parametrize("detector", DETECTORS)
def test_the_model_gets_as_much_as_a_new_account_has(detector):
    memory = chosen(FUNCTIONS["DetectFacesFunction"]["MemorySize"], {"FaceDetector": detector})
    assert memory == (MEMORY_TO_DECODE if detector == "rekognition" else MOST_MEMORY)


@pytest.mark.parametrize("detector", DETECTORS)
@each_function
def test_a_new_account_can_have_every_function(name, detector):
    memory = chosen(FUNCTIONS[name].get("MemorySize", GLOBALS["MemorySize"]), {"FaceDetector": detector})
    assert 128 <= memory <= MOST_MEMORY


RUNTIMES = template()["Parameters"]["PythonRuntime"]["AllowedValues"]


def refused(parameters: dict[str, str]) -> list[str]:
    """Why CloudFormation refuses these parameters: what the rules that are broken say."""
    return [
        assertion["AssertDescription"]
        for rule in template()["Rules"].values()
        if holds(rule["RuleCondition"], DEFAULTS | parameters)
        for assertion in rule["Assertions"]
        if not holds(assertion["Assert"], DEFAULTS | parameters)
    ]


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("detector", DETECTORS)
def test_the_model_is_not_deployed_where_its_library_does_not_load(detector, runtime):
    broken = refused({"FaceDetector": detector, "PythonRuntime": runtime})
    if detector != "rekognition" and runtime == "python3.11":
        (reason,) = broken
        assert "python3.12" in reason
    else:
        assert broken == []


def test_the_runtime_that_the_rule_speaks_of_can_be_chosen():
    assert "python3.11" in RUNTIMES


def test_the_defaults_are_not_refused():
    assert refused(DEFAULTS) == []


def test_the_layer_is_for_detect_faces_alone():
    assert [name for name, function in FUNCTIONS.items() if "Layers" in function] == ["DetectFacesFunction"]
    assert "Layers" not in GLOBALS


def test_every_detector_is_known_to_the_functions():
    # Neither the layer nor the service is asked before there is a photo.
    for name in DETECTORS:
        assert callable(detector_named(name).detect)


# ---------------------------------------------------------------- policies

TABLE = "JobsTable.Arn"
BUCKET = "PhotoBucket.Arn"
UPLOADS = "${PhotoBucket.Arn}/uploads/*"
BOXES = "${PhotoBucket.Arn}/boxes/*"
RESULTS = "${PhotoBucket.Arn}/results/*"
RECEIPTS = "${PhotoBucket.Arn}/receipts/*"
EXECUTION_ENDED = "ExecutionEnded.Arn"
EXECUTIONS = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:${BlurImageStateMachine.Name}:*"

# All that each role may do, beside writing its log and its traces.
MAY = {
    "AuthorizeFunction": {},
    "CreateJobFunction": {
        "dynamodb:PutItem": {TABLE},
        "dynamodb:UpdateItem": {TABLE},
        "s3:PutObject": {UPLOADS},
    },
    "GetJobFunction": {
        "dynamodb:GetItem": {TABLE},
        "dynamodb:UpdateItem": {TABLE},
        "s3:GetObject": {RESULTS, RECEIPTS},
        "s3:ListBucket": {BUCKET},
    },
    "DeleteJobFunction": {
        "dynamodb:DeleteItem": {TABLE},
        "s3:DeleteObject": {UPLOADS, BOXES, RESULTS, RECEIPTS},
        "s3:ListBucket": {BUCKET},
        "states:StopExecution": {EXECUTIONS},
    },
    "StartWorkflowFunction": {
        "dynamodb:GetItem": {TABLE},
        "s3:DeleteObject": {UPLOADS},
        "states:StartExecution": {"BlurImageStateMachine"},
    },
    "DetectFacesFunction": {
        "dynamodb:GetItem": {TABLE},
        "dynamodb:UpdateItem": {TABLE},
        "rekognition:DetectFaces": {"*"},
        "s3:DeleteObject": {BOXES},
        "s3:GetObject": {UPLOADS, BOXES, RESULTS},
        "s3:ListBucket": {BUCKET},
        "s3:PutObject": {BOXES},
    },
    "BlurFacesFunction": {
        "dynamodb:GetItem": {TABLE},
        "dynamodb:UpdateItem": {TABLE},
        "s3:DeleteObject": {RESULTS},
        "s3:GetObject": {UPLOADS, BOXES},
        "s3:ListBucket": {BUCKET},
        "s3:PutObject": {RESULTS},
    },
    "UpdateJobFunction": {
        "dynamodb:GetItem": {TABLE},
        "dynamodb:UpdateItem": {TABLE},
        "s3:DeleteObject": {UPLOADS, BOXES, RESULTS, RECEIPTS},
        "s3:GetObject": {BOXES, RESULTS},
        "s3:ListBucket": {BUCKET},
        "s3:PutObject": {RECEIPTS},
    },
    "SweepPhotosFunction": {
        "s3:DeleteObject": {"${PhotoBucket.Arn}/*"},
        "s3:ListBucket": {BUCKET},
    },
    "BlurImageStateMachine": {
        "dynamodb:UpdateItem": {TABLE},
        "lambda:InvokeFunction": {"DetectFacesFunction.Arn", "BlurFacesFunction.Arn", "UpdateJobFunction.Arn"},
        "s3:DeleteObject": {UPLOADS},
        "logs:CreateLogDelivery": {"*"},
        "logs:GetLogDelivery": {"*"},
        "logs:UpdateLogDelivery": {"*"},
        "logs:DeleteLogDelivery": {"*"},
        "logs:ListLogDeliveries": {"*"},
        "logs:PutResourcePolicy": {"*"},
        "logs:DescribeResourcePolicies": {"*"},
        "logs:DescribeLogGroups": {"*"},
        "xray:PutTraceSegments": {"*"},
        "xray:PutTelemetryRecords": {"*"},
        "xray:GetSamplingRules": {"*"},
        "xray:GetSamplingTargets": {"*"},
    },
}

# Listing is narrowed to the folders that the function lists. Those that read photos or boxes need the leave without a
# condition: by it alone S3 tells a missing object (404) from a forbidden one (403). The sweep lists everything.
MAY_LIST = {
    "DetectFacesFunction": None,
    "BlurFacesFunction": None,
    "GetJobFunction": "uploads/*",
    "DeleteJobFunction": ["boxes/*", "results/*"],
    "UpdateJobFunction": None,
    "SweepPhotosFunction": None,
}


def statements(name: str) -> list[dict[str, Any]]:
    """The statements of a role's policies, conditional ones included."""
    found = []
    for policy in policies(name):
        for statement in policy["Statement"]:
            branches = statement["Fn::If"][1:] if "Fn::If" in statement else [statement]
            found += [branch for branch in branches if branch != {"Ref": "AWS::NoValue"}]
    return found


def named(resource: Any) -> str:
    """A resource of a policy as text."""
    return resource if isinstance(resource, str) else next(iter(resource.values()))


def test_all_that_each_role_may_do():
    may: dict[str, dict[str, set[str]]] = {}
    for name in (*FUNCTIONS, *MACHINES):
        may[name] = {}
        for statement in statements(name):
            assert statement["Effect"] == "Allow"
            if as_list(statement["Resource"]) == [KEY]:
                continue  # who may use a key of one's own is told above
            for action in as_list(statement["Action"]):
                may[name].setdefault(action, set()).update(map(named, as_list(statement["Resource"])))
    assert may == MAY


def test_originals_are_seen_and_receipts_written_by_as_few_as_possible():
    def those_that_may(action: str, what: str) -> set[str]:
        return {name for name, may in MAY.items() if what in may.get(action, ())}

    assert those_that_may("s3:GetObject", UPLOADS) == {"DetectFacesFunction", "BlurFacesFunction"}
    assert those_that_may("s3:GetObject", RECEIPTS) == {"GetJobFunction"}
    assert those_that_may("s3:PutObject", RECEIPTS) == {"UpdateJobFunction"}
    assert those_that_may("s3:PutObject", RESULTS) == {"BlurFacesFunction"}
    assert those_that_may("s3:PutObject", BOXES) == {"DetectFacesFunction"}
    assert those_that_may("s3:GetObject", BOXES) == {"DetectFacesFunction", "BlurFacesFunction", "UpdateJobFunction"}


def test_listing_is_narrowed_to_folders():
    folders = {
        name: statement["Condition"]["StringLike"]["s3:prefix"] if "Condition" in statement else None
        for name in (*FUNCTIONS, *MACHINES)
        for statement in statements(name)
        if "s3:ListBucket" in as_list(statement["Action"])
    }
    assert folders == MAY_LIST


def test_every_statement_says_what_it_is_for():
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


def test_nobody_may_do_everything_or_touch_everything():
    narrowless = ("rekognition:DetectFaces", "logs:", "xray:")
    allowed = [statement for statement in policy_documents() if statement["Effect"] == "Allow"]
    assert len(allowed) > len(FUNCTIONS)
    for statement in allowed:
        actions = as_list(statement["Action"])
        assert not [action for action in actions if "*" in action], statement
        if "*" in as_list(statement["Resource"]):
            assert all(action.startswith(narrowless) for action in actions), statement


@each_function
def test_no_function_has_a_policy_template_or_a_role_of_elsewhere(name):
    assert "Role" not in FUNCTIONS[name]
    assert all("Statement" in policy for policy in policies(name))


# ---------------------------------------------------------------- the state machine


def test_every_substitution_is_given_and_used():
    (machine,) = MACHINES.values()
    text = (ROOT / machine["DefinitionUri"]).read_text()
    assert set(re.findall(r"\$\{(\w+)\}", text)) == machine["DefinitionSubstitutions"].keys()


def test_an_execution_may_take_as_long_as_the_functions_believe():
    assert state_machine()["TimeoutSeconds"] == config.EXECUTION_SECONDS


def successors(state: dict[str, Any]) -> set[str]:
    """Where a state can lead."""
    choices = {choice["Next"] for choice in state.get("Choices", [])}
    catches = {catch["Next"] for catch in state.get("Catch", [])}
    return choices | catches | ({state["Next"]} if "Next" in state else set()) | ({state.get("Default")} - {None})


def test_every_state_is_reached_and_every_way_leads_to_one():
    reached, left = set(), {state_machine()["StartAt"]}
    while left:
        name = left.pop()
        reached.add(name)
        left |= successors(STATES[name]) - reached
    assert reached == STATES.keys()


@pytest.mark.parametrize("name", STATES)
def test_a_state_either_goes_on_or_ends(name):
    assert bool(successors(STATES[name])) != (STATES[name]["Type"] in ("Succeed", "Fail"))


@pytest.mark.parametrize("name", STATES)
def test_a_state_is_named_by_a_plain_phrase(name):
    assert re.fullmatch(r"[A-Z][a-z]+( [a-z]+)+\??", name)
    assert name.endswith("?") == (STATES[name]["Type"] == "Choice")


@each_task
def test_a_task_has_a_timeout(name):
    assert 0 < TASKS[name]["TimeoutSeconds"] < state_machine()["TimeoutSeconds"]


# The tasks by the function that they call.
CALLS = {
    name: task["Arguments"]["FunctionName"].strip("${}")
    for name, task in TASKS.items()
    if "lambda:invoke" in task["Resource"]
}
each_call = pytest.mark.parametrize("name", CALLS)
LOOKS = [name for name, function in CALLS.items() if function == "DetectFacesFunctionArn"]
each_look = pytest.mark.parametrize("name", LOOKS)


@each_call
def test_a_function_gives_up_before_its_task_does(name):
    (machine,) = MACHINES.values()
    function = machine["DefinitionSubstitutions"][CALLS[name]]["Fn::GetAtt"].removesuffix(".Arn")
    assert timeout(function) < TASKS[name]["TimeoutSeconds"]


@each_call
def test_the_event_to_try_a_function_with_is_what_the_state_machine_sends(name):
    function = verb(CALLS[name].removesuffix("Arn"))
    event = json.loads((ROOT / "tests" / "events" / f"{function}.json").read_text())
    assert event.keys() == TASKS[name]["Arguments"]["Payload"].keys()
    assert event["options"] == JobOptions().model_dump()


def test_every_stage_has_its_name_and_its_round():
    told = {name: TASKS[name]["Arguments"]["Payload"] for name in CALLS if CALLS[name] != "UpdateJobFunctionArn"}
    assert {name: (payload["stage"], payload["round"]) for name, payload in told.items()} == {
        "Detect the faces": ("detect", 0),
        "Hide the faces": ("hide", 0),
        "Check the result": ("check", "{% $round + 1 %}"),
        "Hide what was missed": ("hide_missed", "{% $round %}"),
    }
    assert tuple(payload["stage"] for payload in told.values()) == STAGES
    assert TASKS["Claim the job"]["Assign"]["round"] == 0
    assert TASKS["Check the result"]["Assign"]["round"] == "{% $round + 1 %}"


def test_a_face_that_was_missed_is_hidden_and_the_result_is_checked_again_for_five_rounds():
    missed, last = STATES["Was a face missed?"], STATES["Was this the last round?"]
    assert missed["Choices"] == [{"Condition": "{% $missed > 0 %}", "Next": "Hide what was missed"}]
    assert TASKS["Check the result"]["Assign"]["missed"] == "{% $states.result.Payload.stage.faces %}"
    assert TASKS["Hide what was missed"]["Next"] == "Was this the last round?"
    (rule,) = last["Choices"]
    assert (rule["Condition"], rule["Next"]) == ("{% $round >= 5 %}", missed["Default"])
    assert rule["Assign"] == {"warnings": f"{{% $append($warnings, ['{WarningCode.CHECKS_NOT_SETTLED}']) %}}"}
    assert last["Default"] == "Check the result"


def test_boxes_travel_by_their_key_alone():
    """An execution's history is kept for 90 days, and a state holds at most 256 KiB."""
    for name in ("Detect the faces", "Check the result"):
        assert TASKS[name]["Assign"]["boxes"] == "{% $states.result.Payload.boxes %}"
    assert {name: TASKS[name]["Arguments"]["Payload"]["boxes"] for name in CALLS} == {
        "Detect the faces": None,
        "Hide the faces": "{% $boxes %}",
        "Check the result": "{% $boxes %}",
        "Hide what was missed": "{% $boxes %}",
        "Record the result": "{% $boxes %}",
    }


@pytest.mark.parametrize("name", [name for name in CALLS if CALLS[name] != "UpdateJobFunctionArn"])
def test_every_stage_goes_into_the_receipt(name):
    assert TASKS[name]["Assign"]["stages"] == "{% $append($stages, [$states.result.Payload.stage]) %}"


@each_look
def test_every_doubt_of_every_look_becomes_a_warning(name):
    assert TASKS[name]["Assign"]["warnings"] == "{% $append($warnings, $states.result.Payload.warnings) %}"


def test_receipt_and_warnings_begin_empty_and_come_to_the_last_task():
    claimed = TASKS["Claim the job"]["Assign"]
    assert (claimed["stages"], claimed["warnings"]) == ([], [])
    recorded = TASKS["Record the result"]["Arguments"]["Payload"]
    assert (recorded["stages"], recorded["warnings"]) == ("{% $stages %}", "{% $warnings %}")


@each_look
def test_only_the_last_try_may_leave_a_detector_out_and_only_if_the_job_allows_it(name):
    (tries,) = [retry["MaxAttempts"] for retry in TASKS[name]["Retry"] if "DetectorUnavailable" in retry["ErrorEquals"]]
    assert TASKS[name]["Arguments"]["Payload"]["last_attempt"] == (
        f"{{% $states.context.State.RetryCount >= {tries} and $not($options.require_all_detectors) %}}"
    )


THROTTLED = "Lambda.TooManyRequestsException"
# The errors of AWS's that are worth another try, and our own.
WORTH_ANOTHER_TRY = {
    "lambda": {
        "Lambda.ClientExecutionTimeoutException",
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        THROTTLED,
    },
    "dynamodb": {
        "DynamoDB.ProvisionedThroughputExceededException",
        "DynamoDB.RequestLimitExceeded",
        "DynamoDB.ThrottlingException",
        "DynamoDB.InternalServerErrorException",
        "DynamoDB.InternalServerError",
        "DynamoDB.TransactionConflictException",
        "DynamoDB.SdkClientException",
    },
    "s3": {"S3.SdkClientException", "S3.S3Exception"},
}
OUR_OWN = {
    "DetectFacesFunctionArn": {"StorageUnavailable", "DetectorThrottled", "DetectorUnavailable"},
    "BlurFacesFunctionArn": {"StorageUnavailable"},
    "UpdateJobFunctionArn": {"StorageUnavailable"},
}


@each_task
def test_a_task_is_tried_again_for_named_transient_errors_alone(name):
    task = TASKS[name]
    service = re.search(r":(lambda|dynamodb|s3):", task["Resource"])[1]
    function = task["Arguments"].get("FunctionName", "").strip("${}")
    tried = [error for retry in task["Retry"] for error in retry["ErrorEquals"]]
    assert len(tried) == len(set(tried))
    assert set(tried) == WORTH_ANOTHER_TRY[service] | OUR_OWN.get(function, set())


@each_task
def test_tries_are_spread_out_and_come_to_an_end(name):
    for retry in TASKS[name]["Retry"]:
        assert 1 <= retry["MaxAttempts"] <= (30 if retry["ErrorEquals"] == [THROTTLED] else 10)
        assert retry["IntervalSeconds"] >= 1
        assert retry["BackoffRate"] > 1
        assert retry["MaxDelaySeconds"] <= 60
        assert retry["JitterStrategy"] == "FULL"


@each_call
def test_a_throttled_function_is_waited_for_as_long_as_an_execution_may_take(name):
    (retry,) = [retry for retry in TASKS[name]["Retry"] if THROTTLED in retry["ErrorEquals"]]
    waits = [
        min(retry["IntervalSeconds"] * 2**tried, retry["MaxDelaySeconds"]) for tried in range(retry["MaxAttempts"])
    ]
    # With full jitter, a wait is half as long on the average.
    assert 0.8 * config.EXECUTION_SECONDS < sum(waits) / 2 < config.EXECUTION_SECONDS
    assert retry == {
        "ErrorEquals": [THROTTLED],
        "IntervalSeconds": 2,
        "MaxAttempts": 30,
        "BackoffRate": 2,
        "MaxDelaySeconds": 60,
        "JitterStrategy": "FULL",
    }


@each_task
def test_whatever_goes_wrong_is_recorded_and_ends_in_failure(name):
    everything = TASKS[name]["Catch"][-1]
    assert everything["ErrorEquals"] == ["States.ALL"]
    way = [everything["Next"]]
    while STATES[way[-1]]["Type"] != "Fail":
        way.append(STATES[way[-1]]["Next"])
    expected = ["Explain the failure", "Record the failure", "Job failed"]
    assert way == (expected[-1:] if name == "Record the failure" else expected)


def test_every_other_catch_ends_in_failure_at_once():
    for name, task in TASKS.items():
        for catch in task["Catch"][:-1]:
            assert "States.ALL" not in catch["ErrorEquals"], name
            assert STATES[catch["Next"]]["Type"] == "Fail", name


def raised(node: Any) -> Iterator[str]:
    """The names of the errors that states raise themselves."""
    for value in node.values() if isinstance(node, dict) else node:
        if isinstance(value, (dict, list)):
            yield from raised(value)
    if isinstance(node, dict) and "Error" in node:
        yield node["Error"]


def test_our_own_errors_are_known():
    explanation = STATES["Explain the failure"]["Assign"]["error"]
    public = re.search(r"\$public := \[(.*?)\]", explanation)[1]
    ours = {
        *OUR_OWN["DetectFacesFunctionArn"],
        *re.findall(r"'(\w+)'", public),
        *re.findall(r"'code': '(\w+)'", explanation),
        *(name for name in raised(STATES) if not name.startswith("{%")),
    }
    assert {"JobNotFound", "TimedOut", "CorruptImage"} < ours
    assert all(issubclass(getattr(errors, name), errors.FaceblurError) for name in ours)


def test_photos_and_links_stay_out_of_the_state():
    """Only keys, counts, sizes and options travel: an execution's history is kept for 90 days."""
    text = json.dumps(STATES)
    assert not re.search(r"presign|base64|\burl\b", text, re.IGNORECASE)
