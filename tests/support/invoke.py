"""Calls one function in the image of its Lambda runtime, on the stack that `make run` serves in another terminal.

`python -m tests.support.invoke detect` makes a job, and sends the event tests/events/detect.json about it. It prints
the function's logs and answer. The exit code is 1 if the function raised an error.
"""

from __future__ import annotations

import ipaddress
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from faceblur_cli import project
from faceblur_cli.failures import Failure
from faceblur_cli.stack import holder, sam
from faceblur_cli.stack.aws import credentials
from tests.support.pictures.photos import astronaut
from tests.support.stack.deployed import Deployed, eventually, function_name
from tests.support.standins.issuer import AUDIENCE, Issuer
from tests.support.standins.receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

EVENTS = project.ROOT / "tests/events"
# The id of the job in the sample events, and of its execution.
SAMPLE = "0f8fad5bd9cb469fa16570867728950e"
SAMPLE_EXECUTION = f"arn:aws:states:eu-central-1:123456789012:execution:blur-image:{SAMPLE}"
# The id of the batch in the sample events, and of its execution.
SAMPLE_BATCH = "6ba7b8109dad41d180b400c04fd430c8"
SAMPLE_RUN = f"arn:aws:states:eu-central-1:123456789012:execution:faceblur-hide-batch:{SAMPLE_BATCH}"
IMAGE = f"public.ecr.aws/lambda/python:{project.python_runtime().removeprefix('python')}-{project.architecture()}"
DOCKER_DESKTOP = "host.docker.internal"

# The state in which each function needs its job. Other functions need no job.
JOBS = {
    "start_workflow": "new",
    "fail_upload": "new",
    "get_job": "done",
    "delete_job": "done",
    "redo_job": "done",
    "detect": "in work",
    "hide": "in work",
    "complete_job": "in work",
    "fail_job": "in work",
    "review_job": "waiting",
    "draw_preview": "waiting",
}
# These functions need a batch that has ended.
BATCHES = ("get_batch", "delete_batch", "prepare_photo", "deliver_photo", "write_report")
FUNCTIONS = sorted([*JOBS, *BATCHES, "create_batch", "authorize", "create_job", "send_webhook", "sweep_photos"])


def main(verb: str) -> int:
    """Call the function. Returns the exit code. Raises Failure if something that the call needs is missing."""
    if verb not in FUNCTIONS:
        raise Failure(f"There is no function {verb!r}. Say one of: make invoke FUNCTION={' | '.join(FUNCTIONS)}")
    host = host_of_containers()
    if (stack := holder.running_stack()) is None:
        raise Failure("No stack runs here. Start one in another terminal: make run")
    sam.build(partial(click.echo, err=True))
    deployed = Deployed(stack, Path(os.devnull), sam.STACK_NAME)
    with ExitStack() as reachable:
        endpoint = reachable.enter_context(reachable_at(host, stack.endpoint))
        if verb in BATCHES:
            event = event_for_batch(verb, made_batch(deployed), stack.outputs["BatchMachineArn"])
        else:
            event = event_for(verb, *made_job(deployed, JOBS.get(verb)))
        if verb == "authorize":
            issuer = reachable.enter_context(Issuer())
            address = reachable.enter_context(reachable_at(host, issuer.url))
            environment = {"OIDC_ISSUER": address, "OIDC_AUDIENCE": AUDIENCE}
            issuer.known_as = address
            event["authorizationToken"] = f"Bearer {issuer.token()}"
        elif verb == "send_webhook":
            name = "/faceblur/webhook-of-make-invoke"
            stack.client("ssm").put_parameter(Name=name, Value="secret", Type="SecureString", Overwrite=True)
            address = reachable.enter_context(reachable_at(host, reachable.enter_context(Receiver()).url))
            environment = {"WEBHOOK_URL": address, "WEBHOOK_SECRET_NAME": name, "WEBHOOK_QUEUE_URL": ""}
        else:
            configured = stack.client("lambda").get_function_configuration(
                FunctionName=function_name(deployed, logical_id(verb))
            )
            environment = configured["Environment"]["Variables"]
        return _invoke(verb, stack.endpoint, event, environment | {"AWS_ENDPOINT_URL": endpoint})


