"""Hides the faces in a photo that comes from a pipe and goes into one."""

from typing import IO

from faceblur_cli.folder.one import Wishes
from faceblur_cli.folder.report import Report
from faceblur_client import Client, JobFailed


def hide_piped(client: Client, wishes: Wishes, source: IO[bytes], sink: IO[bytes]) -> Report:
    """Read a photo, write its result, erase its job, and give its report. Raises CallFailed and OSError."""
    report = Report("-")

    def note_id(job_id: str, _: str) -> None:
        report.job_id = job_id

    try:
        result = client.hide(source.read(), on_status=note_id, **wishes.fields)
        sink.write(result.content)
        sink.flush()
    except JobFailed as failed:
        report.fail(failed.code, failed.message)
        return report
    finally:
        if report.job_id:
            wishes.erase(report.job_id)
    report.take_outcome(result.job)
    report.status, report.output = "COMPLETED", "-"
    return report
