"""`make lint` accepts the definition of the state machine, and refuses it as soon as one thing in it is broken."""

from __future__ import annotations

import json
import runpy
import shutil
from collections.abc import Callable
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from check_definition import DEFINITIONS, expression_problems, expressions_in, problems, schema_problems

from tests.support.sources import ROOT, state_machine

if TYPE_CHECKING:
    from pathlib import Path

TASK = "Delete the original"
CHOICE = "Was something missed?"


def task(machine: dict[str, Any]) -> dict[str, Any]:
    return machine["States"][TASK]


def retrier(machine: dict[str, Any]) -> dict[str, Any]:
    return task(machine)["Retry"][0]


def catchers(machine: dict[str, Any]) -> list[dict[str, Any]]:
    return task(machine)["Catch"]


Breaks = dict[str, tuple[Callable[[dict[str, Any]], Any], str]]

# Each break changes the definition; the text is part of what the check says then.
AGAINST_THE_SCHEMA: Breaks = {
    "a state without a type": (lambda machine: task(machine).pop("Type"), "'Type' is a required property"),
    "a field that no state has": (lambda machine: task(machine).update(Timeout=1), "'Timeout' was unexpected"),
    "a state that neither goes on nor ends": (lambda machine: task(machine).pop("Next"), "['Next', 'End']"),
    "a first state that does not exist": (lambda machine: machine.update(StartAt="Start"), "'Start'"),
    "a choice that leads nowhere": (
        lambda machine: machine["States"][CHOICE]["Choices"][0].pop("Next"),
        "'Next' is a required property",
    ),
    "a catcher that leads nowhere": (lambda machine: catchers(machine)[0].pop("Next"), "'Next' is a required property"),
}
AGAINST_OUR_OWN_RULES: Breaks = {
    "a field of JSONPath": (lambda machine: task(machine).update(ResultPath=None), "ResultPath belongs to JSONPath"),
    "a next state that does not exist": (lambda machine: task(machine).update(Next="Stop"), "'Stop' does not exist"),
    "a state that no path reaches": (
        lambda machine: machine["States"].update({"Lonely": {"Type": "Succeed"}}),
        "Lonely: no path leads to this state",
    ),
    "a machine without a timeout": (lambda machine: machine.pop("TimeoutSeconds"), "the state machine needs"),
    "a task without a timeout": (lambda machine: task(machine).pop("TimeoutSeconds"), "needs TimeoutSeconds"),
    "a task that outlasts the machine": (
        lambda machine: task(machine).update(TimeoutSeconds=machine["TimeoutSeconds"]),
        "shorter than the state machine's",
    ),
    "a retry of an error with a typing error": (
        lambda machine: retrier(machine)["ErrorEquals"].append("S3.S3Exeption"),
        "S3.S3Exeption is not a transient error of aws-sdk:s3",
    ),
    "a retry of another service's error": (
        lambda machine: retrier(machine)["ErrorEquals"].append("Lambda.ServiceException"),
        "Lambda.ServiceException is not a transient error of aws-sdk:s3",
    ),
    "a retry of every error": (
        lambda machine: retrier(machine).update(ErrorEquals=["States.ALL"]),
        "States.ALL is not a transient error of aws-sdk:s3",
    ),
    "a retry of a lasting error": (
        lambda machine: machine["States"]["Hide what was found"]["Retry"][0]["ErrorEquals"].append("CorruptImage"),
        "CorruptImage is not a transient error of lambda",
    ),
    "an error that is retried twice": (
        lambda machine: task(machine)["Retry"].append(deepcopy(retrier(machine))),
        "S3.S3Exception is retried twice",
    ),
    "a retrier without jitter": (lambda machine: retrier(machine).pop("JitterStrategy"), "a retrier has exactly"),
    "a retrier that waits too long": (lambda machine: retrier(machine).update(MaxDelaySeconds=61), "at most a minute"),
    "a retrier that never gives up": (lambda machine: retrier(machine).update(MaxAttempts=99), "a retrier gives up"),
    "a task that catches nothing": (lambda machine: task(machine).pop("Catch"), "last catcher"),
    "a task that does not catch everything": (
        lambda machine: catchers(machine)[0].update(ErrorEquals=["S3.S3Exception"]),
        "last catcher",
    ),
    "a catcher with a field it cannot have": (
        lambda machine: catchers(machine)[0].update(ResultPath="$"),
        "a catcher has no ResultPath",
    ),
    "a catcher of an unknown error": (
        lambda machine: catchers(machine).insert(0, {"ErrorEquals": ["NotAnError"], "Next": "Job failed"}),
        "NotAnError is not a known error of aws-sdk:s3",
    ),
    "a failure with an unknown error": (
        lambda machine: machine["States"]["No job waits for this photo"].update(Error="NotAnError"),
        "the error NotAnError is unknown",
    ),
}


