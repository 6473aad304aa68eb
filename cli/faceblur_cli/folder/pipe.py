"""Hides the faces in a photo that comes from a pipe and goes into one."""

from typing import IO

from faceblur_cli.folder.one import Wishes
from faceblur_cli.folder.report import Report
from faceblur_client import Client, JobFailed


def hide_piped(client: Client, wishes: Wishes, source: IO[bytes], sink: IO[bytes]) -> Report:
    """Read a photo, write its result, and give its report. Raises CallFailed and OSError."""
    report = Report("-")
    try:
        result = client.hide(source.read(), **wishes.fields)
    except JobFailed as failed:
        report.fail(failed.code, failed.message)
        return report
    sink.write(result.content)
    sink.flush()
    if wishes.delete_jobs:
        client.delete_job(result.job_id)
    report.take_outcome(result.job)
    report.status, report.job_id, report.output = "COMPLETED", result.job_id, "-"
    return report
