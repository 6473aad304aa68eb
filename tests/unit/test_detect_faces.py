from __future__ import annotations

import base64
import json

import pytest

from detect_faces.app import handler
from faceblur.detectors import Detection, Look, StoredPhoto, confidence_for
from faceblur.errors import DetectorThrottled, NoFacesFound, StorageUnavailable, UploadReplaced
from faceblur.faces import Box
from faceblur.jobs import jobs
from faceblur.storage import Photos

JOB_ID = "0f8fad5bd9cb469fa16570867728950e"
BUCKET = "faceblur-photos-123456789012-eu-central-1"
PHOTO = b"the bytes of a photo, as the detector gets them"
FACES = [Box(0.1, 0.2, 0.3, 0.4, 99.123456, "stand-in"), Box(1 / 3, 0.5, 0.1, 0.1, 60, "other")]


class Detector:
    """Finds what it is told to find, and remembers what it was asked."""

    def __init__(self) -> None:
        self.finds: list[Box] | Exception = FACES
        self.name = ""
        self.last_resort: bool | None = None
        self.asked: list[tuple[StoredPhoto, float, Look]] = []

    def detect(self, photo: StoredPhoto, min_confidence: float, look: Look) -> Detection:
        self.asked.append((photo, min_confidence, look))
        if isinstance(self.finds, Exception):
            raise self.finds
        return Detection(list(self.finds), "stand-in", "1", calls=2, warnings=["Doubt"])


@pytest.fixture
def detector(monkeypatch):
    detector = Detector()

    def named(name, *, last_resort):
        detector.name, detector.last_resort = name, last_resort
        return detector

    monkeypatch.setattr("detect_faces.app.detector_named", named)
    return detector


@pytest.fixture
def ask(event, context, s3, add_job, detector):
    """Look for faces in the uploaded photo of a job in work."""
    add_job("PROCESSING")
    etag = s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=PHOTO)["ETag"]

    def call(options=None, without=(), **changes):
        asked = event("detect_faces") | {"etag": etag.strip('"')} | changes
        asked = {name: value for name, value in asked.items() if name not in without}
        return handler(asked | {"options": asked["options"] | (options or {})}, context)

    return call


def test_the_faces_and_how_they_were_found(ask, detector):
    found = ask()
    assert found["stage"].pop("milliseconds") >= 0
    assert found == {
        "faces": [
            {"left": 0.1, "top": 0.2, "width": 0.3, "height": 0.4, "confidence": 99.1, "found_by": "stand-in"},
            {"left": 0.3333, "top": 0.5, "width": 0.1, "height": 0.1, "confidence": 60.0, "found_by": "other"},
        ],
        "warnings": ["Doubt"],
        "stage": {
            "name": "first_look",
            "memory_mb": 512,
            "detector": "stand-in",
            "version": "1",
            "faces": 2,
            "calls": 2,
        },
    }
    assert json.loads(json.dumps(found)) == found


def test_a_face_whose_finder_is_not_named_was_found_by_the_detector(ask, detector):
    detector.finds = [Box(0.1, 0.2, 0.3, 0.4, 99)]
    assert [face["found_by"] for face in ask()["faces"]] == ["stand-in"]


@pytest.mark.parametrize("name", ["first_look", "second_look", "third_look"])
def test_the_stage_is_measured_as_what_it_is(ask, detector, name, output):
    stage = ask(stage=name)["stage"]
    assert stage["name"] == name
    assert counted(output)["StageMilliseconds", name] == stage["milliseconds"]


@pytest.mark.parametrize("look", ["first", "second"])
def test_an_execution_of_an_earlier_release_names_no_stage(ask, detector, look):
    assert ask(look=look, without=("stage",))["stage"]["name"] == f"{look}_look"


def test_the_job_tells_that_the_stage_began(ask, detector):
    ask()
    assert list(jobs().get(JOB_ID).progress) == ["first_look"]


@pytest.mark.parametrize(("look", "asked"), [("first", 20), ("second", 50)])
def test_only_the_first_look_goes_below_the_default_confidence(ask, detector, look, asked):
    ask(options={"min_confidence": 20}, look=look)
    assert [confidence for _, confidence, _ in detector.asked] == [asked]


@pytest.mark.parametrize("look", ["first", "second"])
def test_a_confidence_above_the_default_holds_for_both_looks_and_tells_of_what_it_leaves(ask, detector, look):
    seen = ask(options={"min_confidence": 80}, look=look)
    assert [confidence for _, confidence, _ in detector.asked] == [50]
    assert [face["confidence"] for face in seen["faces"]] == [99.1]
    assert "FacesBelowConfidence" in seen["warnings"]
    assert "FacesBelowConfidence" not in ask(options={"min_confidence": 60}, look=look)["warnings"]


