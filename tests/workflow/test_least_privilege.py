"""Every grant of every function is needed: without it, one of the function's uses fails.

The embedded AWS checks every call of a function against its role. Each test uses a function in all its ways. Then it
removes one action on one resource at a time from the role, and expects that a use fails. Grants for a customer's own
key and for Rekognition are not deployed here; the template's tests check those.
"""

from __future__ import annotations

import json
import secrets
import time
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from faceblur.jobs.batches import photo_id
from faceblur.jobs.events import SOURCE
from faceblur.observability import digest_of_id
from faceblur.options import JobOptions
from tests.support.pictures.photos import blank
from tests.support.sources import template
from tests.support.stack.deployed import Deployed, eventually, function_name, request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from tests.support.standins.issuer import Issuer
    from tests.support.standins.receiver import Receiver

NO_PHOTO = b"not a photo at all"
PHOTO = blank(64, 64)
PHOTO_DIGEST = {"sha256": sha256(PHOTO).hexdigest(), "bytes": len(PHOTO)}
DAY = 24 * 60 * 60


class Roles:
    """A stack without deliveries from its queues, so that tests call its functions one by one."""

    def __init__(self, deployed: Deployed, issuer: Issuer, receiver: Receiver) -> None:
        self.deployed, self.issuer, self.receiver = deployed, issuer, receiver
        self.client = deployed.stack.client
        self.owner = ""
        self.ends = queue_on_the_bus(deployed)
        self._run: tuple[str, str] | None = None
        self._names: dict[str, str] = {}

    # ---- what the functions find

    def job(self, status: str, **changes: Any) -> str:
        """Write the row of a job in progress. Returns its id."""
        job_id, now = secrets.token_hex(16), int(time.time())
        row = {
            "job_id": {"S": job_id},
            "status": {"S": status},
            "options": {"S": json.dumps(JobOptions().model_dump())},
            "owner": {"S": self.owner},
            "created_at": {"N": str(now)},
            "upload_expires_at": {"N": str(now + 300)},
            "expires_at": {"N": str(now + DAY)},
        }
        if status != "AWAITING_UPLOAD":
            row["execution_arn"] = {"S": self.execution(job_id)}
        self.client("dynamodb").put_item(TableName=self.deployed.stack.outputs["JobsTableName"], Item=row | changes)
        return job_id

    def execution(self, job_id: str) -> str:
        """The ARN of a job's first execution, which does not exist."""
        return self.deployed.execution_arn(job_id)

    def batch(
        self, status: str = "RUNNING", batch_id: str = "", execution: str = "", source: str = "in/", **changes: Any
    ) -> str:
        """Write the row of a batch of uploads, or of the photos below another `source`. Returns its id."""
        batch_id, now = batch_id or secrets.token_hex(16), int(time.time())
        asked = {
            "options": JobOptions().model_dump(),
            "source": {
                "bucket": self.deployed.bucket,
                "prefix": f"batches/{batch_id}/{source}",
                "kind": "prefix",
                "list": "",
            },
            # The stack has no bucket for results. This is a place to which deliver_photo may write.
            "target": {"bucket": self.deployed.bucket, "prefix": f"batches/{batch_id}/lines/result-"},
            "receipts": True,
            "tolerated": 50.0,
        }
        row = {
            "job_id": {"S": f"batch {batch_id}"},
            "status": {"S": status},
            "request": {"S": json.dumps(asked)},
            "owner": {"S": self.owner},
            "created_at": {"N": str(now)},
            "expires_at": {"N": str(now + DAY)},
            "starts": {"N": "1"},
            "started_at": {"N": str(now)},
            "execution_arn": {"S": execution or self.execution_of_a_batch(batch_id)},
        }
        self.client("dynamodb").put_item(TableName=self.deployed.stack.outputs["JobsTableName"], Item=row | changes)
        return batch_id

    def execution_of_a_batch(self, batch_id: str) -> str:
        """The ARN of a batch's first execution."""
        machine = self.deployed.stack.outputs["BatchMachineArn"]
        return f"{machine.replace(':stateMachine:', ':execution:')}:{batch_id}-1"

    def run(self) -> tuple[str, str]:
        """Start a batch of one photo, and stop its execution. Returns the batch's id and the execution's ARN."""
        if self._run is None:
            created = self.ask("POST", "/batches").json()
            batch_id = created["batch_id"]
            execution, go = self.execution_of_a_batch(batch_id), self.deployed.plans / "go"
            self.deployed.plan(
                photo_id(f"{batch_id}-1", f"batches/{batch_id}/in/photo"), "detect", {"wait_for": str(go)}
            )
            assert self.deployed.upload(created, NO_PHOTO).status_code == 204
            assert self.ask("POST", f"/batches/{batch_id}/start").status_code == 202
            sfn = self.client("stepfunctions")
            eventually(lambda: sfn.list_map_runs(executionArn=execution)["mapRuns"])
            sfn.stop_execution(executionArn=execution)
            eventually(lambda: self.ask("GET", f"/batches/{batch_id}").json()["status"] == "STOPPED")
            go.touch()
            self._run = batch_id, execution
        return self._run

    def line(self, batch_id: str, job_id: str) -> str:
        """Store the line of a photo of a batch that is done. Returns its key."""
        key = f"batches/{batch_id}/in/photo.jpg"
        line = {
            "key": key,
            "job_id": job_id,
            "status": "COMPLETED",
            "code": "",
            "hidden": {"face": 0, "plate": 0, "text": 0},
            "warnings": [],
        }
        stored = f"batches/{batch_id}/lines/{photo_id(batch_id, key)}.json"
        self.store(stored, json.dumps(line | {"result": "", "usd": 0.0}).encode())
        return stored

    def store(self, key: str, data: bytes = NO_PHOTO) -> None:
        """Store an object as the functions store a result."""
        digest = {"sha256": sha256(data).hexdigest()}
        self.client("s3").put_object(Bucket=self.deployed.bucket, Key=key, Body=data, Metadata=digest)

    def stored(self, key: str) -> bool:
        return key in self.keys(key)

    def keys(self, prefix: str) -> list[str]:
        listed = self.client("s3").list_objects_v2(Bucket=self.deployed.bucket, Prefix=prefix)
        return [entry["Key"] for entry in listed.get("Contents", [])]

    # ---- calling them

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """The answer of a function, or the name of the error that it raised."""
        if function not in self._names:
            self._names[function] = function_name(self.deployed, function)
        answer = self.client("lambda").invoke(FunctionName=self._names[function], Payload=json.dumps(event))
        payload = json.loads(answer["Payload"].read())
        return payload["errorType"] if "FunctionError" in answer else payload

    def ask(self, method: str, path: str, fields: dict[str, Any] | None = None) -> httpx.Response:
        """Ask the API, signed in."""
        headers = {"Authorization": f"Bearer {self.issuer.token('dora')}"}
        return self.deployed.call(method, path, headers=headers, json=fields or {})

    def told(self, job_or_batch_id: str) -> bool:
        """Whether the bus got the event of this job or batch since the last call."""
        sqs, digest = self.client("sqs"), digest_of_id(job_or_batch_id)
        told = []
        while messages := sqs.receive_message(QueueUrl=self.ends, MaxNumberOfMessages=10).get("Messages"):
            told += [json.loads(message["Body"])["detail"] for message in messages]
            for message in messages:
                sqs.delete_message(QueueUrl=self.ends, ReceiptHandle=message["ReceiptHandle"])
        return any(digest in (detail.get("job"), detail.get("batch")) for detail in told)

    # ---- what they may

    @contextmanager
    def without(self, function: str, action: str, resource: str) -> Iterator[None]:
        """Remove one action on one resource from a function's role."""
        iam, role = self.client("iam"), function_name(self.deployed, f"{function}Role")
        ((name, document),) = self.policies(function).items()
        kept = [grant for grant in grants(document) if (grant["Action"], grant["Resource"]) != (action, resource)]
        changed = json.dumps({"Version": "2012-10-17", "Statement": kept})
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=changed)
        try:
            yield
        finally:
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))

    def policies(self, function: str) -> dict[str, Any]:
        """The policies of a role that the template wrote."""
        iam, role = self.client("iam"), function_name(self.deployed, f"{function}Role")
        names = iam.list_role_policies(RoleName=role)["PolicyNames"]
        return {name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names}


