"""Blurring photos through a stack's API, several at once."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from faceblur_cli.client import ApiClient, JobFailed
from faceblur_cli.failures import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_EXTENSIONS = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/avif": ".avif",
    "image/tiff": ".tif",
    "image/bmp": ".bmp",
}


@dataclass
class Report:
    """What came of one photo, as `--json` prints it."""

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
        """What was done to a photo that has a result, in one line."""
        faces = "1 face" if self.faces == 1 else f"{self.faces} faces"
        missed = f", {self.missed_at_first} of them found by a check" if self.missed_at_first else ""
        checks = "1 check" if self.check_rounds == 1 else f"{self.check_rounds} checks"
        warnings = f" ({', '.join(self.warnings)})" if self.warnings else ""
        return f"{self.photo}: {faces} hidden{missed}; {checks}{warnings} → {self.output}"


def blur_photos(
    client: ApiClient,
    photos: Sequence[Path],
    out: Path | None,
    options: dict[str, Any],
    at_once: int,
    saw: Callable[[Report], None],
    *,
    with_receipts: bool = False,
) -> list[Report]:
    """Blur the photos and store the results, with their receipts if asked; gives a report a photo, in their order.

    A result lies in `out`, or beside its photo, as `NAME.blurred.EXTENSION`, its receipt as `NAME.receipt.json`;
    no existing file is overwritten.
    """
    if out:
        out.mkdir(parents=True, exist_ok=True)
    reports = [Report(str(photo)) for photo in photos]
    pool = ThreadPoolExecutor(at_once)
    try:
        list(pool.map(lambda report: _blur_photo(client, report, out, options, saw, with_receipts), reports))
    except KeyboardInterrupt:
        client.give_up()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    return reports


def _blur_photo(
    client: ApiClient,
    report: Report,
    out: Path | None,
    options: dict[str, Any],
    saw: Callable[[Report], None],
    with_receipt: bool,
) -> None:
    started = time.monotonic()

    def tell(status: str) -> None:
        report.status, report.seconds = status, round(time.monotonic() - started, 2)
        saw(report)

    photo = Path(report.photo)
    try:
        created = client.create_job(options)
        report.job_id = created["job_id"]
        tell("UPLOADING")
        client.upload(created["upload"], photo)
        job = client.follow(created["job_id"], tell)
        report.faces, report.warnings = job["faces"], job["warnings"]
        report.missed_at_first, report.check_rounds = job["missed_at_first"], job["check_rounds"]
        result = client.download(job["result"]["url"])
        extension = _EXTENSIONS[job["result"]["content_type"]]
        folder = out or photo.parent
        report.output = str(_store(result, folder, f"{photo.stem}.blurred", extension))
        if with_receipt:
            receipt = client.download(job["receipt"]["url"])
            report.receipt = str(_store(receipt, folder, f"{photo.stem}.receipt", ".json"))
    except JobFailed as failed:
        report.error = {"code": failed.code, "message": failed.message}
    except (Failure, OSError, httpx.HTTPError) as error:
        report.error = {"code": type(error).__name__, "message": str(error)}
    tell("FAILED" if report.error else "COMPLETED")


def _store(result: bytes, folder: Path, stem: str, extension: str) -> Path:
    """Write to a new file of that name, or with a number where there is one already; photos may share their names."""
    for number in itertools.count(1):
        path = folder / f"{stem}{f'-{number}' if number > 1 else ''}{extension}"
        try:
            with path.open("xb") as file:
                file.write(result)
        except FileExistsError:
            continue
        return path
    raise AssertionError("there is always another number")