def logical_id(verb: str) -> str:
    """The name of a function in the template: detect → DetectFunction."""
    return f"{verb.title().replace('_', '')}Function"


def made_job(stack: Deployed, state: str | None) -> tuple[str, dict[str, Any]]:
    """Make a job in this state. Returns its id, and from its row the execution and the outcome, if there is one."""
    if state is None:
        return SAMPLE, {}
    if state == "new":
        return str(stack.create()["job_id"]), {}
    if state == "waiting":
        job_id = stack.start(astronaut(), review="always")
        stack.asked(job_id)
        return job_id, {}
    job_id = stack.start(astronaut(), keep_original=1)
    stack.ended(job_id)
    row = stack.row(job_id) or {}
    if state == "in work":
        # Set the row back, as if the execution had not ended.
        stack.stack.client("dynamodb").update_item(
            TableName=stack.stack.outputs["JobsTableName"],
            Key={"job_id": {"S": job_id}},
            UpdateExpression="SET #status = :status",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":status": {"S": "PROCESSING"}},
        )
    return job_id, {"execution": row["execution_arn"]["S"], **json.loads(row["outcome"]["S"])}


def made_batch(stack: Deployed) -> str:
    """Make a batch of one photo, and wait for its end. Returns its id."""
    created = stack.call("POST", "/batches", json={}).json()
    batch_id = str(created["batch_id"])
    fields = created["upload"]["fields"]
    fields["key"] = fields["key"].replace("${filename}", "IMG_0001.jpg")
    stack.upload(created, astronaut())
    stack.call("POST", f"/batches/{batch_id}/start")
    eventually(lambda: stack.call("GET", f"/batches/{batch_id}").json()["status"] != "RUNNING", "the end of the batch")
    return batch_id


def event_for_batch(verb: str, batch_id: str, machine: str) -> dict[str, Any]:
    """The sample event of a function, about this batch and an execution of this state machine."""
    text = (EVENTS / f"{verb}.json").read_text()
    run = f"{machine.replace(':stateMachine:', ':execution:')}:{batch_id}"
    event: dict[str, Any] = json.loads(text.replace(SAMPLE_RUN, run).replace(SAMPLE_BATCH, batch_id))
    return event


def event_for(verb: str, job_id: str, made: dict[str, Any]) -> dict[str, Any]:
    """The sample event of a function, about this job and its objects."""
    text = (EVENTS / f"{verb}.json").read_text()
    event: dict[str, Any] = json.loads(
        text.replace(SAMPLE_EXECUTION, made.get("execution", SAMPLE_EXECUTION)).replace(SAMPLE, job_id)
    )
    known = {"boxes": made.get("boxes"), "draft": made.get("result")}
    return event | {name: value for name, value in known.items() if value and event.get(name)}


def command(verb: str, folder: Path, *, pull: bool) -> list[str]:
    """The `sam local invoke` of a function, with the build, its event and its environment in this folder."""
    return [
        *(str(project.SAM), "local", "invoke", logical_id(verb)),
        f"--template={folder / 'template.yaml'}",
        f"--event={folder / 'event.json'}",
        f"--env-vars={folder / 'env.json'}",
        *([] if pull else ["--skip-pull-image"]),
        "--parameter-overrides",
        f"PythonRuntime={project.python_runtime()}",
        f"Architecture={project.architecture()}",
        "FaceDetector=embedded",
        # The template declares these variables only if their parameters are set. Their values are in the file.
        "AwsEndpointUrl=http://127.0.0.1:9",
        *(["OidcIssuer=http://127.0.0.1:9", f"OidcAudience={AUDIENCE}"] if verb == "authorize" else []),
    ]


