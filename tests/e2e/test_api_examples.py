"""The examples of docs/api.md are run unchanged."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from PIL import Image

from faceblur.errors import UnsupportedFormat
from tests.support.pictures.photos import astronaut
from tests.support.pictures.remains import HIDDEN, shown
from tests.support.pictures.truth import in_pixels
from tests.support.pictures.visible import faces_in
from tests.support.sources import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.stack.deployed import Deployed

SECONDS = 240  # functions start cold on a busy machine
EXAMPLES: dict[str, str] = dict(re.findall(r"```(\w+)\n(.*?)```", (ROOT / "docs/api.md").read_text(), re.DOTALL))
INTERPRETERS = {"sh": "sh", "python": sys.executable}


def test_every_example_has_an_interpreter():
    assert EXAMPLES.keys() == INTERPRETERS.keys()


def run(language: str, stack: Deployed, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run an example in a folder to its end."""
    (folder / "example").write_text(EXAMPLES[language])
    return subprocess.run(
        [INTERPRETERS[language], "example"],
        cwd=folder,
        env=os.environ | {"API": stack.stack.api_url},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_the_curl_example_hides_the_face(deployed: Deployed, tmp_path: Path):
    assert_hides_the_face("sh", deployed, tmp_path)


def test_the_python_example_hides_the_face(deployed: Deployed, tmp_path: Path):
    assert_hides_the_face("python", deployed, tmp_path)


def assert_hides_the_face(language: str, stack: Deployed, folder: Path) -> None:
    photo = astronaut()
    (folder / "photo.jpg").write_bytes(photo)
    finished = run(language, stack, folder)
    assert finished.returncode == 0, finished.stderr
    before, after = (Image.open(folder / name).convert("RGB") for name in ("photo.jpg", "hidden.jpg"))
    (face,) = faces_in(photo)
    assert shown(before, after, in_pixels(face, before.size)) < HIDDEN


def test_the_curl_example_fails_with_its_photo(deployed: Deployed, tmp_path: Path):
    (tmp_path / "photo.jpg").write_bytes(b"not a photo")
    finished = run("sh", deployed, tmp_path)
    assert (finished.returncode, finished.stderr.strip()) == (1, UnsupportedFormat.sentence)
    assert not (tmp_path / "hidden.jpg").exists()


def test_the_python_example_says_why_its_photo_failed(deployed: Deployed, tmp_path: Path):
    (tmp_path / "photo.jpg").write_bytes(b"not a photo")
    finished = run("python", deployed, tmp_path)
    assert finished.returncode == 1
    assert finished.stderr.strip().endswith(".")
    assert "Traceback" not in finished.stderr
    assert not (tmp_path / "hidden.jpg").exists()