# What engines of JSONata understand differently, and part of what the check says then.
NOT_PLAIN = {
    "$states.result.faces ?: 0": "neither ?: nor ??",
    "$states.result.faces ? : 0": "neither ?: nor ??",
    "$states.result.faces ?? 0": "neither ?: nor ??",
    "$append($warnings, 'Dark')": "$append is not one of the functions",
    "$filter($warnings, function($each) { $each = 'Dark' })": "$filter is not one of the functions",
    "$eval('1')": "$eval is not one of the functions",
    "$not($match($key, /a/))": "$match is not one of the functions",
    "$random()": "$random is not one of the functions",
    "$warnings[$ = 'Dark']": "a filter gives a single item",
    "$warnings[0]": "a filter gives a single item",
    "$parse($text)[faces > 0]": "a filter gives a single item",
    "$states.result.stages[$.faces > 0].name": "a filter gives a single item",
    "$boxes = null": "'n' begins something",
    "faces": "'f' begins something",
    '$options.review = "always"': "'\"' begins something",
    "$warnings ~> $distinct": "'~' begins something",
    "$stages^(round)": "'^' begins something",
    "$stages{name: round}": "'{' begins something",
    "$stages.%": "'.' begins something",
}
PLAIN = [
    "[$warnings[$not($ in ['Dark', 'Blurred'])]]",
    "[$stages, $states.result.Payload.stage]",
    "$exists($row.decision.S) ? $row.decision.S : ''",
    "$max([1, $floor(${ReviewHours} * 3600 - $millis() / 1000)])",
    "'${FaceDetector}' = 'both' and $not($options.require_all_detectors)",
    "$parse($states.input.Cause).errorMessage",
    "'what is in quotes ?? is [a] /text/ $eval(it)' & $name",
]


@pytest.mark.parametrize("expression", NOT_PLAIN)
def test_an_expression_that_engines_read_differently_is_refused(expression: str) -> None:
    machine = broken(lambda machine: machine["States"][CHOICE]["Choices"][0].update(Condition=f"{{% {expression} %}}"))
    (problem, *_) = problems(machine)
    assert problem.startswith(f"{CHOICE}: ")
    assert NOT_PLAIN[expression] in "\n".join(problems(machine))


@pytest.mark.parametrize("expression", PLAIN)
def test_a_plain_expression_is_accepted(expression: str) -> None:
    assert list(expression_problems(expression)) == []


def test_every_expression_of_the_definition_is_looked_at() -> None:
    found = list(expressions_in(state_machine()))
    assert len(found) == json.dumps(state_machine()).count("{%") > 50


def broken(break_it: Callable[[dict[str, Any]], Any], machine: dict[str, Any] | None = None) -> dict[str, Any]:
    machine = deepcopy(machine or state_machine())
    break_it(machine)
    return machine


def short() -> dict[str, Any]:
    """The definition with some of its states alone, because the linter takes long for all of them."""
    machine = state_machine()
    states = {name: machine["States"][name] for name in (TASK, CHOICE, "Job failed")}
    return machine | {"StartAt": TASK, "States": states}


@pytest.fixture(scope="module")
def schema_complaints() -> dict[str, str]:
    """The messages about each definition that breaks the schema."""
    names = ["nothing", *AGAINST_THE_SCHEMA]
    machines = [short(), *(broken(break_it, short()) for break_it, _ in AGAINST_THE_SCHEMA.values())]
    complaints = dict.fromkeys(names, "")
    for index, complaint in schema_problems(machines):
        complaints[names[index]] += complaint
    return complaints


def test_what_is_broken_was_in_order(schema_complaints: dict[str, str]) -> None:
    assert schema_complaints["nothing"] == ""


@pytest.mark.parametrize("name", AGAINST_THE_SCHEMA)
def test_a_definition_against_the_schema_is_refused(name: str, schema_complaints: dict[str, str]) -> None:
    assert AGAINST_THE_SCHEMA[name][1] in schema_complaints[name]


@pytest.mark.parametrize("name", AGAINST_OUR_OWN_RULES)
def test_a_definition_against_our_own_rules_is_refused(name: str) -> None:
    break_it, message = AGAINST_OUR_OWN_RULES[name]
    assert message in "\n".join(problems(broken(break_it)))


def test_the_definitions_are_accepted() -> None:
    machines = [state_machine(path.name.removesuffix(".asl.json")) for path in DEFINITIONS]
    assert list(schema_problems(machines)) == []
    assert [problem for machine in machines for problem in problems(machine)] == []


@pytest.mark.parametrize(("field", "complaint"), [("TimeoutSeconds", "it needs TimeoutSeconds"), ("Next", "'Next'")])
def test_a_broken_definition_fails_the_command(tmp_path: Path, field: str, complaint: str) -> None:
    machine = broken(lambda machine: task(machine).pop(field), short())
    (tmp_path / "broken.asl.json").write_text(json.dumps(machine))
    shutil.copy(ROOT / "statemachine/check_definition.py", tmp_path)
    # In this process, because another one would take a second to import the linter.
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(tmp_path / "check_definition.py"), run_name="__main__")
    # Python prints a text and ends the process with 1.
    assert isinstance(ended.value.code, str)
    assert "broken.asl.json: " in ended.value.code
    assert complaint in ended.value.code
