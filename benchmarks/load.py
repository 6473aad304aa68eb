"""Many jobs at once through the deployed stack, beside one function that does all the work: the price of orchestration.

Both are deployed into one embedded AWS and take turns. Each client posts its next photo as soon as it sees that its
last one is done. So there are never more photos in work, or worker processes of a function, than clients.

PYTHONPATH=functions:tests .venv/bin/python benchmarks/load.py [JOBS]
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import httpx
import numpy as np
from botocore.config import Config

from benchmarks.report import at_least, at_most, publish
from faceblur.jobs.storage import Photos
from faceblur.jobs.table import Jobs, Status, new_job_id
from faceblur.options import JobOptions
from faceblur_cli import project
from faceblur_cli.ports import free_port
from faceblur_cli.stack import emulator, sam
from faceblur_cli.stack.aws import REGION, credentials
from tests.support.pictures.photos import jpeg
from tests.support.pictures.scenes import scattered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faceblur_cli.stack.aws import Stack

JOBS = 64
CLIENTS = 8
TURNS = 4
ALONE = 8  # jobs that run one at a time, which shows how long each stage takes when nothing else runs
SIZE, FACES, FACE_WIDTH = (1640, 1230), 2, 200  # pixels: a photo of two megapixels
WITHOUT, WITH = 1.5, 2.0  # bounds of the state machine's time ÷ the one function's, without and with the check
UPLOAD_SECONDS = PATIENCE_SECONDS = 300
POLL_SECONDS = 0.1  # between two reads of the rows of all jobs in work
SAMPLE_SECONDS = 0.2
ONE_FUNCTION = "one-function"
SOURCES = Path(__file__).parent / "one_function"
TICKS = os.sysconf("SC_CLK_TCK")  # a second
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6


@dataclass
class Pipeline:
    """A pipeline that hides the faces in photos, and what was measured of it.

    The names of its worker processes begin with `stack`. `definition` is that of its state machine, if it has one.
    `seconds` are those from the answer to the upload until the job is seen to be COMPLETED. `alone` are the same of
    jobs that had the machine to themselves; `stages` are from their receipts. CPU seconds are those of the functions'
    processes, and of the emulator's.
    """

    name: str
    stack: str
    table: Any
    photos: Photos
    options: dict[str, Any]
    definition: str = ""
    seconds: list[float] = field(default_factory=list)
    lasted: float = 0.0
    cpu: float = 0.0
    emulator_cpu: float = 0.0
    megabytes: float = 0.0
    workers: int = 0
    most_of_a_function: int = 0
    alone: list[float] = field(default_factory=list)
    stages: list[dict[str, Any]] = field(default_factory=list)

    def percentile(self, percent: float) -> float:
        """This percentile of the seconds."""
        return float(np.percentile(self.seconds, percent))


class Process(NamedTuple):
    """A process: the function that it runs, its CPU time in seconds and its resident megabytes."""

    function: str
    cpu: float
    megabytes: float


class Cloud:
    """The embedded AWS with both pipelines in it."""

    def __init__(self, folder: Path, exits: ExitStack) -> None:
        """Start it and deploy both; everything is stopped with `exits`."""
        # Idle workers are kept until the run is over, as AWS keeps them for a while.
        endpoint = exits.enter_context(emulator.emulator(free_port(), folder, LAMBDA_WARM_TTL_SECONDS="3600"))
        (self.pid,) = (pid for pid in children(os.getpid()) if b"ministack" in read(pid, "cmdline"))
        self.stack = sam.deploy(endpoint)
        one = exits.enter_context(one_function())
        self.one = sam.deploy(endpoint, one, ONE_FUNCTION)
        self.sfn = self.stack.client("stepfunctions")
        self._bound(CLIENTS)

    def pipelines(self) -> list[Pipeline]:
        """The pipelines that are compared, each without and with the check."""
        arn = self.stack.outputs["StateMachineArn"]
        definition = self.sfn.describe_state_machine(stateMachineArn=arn)["definition"]
        options = JobOptions().model_dump()
        return [
            self._pipeline("one function", self.one, ONE_FUNCTION, options),
            self._pipeline(
                "state machine, its check removed",
                self.stack,
                sam.STACK_NAME,
                options,
                without_check(definition),
            ),
            self._pipeline("one function with a check", self.one, ONE_FUNCTION, options | {"checks": True}),
            self._pipeline("state machine as deployed", self.stack, sam.STACK_NAME, options, definition),
        ]

    def take_up(self, pipeline: Pipeline) -> None:
        """Send the next jobs to this pipeline."""
        if pipeline.definition:
            arn = self.stack.outputs["StateMachineArn"]
            self.sfn.update_state_machine(stateMachineArn=arn, definition=pipeline.definition)

    def _bound(self, workers: int) -> None:
        """Limit each function that works on pictures to this number of worker processes."""
        for stack, name in ((self.stack, sam.STACK_NAME), (self.one, ONE_FUNCTION)):
            for resource in stack.client("cloudformation").describe_stack_resources(StackName=name)["StackResources"]:
                if resource["LogicalResourceId"] in {"DetectFunction", "HideFunction", "OneFunction"}:
                    stack.client("lambda").put_function_concurrency(
                        FunctionName=resource["PhysicalResourceId"], ReservedConcurrentExecutions=workers
                    )

    def _pipeline(self, name: str, of: Stack, stack: str, options: dict[str, Any], definition: str = "") -> Pipeline:
        root = credentials()
        account = boto3.Session(root["AWS_ACCESS_KEY_ID"], root["AWS_SECRET_ACCESS_KEY"], region_name=REGION)
        s3 = account.client("s3", endpoint_url=of.endpoint, config=Config(signature_version="s3v4"))
        table = account.resource("dynamodb", endpoint_url=of.endpoint).Table(of.outputs["JobsTableName"])
        return Pipeline(name, stack, table, Photos(s3, of.outputs["PhotoBucketName"]), options, definition)


class Watch(threading.Thread):
    """Records the largest memory and number of worker processes that the functions of a stack have at a time."""

    def __init__(self, emulator: int, stack: str) -> None:
        """Watch the children of the process `emulator`."""
        super().__init__(daemon=True)
        self._emulator, self._stack = emulator, stack
        self._ended = threading.Event()
        self.megabytes, self.workers, self.most_of_a_function = 0.0, 0, 0

    def run(self) -> None:
        """Sample until `stop` is called."""
        while not self._ended.wait(SAMPLE_SECONDS):
            workers = workers_of(self._emulator, self._stack)
            self.megabytes = max(self.megabytes, sum(worker.megabytes for worker in workers))
            self.workers = max(self.workers, len(workers))
            of_each = Counter(worker.function for worker in workers)
            self.most_of_a_function = max([self.most_of_a_function, *of_each.values()])

    def stop(self) -> None:
        """Stop sampling."""
        self._ended.set()
        self.join()


@contextmanager
def one_function() -> Iterator[Path]:
    """The one function's template with its code: the built code of all functions, and app.py."""
    with tempfile.TemporaryDirectory(dir=project.BUILD.parent, prefix="one-function-") as folder:
        built = Path(folder)
        shared = next(project.BUILD.glob("*Function*"))
        shutil.copytree(shared, built / "OneFunction", copy_function=os.link)
        shutil.copy(SOURCES / "app.py", built / "OneFunction")
        shutil.copy(SOURCES / "template.yaml", built / sam.DEPLOYED)
        sam.write_bootstraps(built, path=str(project.BUILD / "OnnxLayer/python"))
        yield built