def grants(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The statements of a policy, each of one action on one resource."""
    return [
        statement | {"Action": action, "Resource": resource}
        for statement in document["Statement"]
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    ]


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def queue_on_the_bus(deployed: Deployed) -> str:
    """The address of a queue that gets the events of the stack's bus."""
    events, sqs = deployed.stack.client("events"), deployed.stack.client("sqs")
    queue = sqs.create_queue(QueueName="ends-by-role")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"source": [SOURCE], "detail": {"stack": [deployed.name]}}
    events.put_rule(Name="ends-by-role", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="ends-by-role", Targets=[{"Id": "ends", "Arn": arn}])
    return str(queue)


@pytest.fixture(scope="module")
def roles(deployed_with_sign_in: Deployed, issuer: Issuer, receiver: Receiver) -> Iterator[Roles]:
    made = Roles(deployed_with_sign_in, issuer, receiver)
    lambda_ = made.client("lambda")
    sources = [
        source["UUID"]
        for function in ("StartWorkflowFunction", "FailUploadFunction", "FailJobFunction", "SendWebhookFunction")
        for source in lambda_.list_event_source_mappings(FunctionName=function_name(deployed_with_sign_in, function))[
            "EventSourceMappings"
        ]
    ]
    for source in sources:
        lambda_.update_event_source_mapping(UUID=source, Enabled=False)
    created = made.ask("POST", "/jobs").json()["job_id"]
    row = deployed_with_sign_in.row(created)
    assert row is not None
    made.owner = row["owner"]["S"]
    yield made
    for queue in ("UploadQueueUrl", "FailedUploadsQueueUrl", "FailedExecutionsQueueUrl", "WebhookQueueUrl"):
        made.client("sqs").purge_queue(QueueUrl=deployed_with_sign_in.stack.outputs[queue])
    for source in sources:
        lambda_.update_event_source_mapping(UUID=source, Enabled=True)


# ---------------------------------------------------------------- the ways in which each function is used


