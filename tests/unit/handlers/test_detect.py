from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from detect.app import handler
from faceblur import prices
from faceblur.detectors.base import Answer, Detection, DetectionPass, StoredPhoto
from faceblur.detectors.confidence import confidence_for
from faceblur.errors import (
    BudgetSpent,
    CorruptImage,
    DetectorThrottled,
    ImageTooLarge,
    JobNotFound,
    NothingFound,
    PhotoTooExpensive,
    StorageUnavailable,
    TooMuchToHide,
    TransientError,
    UploadReplaced,
)
from faceblur.geometry import Box
from faceblur.jobs.boxes import FoundBox, FoundBoxes, store_boxes
from faceblur.jobs.decisions import Choice, Decision, decided, store_decision
from faceblur.jobs.storage import Photos, digest, photos
from faceblur.jobs.table import Jobs, jobs
from faceblur.limits import MAX_BOXES
from faceblur.observability import digest_of_id
from tests.support.counts import faces
from tests.support.pictures.photos import blank, encoded
from tests.unit.photo.test_keep import packet

if TYPE_CHECKING:
    from collections.abc import Callable

    from faceblur.detectors.base import PaidCalls
    from faceblur.errors import FaceblurError

JOB_ID = "0f8fad5bd9cb469fa16570867728950e"
BUCKET = "faceblur-photos-123456789012-eu-central-1"
PHOTO = blank(200, 100)
FACES = [Box(0.1, 0.2, 0.3, 0.4, 99.123456, "stand-in"), Box(1 / 3, 0.5, 0.1, 0.1, 60, "other")]


class Detector:
    """Finds what it is told to find, and remembers what it was asked."""

    def __init__(self) -> None:
        self.finds: list[Box] | Exception = FACES
        self.calls = 2
        self.warns = ["Warning"]
        self.meanwhile: Callable[[], None] = lambda: None
        self.name = ""
        self.goes_on_after: tuple[type[FaceblurError], ...] = ()
        self.paid: PaidCalls | None = None
        self.asked: list[tuple[StoredPhoto, float, DetectionPass]] = []

    def detect(self, photo: StoredPhoto, min_confidence: float, detection_pass: DetectionPass) -> Detection:
        self.asked.append((photo, min_confidence, detection_pass))
        if isinstance(self.finds, Exception):
            raise self.finds
        self.meanwhile()
        return Detection(list(self.finds), "stand-in", "1", calls=self.calls, warnings=self.warns)


@pytest.fixture
def detector(monkeypatch):
    detector = Detector()

    def named(name, paid, goes_on_after, kinds):
        detector.name, detector.paid, detector.goes_on_after = name, paid, goes_on_after
        detector.kinds = kinds
        return detector

    monkeypatch.setattr("detect.app.detector_named", named)
    return detector


@pytest.fixture
def ask(event, context, s3, add_job, detector):
    """Look for faces in the uploaded photo of a job in work."""
    add_job("PROCESSING")
    s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=PHOTO)

    def call(options=None, **changes):
        asked = event("detect") | changes
        return handler(asked | {"options": asked["options"] | (options or {})}, context)

    return call


@pytest.fixture
def check(ask, s3, store):
    """Check a draft in which these boxes are hidden. Each was found in its own round."""
    draft = f"results/{JOB_ID}.9c56cc51b374c3ba.png"
    s3.put_object(Bucket=BUCKET, Key=draft, Body=PHOTO)

    def call(*hidden, round_=1, **changes):
        told = {"stage": "check", "round": round_, "key": draft, "boxes": store(*hidden)}
        return ask(**told | changes)

    return call


def stored(found):
    return photos().read_json(found["boxes"]["key"])["boxes"]


def test_a_panorama_is_searched_across_its_seam_and_so_are_its_drafts(ask, check, detector, s3):
    """A draft no longer says that it is a panorama."""
    panorama = encoded(Image.new("RGB", (200, 100)), "JPEG", xmp=packet({"GPano:ProjectionType": "equirectangular"}))
    s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=panorama)
    detector.calls = 0
    found = ask()
    assert [asked.key for asked, _, _ in detector.asked] == [f"uploads/{JOB_ID}", ""]
    check(boxes=found["boxes"])
    assert len(detector.asked) == 4
    assert photos().read_json(found["boxes"]["key"])["wraps"]


