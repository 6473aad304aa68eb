"""Finds the quick tests of a file: `python -m tests.support.tests_of FILE` prints their paths.

The test of a test file is the file itself. The tests of a module are those that import it. The tests of any other file
are those that name it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.support.sources import ROOT

SOURCES = ("functions", "cli", "layers/onnx/prepare", ".")  # where imports begin
QUICK = ("tests/unit", "tests/template", "tests/detection")  # those without a stack


def tests_of(path: Path) -> list[Path]:
    """The test files of this file, whose path is relative to the project's root."""
    if path.name.startswith("test_"):
        return [path]
    names = re.escape(path.name) if path.suffix != ".py" else imports_of(module_of(path))
    tests = [test for folder in QUICK for test in sorted((ROOT / folder).rglob("test_*.py"))]
    return [test.relative_to(ROOT) for test in tests if re.search(names, test.read_text())]


def module_of(path: Path) -> str:
    """The name by which a file of Python is imported."""
    source = next(source for source in SOURCES if path.is_relative_to(source))
    return ".".join(path.relative_to(source).with_suffix("").parts).removesuffix(".__init__")


def imports_of(module: str) -> str:
    """A pattern for the ways to import a module, in one line or in several."""
    package, _, name = module.rpartition(".")
    ways = [rf"from {re.escape(module)} import", rf"import {re.escape(module)}\b"]
    if package:
        ways.append(rf"from {re.escape(package)} import (\([^)]*)?[^)\n]*\b{name}\b")
    return "|".join(ways)


if __name__ == "__main__":
    found = tests_of(Path(sys.argv[1]))
    if not found:
        sys.exit("No quick test imports or names this file: run `make test`.")
    print(*found)  # noqa: T201
