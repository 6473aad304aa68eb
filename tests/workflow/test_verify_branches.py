"""The cases that `make verify-cloud` tries by TestState, in the embedded AWS's machine over mocked results.

Its own TestState ignores variables. So each state gets a machine of its own, which assigns them and goes no further
than to the next state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from check_definition import successors

from benchmarks.verify_cloud.branches import CASES, CASES_OF_TWO_DETECTORS, RETRIED, Case, input_of, variables_of
from tests.support.mocked_results import MockedMachine, returns, throws
from tests.support.sources import state_machine

if TYPE_CHECKING:
    from faceblur_cli.stack.aws import Stack

STATES = state_machine()["States"]
GIVEN = "Given"
ALL = CASES + CASES_OF_TWO_DETECTORS


def name_of(case: Case) -> str:
    return f"{case.state} {case.error[0] if case.error else case.input or case.variables} {case.next}"


def around(case: Case) -> dict[str, Any]:
    """A machine that visits the state of this case alone."""
    given = {"Type": "Pass", "Assign": variables_of(case), "Output": input_of(case), "Next": case.state}
    ends = {name: {"Type": "Succeed"} for name in successors(STATES[case.state])}
    states = {GIVEN: given} | ends | {case.state: STATES[case.state]}
    return {"QueryLanguage": "JSONata", "StartAt": GIVEN, "States": states}


@pytest.mark.parametrize("case", [case for case in ALL if case.status != RETRIED], ids=name_of)
def test_a_state_leads_where_it_must(mocked: Stack, case: Case):
    given = throws(*case.error) if case.error else returns(case.result)
    results = {case.state: [given]} if STATES[case.state]["Type"] == "Task" else {}
    assert MockedMachine(mocked, around(case)).run({}, results).path == [GIVEN, case.state, case.next]


@pytest.mark.parametrize("case", [case for case in ALL if case.status == RETRIED], ids=name_of)
def test_an_error_is_one_that_the_state_tries_again(case: Case):
    assert case.error
    assert any(case.error[0] in retrier["ErrorEquals"] for retrier in STATES[case.state]["Retry"])


def test_every_choice_has_a_case_for_each_of_its_ways():
    choices = {name: set(successors(state)) for name, state in STATES.items() if state["Type"] == "Choice"}
    tried = {name: {case.next for case in ALL if case.state == name} for name in choices}
    assert tried == choices