def test_the_faces_and_how_they_were_found(ask, detector):
    found = ask()
    assert found["stage"].pop("milliseconds") >= 0
    assert stored(found) == [
        {
            "id": 1,
            "left": 0.1,
            "top": 0.2,
            "width": 0.3,
            "height": 0.4,
            "confidence": 99.1,
            "found_by": "stand-in",
            "roll": 0.0,
            "turned": False,
            "kind": "face",
            "found_in": "first",
            "round": 0,
            "hidden": True,
        },
        {
            "id": 2,
            "left": 0.33333,
            "top": 0.5,
            "width": 0.1,
            "height": 0.1,
            "confidence": 60.0,
            "found_by": "other",
            "roll": 0.0,
            "turned": False,
            "kind": "face",
            "found_in": "first",
            "round": 0,
            "hidden": True,
        },
    ]
    assert found == {
        "boxes": {"key": found["boxes"]["key"], "count": 2},
        "unsure": 0,
        "warnings": ["Warning"],
        "stage": {
            "name": "detect",
            "round": 0,
            "memory_mb": 512,
            "detector": "stand-in",
            "version": "1",
            "found": faces(2),
            "calls": 2,
        },
    }
    assert json.loads(json.dumps(found)) == found


def test_each_round_asks_for_the_kinds_of_the_job_and_counts_them(ask, check, detector):
    detector.finds = [Box(0.1, 0.2, 0.3, 0.4, 99), Box(0.5, 0.8, 0.1, 0.05, 70, kind="plate")]
    for search in (ask, check):
        found = search(options={"kinds": ["face", "plate"]})
        assert detector.kinds == ["face", "plate"]
        assert found["stage"]["found"] == {"face": 1, "plate": 1, "text": 0}
    assert [box["kind"] for box in stored(found)] == ["face", "plate"]


def test_a_box_without_a_detector_gets_the_name_of_the_detector(ask, detector):
    detector.finds = [Box(0.1, 0.2, 0.3, 0.4, 99)]
    assert [face["found_by"] for face in stored(ask())] == ["stand-in"]


def test_each_stage_is_measured_under_its_name(ask, check, output):
    for detect, name in ((ask, "detect"), (check, "check")):
        stage = detect()["stage"]
        assert stage["name"] == name
        assert counted(output)["StageMilliseconds", name] == stage["milliseconds"]


def test_the_job_tells_that_the_stage_began(ask, detector):
    ask()
    assert list(jobs().get(JOB_ID).progress) == ["detect"]


def test_only_the_first_pass_uses_a_confidence_below_the_default(ask, check, detector):
    for detect in (ask, check):
        detect(options={"min_confidence": 20})
    assert [confidence for _, confidence, _ in detector.asked] == [20, 50]


@pytest.mark.parametrize("detect", ["ask", "check"])
def test_a_confidence_above_the_default_applies_to_every_pass_and_warns_of_faces_left_visible(
    detect, detector, request
):
    detect = request.getfixturevalue(detect)
    seen = detect(options={"min_confidence": 80})
    assert [confidence for _, confidence, _ in detector.asked] == [50]
    assert [face["confidence"] for face in stored(seen)] == [99.1]
    assert "BelowConfidence" in seen["warnings"]
    assert "BelowConfidence" not in detect(options={"min_confidence": 60})["warnings"]


@pytest.mark.parametrize(
    ("detection_pass", "asked", "confidence"),
    [
        (DetectionPass.FIRST, 0, 0),
        (DetectionPass.FIRST, 50, 50),
        (DetectionPass.FIRST, 100, 100),
        (DetectionPass.CHECK, 0, 50),
        (DetectionPass.CHECK, 49.9, 50),
        (DetectionPass.CHECK, 50.1, 50.1),
        (DetectionPass.CHECK, 100, 100),
    ],
)
def test_the_confidence_of_each_pass(detection_pass, asked, confidence):
    assert confidence_for(detection_pass, asked) == confidence


@pytest.mark.parametrize(
    ("leave_out_unavailable", "requires_all", "errors"),
    [
        (False, True, ()),
        (False, False, (PhotoTooExpensive,)),
        (True, False, (PhotoTooExpensive, TransientError)),
    ],
)
@pytest.mark.parametrize("detect", ["ask", "check"])
def test_the_detector_knows_after_which_errors_it_may_leave_one_out(
    detect, detector, leave_out_unavailable, requires_all, errors, request
):
    request.getfixturevalue(detect)(
        options={"require_all_detectors": requires_all}, leave_out_unavailable=leave_out_unavailable
    )
    assert detector.goes_on_after == errors


def test_the_arguments_of_the_detector(ask, detector):
    ask(options={"min_confidence": 30})
    assert detector.name == "embedded"
    assert detector.asked == [(StoredPhoto(PHOTO, BUCKET, f"uploads/{JOB_ID}"), 30, DetectionPass.FIRST)]


