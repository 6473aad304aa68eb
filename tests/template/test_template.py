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
from sources import ROOT, TEMPLATE, state_machine, template

from faceblur import config, detectors, errors
from faceblur.options import JobOptions

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
    assert {"ApiUrl", "StateMachineArn", "UpdateJobFunctionName"} <= asked <= template()["Outputs"].keys()


def test_the_output_names_the_function_to_which_ends_are_told():
    assert template()["Outputs"]["UpdateJobFunctionName"]["Value"] == {"Ref": "UpdateJobFunction"}
    assert "ExecutionEnded" in FUNCTIONS["UpdateJobFunction"]["Events"]


def test_every_method_of_the_api_is_throttled():
    (settings,) = RESOURCES["Api"]["Properties"]["MethodSettings"]
    assert settings == {
        "HttpMethod": "*",
        "ResourcePath": "/*",
        "ThrottlingRateLimit": 50,
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


def test_everything_in_the_bucket_goes_after_a_day():
    (rule,) = RESOURCES["PhotoBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", 1)
    assert "Prefix" not in rule
    assert config.JOB_LIFETIME_SECONDS == 24 * 60 * 60


def test_jobs_expire_by_the_attribute_that_they_are_given():
    ttl = RESOURCES["JobsTable"]["Properties"]["TimeToLiveSpecification"]
    assert ttl == {"AttributeName": "expires_at", "Enabled": True}


# ---------------------------------------------------------------- queues


def test_a_message_is_hidden_for_six_times_as_long_as_its_function_may_take():
    assert RESOURCES["UploadQueue"]["Properties"]["VisibilityTimeout"] == 6 * timeout("StartWorkflowFunction")
    assert RESOURCES["UploadDlq"]["Properties"]["VisibilityTimeout"] == 6 * timeout("UpdateJobFunction")


def test_a_message_that_fails_three_times_goes_to_the_dead_letter_queue():
    redrive = RESOURCES["UploadQueue"]["Properties"]["RedrivePolicy"]
    assert redrive == {"deadLetterTargetArn": {"Fn::GetAtt": "UploadDlq.Arn"}, "maxReceiveCount": 3}


def test_only_the_messages_that_failed_are_delivered_again():
    arrived = FUNCTIONS["StartWorkflowFunction"]["Events"]["PhotoArrived"]["Properties"]
    assert arrived["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_every_end_without_a_result_is_heard_of():
    pattern = FUNCTIONS["UpdateJobFunction"]["Events"]["ExecutionEnded"]["Properties"]["Pattern"]
    assert pattern["detail"] == {
        "status": ["FAILED", "TIMED_OUT", "ABORTED"],
        "stateMachineArn": [{"Ref": "BlurImageStateMachine"}],
    }


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
    # The last two are read by boto3 and by Powertools.
    by_libraries = {"AWS_ENDPOINT_URL", "POWERTOOLS_LOG_LEVEL"}
    assert GLOBALS["Environment"]["Variables"].keys() - by_libraries <= read


def test_the_environment_is_read_in_one_place():
    readers = [path for path in (ROOT / "functions").rglob("*.py") if "environ" in path.read_text()]
    ours = {path.relative_to(ROOT / "functions").as_posix() for path in readers}
    # How much memory it has, and so how many processors, is Lambda's to say.
    assert ours == {"faceblur/config.py", "faceblur/detectors/centerface.py"}


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


def holds(condition: Any, parameters: dict[str, str]) -> bool:
    """Whether a condition of the template holds for these parameters."""
    ((function, arguments),) = condition.items()
    if function == "Fn::Not":
        return not holds(arguments[0], parameters)
    assert function == "Fn::Equals"
    left, right = (parameters[side["Ref"]] if isinstance(side, dict) else side for side in arguments)
    return bool(left == right)


def chosen(node: Any, parameters: dict[str, str]) -> Any:
    """What an `!If` comes to for these parameters; None for no value."""
    if not (isinstance(node, dict) and "Fn::If" in node):
        return None if node == {"Ref": "AWS::NoValue"} else node
    name, then, otherwise = node["Fn::If"]
    return chosen(then if holds(template()["Conditions"][name], parameters) else otherwise, parameters)


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
        if holds(rule["RuleCondition"], parameters)
        for assertion in rule["Assertions"]
        if not holds(assertion["Assert"], parameters)
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
    assert refused({name: str(each["Default"]) for name, each in template()["Parameters"].items()}) == []


def test_the_layer_is_for_detect_faces_alone():
    assert [name for name, function in FUNCTIONS.items() if "Layers" in function] == ["DetectFacesFunction"]
    assert "Layers" not in GLOBALS


def test_every_detector_is_known_to_the_functions():
    # Neither the layer nor the service is asked before there is a photo.
    for name in DETECTORS:
        assert callable(detectors.detector_named(name).detect)


# ---------------------------------------------------------------- policies

TABLE = "JobsTable.Arn"
BUCKET = "PhotoBucket.Arn"
UPLOADS = "${PhotoBucket.Arn}/uploads/*"
RESULTS = "${PhotoBucket.Arn}/results/*"
RECEIPTS = "${PhotoBucket.Arn}/receipts/*"
EXECUTIONS = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:${BlurImageStateMachine.Name}:*"

# All that each role may do, beside writing its log and its traces.
MAY = {
    "CreateJobFunction": {
        "dynamodb:PutItem": {TABLE},
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
        "s3:DeleteObject": {UPLOADS, RESULTS, RECEIPTS},
        "s3:ListBucket": {BUCKET},
        "states:StopExecution": {EXECUTIONS},
    },
    "StartWorkflowFunction": {
        "dynamodb:GetItem": {TABLE},
        "s3:DeleteObject": {UPLOADS},
        "states:DescribeExecution": {EXECUTIONS},
        "states:StartExecution": {"BlurImageStateMachine"},
    },
    "DetectFacesFunction": {
        "dynamodb:UpdateItem": {TABLE},
        "rekognition:DetectFaces": {"*"},
        "s3:GetObject": {UPLOADS, RESULTS},
        "s3:ListBucket": {BUCKET},
    },
    "BlurFacesFunction": {
        "dynamodb:GetItem": {TABLE},
        "dynamodb:UpdateItem": {TABLE},
        "s3:DeleteObject": {RESULTS},
        "s3:GetObject": {UPLOADS},
        "s3:ListBucket": {BUCKET},
        "s3:PutObject": {RESULTS},
    },
    "UpdateJobFunction": {
        "dynamodb:GetItem": {TABLE},
        "dynamodb:UpdateItem": {TABLE},
        "s3:DeleteObject": {UPLOADS, RESULTS, RECEIPTS},
        "s3:ListBucket": {BUCKET},
        "s3:PutObject": {RECEIPTS},
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

# Listing is narrowed to the folder that the function lists. Those that list nothing, but read photos, need the leave
# without a condition: by it alone S3 tells a missing object (404) from a forbidden one (403).
MAY_LIST = {
    "DetectFacesFunction": None,
    "BlurFacesFunction": None,
    "GetJobFunction": "uploads/*",
    "DeleteJobFunction": "results/*",
    "UpdateJobFunction": "results/*",
}


def statements(name: str) -> list[dict[str, Any]]:
    """The statements of a role's policies, conditional ones included."""
    found = []
    for policy in RESOURCES[name]["Properties"]["Policies"]:
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


def test_listing_is_narrowed_to_a_folder():
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
    assert all("Statement" in policy for policy in FUNCTIONS[name]["Policies"])


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


def test_there_are_three_looks_and_two_passes_of_hiding():
    assert LOOKS == ["Detect the faces", "Check the result", "Check again"]
    assert [TASKS[name]["Arguments"]["Payload"]["look"] for name in LOOKS] == ["first", "second", "second"]
    assert [name for name in CALLS if CALLS[name] == "BlurFacesFunctionArn"] == [
        "Blur the faces",
        "Blur what was missed",
    ]


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
    assert TASKS[name]["Arguments"]["Payload"]["last_resort"] == (
        f"{{% $states.context.State.RetryCount >= {tries} and $not($options.require_all_detectors) %}}"
    )


# The errors of AWS's that are worth another try, and our own.
WORTH_ANOTHER_TRY = {
    "lambda": {
        "Lambda.ClientExecutionTimeoutException",
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.TooManyRequestsException",
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
        assert 1 <= retry["MaxAttempts"] <= 10
        assert retry["IntervalSeconds"] >= 1
        assert retry["BackoffRate"] > 1
        assert retry["MaxDelaySeconds"] <= 60
        assert retry["JitterStrategy"] == "FULL"


@each_call
def test_a_throttled_function_is_waited_for_longer_than_a_broken_one(name):
    throttled = "Lambda.TooManyRequestsException"
    (retry,) = [retry for retry in TASKS[name]["Retry"] if throttled in retry["ErrorEquals"]]
    assert retry == {
        "ErrorEquals": [throttled],
        "IntervalSeconds": 2,
        "MaxAttempts": 10,
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
    assert {"ResidualFaces", "JobNotFound", "TimedOut", "CorruptImage"} < ours
    assert all(issubclass(getattr(errors, name), errors.FaceblurError) for name in ours)


def test_photos_and_links_stay_out_of_the_state():
    """Only keys, boxes and options travel: an execution's history is kept for 90 days."""
    text = json.dumps(STATES)
    assert not re.search(r"presign|base64|\burl\b", text, re.IGNORECASE)
