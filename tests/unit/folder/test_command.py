"""`faceblur blur` with folders: what it tells, how it ends, and how it must not be called."""

from __future__ import annotations

import csv
import json
import sys
from contextlib import nullcontext
from io import BytesIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from rich.console import Console

from faceblur_cli import main, terminal
from faceblur_cli.folder.journal import Journal
from faceblur_cli.folder.progress import Progress, duration
from faceblur_cli.folder.report import Counts, Report
from faceblur_client import Client
from tests.support.counts import faces
from tests.support.standins.service import BAD, EMPTY, JPEG, Service

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Service:
    """The stack behind --api; the working folder has a folder `photos`."""
    service = Service()
    monkeypatch.setattr(Client, "_pause", lambda *_: None)
    monkeypatch.setattr(
        main, "Client", lambda url, **options: Client(url, transport=httpx.MockTransport(service.answer), **options)
    )
    monkeypatch.setattr(main, "_interrupt_on_signals", lambda: None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    return service


def put(path: Path, content: bytes = b"") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(JPEG + str(path).encode() + content)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Call the command as a shell does; gives the exit code."""
    monkeypatch.setattr(sys, "argv", ["faceblur", "blur", "--api", "http://service.test", *arguments])
    try:
        main.main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.mark.parametrize(
    ("content", "code", "summary"),
    [
        ([b"", b""], 0, "2 hidden, 0 failed"),
        ([b"", EMPTY], 3, "1 hidden, 1 with nothing hidden, 0 failed"),
        ([BAD, EMPTY], 1, "0 hidden, 1 with nothing hidden, 1 failed"),
    ],
)
def test_exit_codes_and_the_summary(
    service: Service,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    content: list[bytes],
    code: int,
    summary: str,
) -> None:
    for number, some in enumerate(content):
        put(tmp_path / f"photos/{number}.jpg", some)
    assert run(monkeypatch, "photos", "--out", "out") == code
    told = capfd.readouterr()
    assert told.err.splitlines()[-1] == summary
    assert ("please look" in told.out) is (EMPTY in content), "only what needs a look is listed"
    assert run(monkeypatch, "photos", "--out", "out") == code


def test_an_interrupt_ends_with_a_summary(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: httpx.Request) -> None:
        if len(service.hidden) == 2:
            raise KeyboardInterrupt

    for number in range(5):
        put(tmp_path / f"photos/{number}.jpg")
    service.instead = interrupt
    assert run(monkeypatch, "photos", "--out", "out", "--at-once", "1") == 130
    assert capfd.readouterr().err.splitlines() == [
        "1 hidden, 0 failed; 4 not done, run the same command again to go on",
        "",  # behind the terminal's ^C
        "interrupted",
    ]


class OwnStack:
    """The stack that is served for one command alone."""

    endpoint = api_url = "http://service.test"


@pytest.fixture
def own_stack(service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    """Without --api, the stack behind the command is its own."""
    monkeypatch.setattr(main.holder, "running_stack", lambda: None)
    monkeypatch.setattr(main, "serve_stack", lambda *_: nullcontext(OwnStack()))
    return service


def run_own(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Call the command without --api; gives the exit code."""
    monkeypatch.setattr(sys, "argv", ["faceblur", "blur", *arguments])
    with pytest.raises(SystemExit) as end:
        main.main()
    return int(end.value.code or 0)


@pytest.mark.parametrize("piped", [False, True])
@pytest.mark.parametrize("status", [500, 404])
def test_a_result_is_told_though_its_job_cannot_be_erased(
    own_stack: Service,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    status: int,
    piped: bool,
) -> None:
    code = "JobNotFound" if status == 404 else "InternalError"
    refusal = httpx.Response(status, json={"code": code, "message": "Something went wrong."})
    own_stack.instead = lambda request: refusal if request.method == "DELETE" else None
    for name in ("a.jpg", "b.jpg"):
        put(tmp_path / name)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=BytesIO(JPEG)))
    assert run_own(monkeypatch, *(["-"] if piped else ["a.jpg", "b.jpg"])) == 0
    told = capfd.readouterr()
    photos = 1 if piped else 2
    assert (told.err if piped else told.out).count("1 face hidden") == photos
    assert told.err.count("is not erased: service.test cannot answer at the moment") == (photos if status == 500 else 0)


@pytest.mark.parametrize("keeps", [False, True])
def test_after_an_interrupt_nothing_stays_in_the_own_stack(
    own_stack: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keeps: bool
) -> None:
    """Neither what is stored nor what is at work, because nothing would erase it in a day. Results have no --out."""

    def interrupt(request: httpx.Request) -> None:
        if len(own_stack.hidden) == 2 and request.method == "GET":
            raise KeyboardInterrupt

    for number in range(3):
        put(tmp_path / f"{number}.jpg")
    own_stack.instead = interrupt
    options = ["-o", "keep_original=3"] if keeps else []
    assert run_own(monkeypatch, "0.jpg", "1.jpg", "2.jpg", "--at-once", "1", *options) == 130
    assert len(own_stack.hidden) == 2
    assert len(own_stack._jobs) == (2 if keeps else 0)


