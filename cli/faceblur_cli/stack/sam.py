"""Builds the template, and deploys it into the embedded AWS. Both use the real AWS SAM."""

import fcntl
import json
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from faceblur_cli import project
from faceblur_cli.failures import Failure
from faceblur_cli.stack import built, processes
from faceblur_cli.stack.aws import Stack, credentials

STACK_NAME = "faceblur"
# The template of a build that is deployed. `sam build` writes template.yaml.
DEPLOYED = "deployed.yaml"
# The functions' code in a build, as it is uploaded.
CODE = "code.zip"


def build(say: Callable[[str], None]) -> None:
    """Run `sam build` for this machine's interpreter, unless no source has changed since the last build.

    If another process builds in the same folder, first wait for it: two builds would remove each other's files.

    Raises Failure if a step fails, or if the layer is for another Python or processor than the functions.
    """
    project.check_tools()
    project.BUILD.parent.mkdir(parents=True, exist_ok=True)
    with project.BUILD.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another build of the functions")
            fcntl.flock(lock, fcntl.LOCK_EX)
        _build_if_changed(say)


def _build_if_changed(say: Callable[[str], None]) -> None:
    stamp, fingerprint = project.BUILD.with_suffix(".sha256"), project.fingerprint()
    if stamp.exists() and stamp.read_text() == fingerprint:
        return
    stamp.unlink(missing_ok=True)
    say("building the functions (sam build)")
    runtime, architecture = project.python_runtime(), project.architecture()
    cache = project.CACHES / f"{runtime}-{architecture}"
    # No build step needs AWS, so SAM gets an address where nothing answers.
    _run_sam("build", "http://127.0.0.1:9", [f"--cache-dir={cache}"], [f"PythonRuntime={runtime}"])
    built.check(project.BUILD, runtime, architecture)
    write_bootstraps(project.BUILD)
    _compress(project.BUILD)
    _write_deployed(project.BUILD)
    stamp.write_text(fingerprint)


def _compress(folder: Path) -> None:
    """Compress the functions' code once, and fast. SAM would do it for each deployment, which takes seconds."""
    (code,) = folder.glob("*Function*")
    with ZipFile(folder / CODE, "w") as compressed:
        for path in sorted(path for path in code.rglob("*") if path.is_file()):
            # Without the times of its files, the same code has the same digest, and is uploaded once.
            file = ZipInfo(path.relative_to(code).as_posix())
            file.external_attr = path.stat().st_mode << 16
            compressed.writestr(file, path.read_bytes(), ZIP_DEFLATED, compresslevel=1)


def _write_deployed(folder: Path) -> None:
    """Write the template that `deploy` takes. All functions have the same code.

    It is JSON, which is YAML too, because SAM reads it seven times, and other YAML takes long. The emulator mounts no
    layer. So the layer gets the code of the functions, which is uploaded only once, in place of its hundred megabytes.
    """
    program = "import json, samcli.yamlhelper as y, sys; json.dump(y.yaml_parse(sys.stdin.read()), sys.stdout)"
    template, python = (folder / "template.yaml").read_text(), project.SAM.with_name("python")
    read = subprocess.run([python, "-c", program], input=template, capture_output=True, text=True, check=False)
    if read.returncode:
        raise Failure(f"SAM cannot read the template that it built:\n{read.stderr}")
    deployed = json.loads(read.stdout)
    for resource in deployed["Resources"].values():
        match resource["Type"]:
            case "AWS::Serverless::Function":
                resource["Properties"]["CodeUri"] = CODE
            case "AWS::Serverless::LayerVersion":
                resource["Properties"]["ContentUri"] = CODE
    (folder / DEPLOYED).write_text(json.dumps(deployed))