def raised(answer: str) -> bool:
    """Whether the last line of this output is an error of the function. sam's exit code does not show that."""
    with suppress(IndexError, ValueError):
        last = json.loads(answer.strip().splitlines()[-1])
        return isinstance(last, dict) and "errorType" in last
    return True


def link_build(build: Path, folder: Path) -> None:
    """Put the build's template into this folder, and links to the folders of code that it names."""
    # The bootstrap is left out, because the image would start it, and it is for the embedded AWS.
    without = shutil.ignore_patterns("bootstrap")
    for code in build.iterdir():
        if code.is_dir():
            shutil.copytree(code, folder / code.name, copy_function=os.link, ignore=without)
    shutil.copy(build / "template.yaml", folder)


def _invoke(verb: str, endpoint: str, event: dict[str, Any], environment: dict[str, str]) -> int:
    with tempfile.TemporaryDirectory(dir=project.BUILD.parent, prefix="build-") as copy:
        folder = Path(copy)
        link_build(project.BUILD, folder)
        (folder / "event.json").write_text(json.dumps(event))
        (folder / "env.json").write_text(json.dumps({"Parameters": environment}))
        # sam would ask the registry each time, and needs it then.
        pull = not _docker("image", "ls", "--quiet", IMAGE)
        # sam itself asks for the account's number.
        settings = os.environ | credentials() | {"AWS_ENDPOINT_URL": endpoint}
        settings |= {"SAM_CLI_TELEMETRY": "0", "SAM_CLI_CHECK_LATEST_VERSION": "0"}
        ended = subprocess.run(
            command(verb, folder, pull=pull), env=settings, stdout=subprocess.PIPE, text=True, check=False
        )
    click.echo(ended.stdout.strip())
    return ended.returncode or int(raised(ended.stdout))


def _docker(*arguments: str) -> str:
    """The output of a Docker command. Raises Failure if Docker does not run."""
    try:
        asked = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, timeout=30)
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise Failure(f"The function runs in a container, and Docker is not here: {error}") from error
    if asked.returncode != 0:
        raise Failure(f"The function runs in a container, and Docker does not run: {asked.stderr.strip()}")
    return asked.stdout.strip()


def host_of_containers() -> str:
    """The address of this machine inside containers: that of Docker's bridge on Linux, else Docker Desktop's name."""
    if platform.system() != "Linux":
        _docker("version")
        return DOCKER_DESKTOP
    bridge = json.loads(_docker("network", "inspect", "bridge", "--format", "{{json .IPAM.Config}}"))[0]
    # Docker does not always name the gateway. Then it is the first address.
    return str(bridge.get("Gateway") or next(ipaddress.ip_network(bridge["Subnet"]).hosts()))


@contextmanager
def reachable_at(host: str, url: str) -> Iterator[str]:
    """The address of a loopback server inside containers. On Linux, a relay on Docker's bridge forwards to it."""
    port = int(url.rpartition(":")[2])
    if host == DOCKER_DESKTOP:
        yield f"http://{host}:{port}"
        return
    with socket.create_server((host, 0)) as listening:
        threading.Thread(target=_relay, args=(listening, port), daemon=True).start()
        yield f"http://{host}:{listening.getsockname()[1]}"


def _relay(listening: socket.socket, port: int) -> None:
    """Forward every connection to this port of the loopback interface, until the socket is closed."""
    with suppress(OSError):
        while True:
            client, _ = listening.accept()
            server = socket.create_connection(("127.0.0.1", port))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=_copy, args=(source, sink), daemon=True).start()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(65536):
            sink.sendall(part)
        sink.shutdown(socket.SHUT_WR)


def run(arguments: Sequence[str]) -> int:
    """Run the command. An error that a person can act on is printed in one line."""
    try:
        return main(arguments[0] if arguments else "")
    except Failure as failure:
        click.echo(f"invoke: {failure}", err=True)
        return 2


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
