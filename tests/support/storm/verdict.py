"""Checks after a storm whether every job ended as it must."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import httpx

from tests.support.pictures import photos
from tests.support.storm.plans import CASES
from tests.support.storm.storm import CALM_SECONDS, Sent, Storm

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.support.storm.portraits import Portrait

# The codes that a restart explains: the job was stopped, or something failed while the stack went down.
OF_A_RESTART = {
    "Aborted",
    "DetectorUnavailable",
    "InternalError",
    "PhotoTooDemanding",  # a function that is stopped looks like one that has no memory left
    "StorageUnavailable",
    "TimedOut",
}
OF_THE_DETECTOR = {"DetectorThrottled", "DetectorUnavailable"}
# The most tries of the state machine. Fewer faults than this must not make a job fail.
TRIES = {"lambda": 6, "throttled": 31, "storage": 6, "detector": 8}
DELIVERIES = 3
SERVICE_NAMES = {"s3": "S3", "dynamodb": "DynamoDB", "sfn": "Step Functions", "rekognition": "Rekognition"}

# The kinds of complaints; the report counts each.
LOST = "lost"
PENDING = "pending"
TWICE = "done twice"
WRONG_RESULT = "wrong results"
VISIBLE = "unhidden faces"
WRONG_CODE = "wrong codes"
ORIGINAL = "originals left"
LEFT = "other objects left"
KEPT = "objects left after a day"
KINDS = (LOST, PENDING, TWICE, WRONG_RESULT, VISIBLE, WRONG_CODE, ORIGINAL, LEFT, KEPT)


@dataclass(frozen=True)
class Complaint:
    """Something that happened although it must not."""

    kind: str
    job_id: str
    what: str


@dataclass
class Facts:
    """The state after a storm: rows, keys and execution statuses by job, and the reported faults."""

    rows: dict[str, dict[str, Any]]
    objects: dict[str, set[str]]
    executions: dict[str, list[str]]
    told: list[dict[str, Any]]

    @classmethod
    def of(cls, storm: Storm) -> Facts:
        """Gather them."""
        cloud = storm.cloud
        scan = cloud.dynamodb.get_paginator("scan").paginate(TableName=cloud.outputs["JobsTableName"])
        listing = cloud.s3.get_paginator("list_objects_v2").paginate(Bucket=cloud.deployed.bucket)
        ran = cloud.sfn.get_paginator("list_executions").paginate(stateMachineArn=cloud.outputs["StateMachineArn"])
        told = cloud.plans / "injected.jsonl"
        lines = told.read_text().splitlines() if told.exists() else []
        rows = {row["job_id"]["S"]: row for page in scan for row in page["Items"]}
        facts = cls(rows, {}, {}, [json.loads(line) for line in lines])
        for key in (entry["Key"] for page in listing for entry in page.get("Contents", [])):
            facts.objects.setdefault(_job_of(key), set()).add(key)
        for execution in (execution for page in ran for execution in page["executions"]):
            facts.executions.setdefault(execution["name"], []).append(execution["status"])
        return facts

    def faults(self, job_id: str) -> list[dict[str, Any]]:
        """The faults that touched this job."""
        return [fault for fault in self.told if job_id in fault["jobs"]]


@dataclass
class Verdict:
    """How the jobs ended, the complaints, and the faults, each with the function that it hit."""

    endings: Counter[str]
    complaints: list[Complaint]
    faults: Counter[tuple[str, str]]

    def counts(self) -> dict[str, int]:
        """The number of complaints of each kind."""
        seen = Counter(complaint.kind for complaint in self.complaints)
        return {kind: seen[kind] for kind in KINDS}


def judged(storm: Storm) -> Verdict:
    """Judge every job after a storm, deliver every message once more, and judge again."""
    storm.let_forms_expire()
    endings, complaints = Counter[str](), []
    for sent in storm.sent:
        storm.show(sent.job_id)
    before = Facts.of(storm)
    storm.again()
    after = Facts.of(storm)
    for sent in storm.sent:
        answer = storm.show(sent.job_id)
        endings["DELETED" if sent.deleted else _ending(answer.json())] += 1
        complaints += _compared(storm, sent, answer, before, after)
    complaints += _unknown(storm, after)
    complaints += [Complaint(PENDING, "", f"no rest after {CALM_SECONDS} seconds: {left}") for left in storm.restless]
    complaints = [_with_its_story(storm, after, complaint) for complaint in complaints]
    storm.sweep_a_day_later()
    complaints += [Complaint(KEPT, job_id, f"{keys}") for job_id, keys in Facts.of(storm).objects.items()]
    faults = Counter((_what(fault["step"]), fault["function"]) for fault in after.told if fault["step"])
    faults += Counter((_case(sent), "state machine") for sent in storm.sent if sent.plan.case and sent.offered)
    return Verdict(endings, complaints, faults)


def allowed_codes(storm: Storm, sent: Sent, row: dict[str, Any], faults: Iterable[dict[str, Any]]) -> set[str]:
    """The codes with which this job may have failed: its photo or its faults explain them."""
    faults = list(faults)
    codes = {portrait.code for portrait in sent.offered if portrait.code}
    codes |= {"abort": {"Aborted"}, "time out": {"Aborted", "TimedOut"}}.get(sent.plan.interference, set())
    if not sent.offered or sent.too_late:
        codes.add("UploadExpired")
    if sent.plan.uploads == "another":
        codes.add("UploadReplaced")
    codes |= _of_the_case(sent.plan.case)
    ended = _seconds(row.get("finished_at", {}).get("S", "9999-01-01T00:00:00Z"))
    if any(sent.created < span.end and ended > span.start for span in storm.outages):
        codes |= OF_THE_DETECTOR
    if any(sent.created < span.end and ended > span.start for span in storm.cloud.restarts):
        codes |= OF_A_RESTART
    return codes | codes_of(faults)


def codes_of(faults: list[dict[str, Any]]) -> set[str]:
    """The error codes that these faults explain."""
    tasks = [fault for fault in faults if not fault["deliveries"] and not _is_of_the_api(fault)]
    causes = Counter(_cause(fault) for fault in tasks)
    codes = set()
    if causes["permanent"] or causes["lambda"] >= TRIES["lambda"] or causes["throttled"] >= TRIES["throttled"]:
        codes.add("InternalError")
    if causes["hang"]:
        codes.add("TimedOut")
    if causes["storage"] >= TRIES["storage"]:
        codes.add("StorageUnavailable")
    if causes["detector"] >= TRIES["detector"]:
        codes |= OF_THE_DETECTOR
    # Also what a slow machine has not handled in time is delivered again.
    if any(fault["function"] == "start_workflow" and fault["deliveries"] >= DELIVERIES for fault in faults):
        codes.add("InternalError")
    return codes


def _cause(fault: dict[str, Any]) -> str:
    step = fault["step"]
    match step:
        case {"raise": "Lambda.TooManyRequestsException"}:
            return "throttled"
        case {"raise": "StorageUnavailable"}:
            return "storage"
        case {"raise": "DetectorThrottled" | "DetectorUnavailable"}:
            return "detector"
        case {"raise": str(name)} if name.startswith("Lambda."):
            return "lambda"
        case {"wait_for": _}:
            return "hang"
        case {"imagines": _}:
            return "phantom"
        case {"aws": {"answer": "refused" | "killed"}}:
            return "permanent"
        case {"aws": {"service": "rekognition"}}:
            return "detector"
        case {"aws": _}:
            return "storage"
    return "permanent"


def _what(step: dict[str, Any]) -> str:
    """The kind of a step, as the report counts it."""
    match step:
        case {"raise": "KeyError"}:
            what = "an error that stays"
        case {"raise": _}:
            what = "an error that passes"
        case {"exit": _}:
            what = "the process ends"
        case {"signal": _}:
            what = "the process is killed"
        case {"wait_for": _}:
            what = "a function hangs"
        case {"imagines": _}:
            what = "a face is seen where none is"
        case {"aws": {"answer": "killed"}}:
            what = "the process is killed between requests"
        case {"aws": {"service": service, "answer": answer}}:
            what = f"a request to {SERVICE_NAMES[service]} is {answer}"
    return what + (", after the work" if step.get("after") else "")


def _case(sent: Sent) -> str:
    state, error = CASES[sent.plan.case]
    return f"{state}: {error}"


def _is_of_the_api(fault: dict[str, Any]) -> bool:
    return fault["function"] in {"create_job", "get_job", "delete_job"}


def _of_the_case(case: str) -> set[str]:
    return {
        "claim-throttled": {"InternalError"},
        "claim-refused": {"InternalError"},
        "claim-too-slow": {"TimedOut"},
        "delete-broken": {"InternalError"},
        "delete-too-slow": {"TimedOut"},
    }.get(case, set())


def _compared(storm: Storm, sent: Sent, answer: httpx.Response, before: Facts, after: Facts) -> Iterator[Complaint]:
    job_id, shown = sent.job_id, answer.json()
    row, keys = after.rows.get(job_id), after.objects.get(job_id, set())

    def complaint(kind: str, what: str) -> Complaint:
        return Complaint(kind, job_id, f"{what}; {sent.plan.photo.name}, {sent.plan.uploads}, {sent.plan.interference}")

    if len(after.executions.get(job_id, [])) > 1:
        yield complaint(TWICE, "more than one execution")
    if (row, keys) != (before.rows.get(job_id), before.objects.get(job_id, set())):
        yield complaint(TWICE, "a message delivered again has changed something")
    if sent.deleted:
        if answer.status_code != httpx.codes.NOT_FOUND or row:
            yield complaint(TWICE, "a deleted job has come back")
        yield from (complaint(_kind_of(key), key) for key in keys)
        return
    if row is None or answer.status_code != httpx.codes.OK:
        yield complaint(LOST, f"no job, but {answer.status_code}")
        return
    may_stay: set[str] = set()
    if shown["status"] == "COMPLETED":
        wrong = _wrong(storm.cloud.http, sent, shown, after.faults(job_id))
        yield from (complaint(kind, what) for kind, what in wrong)
        outcome = json.loads(row["outcome"]["S"])
        may_stay |= {f"receipts/{job_id}.json", outcome["result"]["key"]}
        if sent.plan.options["keep_original"]:
            may_stay |= {f"uploads/{job_id}", outcome["boxes"]["key"]}
    elif shown["status"] == "FAILED":
        code, allowed = shown["error"]["code"], allowed_codes(storm, sent, row, after.faults(job_id))
        if code not in allowed:
            yield complaint(WRONG_CODE, f"{code}, not one of {sorted(allowed)}")
    else:
        yield complaint(PENDING, shown["status"])
        return
    yield from (complaint(_kind_of(key), f"{key} of a job that is {shown['status']}") for key in keys - may_stay)


def _wrong(
    http: httpx.Client, sent: Sent, shown: dict[str, Any], faults: list[dict[str, Any]]
) -> Iterator[tuple[str, str]]:
    """The defects of a completed job's result, as its client downloads it."""
    receipt = http.get(shown["receipt"]["url"]).json()
    result = http.get(shown["result"]["url"]).content
    taken = {sha256(portrait.data).hexdigest(): portrait for portrait in sent.offered}
    portrait: Portrait | None = taken.get(receipt["input"]["sha256"])
    if portrait is None or portrait.picture is None:
        yield WRONG_RESULT, "of a photo that was never posted, or is none"
        return
    if receipt["output"]["sha256"] != sha256(result).hexdigest():
        yield WRONG_RESULT, "the receipt speaks of another result"
    picture = photos.opened(result).convert("RGB")
    if picture.size != portrait.size or not portrait.is_itself_elsewhere(picture):
        yield WRONG_RESULT, "another picture"
        return
    # The boxes are the real faces and the invented ones. The embedded detector may also find a face in a pattern.
    more = shown["hidden"]["face"] - len(portrait.faces)
    imagined = sum(len(fault["step"].get("imagines", ())) for fault in faults)
    if more < 0 or (more > imagined and sent.plan.detector != "embedded"):
        yield WRONG_RESULT, f"{shown['hidden']['face']} faces instead of {len(portrait.faces)}, and {imagined} imagined"
    if len(receipt["boxes"]) != shown["hidden"]["face"]:
        yield WRONG_RESULT, f"{shown['hidden']['face']} faces, but {len(receipt['boxes'])} boxes in the receipt"
    if visible := portrait.visible(picture):
        yield VISIBLE, f"style {sent.plan.options['style']}: {visible}"


