"""A detection calls nobody and leaves nothing behind: onnxruntime would do both."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.support.networks import ROOT, python_path
from tests.support.pictures import photos

if TYPE_CHECKING:
    from pathlib import Path

DETECTION = """
from pathlib import Path
from faceblur.detectors.base import DetectionPass, StoredPhoto
from faceblur.detectors.embedded.detector import EmbeddedDetector
photo = StoredPhoto(Path("../photo.jpg").read_bytes(), "", "")
for detection_pass in DetectionPass:
    assert len(EmbeddedDetector().detect(photo, 50, detection_pass).boxes) == 1
"""
# Without the variable: it writes an identity of the device at once, and asks for its makers' host within seconds.
RUNTIME = """
from importlib import resources
import onnxruntime
session = onnxruntime.InferenceSession(resources.files("centerface").joinpath("model.onnx").read_bytes())
"""
IN_A_SEALED_PROCESS = """
import sys
from tests.support.sealed import seal
seal()
{work}
print("done", flush=True)
sys.stdin.read()
"""


def started(work: str, home: Path) -> subprocess.Popen[str]:
    """A process that does the work and then stays until its input ends; a socket ends it, its folder is `home`."""
    home.mkdir()
    return subprocess.Popen(
        [sys.executable, "-c", IN_A_SEALED_PROCESS.format(work=work)],
        cwd=home,
        env={
            "HOME": str(home),
            "TMPDIR": str(home),
            "PATH": os.defpath,
            "PYTHONPATH": os.pathsep.join([str(ROOT / "functions"), str(ROOT), python_path()]),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_detection_opens_no_socket_and_writes_no_file(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(photos.astronaut())
    with started(DETECTION, tmp_path / "ours") as ours:
        assert ours.stdout.readline() == "done\n"
        # The runtime by itself, started later, tells when ours has been watched for long enough.
        with started(RUNTIME, tmp_path / "theirs") as theirs:
            assert theirs.wait() == -signal.SIGSYS
        assert ours.poll() is None
        ours.communicate()
    assert ours.returncode == 0
    assert any((tmp_path / "theirs").iterdir())
    assert not any((tmp_path / "ours").iterdir())
