"""Many jobs at once through the deployed stack, beside one function that does all the work: the price of orchestration.

Both are deployed into one embedded AWS and work in turns. So many clients each post the next photo as soon as they see
that their last one is done: never more photos are in work, nor a function has more worker processes, than clients.

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
from faceblur.jobs.table import Jobs, Status
from faceblur.options import JobOptions
from faceblur_cli import project
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
ALONE = 8  # jobs that go one at a time; their stages tell how long these take when nothing else runs
SIZE, FACES, FACE_WIDTH = (1640, 1230), 2, 200  # pixels: a photo of two megapixels
WITHOUT, WITH = 1.5, 2.0  # what the state machine may take of the one function's time, without the check and with it
UPLOAD_SECONDS = PATIENCE_SECONDS = 300
LOOK_SECONDS = 0.1  # between two looks at the rows of all jobs in work
SAMPLE_SECONDS = 0.2
ONE_FUNCTION = "one-function"
SOURCES = Path(__file__).parent / "one_function"
TICKS = os.sysconf("SC_CLK_TCK")  # a second
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6


@dataclass
class Pipeline:
    """A way of a photo to its result, and what was measured of it.

    `stack` names its worker processes, and `definition` is the state machine's, if it has one. `seconds` are those from
    the answer to the upload until the job is seen to be COMPLETED, `alone` the same of jobs that had the machine to
    themselves, with their receipts' `stages`. CPU seconds are of the functions' processes, and of the emulator's.
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
        """Of the seconds."""
        return float(np.percentile(self.seconds, percent))


class Process(NamedTuple):
    """A process: the function that it runs, its CPU time in seconds and its resident megabytes."""

    function: str
    cpu: float
    megabytes: float


class Cloud:
    """The embedded AWS with both ways in it."""

    def __init__(self, folder: Path, exits: ExitStack) -> None:
        """Start it and deploy; all of it ends with `exits`."""
        # Idle workers stay, as on AWS; here until the run is over.
        endpoint = exits.enter_context(emulator.emulator(emulator.free_port(), folder, LAMBDA_WARM_TTL_SECONDS="3600"))
        (self.pid,) = (pid for pid in children(os.getpid()) if b"ministack" in _read(pid, "cmdline"))
        self.stack = sam.deploy(endpoint)
        one = exits.enter_context(one_function())
        self.one = sam.deploy(endpoint, one, ONE_FUNCTION)
        self.sfn = self.stack.client("stepfunctions")
        self._bound(CLIENTS)

    def pipelines(self) -> list[Pipeline]:
        """The ways that are compared, without the check and with it."""
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
        """Have the coming jobs go this way."""
        if pipeline.definition:
            arn = self.stack.outputs["StateMachineArn"]
            self.sfn.update_state_machine(stateMachineArn=arn, definition=pipeline.definition)

    def _bound(self, workers: int) -> None:
        """Let the functions that work on pictures have so many worker processes each, and no more."""
        for stack, name in ((self.stack, sam.STACK_NAME), (self.one, ONE_FUNCTION)):
            for resource in stack.client("cloudformation").describe_stack_resources(StackName=name)["StackResources"]:
                if resource["LogicalResourceId"] in {"DetectFacesFunction", "BlurFacesFunction", "OneFunction"}:
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
    """Keeps the most memory and worker processes that the functions of a stack have at a time."""

    def __init__(self, emulator: int, stack: str) -> None:
        """Watch the children of the process `emulator`."""
        super().__init__(daemon=True)
        self._emulator, self._stack = emulator, stack
        self._ended = threading.Event()
        self.megabytes, self.workers, self.most_of_a_function = 0.0, 0, 0

    def run(self) -> None:
        """Watch until it is told to stop."""
        while not self._ended.wait(SAMPLE_SECONDS):
            workers = workers_of(self._emulator, self._stack)
            self.megabytes = max(self.megabytes, sum(worker.megabytes for worker in workers))
            self.workers = max(self.workers, len(workers))
            of_each = Counter(worker.function for worker in workers)
            self.most_of_a_function = max([self.most_of_a_function, *of_each.values()])

    def stop(self) -> None:
        """Watch no more."""
        self._ended.set()
        self.join()


@contextmanager
def one_function() -> Iterator[Path]:
    """The one function's template with its code: the built code of all functions, and app.py."""
    with tempfile.TemporaryDirectory(dir=project.BUILD.parent, prefix="one-function-") as folder:
        built = Path(folder)
        shutil.copytree(project.BUILD / "DetectFacesFunction", built / "OneFunction", copy_function=os.link)
        shutil.copy(SOURCES / "app.py", built / "OneFunction")
        shutil.copy(SOURCES / "template.yaml", built)
        sam.write_bootstraps(built, path=str(project.BUILD / "OnnxLayer/python"))
        yield built


def without_check(definition: str) -> str:
    """The state machine's definition, changed to go from the hidden faces straight to its end.

    Only here: what is deployed lets nobody leave out the check.
    """
    machine: dict[str, Any] = json.loads(definition)
    machine["States"]["Hide the faces"]["Next"] = machine["States"]["Was a face missed?"]["Default"]
    return json.dumps(machine)


