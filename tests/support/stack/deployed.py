"""A deployed stack, which tests use as any client would: through its API and its outputs."""

from __future__ import annotations

import json
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from faceblur_cli import loopback, project, trace
from faceblur_cli.stack.sam import CODE, DEPLOYED, write_bootstraps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from faceblur_cli.stack.aws import Stack

Seen = TypeVar("Seen")
FAULTS = project.ROOT / "tests/support/stack/faults"
PATIENCE_SECONDS = 90
DAY_SECONDS = 24 * 60 * 60
DETECT = "Detect what to hide"
FAILURE = ["What went wrong?", "Record the failure", "Job failed"]


def eventually(poll: Callable[[], Seen], what: str = "it", seconds: float = PATIENCE_SECONDS) -> Seen:
    """Call `poll` until it returns something truthy, and return that."""
    deadline = time.monotonic() + seconds
    while not (seen := poll()):
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.05)
    return seen


def request(method: str, url: str | httpx.URL, **content: Any) -> httpx.Response:
    """Send a request to a server of the stack. The timeout allows for a cold start on a busy machine."""
    return loopback.request(method, url, timeout=60, **content)


@dataclass
class Deployed:
    """A stack, and the folder for the faults that tests plan."""

    stack: Stack
    plans: Path
    name: str = "faceblur"

    def call(self, method: str, path: str, **content: Any) -> httpx.Response:
        """Ask the API."""
        return request(method, self.stack.api_url + path, **content)

    def create(self, **options: Any) -> dict[str, Any]:
        """Create a job."""
        response = self.call("POST", "/jobs", json=options)
        assert response.status_code == 201, response.text
        created: dict[str, Any] = response.json()
        return created

    def upload(self, job: dict[str, Any], photo: bytes) -> httpx.Response:
        """Post a photo with the job's form."""
        form = job["upload"]
        return request("POST", form["url"], data=form["fields"], files={"file": ("photo", photo)})

    def start(self, photo: bytes, **options: Any) -> str:
        """Create a job and upload its photo. Returns the job's id."""
        job = self.create(**options)
        assert self.upload(job, photo).status_code == 204
        return str(job["job_id"])

    def ended(self, job_id: str) -> dict[str, Any]:
        """The job as the API shows it, once it and its execution have ended."""

        def poll() -> dict[str, Any] | None:
            shown = self.call("GET", f"/jobs/{job_id}").json()
            return shown if shown.get("status") in {"COMPLETED", "FAILED"} else None

        shown = eventually(poll, f"the end of job {job_id}")
        eventually(lambda: self.execution(job_id) in {None, "SUCCEEDED", "FAILED", "ABORTED", "TIMED_OUT"})
        return shown

    def shown(self, job_id: str) -> dict[str, Any]:
        """The job as the API shows it now."""
        answer = self.call("GET", f"/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    def asked(self, job_id: str) -> dict[str, Any]:
        """The job as the API shows it once it waits for a review."""

        def poll() -> dict[str, Any] | None:
            shown = self.shown(job_id)
            assert shown["status"] not in {"COMPLETED", "FAILED"}, shown
            return shown if shown["status"] == "AWAITING_REVIEW" else None

        return eventually(poll, f"the review of job {job_id}")

    def run(self, photo: bytes, **options: Any) -> dict[str, Any]:
        """Run a job for this photo. Returns the job as the API shows it at its end."""
        return self.ended(self.start(photo, **options))

    def execution(self, job_id: str) -> str | None:
        """The status of the job's execution; None if there is none."""
        client = self.stack.client("stepfunctions")
        try:
            return str(client.describe_execution(executionArn=self.execution_arn(job_id))["status"])
        except client.exceptions.ExecutionDoesNotExist:
            return None

    def execution_arn(self, job_id: str) -> str:
        """The ARN of the job's execution."""
        return trace.first_execution(self.stack.outputs["StateMachineArn"], job_id)

    def visits(self, job_id: str) -> list[trace.Visit]:
        """The states that the job's execution went through."""
        client = self.stack.client("stepfunctions")
        return trace.visits(trace.history(client, self.execution_arn(job_id)))

    def path(self, job_id: str) -> list[str]:
        """The names of those states."""
        return [visit.state for visit in self.visits(job_id)]

    def row(self, job_id: str) -> dict[str, Any] | None:
        """The job's row."""
        table, key = self.stack.outputs["JobsTableName"], {"job_id": {"S": job_id}}
        item: dict[str, Any] | None = self.stack.client("dynamodb").get_item(TableName=table, Key=key).get("Item")
        return item

    def objects(self, job_id: str) -> list[str]:
        """The keys of everything in S3 that belongs to the job."""
        listed = self.stack.client("s3").list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return [entry["Key"] for entry in listed if job_id in entry["Key"]]

    @contextmanager
    def spent(self, dollars: str, client: str = "") -> Iterator[None]:
        """Record this sum as spent by all clients or by this one, for today and, as midnight may pass, for tomorrow."""
        table, dynamodb = self.stack.outputs["JobsTableName"], self.stack.client("dynamodb")
        days = [time.strftime("%Y-%m-%d", time.gmtime(moment)) for moment in (time.time(), time.time() + DAY_SECONDS)]
        keys = [{"job_id": {"S": f"spent on {day}" + (f" by {client}" if client else "")}} for day in days]
        update = {"TableName": table, "UpdateExpression": "SET spent = :spent"}
        before = [dynamodb.get_item(TableName=table, Key=key).get("Item", {}).get("spent", {"N": "0"}) for key in keys]
        microdollars = {"N": str(int(Decimal(dollars) * 1_000_000))}
        for key in keys:
            dynamodb.update_item(**update, Key=key, ExpressionAttributeValues={":spent": microdollars})
        try:
            yield
        finally:
            for key, amount in zip(keys, before, strict=True):
                dynamodb.update_item(**update, Key=key, ExpressionAttributeValues={":spent": amount})

    @property
    def bucket(self) -> str:
        """The bucket of photos."""
        return self.stack.outputs["PhotoBucketName"]

    def plan(self, job_id: str, function: str, *steps: dict[str, Any]) -> None:
        """Plan steps for the next calls of a function for this job. Each call does one step before its work."""
        (self.plans / f"{job_id}.{function}").write_text("".join(json.dumps(step) + "\n" for step in steps))


def assert_failed(stack: Deployed, job: dict[str, Any], code: str, path: list[str] | None = None) -> None:
    """Assert that the job failed with this code in its row, the API and its execution, and has left nothing."""
    row = stack.row(job["job_id"])
    assert row is not None
    assert (job["status"], job["error"]["code"]) == ("FAILED", code)
    assert (row["status"]["S"], row["error"]["M"]["code"]["S"]) == ("FAILED", code)
    assert job["error"]["message"].endswith(".")
    assert "result" not in job
    if path:
        assert stack.path(job["job_id"]) == path
        execution = stack.stack.client("stepfunctions").describe_execution(
            executionArn=stack.execution_arn(job["job_id"])
        )
        assert (execution["error"], execution["cause"]) == (code, job["error"]["message"])
    eventually(lambda: stack.objects(job["job_id"]) == [], "the erasure of a failed job's photos")


def function_name(stack: Deployed, logical_id: str) -> str:
    """The name that a function of the template has in the stack."""
    resources = stack.stack.client("cloudformation").describe_stack_resources(StackName=stack.name)
    return str(
        next(r for r in resources["StackResources"] if r["LogicalResourceId"] == logical_id)["PhysicalResourceId"]
    )


# For an emulator that no test restarts: it keeps nothing on the disk, and waiting before a retry takes no time.
NEVER_RESTARTED = {"SFN_WAIT_SCALE": "0", "PERSIST_STATE": "0", "S3_PERSIST": "0"}


@contextmanager
def with_faults(plans: Path, **environment: str) -> Iterator[Path]:
    """A folder that can be deployed. Its functions do the steps that tests plan in `plans`.

    It lies beside the build. In place of the functions' code it has only a `bootstrap`, which runs the built code where
    it lies, so that a deployment has next to nothing to upload.
    """
    with tempfile.TemporaryDirectory(dir=project.BUILD.parent, prefix="build-") as name:
        folder, uploaded = Path(name), "Functions"
        (code,) = project.BUILD.glob("*Function*")
        (folder / uploaded).mkdir()
        (folder / "OnnxLayer").symlink_to(project.BUILD / "OnnxLayer")
        template = (project.BUILD / DEPLOYED).read_text()
        (folder / DEPLOYED).write_text(template.replace(f'"{CODE}"', f'"{uploaded}"'))
        # The bytecode goes elsewhere, because the built folder holds what a function's package has, and nothing else.
        environment |= {"FAULT_PLANS": str(plans), "PYTHONPYCACHEPREFIX": str(project.BUILD.parent / "bytecode")}
        write_bootstraps(folder, "faults.handler", f"{code}:{FAULTS}", environment)
        yield folder
