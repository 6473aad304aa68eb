"""`make invoke` finds the code of every function in the build. That it runs a function is tried where Docker runs."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.support import invoke


@pytest.mark.parametrize("verb", invoke.FUNCTIONS)
def test_the_code_of_every_function_is_in_the_build(verb: str, built: Path):
    # Beside the build, because its files are linked and not copied.
    with tempfile.TemporaryDirectory(dir=built.parent, prefix="build-") as copy:
        invoke.copy_build(verb, built, Path(copy))
        assert list(Path(copy).glob(f"*/{verb}/app.py"))
