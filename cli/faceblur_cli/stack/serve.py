"""Serves the stack on this machine: builds the template, starts the embedded AWS and deploys into it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from botocore.exceptions import ClientError

from faceblur_cli import project
from faceblur_cli.failures import Failure
from faceblur_cli.stack import holder
from faceblur_cli.stack.aws import Stack
from faceblur_cli.stack.emulator import any_port, emulator
from faceblur_cli.stack.recovery import recover
from faceblur_cli.stack.sam import STACK_NAME, build, deploy


@contextmanager
def serve_stack(port: int, say: Callable[[str], None]) -> Iterator[Stack]:
    """Build, start and deploy; the stack serves until the block ends, and its state is kept for the next time.

    Port 0 means the default port if it is free, else any. Raises Failure if another process serves a stack already, if
    the port is in use, or if a step fails.
    """
    with holder.hold():
        build(say)
        port = port or any_port()
        # Queue and photo addresses contain the port, so each port has a state of its own.
        state = project.STATE / f"aws-{port}"
        state.mkdir(parents=True, exist_ok=True)
        with emulator(port, state) as endpoint:
            stack = _deployed(endpoint, state, say)
            with holder.announce(stack):
                yield stack


@contextmanager
def reopen_stack() -> Iterator[Stack]:
    """Start the embedded AWS as the last stack left it, to read what it kept. Raises Failure if there was none."""
    with holder.hold():
        stamps = sorted(project.STATE.glob("aws-*/deployed.json"), key=lambda stamp: stamp.stat().st_mtime)
        if not stamps:
            raise Failure("No stack has been deployed on this machine yet. Deploy one with `faceblur up`.")
        state = stamps[-1].parent
        with emulator(int(state.name.removeprefix("aws-")), state) as endpoint:
            yield Stack(endpoint, json.loads(stamps[-1].read_text())["outputs"])


def _deployed(endpoint: str, state: Path, say: Callable[[str], None]) -> Stack:
    """The stack that the emulator kept if it is of this build, else a new deployment."""
    stamp, fingerprint = state / "deployed.json", project.fingerprint()
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
