"""Reads what AWS says about the stack: the state of its alarms, the time of the stages, and the bill."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from benchmarks.scaling import USD
from benchmarks.verify_cloud.steps import NotHere, Seen, Step, must
from faceblur.jobs.receipts import billable_calls, cost
from faceblur_cli import trace
from faceblur_cli.failures import Failure
from faceblur_cli.waiting import wait_until

if TYPE_CHECKING:
    from benchmarks.verify_cloud.target import Target
    from faceblur.contracts import Stage

# USD a month, https://aws.amazon.com/cloudwatch/pricing/; a dashboard is free for the first three of an account.
ALARM_METRICS, USD_A_METRIC, USD_A_DASHBOARD = 35, 0.10, 3.00
HOURS_A_MONTH = 730
# The metrics of a minute appear a few minutes later.
_METRICS_SECONDS = 8 * 60
# Until the first sweeps have run, the alarm that misses them is on.
_ON_AT_FIRST = {"SweepAlarm"}

# What the verification takes at most: two completed jobs and six that fail early count as ten complete ones, each with
# two calls a round and ten seconds a stage.
_JOBS = 10
_HIDE: Stage = {"name": "hide", "round": 0, "milliseconds": 10_000, "memory_mb": 3008}
_STAGES: list[Stage] = [_HIDE | {"name": "detect", "calls": 2}, _HIDE, _HIDE | {"name": "check", "calls": 2}]


def most_usd() -> float:
    """What the verification costs at most, in USD rounded up to a cent: its jobs, and the stack for an hour."""
    stack = (ALARM_METRICS * USD_A_METRIC + USD_A_DASHBOARD) / HOURS_A_MONTH
    return math.ceil(100 * (_JOBS * cost(_STAGES) + stack)) / 100


def steps(target: Target, began: datetime) -> list[Step]:
    """What is read at the end, of everything since the beginning."""
    return [
        Step("no alarm is on", lambda: _alarms(target)),
        Step("the time of the stages is known", lambda: _stages(target)),
        Step("the bill is below what was announced", lambda: _bill(target, began)),
    ]


def _alarms(target: Target) -> Seen:
    names = {thing.name: thing.logical_id for thing in target.of_kind("AWS::CloudWatch::Alarm")}
    if not names:
        raise NotHere("the stack has no alarms")
    pages = target.clients("cloudwatch").get_paginator("describe_alarms").paginate(AlarmNames=list(names))
    states = {names[alarm["AlarmName"]]: alarm["StateValue"] for page in pages for alarm in page["MetricAlarms"]}
    on = {name for name, state in states.items() if state == "ALARM"} - _ON_AT_FIRST
    must(len(states) == len(names), f"{len(states)} of {len(names)} alarms exist")
    must(not on, f"on: {', '.join(sorted(on))}")
    rows = [{"alarm": name, "state": state} for name, state in sorted(states.items())]
    return Seen(f"{len(states)} alarms", {"Alarms": rows})


def _stages(target: Target) -> Seen:
    must(target.receipts, "no job was completed")
    of_receipts = [
        {
            "photo": photo,
            "stage": stage["name"],
            "round": stage["round"],
            "seconds": stage["milliseconds"] / 1000,
            "memory, MB": stage["memory_mb"],
            "calls": stage.get("calls", 0),
        }
        for photo, receipt in target.receipts.items()
        for stage in receipt["stages"]
    ]
    of_histories = [
        {
            "photo": photo,
            "state": visit.state,
            "seconds": visit.seconds or 0.0,
            "retries": visit.retries,
            "errors": ", ".join(visit.errors),
        }
        for photo in target.receipts
        for visit in target.visits(target.jobs[photo])
    ]
    seconds = sum(row["seconds"] for row in of_histories)
    title = {"Stages, by the receipts": of_receipts, "States, by the histories": of_histories}
    return Seen(f"{len(target.receipts)} photos took {seconds:.1f} s of states", title)


def _bill(target: Target, began: datetime) -> Seen:
    """What the stack used, by AWS's own counts as far as they are there, at the list prices of us-east-1."""
    functions = _functions(target, began)
    transitions = _transitions(target)
    calls = sum(billable_calls(receipt["stages"]) for receipt in target.receipts.values())
    hours = max(1.0, (datetime.now(UTC) - began).total_seconds() / 3600)
    metrics = len(target.of_kind("AWS::CloudWatch::Alarm")) and ALARM_METRICS
    rows = [
        *functions,
        _row("Step Functions, transitions", transitions, USD["state_transition"], "histories"),
        _row("Rekognition, calls", calls, USD["detector_call"], "receipts of completed jobs"),
        _row("alarms, metric-hours", metrics * hours, USD_A_METRIC / HOURS_A_MONTH, "the template"),
    ]
    by_receipts = sum(receipt["cost_estimate"]["usd"] for receipt in target.receipts.values())
    total = sum(row["USD"] for row in rows)
    seen = f"{total:.4f} USD; the receipts of {len(target.receipts)} completed jobs say {by_receipts:.4f} of these"
    must(by_receipts <= total <= most_usd(), seen)
    return Seen(seen, {"Bill": rows})


