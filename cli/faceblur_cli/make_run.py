"""Checks for `make run`, before its set-up of minutes, whether faceblur runs already and whether its ports are free.

    PYTHONPATH=cli python3 -m faceblur_cli.make_run PORT= PAGE_PORT=8000

At that time nothing is installed, so this module imports no installed package.
"""

import sys

from faceblur_cli import ports
from faceblur_cli.failures import Failure
from faceblur_cli.stack import holder

# The variables of `make run`, and the default ports.
_DEFAULTS = {"PORT": ports.AWS, "PAGE_PORT": ports.PAGE}


def _check(argument: str) -> None:
    """Check one NAME=PORT. Raises Failure."""
    name, _, text = argument.partition("=")
    port = text or str(_DEFAULTS[name])
    if not port.isdecimal() or int(port) > ports.HIGHEST:
        raise Failure(f"{argument}: a port is a number from 0 to {ports.HIGHEST}.")
    ports.check(int(port), f"{name}=…, or stop what runs there")


def _main() -> None:
    try:
        holder.check_none_runs()
        for argument in sys.argv[1:]:
            _check(argument)
    except Failure as failure:
        sys.exit(f"faceblur: {failure}")


if __name__ == "__main__":
    _main()