def creates_a_job(roles: Roles) -> None:
    created = roles.ask("POST", "/jobs")
    assert created.status_code == 201
    assert roles.deployed.upload(created.json(), NO_PHOTO).status_code == 204


def creates_a_job_with_a_decision(roles: Roles) -> None:
    place = {"left": 0.1, "top": 0.1, "width": 0.1, "height": 0.1}
    assert roles.ask("POST", "/jobs", {"hide": [place]}).status_code == 201


def draft_under(key: str) -> dict[str, Any]:
    """A draft, or a result, as the state machine and the row describe it."""
    size = {"bytes": 1, "width": 1, "height": 1}
    return {"key": key, "content_type": "image/jpeg", **size, "stripped": [], "kept_metadata": []}


def shows_a_job_and_its_links(roles: Roles) -> None:
    job_id = secrets.token_hex(16)
    result, receipt = f"results/{job_id}.0a.jpg", f"receipts/{job_id}.json"
    outcome = {
        "hidden": {"face": 0, "plate": 0, "text": 0},
        "missed_at_first": 0,
        "check_rounds": 1,
        "kept": {"face": 0, "plate": 0, "text": 0},
        "reviewed": False,
        "warnings": [],
        "receipt": receipt,
        "result": draft_under(result),
    }
    for key in (result, receipt):
        roles.store(key)
    shown = roles.ask("GET", f"/jobs/{roles.job('COMPLETED', outcome={'S': json.dumps(outcome)})}")
    assert shown.status_code == 200
    for linked in ("result", "receipt"):
        assert request("GET", shown.json()[linked]["url"]).status_code == 200


def in_review(roles: Roles) -> str:
    """A job that waits for a review of no boxes, with a token that no execution has."""
    boxes, preview = f"boxes/{secrets.token_hex(16)}.0a.json", f"previews/{secrets.token_hex(16)}.0a.jpg"
    store_no_boxes(roles, boxes)
    roles.store(preview)
    return roles.job(
        "AWAITING_REVIEW",
        review_token={"S": "token"},
        review_boxes={"S": json.dumps({"key": boxes, "count": 0})},
        preview={"S": json.dumps({"key": preview, "width": 1, "height": 1})},
        review_expires_at={"N": str(int(time.time()) + 300)},
    )


def shows_what_a_reviewer_needs(roles: Roles) -> None:
    shown = roles.ask("GET", f"/jobs/{in_review(roles)}").json()
    assert shown["review"]["boxes"] == []
    assert request("GET", shown["review"]["preview"]["url"]).status_code == 200


def takes_the_answer_of_a_job_that_waits(roles: Roles) -> None:
    created = roles.ask("POST", "/jobs", {"review": "always"})
    assert roles.deployed.upload(created.json(), PHOTO).status_code == 204
    job_id = created.json()["job_id"]
    assert roles.invoke("StartWorkflowFunction", arrival(job_id)) == {"batchItemFailures": []}
    eventually(lambda: roles.ask("GET", f"/jobs/{job_id}").json()["status"] == "AWAITING_REVIEW", "the review")
    assert roles.ask("PUT", f"/jobs/{job_id}/review").status_code == 200


def refuses_an_answer_that_comes_too_late(roles: Roles) -> None:
    job_id = in_review(roles)
    assert roles.ask("PUT", f"/jobs/{job_id}/review").json()["code"] == "ReviewClosed"


def repeatable(roles: Roles) -> str:
    """A completed job that can be done again."""
    boxes = f"boxes/{secrets.token_hex(16)}.0a.json"
    store_no_boxes(roles, boxes)
    outcome = {"boxes": {"key": boxes, "count": 0}, "reviewed": False, "warnings": []}
    until = {"N": str(int(time.time()) + 300)}
    job_id = roles.job("COMPLETED", outcome={"S": json.dumps(outcome)}, redo_until=until)
    roles.store(f"uploads/{job_id}")
    return job_id


def does_a_job_again(roles: Roles) -> None:
    job_id = repeatable(roles)
    assert roles.ask("POST", f"/jobs/{job_id}/redo", {"review": "always"}).status_code == 202
    assert len(roles.keys(f"boxes/{job_id}")) == 1
    assert roles.deployed.execution(f"{job_id}-1")


def draws_a_preview(roles: Roles) -> None:
    job_id = roles.job("PROCESSING")
    roles.store(f"uploads/{job_id}", PHOTO)
    event = {"job_id": job_id, "key": f"uploads/{job_id}"}
    assert roles.stored(roles.invoke("DrawPreviewFunction", event)["preview"]["key"])


def withdraws_the_preview_of_a_deleted_job(roles: Roles) -> None:
    job_id = secrets.token_hex(16)
    roles.store(f"uploads/{job_id}", PHOTO)
    event = {"job_id": job_id, "key": f"uploads/{job_id}"}
    assert roles.invoke("DrawPreviewFunction", event) == "JobNotFound"
    assert roles.keys(f"previews/{job_id}") == []


def fails_a_job_whose_photo_never_came(roles: Roles) -> None:
    job_id = roles.job("AWAITING_UPLOAD", upload_expires_at={"N": "1"})
    shown = roles.ask("GET", f"/jobs/{job_id}")
    assert shown.json()["error"]["code"] == "UploadExpired"
    assert roles.told(job_id)


