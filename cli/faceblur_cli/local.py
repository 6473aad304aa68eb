"""The embedded AWS on this machine: builds the template, starts the emulator, deploys into it, stops it.

The template, `sam build` and `sam deploy` are the real ones. Only two things differ from the cloud: the
functions run as `provided.al2023`, whose `bootstrap` starts AWS's own Python runtime client with this
machine's interpreter, and their clients talk to the emulator's address.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import signal
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import boto3
import httpx
from botocore.exceptions import ClientError

from faceblur_cli import project, recovery
from faceblur_cli.failures import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

STACK_NAME = "faceblur"
REGION = "us-east-1"
DEFAULT_PORT = 4566
# The emulator sends a function its event in two pieces. With Nagle's algorithm the second waits for the first to be
# acknowledged, which adds 40 ms to every call.
_RUN_EMULATOR = """
import socketserver
socketserver.StreamRequestHandler.disable_nagle_algorithm = True
from ministack.app import main
main()
"""
_START_SECONDS = 60
_STOP_SECONDS = 30
# A `faceblur blur` lets its requests end before it stops its emulator.
_END_SECONDS = 120
# Whoever asks who has the embedded AWS holds its lock for a moment.
_LOOK_SECONDS = 3


def credentials() -> dict[str, str]:
    """Those of the embedded AWS's root, as environment variables.

    A page of anybody's in this machine's browser reaches the loopback interface too, so they hold a secret of the
    state folder's own.
    """
    file = project.STATE / "secret"
    file.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT, 0o600), "r+") as kept:
        fcntl.flock(kept, fcntl.LOCK_EX)
        if not (secret := kept.read()):
            secret = secrets.token_urlsafe()
            kept.write(secret)
    return {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": secret, "AWS_DEFAULT_REGION": REGION}


@dataclass(frozen=True)
class Stack:
    """A deployed stack that clients can talk to."""

    endpoint: str
    outputs: Mapping[str, str]

    @property
    def api_url(self) -> str:
        """Address of the API."""
        return self.outputs["ApiUrl"]

    def exists(self) -> bool:
        """Whether the embedded AWS still knows the stack: one that was killed has not saved it."""
        try:
            self.client("cloudformation").describe_stacks(StackName=STACK_NAME)
        except ClientError:
            return False
        return True

    def client(self, service: str) -> Any:
        """A boto3 client for a service of the embedded AWS."""
        root = credentials()
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=root["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=root["AWS_SECRET_ACCESS_KEY"],
        )


@contextmanager
def running_stack(port: int, say: Callable[[str], None]) -> Iterator[Stack]:
    """Build, start and deploy; the stack serves until the block ends, and keeps its state for the next time.

    Port 0 is any, the default one if it is free. Raises Failure if another stack runs already, the port is taken, or a
    step fails.
    """
    with _lock():
        build(say)
        port = port or any_port()
        # The addresses of queues and photos carry the port, so the emulator's state is good for its port alone.
        state = project.STATE / f"aws-{port}"
        state.mkdir(parents=True, exist_ok=True)
        with emulator(port, state) as endpoint:
            stack = _deployed(endpoint, state, say)
            about = {"pid": os.getpid(), "endpoint": endpoint, "outputs": dict(stack.outputs)}
            # Written aside, so that nobody reads a half.
            draft = _running_file().with_suffix(".draft")
            draft.write_text(json.dumps(about))
            try:
                draft.replace(_running_file())
                yield stack
            finally:
                _running_file().unlink(missing_ok=True)


@contextmanager
def kept_stack() -> Iterator[Stack]:
    """Start the embedded AWS as the last stack on this machine left it, only to look at it. Raises Failure."""
    with _lock():
        stamps = sorted(project.STATE.glob("aws-*/deployed.json"), key=lambda stamp: stamp.stat().st_mtime)
        if not stamps:
            raise Failure("No stack was deployed on this machine yet: `faceblur up` does.")
        state = stamps[-1].parent
        with emulator(int(state.name.removeprefix("aws-")), state) as endpoint:
            yield Stack(endpoint, json.loads(stamps[-1].read_text())["outputs"])


def running() -> Stack | None:
    """The stack that another process serves on this machine, if there is one."""
    holder = _holder()
    try:
        about = json.loads(_running_file().read_text())
    except FileNotFoundError:
        return None
    return Stack(about["endpoint"], about["outputs"]) if about["pid"] == holder else None


def stop() -> bool:
    """Stop the process that has the embedded AWS, be it that it starts, serves or looks, and wait until it has ended.

    Tells whether there was one. Raises Failure if it does not end.
    """
    holder = _holder()
    if holder is None:
        return False
    if not holder:
        raise Failure("Who has the embedded AWS of this folder has not said so yet: stop it where it was started.")
    with suppress(ProcessLookupError):
        os.kill(holder, signal.SIGTERM)
    _wait_until(lambda: _holder() != holder, _END_SECONDS, "The embedded AWS did not stop.")
    return True


def _deployed(endpoint: str, state: Path, say: Callable[[str], None]) -> Stack:
    """The stack, deployed unless this very build is at this address already: the emulator keeps its state."""
    stamp = state / "deployed.json"
    wanted = {"build": project.fingerprint(), "endpoint": endpoint}
    if stamp.exists() and (kept := json.loads(stamp.read_text()))["of"] == wanted:
        stack = Stack(endpoint, kept["outputs"])
        if stack.exists():
            recovery.recover(stack)
            return stack
    stamp.unlink(missing_ok=True)
    say(f"deploying into the embedded AWS at {endpoint} (sam deploy)")
    stack = deploy(endpoint)
    stamp.write_text(json.dumps({"of": wanted, "outputs": dict(stack.outputs)}))
    return stack


def build(say: Callable[[str], None]) -> None:
    """Run `sam build` for this machine's interpreter, unless nothing has changed since the last time."""
    stamp, wanted = project.BUILD.with_suffix(".sha256"), project.fingerprint()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    stamp.unlink(missing_ok=True)
    say("building the functions (sam build)")
    _sam(
        "build",
        "--parameter-overrides",
        f"PythonRuntime={project.python_runtime()}",
        f"Architecture={project.architecture()}",
    )
    write_bootstraps(project.BUILD)
    stamp.write_text(wanted)