def sent(pipeline: Pipeline, photo: bytes, jobs: int, clients: int) -> dict[str, float]:
    """Send so many jobs this way, by so many clients: the seconds of each job."""
    rows = Jobs(pipeline.table)
    waiting = [rows.create(pipeline.options, UPLOAD_SECONDS).job_id for _ in range(jobs)]
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
            time.sleep(LOOK_SECONDS)
            for job_id in completed(pipeline.table, list(began)):
                seconds[job_id] = time.monotonic() - began.pop(job_id)
            if time.monotonic() > deadline:
                raise TimeoutError(f"{pipeline.name}: jobs that did not end: {', '.join(began)}")
    return seconds


def completed(table: Any, job_ids: list[str]) -> list[str]:
    """Those of the jobs, up to a hundred, that are completed; RuntimeError if one has failed."""
    keys = {"Keys": [{"job_id": job_id} for job_id in job_ids], "ConsistentRead": True}
    rows = table.meta.client.batch_get_item(RequestItems={table.name: keys})["Responses"][table.name]
    if failed := [row["error"] for row in rows if row["status"] == Status.FAILED]:
        raise RuntimeError(f"jobs failed: {failed}")
    return [row["job_id"] for row in rows if row["status"] == Status.COMPLETED]


def take_turn(cloud: Cloud, pipeline: Pipeline, photo: bytes, jobs: int) -> None:
    """Send so many jobs this way by all clients, and keep what was measured."""
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
    """Send a few jobs one at a time, and keep their stages."""
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
    """The processes that a process has started and that still run."""
    tasks = [int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()]
    return [int(each) for task in tasks for each in _read(pid, f"task/{task}/children").split()]


def process(pid: int) -> Process:
    """A process as it is now; one that has ended is nobody's."""
    stat = _read(pid, "stat").rpartition(b")")[2].split()
    environment = dict(each.partition(b"=")[::2] for each in _read(pid, "environ").split(b"\0"))
    if not stat:
        return Process("", 0.0, 0.0)
    function = environment.get(b"AWS_LAMBDA_FUNCTION_NAME", b"").decode()
    return Process(function, (int(stat[11]) + int(stat[12])) / TICKS, int(stat[21]) * PAGE_MB)


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def row(pipeline: Pipeline, base: Pipeline) -> dict[str, Any]:
    """What was measured of a way, beside the way that is the measure."""
    jobs = len(pipeline.seconds)
    return {
        "way of a photo": pipeline.name,
        "jobs": jobs,
        "p50 s": pipeline.percentile(50),
        "p95 s": pipeline.percentile(95),
        "p99 s": pipeline.percentile(99),
        "p50, one function = 1": pipeline.percentile(50) / base.percentile(50),
        "jobs a second": jobs / pipeline.lasted,
        "CPU s a job: functions": pipeline.cpu / jobs,
        "emulator": pipeline.emulator_cpu / jobs,
        "worker processes": pipeline.workers,
        "their MB": round(pipeline.megabytes),
        "p50 s of one job alone": float(np.median(pipeline.alone)),
    }


def stage_rows(pipeline: Pipeline) -> list[dict[str, Any]]:
    """How long each stage takes when nothing else runs, in the middle."""
    stages: dict[str, list[float]] = {}
    for stage in pipeline.stages:
        stages.setdefault(stage["name"], []).append(stage["milliseconds"])
    return [{"stage": name, "milliseconds": float(np.median(milliseconds))} for name, milliseconds in stages.items()]


def main(jobs: int = JOBS) -> int:
    """Let all ways work in turns, and say whether the price is what it may be."""
    sam.build(print)
    photo = jpeg(scattered(FACE_WIDTH, SIZE, FACES, seed=1).picture)
    with tempfile.TemporaryDirectory(prefix="faceblur-load-") as folder, ExitStack() as exits:
        cloud = Cloud(Path(folder), exits)
        ways = cloud.pipelines()
        # Until all processes have started that will be needed: of each function one first, which compiles its modules.
        for way, clients in product(ways[2:], (1, CLIENTS)):
            cloud.take_up(way)
            sent(way, photo, 3 * clients, clients)
        for way in ways:
            take_time_alone(cloud, way, photo)
        for _ in range(TURNS):
            for way in ways:
                take_turn(cloud, way, photo, jobs // TURNS)
    one, without, _, with_look = ways
    goals = [
        at_least("jobs", min(len(way.seconds) for way in ways), jobs // TURNS * TURNS),
        at_most("p50, check removed, one function = 1", without.percentile(50) / one.percentile(50), WITHOUT),
        at_most("p50, as deployed, one function = 1", with_look.percentile(50) / one.percentile(50), WITH),
        at_most(
            "worker processes of the functions that work on pictures",
            max(way.most_of_a_function for way in ways),
            CLIENTS,
        ),
    ]
    rows = [row(way, one) for way in ways]
    about = {"clients": CLIENTS, "photo": {"width": SIZE[0], "height": SIZE[1], "bytes": len(photo), "faces": FACES}}
    return publish("load", [about, *rows, *stage_rows(with_look)], goals, rows)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
