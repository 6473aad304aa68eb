"""Runs the emulator that is the embedded AWS (MiniStack)."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from faceblur_cli import loopback, ports, project
from faceblur_cli.failures import Failure
from faceblur_cli.stack import processes
from faceblur_cli.stack.aws import credentials
from faceblur_cli.waiting import wait_until

# The emulator sends an event to a function in two pieces. With Nagle's algorithm the second piece waits until the first
# is acknowledged, which adds 40 ms to every call.
# The program below also mends these gaps of the emulator. It does not evaluate a TimeoutSeconds that is an expression.
# It ignores the gateway responses of an imported API, and limits of a map that are paths. A nested execution sends no
# events, and replaces an execution with the same name. All functions have the same code, but it reads and hashes the
# code for each of them, and keeps a copy for each in memory. SAM names the code by its digest, so the same name is the
# same code. It reads templates by the slower of PyYAML's two parsers.
# Standard input is a pipe whose other end the command holds. The pipe closes when the command ends, in whatever way.
# Then the emulator saves its state and stops.
_RUN_EMULATOR = """
import hashlib, json, os, signal, socketserver, threading, time
from functools import lru_cache
from types import SimpleNamespace
def stop_with_the_command():
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=stop_with_the_command, daemon=True).start()
socketserver.StreamRequestHandler.disable_nagle_algorithm = True
import yaml
yaml.SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
from ministack.app import main
from ministack.services import apigateway_v1, lambda_svc, stepfunctions
from ministack.services.cloudformation import provisioners
fetch_code, fetched = lambda_svc._fetch_code_from_s3, {}
def fetch_code_once(*source, **version):
    place = source, *version.values()
    if place not in fetched and (code := fetch_code(*source, **version)):
        fetched.clear()
        fetched[place] = code
    return fetched.get(place)
lambda_svc._fetch_code_from_s3 = fetch_code_once
hashed_once = SimpleNamespace(**vars(hashlib) | {"sha256": lru_cache(8)(hashlib.sha256)})
lambda_svc.hashlib = provisioners.hashlib = hashed_once
execute = stepfunctions._execute_task
def execute_in_time(state, given, execution, context):
    if isinstance(state.get("TimeoutSeconds"), str):
        field = stepfunctions._jsonata_state_field
        state = state | {"TimeoutSeconds": field(state, "TimeoutSeconds", "number", given, context)}
    return execute(state, given, execution, context)
stepfunctions._execute_task = execute_in_time
import_api = apigateway_v1._import_rest_api
def import_with_responses(definition, *more):
    api = import_api(definition, *more)
    for kind, response in definition.get("x-amazon-apigateway-gateway-responses", {}).items():
        apigateway_v1._put_gateway_response(api, kind, response)
    return api
apigateway_v1._import_rest_api = import_with_responses
run_map = stepfunctions._run_distributed_map
def run_map_in_limits(state, given, effective, *more):
    for limit in ("MaxConcurrency", "ToleratedFailurePercentage"):
        if path := state.get(limit + "Path"):
            state = state | {limit: effective[path.removeprefix("$.")]}
    return run_map(state, given, effective, *more)
stepfunctions._run_distributed_map = run_map_in_limits
def run_nested(resource, given):
    status, _, body = stepfunctions._start_execution(stepfunctions._nested_start_execution_request(given))
    started = json.loads(body)
    if status >= 400:
        raise stepfunctions._ExecutionError(started["__type"], started.get("message", ""))
    nested = stepfunctions._executions[started["executionArn"]]
    while nested["status"] == "RUNNING" and threading.main_thread().is_alive():
        time.sleep(0.02)
    if nested["status"] != "SUCCEEDED":
        raise stepfunctions._ExecutionError("States.TaskFailed", nested.get("cause") or "")
    return {"ExecutionArn": nested["executionArn"], "Status": "SUCCEEDED", "Output": json.loads(nested["output"])}
stepfunctions._invoke_nested_start_execution_sync = run_nested
main()
"""
_START_SECONDS = 60
_STOP_SECONDS = 30
# Functions end by themselves soon after the emulator, because they no longer reach it.
_PATIENCE_SECONDS = 2
# A function's first process stays. Further processes end after this many idle seconds; the emulator's default is 300.
_IDLE_SECONDS = 60


@contextmanager
def emulator(port: int, state: Path, **settings: str) -> Iterator[str]:
    """Start the embedded AWS on a loopback port, and stop it after the block. Returns its address. Raises Failure.

    At the end, none of its processes is left, nor the code that it had unpacked.
    """
    ports.check(port, "--port")
    (state / "tmp").mkdir(parents=True, exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= credentials() | processes.mark(state)
    environment |= {
        # As on AWS, functions need the permissions of their roles, and links and forms need signatures.
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LAMBDA_WARM_TTL_SECONDS": str(_IDLE_SECONDS),
        "PERSIST_STATE": "1",
        "S3_PERSIST": "1",
        "STATE_DIR": str(state / "state"),
        "S3_DATA_DIR": str(state / "s3"),
        "TMPDIR": str(state / "tmp"),
    }
    with (state / "log.txt").open("ab") as log:
        # In a session of its own, Ctrl-C does not reach it. We stop it with SIGTERM, so that it stops its workers.
        process = subprocess.Popen(
            [project.MINISTACK_PYTHON, "-c", _RUN_EMULATOR],
            env=environment | settings,
            cwd=state,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    endpoint = f"http://127.0.0.1:{port}"
    try:
        wait_until(
            lambda: _answers(endpoint, process),
            _START_SECONDS,
            f"The embedded AWS did not start. Its log is {state}/log.txt.",
        )
        yield endpoint
    finally:
        _stop(process)
        processes.end(state, _PATIENCE_SECONDS)
        shutil.rmtree(state / "tmp", ignore_errors=True)


def _answers(endpoint: str, process: subprocess.Popen[bytes]) -> bool:
    if process.poll() is not None:
        raise Failure(f"The embedded AWS ended with exit code {process.returncode}.")
    try:
        return loopback.request("GET", f"{endpoint}/_ministack/health", timeout=1).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop the emulator. It saves its state when it stops, so an interruption does not cut this short."""
    if process.stdin:
        process.stdin.close()
    deadline = time.monotonic() + _STOP_SECONDS
    while process.returncode is None:
        try:
            process.wait(max(1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
        except KeyboardInterrupt:
            continue
