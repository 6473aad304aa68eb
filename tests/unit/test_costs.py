"""The figures of docs/costs.md are those of the template, of AWS's prices, and of the budget."""

from __future__ import annotations

import re

import pytest

from benchmarks import ceiling
from faceblur import prices
from faceblur.jobs import receipts
from tests.support.sources import ROOT, state_machine, template

COSTS = (ROOT / "docs/costs.md").read_text()
PROSE = " ".join(COSTS.split())
PARAMETERS, RESOURCES = template()["Parameters"], template()["Resources"]


def table(name: str) -> dict[str, list[str]]:
    """The rows of the table between two marks, by their first cell."""
    lines = COSTS.split(f"<!-- {name} -->")[1].strip().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: row[1:] for row in rows if not row[0].startswith("---")}


def test_the_ceiling_is_computed_from_the_templates_defaults():
    variable = template()["Globals"]["Function"]["Environment"]["Variables"]["DOLLARS_A_DAY"]
    with_sign_in, without = variable["Fn::If"][2]["Fn::If"][1:]
    assert {"without sign-in": int(without), "with sign-in": int(with_sign_in)} == ceiling.DOLLARS_A_DAY
    assert PARAMETERS["DollarsADay"]["Default"] == ""
    assert PARAMETERS["RequestsASecond"]["Default"] == ceiling.REQUESTS_A_SECOND


def test_no_task_is_tried_more_often_than_the_ceiling_says():
    throttled = [
        retrier["MaxAttempts"]
        for machine in ("blur_image", "hide_photo", "hide_batch")
        for state in state_machine(machine)["States"].values()
        for retrier in state.get("Retry", [])
        if "Lambda.TooManyRequestsException" in retrier["ErrorEquals"]
    ]
    assert max(throttled) == ceiling.THROTTLED_TRIES
    # A job pays for itself, and for each task but the last one, which perhaps never begins.
    assert prices.TASK <= prices.JOB
    assert sum(state["Type"] == "Task" for state in state_machine("hide_photo")["States"].values()) == 4
    assert 3 * prices.TASK <= prices.BATCHED


def test_a_start_of_a_batch_pays_for_the_longest_report():
    report = RESOURCES["WriteReportFunction"]["Properties"]
    assert (report["MemorySize"], report["Timeout"] * 1000) == (prices.REPORT_MB, prices.REPORT_MILLISECONDS)
    cents = prices.start_of_a_batch(PARAMETERS["PhotosAtOnce"]["Default"]) / 10_000
    assert f"The start of a batch takes {cents:.0f} cents" in PROSE


def test_a_job_is_taken_only_if_its_work_can_be_paid_with_the_largest_functions():
    tasks = [RESOURCES[f"{name}Function"]["Properties"] for name in ("Detect", "Hide", "DrawPreview")]
    memory = [size for each in tasks for size in (each["MemorySize"], *_choices(each["MemorySize"]))]
    assert max(size for size in memory if isinstance(size, int)) == prices.TASK_MB
    assert {each["Timeout"] * 1000 for each in tasks} == {prices.TASK_MILLISECONDS}
    most = prices.function_time(prices.TASK_MB, prices.START_MILLISECONDS + prices.TASK_MILLISECONDS)
    assert pytest.approx(3 * (prices.TASK + most), abs=3) == prices.WORK
    cents = f"{(prices.JOB + prices.WORK) / 10_000:.0f} cents"
    assert f"less than {cents}" in COSTS


def _choices(value: object) -> list[int]:
    """What a value of the template may be, by its condition."""
    return value["Fn::If"][1:] if isinstance(value, dict) else []


@pytest.mark.parametrize("document", ["costs", "batches"])
def test_the_documents_tell_what_uploads_of_a_batch_cost(document):
    dollars = f"{1000 * prices.S3_WRITE / prices.A_DOLLAR:.3f} USD for 1,000"
    assert dollars in " ".join((ROOT / f"docs/{document}.md").read_text().split())


def test_the_document_has_the_ceiling():
    rows = [list(row.values()) for row in ceiling.rows()]
    assert table("ceiling") == {"USD a day": list(ceiling.DOLLARS_A_DAY)} | {row[0]: row[1:] for row in rows}


@pytest.mark.parametrize("column", [0, 1])
def test_the_ceiling_is_the_sum_of_its_parts(column):
    *parts, whole = (float(row[column]) for name, row in table("ceiling").items() if name != "USD a day")
    assert whole == pytest.approx(sum(parts), abs=0.02)
    assert parts[0] == list(ceiling.DOLLARS_A_DAY.values())[column]


def test_the_text_says_the_same():
    without, with_sign_in = (round(float(usd)) for usd in table("ceiling")["at most"])
    assert f"Strangers can spend at most {without} USD in a day" in PROSE
    assert with_sign_in > without
    microdollars = [round(ceiling.request(signs_in=signs_in)) for signs_in in (False, True)]
    assert "at most {} microdollars ({} with sign-in)".format(*microdollars) in PROSE


def test_the_alarms_cost_what_the_document_says():
    alarms = [each["Properties"] for each in RESOURCES.values() if each["Type"] == "AWS::CloudWatch::Alarm"]
    metrics = sum(watched_by(alarm) for alarm in alarms)
    (said, usd) = re.search(r"\| (\d+) metrics that alarms watch, 0.10 USD each \| ([\d.]+) \|", COSTS).groups()
    assert (int(said), float(usd)) == (metrics, pytest.approx(metrics * 0.10))


def watched_by(alarm: dict) -> int:
    """The number of metrics that an alarm watches without sign-in."""
    return sum("MetricStat" in metric for metric in alarm.get("Metrics", [])) if "Metrics" in alarm else 1


def test_receipts_and_the_budget_have_the_same_prices():
    assert receipts.PRICES == {"detector_call": 0.001, "state_transition": 0.000025, "lambda_gb_second": 0.0000166667}
    assert {name: price * prices.A_DOLLAR for name, price in receipts.PRICES.items()} == pytest.approx(
        {
            "detector_call": prices.REKOGNITION_CALL,
            "state_transition": prices.STATE_TRANSITION,
            "lambda_gb_second": prices.GB_SECOND,
        }
    )


def test_the_budget_counts_at_least_what_the_receipt_of_a_job_does():
    """A job's own share and those of its three tasks are more than its transitions, which is all but time and calls."""
    assert receipts.transitions(3) * prices.STATE_TRANSITION < prices.JOB + 3 * prices.TASK
    # So it is with each further round: a check, and what was missed is hidden.
    more = receipts.transitions(5) - receipts.transitions(3)
    assert more * prices.STATE_TRANSITION < 2 * prices.TASK
