"""The output of the command: messages, progress, reports and traces."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, SpinnerColumn
from rich.progress import Progress as RichProgress
from rich.table import Table

from faceblur_cli.folder.progress import Progress
from faceblur_cli.folder.report import Counts, Report
from faceblur_cli.trace import Visit, digest_of_id
from faceblur_client import InvalidOptions

# Messages go to standard error, so that with --json a program reads nothing but JSON from standard output.
out, err = Console(), Console(stderr=True)


def print_error(name: str, message: str) -> None:
    """Print a message in one line, after the name of the program or of the photo."""
    err.print(f"[red]{escape(name)}:[/red] {escape(message)}", highlight=False, soft_wrap=True)


def print_report(report: Report, as_json: bool, results_to: Console = out) -> None:
    """Print the outcome of a photo, or that it would be done. What went wrong goes to standard error."""
    if as_json:
        click.echo(report.to_json())
    elif report.error:
        print_error(report.photo, f"{report.error['code']}: {report.error['message']}")
    elif report.skipped:
        err.print(f"{report.photo}: skipped. {report.skipped}", markup=False, highlight=False, soft_wrap=True)
    else:
        line = report.summary if report.is_final else f"{report.photo}: to do"
        results_to.print(line, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def summary_at_end(counts: Counts, total: int) -> Iterator[None]:
    """Print, if there are several files, how many ended in which way, and how many are left; after an interrupt too."""
    advice = ", run the same command again to go on"
    try:
        yield
    except InvalidOptions:
        advice = ""
        raise
    finally:
        left = total - counts.total
        rest = f"; {left:,} not done{advice}" if left else ""
        if total > 1:
            err.print(f"{counts}{rest}", highlight=False, soft_wrap=True)


def print_trace(job: str, execution: dict[str, Any], visits: Sequence[Visit], as_json: bool) -> None:
    """Print the states of a job's execution, its error if it has one, and the digest that names the job in the logs."""
    if as_json:
        for visit in visits:
            row = {"state": visit.state, "seconds": visit.seconds, "retries": visit.retries, "errors": visit.errors}
            click.echo(json.dumps(row))
        return
    table = Table("State", "Seconds", "Retries", "Errors", title=f"{job}: {execution['status']}", title_justify="left")
    for visit in visits:
        seconds = "…" if visit.seconds is None else f"{visit.seconds:.2f}"
        table.add_row(visit.state, seconds, str(visit.retries or ""), ", ".join(visit.errors))
    out.print(table)
    if execution.get("error"):
        out.print(f"{execution['error']}: {execution.get('cause', '')}", markup=False, soft_wrap=True)
    out.print(f"logs: {digest_of_id(job)}", highlight=False)


@contextmanager
def shown_progress(progress: Progress) -> Iterator[Callable[[Report], None]]:
    """Show the progress: on a terminal as a bar with the last report's status, elsewhere as a line now and then."""

    def log(_: Report) -> None:
        if progress.is_due():
            err.print(str(progress), highlight=False, soft_wrap=True)

    if not err.is_terminal:
        yield log
        return
    with RichProgress(SpinnerColumn(), BarColumn(), "{task.description}", console=err, transient=True) as bar:
        task = bar.add_task(str(progress), total=progress.total)

        def show(report: Report) -> None:
            status = f"{Path(report.photo).name}: {report.status.lower().replace('_', ' ')}"
            bar.update(task, description=escape(f"{progress} · {status}"), completed=progress.done)

        yield show
