"""Many photos are hidden as one batch, against a stack in memory; then the run finds their jobs begun."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from faceblur_cli.folder import as_batch
from faceblur_cli.folder.as_batch import ENOUGH, hide_as_batch
from faceblur_cli.folder.journal import Journal
from faceblur_cli.folder.one import Wishes
from faceblur_cli.folder.pace import Pace
from faceblur_cli.folder.run import hide_all
from faceblur_client import InvalidOptions, NotSignedIn
from tests.support.standins.service import BAD, JPEG, Service

if TYPE_CHECKING:
    from collections.abc import Iterator
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


def run_as_batch(
    service: Service,
    source: Path,
    enough: int = 4,
    wait: Any = None,
    said: list[str] | None = None,
    *,
    resume: bool = True,
    **fields: Any,
) -> dict[str, Report]:
    """Hide the photos as a batch, and run. Returns the outcomes by name."""
    out = source.parent / "out"
    out.mkdir(exist_ok=True)
    outcomes: dict[str, Report] = {}
    wishes = Wishes(fields, out)
    say = ([] if said is None else said).append
    with Journal(out, resume=resume) as journal, service.client() as client:
        hide_as_batch([source], client, journal, wishes, wait or client.get_batch, say, enough)
        pace = Pace(1, grows=False, clock=itertools.count(step=40.0).__next__)
        hide_all([source], client, pace, journal, wishes, lambda told: outcomes.update({told.photo: told}))
    return {name.rpartition("/")[2]: told for name, told in outcomes.items()}


def test_many_photos_are_hidden_by_a_batch(service: Service, folder: Path) -> None:
    outcomes = run_as_batch(service, folder, style="solid")
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
    assert run_as_batch(service, folder)["d.jpg"].status == "COMPLETED"
    assert len(service.hidden) == 3


@pytest.mark.parametrize(("enough", "fields"), [(ENOUGH, {}), (4, {"review": "always"}), (4, {"keep_original": 1})])
def test_few_photos_and_what_a_batch_cannot_do_go_one_by_one(
    service: Service, folder: Path, enough: int, fields: dict[str, Any]
) -> None:
    run_as_batch(service, folder, enough, **fields)
    assert (len(service.hidden), service.batches) == (4, {})


def test_what_is_done_does_not_go_again(service: Service, folder: Path) -> None:
    run_as_batch(service, folder)
    service.batches.clear()
    (folder / "e.jpg").write_bytes(JPEG)
    run_as_batch(service, folder)
    assert service.batches == {}


def test_a_batch_that_is_interrupted_is_deleted(service: Service, folder: Path) -> None:
    def interrupt(_: str) -> dict[str, Any]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_as_batch(service, folder, wait=interrupt)
    assert service.batches == {}
    run_as_batch(service, folder)
    assert len(service.batches["bb"]) == 4


def results(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder.parent / "out").glob("*.jpg")}


class Killed(BaseException):
    """The end of the process: nothing after it is done."""


@contextmanager
def killed_at(service: Service, method: str, path: str, times: int = 1) -> Iterator[None]:
    """End the process at this request, which must come: neither it nor a later one is answered."""
    left = [times]

    def kill(request: Any) -> None:
        left[0] -= left[0] > 0 and (request.method, request.url.path) == (method, path)
        if not left[0]:
            raise Killed

    service.instead = kill
    with pytest.raises(Killed):
        yield


def killed_during_the_uploads(service: Service, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the photos as a batch, and end the process when two of them are uploaded."""
    monkeypatch.setattr(as_batch, "_UPLOADS_AT_ONCE", 1)
    with killed_at(service, "POST", "/in/ba", times=3):
        run_as_batch(service, folder)


def seen_by(service: Service) -> list[str]:
    """The requests from now on, which are answered again."""
    seen: list[str] = []
    service.instead = lambda request: seen.append(f"{request.method} {request.url.path}")
    return seen


def test_a_batch_goes_on_after_the_end_of_the_process(service: Service, folder: Path) -> None:
    with killed_at(service, "GET", "/batches/ba"):
        run_as_batch(service, folder)
    seen = seen_by(service)
    outcomes = run_as_batch(service, folder)
    assert outcomes["d.jpg"].status == "COMPLETED"
    assert (folder.parent / "out/d.jpg").read_bytes() == b"hidden " + JPEG + b"d"
    assert not {"POST /batches", "POST /in/ba", "POST /batches/ba/start"} & set(seen)
    assert service.hidden == [JPEG + BAD]


