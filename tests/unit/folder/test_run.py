"""Runs over folders, against a stack in memory that fails as networks, disks and people do."""

from __future__ import annotations

import errno
import itertools
import json
import os
import random
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from faceblur_cli.failures import Failure
from faceblur_cli.folder.journal import NAME, Journal
from faceblur_cli.folder.one import Wishes
from faceblur_cli.folder.pace import Pace
from faceblur_cli.folder.plan import plan
from faceblur_cli.folder.report import Counts, Report
from faceblur_cli.folder.run import hide_all
from faceblur_client import CallFailed, Client, InvalidOptions, NotSignedIn, Unavailable
from tests.support.standins.service import BAD, EMPTY, JPEG, Service

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client does not wait."""
    monkeypatch.setattr(Client, "_pause", lambda *_: None)


@dataclass
class Folder:
    """A folder of photos, what hides their faces, and the folder of the results."""

    photos: Path
    out: Path
    service: Service = field(default_factory=Service)
    fields: dict[str, Any] = field(default_factory=dict)

    def put(self, *names: str, content: bytes = b"") -> None:
        for name in names:
            path = self.photos / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(JPEG + os.fsencode(name) + content)

    def run(
        self, at_once: int = 1, tell: Callable[[Report], None] = lambda _: None, **wishes: Any
    ) -> dict[str, Report]:
        """Hide the faces in all photos; gives the outcomes by the photo's name."""
        outcomes: dict[str, Report] = {}

        def take(report: Report) -> None:
            if report.is_final:
                name = str(Path(report.photo).relative_to(self.photos))
                assert name not in outcomes
                outcomes[name] = report
            tell(report)

        # A clock in which pauses are over when somebody looks at it again.
        pace = Pace(at_once, grows=False, clock=itertools.count(step=40.0).__next__)
        self.out.mkdir(exist_ok=True)
        with Journal(self.out, resume=wishes.pop("resume", True)) as journal:
            client = self.service.client(event_hooks=pace.hooks)
            hide_all([self.photos], client, pace, journal, Wishes(self.fields, self.out, **wishes), take)
        return outcomes

    @property
    def results(self) -> list[str]:
        """The paths of the results, without our own files."""
        files = (path for path in self.out.rglob("*") if path.is_file() and path.name != NAME)
        return sorted(str(path.relative_to(self.out)) for path in files)

    @property
    def journal(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.out / NAME).read_text().splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "photos").mkdir()
    return Folder(tmp_path / "photos", tmp_path / "out")


def code(report: Report) -> str | None:
    return report.error["code"] if report.error else None


# ---------------------------------------------------------------- what goes well


def test_results_keep_paths_and_names(folder: Folder) -> None:
    folder.put("a.jpg", "b/c/D.JPG", "b/e.jpeg")
    outcomes = folder.run()
    assert folder.results == ["a.jpg", "b/c/D.JPG", "b/e.jpeg"]
    assert (folder.out / "b/c/D.JPG").read_bytes() == b"hidden " + (folder.photos / "b/c/D.JPG").read_bytes()
    assert outcomes["a.jpg"].output == str(folder.out / "a.jpg")
    assert {report.status for report in outcomes.values()} == {"COMPLETED"}


def test_a_result_of_another_format_meets_no_other(folder: Folder) -> None:
    folder.put("a.jpg", "a.png", "a.heic")
    folder.run()
    assert folder.results == ["a.heic.jpg", "a.jpg", "a.png.jpg"]


def test_a_suffix_a_receipt_and_the_time_of_the_photo(folder: Folder) -> None:
    folder.put("a.jpg")
    os.utime(folder.photos / "a.jpg", ns=(0, 1_500_000_000_123_456_789))
    (report,) = folder.run(suffix="-hidden", with_receipts=True, keep_mtime=True).values()
    assert folder.results == ["a-hidden.jpg", "a-hidden.jpg.receipt.json"]
    assert (folder.out / "a-hidden.jpg").stat().st_mtime_ns == 1_500_000_000_123_456_789
    assert json.loads(Path(str(report.receipt)).read_text()) == {"job_id": report.job_id}


