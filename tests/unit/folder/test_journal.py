"""The journal: what survives the end of a process, and what does not count."""

from __future__ import annotations

import fcntl
import json
import os
from typing import TYPE_CHECKING

import pytest

from faceblur_cli.failures import Failure
from faceblur_cli.folder.journal import NAME, Journal, State

if TYPE_CHECKING:
    from pathlib import Path

STATE = State(1000, 1_700_000_000_000_000_000, "options")
NO_UTF8 = os.fsdecode(b"\xff.jpg")
REPORT = {"photo": "a.jpg", "error": None}


def journal(folder: Path, *, resume: bool = True) -> Journal:
    return Journal(folder, resume=resume)


def finish(folder: Path, name: str = "a.jpg", state: State = STATE) -> None:
    """A run that has done a photo."""
    with journal(folder) as begun:
        begun.begin(name, state, "0a")
        begun.end(name, state, REPORT, name, 6)
    (folder / name).write_bytes(b"result")


@pytest.mark.parametrize("name", ["a.jpg", NO_UTF8, "two\nlines.jpg"])
def test_what_is_done_is_known_to_the_next_run(tmp_path: Path, name: str) -> None:
    finish(tmp_path, name)
    with journal(tmp_path) as next_one:
        assert next_one.outcome(name, STATE) == REPORT
        assert next_one.begun_job(name, STATE) is None
        assert next_one.owns(name, name)
        assert not next_one.owns(name, "b.jpg")
        assert next_one.outcome("b.jpg", STATE) is None


@pytest.mark.parametrize("changed", [STATE._replace(size=1), STATE._replace(mtime_ns=1), STATE._replace(options="new")])
def test_what_has_changed_is_not_done_but_owns_its_result(tmp_path: Path, changed: State) -> None:
    finish(tmp_path)
    with journal(tmp_path) as next_one:
        assert next_one.outcome("a.jpg", changed) is None
        assert next_one.owns("a.jpg", "a.jpg")


@pytest.mark.parametrize("result", [None, b"half"])
def test_a_result_that_is_gone_or_short_is_not_done(tmp_path: Path, result: bytes | None) -> None:
    finish(tmp_path)
    (tmp_path / "a.jpg").unlink()
    if result is not None:
        (tmp_path / "a.jpg").write_bytes(result)
    with journal(tmp_path) as next_one:
        assert next_one.outcome("a.jpg", STATE) is None


def test_a_photo_that_failed_is_not_done(tmp_path: Path) -> None:
    with journal(tmp_path) as begun:
        begun.end("a.jpg", STATE, {"error": {"code": "CorruptImage"}})
    with journal(tmp_path) as next_one:
        assert next_one.outcome("a.jpg", STATE) is None
        assert next_one.begun_job("a.jpg", STATE) is None


def test_a_job_that_has_begun_is_taken_up(tmp_path: Path) -> None:
    with journal(tmp_path) as begun:
        begun.begin("a.jpg", STATE, "0a")
    with journal(tmp_path) as next_one:
        assert next_one.begun_job("a.jpg", STATE) == "0a"
        assert next_one.begun_job("a.jpg", STATE._replace(size=1)) is None
        assert next_one.outcome("a.jpg", STATE) is None


@pytest.mark.parametrize("torn", [b"{", b'{"path": "b.jpg", "size": 1', b"\0" * 100, b'{"path": "b.jpg"}'])
def test_a_last_line_that_is_torn_does_not_count(tmp_path: Path, torn: bytes) -> None:
    finish(tmp_path)
    with (tmp_path / NAME).open("ab") as file:
        file.write(torn)
    finish(tmp_path, "c.jpg")
    with journal(tmp_path) as next_one:
        assert next_one.outcome("a.jpg", STATE) == REPORT
        assert next_one.outcome("c.jpg", STATE) == REPORT
    assert [json.loads(line)["path"] for line in (tmp_path / NAME).read_bytes().splitlines()] == [
        "a.jpg",
        "a.jpg",
        "c.jpg",
        "c.jpg",
    ]