def without_check(definition: str) -> str:
    """The state machine's definition without the check.

    Only this benchmark leaves it out; a deployed stack always checks.
    """
    machine: dict[str, Any] = json.loads(definition)
    machine["States"]["Hide what was found"]["Next"] = machine["States"]["Was something missed?"]["Default"]
    return json.dumps(machine)


def sent(pipeline: Pipeline, photo: bytes, jobs: int, clients: int) -> dict[str, float]:
    """Send jobs from this number of clients; gives the seconds of each job."""
    rows = Jobs(pipeline.table)
    waiting = [rows.create(new_job_id(), pipeline.options, UPLOAD_SECONDS).job_id for _ in range(jobs)]
    forms = {job_id: pipeline.photos.upload_form(job_id, UPLOAD_SECONDS) for job_id in waiting}
    began, seconds = dict[str, float](), dict[str, float]()
    deadline = time.monotonic() + PATIENCE_SECONDS
    with httpx.Client(timeout=60, trust_env=False) as http:
        while waiting or began:
            while waiting and len(began) < clients:
                job_id = waiting.pop()
                url, fields = forms[job_id]["url"], forms[job_id]["fields"]
                http.post(url, data=fields, files={"file": ("photo", photo)}).raise_for_status()
                began[job_id] = time.monotonic()
            time.sleep(POLL_SECONDS)
            for job_id in completed(pipeline.table, list(began)):
                seconds[job_id] = time.monotonic() - began.pop(job_id)
            if time.monotonic() > deadline:
                raise TimeoutError(f"{pipeline.name}: jobs that did not end: {', '.join(began)}")
    return seconds


