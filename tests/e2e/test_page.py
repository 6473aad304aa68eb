"""The web page in a real browser with a deployed stack. These tests run those of frontend/e2e."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx
import pytest
from PIL import Image

from faceblur_cli import project
from faceblur_cli.page.server import serve_page
from tests.support.pictures import photos
from tests.support.pictures.plates import street_with_plate
from tests.support.stack.command import served
from tests.support.stack.deployed import eventually
from tests.support.standins.loopback import reserved_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.stack.deployed import Deployed


# The time for forty tests on a busy machine, in seconds.
BROWSER_SECONDS = 900


@pytest.fixture(scope="module")
def aws_port() -> Iterator[int]:
    """A port of its own, because the tests of the command start stacks on the usual one at the same time."""
    with reserved_port() as port:
        yield port


@pytest.fixture
def page(environment: dict[str, str], aws_port: int) -> Iterator[str]:
    """The page that `faceblur up` serves."""

    def answers() -> bool:
        try:
            return httpx.get(address, trust_env=False).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    with reserved_port() as port, served(environment, port, aws_port):
        address = f"http://127.0.0.1:{port}"
        eventually(answers, "the page")
        yield address


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Good and bad photos that people might upload."""
    portrait = photos.astronaut_pixels()
    group = Image.new("RGB", (3 * 512, 600))
    for place, pixels in enumerate((portrait, photos.hopper_pixels(), portrait)):
        group.paste(pixels, (512 * place, 0))
    eight = Image.new("RGB", (4 * 512, 2 * 600), (120, 130, 140))
    for place in range(8):
        pixels = portrait if place % 3 else photos.hopper_pixels()
        eight.paste(pixels, (512 * (place % 4), 600 * (place // 4)))
    noise = Image.merge("RGB", [Image.effect_noise((3400, 3400), 120) for _ in range(3)])
    noise.paste(portrait.resize((1536, 1536)), (800, 800))
    files = {
        "astronaut.jpg": photos.astronaut(),
        "hopper.jpg": photos.grace_hopper(),
        "small.jpg": photos.jpeg(portrait.resize((256, 256))),
        "flower.jpg": photos.flower(),
        "sky.png": photos.blank(400, 300),
        "crowd.jpg": photos.jpeg(group),
        "group.png": photos.encoded(eight, "PNG"),
        "street.jpg": street_with_plate(5)[0],
        "sign.jpg": street_with_plate(0, text="Bakery")[0],
        "text.jpg": b"Not a photo at all. " * 100,
        "truncated.jpg": photos.without_its_end(photos.astronaut()),
        "tiny.png": photos.blank(8, 8),
        "animated.gif": photos.animation("GIF"),
        "large12mp.jpg": photos.jpeg(portrait.resize((3464, 3464))),
        "big.jpg": photos.jpeg(noise, quality=100, subsampling=0),
    }
    assert len(files["big.jpg"]) > 35_000_000
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def try_in_a_browser(tests_of: str, page: str, folder: Path, environment: dict[str, str]) -> None:
    """Run a file of frontend/e2e on the page at this address."""
    assert environment.get("CHROMIUM"), "CHROMIUM must name a browser: `make test` finds or installs one"
    report = folder / "report.txt"
    with (
        report.open("w") as output,
        subprocess.Popen(
            ["npm", "run", "--silent", "e2e", "--", f"e2e/{tests_of}.test.js"],
            cwd=project.ROOT / "frontend",
            env=environment | {"FACEBLUR_PAGE": page, "FACEBLUR_PHOTOS": str(folder)},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as tests,
    ):
        try:
            passed = tests.wait(BROWSER_SECONDS) == 0
        finally:
            # The browser, too, if they did not come to their end.
            with suppress(ProcessLookupError):
                os.killpg(tests.pid, signal.SIGKILL)
    assert passed, report.read_text()[-20_000:]


@pytest.mark.timeout(2 * BROWSER_SECONDS)
def test_the_page_in_a_browser(page: str, folder: Path, environment: dict[str, str]) -> None:
    try_in_a_browser("page", page, folder, environment)


@pytest.mark.timeout(2 * BROWSER_SECONDS)
def test_the_editor_in_a_browser(page: str, folder: Path, environment: dict[str, str]) -> None:
    try_in_a_browser("editor", page, folder, environment)


@pytest.mark.timeout(2 * BROWSER_SECONDS)
def test_sign_in_in_a_browser(
    deployed_with_sign_in: Deployed, origin: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    for name, content in {"hopper.jpg": photos.grace_hopper(), "astronaut.jpg": photos.astronaut()}.items():
        (tmp_path / name).write_bytes(content)
    with serve_page(deployed_with_sign_in.stack, int(origin.rpartition(":")[2])) as address:
        assert address == origin
        try_in_a_browser("sign-in", address, tmp_path, environment)