def test_uploads_that_arrived_before_the_end_of_the_process_are_not_sent_again(
    service: Service, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_during_the_uploads(service, folder, monkeypatch)
    assert len(service.batches["ba"]) == 2
    seen = seen_by(service)
    run_as_batch(service, folder)
    assert (seen.count("POST /in/ba"), seen.count("POST /batches")) == (2, 0)
    assert sorted(service.batches["ba"].values()) == sorted(JPEG + photo for photo in (b"a", BAD, b"c", b"d"))
    assert service.hidden == [JPEG + BAD]


def test_a_number_stays_with_its_photo_when_that_is_away_for_a_run(
    service: Service, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_during_the_uploads(service, folder, monkeypatch)
    away = (folder / "a.jpg").rename(folder.parent / "away.jpg")
    with killed_at(service, "GET", "/batches/ba", times=2):
        run_as_batch(service, folder)
    away.rename(folder / "a.jpg")
    seen_by(service)
    run_as_batch(service, folder)
    assert results(folder) == {name: b"hidden " + JPEG + name[:1].encode() for name in ("a.jpg", "c.jpg", "d.jpg")}
    assert service.hidden == [JPEG + BAD]


def test_a_photo_that_is_away_when_its_batch_ends_has_its_job(service: Service, folder: Path) -> None:
    with killed_at(service, "GET", "/batches/ba"):
        run_as_batch(service, folder)
    away = (folder / "a.jpg").rename(folder.parent / "away.jpg")
    seen_by(service)
    run_as_batch(service, folder)
    assert "a.jpg" not in results(folder)
    away.rename(folder / "a.jpg")
    run_as_batch(service, folder)
    assert results(folder)["a.jpg"] == b"hidden " + JPEG + b"a"
    # In the second run and in the third one.
    assert service.hidden == [JPEG + BAD] * 2


def test_a_photo_that_is_new_since_the_batch_started_goes_by_itself(service: Service, folder: Path) -> None:
    with killed_at(service, "GET", "/batches/ba"):
        run_as_batch(service, folder)
    (folder / "e.jpg").write_bytes(JPEG + b"e")
    seen_by(service)
    assert run_as_batch(service, folder)["e.jpg"].status == "COMPLETED"
    assert service.hidden == [JPEG + BAD, JPEG + b"e"]


def test_a_small_run_with_other_photos_leaves_the_batch_alone(service: Service, folder: Path) -> None:
    with killed_at(service, "GET", "/batches/ba"):
        run_as_batch(service, folder)
    (folder.parent / "one.jpg").write_bytes(JPEG + b"one")
    seen = seen_by(service)
    assert run_as_batch(service, folder.parent / "one.jpg")["one.jpg"].status == "COMPLETED"
    assert not [path for path in seen if "batches" in path]
    run_as_batch(service, folder)
    assert results(folder)["a.jpg"] == b"hidden " + JPEG + b"a"
    assert (set(service.batches), service.hidden) == ({"ba"}, [JPEG + b"one", JPEG + BAD])


@pytest.mark.parametrize(
    ("source", "again"), [("photos", {"style": "pixelate"}), ("others", {}), ("photos", {"resume": False})]
)
def test_a_batch_that_another_one_replaces_is_deleted(
    service: Service, folder: Path, source: str, again: dict[str, Any]
) -> None:
    with killed_at(service, "GET", "/batches/ba"):
        run_as_batch(service, folder)
    (folder.parent / "others").mkdir()
    for number in range(4):
        (folder.parent / f"others/{number}.jpg").write_bytes(JPEG)
    seen_by(service)
    said: list[str] = []
    run_as_batch(service, folder.parent / source, said=said, **again)
    assert set(service.batches) == {"bb"}
    assert said == ["The unfinished batch of an earlier run is deleted."]


def test_options_that_are_refused_delete_no_batch(service: Service, folder: Path) -> None:
    with killed_at(service, "GET", "/batches/ba"):
        run_as_batch(service, folder)
    refusal = {"code": "InvalidOptions", "message": "style: there is no such style."}
    service.instead = lambda _: httpx.Response(400, json=refusal)
    with pytest.raises(InvalidOptions):
        run_as_batch(service, folder, style="none")
    seen_by(service)
    run_as_batch(service, folder)
    assert (set(service.batches), service.hidden) == ({"ba"}, [JPEG + BAD])


def test_a_batch_whose_photos_are_done_meanwhile_is_not_started(service: Service, folder: Path) -> None:
    (folder / "b.jpg").unlink()
    with killed_at(service, "POST", "/batches/ba/start"):
        run_as_batch(service, folder, enough=3)
    seen_by(service)
    out = folder.parent / "out"
    with Journal(out, resume=True) as journal, service.client() as client:
        pace = Pace(1, grows=False, clock=itertools.count(step=40.0).__next__)
        hide_all([folder], client, pace, journal, Wishes({}, out), lambda _: None)
    run_as_batch(service, folder, enough=3)
    assert (service.started, len(service.hidden)) == ([], 3)


def test_a_batch_that_is_gone_is_not_gone_on_with(service: Service, folder: Path) -> None:
    with killed_at(service, "GET", "/batches/ba"):
        run_as_batch(service, folder)
    service.batches.clear()
    seen_by(service)
    run_as_batch(service, folder, enough=ENOUGH)
    assert (len(service.hidden), service.batches) == (4, {})


def test_a_token_that_expires_in_the_middle_leaves_the_batch(service: Service, folder: Path) -> None:
    def refuse(request: Any) -> httpx.Response | None:
        if (request.method, request.url.path) == ("GET", "/batches/ba"):
            return httpx.Response(401, json={"message": "The incoming token has expired"})
        return None

    service.instead = refuse
    with pytest.raises(NotSignedIn):
        run_as_batch(service, folder)
    seen_by(service)
    run_as_batch(service, folder)
    assert service.hidden == [JPEG + BAD]
    assert len([fields for fields in service.created if "tolerated_failures" in fields]) == 1


def test_a_photo_that_changes_meanwhile_is_left_to_the_run(service: Service, folder: Path) -> None:
    def change(request: Any) -> None:
        if request.url.path == "/batches":
            (folder / "a.jpg").write_bytes(JPEG + b"another")

    service.instead = change
    run_as_batch(service, folder)
    assert len(service.batches["ba"]) == 3
    assert service.hidden == [JPEG + b"another", JPEG + BAD]
