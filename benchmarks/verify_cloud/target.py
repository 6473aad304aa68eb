"""The stack that is verified: how it is deployed, asked and removed."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
import httpx

from benchmarks.verify_cloud.steps import must
from faceblur_cli import project, removal, trace
from faceblur_cli.failures import Failure
from faceblur_cli.stack import sam
from faceblur_cli.waiting import wait_until
from faceblur_client import Client

if TYPE_CHECKING:
    from collections.abc import Callable

    from faceblur_cli.removal import Thing

# Forms expire soon, so that one can be tried afterwards. A cold start takes a few seconds of this.
UPLOAD_SECONDS = 30
# The parameters that the report shows.
_SHOWN = ("FaceDetector", "PythonRuntime", "Architecture")
_REQUEST_SECONDS = 60
_WAIT_SECONDS = 5 * 60


@dataclass
class Target:
    """A stack with a name of its own, in the account of the environment's credentials.

    `jobs` has the id of each job by what it tries, and `receipts` the receipt of each completed one. `is_ours` tells
    whether this run has begun to create the stack.
    """

    name: str
    clients: Callable[[str], Any] = boto3.client
    outputs: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    things: list[Thing] = field(default_factory=list)
    jobs: dict[str, str] = field(default_factory=dict)
    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)
    is_ours: bool = False

    @property
    def endpoint(self) -> str | None:
        """The address of the embedded AWS; None in the cloud."""
        return os.environ.get("AWS_ENDPOINT_URL")

    def deploy(self, say: Callable[[str], None]) -> str:
        """Deploy the stack as people do: with `make deploy` in the cloud, else as `faceblur up` does.

        Raises Wrong if there is a stack of this name, which then stays as it is.
        """
        must(not self.exists(), f"there is a stack {self.name} already, of somebody else")
        self.is_ours = True
        if self.endpoint:
            sam.build(say)
            sam.deploy(self.endpoint, stack_name=self.name, parameters=[f"UploadSeconds={UPLOAD_SECONDS}"])
        else:
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                file.write(_parameters())
                file.flush()
                _make("deploy", f"STACK={self.name}", f"PARAMETERS={file.name}", "CI=yes")
        cloudformation = self.clients("cloudformation")
        described = cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
        self.things = removal.things_of(cloudformation, self.name)
        self.parameters = {given["ParameterKey"]: given["ParameterValue"] for given in described["Parameters"]}
        shown = ", ".join(f"{name}={self.parameters[name]}" for name in _SHOWN)
        return f"{described['StackStatus']}, {len(self.things)} resources, {shown}"

    def exists(self) -> bool:
        """Whether there is a stack of this name already."""
        return bool(removal.find_stack(self.clients("cloudformation"), self.name))

    def remove(self) -> str:
        """Delete the stack with all that it holds, if this run made it; sees that nothing is left of it."""
        if not self.is_ours:
            return "nothing was made"
        left = removal.remove_stack(self.name, self.clients)
        must(not left, f"left: {', '.join(f'{thing.kind} {thing.name}' for thing in left)}")
        return f"{len(self.things)} resources are gone"

    def of_kind(self, kind: str) -> list[Thing]:
        """What the stack has of a type of CloudFormation."""
        return [thing for thing in self.things if thing.kind == kind]

    @property
    def api(self) -> Client:
        """A client of the API. Raises Failure if the stack is not deployed."""
        if "ApiUrl" not in self.outputs:
            raise Failure("the stack is not deployed")
        return Client(self.outputs["ApiUrl"])

    def request(self, method: str, path: str) -> httpx.Response:
        """Ask the API for what its client does not have."""
        return httpx.request(method, self.outputs["ApiUrl"] + path, timeout=_REQUEST_SECONDS)

    def reaches(self, job_id: str, status: str) -> dict[str, Any]:
        """Wait until the job has this status; gives the job. Raises Failure after five minutes."""

        def reached() -> dict[str, Any] | None:
            job = self.api.get_job(job_id)
            return job if job["status"] == status else None

        return wait_until(reached, _WAIT_SECONDS, f"the job did not become {status}", poll_seconds=0.5)

    def execution(self, job_id: str) -> dict[str, Any]:
        """The job's execution."""
        return trace.last_execution(self.clients("stepfunctions"), self.outputs["StateMachineArn"], job_id)

    def visits(self, job_id: str) -> list[trace.Visit]:
        """The states that the job's execution went through."""
        stepfunctions = self.clients("stepfunctions")
        return trace.visits(trace.history(stepfunctions, self.execution(job_id)["executionArn"]))

    def objects(self, job_id: str) -> list[str]:
        """The keys of everything in S3 that belongs to the job."""
        listed = self.clients("s3").list_objects_v2(Bucket=self.outputs["PhotoBucketName"])
        return [entry["Key"] for entry in listed.get("Contents", []) if job_id in entry["Key"]]


def _parameters() -> str:
    """The file of parameters: what the file PARAMETERS says, if there is one, but forms that expire soon."""
    given = os.environ.get("PARAMETERS")
    lines = (project.ROOT / given).read_text().splitlines() if given else []
    others = [line for line in lines if not line.startswith("UploadSeconds")]
    return "\n".join([*others, f"UploadSeconds: {UPLOAD_SECONDS}", ""])


def _make(target: str, *variables: str) -> None:
    """Run a target of the Makefile. Raises Wrong if it fails."""
    # Not the variables of the make that started this: they would count more.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", target, *variables]
    with subprocess.Popen(command, cwd=project.ROOT, env=environment, start_new_session=True) as make:
        try:
            code = make.wait()
        except BaseException:
            # Also kill what make started: a deployment that lives on would come after the deletion.
            with suppress(ProcessLookupError):
                os.killpg(make.pid, signal.SIGKILL)
            raise
    must(code == 0, f"make {target} ended with exit code {code}; its output says why")