def everything_of(job_id: str) -> list[str]:
    """The keys under which a job may have something in S3."""
    made = [f"boxes/{job_id}.0a.json", f"previews/{job_id}.0a.jpg", f"results/{job_id}.0a.jpg"]
    return [f"uploads/{job_id}", *made, f"receipts/{job_id}.json"]


def erases_a_job(roles: Roles) -> None:
    job_id = roles.job("COMPLETED")
    keys = everything_of(job_id)
    for key in keys:
        roles.store(key)
    assert roles.ask("DELETE", f"/jobs/{job_id}").status_code == 204
    assert not any(roles.stored(key) for key in keys)


def stops_the_execution_of_a_job_in_work(roles: Roles) -> None:
    assert roles.ask("DELETE", f"/jobs/{roles.job('PROCESSING')}").status_code == 204


def arrival(job_id: str) -> dict[str, Any]:
    """S3's message about an upload."""
    return sqs_message({"Records": [{"s3": {"object": {"key": f"uploads/{job_id}"}}}]})


def sqs_message(body: dict[str, Any], receipt: str = "") -> dict[str, Any]:
    """The event with which a queue delivers this message."""
    message = {
        "messageId": "1",
        "receiptHandle": receipt,
        "eventSource": "aws:sqs",
        "attributes": {"ApproximateReceiveCount": "1"},
        "body": json.dumps(body),
    }
    return {"Records": [message]}


def starts_an_execution_and_discards_a_photo_without_a_job(roles: Roles) -> None:
    awaited = roles.job("AWAITING_UPLOAD")
    assert roles.invoke("StartWorkflowFunction", arrival(awaited)) == {"batchItemFailures": []}
    assert roles.deployed.execution(awaited)
    for status, stays in (("PROCESSING", True), ("FAILED", False)):
        job_id = roles.job(status)
        roles.store(f"uploads/{job_id}")
        for _ in range(2):
            assert roles.invoke("StartWorkflowFunction", arrival(job_id)) == {"batchItemFailures": []}
        assert roles.stored(f"uploads/{job_id}") == stays


def refuses_a_job_for_which_no_money_is_left(roles: Roles) -> None:
    job_id = roles.job("AWAITING_UPLOAD")
    with roles.deployed.spent("25"):
        assert roles.invoke("StartWorkflowFunction", arrival(job_id)) == {"batchItemFailures": []}
    assert roles.told(job_id)


def task(roles: Roles, job_id: str, round_: int, key: str) -> dict[str, Any]:
    """The payload of a task that works on this object, before any face is found."""
    boxes = f"boxes/{job_id}.0a.json"
    roles.store(key, PHOTO)
    store_no_boxes(roles, boxes)
    return {
        "job_id": job_id,
        "stage": "check" if round_ else "detect",
        "round": round_,
        "key": key,
        "boxes": {"key": boxes, "count": 0},
        "options": JobOptions().model_dump(),
    }


def detects_faces(roles: Roles) -> None:
    job_id = roles.job("PROCESSING")
    event = task(roles, job_id, 0, f"uploads/{job_id}") | {
        "boxes": None,
        "decision": "",
        "leave_out_unavailable": False,
    }
    assert roles.stored(roles.invoke("DetectFunction", event)["boxes"]["key"])


def checks_a_draft(roles: Roles) -> None:
    job_id = roles.job("PROCESSING")
    event = task(roles, job_id, 1, f"results/{job_id}.0a.jpg") | {"decision": "", "leave_out_unavailable": False}
    assert roles.invoke("DetectFunction", event)["boxes"] == event["boxes"]


def withdraws_boxes_of_a_deleted_job(roles: Roles) -> None:
    job_id = secrets.token_hex(16)
    event = task(roles, job_id, 0, f"uploads/{job_id}") | {
        "boxes": None,
        "decision": "",
        "leave_out_unavailable": False,
    }
    assert roles.invoke("DetectFunction", event) == "JobNotFound"
    assert roles.keys(f"boxes/{job_id}") == [f"boxes/{job_id}.0a.json"]


def hides_and_stores_a_draft(roles: Roles) -> None:
    job_id = roles.job("PROCESSING")
    event = task(roles, job_id, 0, f"uploads/{job_id}")
    assert roles.stored(roles.invoke("HideFunction", event)["draft"]["key"])


def withdraws_a_draft_of_a_deleted_job(roles: Roles) -> None:
    job_id = secrets.token_hex(16)
    event = task(roles, job_id, 0, f"uploads/{job_id}")
    assert roles.invoke("HideFunction", event) == "JobNotFound"


def drafted(roles: Roles, status: str) -> dict[str, Any]:
    """The payload of the last task for a job of this status. Its draft is stored, its boxes are not."""
    outcome = {"result": {"key": "results/0a.jpg"}, "receipt": "receipts/0a.json", "options": JobOptions().model_dump()}
    job_id = roles.job(status, **({"outcome": {"S": json.dumps(outcome)}} if status == "COMPLETED" else {}))
    result = f"results/{job_id}.0a.jpg"
    roles.store(result)
    return {
        "job_id": job_id,
        "execution": roles.execution(job_id),
        "reviewed": False,
        "options": JobOptions().model_dump(),
        "boxes": {"key": f"boxes/{job_id}.0a.json", "count": 0},
        "check_rounds": 1,
        "warnings": [],
        "draft": draft_under(result),
        "stages": [],
    }


