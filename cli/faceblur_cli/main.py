"""The `faceblur` command."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
import time
import webbrowser
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from faceblur_cli import local, page, trace
from faceblur_cli import redrive as dead_letters
from faceblur_cli.blur import Report, blur_photos
from faceblur_cli.client import FINISHED, ApiClient
from faceblur_cli.failures import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator

# Messages go to standard error, so that what a program reads from standard output is JSON alone.
out, err = Console(), Console(stderr=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Find every face in a photo and make it unrecognisable."""


@cli.command()
@click.option("--port", default=local.DEFAULT_PORT, show_default=True, help="Port of the embedded AWS; 0 for any.")
@click.option("--page-port", default=page.DEFAULT_PORT, show_default=True, help="Port of the web page; 0 for any.")
@click.option("--open", "to_open", is_flag=True, help="Open the web page in a browser, if there is a screen.")
def up(port: int, page_port: int, to_open: bool) -> None:
    """Deploy into the embedded AWS on this machine and serve it, and the web page, until Ctrl-C."""
    page.check(page_port)
    with (
        _until_interrupted(),
        local.running_stack(port, err.print) as stack,
        page.served(stack, page_port) as address,
    ):
        err.print(f"\n[bold]faceblur is up[/bold]\n  Page {address}\n  API  {stack.api_url}\n  AWS  {stack.endpoint}\n")
        err.print("Ctrl-C, or `faceblur down`, stops it.")
        if to_open and _has_screen():
            webbrowser.open(address)
        while True:
            # Not signal.pause(), which sleeps over a signal that comes just before it.
            time.sleep(1)


@cli.command()
def down() -> None:
    """Stop the embedded AWS of this folder, whichever command has it."""
    err.print("stopped" if local.stop() else "nothing was running")


@cli.command()
@click.option("--stack-name", default=local.STACK_NAME, show_default=True, help="Name of the stack in the cloud.")
def publish(stack_name: str) -> None:
    """Copy the built web page into a stack in the cloud, and print its address."""
    outputs = _outputs(stack_name)
    if "PageBucketName" in outputs:
        out.print(page.publish(outputs, boto3.client("s3"), boto3.client("cloudfront")), soft_wrap=True)
    else:
        err.print("This stack has no web page (WebPage=no).")


@cli.command()
@click.option("--stack-name", default=local.STACK_NAME, show_default=True, help="Name of the stack in the cloud.")
def redrive(stack_name: str) -> None:
    """Send failures that could not be recorded back to their queues, once the cause is repaired."""
    moved = dead_letters.redrive(boto3.client("sqs"), _outputs(stack_name)["FailuresDlqArn"])
    out.print("1 message was handed back" if moved == 1 else f"{moved} messages were handed back")


