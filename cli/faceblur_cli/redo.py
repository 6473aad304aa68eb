"""Does a completed job again."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from faceblur_cli.folder.report import Report
from faceblur_cli.folder.targets import Targets, check_free, store
from faceblur_cli.folder.walk import Found
from faceblur_client import Client, JobFailed


def redo(client: Client, job_id: str, folder: Path, fields: dict[str, Any], show: Callable[[Report], None]) -> Report:
    """Do a completed job again, and store the new result in the folder as `JOB.blurred.EXTENSION`.

    Raises CallFailed and OSError.
    """
    report, started = Report(job_id, job_id), time.monotonic()

    def show_status(_: str, status: str) -> None:
        report.status, report.seconds = status, round(time.monotonic() - started, 2)
        show(report)

    try:
        client.redo_job(job_id, **fields)
        job = client.wait_for(job_id, show_status)
        report.take_outcome(job)
        if error := job.get("redo_error"):
            report.fail(**error)
        else:
            path = (
                Targets(folder, "").of(Found(Path(job_id), job_id, is_named=True)).path(job["result"]["content_type"])
            )
            store(client.download(job["result"]["url"]), path, None, lambda: check_free(path))
            report.status, report.output = "COMPLETED", str(path)
    except JobFailed as failed:
        report.fail(failed.code, failed.message)
    return report
