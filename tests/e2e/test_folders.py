"""A folder of photos through a deployed stack, by a command that is killed in the middle."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from faceblur_cli.folder.journal import NAME
from tests.support.pictures.photos import ASTRONAUT_FACE, astronaut, grace_hopper
from tests.support.pictures.remains import HIDDEN, shown
from tests.support.pictures.truth import in_pixels
from tests.support.stack.command import FACEBLUR, faceblur, served
from tests.support.stack.deployed import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PHOTOS = 8


@pytest.fixture(scope="module")
def api(environment: dict[str, str]) -> Iterator[str]:
    """The API of a stack that `faceblur up` serves."""
    with served(environment) as (_, about):
        yield about["outputs"]["ApiUrl"]


def test_a_run_that_is_killed_goes_on(api: str, environment: dict[str, str], tmp_path: Path) -> None:
    photos, out, report = tmp_path / "photos", tmp_path / "out", tmp_path / "report.csv"
    names = [f"{number % 2}/{number}.jpg" for number in range(PHOTOS)]
    for name in names:
        (photos / name).parent.mkdir(parents=True, exist_ok=True)
        # Each has bytes of its own: what follows the end of a JPEG is no pixel.
        (photos / name).write_bytes(astronaut() + name.encode())
    (photos / "broken.jpg").write_bytes(grace_hopper()[:2000])
    (photos / "video.mp4").write_bytes(b"\0\0\0\x18ftypisom\0\0\0\0isommp41")

    def lines() -> list[dict[str, object]]:
        journal = out / NAME
        written = journal.read_text().splitlines(keepends=True) if journal.exists() else []
        return [json.loads(line) for line in written if line.endswith("\n")]

    def stored() -> set[object]:
        return {line["path"] for line in lines() if line.get("result")}

    command = [FACEBLUR, "blur", photos, "--out", out, "--api", api, "--json"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as killed:
        eventually(lambda: len(stored()) >= 2, "two results")
        killed.send_signal(signal.SIGKILL)
    before = stored()
    assert len(before) < PHOTOS

    finished = faceblur(environment, "blur", photos, "--out", out, "--api", api, "--json", "--report", report)
    assert finished.returncode == 1, finished.stderr
    assert f"{PHOTOS} hidden, 1 failed, 1 skipped" in finished.stderr
    told = {line["photo"]: line for line in map(json.loads, finished.stdout.splitlines())}
    assert len(told) == len(finished.stdout.splitlines()) == PHOTOS + 2
    assert told[str(photos / "broken.jpg")]["error"]["code"] == "CorruptImage"
    assert told[str(photos / "video.mp4")]["skipped"] == "This is a video."
    for name in names:
        line = told[str(photos / name)]
        assert (line["status"], line["faces"], line["output"]) == ("COMPLETED", 1, str(out / name))
        assert line["done_before"] or name not in before
        before_and_after = (Image.open(path).convert("RGB") for path in (photos / name, out / name))
        original, result = before_and_after
        assert shown(original, result, in_pixels(ASTRONAUT_FACE, original.size)) < HIDDEN
    ended = [line["path"] for line in lines() if line.get("result")]
    assert sorted(ended) == sorted(names), "nothing was done twice"
    files = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert files == {*names, NAME}
    with report.open(newline="") as file:
        assert {row["photo"]: row["status"] for row in csv.DictReader(file)} == {
            photo: line["status"] for photo, line in told.items()
        }
