"""Deploys a stack of its own, tries it, writes down what it saw, and deletes the stack, whatever happened.

It needs AWS credentials and a region, says first what it will do and what that costs, and asks, unless CONFIRM=yes.
The exit code is 1 if a step failed, and 130 after Ctrl-C. With AWS_ENDPOINT_URL it verifies the embedded AWS.

PYTHONPATH=functions .venv/bin/python -m benchmarks.verify_cloud [FOLDER]
"""

from __future__ import annotations

import os
import platform
import re
import secrets
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from benchmarks.report import RESULTS, table
from benchmarks.verify_cloud import branches, figures, photos
from benchmarks.verify_cloud.steps import FAILED, Outcome, Step, carry_out
from benchmarks.verify_cloud.target import Target
from faceblur_cli import project
from faceblur_cli.failures import Failure


def verify(target: Target, outcomes: list[Outcome], began: datetime) -> None:
    """Deploy, try and delete the stack. It is deleted after a failure and after an interruption, too."""
    deploy = Step("the stack is deployed", lambda: target.deploy(say))
    steps = [*photos.steps(target), *branches.steps(target), *figures.steps(target, began)]
    try:
        carry_out([deploy], outcomes, say)
        if outcomes[-1].result != FAILED:
            carry_out(steps, outcomes, say)
    finally:
        _ignore_signals()
        carry_out([Step("everything is deleted", target.remove)], outcomes, say)


def report(about: dict[str, Any], outcomes: list[Outcome]) -> str:
    """The report as Markdown: what came of it, the conditions, the steps, and their details; without the account."""
    failed = [outcome.step for outcome in outcomes if outcome.result == FAILED]
    verdict = f"{len(failed)} of {len(outcomes)} steps failed: {'; '.join(failed)}." if failed else "No step failed."
    parts = [f"# Verification of {about['stack']}\n\n{verdict}", table({"": name, " ": about[name]} for name in about)]
    parts.append(table(outcome.row for outcome in outcomes))
    for outcome in outcomes:
        parts += [f"## {title}\n\n{table(rows)}" for title, rows in outcome.seen.tables.items()]
    # Names of buckets and ARNs have the number of the account.
    return re.sub(r"(?<!\d)\d{12}(?!\d)", "…", "\n\n".join(parts)) + "\n"


def conditions(target: Target, began: datetime) -> dict[str, Any]:
    """Where and with what the stack is verified; of the account, the last digits."""
    account = boto3.client("sts").get_caller_identity()["Account"]
    return {
        "stack": target.name,
        "AWS": "the embedded AWS" if target.endpoint else "the cloud",
        "account": f"…{account[-4:]}",
        "region": boto3.session.Session().region_name,
        "began": f"{began:%Y-%m-%d %H:%M} UTC",
        "faceblur": _said_by("git", "describe", "--always", "--dirty", "--tags"),
        "Python": platform.python_version(),
        "boto3": boto3.__version__,
        "SAM": _said_by(str(project.SAM), "--version"),
    }


def announcement(about: dict[str, Any]) -> str:
    """What is about to happen, where, for how much, and how long it takes."""
    return (
        f"This deploys a stack {about['stack']} into {about['AWS']}, account {about['account']}, {about['region']}.\n"
        "It sends about ten small photos through it, reads what AWS counted, and deletes the stack with all it holds.\n"
        f"It costs at most {figures.most_usd():.2f} USD at the list prices of us-east-1 and takes about half an hour,\n"
        "most of which CloudFront takes. What `sam deploy` uploads stays in its own bucket of the account."
    )


def agreed() -> bool:
    """Whether somebody agrees: CONFIRM=yes, or an answer at the terminal."""
    try:
        return os.environ.get("CONFIRM") == "yes" or input("Type yes to go on: ").strip() == "yes"
    except EOFError:
        say("Nobody can answer here. To go on without asking, set CONFIRM=yes.")
        return False


def say(line: str) -> None:
    """Tell whoever watches."""
    print(line, flush=True)  # noqa: T201


def main(folder: Path = RESULTS) -> int:
    """Announce, ask, verify, and write the report into the folder."""
    began = datetime.now(UTC)
    # Several people may verify at the same time.
    target = Target(f"faceblur-verify-{secrets.token_hex(4)}")
    if target.endpoint:
        # For TestState boto3 would put `sync-` before the address, which has no such name.
        os.environ["AWS_DISABLE_HOST_PREFIX_INJECTION"] = "true"
    about = conditions(target, began)
    say(announcement(about))
    if not agreed():
        say("Nothing was done.")
        return 1
    outcomes: list[Outcome] = []
    try:
        verify(target, outcomes, began)
    finally:
        path = folder / f"verify-cloud-{began:%Y-%m-%d}.md"
        path.write_text(report(about, outcomes))
        say(f"The report is {path}.")
    return 1 if any(outcome.result == FAILED for outcome in outcomes) else 0


def _ignore_signals() -> None:
    """Let no second Ctrl-C interrupt the deletion."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def _said_by(*command: str) -> str:
    return subprocess.run(command, cwd=project.ROOT, capture_output=True, text=True, check=False).stdout.strip()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    try:
        sys.exit(main(*map(Path, sys.argv[1:2])))
    except (Failure, BotoCoreError, ClientError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
