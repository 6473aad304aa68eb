"""Tells what a run would do, and does nothing."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from faceblur_cli.folder.journal import Journal, NoJournal
from faceblur_cli.folder.one import Wishes, read_state, recall
from faceblur_cli.folder.problems import PhotoProblem
from faceblur_cli.folder.report import Report, shown
from faceblur_cli.folder.walk import walk


def plan(sources: Sequence[Path], journal: Journal | NoJournal, wishes: Wishes) -> Iterator[Report]:
    """The outcome of each file, as far as it is known on this machine. A photo that would be done is WAITING."""
    for found in walk(sources, wishes.out):
        report = Report(shown(found.path))
        try:
            if state := read_state(found, wishes, report):
                recall(found, state, journal, report)
        except PhotoProblem as problem:
            report.fail(type(problem).__name__, str(problem))
        yield report
