"""The arithmetic of docs/scaling.md."""

from __future__ import annotations

import pytest
import scaling
from scaling import Durations, Photo
from sources import template

MEASURED = Durations(detect=0.6, hide=0.05, check=0.7)


def test_the_embedded_detector_takes_longer_on_fewer_processors():
    # 1.3 s on two processors are 2.6 s of one; 3,008 MB are 1.7 of them. Two invocations add 0.05 s each.
    assert Photo("embedded", MEASURED).look_seconds == pytest.approx(2.6 / (3008 / 1769) + 0.1)


def test_rekognition_takes_a_call_a_look():
    assert Photo("rekognition", MEASURED).look_seconds == pytest.approx(2 * 0.5 + 0.1)


def test_what_a_photo_costs():
    usd = Photo("rekognition", MEASURED).usd("STANDARD")
    # 1.1 s with 2 GB, 0.1 s with 3,008 MB and 15 times 0.05 s with half a GB are 2.86875 GB-s; 18 requests.
    assert usd["Lambda"] == pytest.approx(2.86875 * 0.0000166667 + 18 * 0.2e-6)
    assert usd["Step Functions"] == pytest.approx(10 * 25e-6)
    assert usd["Rekognition"] == pytest.approx(0.002)


def test_an_express_workflow_is_paid_by_its_time():
    # 1.25 s with 64 MB.
    assert Photo("rekognition", MEASURED).usd("EXPRESS")["Step Functions"] == pytest.approx(
        1e-6 + 1.25 / 16 * 0.00001667
    )


def test_beyond_a_quota_photos_wait():
    photo = Photo("rekognition", MEASURED)
    # 25 photos a second with two calls each are all that 50 calls a second let through.
    assert photo.wait(90_000) == pytest.approx(0)
    assert photo.wait(180_000) == pytest.approx(3600)
    assert photo.wait(9_000, calls_a_second=5) == pytest.approx(0)


def test_a_limit_that_refuses_makes_nobody_wait():
    # 28 photos a second make 361 calls of the API, of which it takes 50.
    assert Photo("embedded", MEASURED).wait(100_000) == 0


def test_the_template_is_as_the_model_takes_it():
    resources, parameters = template()["Resources"], template()["Parameters"]
    detect = resources["DetectFacesFunction"]["Properties"]["MemorySize"]
    memory = scaling.TASK_MB
    assert detect == {"Fn::If": ["UsesEmbedded", memory["embedded"], memory["rekognition"]]}
    assert memory["both"] == memory["embedded"]
    assert resources["HideFacesFunction"]["Properties"]["MemorySize"] == scaling.BLUR_MB
    assert template()["Globals"]["Function"]["MemorySize"] == scaling.SMALL_MB
    assert parameters["RequestsASecond"]["Default"] == scaling.API.most
    assert parameters["JobsADay"]["Default"] == scaling.DAILY.most
