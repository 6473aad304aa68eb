"""Which ports of this machine can be used."""

import socket

from faceblur_cli.failures import Failure

AWS, PAGE = 4566, 8080
HIGHEST = 65535


def check(port: int, choose: str) -> None:
    """Raise Failure if a server cannot listen at this port. The message says how to `choose` another. 0 is any port."""
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
