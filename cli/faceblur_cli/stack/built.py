"""Checks for which Python and processor `sam build` has built the functions and the layer."""

import re
import sys
from itertools import chain
from pathlib import Path

from faceblur_cli.failures import Failure

# A wheel for one version of Python and one processor, such as cp313-cp313-manylinux_2_28_x86_64.
_TAG = re.compile(r"Tag: cp3(\d+)-cp3\1-\w+?_(x86_64|aarch64)")


def check(build: Path, runtime: str, architecture: str) -> None:
    """Raise Failure if a function or the layer was built for another Python or processor than it will run on.

    `runtime` and `architecture` are Lambda's names, such as python3.13 and arm64.
    """
    for part in sorted(folder for folder in build.iterdir() if folder.is_dir()):
        for found in _targets(part):
            if found != (runtime, architecture):
                raise Failure(
                    f"{part.name} was built for {' on '.join(found)}, the stack is for {runtime} on {architecture}. "
                    f"Remove {build}, and build both with the same Python."
                )


def _targets(part: Path) -> set[tuple[str, str]]:
    """The Pythons and processors of the wheels in a function or layer."""
    found = set()
    for wheel in chain(part.glob("*.dist-info/WHEEL"), part.glob("python/*.dist-info/WHEEL")):
        for minor, machine in _TAG.findall(wheel.read_text()):
            found.add((f"python3.{minor}", machine.replace("aarch64", "arm64")))
    return found


def _main() -> None:
    """The check of `make deploy`. Its arguments are the build's folder and the stack's parameters."""
    folder, *parameters = sys.argv[1:]
    given = dict(parameter.split("=", 1) for parameter in parameters if "=" in parameter)
    try:
        check(Path(folder), given["PythonRuntime"], given["Architecture"])
    except Failure as failure:
        sys.exit(f"faceblur: {failure}")


if __name__ == "__main__":
    _main()
