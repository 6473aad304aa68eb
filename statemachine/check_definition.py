"""Checks the definitions of the state machines: their schema, and what the schema leaves open.

cfn-lint does not read the file that a `DefinitionUri` names. So the definition is put into a template of its own, and
cfn-lint checks that. Its schema accepts any error name, any next state, any expression and a task without a timeout.
So these are checked here.

Expressions use only the part of JSONata on which all engines agree. Step Functions has JSONata 2.0.6, as its developer
guide says in "Transforming data with JSONata". The embedded AWS has a port of a later version, with more operators.
"""

from __future__ import annotations

import json
import re
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cfnlint.api import lint_all  # type: ignore[import-untyped]

from faceblur.errors import FaceblurError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DEFINITIONS = sorted(Path(__file__).parent.glob("*.asl.json"))

# The transient errors of AWS, by the service that the task calls.
TRANSIENT = {
    "lambda": {
        "Lambda.ClientExecutionTimeoutException",
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.TooManyRequestsException",
        # A function that ended, most likely because its memory was used up.
        "Lambda.Unknown",
        "Runtime.ExitError",
        "Runtime.OutOfMemory",
        "Runtime.Unknown",
        "MemoryError",
        *(error.__name__ for error in TransientError.__subclasses__()),
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
    "aws-sdk:dynamodb": {
        "DynamoDb.ProvisionedThroughputExceededException",
        "DynamoDb.RequestLimitExceededException",
        "DynamoDb.ThrottlingException",
        "DynamoDb.InternalServerErrorException",
        "DynamoDb.TransactionConflictException",
        "DynamoDb.SdkClientException",
    },
    "aws-sdk:s3": {"S3.SdkClientException", "S3.S3Exception"},
    "states:startExecution.sync": {
        "StepFunctions.ExecutionLimitExceededException",
        "StepFunctions.ThrottlingException",
        "StepFunctions.SdkClientException",
    },
}
# The error with which a task waits, by retries, until another execution has ended the job.
AWAITED = {"lambda": {"JobNotFinished"}}
# The other errors that a task may catch by name.
LASTING = {"dynamodb": {"DynamoDB.ConditionalCheckFailedException"}, "aws-sdk:dynamodb": {"States.Timeout"}}

# cfn-lint looks for these only in a state that states its query language itself.
JSONPATH = {"InputPath", "Parameters", "ResultSelector", "ResultPath", "OutputPath"}
RETRIER = {"ErrorEquals", "IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds", "JitterStrategy"}
CATCHER = {"ErrorEquals", "Next", "Output", "Assign", "Comment"}
# The catcher of a map. It is in JSONPath, as the map is.
MAP_CATCHER = {"ErrorEquals", "Next", "ResultPath"}


# An expression may have these parts only: texts, numbers, fields of variables and results, operators and brackets. So
# there is no regular expression, no sorting, no grouping, no wildcard and no chaining.
TOKEN = re.compile(r"\s+|'[^'\\]*'|\d+(?:\.\d+)?|\$\w*|\.\w+|\b(?:and|or|in|true|false)\b|[!<>]=|[-+*/&=<>?:,()\[\]]")
# Functions whose results are the same in every engine. `$append`, `$filter` and `$map` are missing, because they turn a
# list of one item into that item. Step Functions has no `$eval`.
FUNCTIONS = {
    "distinct", "error", "exists", "floor", "max", "millis", "min", "not", "now", "number", "parse", "string",
    "substringBefore",
}  # fmt: skip


def schema_problems(definitions: Sequence[dict[str, Any]]) -> Iterator[tuple[int, str]]:
    """The problems that cfn-lint finds, each with the definition's index. All in one call, because it takes seconds."""
    machines = {
        f"Machine{index}": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "RoleArn": "arn:aws:iam::123456789012:role/state-machine",
                "Definition": with_plain_timeouts(definition),
                "DefinitionSubstitutions": dict.fromkeys(re.findall(r"\$\{(\w+)\}", json.dumps(definition)), "value"),
            },
        }
        for index, definition in enumerate(definitions)
    }
    for match in lint_all(json.dumps({"Resources": machines})):
        if match.rule.severity != "informational":
            _, machine, _, _, *path = match.path
            yield int(machine.removeprefix("Machine")), f"{'/'.join(map(str, path))}: {match.message}"


