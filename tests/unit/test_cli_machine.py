"""What the command expects of this machine: ports, processes, disk, and a build for one Python and processor."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import subprocess
import sys
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from faceblur_cli import main, ports, project, waiting
from faceblur_cli.failures import Failure
from faceblur_cli.stack import built, emulator, holder, processes, sam
from faceblur_cli.stack.aws import Stack
from tests.support.stack.command import FACEBLUR

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Says that it runs, and lives until it is killed or gets a line.
LIVES = [sys.executable, "-c", "print('runs', flush=True); input()"]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(project, "STATE", tmp_path)
    return tmp_path


# ---------------------------------------------------------------- ports


@pytest.fixture
def taken() -> Iterator[int]:
    """A port at which another server listens."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


@pytest.mark.enable_socket
def test_a_taken_port_is_told(taken: int) -> None:
    with pytest.raises(Failure, match=rf"^Port {taken}: Address already in use\. Choose another one with --port\.$"):
        ports.check(taken, "--port")
    assert ports.any_port(taken) != taken
    ports.check(0, "--port")


@pytest.mark.enable_socket
def test_a_taken_port_is_told_before_the_build(taken: int, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("faceblur_cli.stack.serve.build", lambda _: pytest.fail("the build began"))
    monkeypatch.setattr("faceblur_cli.page.server.built_page", lambda: state)
    finished = CliRunner().invoke(main.cli, ["up", "--port", str(taken), "--page-port", "0"])
    assert f"Port {taken}: Address already in use. Choose another one with --port." in str(finished.exception)


@pytest.mark.parametrize("port", ["99999", "-1", "four", "4566.5"])
@pytest.mark.parametrize("option", ["--port", "--page-port"])
def test_what_is_no_port_is_told(option: str, port: str) -> None:
    finished = CliRunner().invoke(main.cli, ["up", option, port])
    assert (finished.exit_code, f"Invalid value for '{option}'" in finished.output) == (2, True)


def test_the_page_needs_a_port_of_its_own() -> None:
    finished = CliRunner().invoke(main.cli, ["up", "--port", "8080"])
    assert str(finished.exception) == "--port and --page-port are both 8080. Choose two different ports."


def test_a_second_stack_is_told_before_its_ports(state: Path) -> None:
    with holder.hold(), holder.announce(Stack("http://127.0.0.1:4600", {})):
        finished = CliRunner().invoke(main.cli, ["up"])
        told = "faceblur is running already. It is at http://127.0.0.1:4600. Stop it with `.venv/bin/faceblur down`."
        assert str(finished.exception) == told
        holder.announce_page("http://127.0.0.1:8000")
        finished = CliRunner().invoke(main.cli, ["up"])
    told = "faceblur is running already. Open http://127.0.0.1:8000, or stop it with `.venv/bin/faceblur down`."
    assert str(finished.exception) == told


# ---------------------------------------------------------------- make


def make(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run make in the project, without any set-up, and with a command that prints its arguments as JSON."""
    prints = f"{sys.executable} -c 'import json, sys; print(json.dumps(sys.argv[1:]))'"
    # The make that may run these tests would pass its own options on.
    own = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}}
    own["FACEBLUR_STATE"] = "/nonexistent"  # nothing runs there
    return subprocess.run(
        ["make", "--silent", "setup=", "page=", f"PYTHON={sys.executable}", f"faceblur={prints}", *arguments],
        cwd=project.ROOT,
        env=own | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", ["my party.jpg", """it's "me".jpg""", "-x.jpg", "--help", "a$b$$c`id`;#1.jpg"])
def test_make_blur_takes_every_name(name: str) -> None:
    assert json.loads(make("blur", f"PHOTO={name}").stdout) == ["blur", "--", name]
    assert json.loads(make("blur", PHOTO=name).stdout) == ["blur", "--", name]


@pytest.mark.enable_socket
def test_make_run_chooses_the_ports() -> None:
    port, page_port = str(ports.free_port()), str(ports.free_port())
    expected = ["up", "--open", "--port", port, "--page-port", page_port]
    assert json.loads(make("run", f"PORT={port}", f"PAGE_PORT={page_port}").stdout) == expected


@pytest.mark.enable_socket
def test_make_run_looks_at_the_ports_before_its_set_up(taken: int) -> None:
    for name in ("PORT", "PAGE_PORT"):
        others = {"PORT": "0", "PAGE_PORT": "0"} | {name: str(taken)}
        refused = make("run", "page=no-such-set-up", *(f"{variable}={value}" for variable, value in others.items()))
        assert (refused.returncode, refused.stdout) == (2, "")
        assert refused.stderr.startswith(
            f"faceblur: Port {taken}: Address already in use. Choose another one with {name}"
        )


def test_make_run_says_that_faceblur_runs_before_its_set_up(state: Path) -> None:
    with holder.hold(), holder.announce(Stack("http://127.0.0.1:4600", {})):
        holder.announce_page("http://127.0.0.1:8000")
        refused = make("run", "page=no-such-set-up", FACEBLUR_STATE=str(state))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("faceblur: faceblur is running already. Open http://127.0.0.1:8000, or stop it")


def test_what_make_run_asks_first_needs_no_installed_package(state: Path) -> None:
    looked = subprocess.run(
        [sys.executable, "-S", "-m", "faceblur_cli.make_run", "PORT=0"],
        env=os.environ | {"PYTHONPATH": str(project.ROOT / "cli"), "FACEBLUR_STATE": str(state)},
        capture_output=True,
        check=False,
    )
    assert (looked.returncode, looked.stderr) == (0, b"")


@pytest.mark.parametrize("port", ["99999", "four"])
def test_make_run_refuses_what_is_no_port(port: str) -> None:
    assert make("run", f"PORT={port}").stderr.startswith(
        f"faceblur: PORT={port}: a port is a number from 0 to 65535.\n"
    )


def test_make_says_that_node_is_missing(tmp_path: Path) -> None:
    (tmp_path / "node").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "node").chmod(0o755)
    packages = "frontend/node_modules/.ready"
    told = make(packages, "--always-make", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert told.returncode == 2
    assert told.stderr.startswith("The page needs Node 20.19 or later, with npm")


# ---------------------------------------------------------------- processes


def lives(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        LIVES,
        env=os.environ | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"runs\n"
    return process


def test_down_ends_what_a_killed_command_left_and_nothing_else(state: Path) -> None:
    with lives(processes.mark(state / "aws-4566")) as remains, lives(processes.mark(state.with_name("other"))) as other:
        assert processes.end(state, 0) is True
        assert remains.wait(10) < 0
        assert other.poll() is None
        assert holder.stop() is holder.Stopped.NOTHING
        other.communicate(b"\n")
        assert other.returncode == 0


def test_what_ends_by_itself_is_not_killed(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with lives(processes.mark(state)) as emulator_that_saves:
        # It gets its line, and ends, when `stop` has seen it and waits.
        waits = SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: emulator_that_saves.communicate(b"\n"))
        monkeypatch.setattr(waiting, "time", waits)
        assert holder.stop() is holder.Stopped.REMAINS
        assert emulator_that_saves.returncode == 0


# ---------------------------------------------------------------- the disk


def run_main(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
    """The exit code of a command that meets this error."""

    def fail(**_: Any) -> None:
        raise error

    monkeypatch.setattr(main, "_interrupt_on_signals", lambda: None)
    monkeypatch.setattr(main, "cli", fail)
    with pytest.raises(SystemExit) as ended:
        main.main()
    return int(str(ended.value.code))


def test_a_full_disk_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/state/running.draft")
    assert run_main(monkeypatch, full) == 1
    line = "faceblur: /state/running.draft: No space left on device. Free some space and try again.\n"
    assert capsys.readouterr().err == line


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    finished = subprocess.run([FACEBLUR, "--help"], stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert finished.stderr == ""


@pytest.fixture
def sam_that_fails(state: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A SAM that prints the file `output` and fails."""
    (state / "sam").write_text(f"#!/bin/sh\ncat {state}/output\nexit 1\n")
    (state / "sam").chmod(0o755)
    monkeypatch.setattr(project, "SAM", state / "sam")
    return state / "output"


def test_sam_on_a_full_disk(sam_that_fails: Path) -> None:
    sam_that_fails.write_text("Traceback (most recent call last):\nOSError: [Errno 28] No space left on device\n")
    with pytest.raises(
        Failure, match=r"^`sam deploy` failed: the disk of .* is full\. Free some space and try again\.$"
    ):
        sam.deploy("http://127.0.0.1:9")


def test_sam_that_fails_is_told_in_a_line(sam_that_fails: Path, state: Path) -> None:
    sam_that_fails.write_text("Building\nError: no wheel fits\n\n")
    with pytest.raises(Failure) as failed:
        sam.deploy("http://127.0.0.1:9")
    log = state / "sam-deploy.txt"
    assert str(failed.value) == f"`sam deploy` failed: Error: no wheel fits (its whole output is in {log})"
    assert log.read_text() == "Building\nError: no wheel fits\n\n"


def test_missing_tools_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project, "SAM", project.ROOT / ".tools/nothing/sam")
    with pytest.raises(
        Failure,
        match=r"^\.tools/nothing/sam is missing\. `make run` and `make blur` set it up; --api needs no tool\.$",
    ):
        sam.build(print)


# ---------------------------------------------------------------- the build


def test_a_build_waits_for_another_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(project, "BUILD", tmp_path / "build")
    (tmp_path / "build.sha256").write_text(project.fingerprint())  # what the other one leaves: nothing to do
    told: list[str] = []
    waits = threading.Event()

    def say(text: str) -> None:
        told.append(text)
        waits.set()

    build = threading.Thread(target=sam.build, args=(say,))
    with (tmp_path / "build.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        build.start()
        assert waits.wait(30)
        assert build.is_alive()
    build.join(30)
    assert not build.is_alive()
    assert told == ["waiting for another build of the functions"]


def wheel(folder: Path, *tags: str) -> None:
    (folder / "numpy-2.dist-info").mkdir(parents=True)
    (folder / "numpy-2.dist-info/WHEEL").write_text("".join(f"Tag: {tag}\n" for tag in tags))


@pytest.mark.parametrize(
    ("layer", "told"),
    [
        ("cp313-cp313-manylinux_2_28_x86_64", None),
        ("py3-none-any", None),
        ("cp39-abi3-manylinux_2_17_aarch64", None),
        ("cp312-cp312-manylinux_2_28_x86_64", "OnnxLayer was built for python3.12 on x86_64"),
        ("cp313-cp313-manylinux_2_28_aarch64", "OnnxLayer was built for python3.13 on arm64"),
    ],
)
def test_layer_and_functions_are_for_the_same(tmp_path: Path, layer: str, told: str | None) -> None:
    wheel(tmp_path / "HideFunction", "cp313-cp313-manylinux2014_x86_64", "cp313-cp313-manylinux_2_17_x86_64")
    wheel(tmp_path / "OnnxLayer/python", layer)
    deploy = [sys.executable, "-m", "faceblur_cli.stack.built", tmp_path, "PythonRuntime=python3.11"]
    deploy += ["Architecture=x86_64", "PythonRuntime=python3.13"]
    asked = subprocess.run(deploy, capture_output=True, text=True, check=False)
    if told:
        with pytest.raises(Failure, match=told):
            built.check(tmp_path, "python3.13", "x86_64")
        assert (asked.returncode, asked.stderr.count("\n"), told in asked.stderr) == (1, 1, True)
    else:
        built.check(tmp_path, "python3.13", "x86_64")
        assert (asked.returncode, asked.stderr) == (0, "")


def test_all_functions_start_by_the_same_file(tmp_path: Path) -> None:
    for name in ("DetectFunction", "HideFunction"):
        (tmp_path / name).mkdir()
    sam.write_bootstraps(tmp_path)
    detect, hide = (tmp_path / f"{name}Function/bootstrap" for name in ("Detect", "Hide"))
    assert detect.read_text() == hide.read_text()


def test_the_emulator_stops_with_its_command() -> None:
    # The rest of the program needs the emulator; this part is what a killed command relies on.
    lifeline = emulator._RUN_EMULATOR.partition("socketserver.StreamRequestHandler")[0]
    program = f"{lifeline}\nprint('runs', flush=True)\nthreading.Event().wait()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == b"runs\n"
        process.stdin.close()
        assert process.wait(10) == -15
