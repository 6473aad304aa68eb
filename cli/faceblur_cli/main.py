"""The `faceblur` command."""

import json
import os
import signal
import sys
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError

from faceblur_cli import redrive as dead_letters
from faceblur_cli import terminal, trace
from faceblur_cli.blur import hide_faces
from faceblur_cli.client import ApiClient
from faceblur_cli.failures import Failure
from faceblur_cli.page import publish as page_publisher
from faceblur_cli.page import server as page_server
from faceblur_cli.stack import holder
from faceblur_cli.stack.emulator import DEFAULT_PORT
from faceblur_cli.stack.sam import STACK_NAME
from faceblur_cli.stack.serve import reopen_stack, serve_stack
from faceblur_cli.terminal import err, out

_stack_in_the_cloud = click.option(
    "--stack-name", default=STACK_NAME, show_default=True, help="Name of the stack in the cloud."
)
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Find every face in a photo and hide it."""


@cli.command()
@click.option(
    "--port", default=DEFAULT_PORT, show_default=True, help="Port of the embedded AWS; 0 for the last one used or any."
)
@click.option(
    "--page-port", default=page_server.DEFAULT_PORT, show_default=True, help="Port of the web page; 0 for any free one."
)
@click.option("--open", "open_browser", is_flag=True, help="Open the web page in a browser, if there is a screen.")
def up(port: int, page_port: int, open_browser: bool) -> None:
    """Deploy into the embedded AWS on this machine, and serve it and the web page until Ctrl-C."""
    page_server.check_page(page_port)
    with (
        _until_interrupted(),
        serve_stack(port, err.print) as stack,
        page_server.serve_page(stack, page_port) as address,
    ):
        err.print(f"\n[bold]faceblur is up[/bold]\n  Page {address}\n  API  {stack.api_url}\n  AWS  {stack.endpoint}\n")
        err.print("Stop it with Ctrl-C or `faceblur down`.")
        if open_browser and _has_screen():
            webbrowser.open(address)
        while True:
            # Not signal.pause(), which misses a signal that comes just before it.
            time.sleep(1)


@cli.command()
def down() -> None:
    """Stop the embedded AWS of this folder, whichever command started it."""
    err.print("stopped" if holder.stop() else "nothing was running")


@cli.command()
@_stack_in_the_cloud
def publish(stack_name: str) -> None:
    """Copy the built web page into a stack in the cloud, and print its address."""
    outputs = _outputs(stack_name)
    if "PageBucketName" in outputs:
        out.print(page_publisher.publish(outputs, boto3.client("s3"), boto3.client("cloudfront")), soft_wrap=True)
    else:
        err.print("This stack has no web page. Deploy it with WebPage=yes to get one.")


@cli.command()
@_stack_in_the_cloud
def redrive(stack_name: str) -> None:
    """Move the dead letters back to the queues they came from, once their cause is fixed."""
    moved = dead_letters.redrive(boto3.client("sqs"), _outputs(stack_name)["FailuresDlqArn"])
    out.print("1 message was moved back" if moved == 1 else f"{moved} messages were moved back")


@cli.command()
@click.argument("photos", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", "folder", type=click.Path(file_okay=False, path_type=Path), help="Folder for the results.")
@click.option("--api", metavar="URL", help="API of a deployed stack; by default the stack on this machine.")
@click.option("--token", envvar="FACEBLUR_TOKEN", help="Token for an API with sign-in; FACEBLUR_TOKEN is safer.")
@_as_json
@click.option("--receipt", "with_receipts", is_flag=True, help="Store each result's receipt as NAME.receipt.json.")
@click.option("--at-once", default=2, show_default=True, type=click.IntRange(1, 32), help="Photos at the same time.")
@click.option("--option", "-o", "options", multiple=True, metavar="NAME=VALUE", help="Job option, such as style=solid.")
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
    job_options = dict(_parsed(option) for option in options)
    with _api(api, token) as client, terminal.progress_bar(len(photos)) as show:
        reports = hide_faces(client, photos, folder, job_options, at_once, show, with_receipts=with_receipts)
    terminal.print_reports(reports, as_json)
    sys.exit(any(report.error for report in reports))


@cli.command("trace")
@click.argument("job")
@click.option("--stack-name", help="Name of a stack in the cloud; by default the stack on this machine.")
@_as_json
def trace_job(job: str, stack_name: str | None, as_json: bool) -> None:
    """Show the states that the last run of JOB went through, with durations, retries and errors."""
    with _stepfunctions(stack_name) as (client, state_machine_arn):
        try:
            execution = trace.last_execution(client, state_machine_arn, job)
            visits = trace.visits(trace.history(client, execution["executionArn"]))
        except client.exceptions.ExecutionDoesNotExist:
            raise Failure(
                f"There is no execution for job {job}. Its photo never arrived, or it ended more than 90 days ago."
            ) from None
    terminal.print_trace(job, execution, visits, as_json)


def main() -> None:
    """Run the command. Errors that a person can act on are printed in one line."""
    _interrupt_on_signals()
    try:
        cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        err.print("interrupted")
        sys.exit(130)
    except Failure as failure:
        terminal.print_error("faceblur", str(failure))
        sys.exit(1)
    except (BotoCoreError, ClientError) as error:
        terminal.print_error("faceblur", f"AWS: {error}")
        sys.exit(1)


@contextmanager
def _until_interrupted() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        err.print("stopped")


def _interrupt_on_signals() -> None:
    """Raise KeyboardInterrupt on SIGTERM and SIGHUP as on Ctrl-C, so that the embedded AWS is stopped cleanly.

    Only the first signal counts: a second one would interrupt the stopping. SIGINT is set too, because a process that
    a shell starts in the background ignores it by default.
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
    """A client of the API at this address, or of the stack on this machine, which is served for the block if needed."""
    if url:
        yield ApiClient(url, token=token)
    elif stack := holder.running_stack():
        yield ApiClient(stack.api_url, token=token)
    else:
        with serve_stack(0, err.print) as stack:
            yield ApiClient(stack.api_url, token=token)


@contextmanager
def _stepfunctions(stack_name: str | None) -> Iterator[tuple[Any, str]]:
    """A Step Functions client and the state machine's ARN, of a stack in the cloud or of the one on this machine."""
    if stack_name:
        yield boto3.client("stepfunctions"), _outputs(stack_name)["StateMachineArn"]
    elif stack := holder.running_stack():
        yield stack.client("stepfunctions"), stack.outputs["StateMachineArn"]
    else:
        with reopen_stack() as stack:
            yield stack.client("stepfunctions"), stack.outputs["StateMachineArn"]


def _outputs(stack_name: str) -> dict[str, str]:
    """The outputs of a stack in the cloud."""
    described = boto3.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


def _has_screen() -> bool:
    return sys.platform == "darwin" or any(name in os.environ for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _parsed(option: str) -> tuple[str, Any]:
    """The name and the value of an option: the value as JSON if it is JSON, else as text."""
    name, separator, value = option.partition("=")
    if not separator:
        raise Failure(f"{option!r} is not of the form NAME=VALUE.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