def completed(table: Any, job_ids: list[str]) -> list[str]:
    """Which of the jobs, a hundred at most, are completed; RuntimeError if one has failed."""
    keys = {"Keys": [{"job_id": job_id} for job_id in job_ids], "ConsistentRead": True}
    rows = table.meta.client.batch_get_item(RequestItems={table.name: keys})["Responses"][table.name]
    if failed := [row["error"] for row in rows if row["status"] == Status.FAILED]:
        raise RuntimeError(f"jobs failed: {failed}")
    return [row["job_id"] for row in rows if row["status"] == Status.COMPLETED]


def take_turn(cloud: Cloud, pipeline: Pipeline, photo: bytes, jobs: int) -> None:
    """Send jobs from all clients, and record what was measured."""
    cloud.take_up(pipeline)
    watch = Watch(cloud.pid, pipeline.stack)
    watch.start()
    before, emulator, began = cpu_of(cloud.pid, pipeline.stack), process(cloud.pid).cpu, time.monotonic()
    pipeline.seconds += sent(pipeline, photo, jobs, CLIENTS).values()
    pipeline.lasted += time.monotonic() - began
    pipeline.emulator_cpu += process(cloud.pid).cpu - emulator
    pipeline.cpu += cpu_of(cloud.pid, pipeline.stack) - before
    watch.stop()
    pipeline.megabytes = max(pipeline.megabytes, watch.megabytes)
    pipeline.workers = max(pipeline.workers, watch.workers)
    pipeline.most_of_a_function = max(pipeline.most_of_a_function, watch.most_of_a_function)


def take_time_alone(cloud: Cloud, pipeline: Pipeline, photo: bytes) -> None:
    """Send a few jobs one at a time, and record their stages."""
    cloud.take_up(pipeline)
    seconds = sent(pipeline, photo, ALONE, 1)
    pipeline.alone += seconds.values()
    for job_id in seconds:
        receipt = httpx.get(pipeline.photos.link(f"receipts/{job_id}.json"), trust_env=False).raise_for_status()
        pipeline.stages += receipt.json()["stages"]


def workers_of(emulator: int, stack: str) -> list[Process]:
    """The worker processes of the stack's functions."""
    workers = [process(pid) for pid in children(emulator)]
    return [worker for worker in workers if worker.function.startswith(f"{stack}-")]


def cpu_of(emulator: int, stack: str) -> float:
    """The CPU seconds that the workers of the stack's functions have taken so far."""
    return sum(worker.cpu for worker in workers_of(emulator, stack))


def children(pid: int) -> list[int]:
    """The running child processes of a process."""
    tasks = [int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()]
    return [int(each) for task in tasks for each in read(pid, f"task/{task}/children").split()]


