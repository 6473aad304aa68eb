"""Hides the faces in a photo that comes from a pipe and goes into one."""

from typing import IO, Any

from faceblur_cli.folder.report import Report
from faceblur_client import Client, JobFailed


def hide_piped(client: Client, fields: dict[str, Any], source: IO[bytes], sink: IO[bytes]) -> Report:
    """Read a photo, write its result, and give its report. Raises CallFailed and OSError."""
    report = Report("-")
    try:
        result = client.hide(source.read(), **fields)
    except JobFailed as failed:
        report.fail(failed.code, failed.message)
        return report
    sink.write(result.content)
    sink.flush()
    report.take_outcome(result.job)
    report.status, report.job_id, report.output = "COMPLETED", result.job_id, "-"
    return report