def test_starting_over_forgets_what_is_done_but_not_whose_the_results_are(tmp_path: Path) -> None:
    finish(tmp_path)
    with journal(tmp_path, resume=False) as anew:
        assert anew.outcome("a.jpg", STATE) is None
        assert anew.owns("a.jpg", "a.jpg")
    with journal(tmp_path) as next_one:
        assert next_one.outcome("a.jpg", STATE) is None


def test_a_second_run_into_the_same_folder_is_refused(tmp_path: Path) -> None:
    with journal(tmp_path), pytest.raises(Failure, match="Another `faceblur blur` writes to"):
        journal(tmp_path)
    journal(tmp_path).close()


def test_a_disk_that_is_full_ends_the_run_and_tears_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finish(tmp_path)
    write = os.write
    with journal(tmp_path) as full:
        monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:9]))
        with pytest.raises(Failure, match="No space left on device"):
            full.begin("b.jpg", STATE, "0b")
        monkeypatch.undo()
        full.begin("c.jpg", STATE, "0c")
    with journal(tmp_path) as next_one:
        assert next_one.begun_job("b.jpg", STATE) is None
        assert next_one.begun_job("c.jpg", STATE) == "0c"


def test_nothing_is_noted_after_the_end(tmp_path: Path) -> None:
    ended = journal(tmp_path)
    ended.close()
    with pytest.raises(Failure):
        ended.begin("a.jpg", STATE, "0a")


def test_the_journal_goes_to_the_disk_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, synced = 0.0, []
    monkeypatch.setattr(os, "fsync", synced.append)
    kept = Journal(tmp_path, resume=True, clock=lambda: now)
    for now in (0.0, 4.9, 5.0, 9.9, 10.0):  # noqa: B007 - the clock reads it
        kept.begin("a.jpg", STATE, "0a")
    assert len(synced) == 2
    kept.close()
    assert len(synced) == 3


def test_others_cannot_read_the_ids_of_the_jobs(tmp_path: Path) -> None:
    finish(tmp_path)
    assert (tmp_path / NAME).stat().st_mode & 0o077 == 0


def test_a_journal_in_which_nothing_is_noted_goes(tmp_path: Path) -> None:
    with journal(tmp_path):
        assert (tmp_path / NAME).exists()
    assert list(tmp_path.iterdir()) == []
    finish(tmp_path)
    with journal(tmp_path):
        pass
    assert (tmp_path / NAME).exists()


def test_a_journal_that_was_removed_since_it_was_opened_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = fcntl.flock

    def remove_and_lock(file: int, kind: int) -> None:
        (tmp_path / NAME).unlink()
        lock(file, kind)

    monkeypatch.setattr(fcntl, "flock", remove_and_lock)
    with pytest.raises(Failure, match="Another"):
        journal(tmp_path)


def test_a_batch_is_known_to_the_next_run_until_it_is_over(tmp_path: Path) -> None:
    with journal(tmp_path) as begun:
        begun.begin_batch("ba", "options")
        begun.send("a.jpg", STATE, "ba", 7)
    with journal(tmp_path) as next_one:
        assert next_one.begun_batch("options") == "ba"
        assert next_one.begun_batch("other options") is None
        assert next_one.number_in("ba", "a.jpg", STATE) == 7
        assert next_one.number_in("another", "a.jpg", STATE) is None
        assert next_one.number_in("ba", "a.jpg", STATE._replace(size=1)) is None
        assert next_one.begun_job("a.jpg", STATE) is None
        next_one.end_batch()
    with journal(tmp_path) as last:
        assert last.begun_batch("options") is None


@pytest.mark.parametrize("runs_after", [1, 2])
def test_a_run_that_starts_over_goes_on_with_no_batch(tmp_path: Path, runs_after: int) -> None:
    with journal(tmp_path) as begun:
        begun.begin_batch("ba", "options")
    for number in range(runs_after):
        with journal(tmp_path, resume=number > 0) as next_one:
            assert next_one.begun_batch("options") is None