def test_the_detector_is_a_setting(ask, detector, monkeypatch):
    monkeypatch.setenv("FACE_DETECTOR", "rekognition")
    ask()
    assert detector.name == "rekognition"


def test_the_boxes_file_holds_the_digest_of_the_photo(ask, detector):
    assert photos().read_json(ask()["boxes"]["key"])["photo"] == digest(PHOTO)


def test_no_face_is_an_answer(ask, detector):
    detector.finds = []
    found = ask()
    assert (stored(found), found["boxes"]["count"], found["stage"]["found"]) == ([], 0, faces(0))


def test_no_face_fails_a_job_that_asked_for_it(ask, detector):
    detector.finds = []
    with pytest.raises(NothingFound):
        ask(options={"on_nothing_found": "fail"})


def test_a_photo_in_which_pixels_are_missing_fails_the_job_unless_it_asks_to_complete(ask, detector):
    detector.warns = ["TruncatedPhoto"]
    with pytest.raises(CorruptImage):
        ask()
    assert ask(options={"on_truncated": "complete"})["warnings"] == ["TruncatedPhoto"]


def test_a_photo_too_large_for_its_output_is_refused_before_the_detection(ask, detector, s3):
    s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=encoded(Image.new("1", (16_384, 100)), "PNG"))
    with pytest.raises(ImageTooLarge, match="As WEBP, a photo can have at most"):
        ask(options={"output": "webp"})
    assert detector.asked == []


def test_a_draft_in_which_pixels_are_missing_fails_every_job(check, detector):
    detector.warns = ["TruncatedPhoto"]
    with pytest.raises(CorruptImage):
        check(options={"on_truncated": "complete"})


def test_faces_about_which_the_detector_is_not_sure(ask, detector):
    detector.finds = [replace(FACES[0], confidence=confidence) for confidence in (50.4, 50.5, 50, 90)]
    assert ask()["unsure"] == 2


# ---------------------------------------------------------------- decisions


DECISION = f"boxes/{JOB_ID}.9c56cc51b374c3ba.decision.json"
DRAWN = Box(0.8, 0.1, 0.1, 0.2, 100, "person", 15, turned=True)


def test_the_decision_of_a_new_job_applies_to_the_faces_that_are_found(ask, detector):
    keep = Box(0.1, 0.2, 0.3, 0.3, 100, "person", turned=True)
    store_decision(DECISION, Decision([Choice(place=keep)], [Choice(place=DRAWN)]), photos())
    found = ask(decision=DECISION)
    assert [(box["found_by"], box["hidden"]) for box in stored(found)] == [
        ("stand-in", False),
        ("other", True),
        ("person", True),
    ]
    assert found["boxes"]["count"] == 2


def test_a_place_that_a_client_hides_is_enough_for_a_job_that_fails_without_faces(ask, detector):
    detector.finds = []
    store_decision(DECISION, Decision(hide=[Choice(place=DRAWN)]), photos())
    assert ask(options={"on_nothing_found": "fail"}, decision=DECISION)["boxes"]["count"] == 1


def test_a_check_leaves_out_the_faces_that_are_kept(check, detector):
    detector.finds = [FACES[0], FACES[1]]
    kept = decided(FoundBoxes(digest(PHOTO), [FoundBox(FACES[0], 0)]), Decision(keep=[Choice(1)]))
    found = check(boxes=store_boxes(JOB_ID, kept, jobs(), photos()))
    assert found["stage"]["found"] == faces(1)
    assert [(box["id"], box["hidden"], box["found_in"]) for box in stored(found)] == [
        (1, False, "first"),
        (2, True, "check"),
    ]


# ---------------------------------------------------------------- the check


def test_a_check_adds_uncovered_faces_to_the_hidden_ones(check, detector):
    seen, other, missed = FACES[0], FACES[1], Box(0.7, 0.1, 0.1, 0.2, 70, "stand-in")
    detector.finds = [seen, missed]
    found = check((seen, 0), (other, 1), round_=2)
    assert [(box["left"], box["found_in"], box["round"]) for box in stored(found)] == [
        (0.1, "first", 0),
        (0.33333, "check", 1),
        (0.7, "check", 2),
    ]
    assert (found["boxes"]["count"], found["stage"]["found"], found["stage"]["round"]) == (3, faces(1), 2)
    assert found["stage"]["name"] == "check"


def test_the_boxes_of_a_check_keep_the_digest_of_the_photo_of_the_first_pass(check, detector):
    found = check((FACES[0], 0))
    assert photos().read_json(found["boxes"]["key"])["photo"] == digest(b"photo")


