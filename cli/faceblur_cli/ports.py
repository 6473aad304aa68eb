"""Which ports of this machine can be used. `make run` asks before its set-up, so this imports no installed package."""

import socket
import sys

from faceblur_cli.failures import Failure

AWS, PAGE = 4566, 8080
# The variables of `make run`, and the ports that it uses without them.
_OF_MAKE_RUN = {"PORT": AWS, "PAGE_PORT": PAGE}
HIGHEST = 65535


def check(port: int, choose: str) -> None:
    """Raise Failure, which tells how to `choose` another one, if a server cannot listen at this port. 0 is any port."""
    if reason := _obstacle(port):
        raise Failure(f"Port {port}: {reason}. Choose another one with {choose}.")


def any_port(preferred: int = AWS) -> int:
    """The preferred port, or another one if it cannot be used."""
    return free_port() if _obstacle(preferred) else preferred


def free_port() -> int:
    """A loopback port that is not in use."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _obstacle(port: int) -> str | None:
    """Why a server cannot listen at this loopback port; None if it can."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return error.strerror or str(error)
    return None


def _check_for_make(argument: str) -> None:
    """Check one NAME=PORT of `make run`. Raises Failure."""
    name, _, text = argument.partition("=")
    port = text or str(_OF_MAKE_RUN[name])
    if not port.isdecimal() or int(port) > HIGHEST:
        raise Failure(f"{argument}: a port is a number from 0 to {HIGHEST}.")
    check(int(port), f"{name}=…, or stop what runs there (if it is faceblur, with `.venv/bin/faceblur down`)")


def _main() -> None:
    try:
        for argument in sys.argv[1:]:
            _check_for_make(argument)
    except Failure as failure:
        sys.exit(f"faceblur: {failure}")


if __name__ == "__main__":
    _main()