def store_no_boxes(roles: Roles, key: str) -> None:
    """Store a file of boxes under this key, which has none."""
    content = {"photo": PHOTO_DIGEST, "boxes": [], "kept_places": [], "only": False, "wraps": False, "ratio": 1.0}
    roles.store(key, json.dumps(content).encode())


def completes_a_job(roles: Roles) -> None:
    request = drafted(roles, "PROCESSING")
    store_no_boxes(roles, request["boxes"]["key"])
    job_id = request["job_id"]
    unneeded = [f"results/{job_id}.0b.jpg", f"previews/{job_id}.0a.jpg", f"uploads/{job_id}"]
    for key in unneeded:
        roles.store(key)
    assert roles.invoke("CompleteJobFunction", request) is None
    assert roles.told(job_id)
    assert roles.stored(request["draft"]["key"])
    assert not any(roles.stored(key) for key in (*unneeded, request["boxes"]["key"]))


def completes_a_job_again(roles: Roles) -> None:
    """An earlier attempt has deleted the boxes."""
    assert roles.invoke("CompleteJobFunction", drafted(roles, "COMPLETED")) is None


def withdraws_the_receipt_of_a_failed_job(roles: Roles) -> None:
    request = drafted(roles, "FAILED")
    store_no_boxes(roles, request["boxes"]["key"])
    assert roles.invoke("CompleteJobFunction", request) == "JobNotFound"
    assert not roles.stored(f"receipts/{request['job_id']}.json")


def fails_a_job(roles: Roles) -> None:
    job_id = roles.job("PROCESSING")
    keys = everything_of(job_id)
    for key in keys:
        roles.store(key)
    detail = {"name": job_id, "executionArn": roles.execution(job_id), "status": "ABORTED"}
    event = {"source": "aws.states", "detail": detail}
    assert roles.invoke("FailJobFunction", sqs_message(event)) is None
    assert roles.told(job_id)
    assert not any(roles.stored(key) for key in keys)


def fails_a_job_whose_upload_was_not_processed(roles: Roles) -> None:
    job_id = roles.job("AWAITING_UPLOAD")
    roles.store(f"uploads/{job_id}")
    assert roles.invoke("FailUploadFunction", arrival(job_id)) is None
    assert roles.told(job_id)
    assert not roles.stored(f"uploads/{job_id}")
    row = roles.deployed.row(job_id)
    assert row is not None
    assert row["status"]["S"] == "FAILED"


def sweeps(roles: Roles) -> None:
    key = f"results/{secrets.token_hex(16)}.0a.jpg"
    roles.store(key)
    roles.deployed.plan("sweep", "sweep_photos", {"ahead": 2 * 24 * 60 * 60})
    assert roles.invoke("SweepPhotosFunction", {"job_id": "sweep"}) is None
    assert not roles.stored(key)


def sweeps_a_photo_whose_time_is_over(roles: Roles) -> None:
    job_id = roles.job("FAILED")
    roles.store(f"uploads/{job_id}")
    assert roles.invoke("SweepPhotosFunction", {"job_id": "sweep"}) is None
    assert not roles.stored(f"uploads/{job_id}")


def creates_and_starts_a_batch(roles: Roles) -> None:
    created = roles.ask("POST", "/batches")
    assert created.status_code == 201
    assert roles.deployed.upload(created.json(), NO_PHOTO).status_code == 204
    assert roles.ask("POST", f"/batches/{created.json()['batch_id']}/start").status_code == 202


def shows_a_batch_that_runs(roles: Roles) -> None:
    batch_id, execution = roles.run()
    roles.batch("RUNNING", batch_id, execution)
    roles.line(batch_id, secrets.token_hex(16))
    shown = roles.ask("GET", f"/batches/{batch_id}")
    assert (shown.status_code, shown.json()["counts"]["photos"]) == (200, 1)


def shows_the_report_of_a_batch(roles: Roles) -> None:
    outcome = {"photos": 0, "waiting": 0, "hidden": 0, "failed": 0, "nothing_hidden": 0, "usd": 0.0}
    batch_id = roles.batch("COMPLETED", outcome={"S": json.dumps(outcome)})
    roles.store(f"batches/{batch_id}/report.csv")
    shown = roles.ask("GET", f"/batches/{batch_id}").json()
    assert request("GET", shown["report"]["csv"]["url"]).status_code == 200


def fails_a_batch_without_an_execution(roles: Roles) -> None:
    long_ago = {"N": str(int(time.time()) - DAY)}
    batch_id = roles.batch(started_at=long_ago)
    assert roles.ask("GET", f"/batches/{batch_id}").json()["error"]["code"] == "InternalError"
    assert roles.told(batch_id)


def job_and_files_of_a_batch(roles: Roles, batch_id: str) -> tuple[str, list[str]]:
    """A job of a batch, and the keys of all objects of the job and the batch."""
    job_id = roles.job("FAILED")
    files = [*everything_of(job_id), f"batches/{batch_id}/in/photo.jpg"]
    for key in files:
        roles.store(key)
    return job_id, [*files, roles.line(batch_id, job_id)]


