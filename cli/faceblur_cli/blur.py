"""Hides the faces in photos through a stack's API, several photos at once."""

import itertools
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from faceblur_cli.client import ApiClient, JobFailed
from faceblur_cli.failures import Failure

# The extensions that differ from the subtype of the content type.
_EXTENSIONS = {"image/jpeg": ".jpg", "image/tiff": ".tif"}


@dataclass
class Report:
    """The state of one photo's job and, at its end, the outcome; `--json` prints these fields."""

    photo: str
    job_id: str | None = None
    status: str = "WAITING"
    faces: int | None = None
    missed_at_first: int | None = None
    check_rounds: int | None = None
    warnings: Sequence[str] = ()
    seconds: float = 0.0
    output: str | None = None
    receipt: str | None = None
    error: dict[str, str] | None = None

    @property
    def summary(self) -> str:
        """The outcome of a completed job in one line."""
        faces = "1 face" if self.faces == 1 else f"{self.faces} faces"
        missed = f", {self.missed_at_first} of them found by a check" if self.missed_at_first else ""
        checks = "1 check" if self.check_rounds == 1 else f"{self.check_rounds} checks"
        warnings = f" ({', '.join(self.warnings)})" if self.warnings else ""
        return f"{self.photo}: {faces} hidden{missed}; {checks}{warnings} → {self.output}"


def hide_faces(
    client: ApiClient,
    photos: Sequence[Path],
    out: Path | None,
    options: dict[str, Any],
    at_once: int,
    show: Callable[[Report], None],
    *,
    with_receipts: bool = False,
) -> list[Report]:
    """Hide the faces in the photos and store the results, and the receipts if asked for; gives their reports in order.

    A result is stored in `out`, or beside its photo, as `NAME.blurred.EXTENSION`, and its receipt as
    `NAME.receipt.json`. Existing files are not overwritten. `show` is called whenever a report changes.
    """
    if out:
        out.mkdir(parents=True, exist_ok=True)
    reports = [Report(str(photo)) for photo in photos]
    pool = ThreadPoolExecutor(at_once)
    try:
        list(pool.map(lambda report: _run_job(client, report, out, options, show, with_receipts), reports))
    except KeyboardInterrupt:
        client.stop_waiting()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    return reports


def _run_job(
    client: ApiClient,
    report: Report,
    out: Path | None,
    options: dict[str, Any],
    show: Callable[[Report], None],
    with_receipt: bool,
) -> None:
    started = time.monotonic()

    def show_status(status: str) -> None:
        report.status, report.seconds = status, round(time.monotonic() - started, 2)
        show(report)

    photo = Path(report.photo)
    try:
        created = client.create_job(options)
        report.job_id = created["job_id"]
        show_status("UPLOADING")
        client.upload(created["upload"], photo)
        job = client.wait_for(created["job_id"], show_status)
        report.faces, report.warnings = job["faces"], job["warnings"]
        report.missed_at_first, report.check_rounds = job["missed_at_first"], job["check_rounds"]
        result = client.download(job["result"]["url"])
        folder = out or photo.parent
        extension = _extension(job["result"]["content_type"])
        report.output = str(_store(result, folder, f"{photo.stem}.blurred", extension))
        if with_receipt:
            receipt = client.download(job["receipt"]["url"])
            report.receipt = str(_store(receipt, folder, f"{photo.stem}.receipt", ".json"))
    except JobFailed as failed:
        report.error = {"code": failed.code, "message": failed.message}
    except (Failure, OSError, httpx.HTTPError) as error:
        report.error = {"code": type(error).__name__, "message": str(error)}
    show_status("FAILED" if report.error else "COMPLETED")


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
