"""The documents: their length, their tables, and whether what they link to is there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.sources import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ONE_SCREEN, LONGEST = 50, 150  # lines
COLUMNS, ROWS = 8, 12
GENERATED = "licences.md"  # a list of packages is as long as it is


def named(document: Path) -> str:
    return document.name


def tables(document: Path) -> Iterator[list[str]]:
    """The tables of a document: their lines below the heading."""
    for table in re.findall(r"(?:^\|.*\n)+", document.read_text(), re.MULTILINE):
        heading, _, *rows = table.splitlines()
        yield [heading, *rows]


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_a_document_is_short(document: Path):
    most = ONE_SCREEN if document.name == "README.md" else LONGEST
    assert len(document.read_text().splitlines()) <= most


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_its_tables_fit_a_page(document: Path):
    for heading, *rows in tables(document):
        assert len(re.findall(r"(?<!\\)\|", heading)) - 1 <= COLUMNS, heading
        assert len(rows) <= ROWS or document.name == GENERATED, heading


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as they are made on the web."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_its_links_lead_somewhere(document: Path):
    for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        page = (document.parent / path).resolve() if path else document
        assert page.exists(), link
        assert not anchor or anchor in anchors(page), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_its_make_targets_exist(document: Path):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    targets |= {"bench-detect", "bench-blur"}  # named by a pattern
    assert set(re.findall(r"\bmake ([a-z-]+)", " ".join(commands(document)))) <= targets


def commands(document: Path) -> list[str]:
    """What stands in the document as code."""
    text = document.read_text()
    return re.findall(r"```sh\n(.*?)```", text, re.DOTALL) + re.findall(r"`([^`\n]+)`", text)