def test_names_and_folders_do_not_leave_the_machine(folder: Folder) -> None:
    bodies: list[bytes] = []
    folder.service.instead = lambda request: bodies.append(request.read() + str(request.url).encode())
    path = folder.photos / "secret" / "Ada.jpg"
    path.parent.mkdir()
    path.write_bytes(JPEG)
    folder.run()
    assert len(bodies) == 4
    assert not [body for body in bodies if b"Ada" in body or b"secret" in body]


def test_jobs_are_erased_once_their_outcome_is_told(folder: Folder) -> None:
    folder.put("a.jpg", "c.jpg")
    folder.put("bad.jpg", content=BAD)
    events: list[str] = []

    def tell(report: Report) -> None:
        if report.is_final:
            events.append(Path(report.photo).name)

    folder.run(tell=tell, erase=lambda _: events.append("erased"))
    assert events == ["a.jpg", "erased", "bad.jpg", "erased", "c.jpg", "erased"]


def test_a_job_with_which_the_next_run_goes_on_is_not_erased(folder: Folder) -> None:
    folder.put("a.jpg")
    erased: list[str] = []

    def interrupt(report: Report) -> None:
        if folder.service.hidden:
            raise KeyboardInterrupt

    folder.service.instead = lambda request: (
        httpx.Response(200, json={"status": "PROCESSING"}) if request.method == "GET" else None
    )
    with pytest.raises(KeyboardInterrupt):
        folder.run(tell=interrupt, erase=erased.append)
    assert erased == []
    folder.service.instead = lambda _: None
    (report,) = folder.run(erase=erased.append).values()
    assert (report.status, erased, len(folder.service.hidden)) == ("COMPLETED", [report.job_id], 1)


def test_a_photo_that_changed_is_erased_too(folder: Folder) -> None:
    folder.put("a.jpg")
    erased: list[str] = []

    def change(request: httpx.Request) -> None:
        if request.url.path.startswith("/upload"):
            folder.put("a.jpg", content=b"more")

    folder.service.instead = change
    folder.run(erase=erased.append)
    assert erased == list(folder.service._jobs)


def test_each_file_has_its_line_and_its_count(folder: Folder) -> None:
    folder.put("a.jpg", "sub/b.jpg")
    folder.put("none.jpg", content=EMPTY)
    folder.put("bad.jpg", content=BAD)
    (folder.photos / "text.txt").write_bytes(b"text")
    (folder.photos / "dangling.jpg").symlink_to("nowhere")
    counts = Counts()
    outcomes = folder.run()
    for report in outcomes.values():
        counts.add(report)
    assert str(counts) == "2 hidden, 1 with nothing hidden, 2 failed, 1 skipped"
    assert code(outcomes["bad.jpg"]) == "CorruptImage"
    assert code(outcomes["dangling.jpg"]) == "PhotoUnreadable"
    assert outcomes["text.txt"].skipped == "This is no photo."
    assert folder.results == ["a.jpg", "none.jpg", "sub/b.jpg"]


def test_names_of_250_bytes_and_no_utf8(folder: Folder) -> None:
    odd, long = os.fsdecode(b"\xff\xfe.jpg"), "a" * 246 + ".jpg"
    folder.put(odd, long, "b" * 250 + ".heic")
    outcomes = folder.run()
    assert folder.results == sorted([long, odd])
    assert outcomes[r"\xff\xfe.jpg"].output == str(folder.out / r"\xff\xfe.jpg")
    assert code(outcomes["b" * 250 + ".heic"]) == "ResultNotStored"
    assert folder.run()[r"\xff\xfe.jpg"].done_before


# ---------------------------------------------------------------- the next run


def test_what_is_done_is_not_done_again(folder: Folder) -> None:
    folder.put("a.jpg", "b.jpg")
    folder.put("none.jpg", content=EMPTY)
    first = folder.run()
    again = folder.run()
    assert len(folder.service.created) == 3
    assert all(report.done_before for report in again.values())
    assert {name: report.hidden for name, report in again.items()} == {n: report.hidden for n, report in first.items()}
    assert again["none.jpg"].needs_inspection


