"""The storm: a stack of its own, clients that use it, faults in every service, and restarts while jobs run."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from faceblur_cli.ports import free_port
from faceblur_cli.stack import emulator, sam
from faceblur_cli.stack.aws import REGION
from faceblur_cli.stack.recovery import recover
from tests.support.stack.deployed import Deployed, with_faults
from tests.support.standins.rekognition import BROKEN, Rekognition
from tests.support.storm.plans import Plan, Step, faulty_read, mocked, plan
from tests.support.storm.portraits import Portrait, Witness
from tests.support.storm.post import Post

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Result = TypeVar("Result")

STACK = "faceblur-storm"
UPLOAD_SECONDS = 30
# The state machine's waits before retries are shortened to this share.
WAIT_SCALE = 0.02
# A function that hangs is stopped after this time (the embedded AWS also counts its start), and messages that were not
# handled are delivered again.
FUNCTION_SECONDS = 60
VISIBILITY_SECONDS = {"UploadQueueUrl": 15, "FailedUploadsQueueUrl": 5, "FailedExecutionsQueueUrl": 5}
PATIENCE_SECONDS = 60  # how long a client polls its job before it takes the next one
CALM_SECONDS = 240
OUTAGE_SECONDS = 4
FAULTY_READ = 0.1
# The queue policy of the posts: S3 and EventBridge may send. The stack's own queues keep the policies of the template.
OPEN_TO_SERVICES = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": ["s3.amazonaws.com", "events.amazonaws.com"]},
            "Action": "sqs:SendMessage",
            "Resource": "*",
        }
    ],
}


@dataclass
class Sent:
    """A job as its client knows it: the photos it posted, and whether the form had expired when it did."""

    plan: Plan
    job_id: str
    created: float
    offered: list[Portrait] = field(default_factory=list)
    too_late: bool = False
    deleted: bool = False


@dataclass(frozen=True)
class Span:
    """An outage: its start and end."""

    start: float
    end: float


class Cloud:
    """The embedded AWS with the deployed stack in it, which can be stopped and started again."""

    def __init__(self, folder: Path, exits: ExitStack, *parameters: str) -> None:
        """Start, deploy with these parameters, and put the posts between the services. `exits` stops all of it."""
        self.folder, self.plans = folder, folder / "plans"
        self.plans.mkdir()
        self.http = exits.enter_context(httpx.Client(timeout=30, trust_env=False))
        self.witness = Witness()
        self.rekognition = exits.enter_context(Rekognition(default=self.witness))
        self.port = free_port()  # the default one could be taken while this stack is down
        self.up = threading.Event()
        self.lost = False
        self.restarts: list[Span] = []
        self._running = exits.enter_context(ExitStack())
        self._start()
        environment = {"AWS_ENDPOINT_URL_REKOGNITION": self.rekognition.url}
        copy = exits.enter_context(with_faults(self.plans, **environment))
        parameters = ("FaceDetector=rekognition", f"UploadSeconds={UPLOAD_SECONDS}", *parameters)
        stack = sam.deploy(self.endpoint, copy, STACK, parameters)
        self.deployed = Deployed(stack, self.plans, STACK)
        self.s3, self.sqs, self.sfn, self.events, self.lambda_, self.dynamodb = (
            stack.client(service) for service in ("s3", "sqs", "stepfunctions", "events", "lambda", "dynamodb")
        )
        self.outputs = stack.outputs
        self.witness.stored = self._stored
        described = stack.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
        self._names = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in described}
        self.dlq = self._names["FailuresDlq"]
        self._hurry()
        self._mock()
        self.uploads, self.failures = self._posts()
        self.up.set()

    def persistently(self, act: Callable[[], Result]) -> Result:
        """Do this, and repeat it if the stack was down. Raises RuntimeError if the stack does not start again."""
        while True:
            self.up.wait()
            if self.lost:
                raise RuntimeError("the stack did not start again")
            try:
                return act()
            except (httpx.TransportError, BotoCoreError):
                time.sleep(0.2)

    def call(self, function: str, event: dict[str, Any]) -> None:
        """Call a function of the template, and wait until it has finished."""
        answer = self.lambda_.invoke(FunctionName=self._names[function], Payload=json.dumps(event))
        assert "FunctionError" not in answer, answer["Payload"].read()

    def restart(self) -> None:
        """Stop the stack while jobs run, and start it as `faceblur up` does."""
        began = time.time()
        self.up.clear()
        self.lost = True
        try:
            self._running.close()
            self._start()
            self._mock()
            recover(self.deployed.stack)
            self.lost = False
        finally:
            self.up.set()
        self.restarts.append(Span(began, time.time()))

    def _start(self) -> None:
        running = emulator.emulator(self.port, self.folder, SFN_WAIT_SCALE=str(WAIT_SCALE))
        self.endpoint = self._running.enter_context(running)

    def _hurry(self) -> None:
        for name in self._names:
            if name.endswith("Function"):
                self.lambda_.update_function_configuration(FunctionName=self._names[name], Timeout=FUNCTION_SECONDS)
        for queue, seconds in VISIBILITY_SECONDS.items():
            attributes = {"VisibilityTimeout": str(seconds)}
            self.sqs.set_queue_attributes(QueueUrl=self.outputs[queue], Attributes=attributes)

    def _mock(self) -> None:
        name = self.outputs["StateMachineArn"].rsplit(":", 1)[1]
        settings = {"stepfunctions._sfn_mock_config": mocked(name)}
        answer = self.http.post(f"{self.endpoint}/_ministack/config", json=settings).json()
        assert answer["applied"]

    def _posts(self) -> tuple[Post, Post]:
        posts = []
        for name, target in (("uploads", "UploadQueueUrl"), ("failures", "FailedExecutionsQueueUrl")):
            attributes = {"Policy": json.dumps(OPEN_TO_SERVICES)}
            url = self.sqs.create_queue(QueueName=f"storm-{name}", Attributes=attributes)["QueueUrl"]
            posts.append(Post(self.sqs, url, self.outputs[target], name))
        arns = [f"arn:aws:sqs:{REGION}:000000000000:storm-{name}" for name in ("uploads", "failures")]
        configured = self.s3.get_bucket_notification_configuration(Bucket=self.deployed.bucket)
        queues = [{**queue, "QueueArn": arns[0]} for queue in configured["QueueConfigurations"]]
        self.s3.put_bucket_notification_configuration(
            Bucket=self.deployed.bucket, NotificationConfiguration={"QueueConfigurations": queues}
        )
        self.events.put_targets(Rule=self._names["ExecutionFailed"], Targets=[{"Id": "failures", "Arn": arns[1]}])
        return posts[0], posts[1]

    def _stored(self, bucket: str, key: str) -> bytes | None:
        try:
            data: bytes = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except (ClientError, BotoCoreError):
            return None
        return data


class Storm:
    """Many jobs of clients that repeat what fails, on a stack in which every service sometimes fails."""

    def __init__(self, cloud: Cloud, seed: int) -> None:
        """Nothing is sent yet."""
        self.cloud, self.seed = cloud, seed
        self.sent: list[Sent] = []
        self.outages: list[Span] = []
        self.restless: list[dict[str, int]] = []
        self.redriven = 0
        # The jobs of batches, whose client judges them.
        self.of_batches: set[str] = set()
        self._never = str(cloud.plans / "never")

    def rage(self, jobs: int, *, clients: int, restarts: int, hangs: bool) -> None:
        """Send all jobs by this many clients, with outages and restarts at even intervals. Wait until all work ends.

        With `hangs`, some functions hang, and are ended after FUNCTION_SECONDS.
        """
        with ThreadPoolExecutor(clients) as pool:
            plans = [plan(self.seed, number, self._never if hangs else None) for number in range(jobs)]
            coming = [pool.submit(self.send, each) for each in plans]
            for incident in range(2 * restarts):
                coming[(incident + 1) * jobs // (2 * restarts + 1)].result()
                if incident % 2:
                    self.cloud.restart()
                else:
                    self._outage()
            for each in coming:
                each.result()
        self.calm()

    def send(self, plan: Plan) -> None:
        """Be the client of one job: create it, upload, interfere, and poll it for a while."""
        sent, form = self._create(plan)
        self.sent.append(sent)
        for portrait in plan.photos:
            self._upload(sent, form, portrait)
        if plan.interference:
            time.sleep(plan.after)
            self.cloud.persistently(lambda: self._interfere(sent))
        random = Random(plan.number)
        deadline = time.time() + PATIENCE_SECONDS
        while plan.photos and not sent.deleted and time.time() < deadline and not self._has_ended(sent):
            if random.random() < FAULTY_READ:
                self.ask("GET", f"/jobs/{sent.job_id}", faulty_read(random))
            time.sleep(0.25)

    def calm(self) -> None:
        """Wait until no execution runs and no message waits. Messages in the dead-letter queue are sent back.

        The embedded AWS has no StartMessageMoveTask, which `faceblur redrive` uses for that. Executions and messages
        that do not end are recorded in `restless`.
        """
        deadline, still = time.time() + CALM_SECONDS, 0
        while still < 3 and time.time() < deadline:
            self._redrive()
            moving = self._moving()
            still = 0 if any(moving.values()) else still + 1
            time.sleep(0.5)
        if still < 3:
            self.restless.append(moving)

    def again(self) -> None:
        """Deliver every message of the storm once more."""
        for post in (self.cloud.uploads, self.cloud.failures):
            post.deliver(post.bodies.copy())
        self.calm()

    def let_forms_expire(self) -> None:
        """Wait until the form of every job without a photo has expired."""
        scan = self.cloud.dynamodb.get_paginator("scan").paginate(TableName=self.cloud.outputs["JobsTableName"])
        rows = [row for page in scan for row in page["Items"] if row["status"]["S"] == "AWAITING_UPLOAD"]
        last = max((int(row["upload_expires_at"]["N"]) for row in rows), default=0)
        time.sleep(max(0.0, last + 1 - time.time()))

    def sweep_a_day_later(self) -> None:
        """Call the sweeper as EventBridge does each hour, with a clock that is a day ahead."""
        event = {"source": "aws.events", "headers": {"X-Fault": json.dumps({"ahead": 25 * 60 * 60})}}
        self.cloud.call("SweepPhotosFunction", event)

    def counts(self) -> dict[str, int]:
        """The other things that happened, for the report."""
        posts = (self.cloud.uploads, self.cloud.failures)
        interfered = Counter(sent.plan.interference for sent in self.sent if sent.plan.interference)
        return {
            "messages": sum(len(post.bodies) for post in posts),
            "messages that came late": sum(post.late for post in posts),
            "messages that came twice at once": sum(post.twice for post in posts),
            "messages handed back from the dead-letter queue": self.redriven,
            "jobs told to abort, to time out or to be deleted": interfered.total(),
            "restarts": len(self.cloud.restarts),
            "outages of the detector": len(self.outages),
        }

    def ask(self, method: str, path: str, step: Step | None = None, **content: Any) -> httpx.Response:
        """Ask the API, which meets this fault then, and ask again if the stack was down."""
        headers = {"X-Fault": json.dumps(step)} if step else {}
        url = self.cloud.outputs["ApiUrl"] + path
        return self.cloud.persistently(lambda: self.cloud.http.request(method, url, headers=headers, **content))

    def show(self, job_id: str) -> httpx.Response:
        """The API's answer about a job. The request is repeated while the API answers with an error."""
        while True:
            answer = self.ask("GET", f"/jobs/{job_id}")
            if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                return answer

    def _create(self, plan: Plan) -> tuple[Sent, dict[str, Any]]:
        step = plan.creation
        while True:
            started = time.time()
            answer = self.ask("POST", "/jobs", step, json=plan.options)
            if answer.status_code == httpx.codes.CREATED:
                break
            step = {}
        form: dict[str, Any] = answer.json()
        sent = Sent(plan, form["job_id"], started)
        for function, steps in plan.steps.items():
            if any(steps):
                self.cloud.deployed.plan(sent.job_id, function, *steps)
        if plan.case:
            (self.cloud.plans / f"{sent.job_id}.case").write_text(plan.case)
        if plan.overlooked:
            self.cloud.witness.overlooked.add(f"uploads/{sent.job_id}")
        return sent, form

    def _upload(self, sent: Sent, form: dict[str, Any], portrait: Portrait) -> None:
        sent.offered.append(portrait)
        url, fields, files = form["upload"]["url"], form["upload"]["fields"], {"file": ("photo", portrait.data)}
        while True:
            answer = self.cloud.persistently(lambda: self.cloud.http.post(url, data=fields, files=files))
            if answer.status_code == httpx.codes.NO_CONTENT:
                return
            if answer.status_code == httpx.codes.FORBIDDEN:
                sent.too_late = True
                return

    def _interfere(self, sent: Sent) -> None:
        if sent.plan.interference == "delete":
            sent.deleted = True
            self._delete(sent)
            return
        arn = self.cloud.deployed.execution_arn(sent.job_id)
        try:
            described = self.cloud.sfn.describe_execution(executionArn=arn)
            if described["status"] != "RUNNING":
                return
            if sent.plan.interference == "time out":
                # No execution times out in the embedded AWS, so this sends the event that AWS would send.
                self.cloud.failures.deliver([timed_out(sent.job_id, arn)])
            self.cloud.sfn.stop_execution(executionArn=arn)
        except ClientError:
            return  # There is none yet, or it has ended already.

    def _delete(self, sent: Sent) -> None:
        steps = iter(sent.plan.deletion)
        gone = {httpx.codes.NO_CONTENT, httpx.codes.NOT_FOUND}
        while self.ask("DELETE", f"/jobs/{sent.job_id}", next(steps, {})).status_code not in gone:
            pass

    def _has_ended(self, sent: Sent) -> bool:
        key = {"job_id": {"S": sent.job_id}}
        table = self.cloud.outputs["JobsTableName"]
        answer = self.cloud.persistently(lambda: self.cloud.dynamodb.get_item(TableName=table, Key=key))
        return answer["Item"]["status"]["S"] in {"COMPLETED", "FAILED"}

    def _outage(self) -> None:
        began, rekognition = time.time(), self.cloud.rekognition
        rekognition.default = BROKEN
        time.sleep(OUTAGE_SECONDS)
        rekognition.default = self.cloud.witness
        self.outages.append(Span(began, time.time()))

    def _moving(self) -> dict[str, int]:
        """The number of waiting messages in each queue, and of running executions."""
        names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
        posts = (self.cloud.uploads, self.cloud.failures)
        queues = [queue for post in posts for queue in (post.source, post.target)]
        moving = {}
        for queue in (*queues, self.cloud.outputs["FailedUploadsQueueUrl"]):
            counts = self.cloud.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
            moving[queue.rsplit("/", 1)[1]] = sum(map(int, counts.values()))
        running = self.cloud.sfn.list_executions(
            stateMachineArn=self.cloud.outputs["StateMachineArn"], statusFilter="RUNNING", maxResults=1000
        )
        return moving | {"executions": len(running["executions"])}

    def _redrive(self) -> None:
        while messages := self.cloud.sqs.receive_message(QueueUrl=self.cloud.dlq).get("Messages", []):
            for message in messages:
                # As SQS does it: each message goes back to the queue that it came from.
                source = (
                    "FailedUploadsQueueUrl" if "Records" in json.loads(message["Body"]) else "FailedExecutionsQueueUrl"
                )
                self.cloud.sqs.send_message(QueueUrl=self.cloud.outputs[source], MessageBody=message["Body"])
                self.cloud.sqs.delete_message(QueueUrl=self.cloud.dlq, ReceiptHandle=message["ReceiptHandle"])
            self.redriven += len(messages)


def timed_out(job_id: str, execution_arn: str) -> str:
    """EventBridge's message about an execution that timed out."""
    detail = {"name": job_id, "status": "TIMED_OUT", "executionArn": execution_arn, "error": None, "cause": None}
    event = {"source": "aws.states", "detail-type": "Step Functions Execution Status Change", "detail": detail}
    return json.dumps(event)


@contextmanager
def storm(folder: Path, seed: int, *parameters: str) -> Iterator[Storm]:
    """Run a storm on a stack of its own, with these parameters, whose state is in this folder."""
    with ExitStack() as exits:
        cloud = Cloud(folder, exits, *parameters)
        posts = (cloud.uploads, cloud.failures)
        for post in posts:
            post.start()
        try:
            yield Storm(cloud, seed)
        finally:
            for post in posts:
                post.stop()