def with_plain_timeouts(definition: dict[str, Any]) -> dict[str, Any]:
    """The definition with numbers in place of timeouts that are expressions, which cfn-lint's schema does not allow."""
    states = {
        name: state | {"TimeoutSeconds": 1} if isinstance(state.get("TimeoutSeconds"), str) else state
        for name, state in definition.get("States", {}).items()
    }
    return definition | {"States": states}


def problems(definition: dict[str, Any]) -> Iterator[str]:
    """The problems of a definition that fits the schema, one sentence each."""
    if "TimeoutSeconds" not in definition:
        yield "the state machine needs TimeoutSeconds"
    language = definition.get("QueryLanguage", "JSONPath")
    yield from states_problems(definition, language, definition.get("TimeoutSeconds", 0))


def states_problems(part: dict[str, Any], language: str, seconds: int, *, in_a_map: bool = False) -> Iterator[str]:
    """The problems of the states of a machine or a map. `language` is for states that do not state their own."""
    yield from path_problems(part)
    for name, state in part["States"].items():
        yield from (f"{name}: {problem}" for problem in state_problems(state, language, seconds, in_a_map=in_a_map))


def state_problems(state: dict[str, Any], language: str, seconds: int, *, in_a_map: bool) -> Iterator[str]:
    """The problems of one state."""
    language = state.get("QueryLanguage", language)
    for expression in expressions_in({name: field for name, field in state.items() if name != "ItemProcessor"}):
        yield from (f"{problem} in {expression}" for problem in expression_problems(expression))
    if language == "JSONata":
        yield from (f"{field} belongs to JSONPath" for field in sorted(JSONPATH & state.keys()))
    if state["Type"] == "Task":
        yield from task_problems(state, seconds, in_a_map=in_a_map)
    if state["Type"] == "Map":
        yield from map_problems(state, language, seconds)
    if state["Type"] == "Fail" and not is_known(state.get("Error", "")):
        yield f"the error {state.get('Error')} is unknown"


def map_problems(state: dict[str, Any], language: str, seconds: int) -> Iterator[str]:
    """The problems of a map. It must take its limits from the input, catch every error, and have valid states.

    The embedded AWS takes the fields of a distributed map in JSONPath alone.
    """
    if language != "JSONPath":
        yield "a map is in JSONPath"
    if missing := {"Label", "MaxConcurrencyPath", "ToleratedFailurePercentagePath", "ResultWriter"} - state.keys():
        yield f"a map needs {', '.join(sorted(missing))}"
    catchers = state.get("Catch", [])
    if [catcher["ErrorEquals"] for catcher in catchers] != [["States.ALL"]] or catchers[0].keys() != MAP_CATCHER:
        yield "a map has one catcher, for States.ALL, which keeps the input"
    yield from states_problems(state["ItemProcessor"], language, seconds, in_a_map=True)


def expressions_in(node: Any) -> Iterator[str]:
    """The JSONata expressions in a part of the definition, without their marks."""
    if isinstance(node, str) and node.startswith("{%"):
        yield node.removeprefix("{%").removesuffix("%}").strip()
    elif isinstance(node, dict | list):
        for each in node.values() if isinstance(node, dict) else node:
            yield from expressions_in(each)


def expression_problems(expression: str) -> Iterator[str]:
    """The parts of an expression that engines of JSONata may understand differently."""
    # A substitution stands for a plain value. Within quotes it is a text already.
    plain = re.sub(r"\$\{\w+\}", "0", expression)
    if rest := TOKEN.sub("", plain):
        yield f"{rest[0]!r} begins something that is not plain JSONata"
    tokens = [token for token in TOKEN.findall(plain) if not token.isspace()]
    pairs = list(pairwise(tokens))
    if ("?", ":") in pairs or ("?", "?") in pairs:
        yield "JSONata 2.0.6 has neither ?: nor ??"
    called = {token[1:] for token, after in pairs if token.startswith("$") and after == "("}
    yield from (
        f"${name} is not one of the functions that are the same everywhere" for name in sorted(called - FUNCTIONS)
    )
    picks = any(after == "[" and (token[0] in "$." or token in {")", "]"}) for token, after in pairs)
    if picks and not (tokens[:1] == ["["] and tokens[-1:] == ["]"]):
        yield "a filter gives a single item, and no list, if it finds only one; write [ ] around it"