def test_wrong_options_are_said_once(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    refusal = {"code": "InvalidOptions", "message": "style must be blur, pixelate or solid."}
    service.instead = lambda _: httpx.Response(400, json=refusal)
    for number in range(50):
        put(tmp_path / f"photos/{number}.jpg")
    assert run(monkeypatch, "photos", "--out", "out", "-o", "style=none") == 2
    assert capfd.readouterr().err.splitlines() == [
        "0 hidden, 0 failed; 50 not done",
        "faceblur: style must be blur, pixelate or solid.",
    ]


def test_json_and_the_report_tell_each_file(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path / "photos/a.jpg")
    put(tmp_path / "photos/bad.jpg", BAD)
    (tmp_path / "photos/text.txt").write_bytes(b"text")
    # The last run replaces the report of an earlier one.
    for name in ("report.csv", "report.jsonl", "report.jsonl"):
        assert run(monkeypatch, "photos", "--out", "out", "--json", "--report", name) == 1
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()][6:]
    assert {line["photo"]: line["status"] for line in lines} == {
        "photos/a.jpg": "COMPLETED",
        "photos/bad.jpg": "FAILED",
        "photos/text.txt": "SKIPPED",
    }
    assert [json.loads(line) for line in (tmp_path / "report.jsonl").read_text().splitlines()] == lines
    with (tmp_path / "report.csv").open(newline="") as file:
        rows = {row["photo"]: row for row in csv.DictReader(file)}
    assert rows["photos/a.jpg"]["output"] == "out/a.jpg"
    assert [rows["photos/a.jpg"][name] for name in ("hidden_face", "hidden_plate", "kept_face")] == ["1", "0", "0"]
    assert [rows["photos/bad.jpg"][name] for name in ("code", "hidden_face")] == ["CorruptImage", ""]
    assert rows["photos/text.txt"]["skipped"] == "This is no photo."


def test_a_plan_makes_nothing(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path / "photos/a.jpg")
    assert run(monkeypatch, "photos", "--out", "out", "--dry-run") == 0
    told = capfd.readouterr()
    assert (told.out, told.err) == ("photos/a.jpg: to do\n", "0 hidden, 0 failed, 1 to do\n")
    assert not (tmp_path / "out").exists()
    assert service.created == []


def test_from_a_pipe_into_a_pipe(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    put(tmp_path / "photos/a.jpg")
    put(tmp_path / "in.jpg", EMPTY)
    with (tmp_path / "in.jpg").open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert run(monkeypatch, "-", "photos", "--out", "out") == 3
    told = capfdbinary.readouterr()
    assert told.out == b"hidden " + (tmp_path / "in.jpg").read_bytes()
    assert b"please look" in told.err
    assert (tmp_path / "out/a.jpg").exists()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["photos"], "Say with --out in which folder the results belong."),
        (["photos", "--out", "photos"], "is the folder of the photos"),
        (["photos", "more/photos", "--out", "out"], "Two folders have the same name"),
        (["photos", "--out", "out", "--suffix", "a/b"], "--suffix is part of a name"),
        (["-", "--json"], "Use --report instead of --json."),
        (["nowhere.jpg"], "does not exist"),
        (["photos", "--out", "out", "--at-once", "0"], "--at-once"),
        (["photos", "--out", "out", "--at-once", "many"], "--at-once"),
        (["photos", "--out", ""], "'--out': The value is empty."),
        (["photos", "--out", "out", "--report", ""], "'--report': The value is empty."),
        (["photos", "--out", "out", "--api", ""], "is not the address of an API"),
        (["photos", "--out", "out", "--api", "localhost:4733"], "is not the address of an API"),
        (["photos", "--out", "out", "-o", "style"], "is not of the form NAME=VALUE"),
        (["photos", "--out", "out", "--keep", "2,2"], "neither the id of a box nor a place"),
    ],
)
def test_what_is_no_usage(
    service: Service,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: list[str],
    complaint: str,
) -> None:
    (tmp_path / "more/photos").mkdir(parents=True)
    assert run(monkeypatch, *arguments) == 2
    assert complaint in " ".join(capfd.readouterr().err.split())
    assert service.created == []
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("photos/a.jpg", "is neither a .csv nor a .jsonl file"),
        ("report.xlsx", "is neither a .csv nor a .jsonl file"),
        ("photos/photo.csv", "is no report of an earlier run"),
        ("table.csv", "is no report of an earlier run"),
        ("list.jsonl", "is no report of an earlier run"),
    ],
)
def test_a_report_replaces_nothing_but_a_report(
    service: Service,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    name: str,
    complaint: str,
) -> None:
    put(tmp_path / "photos/a.jpg")
    put(tmp_path / "photos/photo.csv")
    (tmp_path / "table.csv").write_text("name,age\n")
    (tmp_path / "list.jsonl").write_text("[]\n")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert run(monkeypatch, "photos", "--out", "out", "--report", name) == 2
    assert complaint in " ".join(capfd.readouterr().err.split())
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_two_runs_into_one_folder(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path / "photos/a.jpg")
    (tmp_path / "out").mkdir()
    with Journal(tmp_path / "out", resume=True):
        assert run(monkeypatch, "photos", "--out", "out") == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("faceblur: Another `faceblur blur` writes to out.")
    assert service.created == []


