"""The formulas of docs/scaling.md."""

from __future__ import annotations

import pytest

from benchmarks import scaling
from tests.support.sources import template


@pytest.fixture(autouse=True)
def measured(monkeypatch):
    """Stages of round figures."""
    for stage, seconds in (("DETECT", 0.6), ("HIDE", 0.05), ("CHECK", 0.7)):
        monkeypatch.setattr(scaling, stage, seconds)


def test_the_embedded_detector_takes_longer_on_fewer_processors():
    # 1.3 s on two processors are 2.6 s of one; 3,008 MB are 1.7 of them. Two invocations add 0.05 s each.
    assert scaling.detect_seconds("embedded") == pytest.approx(2.6 / (3008 / 1769) + 0.1)


def test_rekognition_takes_one_call_for_the_detection_and_one_for_the_check():
    assert scaling.detect_seconds("rekognition") == pytest.approx(2 * 0.5 + 0.1)


def test_both_detectors_run_one_after_the_other():
    assert scaling.detect_seconds("both") == pytest.approx(2.6 / (3008 / 1769) + 2 * 0.5 + 0.1)


def test_what_a_photo_costs():
    usd = scaling.usd("rekognition", "STANDARD")
    # 1.1 s with 2 GB, 0.1 s with 3,008 MB and 15 times 0.05 s with half a GB are 2.86875 GB-s; 18 requests.
    assert usd["Lambda"] == pytest.approx(2.86875 * 0.0000166667 + 18 * 0.2e-6)
    assert usd["Step Functions"] == pytest.approx(12 * 25e-6)
    assert usd["Rekognition"] == pytest.approx(0.002)


def test_an_express_workflow_is_paid_by_its_time():
    # 1.25 s with 64 MB.
    usd = scaling.usd("rekognition", "EXPRESS")
    assert usd["Step Functions"] == pytest.approx(1e-6 + 1.25 / 16 * 0.00001667)


def test_photos_above_a_quota_wait():
    # 25 photos a second with two calls each use up 50 calls a second.
    assert scaling.wait("rekognition", 90_000) == pytest.approx(0)
    assert scaling.wait("rekognition", 180_000) == pytest.approx(3600)
    assert scaling.wait("rekognition", 9_000, rekognition=5) == pytest.approx(0)


def test_no_photo_waits_for_a_limit_that_refuses_requests():
    # 28 photos a second make 361 API calls; 50 are allowed.
    assert scaling.wait("embedded", 100_000) == 0


def test_the_budget_counts_more_than_a_photo_costs_beside_the_api():
    for detector in scaling.DETECTORS:
        usd = scaling.usd(detector, "STANDARD")
        of_the_api = usd["API Gateway"] + scaling.API_CALLS * scaling.SMALL * scaling.SMALL_MB / 1024 * 16.6667e-6
        assert scaling.budgeted(detector) > sum(usd.values()) - of_the_api


def test_the_template_has_the_numbers_of_the_model():
    resources, parameters = template()["Resources"], template()["Parameters"]
    detect = resources["DetectFunction"]["Properties"]["MemorySize"]
    memory = scaling.DETECT_MB
    assert detect == {"Fn::If": ["UsesEmbedded", memory["embedded"], memory["rekognition"]]}
    assert memory["both"] == memory["embedded"]
    assert resources["HideFunction"]["Properties"]["MemorySize"] == scaling.HIDE_MB
    assert template()["Globals"]["Function"]["MemorySize"] == scaling.SMALL_MB
    assert parameters["RequestsASecond"]["Default"] == scaling.REQUESTS_A_SECOND
    dollars = template()["Globals"]["Function"]["Environment"]["Variables"]["DOLLARS_A_DAY"]
    assert dollars["Fn::If"][2]["Fn::If"][1] == str(scaling.DOLLARS_A_DAY)