@cli.command()
@click.argument("photos", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", "folder", type=click.Path(file_okay=False, path_type=Path), help="Folder for the results.")
@click.option("--api", metavar="URL", help="API of a deployed stack; by default the one on this machine.")
@click.option("--token", envvar="FACEBLUR_TOKEN", help="Who asks, for an API with sign-in; better as FACEBLUR_TOKEN.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a photo.")
@click.option("--receipt", "with_receipts", is_flag=True, help="Store each result's receipt as NAME.receipt.json.")
@click.option("--at-once", default=2, show_default=True, type=click.IntRange(1, 32), help="Photos at the same time.")
@click.option(
    "--option",
    "-o",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="An option of the job, such as style=solid.",
)
def blur(
    photos: tuple[Path, ...],
    folder: Path | None,
    api: str | None,
    token: str | None,
    as_json: bool,
    with_receipts: bool,
    at_once: int,
    options: tuple[str, ...],
) -> None:
    """Hide the faces in PHOTOS; each result is stored as NAME.blurred.EXTENSION."""
    asked = dict(_parsed(option) for option in options)
    with _api(api, token) as client, _progress(len(photos)) as saw:
        reports = blur_photos(client, photos, folder, asked, at_once, saw, with_receipts=with_receipts)
    for report in reports:
        _print(report, as_json)
    sys.exit(any(report.error for report in reports))


@cli.command("trace")
@click.argument("job")
@click.option("--stack-name", help="Name of a stack in the cloud; by default the stack on this machine.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a state.")
def trace_job(job: str, stack_name: str | None, as_json: bool) -> None:
    """Show the states that JOB went through, with durations, retries and errors."""
    with _stepfunctions(stack_name) as (client, state_machine_arn):
        arn = trace.execution_arn(state_machine_arn, job)
        try:
            execution = client.describe_execution(executionArn=arn)
            visits = trace.visits(trace.history(client, arn))
        except client.exceptions.ExecutionDoesNotExist:
            raise Failure(f"There is no execution for job {job}: no photo arrived, or it is too long ago.") from None
    if as_json:
        for visit in visits:
            row = {
                "state": visit.state,
                "seconds": visit.seconds,
                "retries": visit.retries,
                "errors": visit.errors,
            }
            click.echo(json.dumps(row))
        return
    table = Table("State", "Seconds", "Retries", "Errors", title=f"{job}: {execution['status']}", title_justify="left")
    for visit in visits:
        seconds = "…" if visit.seconds is None else f"{visit.seconds:.2f}"
        table.add_row(visit.state, seconds, str(visit.retries or ""), ", ".join(visit.errors))
    out.print(table)
    if execution.get("error"):
        out.print(f"{execution['error']}: {execution.get('cause', '')}", markup=False, soft_wrap=True)


def main() -> None:
    """Run the command; what a person can act on is told in one line."""
    _interrupt_on_signals()
    try:
        cli(standalone_mode=False)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(wrong.exit_code)
    except (KeyboardInterrupt, click.Abort):
        err.print("interrupted")
        sys.exit(130)
    except Failure as failure:
        _complain(str(failure))
    except (BotoCoreError, ClientError) as error:
        _complain(f"AWS: {error}")


def _complain(message: str) -> None:
    err.print(f"[red]faceblur:[/red] {escape(message)}", highlight=False, soft_wrap=True)
    sys.exit(1)


@contextmanager
def _until_interrupted() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        err.print("stopped")


def _interrupt_on_signals() -> None:
    """End on SIGTERM and SIGHUP as on Ctrl-C, so that the embedded AWS is stopped cleanly.

    Only on the first of them: another one would interrupt the stopping. SIGINT too: a process that a shell starts in
    the background inherits that it is ignored.
    """
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupt(*_: Any) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in numbers:
        signal.signal(number, interrupt)


@contextmanager
def _api(url: str | None, token: str | None) -> Iterator[ApiClient]:
    """The API at this address, of the stack on this machine, or of one that lasts for the block."""
    if url:
        yield ApiClient(url, token=token)
    elif stack := local.running():
        yield ApiClient(stack.api_url, token=token)
    else:
        with local.running_stack(0, err.print) as stack:
            yield ApiClient(stack.api_url, token=token)


@contextmanager
def _stepfunctions(stack_name: str | None) -> Iterator[tuple[Any, str]]:
    """A client and the state machine's ARN, of a stack in the cloud or of the one on this machine."""
    if stack_name:
        yield boto3.client("stepfunctions"), _outputs(stack_name)["StateMachineArn"]
    elif stack := local.running():
        yield stack.client("stepfunctions"), stack.outputs["StateMachineArn"]
    else:
        with local.kept_stack() as stack:
            yield stack.client("stepfunctions"), stack.outputs["StateMachineArn"]


def _outputs(stack_name: str) -> dict[str, str]:
    """The outputs of a stack in the cloud."""
    described = boto3.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


def _has_screen() -> bool:
    return sys.platform == "darwin" or any(name in os.environ for name in ("DISPLAY", "WAYLAND_DISPLAY"))


@contextmanager
def _progress(total: int) -> Iterator[Any]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("photos", total=total)

        def saw(report: Report) -> None:
            finished = report.status in FINISHED and (report.output or report.error)
            description = f"{escape(Path(report.photo).name)}: {report.status.lower().replace('_', ' ')}"
            progress.update(task, description=description, advance=1 if finished else 0)

        yield saw


def _parsed(option: str) -> tuple[str, Any]:
    name, separator, value = option.partition("=")
    if not separator:
        raise Failure(f"{option!r} is not of the form NAME=VALUE.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _print(report: Report, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(report)))
    elif report.error:
        said = f"{report.error['code']}: {report.error['message']}"
        err.print(f"[red]{escape(report.photo)}[/red]: {escape(said)}", highlight=False, soft_wrap=True)
    else:
        out.print(report.summary, markup=False, highlight=False, soft_wrap=True)