def test_a_check_without_findings_keeps_the_boxes_file(check, detector, keys):
    found = check(*((face, 0) for face in FACES), options={"on_nothing_found": "fail"})
    assert detector.asked[0][2] is DetectionPass.CHECK
    assert (found["boxes"]["count"], found["stage"]["found"]) == (2, faces(0))
    assert {key for key in keys() if key.startswith("boxes/")} == {found["boxes"]["key"]}


def test_a_check_of_a_photo_in_which_nothing_was_found_may_find_nothing(check, detector):
    detector.finds = []
    found = check(options={"on_nothing_found": "fail"})
    assert (stored(found), found["stage"]["found"]) == ([], faces(0))


def test_a_covered_face_causes_no_warning(check, detector):
    detector.finds = [FACES[1]]
    assert check((FACES[1], 0), options={"min_confidence": 80})["warnings"] == []
    assert check((Box(0.8, 0.1, 0.1, 0.1, 99), 0), options={"min_confidence": 80})["warnings"] == ["BelowConfidence"]


def test_the_padding_decides_which_faces_are_covered(check, detector):
    detector.finds = [Box(0.5, 0.5, 0.2, 0.2, 90)]
    small = (Box(0.525, 0.525, 0.15, 0.15, 90), 0)
    assert check(small, options={"padding": 1.0})["stage"]["found"] == faces(0)
    found = check((Box(0.6, 0.6, 0.02, 0.02, 90), 0), options={"padding": 1.0})
    assert found["stage"]["found"] == faces(1)


# ---------------------------------------------------------------- how many faces there may be


def crowd(count):
    return [Box(number / 20_001, 0.5, 0.00001, 0.0001, 90) for number in range(count)]


def test_as_many_faces_as_a_job_can_hide(ask, detector):
    detector.finds = crowd(MAX_BOXES)
    assert ask()["boxes"]["count"] == MAX_BOXES == 20_000


def test_more_faces_than_a_job_can_hide(ask, detector, keys):
    detector.finds = crowd(MAX_BOXES + 1)
    with pytest.raises(TooMuchToHide):
        ask()
    assert keys() == {f"uploads/{JOB_ID}"}


def test_faces_are_counted_when_those_of_too_little_confidence_are_left_out(ask, detector):
    detector.finds = [*FACES, *(Box(box.left, 0.1, box.width, box.height, 60) for box in crowd(MAX_BOXES))]
    assert ask(options={"min_confidence": 70})["boxes"]["count"] == 1


def test_the_faces_of_all_rounds_are_counted(check, detector, monkeypatch):
    monkeypatch.setattr("faceblur.jobs.boxes.MAX_BOXES", 50)
    hidden = [(box, 0) for box in crowd(49)]
    detector.finds = [Box(0.1, 0.1, 0.01, 0.01, 90)]
    assert check(*hidden)["boxes"]["count"] == 50
    detector.finds = [Box(0.1, 0.1, 0.01, 0.01, 90), Box(0.2, 0.1, 0.01, 0.01, 90)]
    with pytest.raises(TooMuchToHide):
        check(*hidden)


# ---------------------------------------------------------------- paid calls


def test_the_answers_of_a_failed_attempt_are_erased_when_the_round_succeeds(ask, detector, keys):
    """And not before: the next attempt needs them."""
    detector.meanwhile = lambda: detector.paid.keep({"a request": Answer([], is_full=False)})
    ask()
    detector.finds = DetectorThrottled()
    with pytest.raises(DetectorThrottled):
        ask()
    assert not any("answers" in key for key in keys())
    detector.paid.keep({"a request": Answer([], is_full=False)})
    with pytest.raises(DetectorThrottled):
        ask()
    assert f"boxes/{JOB_ID}.0.answers.json" in keys()
    detector.finds = []
    detector.meanwhile = lambda: detector.paid.left
    ask()
    assert not any("answers" in key for key in keys())


@pytest.mark.parametrize(("review", "first", "third"), [("never", 5, 2), ("when_unsure", 10, 7)])
def test_a_round_reserves_a_call_for_each_later_round(ask, check, detector, review, first, third):
    ask(options={"review": review})
    assert detector.paid.reserved == first
    check(round_=3, options={"review": review})
    assert detector.paid.reserved == third


# ---------------------------------------------------------------- what may go wrong