def path_problems(definition: dict[str, Any]) -> Iterator[str]:
    """States that do not exist, and states that no path reaches."""
    states = definition["States"]
    reached: set[str] = set()
    to_visit = {definition["StartAt"]}
    while to_visit:
        name = to_visit.pop()
        reached.add(name)
        targets = successors(states[name])
        yield from (f"{name}: the next state {target!r} does not exist" for target in sorted(targets - states.keys()))
        to_visit |= (targets & states.keys()) - reached
    yield from (f"{name}: no path leads to this state" for name in states if name not in reached)


def successors(state: dict[str, Any]) -> set[str]:
    """The states that may follow a state."""
    following = [state, *state.get("Choices", []), *state.get("Catch", [])]
    return {each["Next"] for each in following if "Next" in each} | (
        {state["Default"]} if "Default" in state else set()
    )


def task_problems(task: dict[str, Any], machine_seconds: int, *, in_a_map: bool = False) -> Iterator[str]:
    """The problems of a task's timeout, its Retry and its Catch. Inside a map, the map catches the task's errors."""
    seconds = task.get("TimeoutSeconds", 0)
    # A timeout that is an expression gets its bounds from a parameter in the template.
    if not isinstance(seconds, str) and not 0 < seconds < machine_seconds:
        yield "it needs TimeoutSeconds, shorter than the state machine's"
    service = service_of(task["Resource"])
    retried: list[str] = []
    for retrier in task.get("Retry", []):
        retried += retrier["ErrorEquals"]
        yield from retrier_problems(retrier, service)
    yield from (f"{error} is retried twice" for error in sorted(set(retried)) if retried.count(error) > 1)
    if not in_a_map or "Catch" in task:
        yield from catch_problems(task.get("Catch", []), service)


def service_of(resource: str) -> str:
    """The service that a task calls: `arn:aws:states:::aws-sdk:s3:deleteObject` calls `aws-sdk:s3`."""
    return resource.rpartition(":::")[2].rpartition(":")[0]


def retrier_problems(retrier: dict[str, Any], service: str) -> Iterator[str]:
    """The problems of one retrier: a field that is not stated, or an error that is not transient."""
    if retrier.keys() != RETRIER:
        yield f"a retrier has exactly {', '.join(sorted(RETRIER))}, not {', '.join(sorted(retrier))}"
        return
    for error in retrier["ErrorEquals"]:
        if error not in TRANSIENT.get(service, set()) | AWAITED.get(service, set()):
            yield f"{error} is not a transient error of {service}"
    if not 1 <= retrier["IntervalSeconds"] <= retrier["MaxDelaySeconds"] <= 60:
        yield "a retrier waits at least a second and at most a minute"
    if not (1 <= retrier["MaxAttempts"] <= 30 and retrier["BackoffRate"] > 1 and retrier["JitterStrategy"] == "FULL"):
        yield "a retrier gives up, backs off and spreads its attempts"


def catch_problems(catchers: list[dict[str, Any]], service: str) -> Iterator[str]:
    """The problems of a task's Catch. It must name errors of its service first, and States.ALL by itself at the end."""
    errors = [error for catcher in catchers for error in catcher["ErrorEquals"]]
    if errors.count("States.ALL") != 1 or catchers[-1]["ErrorEquals"] != ["States.ALL"]:
        yield "its last catcher must be for States.ALL alone"
    for error in errors:
        if error != "States.ALL" and error not in TRANSIENT.get(service, set()) | LASTING.get(service, set()):
            yield f"{error} is not a known error of {service}"
    for catcher in catchers:
        if unknown := catcher.keys() - CATCHER:
            yield f"a catcher has no {', '.join(sorted(unknown))}"


def is_known(error: str) -> bool:
    """Whether the error of a Fail state is one of ours, or is computed by the execution."""
    return error.startswith("{%") or error in error_names(FaceblurError)


def error_names(family: type[FaceblurError]) -> set[str]:
    """The names of all errors of a family."""
    return {family.__name__}.union(*(error_names(each) for each in family.__subclasses__()))


if __name__ == "__main__":
    definitions = {path.name: json.loads(path.read_text()) for path in DEFINITIONS}
    names = list(definitions)
    found = [f"{names[index]}: {problem}" for index, problem in schema_problems(list(definitions.values()))]
    # The other checks assume that the definition fits the schema.
    found = found or [f"{name}: {problem}" for name in names for problem in problems(definitions[name])]
    sys.exit("\n".join(found) or None)
