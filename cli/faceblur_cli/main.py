"""The `faceblur` command."""

import errno
import json
import os
import signal
import sys
import time
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from faceblur_cli import batch as batches
from faceblur_cli import ports, removal, terminal, trace
from faceblur_cli import redrive as dead_letters
from faceblur_cli.failures import Failure
from faceblur_cli.folder.as_batch import hide_as_batch
from faceblur_cli.folder.journal import NAME as JOURNAL
from faceblur_cli.folder.journal import Journal, NoJournal
from faceblur_cli.folder.one import Erase, Wishes
from faceblur_cli.folder.pace import MOST_AT_ONCE, Pace
from faceblur_cli.folder.pipe import hide_piped
from faceblur_cli.folder.plan import plan
from faceblur_cli.folder.progress import Progress
from faceblur_cli.folder.report import Counts, Report, ReportFile, exit_code, obstacle
from faceblur_cli.folder.run import hide_all
from faceblur_cli.folder.walk import folders, walk
from faceblur_cli.page import publish as page_publisher
from faceblur_cli.page import server as page_server
from faceblur_cli.redo import redo
from faceblur_cli.stack import holder
from faceblur_cli.stack.aws import Stack
from faceblur_cli.stack.sam import STACK_NAME
from faceblur_cli.stack.serve import reopen_stack, serve_stack
from faceblur_cli.terminal import err, out
from faceblur_client import Client, FaceblurError, InvalidOptions, JobFailed, WrongAddress
from faceblur_client.steps import valid_address

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")


class _AtOnce(click.IntRange):
    """A number, or `auto`, which is 0."""

    name = "auto or a number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return 0 if value in {"auto", 0} else super().convert(value, param, ctx)


class _Filled(click.Option):
    """An option whose value must not be empty. An unset variable of the shell would give an empty value."""

    def type_cast_value(self, ctx: click.Context, value: Any) -> Any:
        if value == "":
            raise click.BadParameter("The value is empty.", ctx, self)
        return super().type_cast_value(ctx, value)


def _address(_: click.Context, __: click.Parameter, url: str | None) -> str | None:
    """The address of an API. It is checked before anything begins."""
    if url is not None:
        try:
            valid_address(url)
        except WrongAddress as error:
            raise click.BadParameter(error.message) from None
    return url


_PIPE = Path("-")
_PORT = click.IntRange(0, ports.HIGHEST)
_stack_in_the_cloud = click.option(
    "--stack-name", cls=_Filled, default=STACK_NAME, show_default=True, help="Name of the stack in the cloud."
)
_of_an_api = click.option(
    "--api", metavar="URL", callback=_address, help="API of a deployed stack; by default the stack on this machine."
)
_token = click.option(
    "--token", envvar="FACEBLUR_TOKEN", help="Token for an API with sign-in; FACEBLUR_TOKEN is safer."
)
_job_options = click.option(
    "--option",
    "-o",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="Job option, such as style=solid or kinds=face,plate.",
)
_SIDES = ("left", "top", "width", "height")
_LISTS = {"kinds", "keep_metadata"}
_PLACES = "ID|LEFT,TOP,WIDTH,HEIGHT[,KIND]"
_KINDS = ("face", "plate", "text")