def write_bootstraps(
    built: Path, handler: str = "$_HANDLER", path: str = "", environment: Mapping[str, str] | None = None
) -> None:
    """Give each built function the `bootstrap` by which a custom runtime starts.

    Layers are not mounted for custom runtimes: the bootstrap puts the built layer on the path instead, for
    detect_faces alone. Tests run the functions under a handler, with a folder on the path, and in an
    environment of their own.
    """
    exports = "".join(f"export {name}='{value}'\n" for name, value in (environment or {}).items())
    for function in built.glob("*Function"):
        layer = str(built / "OnnxLayer/python") if function.name == "DetectFacesFunction" else ""
        folders = ":".join(filter(None, ("$PWD", layer, path)))
        bootstrap = function / "bootstrap"
        bootstrap.unlink(missing_ok=True)
        bootstrap.write_text(
            f'#!/bin/sh\n{exports}export PYTHONPATH="{folders}"\n'
            f"exec '{project.RUNTIME_PYTHON}' -m awslambdaric \"{handler}\"\n"
        )
        bootstrap.chmod(0o755)


@contextmanager
def emulator(port: int, state: Path, **settings: str) -> Iterator[str]:
    """Start the embedded AWS on a port of the loopback interface and stop it after the block; gives its address."""
    if not _is_free(port):
        raise Failure(f"Port {port} is in use. Choose another one with --port.")
    (state / "tmp").mkdir(parents=True, exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= credentials()
    environment |= {
        # Every function is held to its role, and every link and form to its signature, as on AWS.
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "1",
        "S3_PERSIST": "1",
        "STATE_DIR": str(state / "state"),
        "S3_DATA_DIR": str(state / "s3"),
        "TMPDIR": str(state / "tmp"),
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
    }
    with (state / "log.txt").open("ab") as log:
        # A session of its own: Ctrl-C is ours to handle, and the emulator stops its workers on SIGTERM.
        process = subprocess.Popen(
            [project.MINISTACK_PYTHON, "-c", _RUN_EMULATOR],
            env=environment | settings,
            cwd=state,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    endpoint = f"http://127.0.0.1:{port}"
    try:
        _wait_until(
            lambda: _answers(endpoint, process),
            _START_SECONDS,
            f"The embedded AWS did not start: see {state}/log.txt.",
        )
        yield endpoint
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Stop the emulator, which saves its state then: an interruption does not cut that short."""
    process.terminate()
    deadline = time.monotonic() + _STOP_SECONDS
    while process.returncode is None:
        try:
            process.wait(max(1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
        except KeyboardInterrupt:
            continue


def deploy(
    endpoint: str, built: Path = project.BUILD, stack_name: str = STACK_NAME, parameters: Sequence[str] = ()
) -> Stack:
    """Run `sam deploy` of a built template into the embedded AWS at this address."""
    _sam(
        "deploy",
        "--template-file",
        str(built / "template.yaml"),
        "--stack-name",
        stack_name,
        "--tags",
        f"ms-custom-id={stack_name}",
        "--parameter-overrides",
        "PythonRuntime=provided.al2023",
        f"Architecture={project.architecture()}",
        "FaceDetector=embedded",
        "WebPage=no",
        "JobsADay=0",
        f"AwsEndpointUrl={endpoint}",
        *parameters,
        endpoint=endpoint,
    )
    described = Stack(endpoint, {}).client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"][0]
    return Stack(endpoint, {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]})


def any_port() -> int:
    """The default port, whose stack is warm, or another one if somebody uses it."""
    return DEFAULT_PORT if _is_free(DEFAULT_PORT) else free_port()


def free_port() -> int:
    """A port that nobody uses, and nobody is used to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _sam(command: str, *arguments: str, endpoint: str = "http://127.0.0.1:9") -> None:
    """Run a command of SAM's; it never looks for AWS elsewhere than at `endpoint`."""
    # The layer is made by the `python3 -m pip` of the path, for the interpreter that runs the functions here.
    path = f"{project.ROOT / '.tools/uv/bin'}:{os.environ['PATH']}"
    environment = os.environ | credentials() | {"PATH": path}
    environment |= {
        "AWS_ENDPOINT_URL": endpoint,
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_CHECK_LATEST_VERSION": "0",
    }
    environment.pop("AWS_PROFILE", None)
    with subprocess.Popen(
        [project.SAM, command, "--config-file", project.ROOT / "samconfig.toml", "--config-env", "local", *arguments],
        cwd=project.ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as sam:
        try:
            said, _ = sam.communicate()
        except BaseException:
            # What SAM started, too: a `pip` that lives on would write into the next one's build.
            with suppress(ProcessLookupError):
                os.killpg(sam.pid, signal.SIGKILL)
            raise
    if sam.returncode != 0:
        raise Failure(f"sam {command} failed:\n{said[-3000:]}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _answers(endpoint: str, process: subprocess.Popen[bytes]) -> bool:
    if process.poll() is not None:
        raise Failure(f"The embedded AWS ended with exit code {process.returncode}.")
    try:
        return httpx.get(f"{endpoint}/_ministack/health", timeout=1, trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _wait_until(holds: Callable[[], bool], seconds: float, complaint: str) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise Failure(complaint)
        time.sleep(0.05)


def _running_file() -> Path:
    return project.STATE / "running.json"


def _lock_file() -> IO[str]:
    project.STATE.mkdir(parents=True, exist_ok=True)
    return (project.STATE / "lock").open("a+")


def _take(lock: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _lock() -> Iterator[None]:
    """Hold the lock that tells who has the embedded AWS from the traces of one that was killed."""
    with _lock_file() as lock:
        _wait_until(
            lambda: _take(lock, fcntl.LOCK_EX),
            _LOOK_SECONDS,
            "The embedded AWS of this folder is running already, or starts or ends; `faceblur down` stops it.",
        )
        # What is written there is of one that was killed, whose number a process of now may have.
        _running_file().unlink(missing_ok=True)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _holder() -> int | None:
    """The process that has the embedded AWS of this folder; 0 if it has not written yet which one it is."""
    with _lock_file() as lock:
        # Shared, so that two who ask do not take each other for the holder.
        if _take(lock, fcntl.LOCK_SH):
            return None
        lock.seek(0)
        return int(lock.read() or 0)