@pytest.mark.parametrize("change", ["photo", "time", "result", "options", "suffix"])
def test_what_is_not_as_it_was_is_done_again(folder: Folder, change: str) -> None:
    folder.put("a.jpg")
    folder.run()
    wishes = {}
    match change:
        case "photo":
            folder.put("a.jpg", content=b"new")
        case "time":
            os.utime(folder.photos / "a.jpg", ns=(0, 0))
        case "result":
            (folder.out / "a.jpg").unlink()
        case "options":
            folder.fields = {"style": "solid"}
        case "suffix":
            wishes = {"suffix": "-new"}
    (report,) = folder.run(**wishes).values()
    assert (report.status, report.done_before, len(folder.service.hidden)) == ("COMPLETED", False, 2)
    assert Path(str(report.output)).read_bytes() == b"hidden " + (folder.photos / "a.jpg").read_bytes()


def test_starting_over_does_all_again(folder: Folder) -> None:
    folder.put("a.jpg")
    folder.run()
    (report,) = folder.run(resume=False).values()
    assert (report.status, report.done_before, len(folder.service.hidden)) == ("COMPLETED", False, 2)


def test_what_failed_is_tried_again(folder: Folder) -> None:
    folder.put("a.jpg", content=BAD)
    folder.run()
    folder.run()
    assert len(folder.service.hidden) == 2


class Killed(BaseException):
    """The end of the process, after which nothing of it runs."""