def _of_a_job(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of a command that runs jobs."""
    options = (
        click.option(
            "--out",
            "folder",
            cls=_Filled,
            type=click.Path(file_okay=False, path_type=Path),
            help="Folder for the results.",
        ),
        _of_an_api,
        _token,
        _as_json,
        _job_options,
        click.option("--keep", multiple=True, metavar=_PLACES, help="Keep this visible: the id of a box, or a place."),
        click.option(
            "--hide",
            multiple=True,
            metavar=_PLACES,
            help="Hide this: the id of a box, or a place in fractions of the photo, and its kind (face).",
        ),
        click.option("--only", multiple=True, metavar=_PLACES, help="Hide this and nothing else."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(metadata.version("faceblur"), message="%(version)s")
def cli() -> None:
    """Find the faces, number plates and text in photos and hide them."""


@cli.command()
@click.option(
    "--port",
    type=_PORT,
    default=ports.AWS,
    show_default=True,
    help="Port of the embedded AWS; 0 for the port used last, or any free one.",
)
@click.option(
    "--page-port",
    type=_PORT,
    default=ports.PAGE,
    show_default=True,
    help="Port of the web page; 0 for any free one.",
)
@click.option("--open", "open_browser", is_flag=True, help="Open the web page in a browser, if there is a screen.")
def up(port: int, page_port: int, open_browser: bool) -> None:
    """Deploy into the embedded AWS on this machine, and serve it and the web page until Ctrl-C."""
    if port and port == page_port:
        raise Failure(f"--port and --page-port are both {port}. Choose two different ports.")
    holder.check_none_runs()
    page_server.check_page(page_port)
    with (
        _until_interrupted(),
        serve_stack(port, err.print) as stack,
        page_server.serve_page(stack, page_port) as address,
    ):
        holder.announce_page(address)
        err.print(f"\n[bold]faceblur is up[/bold]\n  Page {address}\n  API  {stack.api_url}\n  AWS  {stack.endpoint}\n")
        err.print("Stop it with Ctrl-C or `.venv/bin/faceblur down`.")
        if open_browser and _has_screen():
            webbrowser.open(address)
        while True:
            # signal.pause() would miss a signal that comes just before it.
            time.sleep(1)


@cli.command()
def down() -> None:
    """Stop the embedded AWS of this folder, whichever command started it."""
    err.print(holder.stop())


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
    """Move the dead letters back to the queues they came from. Fix their cause first."""
    moved = dead_letters.redrive(boto3.client("sqs"), _outputs(stack_name)["FailuresDlqArn"])
    out.print("1 message was moved back" if moved == 1 else f"{moved} messages were moved back")


@cli.command()
@click.option("--stack-name", cls=_Filled, required=True, help="Name of the stack in the cloud.")
@click.option("--yes", is_flag=True, help="Do not ask for the name again.")
def delete(stack_name: str, yes: bool) -> None:
    """Delete a stack in the cloud with everything in it: photos, jobs, the web page and the logs.

    Ends with 1 if something of it is left.
    """
    account, region = boto3.client("sts").get_caller_identity()["Account"], boto3.Session().region_name
    if not removal.find_stack(boto3.client("cloudformation"), stack_name):
        raise Failure(f"There is no stack {stack_name} in account {account}, {region}.")
    warning = f"This deletes the stack {stack_name} in account {account}, {region}, with all photos, jobs and logs."
    err.print(warning, soft_wrap=True)
    if not yes and click.prompt("Type its name to go on", err=True) != stack_name:
        raise Failure("That is not its name. Nothing was deleted.")
    err.print("Deleting. With a web page, CloudFront takes up to a quarter of an hour.")
    left = removal.remove_stack(stack_name, boto3.client)  # type: ignore[arg-type]
    for thing in left:
        out.print(f"left: {thing.kind} {thing.name}", soft_wrap=True)
    if left:
        raise Failure(f"The stack {stack_name} is deleted, but some of its resources are left. Delete those by hand.")
    out.print(f"The stack {stack_name} is deleted, and nothing of it is left.", soft_wrap=True)


@cli.command()
@click.argument("photos", nargs=-1, required=True, type=click.Path(exists=True, allow_dash=True, path_type=Path))
@_of_a_job
@click.option("--receipt", "with_receipts", is_flag=True, help="Store the receipt of each result too.")
@click.option(
    "--at-once", type=_AtOnce(1, MOST_AT_ONCE), default="auto", show_default=True, help="Photos at the same time."
)
@click.option("--suffix", default="", help="Text to add to the names of results from folders.")
@click.option("--resume/--no-resume", default=True, help="Skip photos that an earlier run has done, or start over.")
@click.option("--keep-mtime", is_flag=True, help="Give each result the modification time of its photo.")
@click.option(
    "--report",
    "report_path",
    cls=_Filled,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write a line for each photo when it ends, to FILE.csv or FILE.jsonl.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--review", is_flag=True, help="Decide in the web page what is hidden, photo by photo.")
@click.option("--page", metavar="URL", help="With --review and --api: address of the web page.")
def blur(
    photos: tuple[Path, ...],
    folder: Path | None,
    api: str | None,
    token: str | None,
    as_json: bool,
    with_receipts: bool,
    at_once: int,
    suffix: str,
    resume: bool,
    keep_mtime: bool,
    report_path: Path | None,
    dry_run: bool,
    review: bool,
    page: str | None,
    **fields: Any,
) -> None:
    """Hide the faces in PHOTOS: files, folders with all subfolders, or - for standard input and output.

    With -o kinds=face,plate,text, number plates and other text are hidden too.

    The result of a file is NAME.blurred.EXTENSION, beside the file or in --out. Folders need --out. Their results keep
    their paths and names below it, and files that are not photos are skipped. With --out, a run continues where an
    earlier one ended. With -o review=always, a person answers through the API or the web page.

    \b
    Ends with 0 if all went well,
              1 if a photo failed, or if the run ended early,
              2 if the arguments or options are wrong,
              3 if something may be visible in a result: please look at it,
            130 if it was interrupted.
    """
    _check_sources(photos, folder, suffix, as_json=as_json)
    _check_report(report_path)
    job_fields = _fields(**fields) | ({"review": "always"} if review else {})
    wishes = Wishes(job_fields, folder, suffix, with_receipts, keep_mtime)
    sources = [photo for photo in photos if photo != _PIPE]
    total = sum(1 for _ in walk(sources, folder)) + (_PIPE in photos)
    # A run over a folder lists only the results that need attention.
    shown_all = as_json or not folders(sources)
    counts = Counts()
    if dry_run:
        _print_plan(sources, wishes, counts, resume=resume, as_json=as_json)
    elif total:
        pace = Pace(at_once or (MOST_AT_ONCE if api else (os.cpu_count() or 1) + 1), grows=not at_once)
        with (
            _journal(folder, resume=resume) as journal,
            _report_file(report_path) as record,
            _api(api, token, pace) as (client, stack, is_own),
            # A stack that runs for this block alone has no sweep, so the command erases each job. With keep_original,
            # `faceblur redo` needs the jobs.
            _eraser(stack if is_own and not job_fields.get("keep_original") else None) as erase,
            _reviewer(stack, page, review=review) as ask,
            terminal.shown_progress(Progress(total, counts)) as show,
            terminal.summary_at_end(counts, total),
        ):

            def tell(report: Report) -> None:
                if report.is_final:
                    counts.add(report)
                    record(report)
                    if shown_all or not report.is_ordinary:
                        terminal.print_report(report, as_json, err if _PIPE in photos else out)
                show(report)
                if report.status == "AWAITING_REVIEW":
                    ask(str(report.job_id))

            wishes = replace(wishes, erase=erase)
            if _PIPE in photos:
                tell(hide_piped(client, wishes, sys.stdin.buffer, sys.stdout.buffer))
            # On this machine, a batch is not faster than single photos.
            if api and not at_once and isinstance(journal, Journal):
                hide_as_batch(sources, client, journal, wishes, partial(_wait_for, client), err.print)
            hide_all(sources, client, pace, journal, wishes, tell)
    else:
        err.print("There are no files in these folders.")
    sys.exit(exit_code(counts))


@cli.command("redo")
@click.argument("job")
@_of_a_job
def redo_job(job: str, folder: Path | None, api: str | None, token: str | None, as_json: bool, **fields: Any) -> None:
    """Do the completed JOB again with other options or another decision, as long as its photo is kept.

    Options that are not given keep their values. The new result is stored as JOB.blurred.EXTENSION. The exit codes are
    those of `faceblur blur`.
    """
    counts = Counts()
    with _api(api, token) as (client, *_), terminal.shown_progress(Progress(1, counts)) as show:
        report = redo(client, job, folder or Path(), _fields(**fields), show)
    counts.add(report)
    terminal.print_report(report, as_json)
    sys.exit(exit_code(counts))


@cli.command("batch")
@click.argument("places", nargs=-1, metavar="[SOURCE TARGET]")
@click.option("--status", "status_of", metavar="ID", help="Show this batch.")
@click.option("--redrive", "again", metavar="ID", help="Start this batch again for the photos that are not hidden.")
@click.option("--no-wait", is_flag=True, help="Do not wait for the end of the batch.")
@click.option("--receipts", is_flag=True, help="Store the receipt of each result beside it.")
@_of_an_api
@_token
@_job_options
@_as_json
def hide_batch(
    places: tuple[str, ...],
    status_of: str | None,
    again: str | None,
    no_wait: bool,
    receipts: bool,
    api: str | None,
    token: str | None,
    options: tuple[str, ...],
    as_json: bool,
) -> None:
    """Hide the faces in all photos below SOURCE into TARGET, such as s3://bucket/prefix/.

    Both buckets must be parameters of the deployment. The exit codes are those of `faceblur blur`.
    """
    if bool(status_of) + bool(again) + (len(places) == 2) != 1 or len(places) not in {0, 2}:
        raise click.UsageError("Give a SOURCE and a TARGET, or --status ID, or --redrive ID.")
    with _api(api, token) as (client, *_):
        if status_of:
            batch = client.get_batch(status_of)
        elif again:
            batch = client.start_batch(again)
        else:
            source, target = places
            batch = batches.begin(client, source, target, dict(map(_parsed, options)) | {"receipts": receipts})
        if not (status_of or no_wait):
            err.print(f"batch {batch['batch_id']} runs; Ctrl-C stops the waiting only")
            batch = _wait_for(client, batch["batch_id"])
    if as_json:
        out.print_json(data=batch, indent=None)
    else:
        out.print(f"batch {batch['batch_id']}: {batches.summary(batch)}", soft_wrap=True, highlight=False)
    sys.exit(batches.exit_code(batch))


def _wait_for(client: Client, batch_id: str) -> dict[str, Any]:
    """Wait until the batch has ended, and show its counts meanwhile. Returns the batch."""
    return batches.wait_for(client, batch_id, lambda seen: err.print(batches.summary(seen)))


@cli.command("trace")
@click.argument("job")
@click.option("--stack-name", cls=_Filled, help="Name of a stack in the cloud; by default the stack on this machine.")
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
    except (Failure, FaceblurError) as failure:
        terminal.print_error("faceblur", str(failure))
        sys.exit(2 if isinstance(failure, InvalidOptions) else 1)
    except NoRegionError:
        terminal.print_error("faceblur", "No region is set. Set AWS_DEFAULT_REGION to the region of the stack.")
        sys.exit(1)
    except (BotoCoreError, ClientError) as error:
        terminal.print_error("faceblur", f"AWS: {error}")
        sys.exit(1)
    except BrokenPipeError:
        # Nobody reads the output any more. Without this, Python would report an error when it flushes the output.
        for stream in (sys.stdout, sys.stderr):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        sys.exit(1)
    except OSError as error:
        terminal.print_error("faceblur", _of_this_machine(error))
        sys.exit(1)


def _of_this_machine(error: OSError) -> str:
    """The message about an error of this machine, such as a full disk, with the name of the file."""
    file = f"{error.filename}: " if error.filename else ""
    advice = " Free some space and try again." if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
    return f"{file}{error.strerror or error}.{advice}"


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
def _api(url: str | None, token: str | None, pace: Pace | None = None) -> Iterator[tuple[Client, Stack | None, bool]]:
    """A client of the API at this address or, without an address, of the stack on this machine.

    If that stack does not run, it is served for the block. Also returns this stack, if it is used, and whether it is
    served for the block alone.
    """
    hooks = pace.hooks if pace else None
    if url:
        with Client(url, token=token, event_hooks=hooks) as client:
            yield client, None, False
    elif stack := holder.running_stack():
        with Client(stack.api_url, token=token, event_hooks=hooks) as client:
            yield client, stack, False
    else:
        with (
            serve_stack(0, err.print) as stack,
            Client(stack.api_url, token=token, event_hooks=hooks) as client,
        ):
            yield client, stack, True


@contextmanager
def _eraser(stack: Stack | None) -> Iterator[Erase]:
    """A function that erases everything of a job of this stack. Without a stack, it does nothing.

    A job that cannot be erased gives a warning and no error, because the result is stored already. The function has a
    client of its own, because an interrupt stops the other client.
    """
    if not stack:
        yield lambda _: None
        return
    with Client(stack.api_url) as client:

        def erase(job_id: str) -> None:
            try:
                client.delete_job(job_id)
            except FaceblurError as error:
                if not (isinstance(error, JobFailed) and error.code == "JobNotFound"):
                    terminal.print_error(f"job {job_id} is not erased", error.message)

        yield erase


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
    stack = boto3.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def _has_screen() -> bool:
    return sys.platform == "darwin" or any(name in os.environ for name in ("DISPLAY", "WAYLAND_DISPLAY"))


@contextmanager
def _reviewer(stack: Stack | None, page: str | None, *, review: bool) -> Iterator[Callable[[str], None]]:
    """A function that tells a person which job waits for a review. With `review`, it opens the page's editor."""
    if not review:
        yield lambda job_id: err.print(f"job {job_id} waits for a review")
    elif page:
        yield lambda job_id: _open_editor(page.rstrip("/"), job_id)
    elif stack:
        with page_server.serve_page(stack, 0) as address:
            yield lambda job_id: _open_editor(address, job_id)
    else:
        raise Failure("With --api, --review needs the address of the web page too. Give it with --page.")


def _open_editor(page: str, job_id: str) -> None:
    """Show the address of the page's editor for a job, and open it if there is a screen."""
    address = f"{page}/#job={job_id}"
    err.print(f"Decide here what is hidden: {address}", soft_wrap=True, highlight=False)
    if _has_screen():
        webbrowser.open(address)


def _check_sources(photos: Sequence[Path], folder: Path | None, suffix: str, *, as_json: bool) -> None:
    """Raise UsageError if these photos do not fit the other options."""
    within = folders(photos)
    if within and not folder:
        raise click.UsageError(f"{within[0]} is a folder. Say with --out in which folder the results belong.")
    if folder and folder.exists() and any(folder.samefile(source) for source in within):
        raise click.UsageError(f"--out {folder} is the folder of the photos. Choose another one.")
    if len({source.absolute().name for source in within}) < len(within):
        raise click.UsageError("Two folders have the same name, so their results would mix. Run one after the other.")
    if os.sep in suffix:
        raise click.UsageError("--suffix is part of a name. It cannot be a path.")
    if _PIPE in photos and as_json:
        raise click.UsageError("With -, the photo goes to standard output. Use --report instead of --json.")


def _check_report(path: Path | None) -> None:
    """Raise UsageError if a report must not be written to this file."""
    try:
        complaint = obstacle(path) if path else None
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror}.") from error
    if complaint:
        raise click.UsageError(f"--report {path} {complaint}")


