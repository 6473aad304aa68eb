"""Many photos go ahead as one batch, against a stack in memory; then the run finds their jobs begun."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from faceblur_cli.folder import ahead as ahead_module
from faceblur_cli.folder.ahead import ENOUGH, hide_ahead
from faceblur_cli.folder.journal import Journal
from faceblur_cli.folder.one import Wishes
from faceblur_cli.folder.pace import Pace
from faceblur_cli.folder.run import hide_all
from faceblur_client import NotSignedIn
from tests.support.standins.service import BAD, JPEG, Service

if TYPE_CHECKING:
    from pathlib import Path

    from faceblur_cli.folder.report import Report


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of four photos, of which one is damaged, and of something else."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, content in {"a.jpg": b"a", "b.jpg": BAD, "c.jpg": b"c", "d.jpg": b"d"}.items():
        (folder / name).write_bytes(JPEG + content)
    (folder / "notes.txt").write_text("no photo")
    return folder


def ahead(service: Service, folder: Path, enough: int = 4, wait: Any = None, **fields: Any) -> dict[str, Report]:
    """Send the photos ahead, and run; gives the outcomes by name."""
    out = folder.parent / "out"
    out.mkdir(exist_ok=True)
    outcomes: dict[str, Report] = {}
    wishes = Wishes(fields, out)
    with Journal(out, resume=True) as journal, service.client() as client:
        said: list[str] = []
        hide_ahead([folder], client, journal, wishes, wait or client.get_batch, said.append, enough)
        pace = Pace(1, grows=False, clock=itertools.count(step=40.0).__next__)
        hide_all([folder], client, pace, journal, wishes, lambda told: outcomes.update({told.photo: told}))
    return {name.rpartition("/")[2]: told for name, told in outcomes.items()}


def test_many_photos_are_hidden_by_a_batch(service: Service, folder: Path) -> None:
    outcomes = ahead(service, folder, style="solid")
    assert {name: told.status for name, told in outcomes.items()} == {
        "a.jpg": "COMPLETED",
        "b.jpg": "FAILED",
        "c.jpg": "COMPLETED",
        "d.jpg": "COMPLETED",
        "notes.txt": "SKIPPED",
    }
    assert (folder.parent / "out/c.jpg").read_bytes() == b"hidden " + JPEG + b"c"
    # Only the damaged one was sent once more, for its reason. No name left the machine.
    assert service.hidden == [JPEG + BAD]
    assert service.created == [{"style": "solid", "tolerated_failures": 100}, {"style": "solid"}]
    assert set(service.batches["ba"]) == {f"ba/in/{number:09}" for number in range(4)}


def test_what_the_batch_did_not_come_to_is_hidden_by_itself(service: Service, folder: Path) -> None:
    service.of_a_batch = 1
    assert ahead(service, folder)["d.jpg"].status == "COMPLETED"
    assert len(service.hidden) == 3


@pytest.mark.parametrize(("enough", "fields"), [(ENOUGH, {}), (4, {"review": "always"}), (4, {"keep_original": 1})])
def test_few_photos_and_what_a_batch_cannot_do_go_one_by_one(
    service: Service, folder: Path, enough: int, fields: dict[str, Any]
) -> None:
    ahead(service, folder, enough, **fields)
    assert (len(service.hidden), service.batches) == (4, {})


def test_what_is_done_does_not_go_again(service: Service, folder: Path) -> None:
    ahead(service, folder)
    service.batches.clear()
    (folder / "e.jpg").write_bytes(JPEG)
    ahead(service, folder)
    assert service.batches == {}


def test_a_batch_that_is_interrupted_is_deleted(service: Service, folder: Path) -> None:
    def interrupt(_: str) -> dict[str, Any]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ahead(service, folder, wait=interrupt)
    assert service.batches == {}
    ahead(service, folder)
    assert len(service.batches["bb"]) == 4


class Killed(BaseException):
    """The end of the process: nothing after it is done."""


def killed_at(service: Service, method: str, path: str, times: int = 1) -> None:
    """End the process at this request: neither it nor a later one is answered."""
    left = [times]

    def kill(request: Any) -> None:
        left[0] -= left[0] > 0 and (request.method, request.url.path) == (method, path)
        if not left[0]:
            raise Killed

    service.instead = kill


def seen_by(service: Service) -> list[str]:
    """The requests from now on, which are answered again."""
    seen: list[str] = []
    service.instead = lambda request: seen.append(f"{request.method} {request.url.path}")
    return seen


def test_a_batch_goes_on_after_the_end_of_the_process(service: Service, folder: Path) -> None:
    killed_at(service, "GET", "/batches/ba")
    with pytest.raises(Killed):
        ahead(service, folder)
    seen = seen_by(service)
    outcomes = ahead(service, folder)
    assert outcomes["d.jpg"].status == "COMPLETED"
    assert (folder.parent / "out/d.jpg").read_bytes() == b"hidden " + JPEG + b"d"
    assert not {"POST /batches", "POST /in/ba", "POST /batches/ba/start"} & set(seen)
    assert service.hidden == [JPEG + BAD]


def test_uploads_that_arrived_before_the_end_of_the_process_are_not_sent_again(
    service: Service, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead_module, "_UPLOADS_AT_ONCE", 1)
    killed_at(service, "POST", "/in/ba", times=3)
    with pytest.raises(Killed):
        ahead(service, folder)
    assert len(service.batches["ba"]) == 2
    seen = seen_by(service)
    ahead(service, folder)
    assert (seen.count("POST /in/ba"), seen.count("POST /batches")) == (2, 0)
    assert sorted(service.batches["ba"].values()) == sorted(JPEG + photo for photo in (b"a", BAD, b"c", b"d"))
    assert service.hidden == [JPEG + BAD]


def test_a_batch_with_other_options_is_not_gone_on_with(service: Service, folder: Path) -> None:
    killed_at(service, "GET", "/batches/ba")
    with pytest.raises(Killed):
        ahead(service, folder, style="solid")
    seen_by(service)
    ahead(service, folder, style="pixelate")
    assert [made["style"] for made in service.created] == ["solid", "pixelate", "pixelate"]


def test_a_batch_that_is_gone_is_not_gone_on_with(service: Service, folder: Path) -> None:
    killed_at(service, "GET", "/batches/ba")
    with pytest.raises(Killed):
        ahead(service, folder)
    service.batches.clear()
    seen_by(service)
    ahead(service, folder, enough=ENOUGH)
    assert (len(service.hidden), service.batches) == (4, {})


def test_a_token_that_expires_in_the_middle_leaves_the_batch(service: Service, folder: Path) -> None:
    def refuse(request: Any) -> httpx.Response | None:
        if (request.method, request.url.path) == ("GET", "/batches/ba"):
            return httpx.Response(401, json={"message": "The incoming token has expired"})
        return None

    service.instead = refuse
    with pytest.raises(NotSignedIn):
        ahead(service, folder)
    seen_by(service)
    ahead(service, folder)
    assert service.hidden == [JPEG + BAD]
    assert len([fields for fields in service.created if "tolerated_failures" in fields]) == 1


def test_a_photo_that_changes_meanwhile_is_left_to_the_run(service: Service, folder: Path) -> None:
    def change(request: Any) -> None:
        if request.url.path == "/batches":
            (folder / "a.jpg").write_bytes(JPEG + b"another")

    service.instead = change
    ahead(service, folder)
    assert len(service.batches["ba"]) == 3
    assert service.hidden == [JPEG + b"another", JPEG + BAD]
