"""Tests of the detection: the real networks and Rekognition's stand-in, over complete photos, without the internet."""

from __future__ import annotations

# What every unit test has: sockets are blocked, the settings are those of the tests, and no log has anything private.
from tests.unit.conftest import (  # noqa: F401
    add_job,
    aws,
    clients,
    context,
    environment,
    event,
    moto,
    one_tls_context,
    pytest_itemcollected,
    recorded,
    s3,
    shared_clients,
    table,
)
from tests.unit.detectors.conftest import server, service  # noqa: F401