def process(pid: int) -> Process:
    """A process as it is now; an empty one if it has ended."""
    stat = read(pid, "stat").rpartition(b")")[2].split()
    environment = dict(each.partition(b"=")[::2] for each in read(pid, "environ").split(b"\0"))
    if not stat:
        return Process("", 0.0, 0.0)
    function = environment.get(b"AWS_LAMBDA_FUNCTION_NAME", b"").decode()
    return Process(function, (int(stat[11]) + int(stat[12])) / TICKS, int(stat[21]) * PAGE_MB)


def read(pid: int, name: str) -> bytes:
    """A file that the kernel has of a process; nothing if it has ended."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def row(pipeline: Pipeline, base: Pipeline) -> dict[str, Any]:
    """What was measured of a pipeline, compared with the pipeline `base`."""
    jobs = len(pipeline.seconds)
    return {
        "pipeline": pipeline.name,
        "jobs": jobs,
        "p50 s": pipeline.percentile(50),
        "p95 s": pipeline.percentile(95),
        "p99 s": pipeline.percentile(99),
        "p50, one function = 1": pipeline.percentile(50) / base.percentile(50),
        "jobs a second": jobs / pipeline.lasted,
        "CPU s a job: functions": pipeline.cpu / jobs,
        "CPU s a job: emulator": pipeline.emulator_cpu / jobs,
        "worker processes": pipeline.workers,
        "their MB": round(pipeline.megabytes),
        "p50 s of one job alone": float(np.median(pipeline.alone)),
    }


def turned(rows: list[dict[str, Any]], heading: str) -> list[dict[str, Any]]:
    """The table with its rows as columns, which are named by the column `heading`."""
    measures = [name for name in rows[0] if name != heading]
    return [{heading: measure} | {row[heading]: row[measure] for row in rows} for measure in measures]


def stage_rows(pipeline: Pipeline) -> list[dict[str, Any]]:
    """The median time of each stage when nothing else runs."""
    stages: dict[str, list[float]] = {}
    for stage in pipeline.stages:
        stages.setdefault(stage["name"], []).append(stage["milliseconds"])
    return [{"stage": name, "milliseconds": float(np.median(milliseconds))} for name, milliseconds in stages.items()]


def main(jobs: int = JOBS) -> int:
    """Measure all pipelines in turns, and publish what the state machine costs."""
    sam.build(print)
    photo = jpeg(scattered(FACE_WIDTH, SIZE, FACES, seed=1).picture)
    with tempfile.TemporaryDirectory(prefix="faceblur-load-") as folder, ExitStack() as exits:
        cloud = Cloud(Path(folder), exits)
        pipelines = cloud.pipelines()
        # Start all processes that will be needed. The first process of each function compiles its modules.
        for pipeline, clients in product(pipelines[2:], (1, CLIENTS)):
            cloud.take_up(pipeline)
            sent(pipeline, photo, 3 * clients, clients)
        for pipeline in pipelines:
            take_time_alone(cloud, pipeline, photo)
        for _ in range(TURNS):
            for pipeline in pipelines:
                take_turn(cloud, pipeline, photo, jobs // TURNS)
    one, without, _, with_check = pipelines
    goals = [
        at_least("jobs", min(len(pipeline.seconds) for pipeline in pipelines), jobs // TURNS * TURNS),
        at_most("p50, check removed, one function = 1", without.percentile(50) / one.percentile(50), WITHOUT),
        at_most("p50, as deployed, one function = 1", with_check.percentile(50) / one.percentile(50), WITH),
        at_most(
            "worker processes of the functions that work on pictures",
            max(pipeline.most_of_a_function for pipeline in pipelines),
            CLIENTS,
        ),
    ]
    rows = [row(pipeline, one) for pipeline in pipelines]
    about = {"clients": CLIENTS, "photo": {"width": SIZE[0], "height": SIZE[1], "bytes": len(photo), "faces": FACES}}
    return publish("load", [about, *rows, *stage_rows(with_check)], goals, turned(rows, "pipeline"))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
