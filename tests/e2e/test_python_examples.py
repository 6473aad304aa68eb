"""The examples of docs/python.md are run unchanged, and programs sign in."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from faceblur_client import Client, ClientCredentials, JobFailed, NotSignedIn
from tests.support.pictures.photos import astronaut
from tests.support.pictures.remains import HIDDEN, shown
from tests.support.pictures.truth import in_pixels
from tests.support.pictures.visible import faces_in
from tests.support.sources import ROOT
from tests.support.standins.issuer import MACHINE, NOT_FOR_PROGRAMS, SCOPE, SECRET

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.stack.deployed import Deployed
    from tests.support.standins.issuer import Issuer

SECONDS = 240  # functions start cold on a busy machine
ONE, MANY, SIGN_IN = re.findall(r"```python\n(.*?)```", (ROOT / "docs/python.md").read_text(), re.DOTALL)


def run(example: str, folder: Path, **environment: str) -> str:
    """Run an example in a folder to its end. Returns its output."""
    finished = subprocess.run(
        [sys.executable, "-c", example],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def assert_hidden(photo: bytes, original: Path, result: Path) -> None:
    before, after = (Image.open(path).convert("RGB") for path in (original, result))
    (face,) = faces_in(photo)
    assert shown(before, after, in_pixels(face, before.size)) < HIDDEN


def test_one_photo(deployed: Deployed, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(astronaut())
    printed = run(ONE, tmp_path, API=deployed.stack.api_url)
    assert printed == "faces hidden: 1\n"
    assert_hidden(astronaut(), tmp_path / "photo.jpg", tmp_path / "hidden.jpg")


def test_many_photos_with_a_damaged_one(deployed: Deployed, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (photos / name).write_bytes(astronaut() if name != "b.jpg" else b"no photo")
    for _ in ("first run", "second run"):
        printed = run(MANY, tmp_path, API=deployed.stack.api_url)
        assert printed.startswith("photos/b.jpg: ")
        assert len(printed.splitlines()) == 1
        assert {path.name for path in (tmp_path / "hidden").iterdir()} == {"a.jpg", "c.jpg"}
        # A result must not become a photo of the next run.
        assert {path.name for path in photos.iterdir()} == {"a.jpg", "b.jpg", "c.jpg"}
    for name in "ac":
        assert_hidden(astronaut(), photos / f"{name}.jpg", tmp_path / "hidden" / f"{name}.jpg")


def test_a_program_that_signs_in(deployed_with_sign_in: Deployed, issuer: Issuer, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(astronaut())
    credentials = {"TOKEN_URL": f"{issuer.url}/token", "CLIENT_ID": MACHINE, "CLIENT_SECRET": SECRET}
    run(SIGN_IN, tmp_path, API=deployed_with_sign_in.stack.api_url, **credentials)
    assert_hidden(astronaut(), tmp_path / "photo.jpg", tmp_path / "hidden.jpg")


def test_a_programs_jobs_are_its_own(deployed_with_sign_in: Deployed, issuer: Issuer) -> None:
    api = deployed_with_sign_in.stack.api_url
    program = ClientCredentials(f"{issuer.url}/token", MACHINE, SECRET, SCOPE)
    with Client(api, token=program) as client, Client(api, token=issuer.token()) as alice:
        job_id = client.create_job()["job_id"]
        assert client.get_job(job_id)["status"] == "AWAITING_UPLOAD"
        with pytest.raises(JobFailed) as refused:
            alice.get_job(job_id)
        assert refused.value.code == "JobNotFound"
        client.delete_job(job_id)


@pytest.mark.parametrize("claims", NOT_FOR_PROGRAMS.values(), ids=NOT_FOR_PROGRAMS.keys())
def test_a_programs_token_that_is_not_for_us(deployed_with_sign_in: Deployed, issuer: Issuer, claims: dict) -> None:
    with (
        Client(deployed_with_sign_in.stack.api_url, token=issuer.access_token(**claims)) as client,
        pytest.raises(NotSignedIn),
    ):
        client.create_job()