def _row(item: str, units: float, price: float, source: str) -> dict[str, Any]:
    return {"item": item, "units": float(units), "USD": units * price, "counted by": source}


def _functions(target: Target, began: datetime) -> list[dict[str, Any]]:
    """What the functions used: by AWS's metrics once they count the stages of the receipts, else by the receipts."""
    cloudwatch, functions = target.clients("cloudwatch"), target.of_kind("AWS::Lambda::Function")
    stages = [stage for receipt in target.receipts.values() for stage in receipt["stages"]]
    rounds = sum("calls" in stage for stage in stages)
    detect = next(thing.name for thing in functions if thing.logical_id == "DetectFunction")
    try:
        wait_until(
            lambda: _sum(cloudwatch, detect, "Invocations", began) >= rounds,
            0 if target.endpoint else _METRICS_SECONDS,
            "AWS has not counted the invocations",
            poll_seconds=5,
        )
    except Failure:
        gb_seconds = sum(stage["memory_mb"] / 1024 * stage["milliseconds"] / 1000 for stage in stages)
        return [
            _row("Lambda, GB-seconds", gb_seconds, USD["lambda_gb_second"], "receipts of completed jobs"),
            _row("Lambda, requests", len(stages), USD["lambda_request"], "receipts of completed jobs"),
        ]
    gb_seconds = requests = 0.0
    for thing in functions:
        memory = target.clients("lambda").get_function_configuration(FunctionName=thing.name)["MemorySize"]
        gb_seconds += _sum(cloudwatch, thing.name, "Duration", began) / 1000 * memory / 1024
        requests += _sum(cloudwatch, thing.name, "Invocations", began)
    return [
        _row("Lambda, GB-seconds", gb_seconds, USD["lambda_gb_second"], "AWS/Lambda Duration"),
        _row("Lambda, requests", requests, USD["lambda_request"], "AWS/Lambda Invocations"),
    ]


def _sum(cloudwatch: Any, function: str, metric: str, began: datetime) -> float:
    """The sum of a function's metric since then; Lambda's durations are in milliseconds."""
    found = cloudwatch.get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName=metric,
        Dimensions=[{"Name": "FunctionName", "Value": function}],
        StartTime=began - timedelta(minutes=1),
        EndTime=datetime.now(UTC) + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
    )
    return float(sum(point["Sum"] for point in found["Datapoints"]))


def _transitions(target: Target) -> int:
    """The state transitions of all executions, retries too."""
    stepfunctions = target.clients("stepfunctions")
    pages = stepfunctions.get_paginator("list_executions").paginate(stateMachineArn=target.outputs["StateMachineArn"])
    executions = [execution["executionArn"] for page in pages for execution in page["executions"]]
    visits = [visit for arn in executions for visit in trace.visits(trace.history(stepfunctions, arn))]
    return len(visits) + sum(visit.retries for visit in visits)
