"""Change the code in small ways, one at a time, and count the changes that the unit tests notice.

cosmic-ray makes the changes (mutants): another number, operator, comparison or condition. Starting pytest takes longer
than most tests, so the tests run once in this process, and each mutant runs in a fork of it that imports our modules
anew. No file is written.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import resource
import sys
import time
from importlib.abc import SourceLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.machinery import ModuleSpec
    from types import ModuleType

ROOT = Path(__file__).parents[1]
SEED = 15
GOAL = 0.9
MEMORY = 6 * 1024**3  # bytes that a mutant may take: some try to take everything

# The unit tests that concern each module, the quickest first.
TESTS = {
    "photo.codecs": ["anonymise_faithful"],
    "photo.coverage": ["coverage"],
    "photo.decode": ["images", "parts"],
    "photo.hide": ["anonymise"],
    "photo.jpeg": ["anonymise_faithful"],
    "photo.metadata": ["anonymise_leaks"],
    "photo.outlines": ["outlines", "coverage"],
    "photo.painting": ["anonymise"],
    "photo.png": ["anonymise_leaks", "anonymise_faithful"],
    "photo.structure": ["parts"],
    "photo.styles": ["styles"],
    "photo.tiff": ["parts"],
    "jobs.boxes": ["findings"],
    "jobs.completion": ["endings"],
    "jobs.executions": ["workflow"],
    "jobs.receipts": ["receipts"],
    "jobs.results": ["drafts"],
    "jobs.storage": ["storage", "sweep_photos"],
    "jobs.table": ["jobs", "get_job"],
    "jobs.uploads": ["arrivals"],
}


class Mutant(NamedTuple):
    """A module's source with one change, and where that is."""

    source: str
    line: int
    before: str
    after: str


class Mutated(SourceLoader):
    """Import the mutant in the place of its module."""

    def __init__(self, name: str, path: Path, source: str) -> None:
        """Know the module's full name and path, and the source to import instead."""
        self._name, self._path, self._source = name, str(path), source

    def find_spec(self, name: str, path: object = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """How to import the module; None for all others."""
        return spec_from_file_location(name, self._path, loader=self) if name == self._name else None

    def get_filename(self, fullname: str) -> str:
        """Path of the module."""
        return self._path

    def get_data(self, path: str | bytes) -> bytes:
        """Source of the mutant."""
        return self._source.encode()


class Behaviour(ast.NodeTransformer):
    """Leave out what does nothing when a module runs: annotations, imports for them, and how dataclasses are made."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        """An argument without its type."""
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        """An assignment without its type."""
        node.annotation = ast.Constant(None)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """A function without the type of its result."""
        node.returns = None
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """A class without its decorators."""
        node.decorator_list = []
        return self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | None:
        """A condition; none that is for types alone."""
        return None if ast.unparse(node.test).endswith("TYPE_CHECKING") else self.generic_visit(node)


def behaviour(source: str) -> str:
    """The source, as far as it does anything."""
    return ast.dump(Behaviour().visit(ast.parse(source)))


def mutants(source: str, count: int) -> Iterator[Mutant]:
    """Up to so many mutants, drawn at random, the same ones in each run."""
    places = [
        (name, number)
        for name in operator_names()
        if not get_operator(name).arguments()
        for number in range(found(name, source))
    ]
    random.Random(SEED).shuffle(places)
    same = behaviour(source)
    for name, number in places:
        if not count:
            return
        changed = mutate_code(source, get_operator(name)(), number)
        if changed is None or not compiles(changed) or behaviour(changed) == same:
            continue
        count -= 1
        lines = zip(source.splitlines(), [*changed.splitlines(), ""], strict=False)
        yield next(Mutant(changed, line, *pair) for line, pair in enumerate(lines, 1) if pair[0] != pair[1])


def found(operator: str, source: str) -> int:
    """In how many places the operator can change the source."""
    positions = get_operator(operator)().mutation_positions
    return sum(1 for node in ast_nodes(get_ast(source)) for _ in positions(node))


def compiles(source: str) -> bool:
    """Whether this is Python."""
    try:
        compile(source, "mutant", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


def run(tests: list[str]) -> int:
    """Run the tests until one fails; pytest's exit code."""
    return int(pytest.main(["-x", "-q", "--no-header", "-p", "no:cacheprovider", "--rootdir", str(ROOT), *tests]))


def forget_our_modules() -> None:
    """Have our own modules imported anew, and keep all others."""
    ours = [name for name, module in sys.modules.items() if is_ours(getattr(module, "__file__", None))]
    for name in ours:
        if name != __name__:
            del sys.modules[name]


def is_ours(file: str | None) -> bool:
    """Whether a module's file is one of the project's."""
    return file is not None and Path(file).is_relative_to(ROOT) and ".tools" not in file and ".venv" not in file


def survives(module: str, source: str, tests: list[str], seconds: int) -> bool:
    """Whether all tests pass with this source of the module; this many seconds of the processor's time mean that it does not end."""
    child = os.fork()
    if child == 0:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        sys.meta_path.insert(0, Mutated(f"faceblur.{module}", path_of(module), source))
        code = 1
        try:
            code = run(tests)
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0


def path_of(module: str) -> Path:
    """Where a module of the domain is."""
    return ROOT / "functions/faceblur" / f"{module.replace('.', '/')}.py"


def attack(module: str, count: int) -> tuple[int, list[Mutant]]:
    """How many mutants of a module were made, and those that survived."""
    tests = [str(ROOT / f"tests/unit/test_{name}.py") for name in TESTS[module]]
    started = time.process_time()
    if run(tests):
        raise SystemExit(f"The tests of {module} fail without any change.")
    seconds = 10 + 3 * round(time.process_time() - started)
    forget_our_modules()
    source = path_of(module).read_text()
    if not survives(module, source, tests, seconds):
        raise SystemExit(f"The tests of {module} fail in a fork without any change.")
    made = list(mutants(source, count))
    survivors = []
    for mutant in made:
        if survives(module, mutant.source, tests, seconds):
            survivors.append(mutant)
            print(f"{module}:{mutant.line}\n  - {mutant.before.strip()}\n  + {mutant.after.strip()}", flush=True)
    return len(made), survivors


def main() -> None:
    """Attack the modules, and fail if too many mutants survive."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", help="such as photo.painting; all by default")
    parser.add_argument("--each", type=int, default=40, help="mutants of each module")
    arguments = parser.parse_args()
    made = killed = 0
    rows = []
    for module in arguments.modules or TESTS:
        count, survivors = attack(module, arguments.each)
        made, killed = made + count, killed + count - len(survivors)
        rows.append(f"| `{module}` | {count} | {count - len(survivors)} |")
    print("| module | mutants | killed |\n|---|--:|--:|", *rows, f"| all | {made} | {killed} |", sep="\n")
    sys.exit(killed < GOAL * made)


if __name__ == "__main__":
    main()