def erases_a_batch(roles: Roles) -> None:
    batch_id, execution = roles.run()
    roles.batch("RUNNING", batch_id, execution)
    job_id, files = job_and_files_of_a_batch(roles, batch_id)
    assert roles.ask("DELETE", f"/batches/{batch_id}").status_code == 204
    assert roles.deployed.row(job_id) is None
    assert not any(roles.stored(key) for key in files)


def photo_of(batch_id: str) -> dict[str, Any]:
    """The state machine's input for its functions about a photo of a batch."""
    key = f"batches/{batch_id}/in/photo.jpg"
    return {"id": f"{batch_id}-1", "batch_id": batch_id, "encoded": False, "detail": {"object": {"key": key}}}


def job_of(batch_id: str) -> str:
    return photo_id(f"{batch_id}-1", f"batches/{batch_id}/in/photo.jpg")


def prepares_a_photo(roles: Roles) -> None:
    batch_id = roles.batch()
    roles.store(f"batches/{batch_id}/in/photo.jpg")
    assert roles.invoke("PreparePhotoFunction", {"photo": photo_of(batch_id)}) == {"job_id": job_of(batch_id)}
    assert roles.stored(f"uploads/{job_of(batch_id)}")


def forgets_what_an_earlier_start_left_of_a_photo(roles: Roles) -> None:
    batch_id = roles.batch()
    roles.store(f"batches/{batch_id}/in/photo.jpg")
    earlier = roles.job("COMPLETED")
    for key in everything_of(earlier):
        roles.store(key)
    roles.line(batch_id, earlier)
    assert roles.invoke("PreparePhotoFunction", {"photo": photo_of(batch_id)}) == {"job_id": job_of(batch_id)}
    assert roles.deployed.row(earlier) is None
    assert not any(roles.stored(key) for key in everything_of(earlier))


def skips_a_photo_that_is_done(roles: Roles) -> None:
    batch_id = roles.batch(source="")
    roles.line(batch_id, secrets.token_hex(16))
    assert roles.invoke("PreparePhotoFunction", {"photo": photo_of(batch_id)}) == {"job_id": ""}


def refuses_a_photo_for_which_no_money_is_left(roles: Roles) -> None:
    batch_id = roles.batch()
    roles.store(f"uploads/{job_of(batch_id)}")
    with roles.deployed.spent("25"):
        assert roles.invoke("PreparePhotoFunction", {"photo": photo_of(batch_id)}) == "BudgetSpent"
    assert not roles.stored(f"uploads/{job_of(batch_id)}")


def delivers_a_photo(roles: Roles) -> None:
    batch_id = roles.batch()
    job_id, upload = job_of(batch_id), f"batches/{batch_id}/in/photo.jpg"
    result, receipt = f"results/{job_id}.0a.jpg", f"receipts/{job_id}.json"
    nothing = {"face": 0, "plate": 0, "text": 0}
    told = {"hidden": nothing, "missed_at_first": 0, "kept": nothing, "warnings": []}
    told["options"] = JobOptions().model_dump()
    outcome = {"S": json.dumps(told | {"result": draft_under(result), "receipt": receipt})}
    roles.job("COMPLETED", job_id={"S": job_id}, outcome=outcome)
    roles.store(upload)
    roles.store(result)
    roles.store(receipt, b'{"cost_estimate": {"usd": 0.001}}')
    assert roles.invoke("DeliverPhotoFunction", {"photo": photo_of(batch_id), "error": ""}) == {"code": ""}
    assert roles.told(job_id)
    assert len(roles.keys(f"batches/{batch_id}/lines/")) == 3
    assert not roles.stored(upload)


def leaves_the_line_of_a_photo_that_was_delivered(roles: Roles) -> None:
    batch_id = roles.batch()
    job_id, upload = job_of(batch_id), f"batches/{batch_id}/in/photo.jpg"
    roles.job("COMPLETED", job_id={"S": job_id}, told={"BOOL": True})
    roles.line(batch_id, job_id)
    roles.store(upload)
    event = {"photo": photo_of(batch_id), "error": "StorageUnavailable"}
    assert roles.invoke("DeliverPhotoFunction", event) == {"code": ""}
    assert not roles.stored(upload)


def forgets_the_photo_of_a_deleted_batch(roles: Roles) -> None:
    batch_id = secrets.token_hex(16)
    job_id = job_of(batch_id)
    roles.job("COMPLETED", job_id={"S": job_id})
    for key in everything_of(job_id):
        roles.store(key)
    assert roles.invoke("DeliverPhotoFunction", {"photo": photo_of(batch_id), "error": ""}) == "BatchNotFound"
    assert roles.deployed.row(job_id) is None
    assert not any(roles.stored(key) for key in everything_of(job_id))


