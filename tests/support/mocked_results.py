"""Executions of a state machine over mocked task results.

The embedded AWS takes the mock configuration of AWS's Step Functions Local: a test case says what each task returns or
throws, visit by visit. No task runs, so a case takes a fraction of a second and needs neither a build nor a deployment.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from faceblur_cli import trace
from tests.support.stack.deployed import eventually, request

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from faceblur_cli.stack.aws import Stack

_SECONDS = 30


def returns(result: Any) -> dict[str, Any]:
    """A task that succeeds with this result."""
    return {"Return": result}


def throws(error: str, cause: str = "mocked") -> dict[str, Any]:
    """A task that fails with this error each time it is tried."""
    return {"Throw": {"Error": error, "Cause": cause}}


@dataclass(frozen=True)
class MockedExecution:
    """An execution that has ended."""

    status: str
    error: str | None
    cause: str | None
    visits: list[trace.Visit]
    variables: dict[str, Any]

    @property
    def path(self) -> list[str]:
        """The names of the states that it went through."""
        return [visit.state for visit in self.visits]


class MockedMachine:
    """A state machine in the embedded AWS whose tasks return the results of a test."""

    def __init__(
        self, stack: Stack, definition: dict[str, Any], variables: Iterable[str] = (), detector: str = "both"
    ) -> None:
        """Create the machine of a deployment with this detector. Other placeholders get names of missing resources.

        The output of a successful execution has these variables. The embedded AWS takes no output from a Succeed state,
        so a Pass state replaces it.
        """
        last = {"Type": "Pass", "Output": {name: f"{{% ${name} %}}" for name in variables}, "End": True}
        states = {name: last if state["Type"] == "Succeed" else state for name, state in definition["States"].items()}
        definition = definition | {"States": states}
        self._endpoint, self._client = stack.endpoint, stack.client("stepfunctions")
        self._name = f"mocked-{uuid4().hex}"
        role = stack.client("iam").create_role(RoleName=self._name, AssumeRolePolicyDocument="{}")["Role"]
        values = {"ReviewHours": "20", "FaceDetector": detector}
        self._arn = self._client.create_state_machine(
            name=self._name,
            definition=re.sub(r"\$\{(\w+)\}", lambda found: values.get(found[1], found[1]), json.dumps(definition)),
            roleArn=role["Arn"],
        )["stateMachineArn"]

    def run(self, execution_input: Any, results: Mapping[str, list[dict[str, Any]]]) -> MockedExecution:
        """Run an execution in which each task returns its results, one for each visit.

        Fails the test if a task is visited more or less often than it has results.
        """
        self._configure(results)
        started = self._client.start_execution(stateMachineArn=f"{self._arn}#case", input=json.dumps(execution_input))

        def finished() -> Any:
            execution = self._client.describe_execution(executionArn=started["executionArn"])
            return execution if execution["status"] != "RUNNING" else None

        ended = eventually(finished, "the end of the execution", _SECONDS)
        visits = trace.visits(trace.history(self._client, started["executionArn"]))
        visited = Counter(visit.state for visit in visits if visit.kind == "Task")
        assert visited == {state: len(of_state) for state, of_state in results.items()}
        return MockedExecution(
            status=ended["status"],
            error=ended.get("error"),
            cause=ended.get("cause"),
            visits=visits,
            variables=json.loads(ended.get("output", "{}")),
        )

    def _configure(self, results: Mapping[str, list[dict[str, Any]]]) -> None:
        mocked = {
            "StateMachines": {self._name: {"TestCases": {"case": {state: state for state in results}}}},
            "MockedResponses": {
                state: {str(visit): result for visit, result in enumerate(of_state)}
                for state, of_state in results.items()
            },
        }
        settings = {"stepfunctions._sfn_mock_config": mocked}
        request("POST", f"{self._endpoint}/_ministack/config", json=settings).raise_for_status()
