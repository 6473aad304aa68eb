"""Hides the faces in photos through a stack's API, several photos at once."""

import itertools
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faceblur_client import Client, FaceblurError

# The extensions that differ from the subtype of the content type.
_EXTENSIONS = {"image/jpeg": ".jpg", "image/tiff": ".tif"}
# Warnings of results in which faces may be visible. A review answers those that come before it.
_LOOK_AT = {"FacesBelowConfidence", "ChecksNotSettled"}


@dataclass
class Report:
    """The state of one photo's job and, at its end, the outcome; `--json` prints these fields."""

    photo: str
    job_id: str | None = None
    status: str = "WAITING"
    faces: int | None = None
    missed_at_first: int | None = None
    kept: int | None = None
    check_rounds: int | None = None
    warnings: Sequence[str] = ()
    reviewed: bool = False
    seconds: float = 0.0
    output: str | None = None
    receipt: str | None = None
    error: dict[str, str] | None = None

    @property
    def needs_a_look(self) -> bool:
        """Whether faces may be visible in the result that nobody has decided to leave visible."""
        return bool(_LOOK_AT.intersection(self.warnings)) or ("NoFacesFound" in self.warnings and not self.reviewed)

    @property
    def summary(self) -> str:
        """The outcome of a completed job in one line."""
        faces = "1 face" if self.faces == 1 else f"{self.faces} faces"
        missed = f", {self.missed_at_first} of them found by a check" if self.missed_at_first else ""
        kept = f", {self.kept} kept visible" if self.kept else ""
        checks = "1 check" if self.check_rounds == 1 else f"{self.check_rounds} checks"
        look = ", please look" if self.needs_a_look else ""
        warnings = f" ({', '.join(self.warnings)}{look})" if self.warnings else ""
        return f"{self.photo}: {faces} hidden{missed}{kept}; {checks}{warnings} → {self.output}"


def hide_faces(
    client: Client,
    photos: Sequence[Path],
    out: Path | None,
    fields: dict[str, Any],
    at_once: int,
    show: Callable[[Report], None],
    *,
    with_receipts: bool = False,
) -> list[Report]:
    """Hide the faces in the photos and store the results, and the receipts if asked for; gives their reports in order.

    `fields` are the options and the decision of each job. A result is stored in `out`, or beside its photo, as
    `NAME.blurred.EXTENSION`, and its receipt as `NAME.receipt.json`. Existing files are not overwritten. `show` is
    called whenever a report changes.
    """
    if out:
        out.mkdir(parents=True, exist_ok=True)
    reports = [Report(str(photo)) for photo in photos]

    def begin(report: Report) -> None:
        _show_status(report, "UPLOADING", show)
        report.job_id = client.submit(report.photo, **fields)

    def work_on(report: Report) -> None:
        photo = Path(report.photo)
        _run_job(client, report, begin, out or photo.parent, photo.stem, show, with_receipt=with_receipts)

    pool = ThreadPoolExecutor(at_once)
    try:
        list(pool.map(work_on, reports))
    except KeyboardInterrupt:
        client.stop()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    return reports


def delete_stored(client: Client, reports: Sequence[Report]) -> None:
    """Delete the jobs whose results have been stored, with everything that the stack keeps of them."""
    for report in reports:
        if report.job_id and report.output and not report.error:
            client.delete_job(report.job_id)


def redo(client: Client, job_id: str, folder: Path, fields: dict[str, Any], show: Callable[[Report], None]) -> Report:
    """Do a completed job again, and store the new result in the folder as `JOB.blurred.EXTENSION`."""
    folder.mkdir(parents=True, exist_ok=True)
    report = Report(job_id, job_id)

    _run_job(client, report, lambda _: client.redo_job(job_id, **fields), folder, job_id, show, with_receipt=False)
    return report


def _run_job(
    client: Client,
    report: Report,
    begin: Callable[[Report], object],
    folder: Path,
    stem: str,
    show: Callable[[Report], None],
    *,
    with_receipt: bool,
) -> None:
    """Begin a job, wait for its end, store what it gives, and report its outcome."""
    started = time.monotonic()

    def show_status(_: str, status: str) -> None:
        report.seconds = round(time.monotonic() - started, 2)
        _show_status(report, status, show)

    try:
        begin(report)
        job = client.wait_for(str(report.job_id), show_status)
        for name in ("faces", "missed_at_first", "kept", "check_rounds", "warnings", "reviewed"):
            setattr(report, name, job[name])
        report.error = job.get("redo_error")
        if not report.error:
            _store_result(client, report, job, folder, stem, with_receipt=with_receipt)
    except FaceblurError as error:
        report.error = {"code": error.code, "message": error.message}
    except OSError as error:
        report.error = {"code": type(error).__name__, "message": str(error)}
    show_status(str(report.job_id), "FAILED" if report.error else "COMPLETED")


def _store_result(
    client: Client, report: Report, job: dict[str, Any], folder: Path, stem: str, *, with_receipt: bool
) -> None:
    """Download and store the result of a completed job, and its receipt if asked for."""
    result = client.download(job["result"]["url"])
    report.output = str(_store(result, folder, f"{stem}.blurred", _extension(job["result"]["content_type"])))
    if with_receipt:
        receipt = client.download(job["receipt"]["url"])
        report.receipt = str(_store(receipt, folder, f"{stem}.receipt", ".json"))


def _show_status(report: Report, status: str, show: Callable[[Report], None]) -> None:
    report.status = status
    show(report)


def _extension(content_type: str) -> str:
    return _EXTENSIONS.get(content_type, f".{content_type.removeprefix('image/')}")


def _store(content: bytes, folder: Path, stem: str, extension: str) -> Path:
    """Write a new file, with a number in its name if the name is taken."""
    for number in itertools.count(1):
        path = folder / f"{stem}{f'-{number}' if number > 1 else ''}{extension}"
        try:
            with path.open("xb") as file:
                file.write(content)
        except FileExistsError:
            continue
        return path
    raise AssertionError("itertools.count() does not end")