def writes_a_report(roles: Roles) -> None:
    batch_id, execution = roles.run()
    roles.batch("RUNNING", batch_id, execution)
    roles.line(batch_id, secrets.token_hex(16))
    event = {"executionArn": execution, "status": "SUCCEEDED", "error": ""}
    for kind in ("csv", "jsonl"):
        roles.client("s3").delete_object(Bucket=roles.deployed.bucket, Key=f"batches/{batch_id}/report.{kind}")
    assert roles.invoke("WriteReportFunction", event) == {"code": ""}
    assert roles.told(batch_id)
    assert all(roles.stored(f"batches/{batch_id}/report.{kind}") for kind in ("csv", "jsonl"))
    row = roles.deployed.row(f"batch {batch_id}")
    assert row is not None
    assert row["status"]["S"] == "COMPLETED"


def writes_the_report_of_a_batch_that_was_stopped(roles: Roles) -> None:
    batch_id, execution = roles.run()
    roles.batch("RUNNING", batch_id, execution)
    event = {"executionArn": execution, "status": "ABORTED"}
    assert roles.invoke("WriteReportFunction", event) == {"code": "Aborted"}
    assert roles.told(batch_id)


def stops_a_batch_for_which_no_money_is_left(roles: Roles) -> None:
    batch_id, execution = roles.run()
    roles.batch("RUNNING", batch_id, execution)
    event = {"photo": photo_of(batch_id), "error": "BudgetSpent"}
    assert roles.invoke("DeliverPhotoFunction", event) == {"code": "BudgetSpent"}


def posts_an_event_and_puts_off_one_that_is_refused(roles: Roles) -> None:
    name = function_name(roles.deployed, "SendWebhookFunction")
    # A worker keeps the secret for a while. Any update of the settings, even without a change, starts a new worker.
    roles.client("lambda").update_function_configuration(FunctionName=name, Timeout=30)
    queue, body = roles.deployed.stack.outputs["WebhookQueueUrl"], {"detail": {"job": secrets.token_hex(8)}}
    for statuses, failures in (([], []), ([500], [{"itemIdentifier": "1"}])):
        roles.receiver.statuses.extend(statuses)
        roles.client("sqs").purge_queue(QueueUrl=queue)
        roles.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(body))
        (message,) = roles.client("sqs").receive_message(QueueUrl=queue)["Messages"]
        posted = sqs_message(body, message["ReceiptHandle"])
        assert roles.invoke("SendWebhookFunction", posted) == {"batchItemFailures": failures}
        assert not roles.receiver.statuses


def sweeps_what_is_left_of_a_deleted_batch(roles: Roles) -> None:
    job_id, files = job_and_files_of_a_batch(roles, secrets.token_hex(16))
    assert roles.invoke("SweepPhotosFunction", {"job_id": "sweep"}) is None
    assert roles.deployed.row(job_id) is None
    assert not any(roles.stored(key) for key in files)


USES: dict[str, list[Callable[[Roles], None]]] = {
    "CreateJobFunction": [creates_a_job, creates_a_job_with_a_decision],
    "GetJobFunction": [shows_a_job_and_its_links, shows_what_a_reviewer_needs, fails_a_job_whose_photo_never_came],
    "ReviewJobFunction": [takes_the_answer_of_a_job_that_waits, refuses_an_answer_that_comes_too_late],
    "RedoJobFunction": [does_a_job_again],
    "DeleteJobFunction": [erases_a_job, stops_the_execution_of_a_job_in_work],
    "StartWorkflowFunction": [
        starts_an_execution_and_discards_a_photo_without_a_job,
        refuses_a_job_for_which_no_money_is_left,
    ],
    "DetectFunction": [detects_faces, checks_a_draft, withdraws_boxes_of_a_deleted_job],
    "HideFunction": [hides_and_stores_a_draft, withdraws_a_draft_of_a_deleted_job],
    "DrawPreviewFunction": [draws_a_preview, withdraws_the_preview_of_a_deleted_job],
    "CompleteJobFunction": [completes_a_job, completes_a_job_again, withdraws_the_receipt_of_a_failed_job],
    "FailJobFunction": [fails_a_job],
    "FailUploadFunction": [fails_a_job_whose_upload_was_not_processed],
    "SweepPhotosFunction": [sweeps, sweeps_a_photo_whose_time_is_over, sweeps_what_is_left_of_a_deleted_batch],
    "CreateBatchFunction": [creates_and_starts_a_batch],
    "GetBatchFunction": [shows_a_batch_that_runs, shows_the_report_of_a_batch, fails_a_batch_without_an_execution],
    "DeleteBatchFunction": [erases_a_batch],
    "PreparePhotoFunction": [
        prepares_a_photo,
        forgets_what_an_earlier_start_left_of_a_photo,
        skips_a_photo_that_is_done,
        refuses_a_photo_for_which_no_money_is_left,
    ],
    "DeliverPhotoFunction": [
        delivers_a_photo,
        leaves_the_line_of_a_photo_that_was_delivered,
        forgets_the_photo_of_a_deleted_batch,
        stops_a_batch_for_which_no_money_is_left,
    ],
    "WriteReportFunction": [writes_a_report, writes_the_report_of_a_batch_that_was_stopped],
    "SendWebhookFunction": [posts_an_event_and_puts_off_one_that_is_refused],
}
# S3 tells a missing object (404) from a forbidden one (403) only to those who may list; the embedded AWS tells all. And
# review_job and redo_job delete boxes only if the job ends at that moment; so does write_report with a batch's files.
NOT_SEEN_HERE = {
    "DetectFunction": {"s3:ListBucket"},
    "HideFunction": {"s3:ListBucket"},
    "DrawPreviewFunction": {"s3:ListBucket"},
    "ReviewJobFunction": {"s3:ListBucket", "s3:DeleteObject"},
    "RedoJobFunction": {"s3:DeleteObject"},
    "WriteReportFunction": {"s3:DeleteObject"},
}