def test_an_empty_folder(service: Service, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "photos", "--out", "out") == 0
    assert capfd.readouterr().err == "There are no files in these folders.\n"


def test_a_folder_for_the_results_that_cannot_be_made(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path / "photos/a.jpg")
    assert run(monkeypatch, "photos", "--out", "photos/a.jpg/out") == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert line == "faceblur: photos/a.jpg/out cannot be used for the results: Not a directory."


def test_the_progress_tells_the_rate_and_the_time_left() -> None:
    now, counts = 0.0, Counts()
    progress = Progress(1000, counts, lambda: now)
    assert str(progress) == "0 of 1,000 files"
    counts.add(Report("a", status="COMPLETED", hidden=faces(1), done_before=True))
    assert str(progress) == "1 of 1,000 files", "what was done before tells nothing about the rate"
    for _ in range(99):
        counts.add(Report("a", status="COMPLETED", hidden=faces(1)))
    now = 10.0
    assert str(progress) == "100 of 1,000 files, 9.9 a second, about 2 min left"


def test_a_log_gets_a_line_for_each_5_percent_and_each_half_minute() -> None:
    now, counts = 0.0, Counts()
    progress = Progress(100, counts, lambda: now)
    due = []
    for number in range(1, 21):
        counts.hidden = number
        due += [number] if progress.is_due() else []
    assert due == [5, 10, 15, 20]
    now = 29.9
    assert not progress.is_due()
    now = 30.0
    assert progress.is_due()
    assert not progress.is_due()
    counts.hidden = 19
    assert not Progress(19, counts).is_due(), "a few photos need no log"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (89, "89 s"), (90, "2 min"), (5000, "83 min"), (9000, "2.5 h")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(stderr=True, force_terminal=True, width=120, _environ={"TERM": "xterm"})
    monkeypatch.setattr(terminal, "err", console)
    counts = Counts()
    with terminal.shown_progress(Progress(2, counts)) as show:
        counts.hidden = 1
        show(Report("photos/[a].jpg", status="COMPLETED"))
    assert "1 of 2 files" in capsys.readouterr().err


def test_each_line_is_written_as_its_photo_ends(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "photos/a.jpg")
    put(tmp_path / "photos/b.jpg")
    seen: list[Any] = []

    def look(request: httpx.Request) -> None:
        if request.url.path == "/jobs":
            seen.append((tmp_path / "report.jsonl").read_text().count("\n"))

    service.instead = look
    run(monkeypatch, "photos", "--out", "out", "--at-once", "1", "--report", "report.jsonl")
    assert seen == [0, 1]


@pytest.mark.parametrize("report", ["report.csv", "new/folder/report.jsonl"])
@pytest.mark.parametrize("existed", [False, True])
def test_a_run_whose_options_are_refused_leaves_nothing(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, existed: bool, report: str
) -> None:
    put(tmp_path / "photos/a.jpg")
    refusal = {"code": "InvalidOptions", "message": "style: there is no such style."}
    service.instead = lambda _: httpx.Response(400, json=refusal)
    if existed:
        (tmp_path / "new").mkdir()
    assert run(monkeypatch, "photos", "--out", "new/folder", "--report", report, "-o", "style=none") == 2
    assert {path.name for path in tmp_path.iterdir()} == {"photos", *["new"] * existed}
    assert not existed or list((tmp_path / "new").iterdir()) == []


def test_a_run_whose_options_are_refused_leaves_the_report_of_an_earlier_run(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "photos/a.jpg")
    run(monkeypatch, "photos", "--out", "out", "--report", "report.csv")
    before = (tmp_path / "report.csv").read_bytes()
    refusal = {"code": "InvalidOptions", "message": "style: there is no such style."}
    service.instead = lambda _: httpx.Response(400, json=refusal)
    assert run(monkeypatch, "photos", "--out", "out", "--report", "report.csv", "-o", "style=none") == 2
    assert (tmp_path / "report.csv").read_bytes() == before