@pytest.mark.parametrize("moment", ["create_job", "upload", "wait_for", "write", "rename", "after"])
def test_a_process_that_is_killed_loses_nothing(folder: Folder, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At most the photo whose upload nobody noted is sent twice."""
    folder.put("a.jpg", "b.jpg")
    folder.run()
    folder.put("a.jpg", content=b"new")

    def kill(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        # What a killed process does not do either.
        patch.setattr(Path, "unlink", lambda *_, **__: None)
        if moment in {"create_job", "upload"}:
            path = "/jobs" if moment == "create_job" else "/upload"
            folder.service.instead = lambda request: kill() if request.url.path.startswith(path) else None
        elif moment == "wait_for":
            patch.setattr(Client, "wait_for", kill)
        elif moment == "write":
            patch.setattr(Path, "write_bytes", kill)
        elif moment == "rename":
            patch.setattr(Path, "replace", kill)
        with pytest.raises(Killed):
            folder.run(tell=lambda report: kill() if report.is_final and not report.done_before else None)
    folder.service.instead = lambda _: None
    outcomes = folder.run()
    assert folder.results == ["a.jpg", "b.jpg"]
    assert {report.status for report in outcomes.values()} == {"COMPLETED"}
    for name in ("a.jpg", "b.jpg"):
        assert (folder.out / name).read_bytes() == b"hidden " + (folder.photos / name).read_bytes()
    assert len(folder.service.hidden) == (4 if moment == "rename" else 3)


# ---------------------------------------------------------------- what goes wrong with one photo


def test_a_file_that_nobody_knows_is_not_overwritten(folder: Folder) -> None:
    folder.put("a.jpg", "b.heic")
    folder.out.mkdir()
    (folder.out / "a.jpg").write_bytes(b"mine")
    (folder.out / "b.heic.jpg").write_bytes(b"mine")
    outcomes = folder.run()
    assert [code(report) for report in outcomes.values()] == ["ResultExists", "ResultExists"]
    assert (folder.out / "a.jpg").read_bytes() == (folder.out / "b.heic.jpg").read_bytes() == b"mine"
    assert len(folder.service.created) == 1, "no job for a result that could not be stored"


def test_two_photos_with_one_result(folder: Folder) -> None:
    folder.put("a.heic", "a.heic.jpg")
    for _ in range(2):
        outcomes = folder.run()
        assert [code(report) for report in outcomes.values()] == [None, "ResultExists"]
        assert (folder.out / "a.heic.jpg").read_bytes() == b"hidden " + (folder.photos / "a.heic").read_bytes()


def test_a_photo_that_changes_while_it_is_read(folder: Folder) -> None:
    folder.put("a.jpg")

    def change(request: httpx.Request) -> None:
        if request.url.path.startswith("/upload"):
            folder.put("a.jpg", content=b"more")

    folder.service.instead = change
    (report,) = folder.run().values()
    assert (code(report), folder.results) == ("PhotoChanged", [])
    folder.service.instead = lambda _: None
    (report,) = folder.run().values()
    assert report.status == "COMPLETED"
    assert (folder.out / "a.jpg").read_bytes() == b"hidden " + (folder.photos / "a.jpg").read_bytes()


@pytest.mark.parametrize("problem", ["photo", "folder"])
def test_what_is_not_permitted_is_that_photos_own(
    folder: Folder, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.put("a/x.jpg", "b.jpg")
    refused = folder.photos / "a/x.jpg" if problem == "photo" else folder.out / "a"
    inner = {"photo": Path.open, "folder": Path.mkdir}[problem]

    def refuse(path: Path, *arguments: Any, **options: Any) -> Any:
        if path == refused:
            raise PermissionError(errno.EACCES, "Permission denied")
        return inner(path, *arguments, **options)

    monkeypatch.setattr(Path, inner.__name__, refuse)
    outcomes = folder.run()
    assert code(outcomes["a/x.jpg"]) == {"photo": "PhotoUnreadable", "folder": "ResultNotStored"}[problem]
    assert outcomes["b.jpg"].status == "COMPLETED"


def test_a_job_that_was_erased_is_done_again(folder: Folder) -> None:
    folder.put("a.jpg")
    folder.service.instead = lambda request: _interrupt() if request.url.path.startswith("/jobs/") else None
    with pytest.raises(KeyboardInterrupt):
        folder.run()
    folder.service.instead = lambda _: None
    folder.service._jobs.clear()
    (report,) = folder.run().values()
    assert (report.status, len(folder.service.hidden)) == ("COMPLETED", 2)


def _interrupt() -> httpx.Response:
    raise KeyboardInterrupt


# ---------------------------------------------------------------- what concerns all photos


def refusal(status: int, refused: str) -> httpx.Response:
    return httpx.Response(status, json={"code": refused, "message": "What to do."})


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal(400, "InvalidOptions"), InvalidOptions),
        (refusal(401, "NotSignedIn"), NotSignedIn),
        (httpx.Response(503), Unavailable),
        (httpx.ConnectError("refused"), Unavailable),
    ],
)
def test_what_concerns_all_is_said_once(folder: Folder, answer: Any, error: type[CallFailed]) -> None:
    folder.put(*(f"{number}.jpg" for number in range(60)))
    asked: list[httpx.Request] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    folder.service.instead = refuse
    told: list[Report] = []
    with pytest.raises(error):
        folder.run(at_once=8, tell=told.append)
    assert not [report for report in told if report.is_final]
    assert len(asked) <= 8 * 6
    folder.service.instead = lambda _: None
    assert len(folder.run(at_once=8)) == len(folder.results) == 60


def test_a_budget_that_is_spent_by_a_job_ends_the_run(folder: Folder) -> None:
    folder.put("a.jpg", "b.jpg")
    spent = {"code": "BudgetSpent", "message": "Try again tomorrow."}
    failed = httpx.Response(200, json={"status": "FAILED", "error": spent})
    folder.service.instead = lambda request: failed if request.url.path.startswith("/jobs/") else None
    with pytest.raises(CallFailed, match="tomorrow"):
        folder.run()
    assert len(folder.service.hidden) == 1


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_full_disk_ends_the_run(folder: Folder, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.put("a.jpg", "b.jpg", "c.jpg")
    write, written = Path.write_bytes, itertools.count()

    def write_some(path: Path, content: bytes) -> int:
        if next(written):
            write(path, content[:3])
            raise OSError(number, os.strerror(number))
        return write(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", write_some)
        with pytest.raises(Failure, match="run the same command again"):
            folder.run()
    assert folder.results == ["a.jpg"]
    outcomes = folder.run()
    assert [report.done_before for report in outcomes.values()] == [True, False, False]
    assert len(folder.service.hidden) == 3, "the job whose result did not fit is taken up"


def test_an_interrupt_waits_for_nobody_who_hangs(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("faceblur_cli.folder.run._END_SECONDS", 0.01)
    folder.put("a.jpg", "b.jpg")
    hangs, released = threading.Event(), threading.Event()

    def hang(request: httpx.Request) -> None:
        if request.url.path.startswith("/upload") and len(folder.service.created) == 2:
            hangs.set()
            released.wait(60)

    told: list[tuple[str, str]] = []

    def interrupt(_: threading.Thread, timeout: float | None = None) -> None:
        if timeout is None:
            assert hangs.wait(60)
            raise KeyboardInterrupt

    folder.service.instead = hang
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "join", interrupt)
        with pytest.raises(KeyboardInterrupt):
            folder.run(tell=lambda report: told.append((Path(report.photo).name, report.status)))
    ended = len(told)
    released.set()
    for thread in threading.enumerate():
        if thread.daemon and thread is not threading.current_thread():
            thread.join(30)
    assert len(told) == ended, "nothing is told after the end"
    assert [name for name, status in told if status == "COMPLETED"] == ["a.jpg"]


def test_an_error_of_our_own_is_not_hidden(folder: Folder) -> None:
    folder.put("a.jpg")

    def fail(_: Report) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        folder.run(tell=fail)


def test_a_storm_over_hundreds_of_photos(folder: Folder) -> None:
    """Requests that fail, a rate that is exceeded, interrupts, and photos of all kinds: all are accounted for."""
    dice = random.Random(19)
    for number in range(300):
        kind = dice.choice([b"", b"", b"", EMPTY, BAD])
        folder.put(f"{number % 7}/{number}.jpg", content=kind)
    lock = threading.Lock()

    def fail_at_times(_: httpx.Request) -> httpx.Response | None:
        with lock:
            luck = dice.random()
        if luck < 0.01:
            raise httpx.ReadError("broken")
        return httpx.Response(429 if luck < 0.02 else 502) if luck < 0.03 else None

    folder.service.instead = fail_at_times
    for _ in range(4):
        ends = itertools.count(1)

        def interrupt(report: Report, ends: Any = ends) -> None:
            if report.is_final and not report.done_before and next(ends) == 45:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            folder.run(at_once=8, tell=interrupt)
    outcomes = folder.run(at_once=8)
    assert len(outcomes) == 300
    for name, report in outcomes.items():
        photo = (folder.photos / name).read_bytes()
        assert (report.status == "FAILED") is (BAD in photo)
        if BAD not in photo:
            assert (folder.out / name).read_bytes() == b"hidden " + photo
    ended = [line["path"] for line in folder.journal if line.get("result")]
    assert len(ended) == len(set(ended)) == len(folder.results)


# ---------------------------------------------------------------- what would be done


def test_a_plan_tells_and_does_nothing(folder: Folder) -> None:
    folder.put("a.jpg")
    folder.run()
    folder.put("b.jpg")
    (folder.photos / "video.jpg").write_bytes(b"\x1a\x45\xdf\xa3")
    (folder.photos / "dangling.jpg").symlink_to("nowhere")
    before = (folder.out / NAME).read_bytes()
    with Journal(folder.out, resume=True) as journal:
        planned = list(plan([folder.photos], journal, Wishes({}, folder.out)))
    assert [(Path(report.photo).name, report.status, report.done_before) for report in planned] == [
        ("a.jpg", "COMPLETED", True),
        ("b.jpg", "WAITING", False),
        ("dangling.jpg", "FAILED", False),
        ("video.jpg", "SKIPPED", False),
    ]
    assert ((folder.out / NAME).read_bytes(), len(folder.service.created)) == (before, 1)