def _with_its_story(storm: Storm, after: Facts, complaint: Complaint) -> Complaint:
    """The complaint, with the path of the job's execution and the faults that hit it."""
    path = storm.cloud.deployed.path(complaint.job_id) if complaint.job_id in after.executions else []
    faults = [(fault["function"], fault["deliveries"], fault["step"]) for fault in after.faults(complaint.job_id)]
    return replace(complaint, what=f"{complaint.what}\n  way: {path}\n  faults: {faults}")


def _unknown(storm: Storm, after: Facts) -> Iterator[Complaint]:
    """The rows and objects of jobs that no client knows. A job whose creation was not answered must have expired."""
    told = {sent.job_id for sent in storm.sent} | storm.of_batches
    for job_id in after.rows.keys() - told:
        shown = storm.show(job_id).json()
        if shown.get("error", {}).get("code") != "UploadExpired":
            yield Complaint(PENDING, job_id, f"a job that no client knows is {shown.get('status')}")
    for job_id in after.objects.keys() - told:
        yield from (Complaint(_kind_of(key), job_id, key) for key in after.objects[job_id])


def _ending(shown: dict[str, Any]) -> str:
    return str(shown["error"]["code"] if "error" in shown else shown.get("status", shown.get("code")))


def _job_of(key: str) -> str:
    found = re.search(r"/([0-9a-f]{32})", key)
    return found.group(1) if found else ""


def _kind_of(key: str) -> str:
    return ORIGINAL if key.startswith("uploads/") else LEFT


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
