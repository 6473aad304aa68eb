"""Serves the stack on this machine: builds the template, starts the embedded AWS and deploys into it."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from botocore.exceptions import ClientError

from faceblur_cli import ports, project
from faceblur_cli.failures import Failure
from faceblur_cli.stack import holder
from faceblur_cli.stack.aws import Stack
from faceblur_cli.stack.emulator import emulator
from faceblur_cli.stack.recovery import LIFETIME, recover
from faceblur_cli.stack.sam import STACK_NAME, build, deploy

# The file with the fingerprint of the build that is deployed, and with the outputs of the stack.
_STAMP = "deployed.json"


@contextmanager
def serve_stack(port: int, say: Callable[[str], None]) -> Iterator[Stack]:
    """Build, start and deploy. The stack serves until the block ends, and its state is kept for the next time.

    Port 0 means the port of the last stack or, if that is not possible, the default port or any free port. Raises
    Failure if another process serves a stack already, if the port is in use, or if a step fails.
    """
    with holder.hold():
        if port:
            ports.check(port, "--port")  # before the build, which takes long
        build(say)
        port = port or ports.any_port(_last_port() or ports.AWS)
        state = _state_of(port)
        state.mkdir(parents=True, exist_ok=True)
        _remove_expired_states(state)
        with emulator(port, state) as endpoint:
            stack = _deployed(endpoint, state, say)
            with holder.announce(stack):
                yield stack


@contextmanager
def reopen_stack() -> Iterator[Stack]:
    """Start the embedded AWS as the last stack left it, to read what it kept. Raises Failure if there was none."""
    with holder.hold():
        if not (port := _last_port()):
            raise Failure("No stack has been deployed on this machine yet. Deploy one with `make run`.")
        state = _state_of(port)
        with emulator(port, state) as endpoint:
            yield Stack(endpoint, json.loads((state / _STAMP).read_text())["outputs"])


def _state_of(port: int) -> Path:
    """The folder of the emulator's state for a port. Addresses of queues and photos contain the port."""
    return project.STATE / f"aws-{port}"


def _remove_expired_states(used: Path) -> None:
    """Remove the states of other ports that were last used a day ago or earlier. No photo may be kept longer."""
    for state in project.STATE.glob("aws-*"):
        # The emulator writes into its log while it runs, so the log's time tells when the state was last used.
        newest = max(file.stat().st_mtime for file in (state, *state.glob("log.txt")))
        if state != used and newest < time.time() - LIFETIME.total_seconds():
            shutil.rmtree(state)


def _last_port() -> int | None:
    """The port of the stack that was deployed last."""
    stamps = sorted(project.STATE.glob(f"aws-*/{_STAMP}"), key=lambda stamp: stamp.stat().st_mtime)
    return int(stamps[-1].parent.name.removeprefix("aws-")) if stamps else None


def _deployed(endpoint: str, state: Path, say: Callable[[str], None]) -> Stack:
    """The stack that the emulator kept, if it was deployed from this build; otherwise a new deployment."""
    stamp, fingerprint = state / _STAMP, project.fingerprint()
    if stamp.exists() and (kept := json.loads(stamp.read_text())).get("build") == fingerprint:
        stack = Stack(endpoint, kept["outputs"])
        if _exists(stack):
            recover(stack)
            return stack
    stamp.unlink(missing_ok=True)
    say(f"deploying into the embedded AWS at {endpoint} (sam deploy)")
    stack = deploy(endpoint)
    stamp.write_text(json.dumps({"build": fingerprint, "outputs": dict(stack.outputs)}))
    return stack


def _exists(stack: Stack) -> bool:
    """Whether the emulator still has the stack: an emulator that was killed has not saved it."""
    try:
        stack.client("cloudformation").describe_stacks(StackName=STACK_NAME)
    except ClientError:
        return False
    return True
