"""What several tests of detectors use."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from faceblur.detectors import rekognition
from tests.support.standins.rekognition import Rekognition


@pytest.fixture(scope="module")
def server():
    with Rekognition() as server:
        yield server


@pytest.fixture
def service(server, monkeypatch):
    server.reset()
    # A call that is tried again waits for a random time.
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setenv("AWS_ENDPOINT_URL_REKOGNITION", server.url)
    rekognition.client.cache_clear()
    yield server
    rekognition.client().close()
    rekognition.client.cache_clear()
