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
import warnings
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

ROOT = Path(__file__).parents[1]
SEED = 15
GOAL = 0.9
MEMORY = 6 * 1024**3  # bytes that a mutant may take: some try to take everything

ROOMS = ("photo", "jobs")
# Where the unit tests of a module are, if they are not called as it is.
TESTS = {
    "photo.heif_boxes": ["photo/test_file_types", "photo/test_colours"],
    "photo.codecs": [
        "photo/test_density",
        "photo/test_deep_tiff",
        "photo/test_colours",
        "photo/test_file_types",
        "photo/test_hide_faithful",
    ],
    "photo.decode": ["photo/test_decode", "photo/test_truncated"],
    "photo.deep": ["photo/test_deep_tiff", "photo/test_hide_faithful"],
    "photo.hide": ["photo/test_hide", "photo/test_keep", "photo/test_density"],
    "photo.jpeg": ["photo/test_hide_faithful"],
    "photo.metadata": ["photo/test_metadata", "photo/test_density", "photo/test_hide_leaks"],
    "photo.painting": ["photo/test_hide"],
    "photo.png": ["photo/test_keep", "photo/test_hide_leaks", "photo/test_hide_faithful"],
    "photo.styles": ["photo/test_styles", "jobs/test_boxes"],
    "photo.tiff": ["photo/test_structure", "photo/test_file_types", "photo/test_deep_tiff"],
    "photo.tiff_reader": ["photo/test_tiff_reader", "photo/test_deep_tiff"],
    "photo.whitelist": ["photo/test_whitelist", "photo/test_keep"],
    "photo.xmp": ["photo/test_keep", "photo/test_panorama"],
    "jobs.batch_erasure": ["jobs/test_batches"],
    "jobs.batch_files": ["jobs/test_batches", "jobs/test_events", "handlers/test_sweep_photos"],
    "jobs.batch_photos": ["jobs/test_batches", "jobs/test_events"],
    "jobs.batch_runs": ["jobs/test_batches", "jobs/test_events", "handlers/test_batches"],
    "jobs.boxes": ["jobs/test_boxes", "jobs/test_decisions"],
    "jobs.completion": ["jobs/test_completion", "jobs/test_events"],
    "jobs.execution_names": ["jobs/test_executions"],
    "jobs.redos": ["handlers/test_redo_job"],
    "jobs.reviews": ["handlers/test_review_job"],
    "jobs.storage": ["jobs/test_storage", "jobs/test_drafts", "handlers/test_sweep_photos"],
    "jobs.sweep": ["handlers/test_sweep_photos"],
    "jobs.table": ["jobs/test_table", "jobs/test_calls", "handlers/test_complete_job", "handlers/test_get_job"],
    "jobs.uploads": ["jobs/test_uploads", "handlers/test_start_workflow"],
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

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """How to import the module; None for all others."""
        return spec_from_file_location(name, self._path, loader=self) if name == self._name else None

    def get_filename(self, _: str) -> str:
        """Path of the module."""
        return self._path

    def get_data(self, _: object) -> bytes:
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
    random.Random(SEED).shuffle(places)  # noqa: S311 - a sample, no secret
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
    """Whether Python takes this without a complaint: it warns of numbers that are compared with `is`."""
    with warnings.catch_warnings(action="error"):
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
    """Whether all tests pass with this source of the module, in so many seconds of the processor's time."""
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


def modules() -> list[str]:
    """The modules of the rooms."""
    paths = [path for room in ROOMS for path in sorted((ROOT / "functions/faceblur" / room).glob("[a-z]*.py"))]
    return [f"{path.parent.name}.{path.stem}" for path in paths]


def path_of(module: str) -> Path:
    """Where a module of the domain is."""
    return ROOT / "functions/faceblur" / f"{module.replace('.', '/')}.py"


def tests_of(module: str) -> list[str]:
    """Where the unit tests of a module are."""
    names = TESTS.get(module, [module.replace(".", "/test_")])
    return [str(ROOT / f"tests/unit/{name}.py") for name in names]


def attack(module: str, count: int) -> tuple[int, list[Mutant]]:
    """How many mutants of a module were made, and those that survived."""
    tests = tests_of(module)
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
            print(f"{module}:{mutant.line}\n  - {mutant.before.strip()}\n  + {mutant.after.strip()}", flush=True)  # noqa: T201
    return len(made), survivors


def main() -> None:
    """Attack the modules, and fail if too many mutants survive."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", help="such as photo.painting; all by default")
    parser.add_argument("--sample", type=int, default=10, help="mutants of each module")
    arguments = parser.parse_args()
    made = killed = 0
    rows = []
    for module in arguments.modules or modules():
        count, survivors = attack(module, arguments.sample)
        made, killed = made + count, killed + count - len(survivors)
        rows.append(f"| `{module}` | {count} | {count - len(survivors)} |")
    print("| module | mutants | killed |\n|---|--:|--:|", *rows, f"| all | {made} | {killed} |", sep="\n")  # noqa: T201
    sys.exit(killed < GOAL * made)


if __name__ == "__main__":
    main()