def fails(use: Callable[[Roles], None], roles: Roles) -> bool:
    try:
        use(roles)
    except (AssertionError, KeyError, TypeError):
        return True
    return False


@pytest.mark.parametrize("function", USES)
def test_each_removed_grant_makes_a_use_fail(roles: Roles, function: str, pytestconfig: pytest.Config) -> None:
    """Removes one grant in three in turn; with `--in-full` (`make privileges`), every grant."""
    for use in USES[function]:
        use(roles)
    (document,) = roles.policies(function).values()
    tried = grants(document) if pytestconfig.getoption("in_full") else grants(document)[::3]
    unneeded = set()
    for grant in tried:
        with roles.without(function, grant["Action"], grant["Resource"]):
            if not any(fails(use, roles) for use in USES[function]):
                unneeded.add(grant["Action"])
    assert unneeded == NOT_SEEN_HERE.get(function, set()) & {grant["Action"] for grant in tried}
    # The uses succeed again, so only the missing grants made them fail.
    for use in USES[function]:
        use(roles)


def test_every_function_with_grants_is_tested() -> None:
    resources = template()["Resources"]
    functions = {
        name
        for name, each in resources.items()
        if each["Type"] == "AWS::Serverless::Function" and "Policies" in each["Properties"]
    }
    assert functions == USES.keys()


def test_a_function_that_calls_no_service_may_do_nothing(roles: Roles) -> None:
    assert roles.policies("AuthorizeFunction") == {}


# ---------------------------------------------------------------- the state machine's role, by simulation


def needed(roles: Roles) -> list[tuple[str, str]]:
    """The AWS actions of the deployed state machine's tasks, and their resources."""
    arn = roles.deployed.stack.outputs["StateMachineArn"]
    machine = roles.client("stepfunctions").describe_state_machine(stateMachineArn=arn)
    calls = []
    for state in json.loads(machine["definition"])["States"].values():
        asked = state.get("Arguments", {})
        match state.get("Resource", "").rpartition(":::")[2]:
            case "lambda:invoke":
                calls.append(("lambda:InvokeFunction", asked["FunctionName"]))
            case "dynamodb:updateItem" | "aws-sdk:dynamodb:updateItem.waitForTaskToken":
                table = roles.client("dynamodb").describe_table(TableName=asked["TableName"])["Table"]["TableArn"]
                calls.append(("dynamodb:UpdateItem", table))
            case "aws-sdk:s3:deleteObject":
                folder = asked["Key"].removeprefix("{% '").partition("'")[0]
                calls.append(("s3:DeleteObject", f"arn:aws:s3:::{asked['Bucket']}/{folder}{'0' * 32}"))
            case other:
                assert not other, f"{other}: which action does it need?"
    properties = template()["Resources"]["BlurImageStateMachine"]["Properties"]
    # As the developer guide of Step Functions lists them.
    if properties["Tracing"]["Enabled"]:
        calls += [("xray:PutTraceSegments", "*"), ("xray:PutTelemetryRecords", "*")]
        calls += [("xray:GetSamplingRules", "*"), ("xray:GetSamplingTargets", "*")]
    return sorted(set(calls))


def refused(roles: Roles, granted: list[dict[str, Any]], calls: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The calls that these statements do not allow."""
    policy = json.dumps({"Version": "2012-10-17", "Statement": granted})

    def decision(action: str, resource: str) -> str:
        answer = roles.client("iam").simulate_custom_policy(
            PolicyInputList=[policy], ActionNames=[action], ResourceArns=[resource]
        )
        return str(answer["EvaluationResults"][0]["EvalDecision"])

    return [call for call in calls if decision(*call) != "allowed"]


def test_the_state_machine_may_do_what_its_tasks_need_and_nothing_more(roles: Roles) -> None:
    (document,) = roles.policies("BlurImageStateMachine").values()
    calls, granted = needed(roles), grants(document)
    assert len({action for action, _ in calls}) == 7
    assert refused(roles, granted, calls) == []
    for grant in granted:
        lost = refused(roles, [other for other in granted if other is not grant], calls)
        assert lost, grant


def test_the_simulation_refuses_what_the_state_machine_must_not_do(roles: Roles) -> None:
    (document,) = roles.policies("BlurImageStateMachine").values()
    bucket = f"arn:aws:s3:::{roles.deployed.bucket}"
    others = [
        ("s3:DeleteObject", f"{bucket}/results/{'0' * 32}"),
        ("s3:GetObject", f"{bucket}/uploads/{'0' * 32}"),
        (
            "dynamodb:DeleteItem",
            roles.client("dynamodb").describe_table(TableName=roles.deployed.stack.outputs["JobsTableName"])["Table"][
                "TableArn"
            ],
        ),
    ]
    assert refused(roles, grants(document), others) == others
