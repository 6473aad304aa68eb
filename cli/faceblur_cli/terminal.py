"""What the command shows: messages, progress, reports and traces."""

import dataclasses
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TimeElapsedColumn
from rich.table import Table

from faceblur_cli.blur import Report
from faceblur_cli.trace import Visit, digest_of_id

# Messages go to standard error, so that with --json a program reads nothing but JSON from standard output.
out, err = Console(), Console(stderr=True)


def print_error(name: str, message: str) -> None:
    """Print a message in one line, after the name of the program or of the photo."""
    err.print(f"[red]{escape(name)}:[/red] {escape(message)}", highlight=False, soft_wrap=True)


def print_reports(reports: Sequence[Report], as_json: bool) -> None:
    """Print the outcome of each photo."""
    for report in reports:
        if as_json:
            click.echo(json.dumps(dataclasses.asdict(report)))
        elif report.error:
            print_error(report.photo, f"{report.error['code']}: {report.error['message']}")
        else:
            out.print(report.summary, markup=False, highlight=False, soft_wrap=True)


def print_trace(job: str, execution: dict[str, Any], visits: Sequence[Visit], as_json: bool) -> None:
    """Print the states of a job's execution, its error if it has one, and what names the job in the logs."""
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
def progress_bar(total: int) -> Iterator[Callable[[Report], None]]:
    """Show how many photos are finished, and the status of the report that was given last."""
    columns = (SpinnerColumn(), "{task.description}", BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("photos", total=total)

        def show(report: Report) -> None:
            finished = report.output or report.error
            description = f"{escape(Path(report.photo).name)}: {report.status.lower().replace('_', ' ')}"
            progress.update(task, description=description, advance=1 if finished else 0)

        yield show