def write_bootstraps(
    folder: Path, handler: str = "$_HANDLER", path: str = "", environment: Mapping[str, str] | None = None
) -> None:
    """Give each built function the `bootstrap` with which a custom runtime starts.

    The emulator mounts no layers for custom runtimes, so the bootstrap of detect puts the built layer on the
    path. It is the same file for all functions, which therefore share one package. Tests wrap the functions in their
    own handler, with more folders on the path and more environment.
    """
    exports = "".join(f"export {name}='{value}'\n" for name, value in (environment or {}).items())
    folders = ":".join(filter(None, ("$PWD", path)))
    for function in folder.glob("*Function*"):
        bootstrap = function / "bootstrap"
        bootstrap.unlink(missing_ok=True)  # It may be a hard link to a file of a shared build.
        bootstrap.write_text(
            f'#!/bin/sh\n{exports}export PYTHONPATH="{folders}"\n'
            f'case $_HANDLER in detect.*) PYTHONPATH="$PYTHONPATH:{folder / "OnnxLayer/python"}" ;; esac\n'
            f"exec '{project.RUNTIME_PYTHON}' -m awslambdaric \"{handler}\"\n"
        )
        bootstrap.chmod(0o755)


def deploy(
    endpoint: str, folder: Path = project.BUILD, stack_name: str = STACK_NAME, parameters: Sequence[str] = ()
) -> Stack:
    """Run `sam deploy` of a built template into the embedded AWS at this address.

    The functions run as `provided.al2023`: its `bootstrap` starts AWS's own runtime client with this machine's Python.
    """
    options = [
        f"--template-file={folder / DEPLOYED}",
        f"--stack-name={stack_name}",
        f"--tags=ms-custom-id={stack_name}",
    ]
    overrides = ["PythonRuntime=provided.al2023", "FaceDetector=embedded", "WebPage=no"]
    unlimited = ["DollarsADay=0", "RequestsASecond=10000"]
    _run_sam("deploy", endpoint, options, [*overrides, *unlimited, f"AwsEndpointUrl={endpoint}", *parameters])
    outputs = Stack(endpoint, {}).client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"][0]["Outputs"]
    return Stack(endpoint, {output["OutputKey"]: output["OutputValue"] for output in outputs})


def _run_sam(command: str, endpoint: str, options: Sequence[str], parameters: Sequence[str]) -> None:
    """Run a SAM command, which can reach AWS at `endpoint` only. Raises Failure with the end of its output."""
    # SAM builds the layer with the first `python3 -m pip` in the path. .tools/uv has a pip for this interpreter.
    path = f"{project.ROOT / '.tools/uv/bin'}:{os.environ['PATH']}"
    environment = os.environ | credentials() | processes.mark(project.STATE)
    environment |= {"PATH": path, "AWS_ENDPOINT_URL": endpoint}
    # The layer's Makefile reads these: the Python and the processor for which it builds.
    environment |= {
        "PYTHON_VERSION": project.python_runtime().removeprefix("python"),
        "ARCHITECTURE": project.architecture(),
    }
    environment |= {"SAM_CLI_TELEMETRY": "0", "SAM_CLI_CHECK_LATEST_VERSION": "0"}
    # The embedded AWS deploys in about a second. SAM would look after five seconds whether it is done.
    environment |= {"SAM_CLI_POLL_DELAY": "0.5"}
    # All functions have the same code, so they share one folder of the build. A copy for each would take 1.3 GB and a
    # minute and a half. What is deployed as a folder, as in tests, is compressed and uploaded once.
    environment |= {"SAM_CLI_BETA_BUILD_PERFORMANCE": "1", "SAM_CLI_BETA_PACKAGE_PERFORMANCE": "1"}
    environment.pop("AWS_PROFILE", None)
    configuration = [f"--config-file={project.ROOT / 'samconfig.toml'}", "--config-env=local"]
    overrides = ["--parameter-overrides", f"Architecture={project.architecture()}", *parameters]
    with subprocess.Popen(
        [project.SAM, command, *configuration, *options, *overrides],
        cwd=project.ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as sam:
        try:
            output, _ = sam.communicate()
        except BaseException:
            # Also kill the processes that SAM started. A `pip` that continued would write into the next build.
            with suppress(ProcessLookupError):
                os.killpg(sam.pid, signal.SIGKILL)
            raise
    if sam.returncode != 0:
        raise Failure(_why_failed(command, output))


def _why_failed(command: str, output: str) -> str:
    """One line that says why SAM failed, after its whole output has been stored."""
    if "No space left on device" in output:
        return f"`sam {command}` failed: the disk of {project.ROOT} is full. Free some space and try again."
    log = project.STATE / f"sam-{command}.txt"
    log.write_text(output)
    last_line = output.strip().split("\n")[-1]
    return f"`sam {command}` failed: {last_line} (its whole output is in {log})"