@pytest.mark.parametrize(
    ("look", "asked", "confidence"),
    [
        (Look.FIRST, 0, 0),
        (Look.FIRST, 50, 50),
        (Look.FIRST, 100, 100),
        (Look.SECOND, 0, 50),
        (Look.SECOND, 49.9, 50),
        (Look.SECOND, 50.1, 50.1),
        (Look.SECOND, 100, 100),
    ],
)
def test_the_confidence_of_a_look(look, asked, confidence):
    assert confidence_for(look, asked) == confidence


@pytest.mark.parametrize("last_resort", [False, True])
@pytest.mark.parametrize("look", ["first", "second"])
def test_the_detector_learns_whether_this_is_the_last_try(ask, detector, last_resort, look):
    ask(last_resort=last_resort, look=look)
    assert detector.last_resort is last_resort


def test_what_the_detector_is_asked(ask, detector):
    ask(options={"min_confidence": 30})
    assert detector.name == "embedded"
    assert detector.asked == [(StoredPhoto(PHOTO, BUCKET, f"uploads/{JOB_ID}"), 30, Look.FIRST)]


def test_the_detector_is_a_setting(ask, detector, monkeypatch):
    monkeypatch.setenv("FACE_DETECTOR", "rekognition")
    ask()
    assert detector.name == "rekognition"


def test_no_face_is_an_answer(ask, detector):
    detector.finds = []
    assert ask()["faces"] == []


def test_no_face_fails_a_job_that_asked_for_it(ask, detector):
    detector.finds = []
    with pytest.raises(NoFacesFound):
        ask(options={"on_no_faces": "fail"})


def test_no_face_at_the_second_look_is_what_is_hoped_for(ask, detector):
    detector.finds = []
    assert ask(options={"on_no_faces": "fail"}, look="second")["faces"] == []
    assert detector.asked[0][2] is Look.SECOND


def test_a_replaced_photo_is_never_shown_to_the_detector(ask, detector, s3):
    s3.put_object(Bucket=BUCKET, Key=f"uploads/{JOB_ID}", Body=b"another photo")
    with pytest.raises(UploadReplaced):
        ask()
    assert detector.asked == []


@pytest.mark.parametrize("error", [DetectorThrottled(), ValueError("a bug")])
def test_the_state_machine_learns_why_it_failed(ask, detector, error):
    detector.finds = error
    with pytest.raises(type(error)):
        ask()


def test_an_unavailable_storage(ask, monkeypatch):
    def unavailable(self, key, etag):
        raise StorageUnavailable

    monkeypatch.setattr(Photos, "read", unavailable)
    with pytest.raises(StorageUnavailable):
        ask()


def test_an_unknown_look(ask):
    with pytest.raises(ValueError, match="third"):
        ask(look="third")


def counted(output):
    return {
        (metric["name"], metric.get("stage")): metric["value"]
        for line in output.metrics
        for metric in (
            {"name": described["Name"], "stage": line.get("stage"), "value": line[described["Name"]]}
            for described in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
        )
    }


def test_the_first_look_counts_faces_time_and_bytes(ask, output):
    ask()
    measured = counted(output)
    assert measured.pop(("StageMilliseconds", "first_look")) >= 0
    assert measured == {("FacesFound", None): 2, ("StageBytes", "first_look"): len(PHOTO)}


def test_a_photo_without_a_face_counts_too(ask, detector, output):
    detector.finds = []
    with pytest.raises(NoFacesFound):
        ask(options={"on_no_faces": "fail"})
    assert counted(output)["FacesFound", None] == 0


def test_the_second_look_counts_no_faces_again(ask, output):
    ask(look="second", stage="second_look")
    assert set(counted(output)) == {("StageMilliseconds", "second_look"), ("StageBytes", "second_look")}


def test_the_metrics_are_those_of_this_stack(ask, output):
    ask()
    for line in output.metrics:
        (described,) = line["_aws"]["CloudWatchMetrics"]
        assert (described["Namespace"], line["stack"]) == ("faceblur", "faceblur")
        assert set(described["Dimensions"][0]) == {"stack"} | ({"stage"} & line.keys())


def test_the_log_is_about_the_job_and_holds_nothing_of_the_photo(ask, output):
    ask()
    (line,) = output.logs
    assert line["correlation_id"] == JOB_ID
    assert (line["message"], line["faces"], line["look"]) == ("looked for faces", 2, "first")
    assert PHOTO.decode() not in output.text
    assert base64.b64encode(PHOTO).decode() not in output.text