def test_a_job_that_is_deleted_meanwhile_gets_no_boxes(ask, detector, keys, monkeypatch):
    """The job is deleted after the boxes were stored and before the row is read, so the deletion misses the boxes."""
    find = Jobs.find

    def deleted_before_the_lookup(self, job_id):
        assert any(key.startswith("boxes/") for key in keys())
        self.delete(job_id, "")
        return find(self, job_id)

    monkeypatch.setattr(Jobs, "find", deleted_before_the_lookup)
    with pytest.raises(JobNotFound):
        ask()
    assert keys() == {f"uploads/{JOB_ID}"}


def test_a_check_of_a_job_that_has_ended_finds_no_boxes(check, detector):
    gone = {"key": f"boxes/{JOB_ID}.0123456789abcdef.json", "count": 1}
    with pytest.raises(JobNotFound):
        check(boxes=gone)
    assert detector.asked == []


def test_a_photo_that_is_gone(ask, detector, s3):
    s3.delete_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}")
    with pytest.raises(UploadReplaced):
        ask()
    assert detector.asked == []


@pytest.mark.parametrize("finds", [FACES, []])
def test_a_photo_that_is_replaced_while_a_service_reads_it(ask, detector, s3, keys, finds):
    """The service reads the photo in S3 itself, and may have seen another one."""
    detector.finds = finds
    detector.meanwhile = lambda: s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=blank(100, 200))
    with pytest.raises(UploadReplaced):
        ask(options={"on_nothing_found": "fail"})
    assert keys() == {f"uploads/{JOB_ID}"}


def test_a_photo_that_is_removed_while_a_service_reads_it(ask, detector, s3, keys):
    detector.meanwhile = lambda: s3.delete_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}")
    with pytest.raises(UploadReplaced):
        ask()
    assert keys() == set()


def test_a_photo_that_is_replaced_while_nobody_else_reads_it(ask, detector, s3):
    """The boxes belong to the photo that was read. The hide task will notice that it was replaced."""
    detector.calls = 0
    detector.meanwhile = lambda: s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=blank(100, 200))
    assert photos().read_json(ask()["boxes"]["key"])["photo"] == digest(PHOTO)


@pytest.mark.parametrize("error", [DetectorThrottled(), ValueError("a bug")])
def test_the_state_machine_learns_why_it_failed(ask, detector, error):
    detector.finds = error
    with pytest.raises(type(error)):
        ask()


def test_an_unavailable_storage(ask, monkeypatch):
    def unavailable(self, key):
        raise StorageUnavailable

    monkeypatch.setattr(Photos, "read", unavailable)
    with pytest.raises(StorageUnavailable):
        ask()


def counted(output):
    return {
        (metric["name"], metric.get("stage")): metric["value"]
        for line in output.metrics
        for metric in (
            {"name": described["Name"], "stage": line.get("stage"), "value": line[described["Name"]]}
            for described in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
        )
    }


def test_the_first_pass_counts_time_and_bytes(ask, output):
    ask()
    measured = counted(output)
    assert measured.pop(("StageMilliseconds", "detect")) >= 0
    assert measured == {("StageBytes", "detect"): len(PHOTO)}


def test_a_check_counts_time_and_bytes(check, output):
    check()
    assert set(counted(output)) == {("StageMilliseconds", "check"), ("StageBytes", "check")}


def test_the_metrics_are_those_of_this_stack(ask, output):
    ask()
    for line in output.metrics:
        (described,) = line["_aws"]["CloudWatchMetrics"]
        assert (described["Namespace"], line["stack"]) == ("faceblur", "faceblur")
        assert set(described["Dimensions"][0]) == {"stack"} | ({"stage"} & line.keys())


def test_the_log_is_about_the_job_and_holds_nothing_of_the_photo(ask, output):
    ask()
    (line,) = output.logs
    assert line["correlation_id"] == digest_of_id(JOB_ID)
    assert (line["message"], line["found"], line["round"]) == ("searched the picture", faces(2), 0)
    assert base64.b64encode(PHOTO).decode() not in output.text


def test_no_face_is_searched_for_which_no_money_is_left(ask, detector, monkeypatch):
    monkeypatch.setenv("DOLLARS_A_DAY", "0.0001")
    with pytest.raises(BudgetSpent):
        ask()
    assert detector.asked == []


def test_a_detection_that_fails_gets_back_what_it_did_not_use(ask, detector, table, monkeypatch):
    monkeypatch.setenv("DOLLARS_A_DAY", "1")
    detector.finds = DetectorThrottled()
    with pytest.raises(DetectorThrottled):
        ask()
    (spent,) = [int(row["spent"]) for row in table.scan()["Items"] if "spent" in row]
    assert spent == pytest.approx(prices.TASK + prices.function_time(512, prices.START_MILLISECONDS), abs=2)