def _print_plan(sources: Sequence[Path], wishes: Wishes, counts: Counts, *, resume: bool, as_json: bool) -> None:
    """Print what a run would do with each file."""
    begun = wishes.out and (wishes.out / JOURNAL).exists() and resume
    with _journal(wishes.out if begun else None, resume=True) as journal:
        for report in plan(sources, journal, wishes):
            counts.add(report)
            terminal.print_report(report, as_json)
    err.print(str(counts), highlight=False, soft_wrap=True)


@contextmanager
def _journal(folder: Path | None, *, resume: bool) -> Iterator[Journal | NoJournal]:
    """The journal of the folder for the results. The folder is made if needed, and removed if it stays empty."""
    if not folder:
        yield NoJournal()
        return
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        journal = Journal(folder, resume=resume)
    except OSError as error:
        raise Failure(f"{folder} cannot be used for the results: {error.strerror}.") from error
    try:
        with journal:
            yield journal
    finally:
        for path in made:
            with suppress(OSError):
                path.rmdir()


@contextmanager
def _report_file(path: Path | None) -> Iterator[Callable[[Report], None]]:
    """A function that writes each outcome to the report file, if there is one."""
    if not path:
        yield lambda _: None
        return
    try:
        file = ReportFile(path)
    except OSError as error:
        raise Failure(f"{path} cannot be written: {error.strerror}.") from error
    try:
        yield file.add
    finally:
        file.close()


def _fields(options: Sequence[str], **places: Sequence[str]) -> dict[str, Any]:
    """The fields of a request: the options, and the decision in keep, hide and only."""
    decision = {name: [_place(text) for text in given] for name, given in places.items() if given}
    return {**dict(_parsed(option) for option in options), **decision}


def _place(text: str) -> dict[str, Any]:
    """A box, named by its id, or a place: left, top, width and height in fractions of the photo, and the kind."""
    if text.isdecimal():
        return {"id": int(text)}
    parts = text.split(",")
    kind = {"kind": parts.pop()} if parts[-1] in _KINDS else {}
    try:
        sides = [float(part) for part in parts]
    except ValueError:
        sides = []
    if len(sides) != len(_SIDES):
        raise click.UsageError(f"{text!r} is neither the id of a box nor a place as LEFT,TOP,WIDTH,HEIGHT[,KIND].")
    return {**dict(zip(_SIDES, sides, strict=True)), **kind}


def _parsed(option: str) -> tuple[str, Any]:
    """The name and the value of an option. A value that is not JSON is a text, or a list of texts."""
    name, separator, value = option.partition("=")
    if not separator:
        raise click.UsageError(f"{option!r} is not of the form NAME=VALUE.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value.split(",") if name in _LISTS else value
